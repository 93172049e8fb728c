"""Everything the parts of a batch of products are made of."""

from collections.abc import Mapping, Sequence

from consumers.builder.read import options as read_options
from consumers.builder.read.links import read_links
from consumers.builder.read.names import read_attribute_sets, read_tax_classes
from consumers.builder.read.reader import Reader
from consumers.builder.read.relatives import read_relations, read_relatives
from consumers.builder.read.stock import read_inventory
from consumers.builder.read.urls import read_rewrites
from consumers.builder.read.videos import read_videos
from consumers.builder.rules.configurable import SuperAttributeRow
from consumers.builder.rules.options import OptionRows
from consumers.builder.rules.parts import ProductParts, SharedParts, related_ids
from consumers.builder.values import Attribute, GalleryRow

SuperAttributes = Mapping[int, tuple[SuperAttributeRow, ...]]


def read_parts(
    reader: Reader,
    prefix: str,
    types: Mapping[int, str],
    gallery: Mapping[int, Sequence[GalleryRow]],
    attributes: Mapping[int, Attribute],
    settings: Mapping[str, str],
) -> tuple[dict[int, ProductParts], SharedParts]:
    """Parts by product id, and what they share.

    Args:
        types: type_id of each product of the batch, by product id.
        gallery: their pictures, by product id.
        settings: configuration of the default scope, by path.
    """
    ids = sorted(types)
    parents, children = read_relations(reader, prefix, ids)
    links = read_links(reader, prefix, ids)
    rewrites = read_rewrites(reader, prefix, ids)
    sets = read_attribute_sets(reader, prefix, ids)
    videos = read_videos(reader, prefix, sorted({row.value_id for rows in gallery.values() for row in rows}))
    all_parents = {parent for of_product in parents.values() for parent in of_product}
    super_attributes = read_options.read_super_attributes(reader, prefix, sorted({*ids, *all_parents}))
    options = _options(reader, prefix, types, super_attributes)
    parts = {
        product_id: ProductParts(
            sets.get(product_id),
            parents.get(product_id, ()),
            children.get(product_id, ()),
            links.get(product_id, ()),
            options[product_id],
            rewrites.get(product_id, ()),
            {row.value_id: videos.get(row.value_id, {}) for row in gallery.get(product_id, ())},
        )
        for product_id in ids
    }
    related = sorted({other for of_product in parts.values() for other in related_ids(of_product)})
    choosers = sorted({*ids, *(child for rows in options.values() for child in rows.variants)})
    attribute_ids = sorted({row.attribute_id for rows in super_attributes.values() for row in rows})
    shared = SharedParts(
        read_relatives(reader, prefix, related, attributes),
        read_inventory(reader, prefix, sorted({*ids, *related}), settings),
        read_options.read_choosable(reader, prefix, choosers, attribute_ids),
        read_tax_classes(reader, prefix),
        super_attributes,
    )
    return parts, shared


def _options(
    reader: Reader, prefix: str, types: Mapping[int, str], super_attributes: SuperAttributes
) -> dict[int, OptionRows]:
    """Options of every kind, by product id; those of a type only for products that are of it."""

    def of_type(kind: str) -> list[int]:
        return sorted(product_id for product_id, type_id in types.items() if type_id == kind)

    custom = read_options.read_custom_options(reader, prefix, sorted(types))
    downloads = read_options.read_downloads(reader, prefix, of_type("downloadable"))
    samples = read_options.read_samples(reader, prefix, of_type("downloadable"))
    bundles = read_options.read_bundle_options(reader, prefix, of_type("bundle"))
    variants = read_options.read_variants(reader, prefix, of_type("configurable"))
    return {
        product_id: OptionRows(
            custom.get(product_id, ()),
            downloads.get(product_id, ()),
            samples.get(product_id, ()),
            bundles.get(product_id, ()),
            super_attributes.get(product_id, ()) if type_id == "configurable" else (),
            variants.get(product_id, ()),
        )
        for product_id, type_id in types.items()
    }
