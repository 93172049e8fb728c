"""Values that a JSON Schema allows, drawn at random; the words of it that the services' descriptions use."""

from typing import Any

from hypothesis import strategies as st

Schema = dict[str, Any]
Values = st.SearchStrategy[Any]

TEXT_MAX = 8
_TEXT = st.characters(codec="utf-8")


def allowed(schema: Schema) -> Values:
    """Values of a whole schema; what it refers to lies within it."""
    return _of(schema, schema)


def _of(schema: Schema, whole: Schema) -> Values:
    if "$ref" in schema:
        return _of(_found(schema["$ref"], whole), whole)
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return st.one_of(*(_of(one, whole) for one in schema[word]))
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    types = schema.get("type", "object")
    return st.one_of(*(_typed(one, schema, whole) for one in ([types] if isinstance(types, str) else types)))


def _typed(name: str, schema: Schema, whole: Schema) -> Values:
    match name:
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(schema.get("minimum"), schema.get("maximum"))
        case "number":
            return st.integers(-(10**12), 10**12) | st.floats(allow_nan=False, allow_infinity=False)
        case "string":
            return _text(schema)
        case "array":
            return st.lists(_of(schema["items"], whole), min_size=schema.get("minItems", 0), max_size=2)
        case _:
            return _object(schema, whole)


def _text(schema: Schema) -> Values:
    if "pattern" in schema:
        pattern = schema["pattern"].removeprefix("^").removesuffix("$")
        drawn = st.from_regex(f"({pattern})", fullmatch=True, alphabet=st.characters(codec="ascii"))
        return drawn.filter(lambda text: len(text) <= schema.get("maxLength", len(text)))
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    usual = st.text(_TEXT, min_size=least, max_size=min(most or TEXT_MAX, TEXT_MAX))
    return usual if most is None else usual | st.text("x\u00e9", min_size=most, max_size=most)


def _object(schema: Schema, whole: Schema) -> Values:
    members = {name: _of(member, whole) for name, member in schema.get("properties", {}).items()}
    required = {name: members.pop(name, st.none()) for name in schema.get("required", ())}
    if schema.get("additionalProperties") is not False:
        members["unlisted"] = st.none() | st.lists(st.integers(), max_size=1)
    return st.fixed_dictionaries(required, optional=members)


def _found(reference: str, whole: Schema) -> Schema:
    found: Any = whole
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return dict(found)
