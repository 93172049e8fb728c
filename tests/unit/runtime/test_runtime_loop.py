"""The one consume loop: what is committed when, and what happens when anything goes wrong."""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, TopicPartition
from counted import counting, sampled
from fake_kafka import FakeConsumer, FakeMessage, FakeProducer, Step

from runtime import deferred, loop, metrics
from runtime.errors import CommerceSyncError, Doubt, Fault, Poison, Transient
from runtime.health import Health
from runtime.loop import Stopper
from runtime.record import Outgoing, Record
from runtime.write import Commit, Write, in_transaction, repeatable

# Ends only by what happens meanwhile.
LONG = Transient("busy", retry_after_s=600)


class FakeStage:
    """Writes one record a batch; fails as often as told."""

    name = "fake"

    def __init__(self, journal: list[str], *failures: CommerceSyncError) -> None:
        self.journal = journal
        self.failures = list(failures)
        self.batches: list[list[int]] = []

    def assign(self, places: Sequence[TopicPartition]) -> None:
        self.journal.append(f"state loaded {[(place.partition, place.offset) for place in places]}")

    def process(self, records: Sequence[Record]) -> list[Outgoing]:
        self.batches.append([record.offset for record in records])
        if self.failures:
            raise self.failures.pop(0)
        return [Outgoing("out", 0, f"of {record.offset}".encode(), b"") for record in records]

    def committed(self) -> None:
        self.journal.append("stage follows")


class Play:
    """One run of the loop over steps; the last one stops it."""

    def __init__(
        self, *steps: Step, failures: Sequence[CommerceSyncError] = (), fails_at: str | None = None
    ) -> None:
        self.journal: list[str] = []
        self.stopper = Stopper()
        self.health = Health()
        self.stage = FakeStage(self.journal, *failures)
        self.consumer = FakeConsumer(self.journal, *steps, self._stop)
        self.producer = FakeProducer(self.journal, fails_at)

    def _stop(self, consumer: FakeConsumer) -> list[FakeMessage]:
        self.stopper.stop()
        return []

    def run(
        self,
        batch_records_max: int = 10,
        overdue: Callable[[], bool] = lambda: False,
        write: Write = in_transaction,
        pipelined: bool = False,
    ) -> None:
        loop.run(
            self.stage,
            self.consumer,  # type: ignore[arg-type]
            self.producer,  # type: ignore[arg-type]
            ["in"],
            batch_records_max=batch_records_max,
            health=self.health,
            stopper=self.stopper,
            overdue=overdue,
            write=write,
            pipelined=pipelined,
        )


def assigned(consumer: FakeConsumer) -> list[FakeMessage]:
    consumer.rebalance(("in", 0))
    return []


def quiet(consumer: FakeConsumer) -> list[FakeMessage]:
    return []


