"""Values of attributes, of products and of categories alike."""

from collections import defaultdict
from collections.abc import Sequence

from consumers.builder.read.reader import Plan, ask

# SQL for a column as text in UTC. The database's zero is no time.
TIME = "NULLIF(CAST({} AS CHAR), '0000-00-00 00:00:00')"

# Attribute codes by id, by backend type.
Codes = dict[str, dict[int, str]]
# Entity id -> attribute code -> store id -> text.
Values = dict[int, dict[str, dict[int, str | None]]]


def read_values(table: str, ids: Sequence[int], wanted: Codes) -> Plan[Values]:
    """Values of all stores, in one query.

    Args:
        table: of the entities; the tables of values are named after it.
    """
    used = {backend_type: codes for backend_type, codes in wanted.items() if codes}
    if not used or not ids:
        return {}
    statement = " UNION ALL ".join(
        f"SELECT entity_id, attribute_id, store_id, CAST(value AS CHAR) FROM {table}_{backend_type}"
        # By entity alone, of which most values are wanted: looking for each pair of entity and attribute
        # took the server half of the time.
        " WHERE entity_id IN %s AND attribute_id + 0 IN %s"
        for backend_type in used
    )
    parameters = [part for codes in used.values() for part in (list(ids), sorted(codes))]
    code_of = {attribute_id: code for codes in used.values() for attribute_id, code in codes.items()}
    values: Values = defaultdict(lambda: defaultdict(dict))
    for entity_id, attribute_id, store_id, value in (yield from ask(statement, *parameters)):
        values[entity_id][code_of[attribute_id]][store_id] = value
    return values


def path_ids(path: str | None) -> tuple[int, ...]:
    """Ids along a category's path; parts that are no number are left out."""
    return tuple(int(part) for part in str(path or "").split("/") if part.isdecimal())
