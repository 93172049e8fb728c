"""What a command makes of the run of its kind: take its place, wait for its end, stop it, go on. Pure."""

from collections.abc import Iterable

import msgspec

from runtime.record import Record
from schemas.records import RESYNC_KEYS, ResyncProgress, newer

_DECODER = msgspec.json.Decoder(ResyncProgress)


def decode(record: Record) -> ResyncProgress | None:
    """A resync's record; None when it is another one.

    Raises:
        msgspec.MsgspecError: it cannot be read.
    """
    if record.value is None or record.key not in RESYNC_KEYS:
        return None
    return _DECODER.decode(record.value)


def newest_runs(records: Iterable[Record]) -> dict[bytes, ResyncProgress]:
    """Where each kind's run stands, by the topic from its beginning: of several the one named last.

    The remains of a run that was replaced may stand behind it.
    """
    runs: dict[bytes, ResyncProgress] = {}
    for record in records:
        try:
            progress = decode(record)
        except msgspec.MsgspecError:
            continue
        if progress is None or progress.is_command:
            continue
        known = runs.get(record.key)
        if known is None or progress.requested_ms >= known.requested_ms:
            runs[record.key] = progress
    return runs


def obey(command: ResyncProgress, run: ResyncProgress | None) -> ResyncProgress | None:
    """The run after a command; None leaves everything as it is.

    A request joins what runs: it begins where that one stands and goes once around. Where what is sent
    differs, it waits for its end.
    """
    runs_now = run is not None and run.state == "running"
    name = command.requested_ms if run is None else max(command.requested_ms, run.requested_ms + 1)
    match command.state:
        case "stop" if run is not None and runs_now:
            return msgspec.structs.replace(run, state="stopped", requested_ms=name)
        case "continue" if run is not None and run.state in {"running", "stopped"}:
            return msgspec.structs.replace(run, state="running", requested_ms=name)
        case "requested" if run is not None and runs_now and run.cleanup and not command.cleanup:
            return msgspec.structs.replace(run, queued=_joined(run.queued, command))
        case "requested":
            return _begun(command, run, name)
    return None


def next_run(ended: ResyncProgress) -> ResyncProgress | None:
    """The request that waited for this run's end."""
    if ended.queued is None:
        return None
    name = max(ended.queued.requested_ms, ended.requested_ms + 1)
    return _begun(ended.queued, ended, name)


def _begun(request: ResyncProgress, run: ResyncProgress | None, name: int) -> ResyncProgress:
    """The request as a run of its own, named later than the one it takes the place of."""
    begun = msgspec.structs.replace(
        request, state="running", requested_ms=name, compared_to=run.compared_to if run else 0
    )
    if run is None or run.state != "running":
        return begun
    # Built are all feeds in any case; a cleanup has its own ones sent, not those of a run without.
    is_alone = request.cleanup and not run.cleanup
    return msgspec.structs.replace(
        begun,
        feeds=request.feeds if is_alone else _united(run.feeds, request.feeds),
        cursor=run.cursor,
        began=run.cursor,
        position=newer(run.position, request.position),
        queued=run.queued,
    )


def _joined(waiting: ResyncProgress | None, request: ResyncProgress) -> ResyncProgress:
    if waiting is None:
        return request
    return msgspec.structs.replace(
        request,
        feeds=_united(waiting.feeds, request.feeds),
        requested_ms=max(waiting.requested_ms, request.requested_ms),
        position=newer(waiting.position, request.position),
    )


def _united(some: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*some, *others)))
