"""One file a feed: rows in, items out; no clock, no network, no chance."""
