"""The clock role: entities that change by time alone are made dirty when their moment has come."""
