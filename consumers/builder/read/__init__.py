"""The rows of a batch, one file a subject: set-based, a constant number of queries a batch."""
