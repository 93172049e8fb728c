"""Which websites and store views a target is sent."""
