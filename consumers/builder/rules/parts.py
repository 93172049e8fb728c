"""All parts of one product together: their rows, the members they make, and what they depend on."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from consumers.builder.rules import configurable, custom_options, downloadable, extras, media, urls
from consumers.builder.rules.configurable import SuperAttributeRow
from consumers.builder.rules.links import LinkRow, links
from consumers.builder.rules.options import Choosable, OptionRows, options
from consumers.builder.rules.relatives import (
    COMPOSITE_TYPES,
    Relative,
    Relatives,
    has_enabled_children,
    parents,
)
from consumers.builder.rules.stock import Inventory, StockProduct, stock_members
from consumers.builder.values import GalleryRow, StoreValues, StoreView


@dataclass(frozen=True, slots=True)
class ProductParts:
    """Rows of one product's parts. `attribute_set` is its id and name; videos are by gallery value id.

    `configurables` are the products that it is linked to as a variant.
    """

    attribute_set: tuple[int, str | None] | None = None
    parents: tuple[int, ...] = ()
    children: tuple[int, ...] = ()
    links: tuple[LinkRow, ...] = ()
    options: OptionRows = field(default_factory=OptionRows)
    rewrites: tuple[urls.RewriteRow, ...] = ()
    videos: media.Videos = field(default_factory=dict)
    configurables: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SharedParts:
    """What the parts of all products of a batch share. Super attributes are by configurable product id."""

    relatives: Relatives = field(default_factory=dict)
    inventory: Inventory = field(default_factory=Inventory)
    choosable: Choosable = field(default_factory=Choosable)
    tax_classes: Mapping[int, str] = field(default_factory=dict)
    super_attributes: Mapping[int, tuple[SuperAttributeRow, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Core:
    """What the parts need to know of the product itself; `value` answers in the store view."""

    product_id: int
    type_id: str
    enabled: bool
    statuses: StoreValues
    gallery: tuple[GalleryRow, ...]
    value: Callable[[str], str | None]


def members(core: Core, parts: ProductParts, shared: SharedParts, view: StoreView) -> dict[str, Any]:
    """The item's members that are made of parts; not those appended to `attributes[]`."""
    product = stock_product(core.product_id, core.type_id, core.statuses, parts, shared)
    stock = stock_members(product, shared.relatives, shared.inventory, view)
    values = {code: core.value(code) for code in extras.CODES}
    files = {role: core.value(role) for role in media.ROLES}
    composite = core.type_id in COMPOSITE_TYPES
    return {
        **extras.members(core.product_id, values, shared.tax_classes, view),
        **stock,
        "buyable": core.enabled and stock["inStock"],
        "hasEnabledChildren": (
            has_enabled_children(parts.children, shared.relatives, view) if composite else None
        ),
        "url": urls.url(parts.rewrites, core.product_id, core.value("url_key"), view),
        "urlRewrites": urls.url_rewrites(parts.rewrites, view),
        "links": links(parts.links, shared.relatives, view),
        "parents": parents(parts.parents, shared.relatives, view),
        "optionsV2": _options(core, parts, shared, view),
        "shopperInputOptions": custom_options.entered(parts.options.custom, view),
        "samples": downloadable.samples(parts.options.samples, view),
        "videos": media.videos(core.gallery, parts.videos, files, view),
    }


def appended_attributes(
    core: Core, parts: ProductParts, shared: SharedParts, view: StoreView
) -> list[dict[str, Any]]:
    """Attributes that no EAV row holds."""
    tax_class = extras.tax_class({"tax_class_id": core.value("tax_class_id")}, shared.tax_classes)
    attribute_set = parts.attribute_set[1] if parts.attribute_set else None
    item = shared.inventory.items.get(core.product_id)
    found = extras.attributes(tax_class, attribute_set, item, shared.inventory)
    if core.type_id != downloadable.KIND:
        return found
    download_options = downloadable.links(parts.options.downloads, core.product_id, None, view)
    samples = downloadable.samples(parts.options.samples, view)
    separately = core.value("links_purchased_separately") == "1"
    return [*found, downloadable.attribute(download_options, samples, separately)]


def variant_references(
    core: Core, parts: ProductParts, shared: SharedParts, view: StoreView
) -> dict[str, str]:
    """Attribute code -> the parent's option value that this product is; empty unless it is a variant."""
    return configurable.variant_references(
        [(parent_id, shared.super_attributes.get(parent_id, ())) for parent_id in parts.parents],
        core.product_id,
        shared.choosable.chosen,
        shared.relatives,
        view,
    )


def refs(
    parts: ProductParts, shared: SharedParts, gallery: tuple[GalleryRow, ...], tax_class_ids: set[str]
) -> Iterator[str]:
    """Names of the rows that can change the item without naming the product. May repeat."""
    yield from (f"product:{relative}" for relative in related_ids(parts))
    yield from (f"media:{picture.value_id}" for picture in gallery)
    yield from (f"tax_class:{class_id}" for class_id in tax_class_ids)
    if parts.attribute_set:
        yield f"attribute_set:{parts.attribute_set[0]}"
    for row in parts.options.super_attributes:
        yield f"attribute:{row.attribute_id}"
        for variant in parts.options.variants:
            option = shared.choosable.chosen.get(variant, {}).get(row.attribute_id)
            if option is not None:
                yield f"option:{option}"


def related_ids(parts: ProductParts) -> set[int]:
    """Ids of all other products the parts speak of."""
    return {
        *parts.parents,
        *parts.children,
        *parts.configurables,
        *parts.options.variants,
        *(link.linked_product_id for link in parts.links),
        *(selection.product_id for option in parts.options.bundle for selection in option.selections),
    }


def _options(core: Core, parts: ProductParts, shared: SharedParts, view: StoreView) -> list[dict[str, Any]]:
    return options(
        parts.options,
        parts.links,
        core.product_id,
        core.value("links_title"),
        shared.choosable,
        shared.relatives,
        view,
    )


def stock_product(
    product_id: int, type_id: str, statuses: StoreValues, parts: ProductParts, shared: SharedParts
) -> StockProduct:
    """The product and what its stock is made of."""
    ids = parts.options.variants if type_id == "configurable" else _group(parts)
    found: list[Relative] = [shared.relatives[n] for n in ids if n in shared.relatives]
    return StockProduct(product_id, type_id, statuses, tuple(found), parts.options.bundle)


def _group(parts: ProductParts) -> tuple[int, ...]:
    return tuple(link.linked_product_id for link in parts.links if link.is_grouped)
