"""A published description as JSON Schema: bodies and answers, with OpenAPI 3.0's own words translated."""

from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).parents[2].parent / "shared" / "contracts"
OPTIMIZER = FOLDER / "ingestion-openapi.yaml"
SAAS = FOLDER / "saas-feed-ingestion-openapi.yaml"
with_openapi = pytest.mark.skipif(not FOLDER.is_dir(), reason="the published contracts are not here")
_INT32 = {"minimum": -(2**31), "maximum": 2**31 - 1}
_METHODS = ("post", "patch")


@cache
def described(file: Path) -> dict[str, Any]:
    """A whole description, translated."""
    result: dict[str, Any] = translated(yaml.safe_load(file.read_text(encoding="utf-8")))
    return result


@cache
def optimizer() -> dict[str, Any]:
    """The Catalog Data Ingestion API; where its prose and Adobe's own clients differ, they are right."""
    result = deepcopy(described(OPTIMIZER))
    schemas = result["components"]["schemas"]
    # Adobe's own connector sends it.
    for name in ("FeedProductMetadata", "FeedProductMetadataUpdate"):
        schemas[name]["properties"]["dataType"]["enum"].append("OBJECT")
    # A parent on a base book is ignored, a book without a currency has USD, an update carries the name alone.
    base, child = schemas["PriceBookBase"], schemas["PriceBookChild"]
    members = {**base["properties"], **child["properties"]}
    schemas["FeedPricebook"] = {"type": "object", "required": ["priceBookId"], "properties": members}
    return result


def translated(value: Any) -> Any:
    """`nullable`, and numbers that a format bounds, in words that JSON Schema has."""
    if isinstance(value, list):
        return [translated(element) for element in value]
    if not isinstance(value, dict):
        return value
    result = {name: translated(member) for name, member in value.items() if name != "nullable"}
    if value.get("format") == "int32":
        result = _INT32 | result
    if value.get("nullable") is True:
        result["type"] = [value["type"], "null"]
    return result


def operations(of: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(METHOD, path) of everything that is described."""
    for path, methods in of["paths"].items():
        yield from ((method.upper(), path) for method in methods if method in _METHODS)


def body_schema(of: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    """The schema of a request's body: an array of items."""
    content = of["paths"][path][method.lower()]["requestBody"]["content"]
    return _whole(of, content["application/json"]["schema"])


def answer_schema(of: dict[str, Any], method: str, path: str, status: int) -> tuple[str, dict[str, Any]]:
    """Media type and schema of an answer.

    Raises:
        KeyError: nothing is published of this status.
    """
    answer = of["paths"][path][method.lower()]["responses"][str(status)]
    if "$ref" in answer:
        answer = of["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    ((media_type, content),) = answer["content"].items()
    return media_type, _whole(of, content["schema"])


def every_member(schema: Any) -> Any:
    """The same, with all described members of objects required: an answer leaves out none."""
    if isinstance(schema, list):
        return [every_member(element) for element in schema]
    if not isinstance(schema, dict):
        return schema
    result = {name: every_member(member) for name, member in schema.items()}
    if isinstance(schema.get("properties"), dict):
        result["required"] = list(schema["properties"])
    return result


def _whole(of: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """References lead into the components."""
    return {**schema, "components": {"schemas": of["components"]["schemas"]}}
