"""What a shop may have or not."""

from dataclasses import dataclass

from consumers.builder.read.reader import Plan, ask

_SOURCES = "inventory_stock_sales_channel"
_PERMISSIONS = "magento_catalogpermissions"


@dataclass(frozen=True, slots=True)
class Installed:
    """`multi_source`: without it there are the old stock tables only. `permissions`: categories can be
    restricted to customer groups (paid edition).
    """

    multi_source: bool
    permissions: bool


def read_installed(prefix: str) -> Plan[Installed]:
    """As the schema is now."""
    # By name: several at once would have the server look through the whole schema.
    one = (
        "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = %s"
    )
    rows = yield from ask(f"{one} UNION ALL {one}", prefix + _SOURCES, prefix + _PERMISSIONS)
    names = {str(name) for (name,) in rows}
    return Installed(prefix + _SOURCES in names, prefix + _PERMISSIONS in names)
