"""What the ledger tells people: how feeds are doing, the synced items, a payload as last sent."""
