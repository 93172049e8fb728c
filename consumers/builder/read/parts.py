"""Everything the parts of a batch of products are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from consumers.builder.read import options as read_options
from consumers.builder.read.links import read_links
from consumers.builder.read.reader import Plan, Together
from consumers.builder.read.relatives import read_relations, read_relatives
from consumers.builder.read.stock import read_inventory
from consumers.builder.read.urls import read_rewrites
from consumers.builder.read.videos import read_videos
from consumers.builder.rules.configurable import SuperAttributeRow
from consumers.builder.rules.options import Choosable, OptionRows
from consumers.builder.rules.parts import ProductParts, SharedParts, related_ids
from consumers.builder.values import Attribute

SuperAttributes = dict[int, tuple[SuperAttributeRow, ...]]


def read_parts(
    prefix: str,
    types: Mapping[int, str],
    sets: Mapping[int, tuple[int, str | None]],
    attributes: Mapping[int, Attribute],
    settings: Mapping[str, str],
    tax_classes: Mapping[int, str],
    *,
    multi_source: bool,
) -> Plan[tuple[dict[int, ProductParts], SharedParts]]:
    """Parts by product id, and what they share.

    Args:
        types: type_id of each product of the batch, by product id.
        sets: (id, name) of their attribute sets, by product id.
        settings: configuration of the default scope, by path.
        tax_classes: names, by id.
        multi_source: whether multi-source inventory is installed.
    """
    ids = sorted(types)

    def of_type(kind: str) -> list[int]:
        return [product_id for product_id in ids if types[product_id] == kind]

    own = Together()
    relations = own.add(read_relations(prefix, ids))
    links = own.add(read_links(prefix, ids))
    rewrites = own.add(read_rewrites(prefix, ids))
    videos = own.add(read_videos(prefix, ids))
    custom = own.add(read_options.read_custom_options(prefix, ids))
    downloads = own.add(read_options.read_downloads(prefix, of_type("downloadable")))
    samples = own.add(read_options.read_samples(prefix, of_type("downloadable")))
    bundles = own.add(read_options.read_bundle_options(prefix, of_type("bundle")))
    variants = own.add(read_options.read_variants(prefix, of_type("configurable")))
    yield from own.done()
    parents, children, configurables = relations.result
    parts = {
        product_id: ProductParts(
            sets.get(product_id),
            parents.get(product_id, ()),
            children.get(product_id, ()),
            links.result.get(product_id, ()),
            OptionRows(
                custom.result.get(product_id, ()),
                downloads.result.get(product_id, ()),
                samples.result.get(product_id, ()),
                bundles.result.get(product_id, ()),
                (),
                variants.result.get(product_id, ()),
            ),
            rewrites.result.get(product_id, ()),
            videos.result.get(product_id, {}),
            configurables.get(product_id, ()),
        )
        for product_id in ids
    }
    related = sorted({other for of_product in parts.values() for other in related_ids(of_product)})
    above = (*parents.values(), *configurables.values())
    choosing = {*of_type("configurable"), *(n for of_product in above for n in of_product)}
    choosers = {*ids, *(child for of_product in variants.result.values() for child in of_product)}

    others = Together()
    relatives = others.add(read_relatives(prefix, related, attributes))
    inventory = others.add(
        read_inventory(prefix, sorted({*ids, *related}), settings, multi_source=multi_source)
    )
    choices = others.add(_choices(prefix, sorted(choosing), sorted(choosers)))
    yield from others.done()
    super_attributes, choosable = choices.result
    for product_id in of_type("configurable"):
        options = replace(parts[product_id].options, super_attributes=super_attributes.get(product_id, ()))
        parts[product_id] = replace(parts[product_id], options=options)
    return parts, SharedParts(relatives.result, inventory.result, choosable, tax_classes, super_attributes)


def _choices(
    prefix: str, choosing: Sequence[int], choosers: Sequence[int]
) -> Plan[tuple[SuperAttributes, Choosable]]:
    """What is to choose at `choosing`, and what `choosers` are of it."""
    super_attributes = yield from read_options.read_super_attributes(prefix, choosing)
    attribute_ids = sorted({row.attribute_id for rows in super_attributes.values() for row in rows})
    choosable = yield from read_options.read_choosable(prefix, choosers, attribute_ids)
    return super_attributes, choosable
