"""When is something through? Stage by stage, each asked after the one that feeds it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from confluent_kafka import Consumer
from confluent_kafka.admin import AdminClient

from commerce_sync.run.prepare import all_topics
from commerce_sync.run.request import Followed
from commerce_sync.run.roles import consumption
from runtime.errors import NotFine
from runtime.kafka import admin_client, reader
from runtime.lag import Place, behind, ends
from runtime.settings import Settings
from schemas.records import ResyncProgress
from schemas.topics import TopicNames

LOOK_S: Final = 0.2

# A stage's name and how many records it has still to settle.
Report = Callable[[str, int], None]


def await_quiet(settings: Settings, timeout_s: float, report: Report) -> None:
    """Wait until every stage has settled all that was on its topics.

    What was on the change topics when this was called is then at every target or parked: a stage's output
    is complete once it has nothing left itself, so the stages are asked in the order of the path.

    Raises:
        NotFine: not within `timeout_s`.
    """
    with _Watch.of(settings, timeout_s, report) as watch:
        # Twice: a builder may make bulk work of its own, and a router a command, behind the first look.
        for _ in range(2):
            for role, target in [("router", ""), ("resync", ""), ("builder", ""), *_sinks(settings)]:
                watch.through(role, target)


def await_resync(settings: Settings, requested_ms: int, timeout_s: float, report: Report) -> ResyncProgress:
    """Wait until a resync's entities are enumerated, built and delivered, while live edits may go on.

    Raises:
        NotFine: not within `timeout_s`, or somebody stopped it.
    """
    with _Watch.of(settings, timeout_s, report) as watch:
        progress = watch.built(requested_ms)
        for role, target in _sinks(settings):
            watch.through(role, target)
        return progress


def await_built(settings: Settings, requested_ms: int, timeout_s: float, report: Report) -> ResyncProgress:
    """Wait until a resync's entities are enumerated and built; what changed is on the feed topics then.

    Raises:
        NotFine: not within `timeout_s`, or somebody stopped it.
    """
    with _Watch.of(settings, timeout_s, report) as watch:
        return watch.built(requested_ms)


def await_taken(settings: Settings, timeout_s: float) -> None:
    """Wait until the resync role has obeyed all commands.

    Raises:
        NotFine: not within `timeout_s`.
    """
    with _Watch.of(settings, timeout_s, lambda *_: None) as watch:
        watch.through("resync", "")


def await_sent(settings: Settings, timeout_s: float, report: Report) -> None:
    """Wait until what is dirty now is built and delivered.

    Raises:
        NotFine: not within `timeout_s`.
    """
    with _Watch.of(settings, timeout_s, report) as watch:
        for role, target in [("builder", ""), *_sinks(settings)]:
            watch.through(role, target)


def _sinks(settings: Settings) -> list[tuple[str, str]]:
    return [("sink", name) for name in settings.targets]


class _Watch:
    """Looks at groups until they have passed an offset, or the time is over."""

    def __init__(
        self, settings: Settings, admin: AdminClient, asker: Consumer, timeout_s: float, report: Report
    ) -> None:
        self._settings = settings
        self._admin = admin
        self._asker = asker
        self._timeout_s = timeout_s
        self._deadline = time.monotonic() + timeout_s
        self._report = report
        self._partitions = {topic.name: topic.partitions for topic in all_topics(settings)}

    @classmethod
    @contextmanager
    def of(cls, settings: Settings, timeout_s: float, report: Report) -> Iterator["_Watch"]:
        asker = reader(settings.kafka, TopicNames(settings.kafka.topic_prefix).group("watch"))
        try:
            yield cls(settings, admin_client(settings.kafka), asker, timeout_s, report)
        finally:
            asker.close()

    def through(self, role: str, target: str) -> None:
        """Wait until a role's group has settled what is on its topics now."""
        wanted = consumption(self._settings, role, target)
        until = ends(self._asker, self._places(wanted.topics))
        while left := behind(self._admin, wanted.group, until):
            self.turn(f"{role} {target}".strip(), left)

    def built(self, requested_ms: int) -> ResyncProgress:
        """Wait until a resync's entities are enumerated and the builders through with them."""
        followed = Followed(self._asker, TopicNames(self._settings.kafka.topic_prefix), requested_ms)
        while (progress := followed.look()) is None or progress.state != "enumerated":
            if progress is not None and progress.state == "stopped":
                message = (
                    f"the resync was stopped, {progress.entities} of {progress.total} entities enumerated: "
                    "the same command with --continue-resync goes on there"
                )
                raise NotFine(message)
            left = progress.total - progress.entities if progress else 0
            self.turn("builder", left + self.behind("builder"))
        self.through("builder", "")
        return progress

    def behind(self, role: str) -> int:
        """Records that a role's group has still to settle now."""
        wanted = consumption(self._settings, role)
        return behind(self._admin, wanted.group, ends(self._asker, self._places(wanted.topics)))

    def turn(self, stage: str, records: int) -> None:
        """Report, and wait a moment."""
        self._report(stage, records)
        if time.monotonic() > self._deadline:
            message = f"not through within {self._timeout_s:.0f} s: {stage} has {records} records left"
            raise NotFine(message)
        time.sleep(LOOK_S)

    def _places(self, topics: list[str]) -> list[Place]:
        return [(topic, number) for topic in topics for number in range(self._partitions[topic])]
