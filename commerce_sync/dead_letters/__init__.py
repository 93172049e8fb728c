"""The failing items: what they are, why, and sending them again."""
