"""The cases on disk: FEED/NAME.sql fills an empty database, FEED/NAME.json is what must come of it, by hand.

A case's JSON object has these members, of which only the first two are always there:
    rule      what the case shows, in one sentence.
    items     every item of the feed, by entity and then in the feed's order. A member left out is its
              schema's default; in `products` first that of a plain product (PARTS).
    asked     the SKUs asked for, where it is not all there are.
    parked    the reasons of products that cannot be built, by SKU; of prices by "SKU on WEBSITE".
    shadowed  [entity id, SKU] of rows whose SKU a lower id has.
    payloads  what is sent of the items, in their order; text in place of a payload is why it is not sent.
    settings  configuration that overrides core_config_data, and media_base_url.
    now       the database's time in UTC, where it is not that of base.sql.
    due       by SKU: when the items change next without a row being written, in UTC.
    refs      by SKU: the names of the rows the items depend on, where the case shows them.
"""

import json
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Case:
    """One NAME.json; an unknown member is an error."""

    rule: str
    items: list[dict[str, Any]]
    asked: list[str] | None = None
    parked: dict[str, str] = field(default_factory=dict)
    shadowed: list[list[Any]] = field(default_factory=list)
    payloads: list[dict[str, Any] | str] | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    now: str = "2024-01-15 00:00:00"
    due: dict[str, str] = field(default_factory=dict)
    refs: dict[str, list[str]] | None = None


def names(feed: str) -> list[str]:
    """The cases of a feed."""
    return sorted({file.stem for file in (FOLDER / feed).iterdir()})


def read_case(feed: str, name: str) -> Case:
    """Numbers with a fraction are read digit for digit."""
    text = (FOLDER / feed / f"{name}.json").read_text(encoding="utf-8")
    return Case(**json.loads(text, parse_float=Decimal))


def statements(file: Path) -> list[str]:
    """The statements of a file; each ends with a semicolon at the end of a line."""
    return [text for part in file.read_text(encoding="utf-8").split(";\n") if (text := part.strip())]
