"""Role ledger: what became of every item at every target, in SQL, for people."""
