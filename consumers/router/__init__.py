"""Which entities does a row change touch? On its way: decode, rules, resolve, lanes, stage."""
