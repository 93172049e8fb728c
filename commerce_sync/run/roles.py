"""Every role by name: which topics it consumes, in which group, and what runs it."""

from collections.abc import Callable
from dataclasses import dataclass

from consumers.builder import role as builder
from consumers.ledger import role as ledger
from consumers.router import role as router
from consumers.sink import role as sink
from producers.clock import role as clock
from producers.resync import role as resync
from runtime.errors import UsageError
from runtime.health import Health
from runtime.loop import Stopper
from runtime.settings import Settings
from schemas.topics import TopicNames

ROLES = ("router", "builder", "sink", "clock", "resync", "ledger", "audit")
READS_DATABASE = frozenset({"router", "builder", "clock", "resync", "audit"})
# Without a target there is nothing to send, and nothing to tell of.
NEED_TARGETS = frozenset({"sink", "ledger"})
NO_TARGET = "no target is configured, so nothing is sent: add [targets.NAME] with its url"


@dataclass(frozen=True, slots=True)
class Process:
    """One process of a role. `slot` tells processes of one role apart, on this and other machines."""

    role: str
    slot: str
    target: str = ""

    @property
    def label(self) -> str:
        return ".".join(part for part in (self.role, self.target, self.slot) if part)


@dataclass(frozen=True, slots=True)
class Consumption:
    """A consumer group and its topics; a role that only looks at topics has none."""

    group: str
    topics: list[str]


def consumption(settings: Settings, role: str, target: str = "") -> Consumption:
    """What a role reads."""
    names = TopicNames(settings.kafka.topic_prefix)
    if role == "sink":
        return Consumption(names.group("sink", target), sink.topics(settings, target))
    if role == "audit":
        return Consumption(names.group("audit"), [])
    topics = {
        "router": router.topics,
        "builder": builder.topics,
        "clock": clock.topics,
        "resync": resync.topics,
        "ledger": ledger.topics,
    }[role]
    return Consumption(names.group(role), topics(settings))


def processes(
    settings: Settings, roles: tuple[str, ...], workers: dict[str, int], host: str
) -> list[Process]:
    """The processes to start: one a role, one a target for the sink, more where asked; of the sinks of a
    target one is active, the others stand by.

    Raises:
        UsageError: a role or a worker count that does not exist, or a role that would have nothing to do.
    """
    unknown = [role for role in (*roles, *workers) if role not in ROLES]
    if unknown:
        message = f"role '{unknown[0]}' does not exist; known: {', '.join(ROLES)}"
        raise UsageError(message)
    if "audit" in roles and not settings.audit.entities_per_minute:
        message = (
            "audit.entities_per_minute = 0: the role audit would do nothing; set it, to 1000 for example"
        )
        raise UsageError(message)
    wanted: list[Process] = []
    for role in roles or ROLES:
        if role in NEED_TARGETS and not settings.targets:
            continue
        if role == "audit" and not settings.audit.entities_per_minute:
            continue
        for target in settings.targets if role == "sink" else [""]:
            wanted.extend(Process(role, f"{host}-{n}", target) for n in range(workers.get(role, 1)))
    if not wanted:
        message = f"role '{roles[0]}' has nothing to do: {NO_TARGET}"
        raise UsageError(message)
    return wanted


def run(
    settings: Settings, process: Process, health: Health, stopper: Stopper, *, in_doubt: bool = False
) -> None:
    """Run one role in this process until told to stop.

    Args:
        in_doubt: the process before this one left a transaction that nobody knows the end of.
    """
    if process.role == "sink":
        sink.run(settings, process.target, process.slot, health, stopper)
        return
    if process.role == "builder":
        builder.run(settings, process.slot, health, stopper, in_doubt=in_doubt)
        return
    if process.role == "audit":
        # Here, because the audit asks this module what the other roles consume.
        from commerce_sync.proof import role as audit

        audit.run(settings, health, stopper)
        return
    runners: dict[str, Callable[[Settings, str, Health, Stopper], None]] = {
        "router": router.run,
        "clock": clock.run,
        "resync": resync.run,
        "ledger": ledger.run,
    }
    runners[process.role](settings, process.slot, health, stopper)