def records(*offsets: int) -> Step:
    return lambda consumer: [FakeMessage("in", offset) for offset in offsets]


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits are over after one poll."""
    monkeypatch.setattr(loop, "BACKOFF_S", (1e-9,))


def test_a_batch_and_its_offsets_go_in_one_transaction() -> None:
    """Offsets are the next ones to read; the stage follows after the commit."""
    play = Play(assigned, records(5, 6, 7))

    play.run()

    assert play.producer.transactions == [({("in", 0): 8}, [b"of 5", b"of 6", b"of 7"])]
    assert play.journal[-7:] == [
        "begin",
        "produce",
        "produce",
        "produce",
        "offsets",
        "commit",
        "stage follows",
    ]
    assert play.consumer.closed


def test_every_partition_of_a_batch_gets_its_own_offset() -> None:
    """Two partitions in one poll."""
    play = Play(
        assigned, lambda _: [FakeMessage("in", 5), FakeMessage("in", 9, partition=1), FakeMessage("in", 6)]
    )

    play.run()

    assert [offsets for offsets, _ in play.producer.transactions] == [{("in", 0): 7, ("in", 1): 10}]


def test_a_batch_is_no_larger_than_asked() -> None:
    """What else was fetched comes with the next one."""
    play = Play(assigned, records(1, 2, 3), quiet)

    play.run(batch_records_max=2)

    assert play.stage.batches == [[1, 2], [3]]


def test_state_is_loaded_between_the_committed_offsets_and_the_first_record() -> None:
    """INTERLEAVING 9: asking for offsets waits for the predecessor's transaction; state loaded earlier
    would miss it."""
    play = Play(assigned)
    play.consumer.committed_offset = 40

    play.run()

    assert play.journal[:4] == [
        "subscribe in",
        "committed offsets asked",
        "state loaded [(0, 40)]",
        "assign [40]",
    ]


def test_a_transient_failure_hands_in_the_same_records_and_commits_nothing_meanwhile() -> None:
    """The same bytes will pass later."""
    play = Play(
        assigned,
        records(5, 6),
        quiet,
        quiet,
        failures=[Transient("busy"), Transient("busy", retry_after_s=1e-9)],
    )

    play.run()

    assert play.stage.batches == [[5, 6], [5, 6], [5, 6]]
    assert len(play.producer.transactions) == 1
    assert play.journal.count("begin") == 1
    assert play.consumer.paused == []


def test_partitions_are_paused_while_a_batch_waits() -> None:
    """The loop stays a member of the group without being handed more."""
    seen: list[list[TopicPartition]] = []

    def look(consumer: FakeConsumer) -> list[FakeMessage]:
        seen.append(list(consumer.paused))
        return []

    play = Play(assigned, records(5), look, failures=[LONG])

    play.run()

    assert seen == [[TopicPartition("in", 0)]]


def test_a_rebalance_while_waiting_drops_the_batch() -> None:
    """It is no longer ours to settle; the new owner reads from the committed offset."""
    play = Play(assigned, records(5), assigned, failures=[LONG])

    play.run()

    assert (play.stage.batches, play.producer.transactions) == ([[5]], [])


def test_what_was_paused_for_a_wait_is_read_after_a_rebalance() -> None:
    """The client keeps it paused when it comes back: seen as a worker that did nothing any more."""
    play = Play(assigned, records(5), assigned, records(5), failures=[LONG])

    play.run()

    assert play.stage.batches == [[5], [5]]


def test_a_record_of_the_new_assignment_that_a_waiting_poll_takes_is_read_again() -> None:
    """Promise 3: the waiting poll throws away what it gets, so reading begins again at the start."""

    def assigned_with_record(consumer: FakeConsumer) -> list[FakeMessage]:
        consumer.rebalance(("in", 0))
        return [FakeMessage("in", 5)]

    play = Play(assigned, records(5), assigned_with_record, failures=[LONG])
    play.consumer.committed_offset = 5

    play.run()

    after = play.journal[play.journal.index("unassign") :]
    assert after == [
        "unassign",
        "committed offsets asked",
        "state loaded [(0, 5)]",
        "assign [5]",
        "assign [5]",
    ]


def test_a_rebalance_during_a_poll_rewinds() -> None:
    """Its records may have been read before it, for partitions lost in it."""

    def moved(consumer: FakeConsumer) -> list[FakeMessage]:
        consumer.rebalance(("in", 0))
        return [FakeMessage("in", 5)]

    play = Play(moved)
    play.consumer.committed_offset = 5

    play.run()

    assert (play.stage.batches, play.producer.transactions) == ([], [])
    assert play.journal[-2:] == ["assign [5]", "assign [5]"]


@pytest.mark.parametrize("step", ["begin", "produce", "offsets", "commit"])
def test_a_transaction_in_doubt_ends_the_loop_and_the_stage_does_not_follow(step: str) -> None:
    """INTERLEAVING 7: the next process begins with a new producer and loads its state."""
    play = Play(assigned, records(5), fails_at=step)

    with pytest.raises(Fault, match=f"transaction in doubt.*{step} timed out"):
        play.run()

    assert "stage follows" not in play.journal
    assert play.producer.transactions == []
    assert play.consumer.closed


class SlowWrite:
    """A write that ends when it is told to, at the latest after some seconds."""

    def __init__(self) -> None:
        self.end = threading.Event()
        self.offsets: list[int] = []

    def __call__(self, *what: Any) -> Commit:
        def commit() -> None:
            self.end.wait(5)
            self.offsets.extend(place.offset for place in what[3])

        return commit


def test_a_batch_is_processed_while_the_one_before_is_written_and_written_after_it() -> None:
    """The state of the stage runs ahead; what becomes durable keeps its order."""
    write = SlowWrite()
    play = Play(assigned, records(5), records(6))
    processed: list[tuple[list[int], list[int]]] = []

    def process(records: Sequence[Record]) -> list[Outgoing]:
        processed.append(([record.offset for record in records], list(write.offsets)))
        if len(processed) == 2:
            write.end.set()
        return []

    play.stage.process = process  # type: ignore[method-assign]

    play.run(write=write, pipelined=True)

    assert processed == [([5], []), ([6], [])]
    assert write.offsets == [6, 7]


def test_partitions_are_given_away_only_behind_what_was_being_written() -> None:
    """9: their next owner must not begin before it."""
    write = SlowWrite()
    written: list[list[int]] = []

    def revoked(consumer: FakeConsumer) -> list[FakeMessage]:
        threading.Timer(0.05, write.end.set).start()
        consumer._callbacks["on_revoke"](consumer, [])
        written.append(list(write.offsets))
        return []

    play = Play(assigned, records(5), revoked)

    play.run(write=write, pipelined=True)

    assert written == [[6]]


def test_positions_are_not_committed_past_what_is_being_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """They stand behind its records already: a write that fails would lose these."""
    monkeypatch.setattr(loop, "COMMIT_EVERY_S", -1)
    write = SlowWrite()
    play = Play(assigned, records(5))
    play.consumer.committed_offset = 7
    committed: list[list[int]] = []

    def commit(**_: object) -> None:
        committed.append(list(write.offsets))

    play.consumer.commit = commit  # type: ignore[method-assign,assignment]
    threading.Timer(0.05, write.end.set).start()

    play.run(write=write, pipelined=True)

    assert committed == [[6]]


@pytest.mark.parametrize("then", [(), (quiet, quiet), (records(6),)], ids=["stop", "idle", "busy"])
def test_a_write_in_doubt_ends_the_loop_behind_which_it_was(then: Sequence[Step]) -> None:
    """7: nothing is written on top of it."""
    play = Play(assigned, records(5), *then, fails_at="commit")

    with pytest.raises(Fault, match="transaction in doubt"):
        play.run(pipelined=True)

    assert play.journal.count("begin") == 1
    assert play.consumer.closed


def test_a_write_in_doubt_counts_more_than_what_else_ends_the_loop() -> None:
    """7: the batch behind it fails as well, or the client is fenced; the next process has to look."""
    play = Play(assigned, records(5), records(6), fails_at="commit")

    def process(records: Sequence[Record]) -> list[Outgoing]:
        if records[0].offset == 6:
            raise Fault("broken")
        return []

    play.stage.process = process  # type: ignore[method-assign]

    with pytest.raises(Doubt):
        play.run(pipelined=True)

    assert play.consumer.closed


def test_a_write_in_doubt_counts_more_than_an_assignment_that_fails_behind_it() -> None:
    """7: both in one poll, when the broker comes back in the middle."""

    def moved(consumer: FakeConsumer) -> list[FakeMessage]:
        consumer.committed_offset = -1001
        consumer.rebalance(("in", 0))
        return []

    play = Play(assigned, records(5), moved, fails_at="commit")

    with pytest.raises(Doubt):
        play.run(pipelined=True)


def test_what_may_come_twice_is_acknowledged_before_its_offsets() -> None:
    """No transaction, and no commit a batch; a crash before the offsets writes the records once more."""
    play = Play(assigned, records(5), records(6))
    play.consumer.committed_offset = 7

    play.run(write=repeatable)

    assert play.journal[-6:] == ["produce", "flush", "stage follows"] * 2
    assert play.consumer.committed_by_hand == [[("in", 7)]]
    assert play.producer.transactions == []


@pytest.mark.parametrize(("step", "said"), [("flush", "not delivered"), ("silence", "no acknowledgement")])
def test_records_without_acknowledgement_end_the_loop_and_leave_the_offsets(step: str, said: str) -> None:
    """Whoever goes on reads the batch again."""
    play = Play(assigned, records(5), fails_at=step)

    with pytest.raises(Fault, match=f"1 records are in doubt.*{said}"):
        play.run(write=repeatable)

    assert "stage follows" not in play.journal
    assert play.consumer.committed_by_hand == []


@pytest.mark.parametrize("failure", [Fault("broken"), Poison("bad", reason="bad")])
def test_what_is_not_transient_ends_the_loop_without_a_commit(failure: CommerceSyncError) -> None:
    """Only a stage may park; the loop never skips a record."""
    play = Play(assigned, records(5), failures=[failure])

    with pytest.raises(type(failure)):
        play.run()

    assert play.producer.transactions == []
    assert play.consumer.closed


def test_a_partition_without_a_position_is_a_fault() -> None:
    """Never a silent jump: the callback's failure reaches the loop."""
    play = Play(assigned)
    play.consumer.committed_offset = -1001

    with pytest.raises(Fault, match=r"in \[0\] has no committed position; start the roles with"):
        play.run()

    assert play.journal[-1] == "assign []"


