"""Log files as operators know them: collecting and transmitting, each with its errors alone."""

import json
import logging
import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime import logs
from runtime.errors import UsageError

log = logging.getLogger("test")
PROCESSES, LINES = 4, 50


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """The handlers of the test run come back."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield
    for handler in root.handlers:
        if handler not in before:
            handler.close()
    root.handlers[:] = before
    root.setLevel(level)


def lines(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    ("role", "everything", "errors"),
    [
        ("builder.here-0", "commerce-data-export.log", "commerce-data-export-errors.log"),
        ("ledger.here-0", "commerce-data-export.log", "commerce-data-export-errors.log"),
        ("sink.shop.here-0", "saas-export.log", "saas-export-errors.log"),
    ],
)
def test_a_role_writes_its_pair_of_files(tmp_path: Path, role: str, everything: str, errors: str) -> None:
    """All lines in the one, only errors in the other, and no file of the other pair."""
    logs.configure(role, log_dir=tmp_path / "new")
    log.info("fine", extra={"partition": 3})
    log.error("broken")

    assert sorted(file.name for file in (tmp_path / "new").iterdir()) == sorted([everything, errors])
    told = [(line["event"], line["role"]) for line in lines(tmp_path / "new" / everything)]
    assert told == [("fine", role), ("broken", role)]
    assert [line["event"] for line in lines(tmp_path / "new" / errors)] == ["broken"]


def test_a_file_that_was_moved_away_is_begun_anew(tmp_path: Path) -> None:
    """As logrotate does it."""
    logs.configure("sink", log_dir=tmp_path)
    log.info("before")
    (tmp_path / "saas-export.log").rename(tmp_path / "old")
    log.info("behind")

    assert [line["event"] for line in lines(tmp_path / "old")] == ["before"]
    assert [line["event"] for line in lines(tmp_path / "saas-export.log")] == ["behind"]


def write(folder: Path, number: int) -> None:
    logs.configure(f"sink.{number}", log_dir=folder)
    for _ in range(LINES):
        log.info("payload sent", extra={"payload": str(number) * 100_000})


def test_lines_of_several_processes_stay_whole(tmp_path: Path) -> None:
    """Long ones too, as payloads are."""
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=write, args=(tmp_path, number)) for number in range(PROCESSES)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)

    told = [str(line["payload"]) for line in lines(tmp_path / "saas-export.log")]
    assert sorted(told) == sorted(str(n) * 100_000 for n in range(PROCESSES) for _ in range(LINES))


def test_a_folder_that_cannot_be_is_a_usage_error(tmp_path: Path) -> None:
    """One sentence, no traceback."""
    (tmp_path / "file").touch()

    with pytest.raises(UsageError, match=r"--log-dir .*file/logs cannot be written to"):
        logs.configure("run", log_dir=tmp_path / "file" / "logs")


def test_warnings_and_errors_carry_their_number(tmp_path: Path) -> None:
    """Ours by their phrase, a library's by its name; what is fine has none."""
    logs.configure("builder", log_dir=tmp_path)
    log.info("role starts")
    log.warning("batch put off", extra={"attempt": 3})
    log.error("role ends")
    logging.getLogger("librdkafka").warning("FAIL [thrd:broker]: connect refused")
    logging.getLogger("some.library").warning("100%% of it")

    told = lines(tmp_path / "commerce-data-export.log")
    assert [line.get("code") for line in told] == [None, "CS0104", "CS0103", "CS0190", "CS0199"]
    assert [line["event"] for line in told[:3]] == ["role starts", "batch put off", "role ends"]
