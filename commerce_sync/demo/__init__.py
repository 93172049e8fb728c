"""The whole pipeline on this machine, with a sample shop, live edits and the proof at the end."""