def test_a_lost_position_is_a_fault() -> None:
    """`auto.offset.reset=error`: out of range means resync."""
    gone = KafkaError(KafkaError._AUTO_OFFSET_RESET, "out of range")
    play = Play(assigned, lambda _: [FakeMessage("in", 5, failure=gone)])

    with pytest.raises(Fault, match=r"in \[0\]: the committed position no longer exists"):
        play.run()


@pytest.mark.parametrize("failures", [(), (LONG,)], ids=["idle", "while a batch waits"])
def test_a_fenced_client_is_a_fault(failures: Sequence[CommerceSyncError]) -> None:
    """It says so once, by the message's code alone, and would then poll nothing for ever."""
    fenced = KafkaError(KafkaError._FATAL, "static consumer fenced")
    before = [records(5)] if failures else []
    play = Play(assigned, *before, lambda _: [FakeMessage("in", 6, failure=fenced)], failures=failures)

    with pytest.raises(Fault, match="Kafka client cannot go on: static consumer fenced"):
        play.run()

    assert not fenced.fatal()
    assert play.producer.transactions == []


def test_a_broker_that_is_away_is_left_to_the_client() -> None:
    """It retries by itself; no record is lost or made up."""
    away = KafkaError(KafkaError._ALL_BROKERS_DOWN, "down")
    play = Play(assigned, lambda _: [FakeMessage("in", 4, failure=away), FakeMessage("in", 5)])

    play.run()

    assert play.stage.batches == [[5]]


