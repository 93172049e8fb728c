"""Sinks without what comes before them: a broker, a feed topic that is written by hand, and services."""

import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import requests
from confluent_kafka import TopicPartition

from commerce_sync.emulator.request_log import Entry
from commerce_sync.local.program import saying
from commerce_sync.local.stack import Stack
from commerce_sync.run.roles import Process, consumption
from commerce_sync.run.supervise import Supervisor, environment, role_arguments
from consumers.builder.feeds.products import FEED
from runtime import settings as settings_module
from runtime.errors import NotFine
from runtime.kafka import ADMIN_TIMEOUT_S, admin_client, commit_beginnings, reader
from runtime.settings import ENVIRONMENT_PREFIX, BudgetSettings, Settings
from runtime.topics import ensure_topics
from schemas.topics import TopicNames, pipeline_topics

_SLOT: Final = "bench-0"
_LOOK_S: Final = 0.05
# Settings of a target by their names in its section, with two underscores between parts.
TargetVariables = Mapping[str, str]
NO_ALLOWANCE: Final[TargetVariables] = {
    f"BUDGET__{name.upper()}": "0" for name in BudgetSettings.model_fields
}


@dataclass(frozen=True, slots=True)
class Stage:
    """Topics and groups exist; no sink runs yet."""

    settings: Settings
    variables: Mapping[str, str]
    log_dir: Path

    @contextmanager
    def sink(self, target: str) -> Iterator[Supervisor]:
        """A sink of this target until the end of the block; `tend` it meanwhile."""
        supervisor = Supervisor(role_arguments, environment(self.variables), 0, self.log_dir)
        try:
            supervisor.start([Process("sink", _SLOT, target)])
            yield supervisor
        finally:
            supervisor.stop()

    def wait_until(self, what: str, true: Callable[[], bool], supervisor: Supervisor, seconds: float) -> None:
        """Look again and again, and keep the sink running.

        Raises:
            NotFine: not within `seconds`, or the sink cannot run.
        """
        deadline = time.monotonic() + seconds
        while not true():
            if supervisor.tend() is not None or time.monotonic() > deadline:
                message = f"not within {seconds:.0f} s: {what}; logs are in {self.log_dir}"
                raise NotFine(message)
            time.sleep(_LOOK_S)


@contextmanager
def stage(stack: Stack, targets: Mapping[str, TargetVariables], log_dir: Path) -> Iterator[Stage]:
    """Topics of their own for these targets, deleted at the end."""
    variables = stack.environment()
    variables[f"{ENVIRONMENT_PREFIX}KAFKA__TOPIC_PREFIX"] = f"bench-{secrets.token_hex(4)}"
    for target, values in targets.items():
        section = f"{ENVIRONMENT_PREFIX}TARGETS__{target.upper()}__"
        # Nothing beside the measured feed.
        variables |= {f"{section}{name}": value for name, value in {"FEEDS": FEED, **values}.items()}
    settings = settings_module.load(environ=variables)
    try:
        _prepare(settings)
        yield Stage(settings, variables, log_dir)
    finally:
        _delete_topics(settings)


def _prepare(settings: Settings) -> None:
    """Only what a sink needs of an installation: its topics, and a position in each."""
    names, admin = TopicNames(settings.kafka.topic_prefix), admin_client(settings.kafka)
    pairs = [(target, FEED) for target in settings.targets]
    needed = {names.control, names.feed(FEED)}
    needed |= {topic(*pair) for pair in pairs for topic in (names.status, names.dead_letter)}
    topics = pipeline_topics(names, settings.kafka.partitions, pairs)
    ensure_topics(
        admin, [topic for topic in topics if topic.name in needed], settings.kafka.replication_factor
    )
    places = [TopicPartition(names.feed(FEED), number) for number in range(settings.kafka.partitions)]
    asker = reader(settings.kafka, names.group("bench"))
    try:
        for target in settings.targets:
            commit_beginnings(admin, asker, consumption(settings, "sink", target).group, places)
    finally:
        asker.close()


def _delete_topics(settings: Settings) -> None:
    admin = admin_client(settings.kafka)
    topics = admin.list_topics(timeout=ADMIN_TIMEOUT_S).topics
    ours = [name for name in topics if name.startswith(f"{settings.kafka.topic_prefix}.")]
    for future in admin.delete_topics(ours).values() if ours else ():
        future.result(ADMIN_TIMEOUT_S)


@contextmanager
def emulator(*options: str) -> Iterator[TargetVariables]:
    """The emulator in a process of its own; what a target's section needs to reach it."""
    with emulator_process(*options) as (variables, _):
        yield variables


@contextmanager
def emulator_process(*options: str) -> Iterator[tuple[TargetVariables, int]]:
    """The same, and its process id."""
    with saying("commerce_sync", ["emulator", "--port", "0", "--json", *options]) as (line, pid):
        prefix = f"{ENVIRONMENT_PREFIX}TARGETS__OPTIMIZER__"
        yield {name.removeprefix(prefix): value for name, value in json.loads(line).items()}, pid


def requests_of(service: TargetVariables, since: int = 0) -> Sequence[Entry]:
    """The catalog requests that an emulator has had, behind one of its ids, oldest first."""
    base = service["READ_URL"].rstrip("/").removesuffix("/items")
    page = requests.get(f"{base}/requests", params={"since": since}, timeout=60)
    entries = (msgspec.json.decode(line, type=Entry) for line in page.iter_lines() if line)
    return [entry for entry in entries if "/catalog/" in entry.path]
