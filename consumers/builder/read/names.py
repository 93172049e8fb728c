"""Names that items show instead of ids: tax classes and attribute sets."""

from consumers.builder.read.reader import Ids, Reader, select


def read_tax_classes(reader: Reader, prefix: str) -> dict[int, str]:
    """All of them, by id: there are a few."""
    return dict(reader.query(f"SELECT class_id, class_name FROM {prefix}tax_class"))


def read_attribute_sets(reader: Reader, prefix: str, ids: Ids) -> dict[int, tuple[int, str]]:
    """(set id, set name) of each product, by product id."""
    rows = select(
        reader,
        "SELECT p.entity_id, s.attribute_set_id, s.attribute_set_name"
        f" FROM {prefix}catalog_product_entity p"
        f" JOIN {prefix}eav_attribute_set s ON s.attribute_set_id = p.attribute_set_id"
        " WHERE p.entity_id IN %s",
        ids,
    )
    return {product_id: (set_id, name) for product_id, set_id, name in rows if name is not None}