def test_a_full_queue_lets_the_client_send() -> None:
    """Nothing is dropped because the producer's queue is full."""
    play = Play(assigned, records(5))
    play.producer.full_times = 2

    play.run()

    assert play.producer.transactions == [({("in", 0): 6}, [b"of 5"])]
    assert play.journal.count("producer polled") == 2


def test_the_end_of_a_log_is_committed_once() -> None:
    """Transaction markers are never handed out: a group with nothing to do would show a lag for ever."""
    play = Play(assigned, quiet, quiet, quiet)
    play.consumer.committed_offset = 9

    play.run()

    assert play.consumer.committed_by_hand == [[("in", 9)]]


def test_what_is_overdue_is_done_in_a_silent_moment() -> None:
    """No record comes, so an empty batch is handed in; with offsets, which alone fence a lost worker."""
    play = Play(assigned, records(5), quiet, quiet)
    play.consumer.committed_offset = 6

    play.run(overdue=lambda: len(play.stage.batches) < 2)

    assert play.stage.batches == [[5], []]
    assert [offsets for offsets, _ in play.producer.transactions] == [{("in", 0): 6}, {("in", 0): 6}]


def test_offsets_of_a_partition_that_was_not_read_yet_are_where_it_began() -> None:
    """The client knows no position before the first record."""
    play = Play(assigned, quiet)
    play.consumer.committed_offset = 40
    play.consumer.position = lambda places: [  # type: ignore[method-assign]
        TopicPartition(place.topic, place.partition, -1001) for place in places
    ]

    play.run(overdue=lambda: not play.stage.batches)

    assert [offsets for offsets, _ in play.producer.transactions] == [{("in", 0): 40}]


