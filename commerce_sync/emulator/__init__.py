"""The ingestion services on one's own machine: strict, observable, and able to misbehave on command."""
