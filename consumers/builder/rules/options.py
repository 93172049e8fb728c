"""`optionsV2[]`: the options of every kind a product can have, in one list."""

from dataclasses import dataclass, field
from typing import Any

from consumers.builder.rules import bundle, configurable, custom_options, downloadable, grouped
from consumers.builder.rules.bundle import BundleOptionRow
from consumers.builder.rules.configurable import Choices, ChosenOptions, SuperAttributeRow
from consumers.builder.rules.custom_options import CustomOptionRow
from consumers.builder.rules.downloadable import DownloadRow, SampleRow
from consumers.builder.rules.links import LinkRow
from consumers.builder.rules.relatives import Relatives
from consumers.builder.values import StoreView


@dataclass(frozen=True, slots=True)
class OptionRows:
    """One product's options. `variants` are the children linked to a configurable product."""

    custom: tuple[CustomOptionRow, ...] = ()
    downloads: tuple[DownloadRow, ...] = ()
    samples: tuple[SampleRow, ...] = ()
    bundle: tuple[BundleOptionRow, ...] = ()
    super_attributes: tuple[SuperAttributeRow, ...] = ()
    variants: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Choosable:
    """Attribute options a batch's configurable products offer, and which of them products are."""

    choices: Choices = field(default_factory=dict)
    chosen: ChosenOptions = field(default_factory=dict)


def options(
    rows: OptionRows,
    links: tuple[LinkRow, ...],
    product_id: int,
    links_title: str | None,
    choosable: Choosable,
    relatives: Relatives,
    view: StoreView,
) -> list[dict[str, Any]]:
    """Custom options first, then downloadable links, grouped members, bundle and configurable options."""
    return [
        *custom_options.selectable(rows.custom, view),
        *downloadable.links(rows.downloads, product_id, links_title, view),
        *grouped.members(links, product_id, relatives),
        *bundle.options(rows.bundle, relatives, view),
        *configurable.options(
            rows.super_attributes, rows.variants, choosable.chosen, choosable.choices, relatives, view
        ),
    ]