def test_without_partitions_nothing_is_overdue() -> None:
    """Between two assignments the state is somebody else's."""

    def revoked(consumer: FakeConsumer) -> list[FakeMessage]:
        consumer._callbacks["on_revoke"](consumer, [])
        return []

    play = Play(quiet, assigned, revoked, quiet)

    play.run(overdue=lambda: True)

    assert (play.stage.batches, play.producer.transactions) == ([], [])


@pytest.fixture
def handlers() -> Iterator[None]:
    """Signal handlers as they were."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
def test_sigterm_drains_the_batch_in_hand_is_committed() -> None:
    """No further poll, then the group is left."""

    def asked_to_stop(consumer: FakeConsumer) -> list[FakeMessage]:
        os.kill(os.getpid(), signal.SIGTERM)
        return [FakeMessage("in", 5)]

    play = Play(assigned, asked_to_stop, records(6))
    play.stopper.install()

    play.run()

    assert play.producer.transactions == [({("in", 0): 6}, [b"of 5"])]
    assert play.consumer.closed


def test_a_stop_while_waiting_commits_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next process gets the same records, although positions stand past them."""
    monkeypatch.setattr(loop, "COMMIT_EVERY_S", -1)
    play = Play(assigned, records(5), failures=[LONG])
    play.consumer.committed_offset = 6

    play.run()

    assert (play.stage.batches, play.producer.transactions) == ([[5]], [])
    assert play.consumer.committed_by_hand == []


def test_a_busy_loop_commits_positions_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a silent moment the last transaction marker would look like lag for as long as work comes."""
    monkeypatch.setattr(loop, "COMMIT_EVERY_S", -1)
    play = Play(assigned, records(5))
    play.consumer.committed_offset = 7

    play.run()

    assert play.producer.transactions == [({("in", 0): 6}, [b"of 5"])]
    assert play.consumer.committed_by_hand == [[("in", 7)]]


def test_readiness_follows_the_assignment() -> None:
    """A role is ready when it has its partitions and its state."""
    seen: list[tuple[bool, str]] = []

    def look(consumer: FakeConsumer) -> list[FakeMessage]:
        seen.append(play.health.readiness())
        return []

    def revoked(consumer: FakeConsumer) -> list[FakeMessage]:
        consumer._callbacks["on_lost"](consumer, [])
        return []

    play = Play(look, assigned, look, revoked, look)

    play.run()

    assert seen == [(False, "starting"), (True, "ready"), (False, "partitions are being reassigned")]


class Lanes:
    """The loop's two kinds of topics, with a clock that each poll moves by what it waits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *steps: Step) -> None:
        self.now = 100.0
        # Only the loop's own: the rest of the process goes by the real one.
        for module in (loop, deferred):
            monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: self.now))
        self.play = Play(
            lambda consumer: consumer.rebalance(("in", 0), ("late", 0), ("late", 1)) or [],  # type: ignore[func-returns-value]
            *steps,
        )
        self.ripe_at: dict[int, float] = {}
        # When the first record of each batch was handed in, by its offset.
        self.times: dict[int, float] = {}
        poll, process = self.play.consumer.poll, self.play.stage.process

        def noted(batch: Sequence[Record]) -> list[Outgoing]:
            self.times |= {record.offset: self.now for record in batch[:1]}
            return process(batch)

        self.play.stage.process = noted  # type: ignore[method-assign]

        def timed(timeout_s: float) -> FakeMessage | None:
            message = poll(timeout_s)
            self.now += 0.001 if message is not None else timeout_s
            return message

        self.play.consumer.poll = timed  # type: ignore[method-assign]

    def run(
        self, batch_records_max: int = 10, overdue: Callable[[], bool] = lambda: False
    ) -> list[list[int]]:
        """Batches as they were handed in."""
        play = self.play
        loop.run(
            play.stage,
            play.consumer,  # type: ignore[arg-type]
            play.producer,  # type: ignore[arg-type]
            ["in", "late"],
            batch_records_max=batch_records_max,
            health=play.health,
            stopper=play.stopper,
            deferred=["late"],
            overdue=overdue,
            ripens_s=lambda record: self.ripe_at.get(record.offset, 0.0) - self.now,
        )
        return play.stage.batches


