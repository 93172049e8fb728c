"""The published description of the SaaS feed ingestion service, and what we correct in it."""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.services.saas import DATE_TIME, RFC_3339

FILE = Path(__file__).parents[2].parent / "shared" / "contracts" / "saas-feed-ingestion-openapi.yaml"
with_contract = pytest.mark.skipif(not FILE.is_file(), reason="the published contract is not here")
TEXT_DATE = "yyyy-MM-dd HH:mm:ss"


def published() -> dict[str, Any]:
    description: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return description


def examples(description: dict[str, Any], path: str) -> Iterator[dict[str, Any]]:
    for example in _content(description, path).get("examples", {}).values():
        yield from example["value"]


def request_schema(description: dict[str, Any], path: str) -> dict[str, Any]:
    """The schema of a route's body, as published."""
    return {**_content(description, path)["schema"], "components": description["components"]}


def corrected(description: dict[str, Any]) -> dict[str, Any]:
    """The description without its contradictions: each correction is what its examples or its prose say."""
    description = deepcopy(description)
    schemas = description["components"]["schemas"]
    # Examples leave these out.
    _not_required(schemas["FeedCategory"], "urlPath", "deleted")
    _not_required(schemas["FeedMetadata"], "modifiedAt", "deleted")
    _not_required(schemas["FeedProduct"], "deleted")
    # It has a default.
    _not_required(schemas["ProductPriceAggregate"], "deleted")
    # Required, but no member of the schema and missing in the example.
    _not_required(schemas["FeedProductVariantNew"], "websiteCode")
    # A text, and a number in the example.
    schemas["FeedProductOverride"]["properties"]["productId"] = {"type": ["string", "integer"]}
    # 0 and 1 stand for no and yes in examples.
    for name in ("isActive", "isAnchor", "includeInMenu"):
        schemas["FeedCategory"]["properties"][name] = {"enum": [True, False, 0, 1]}
    # A text, whose values are listed as numbers.
    schemas["FeedProduct"]["properties"]["weightType"] = {"enum": ["0", "1"]}
    # An integer, and a text of digits in the examples.
    numeral = {"anyOf": [{"type": "integer", "format": "int32"}, {"type": "string", "pattern": r"^-?\d+$"}]}
    schemas["FeedProductItemImage"]["properties"]["sortOrder"] = numeral
    # An object, and a number in every example.
    price = schemas["ProductPriceAggregate"]["properties"]
    price["regular"] = {
        "anyOf": [
            {"type": "number"},
            {"type": "object", "required": ["value"], "properties": {"value": {"type": "number"}}},
        ]
    }
    # Names a part of the key, so it is a text; no type is given.
    price["customerGroupCode"] = {"type": "string"}
    # Exactly one of two shapes, of which each allows all the other has; codes are objects, texts in examples.
    price["discounts"]["items"] = {
        "anyOf": [
            {
                "type": "object",
                "required": ["code", worth],
                "properties": {"code": {"type": "string"}, worth: {"type": "number"}},
            }
            for worth in ("price", "percentage")
        ]
    }
    for name, member in (
        ("WebsiteScopeFeedItem", "website"),
        ("CustomerGroupScopeFeedItem", "customerGroup"),
    ):
        schemas[name]["required"] = [member]
        schemas[name]["properties"][member]["required"] = [f"{member}Code"]
    scopes = _content(description, "/scopes/v2")["schema"]["items"]
    scopes["anyOf"] = scopes.pop("oneOf")
    _dates(schemas)
    for name, schema in schemas.items():
        if not name.startswith("Discounts"):
            _nullable(schema)
    return description


def _content(description: dict[str, Any], path: str) -> dict[str, Any]:
    operation = description["paths"][f"{path}/{{DATA_SPACE_ID}}"]["post"]
    content: dict[str, Any] = operation["requestBody"]["content"]["application/json"]
    return content


def _not_required(schema: dict[str, Any], *members: str) -> None:
    schema["required"] = [name for name in schema["required"] if name not in members]


def _dates(schemas: dict[str, Any]) -> None:
    """Formats named beside a member hold."""
    for schema in schemas.values():
        for member in schema.get("properties", {}).values():
            description = f"{member.get('format', '')} {member.get('description', '')}"
            if TEXT_DATE in description:
                member.update(DATE_TIME)
            elif "RFC 3339" in description:
                member.update(RFC_3339)


def _nullable(schema: dict[str, Any]) -> None:
    """Examples give null for members that are not required."""
    if "items" in schema:
        _nullable(schema["items"])
    for name, member in schema.get("properties", {}).items():
        _nullable(member)
        if name not in schema.get("required", ()):
            schema["properties"][name] = {"anyOf": [member, {"type": "null"}]}
