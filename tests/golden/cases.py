"""The cases on disk: NAME.sql fills an empty database, NAME.json is what must come of it, by hand.

A case's JSON object has these members, of which only the first two are always there:
    rule      what the case shows, in one sentence.
    items     every feed item, by SKU and store view code. A member left out is that of a plain product
              (PARTS), else its schema's default.
    asked     the SKUs asked for, where it is not all there are.
    parked    the reasons of products that cannot be built, by SKU.
    shadowed  [entity id, SKU] of rows whose SKU a lower id has.
    payloads  what is sent of the items, in their order; text in place of a payload is why it is not sent.
    settings  configuration that overrides core_config_data, and media_base_url.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
PRODUCTS = FOLDER / "products"


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


def read_case(name: str) -> Case:
    return Case(**json.loads((PRODUCTS / f"{name}.json").read_text(encoding="utf-8")))


def statements(file: Path) -> list[str]:
    """The statements of a file; each ends with a semicolon at the end of a line."""
    return [text for part in file.read_text(encoding="utf-8").split(";\n") if (text := part.strip())]
