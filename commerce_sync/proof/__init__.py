"""Proof that a target equals the source: a fresh build, what the target holds, and the difference."""
