"""What items are made of, one file a subject, shared by the feeds: rows in, members out. Pure."""
