"""The sink benchmark: its service, its figures, and what people read of them."""

import gzip
import json

import pytest
import requests
from click.testing import CliRunner

from commerce_sync.bench import acceptor, figures
from commerce_sync.bench.commands import _sink_lines, bench
from commerce_sync.bench.figures import SinkRun
from commerce_sync.local.program import saying
from runtime.errors import Unreachable


def test_the_acceptor_counts_what_it_is_sent() -> None:
    """Compressed or not; its notes are given once."""
    with saying(acceptor.__name__, ["0"]) as (url, _), requests.Session() as session:
        plain = session.post(f"{url}/v1/catalog/products", data=b"[{},{}]")
        packed = session.post(
            f"{url}/v1/catalog/products",
            data=gzip.compress(b"[1,2,3]"),
            headers={"Content-Encoding": "gzip"},
        )
        taken = session.get(url + acceptor.TAKEN).json()
        again = session.get(url + acceptor.TAKEN).json()

    assert [plain.json(), packed.json()] == [{"status": "ACCEPTED", "acceptedCount": n} for n in (2, 3)]
    assert [count for _, count in taken] == [2, 3]
    assert again == []


def test_a_program_that_says_nothing_did_not_start() -> None:
    """The sentence tells how to see why."""
    with pytest.raises(Unreachable, match=r"run .python -m commerce_sync\.nothing. to see why"):
        saying("commerce_sync.nothing").__enter__()


def test_a_sink_s_figures_are_medians_of_its_runs() -> None:
    """One slow run moves none of them."""
    runs = [
        SinkRun(ours=5000.4, limit=10_000, cpu_ms=0.1, service_cpu_ms=0.02),
        SinkRun(ours=1, limit=2, cpu_ms=9, service_cpu_ms=9),
        SinkRun(ours=6000, limit=11_000, cpu_ms=0.09, service_cpu_ms=0.01),
    ]

    assert figures.sink_summary(runs) == {
        "ours": 5000,
        "limit": 10_000,
        "ratio": 0.5,
        "cpu_ms_per_item": 0.1,
        "service_cpu_ms_per_item": 0.02,
    }


def test_an_allowance_is_used_by_what_was_taken_in_its_time() -> None:
    """A refused request takes nothing and is told; what came after the time is not counted."""
    answers = [(0.0, 99, 200), (30.0, 0, 429), (59.9, 96, 200), (60.0, 99, 200)]

    assert figures.allowance_summary(answers, 60.0, 200) == {
        "items": 195,
        "allowed": 200,
        "used": 0.975,
        "requests": 3,
        "refused_429_percent": 33.33,
    }
    assert figures.allowance_summary([], 60.0, 200)["refused_429_percent"] == 0.0


def test_help_shows_an_example() -> None:
    """As of every command."""
    shown = CliRunner().invoke(bench, ["sink", "--help"])

    assert shown.exit_code == 0
    assert "Example: commerce-sync bench sink" in " ".join(shown.output.split())


def test_people_read_both_rates_and_the_allowance() -> None:
    """The same numbers as in the JSON object; without the last run its line is left out."""
    result = json.loads(
        '{"items": 21519, "runs": 5, "concurrency": 7, "answer_ms": 50,'
        ' "ours": 6500, "limit": 13000, "ratio": 0.5,'
        ' "cpu_ms_per_item": 0.14, "service_cpu_ms_per_item": 0.02,'
        ' "bare": {"ours": 6000, "limit": 90000, "ratio": 0.07},'
        ' "strict": {"ours": 2000, "limit": 2500, "ratio": 0.8},'
        ' "allowance": {"items": 1980, "allowed": 2000, "used": 0.99, "refused_429_percent": 0.0}}'
    )

    lines = _sink_lines(result)

    assert lines == [
        "21519 items, medians of 5 runs, 7 connections",
        "answers after 50 ms: feed topic to acceptance 6500 items/s, ready bodies 13000 items/s, ratio 0.5",
        "CPU of an item: 0.14 ms, at the service 0.02 ms",
        "bare acceptor: 6000 items/s, 90000 items/s, 0.07",
        "strict emulator: 2000 items/s, 2500 items/s, 0.8",
        "default allowance: 1980 of 2000 items, 0.99 of it used, 0.0 % answered 429",
    ]
    assert _sink_lines(result | {"allowance": None}) == lines[:-1]
