"""The contract, pure: topics, keys, records, items, what the services accept."""
