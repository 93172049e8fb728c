"""What puts work on topics: connectors, clock, resync."""
