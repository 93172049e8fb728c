"""The resync role: commands on the control topic become dirty entities on the bulk lane."""
