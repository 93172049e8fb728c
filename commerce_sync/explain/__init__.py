"""The way of an item, from the row change to the answer of the service."""
