"""What is said to the sinks of a target on the control topic: scopes, address, reconciles. Pure."""

from typing import Final, Literal

import msgspec

SCOPE_PREFIX: Final = b"scope:"
ADDRESS_PREFIX: Final = b"address:"
RECONCILE_PREFIX: Final = b"reconcile:"

# differences: what the statuses do not tell is queued. replay: every current item goes again, also those
# whose content is known. force: those that wait for attention too.
ReconcileKind = Literal["differences", "replay", "force"]


class Scope(msgspec.Struct, frozen=True, omit_defaults=True):
    """A website (its prices and price books) or a store view (the rest) is sent to a target, or not."""

    target: str
    website: str
    enabled: bool
    requested_ms: int
    store_view: str | None = None
    version: int = 1


class Address(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the statuses of a target are true; another address knows nothing of them."""

    target: str
    url: str
    environment: str = ""
    version: int = 1

    @property
    def text(self) -> str:
        return f"{self.url} (environment {self.environment})" if self.environment else self.url


class Reconcile(msgspec.Struct, frozen=True, omit_defaults=True):
    """A feed is compared with what a target holds, and how far that came; the record is deleted at the end.

    Attributes:
        requested_ms: names it, together with target and feed (unix milliseconds).
        ids: only items whose key has one of these members (SKUs, mostly); empty: all.
        distrust: statuses written before `requested_ms` tell what was accepted, but of another log's offsets.
        partition: those before it are done; -1 while it was not begun.
        next_offset: in `partition`, everything below is settled.
        items: queued so far. `gone`: those of them that no record tells of.
    """

    target: str
    feed: str
    kind: ReconcileKind
    requested_ms: int
    reason: str = ""
    ids: tuple[str, ...] = ()
    distrust: bool = False
    partition: int = -1
    next_offset: int = 0
    items: int = 0
    gone: int = 0
    version: int = 1


def scope_key(target: str, website: str, store_view: str | None = None) -> bytes:
    return SCOPE_PREFIX + ":".join(part for part in (target, website, store_view) if part).encode()


def address_key(target: str) -> bytes:
    return ADDRESS_PREFIX + target.encode()


def reconcile_key(run: Reconcile) -> bytes:
    return RECONCILE_PREFIX + f"{run.target}:{run.feed}:{run.requested_ms}".encode()
