"""An audit follows what is switched at the targets, and waits for comparisons that are under way."""

import msgspec
from audit_world import FakeLog

from commerce_sync.proof.control import Control
from runtime.record import Record
from schemas.controls import Reconcile, Scope, reconcile_key, scope_key
from schemas.keys import canonical_json

ITEM = canonical_json({"sku": "A", "storeViewCode": "german"})


def command(key: bytes, value: msgspec.Struct | bytes | None) -> Record:
    encoded = msgspec.json.encode(value) if isinstance(value, msgspec.Struct) else value
    return Record("control", 0, 0, key, encoded, {})


def control_of(log: FakeLog) -> Control:
    control = Control(log)  # type: ignore[arg-type]
    control.refresh()
    return control


def test_a_scope_is_followed_at_its_own_target() -> None:
    """Off, and on again behind the audit's beginning."""
    off = Scope("shop", "base", False, 1, "german")
    log = FakeLog([command(scope_key("shop", "base", "german"), off)])
    control = control_of(log)
    tells = control.tells("shop")
    while_off = tells("products", ITEM), control.tells("other")("products", ITEM)
    log.records.append(
        command(scope_key("shop", "base", "german"), msgspec.structs.replace(off, enabled=True))
    )
    control.refresh()

    assert while_off == (False, True)
    assert tells("products", ITEM)


def test_a_comparison_is_under_way_until_its_record_is_gone() -> None:
    """However often it tells how far it is; another feed's is another."""
    run = Reconcile("shop", "products", "differences", 7)
    log = FakeLog([command(reconcile_key(run), run), command(b"reconcile:broken", b"{")])
    control = control_of(log)
    log.records.append(command(reconcile_key(run), msgspec.structs.replace(run, partition=3)))
    control.refresh()
    under_way = [control.is_comparing(*place) for place in (("shop", "products"), ("shop", "prices"))]
    log.records.append(command(reconcile_key(run), None))
    control.refresh()

    assert under_way == [True, False]
    assert not control.is_comparing("shop", "products")