def late(*offsets: int, partition: int = 0) -> Step:
    return lambda consumer: [FakeMessage("late", offset, partition) for offset in offsets]


def test_a_record_that_is_not_ripe_waits_and_others_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Live records go meanwhile, and so do the ripe ones of another partition."""
    world = Lanes(
        monkeypatch,
        late(5, 6),
        records(1),
        late(8, partition=1),
        *[quiet] * 10,
        records(2),
        *[quiet] * 10,
    )
    world.ripe_at = {6: 102.0}

    batches = world.run()

    assert batches == [[5], [1], [8], [6], [2]]


def test_ripe_records_before_the_first_that_is_not_go_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind it the partition's order is kept, and the last that ripens keeps back all."""
    world = Lanes(monkeypatch, late(5, 6, 7), *[quiet] * 20)
    world.ripe_at = {6: 102.0, 7: 101.0}

    assert world.run() == [[5], [6, 7]]
    assert world.times[6] >= 102.0
    assert world.play.producer.transactions[0][0] == {("late", 0): 6}
    assert world.play.producer.transactions[1][0] == {("late", 0): 8}


def test_what_comes_behind_a_record_keeps_it_back_for_half_a_minute_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An import that goes on is built in pieces."""

    def one_a_second(number: int) -> Step:
        def step(consumer: FakeConsumer) -> list[FakeMessage]:
            world.now = 100.0 + number
            world.ripe_at[number] = world.now + 2.0
            return [FakeMessage("late", number)]

        return step

    world = Lanes(monkeypatch, *(one_a_second(number) for number in range(40)), *[quiet] * 20)

    assert world.run(batch_records_max=100) == [[*range(31)], [*range(31, 40)]]


def test_a_ripe_record_lets_what_is_before_it_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resync beside an import is not kept back; nor is anybody, where the builder is late."""
    world = Lanes(monkeypatch, late(5), late(6), quiet, quiet)
    world.ripe_at = {5: 102.0}

    assert world.run() == [[5, 6]]
    assert world.times[5] < 101.0


def test_no_more_is_kept_back_than_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then all of it goes, and nothing more is fetched meanwhile."""
    monkeypatch.setattr(deferred, "KEPT_MAX", 3)
    paused: list[set[tuple[str, int]]] = []

    def look(consumer: FakeConsumer) -> list[FakeMessage]:
        paused.append({(place.topic, place.partition) for place in consumer.paused})
        return []

    def last_with_a_live_one(consumer: FakeConsumer) -> list[FakeMessage]:
        return [FakeMessage("late", 7, 1), FakeMessage("in", 1)]

    world = Lanes(
        monkeypatch, late(5, 6), look, last_with_a_live_one, look, look, look, late(8), look, *[quiet] * 200
    )
    world.ripe_at = dict.fromkeys((5, 6, 7, 8), 130.0)
    both = {("late", 0), ("late", 1)}

    assert world.run(batch_records_max=2) == [[1], [5, 6], [7], [8]]
    assert paused == [set(), both, both, both, set()]
    assert (world.times[7] < 102.0, world.times[8] >= 130.0) == (True, True)


def test_what_ripens_is_not_committed_as_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that dies meanwhile left it to the next one."""
    world = Lanes(monkeypatch, late(5), *[quiet] * 3)
    world.ripe_at = {5: 200.0}
    world.play.consumer.committed_offset = 9

    assert world.run() == []
    assert world.play.consumer.committed_by_hand == [[("in", 9), ("late", 5), ("late", 9)]]


