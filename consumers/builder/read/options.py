"""Custom, downloadable, bundle and configurable options."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TypeVar

from consumers.builder.read.reader import Ids, Plan, Together, ask, by_second, grouped, select
from consumers.builder.rules import configurable
from consumers.builder.rules.bundle import BundleOptionRow, SelectionRow
from consumers.builder.rules.configurable import SuperAttributeRow
from consumers.builder.rules.custom_options import ChoiceRow, CustomOptionRow, Price
from consumers.builder.rules.downloadable import DownloadRow, SampleRow
from consumers.builder.rules.options import Choosable
from runtime.database import Row

T = TypeVar("T")


def read_custom_options(prefix: str, ids: Ids) -> Plan[dict[int, tuple[CustomOptionRow, ...]]]:
    """By product id."""
    table = f"{prefix}catalog_product_option"
    rows = yield from select(
        "SELECT product_id, option_id, type, is_require, sku, max_characters, file_extension,"
        f" image_size_x, image_size_y, sort_order FROM {table} WHERE product_id IN %s",
        ids,
    )
    options = sorted(row[1] for row in rows)
    together = Together()
    titles = together.add(_texts(f"{table}_title", "option_id", "title", options))
    prices = together.add(_prices(f"{table}_price", "option_id", options))
    choices = together.add(_choices(table, options))
    yield from together.done()
    found: dict[int, list[CustomOptionRow]] = defaultdict(list)
    for product_id, option_id, kind, required, sku, characters, extension, width, height, order in rows:
        found[product_id].append(
            CustomOptionRow(
                option_id,
                kind or "",
                bool(required),
                sku,
                characters,
                extension,
                width,
                height,
                order,
                titles.result.get(option_id, {}),
                prices.result.get(option_id, {}),
                tuple(choices.result.get(option_id, ())),
            )
        )
    return _tuples(found)


def _choices(table: str, options: Ids) -> Plan[dict[int, list[ChoiceRow]]]:
    rows = yield from select(
        f"SELECT option_id, option_type_id, sku, sort_order FROM {table}_type_value WHERE option_id IN %s",
        options,
    )
    ids = sorted(row[1] for row in rows)
    together = Together()
    titles = together.add(_texts(f"{table}_type_title", "option_type_id", "title", ids))
    prices = together.add(_prices(f"{table}_type_price", "option_type_id", ids))
    yield from together.done()
    choices: dict[int, list[ChoiceRow]] = defaultdict(list)
    for option_id, choice_id, sku, sort_order in rows:
        choices[option_id].append(
            ChoiceRow(
                choice_id, sku, sort_order, titles.result.get(choice_id, {}), prices.result.get(choice_id, {})
            )
        )
    return choices


def read_downloads(prefix: str, ids: Ids) -> Plan[dict[int, tuple[DownloadRow, ...]]]:
    """Downloadable links by product id."""
    rows = yield from select(
        "SELECT product_id, link_id, sort_order, number_of_downloads,"
        " COALESCE(sample_url, '') <> '' OR COALESCE(sample_file, '') <> ''"
        f" FROM {prefix}downloadable_link WHERE product_id IN %s",
        ids,
    )
    links = sorted(row[1] for row in rows)
    together = Together()
    titles = together.add(_texts(f"{prefix}downloadable_link_title", "link_id", "title", links))
    price_rows = together.add(
        select(
            f"SELECT link_id, website_id, price FROM {prefix}downloadable_link_price"
            " WHERE link_id IN %s ORDER BY price_id DESC",
            links,
        )
    )
    yield from together.done()
    # Nothing keeps two prices of one website apart: the older one counts.
    prices = by_second(price_rows.result)
    found: dict[int, list[DownloadRow]] = defaultdict(list)
    for product_id, link_id, sort_order, downloads, has_sample in rows:
        found[product_id].append(
            DownloadRow(
                link_id,
                sort_order,
                downloads,
                bool(has_sample),
                titles.result.get(link_id, {}),
                prices.get(link_id, {}),
            )
        )
    return _tuples(found)


def read_samples(prefix: str, ids: Ids) -> Plan[dict[int, tuple[SampleRow, ...]]]:
    """Downloadable samples by product id."""
    table = f"{prefix}downloadable_sample"
    rows = yield from select(
        f"SELECT product_id, sample_id, sort_order FROM {table} WHERE product_id IN %s", ids
    )
    titles = yield from _texts(f"{table}_title", "sample_id", "title", sorted(row[1] for row in rows))
    found: dict[int, list[SampleRow]] = defaultdict(list)
    for product_id, sample_id, sort_order in rows:
        found[product_id].append(SampleRow(sample_id, sort_order, titles.get(sample_id, {})))
    return _tuples(found)


def read_bundle_options(prefix: str, ids: Ids) -> Plan[dict[int, tuple[BundleOptionRow, ...]]]:
    """Bundle options with their selections, by product id."""
    table = f"{prefix}catalog_product_bundle"
    rows = yield from select(
        f"SELECT parent_id, option_id, required, position, type FROM {table}_option WHERE parent_id IN %s",
        ids,
    )
    bundles = sorted({row[0] for row in rows})
    together = Together()
    title_rows = together.add(_titles(table, sorted({row[1] for row in rows}), bundles))
    selections = together.add(_selections(table, bundles))
    yield from together.done()
    titles = by_second(title_rows.result)
    found: dict[int, list[BundleOptionRow]] = defaultdict(list)
    for product_id, option_id, required, position, kind in rows:
        found[product_id].append(
            BundleOptionRow(
                option_id,
                bool(required),
                position,
                kind,
                titles.get(option_id, {}),
                tuple(selections.result.get(option_id, ())),
            )
        )
    return _tuples(found)


def _titles(table: str, options: Ids, bundles: Ids) -> Plan[list[Row]]:
    """(option id, store id, title). No key begins with the bundle: without the options all rows were read."""
    if not options:
        return []
    return (
        yield from ask(
            f"SELECT option_id, store_id, title FROM {table}_option_value"
            " WHERE option_id IN %s AND parent_product_id IN %s",
            list(options),
            list(bundles),
        )
    )


def _selections(table: str, bundles: Ids) -> Plan[dict[int, list[SelectionRow]]]:
    rows = yield from select(
        "SELECT s.option_id, s.selection_id, s.product_id, s.position, s.is_default, s.selection_price_type,"
        " s.selection_price_value, s.selection_qty, s.selection_can_change_qty"
        f" FROM {table}_option o JOIN {table}_selection s ON s.option_id = o.option_id"
        " WHERE o.parent_id IN %s",
        bundles,
    )
    prices = grouped(
        (
            yield from select(
                "SELECT selection_id, website_id, selection_price_type, selection_price_value"
                f" FROM {table}_selection_price WHERE selection_id IN %s",
                sorted(row[1] for row in rows),
            )
        )
    )
    selections: dict[int, list[SelectionRow]] = defaultdict(list)
    for option_id, selection_id, product_id, position, is_default, kind, price, qty, can_change in rows:
        website_prices = {website: (type_, value) for website, type_, value in prices.get(selection_id, ())}
        selections[option_id].append(
            SelectionRow(
                selection_id,
                product_id,
                position,
                bool(is_default),
                kind,
                price,
                qty,
                bool(can_change),
                website_prices,
            )
        )
    return selections


def read_variants(prefix: str, ids: Ids) -> Plan[dict[int, tuple[int, ...]]]:
    """Children linked to these configurable products, by parent id, in ascending order."""
    rows = yield from select(
        f"SELECT parent_id, product_id FROM {prefix}catalog_product_super_link WHERE parent_id IN %s",
        ids,
    )
    return {parent: tuple(sorted(n for (n,) in children)) for parent, children in grouped(rows).items()}


def read_super_attributes(prefix: str, ids: Ids) -> Plan[dict[int, tuple[SuperAttributeRow, ...]]]:
    """What is to choose at configurable products, by product id."""
    table = f"{prefix}catalog_product_super_attribute"
    together = Together()
    rows = together.add(
        select(
            "SELECT s.product_id, s.attribute_id, a.attribute_code, s.position, a.frontend_label,"
            f" c.additional_data FROM {table} s"
            f" JOIN {prefix}eav_attribute a ON a.attribute_id = s.attribute_id"
            f" LEFT JOIN {prefix}catalog_eav_attribute c ON c.attribute_id = s.attribute_id"
            " WHERE s.product_id IN %s",
            ids,
        )
    )
    label_rows = together.add(
        select(
            f"SELECT attribute_id, store_id, value FROM {prefix}eav_attribute_label WHERE attribute_id IN"
            f" (SELECT attribute_id FROM {table} WHERE product_id IN %s) ORDER BY attribute_label_id",
            ids,
        )
    )
    yield from together.done()
    labels = by_second(label_rows.result)
    found: dict[int, list[SuperAttributeRow]] = defaultdict(list)
    for product_id, attribute_id, code, position, label, additional_data in rows.result:
        found[product_id].append(
            SuperAttributeRow(
                attribute_id, code, position, label, additional_data, labels.get(attribute_id, {})
            )
        )
    return _tuples(found)


def read_choosable(prefix: str, products: Ids, attributes: Ids) -> Plan[Choosable]:
    """Which options of these attributes the products are, and what the options say of themselves."""
    if not products or not attributes:
        return Choosable()
    chosen = by_second(
        (
            yield from ask(
                f"SELECT entity_id, attribute_id, value FROM {prefix}catalog_product_entity_int"
                " WHERE store_id = 0 AND value IS NOT NULL AND entity_id IN %s AND attribute_id IN %s",
                list(products),
                list(attributes),
            )
        )
    )
    options = sorted({option for of_product in chosen.values() for option in of_product.values()})
    table = f"{prefix}eav_attribute_option"
    together = Together()
    rows = together.add(select(f"SELECT option_id, sort_order FROM {table} WHERE option_id IN %s", options))
    label_rows = together.add(
        select(
            f"SELECT option_id, store_id, value FROM {table}_value WHERE option_id IN %s ORDER BY value_id",
            options,
        )
    )
    swatch_rows = together.add(
        select(f"SELECT option_id, store_id, type, value FROM {table}_swatch WHERE option_id IN %s", options)
    )
    yield from together.done()
    labels, swatches = by_second(label_rows.result), grouped(swatch_rows.result)
    choices = {
        option_id: configurable.ChoiceRow(
            option_id,
            sort_order,
            labels.get(option_id, {}),
            {store_id: (kind, value) for store_id, kind, value in swatches.get(option_id, ())},
        )
        for option_id, sort_order in rows.result
    }
    return Choosable(choices, chosen)


def _texts(table: str, key: str, column: str, ids: Ids) -> Plan[dict[int, dict[int, str | None]]]:
    """A text by store id by `key`."""
    rows = yield from select(f"SELECT {key}, store_id, {column} FROM {table} WHERE {key} IN %s", ids)
    return by_second(rows)


def _prices(table: str, key: str, ids: Ids) -> Plan[dict[int, dict[int, Price]]]:
    """(amount, kind) by store id by `key`."""
    rows = yield from select(f"SELECT {key}, store_id, price, price_type FROM {table} WHERE {key} IN %s", ids)
    return by_second((name, store_id, (price, kind)) for name, store_id, price, kind in rows)


def _tuples(found: Mapping[int, Iterable[T]]) -> dict[int, tuple[T, ...]]:
    return {product_id: tuple(rows) for product_id, rows in found.items()}
