"""Every metric of the project: one catalogue, so that rules and dashboards can be checked against it."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

_FRESHNESS_BUCKETS: Final = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21600)
_BATCH_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

ITEMS: Final = Counter(
    "commerce_sync_items_total",
    "Items settled at a target; outcome: delivered, resent (once more, after an unknown outcome), "
    "unchanged, superseded, retryable, attention, deleted.",
    ("target", "feed", "outcome"),
)
FRESHNESS: Final = Histogram(
    "commerce_sync_freshness_seconds",
    "From the oldest unsent source commit of an identity to the service's acceptance.",
    ("target", "feed", "lane"),
    buckets=_FRESHNESS_BUCKETS,
)
LAG_RECORDS: Final = Gauge(
    "commerce_sync_lag_records", "Records between a stage's position and the log's end.", ("stage", "topic")
)
LAG_SECONDS: Final = Gauge(
    "commerce_sync_lag_seconds",
    "Age of the source commit a stage worked on last, when it was done.",
    ("stage",),
)
DEAD_LETTERS: Final = Gauge(
    "commerce_sync_dead_letters", "Items failing right now.", ("target", "feed", "class")
)
HTTP_REQUESTS: Final = Counter(
    "commerce_sync_http_requests_total",
    "Requests to a target; status is the HTTP code, or 'error' without an answer.",
    ("target", "feed", "operation", "status"),
)
RECORDS: Final = Counter(
    "commerce_sync_records_total", "Records a stage has read and settled.", ("stage", "topic")
)
ENTITIES_BUILT: Final = Counter(
    "commerce_sync_entities_built_total",
    "Entities through the builder; outcome: built, covered, parked.",
    ("entity", "outcome"),
)
ITEMS_EMITTED: Final = Counter(
    "commerce_sync_items_emitted_total",
    "Items the builder compared; outcome: changed, unchanged, deleted.",
    ("feed", "lane", "outcome"),
)
AUDIT_DRIFT: Final = Gauge(
    "commerce_sync_audit_drift_items",
    "Items that differ from a fresh build though nothing is on its way; target: 'feed topic', or a target.",
    ("feed", "target", "kind"),
)
AUDIT_PASS: Final = Gauge(
    "commerce_sync_audit_pass_timestamp_seconds",
    "When the audit had last gone through all entities of a kind; before it has, when its role began.",
    ("entity",),
)
AUDIT_PROGRESS: Final = Gauge(
    "commerce_sync_audit_progress_ratio", "How much of a kind the audit's present pass has seen.", ("entity",)
)
BATCH_SECONDS: Final = Histogram(
    "commerce_sync_batch_seconds", "Time of one batch, commit included.", ("stage",), buckets=_BATCH_BUCKETS
)
