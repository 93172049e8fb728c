"""Dirty entities become feed items. In the order a record passes: fold, read, feeds, index, diff, stage."""
