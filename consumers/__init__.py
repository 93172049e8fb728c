"""What takes work from topics: router, builder, sink, ledger."""
