"""Roles as processes: what each needs before it starts, one process a role, restarted when it dies."""