def test_a_batch_of_what_is_overdue_does_not_pass_what_ripens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its offsets are those of every partition."""
    world = Lanes(monkeypatch, late(5), quiet)
    world.ripe_at = {5: 200.0}
    world.play.consumer.committed_offset = 9

    assert world.run(overdue=lambda: not world.play.stage.batches) == [[]]
    assert world.play.producer.transactions[0][0] == {("in", 0): 9, ("late", 0): 5, ("late", 1): 9}


def test_a_live_record_goes_before_what_has_become_ripe(monkeypatch: pytest.MonkeyPatch) -> None:
    """As before any other bulk work."""

    def when_it_is_ripe(consumer: FakeConsumer) -> list[FakeMessage]:
        world.now = 103.0
        return [FakeMessage("in", 1)]

    world = Lanes(monkeypatch, late(5), when_it_is_ripe, quiet, quiet)
    world.ripe_at = {5: 102.0}

    assert world.run() == [[1], [5]]


def test_a_rebalance_forgets_what_ripens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has the partition now reads it again."""

    def reassigned(consumer: FakeConsumer) -> list[FakeMessage]:
        consumer.rebalance(("in", 0), ("late", 0), ("late", 1))
        return []

    world = Lanes(monkeypatch, late(5), reassigned, late(5), *[quiet] * 20)
    world.ripe_at = {5: 102.0}

    assert world.run() == [[5]]


def test_bulk_work_lets_live_records_pass_also_behind_a_batch_that_waited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The wait of a live batch ends with everything resumed, in the middle of looking for live records."""
    seen: list[list[str]] = []

    def look(consumer: FakeConsumer) -> list[FakeMessage]:
        seen.append([place.topic for place in consumer.paused])
        return []

    def busy(consumer: FakeConsumer) -> list[FakeMessage]:
        world.play.stage.failures = [Transient("busy", retry_after_s=0.1)]
        return records(1)(consumer)

    world = Lanes(monkeypatch, late(5), busy, quiet, late(6), look, quiet)

    assert world.run() == [[5], [1], [1], [6]]
    assert seen == [["late", "late"]]


def test_bulk_work_goes_on_when_a_rebalance_meets_it_paused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another builder joins in the moment after a bulk batch: what is kept here waited for ever."""

    def reassigned(consumer: FakeConsumer) -> list[FakeMessage]:
        assert consumer.paused
        consumer.rebalance(("in", 0), ("late", 0))
        return []

    world = Lanes(monkeypatch, late(5), reassigned, late(6), quiet)

    assert world.run() == [[5], [6]]


def test_a_batch_that_waited_until_its_partitions_went_forgets_what_ripens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It would be handed in twice, and its positions be those of another assignment."""

    def reassigned(consumer: FakeConsumer) -> list[FakeMessage]:
        consumer.rebalance(("in", 0), ("late", 0), ("late", 1))
        return []

    world = Lanes(monkeypatch, late(5), records(1), reassigned, late(5), *[quiet] * 20)
    world.ripe_at = {5: 102.0}
    world.play.stage.failures = [LONG]

    assert world.run() == [[1], [5]]


def test_ripe_partitions_are_handed_in_up_to_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A build is as large as it was allowed to be."""
    world = Lanes(monkeypatch, late(5, 6), late(7), late(8, 9, partition=1), *[quiet] * 30)
    world.ripe_at = dict.fromkeys((5, 6, 7, 8, 9), 101.0)

    assert world.run(batch_records_max=2) == [[5, 6], [7, 8], [9]]


def test_records_of_a_batch_are_counted_by_topic() -> None:
    """Once they are settled."""
    counted = counting("commerce_sync_records_total", "topic", stage="fake")
    play = Play(assigned, records(5, 6, 7), failures=[Transient("busy")])

    play.run()

    assert counted() == {"in": 3}


def test_the_lag_is_told_of_what_is_held_and_of_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a topic that others hold now it would stand still for ever, and be counted twice."""
    monkeypatch.setattr(loop, "LAG_EVERY_S", 0.0)
    metrics.LAG_RECORDS.clear()
    seen: list[dict[str, float]] = []

    def look(consumer: FakeConsumer) -> list[FakeMessage]:
        seen.append(sampled("commerce_sync_lag_records", "topic", stage="fake"))
        return []

    def both(consumer: FakeConsumer) -> list[FakeMessage]:
        consumer.rebalance(("in", 0), ("in", 1), ("other", 0))
        return []

    play = Play(both, quiet, look, assigned, quiet, look)
    monkeypatch.setattr(
        play.consumer, "get_watermark_offsets", lambda place, **_: (0, play.consumer.committed_offset + 4)
    )

    play.run()

    assert seen == [{"in": 8, "other": 4}, {"in": 4}]
