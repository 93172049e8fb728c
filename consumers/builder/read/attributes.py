"""Product attributes with all that is said of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from consumers.builder.feeds.product_attributes import FLAGS, AttributeRows
from consumers.builder.read.reader import Plan, Together, by_second, select
from consumers.builder.read.store_views import read_store_views
from consumers.builder.values import StoreView


@dataclass(frozen=True, slots=True)
class AttributeBatch:
    """Product attributes by id; ids of other attributes, and of none, are absent."""

    attributes: Mapping[int, AttributeRows]
    store_views: Sequence[StoreView]


def read_attributes(
    prefix: str, ids: Sequence[int], overrides: Mapping[str, str], media_base_url: str
) -> Plan[AttributeBatch]:
    """What the items of these attributes are made of, in one round trip."""
    flags = list(FLAGS.values())
    together = Together()
    views = together.add(read_store_views(prefix, overrides, media_base_url))
    found = together.add(
        select(
            "SELECT a.attribute_id, a.attribute_code, a.backend_type, a.frontend_input, a.frontend_label,"
            f" a.frontend_class, c.search_weight, {', '.join(flags)}"
            f" FROM {prefix}eav_attribute a JOIN {prefix}catalog_eav_attribute c"
            " ON c.attribute_id = a.attribute_id"
            f" JOIN {prefix}eav_entity_type t ON t.entity_type_id = a.entity_type_id"
            " WHERE t.entity_type_code = 'catalog_product' AND a.attribute_id IN %s",
            ids,
        )
    )
    labels = together.add(
        select(
            f"SELECT attribute_id, store_id, value FROM {prefix}eav_attribute_label"
            # No key forbids two labels for one store; the later one counts.
            " WHERE attribute_id IN %s ORDER BY attribute_label_id",
            ids,
        )
    )
    yield from together.done()
    by_attribute = by_second(labels.result)
    attributes = {
        attribute_id: AttributeRows(
            attribute_id,
            code,
            backend_type,
            frontend_input,
            label,
            rule,
            dict(zip(flags, values, strict=True)),
            weight,
            by_attribute.get(attribute_id, {}),
        )
        for attribute_id, code, backend_type, frontend_input, label, rule, weight, *values in found.result
    }
    return AttributeBatch(attributes, views.result)
