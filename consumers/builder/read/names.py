"""Names that items show instead of ids."""

from consumers.builder.read.reader import Plan, ask


def read_tax_classes(prefix: str) -> Plan[dict[int, str]]:
    """All of them, by id: there are a few."""
    return dict((yield from ask(f"SELECT class_id, class_name FROM {prefix}tax_class")))
