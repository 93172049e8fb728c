"""Bytes of a change topic become a change."""

from typing import Final

import msgspec

from runtime.errors import Poison
from schemas.records import ChangeEvent, SchemaChange

_CHANGE: Final = msgspec.json.Decoder(ChangeEvent)
_SCHEMA_CHANGE: Final = msgspec.json.Decoder(SchemaChange)


def decode_change(value: bytes) -> ChangeEvent:
    """Read one row change.

    Raises:
        Poison: the bytes are no change event (reason "change_undecodable").
    """
    try:
        return _CHANGE.decode(value)
    except msgspec.MsgspecError as error:
        message = f"no change event: {error}"
        raise Poison(message, reason="change_undecodable") from error


def decode_schema_change(value: bytes) -> SchemaChange:
    """Read one DDL statement.

    Raises:
        Poison: the bytes are no schema change (reason "schema_change_undecodable").
    """
    try:
        return _SCHEMA_CHANGE.decode(value)
    except msgspec.MsgspecError as error:
        message = f"no schema change: {error}"
        raise Poison(message, reason="schema_change_undecodable") from error
