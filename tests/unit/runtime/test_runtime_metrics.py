"""Every metric has a name of the agreed form and somebody who sets it."""

import re
from pathlib import Path

import pytest
from prometheus_client.metrics import MetricWrapperBase

from runtime import metrics

ROOT = Path(__file__).parents[3]
PARTS = ("runtime", "producers", "consumers", "commerce_sync")
DECLARED = {name: value for name, value in vars(metrics).items() if isinstance(value, MetricWrapperBase)}
# A count that has no unit says what it counts.
COUNTED = ("_records", "_dead_letters", "_items")
# Names that dashboards and alerts were promised.
FIXED = {
    "commerce_sync_items_total": ("target", "feed", "outcome"),
    "commerce_sync_freshness_seconds": ("target", "feed", "lane"),
    "commerce_sync_lag_records": ("stage", "topic"),
    "commerce_sync_lag_seconds": ("stage",),
    "commerce_sync_dead_letters": ("target", "feed", "class"),
    "commerce_sync_http_requests_total": ("target", "feed", "operation", "status"),
    "commerce_sync_audit_drift_items": ("feed", "target", "kind"),
    "commerce_sync_audit_pass_timestamp_seconds": ("entity",),
    "commerce_sync_audit_progress_ratio": ("entity",),
}
# Set with the sink's retry cycle.
NOT_SET_YET = {"DEAD_LETTERS"}


def exported(metric: MetricWrapperBase) -> str:
    """Its name as a scrape shows it."""
    return metric._name + ("_total" if metric._type == "counter" else "")


@pytest.mark.parametrize("metric", DECLARED.values(), ids=DECLARED)
def test_a_name_says_what_in_which_unit(metric: MetricWrapperBase) -> None:
    """Base units only; the client would take `lag_ms` in silence."""
    name = exported(metric)

    assert re.fullmatch(r"commerce_sync_[a-z]+(_[a-z]+)*", name)
    assert name.endswith(("_total", "_seconds", "_bytes", "_ratio", *COUNTED))


def test_the_promised_metrics_are_there_with_their_labels() -> None:
    """An alert on a name that nobody exports is silent for ever."""
    there = {exported(metric): metric._labelnames for metric in DECLARED.values()}

    assert {name: there.get(name) for name in FIXED} == FIXED


def test_every_metric_is_set_somewhere() -> None:
    """One that nobody sets shows nothing, which looks like nothing is wrong."""
    code = "\n".join(
        file.read_text(encoding="utf-8")
        for part in PARTS
        for file in (ROOT / part).rglob("*.py")
        if file.name != "metrics.py"
    )

    unset = {name for name in DECLARED if f"metrics.{name}." not in code}

    assert unset <= NOT_SET_YET


def test_every_metric_that_is_used_exists() -> None:
    """A misspelled name is found here and not when its line runs."""
    used = {
        name
        for part in PARTS
        for file in (ROOT / part).rglob("*.py")
        for name in re.findall(r"\bmetrics\.([A-Z_]+)\b", file.read_text(encoding="utf-8"))
    }

    assert used <= set(DECLARED)
