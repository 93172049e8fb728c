"""A resync of a few named entities: they go at once, and are sent though nothing of them changed."""

from collections.abc import Sequence
from typing import Final

import msgspec

from commerce_sync.run.request import entities_of
from runtime.database import Database
from runtime.errors import Unreachable, UsageError
from runtime.kafka import producer
from runtime.settings import Settings
from schemas.entities import partitions_of
from schemas.keys import partition_for
from schemas.records import Dirty, Lane
from schemas.topics import TopicNames

# Somebody waits for a few; more are bulk work like any other resync.
LIVE_MAX: Final = 500

# Parameters: the ids as they were given. Rows: (as it could be given, key).
_BY_SKU: Final = "SELECT sku, sku FROM {p}catalog_product_entity WHERE sku IN %s"
_BY_PRODUCT_ID: Final = "SELECT entity_id, sku FROM {p}catalog_product_entity WHERE entity_id IN %s"
_BY_CATEGORY_ID: Final = "SELECT entity_id, entity_id FROM {p}catalog_category_entity WHERE entity_id IN %s"
_BY_ATTRIBUTE: Final = (
    "SELECT {column}, a.attribute_id FROM {{p}}eav_attribute a"
    " JOIN {{p}}eav_entity_type t ON t.entity_type_id = a.entity_type_id"
    " WHERE t.entity_type_code = 'catalog_product' AND {column} IN %s"
)


def keys_of(settings: Settings, feeds: Sequence[str], ids: Sequence[str], id_type: str) -> list[str]:
    """The entities that ids name.

    A SKU needs no row: what is left of a product that is gone is then deleted. Of a SKU in another
    spelling both are built.

    Args:
        id_type: what the ids of products are, "sku" or "productId"; categories go by id, attributes by id
            or code.

    Raises:
        UsageError: the feeds are of several kinds of entity or of scopes, or an id has no row.
        Unreachable, Transient: the database cannot be read.
    """
    entity = _entity(feeds)
    with Database(settings.commerce.read_address) as database:
        found: dict[str, str] = {}
        for statement, wanted in _questions(entity, ids, id_type):
            rows = database.query(statement.format(p=settings.commerce.table_prefix), (list(wanted),))
            found |= {str(given): str(key) for given, key in rows}
    if entity == "product" and id_type == "sku":
        return list(dict.fromkeys([*ids, *found.values()]))
    missing = [given for given in ids if given not in found]
    if missing:
        mend = "; name a product that is gone by its SKU" if entity == "product" else ""
        message = f"--by-ids {missing[0]}: no {entity} has this id{mend}"
        raise UsageError(message)
    return list(dict.fromkeys(found[given] for given in ids))


def request(settings: Settings, feeds: Sequence[str], keys: Sequence[str]) -> None:
    """Make the entities dirty, so that all their items of the feeds are sent.

    Raises:
        Unreachable: the broker does not take it.
    """
    names = TopicNames(settings.kafka.topic_prefix)
    entity = _entity(feeds)
    lane: Lane = "live" if len(keys) <= LIVE_MAX else "bulk"
    partitions = partitions_of(entity, settings.kafka.partitions)
    value = msgspec.json.encode(Dirty("resync:by-ids", always=True, afresh=tuple(feeds)))
    client = producer(settings.kafka, names.group("request"))
    for key in keys:
        encoded = key.encode()
        client.produce(
            names.dirty(entity, lane), value, encoded, partition=partition_for(encoded, partitions)
        )
        client.poll(0)
    if client.flush(20):
        message = f"kafka.bootstrap_servers = {settings.kafka.bootstrap_servers}: the command was not taken"
        raise Unreachable(message)


def _entity(feeds: Sequence[str]) -> str:
    entities = entities_of(feeds)
    if len(entities) > 1:
        message = (
            f"--by-ids names entities of one kind, and --feed {','.join(feeds)} is of several "
            f"({', '.join(entities)}): give the feeds of one"
        )
        raise UsageError(message)
    if entities == ["scope"]:
        message = f"--by-ids is not for --feed {feeds[0]}: websites and customer groups are few, leave it out"
        raise UsageError(message)
    return entities[0]


def _questions(entity: str, ids: Sequence[str], id_type: str) -> list[tuple[str, list[str]]]:
    """Statements with the ids each is asked for: a text is never compared with a column of numbers."""
    numbers = [given for given in ids if given.isascii() and given.isdigit()]
    others = [given for given in ids if given not in numbers]
    if entity == "product":
        asked = [(_BY_SKU, list(ids))] if id_type == "sku" else [(_BY_PRODUCT_ID, numbers)]
    elif entity == "category":
        asked = [(_BY_CATEGORY_ID, numbers)]
    else:
        asked = [
            (_BY_ATTRIBUTE.format(column="a.attribute_id"), numbers),
            (_BY_ATTRIBUTE.format(column="a.attribute_code"), others),
        ]
    return [(statement, wanted) for statement, wanted in asked if wanted]
