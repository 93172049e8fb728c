"""Ports for the metrics of the roles, which follow each other."""

from commerce_sync.local.processes import free_port, is_taken

# A process a role, and some to spare.
_PORTS = 8


def free_ports() -> int:
    """The first of some free ports in a row."""
    while True:
        first = free_port()
        if not any(is_taken(first + number) for number in range(_PORTS)):
            return first
