"""Names, partitions, hashes and positions: what all stages must agree on."""

import json
from decimal import Decimal
from importlib.resources import files
from typing import Any

import pytest
from fake_target import product_item
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.codec import UnknownSchema, decode, encode
from schemas.keys import canonical_json, content_hash, murmur2, partition_for
from schemas.records import Position, SourceBlock, newest


@pytest.mark.parametrize(
    ("data", "java"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_murmur2_is_that_of_kafka_s_own_client(data: bytes, java: int) -> None:
    """Source: the vectors of Kafka's UtilsTest; Java's numbers are signed."""
    assert murmur2(data) == java % 2**32
    assert partition_for(data, 1000) == (java & 0x7FFFFFFF) % 1000


@given(st.binary(max_size=64), st.integers(1, 1000))
def test_every_key_has_a_partition(key: bytes, partitions: int) -> None:
    """Whatever the hash's sign bit says."""
    assert 0 <= partition_for(key, partitions) < partitions


def test_canonical_json_has_sorted_members_no_spaces_and_utf8() -> None:
    """Equal values give equal bytes, at every depth; lists keep their order."""
    value = {"b": [{"z": 1, "a": "ä"}, 2], "a": None}

    assert canonical_json(value) == '{"a":null,"b":[{"a":"ä","z":1},2]}'.encode()
    assert canonical_json({"a": None, "b": [{"a": "ä", "z": 1}, 2]}) == canonical_json(value)


def test_amounts_are_numbers_digit_for_digit() -> None:
    """A double would make 0.1 of it."""
    amounts = {"price": Decimal("99999999999999.999999"), "qty": Decimal("0.100000000000000005")}

    assert canonical_json(amounts) == b'{"price":99999999999999.999999,"qty":0.100000000000000005}'


@pytest.mark.parametrize("name", ["modifiedAt", "updatedAt", "createdAt"])
def test_a_content_hash_does_not_see_timestamps(name: str) -> None:
    """Promise 5: saving a product without a change sends nothing."""
    item = product_item("A")

    assert content_hash({**item, name: "2026-01-01"}) == content_hash({**item, name: "2026-02-02"})


def test_a_content_hash_does_not_see_absent_members() -> None:
    """A release that adds a member must not send the whole catalog again, at any depth."""
    assert content_hash({"a": 1, "b": [{"c": 2}]}) == content_hash(
        {"z": None, "b": [{"c": 2, "d": None}], "a": 1}
    )


@pytest.mark.parametrize("name", sorted(set(product_item("A")) - {"createdAt", "updatedAt"}))
def test_a_content_hash_sees_every_other_member(name: str) -> None:
    """What a shopper could see is sent."""
    item = product_item("A")

    assert content_hash({**item, name: "other"}) != content_hash(item)


def test_a_content_hash_sees_order_depth_and_type() -> None:
    """Lists without an order of their own are sorted before; nested timestamps are content."""
    values: list[Any] = [
        {"a": [1, 2]},
        {"a": [2, 1]},
        {"a": ["1", 2]},
        {"a": [1, 2, None]},
        {"a": {"updatedAt": 1}},
        {"a": {"updatedAt": 2}},
        {"a": False},
        {"a": 0},
        {"a": ""},
        {},
    ]

    assert len({content_hash(value) for value in values}) == len(values)
    assert len(content_hash({})) == 32


TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
LEAVES: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "string": TEXT,
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "double": st.floats(allow_nan=False),
}


NAMED: dict[str, st.SearchStrategy[Any]] = {}


def values_of(schema: Any) -> st.SearchStrategy[Any]:
    """Any value of an Avro schema, every member written out."""
    if isinstance(schema, list):
        return st.one_of([values_of(option) for option in schema])
    if isinstance(schema, str):
        return LEAVES[schema] if schema in LEAVES else NAMED[schema]
    if schema["type"] == "array":
        return st.lists(values_of(schema["items"]), max_size=2)
    if schema["type"] == "record":
        members = {member["name"]: values_of(member["type"]) for member in schema["fields"]}
        return NAMED.setdefault(schema["name"], st.fixed_dictionaries(members))
    return values_of(schema["type"])


ITEMS = values_of(json.loads(files("schemas").joinpath("avro", "products.avsc").read_text(encoding="utf-8")))


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(ITEMS)
def test_what_is_encoded_is_decoded(item: dict[str, Any]) -> None:
    """Value for value, so the hash of what is read is the hash of what was built."""
    assert decode("products", encode("products", item)) == item


def test_a_value_begins_with_the_marker_and_its_schema_s_fingerprint() -> None:
    """Avro single-object encoding: C3 01, then 8 bytes that name the schema."""
    one, other = encode("products", product_item("A")), encode("products", product_item("B"))

    assert one[:2] == b"\xc3\x01"
    assert one[:10] == other[:10]


@pytest.mark.parametrize("data", [b"", b"{}", b"\xc3\x01" + bytes(20), b"\xc3\x02"])
def test_a_value_of_a_foreign_schema_is_refused(data: bytes) -> None:
    """Read with the wrong schema it would be another item."""
    with pytest.raises(UnknownSchema, match=r"products value begins with .*, expected c301"):
        decode("products", data)


@pytest.mark.parametrize(
    "item", [{**product_item("A"), "sku": None}, {"sku": "A"}, {**product_item("A"), "productId": "1"}]
)
def test_an_item_of_the_wrong_shape_is_not_written(item: dict[str, Any]) -> None:
    """A missing member or a wrong type is our mistake and is seen at once."""
    with pytest.raises((ValueError, TypeError, KeyError)):
        encode("products", item)


def at(file: str, pos: int, server_id: int = 1) -> Position:
    return Position(server_id, file, pos)


def test_positions_sort_as_the_log_grows() -> None:
    """The number behind the dot counts on past its six digits; names may hold dots."""
    ordered = [
        at("mysql-bin.000009", 900),
        at("mysql-bin.000010", 4),
        at("mysql-bin.999999", 4),
        at("mysql-bin.999999", 5),
        at("mysql-bin.1000000", 4),
    ]
    backwards = list(reversed(ordered))

    assert sorted(backwards, key=Position.order) == ordered
    assert at("host.example.000007", 4).order() == (7, 4)


def test_a_snapshot_covers_only_transactions_that_begin_before_it() -> None:
    """At the same place the transaction is still to come; another server's places mean nothing here."""
    snapshot = at("b.1000000", 100)

    assert snapshot.covers(at("b.1000000", 99))
    assert snapshot.covers(at("b.999999", 500))
    assert not snapshot.covers(at("b.1000000", 100))
    assert not snapshot.covers(at("b.1000000", 101))
    assert not snapshot.covers(at("b.000001", 4, server_id=2))


def test_a_snapshot_reaches_one_at_the_same_place() -> None:
    """No older is enough for the floor."""
    snapshot = at("b.1000000", 100)

    assert snapshot.reaches(snapshot)
    assert snapshot.reaches(at("b.999999", 101))
    assert not snapshot.reaches(at("b.1000000", 101))
    assert not snapshot.reaches(at("b.1000000", 100, server_id=2))


def test_the_newest_position_of_each_server_is_kept() -> None:
    """In the order the servers were first seen."""
    positions = [at("b.1", 5), at("b.9", 1, 2), at("b.2", 1), at("b.1", 9), at("b.8", 9, 2)]

    assert newest(positions) == [at("b.2", 1), at("b.9", 1, 2)]
    assert newest([]) == []


def test_a_source_without_a_file_has_no_position() -> None:
    """Some events of the connector are no place in the log."""
    assert SourceBlock(server_id=1).position() is None
    assert SourceBlock(server_id=1, file="b.1", pos=4, gtid="0-1-2").position() == Position(
        1, "b.1", 4, "0-1-2"
    )
