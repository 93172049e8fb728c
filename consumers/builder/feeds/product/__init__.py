"""The parts of a `products` item beyond its core: one file a part, rows in, members out. Pure."""
