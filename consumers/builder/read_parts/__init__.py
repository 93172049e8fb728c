"""The rows of a product's parts, set-based: one file a part, a constant number of queries a batch."""
