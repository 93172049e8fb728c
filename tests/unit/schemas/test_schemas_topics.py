"""The topics' names and settings are a contract."""

from schemas.tables import CAPTURED_TABLES
from schemas.topics import TopicNames, connector_topics, pipeline_topics

NAMES = TopicNames("cs")


def test_the_names_are_those_that_operators_know() -> None:
    """Dots between the parts, the prefix first."""
    assert [
        NAMES.change("shop", "store"),
        NAMES.change_prefix,
        NAMES.heartbeat,
        NAMES.schema_history,
        NAMES.dirty("product"),
        NAMES.dirty("product", "bulk"),
        NAMES.index("product"),
        NAMES.feed("products"),
        NAMES.status("optimizer", "products"),
        NAMES.dead_letter("optimizer", "products"),
        NAMES.dead_letter("router"),
        NAMES.dead_letter("builder"),
        NAMES.control,
    ] == [
        "cs.change.shop.store",
        "cs.change",
        "__debezium-heartbeat.cs.change",
        "cs.schema-history",
        "cs.dirty.product",
        "cs.dirty.product.bulk",
        "cs.index.product",
        "cs.feed.products",
        "cs.status.optimizer.products",
        "cs.dead-letter.optimizer.products",
        "cs.dead-letter.router",
        "cs.dead-letter.builder",
        "cs.control",
    ]


def test_queues_are_kept_a_week_and_state_is_compacted() -> None:
    """A compacted change topic would lose edits; a state topic that expires would lose items."""
    topics = [
        *connector_topics(NAMES, "shop", "m2_"),
        *pipeline_topics(NAMES, 3, [("optimizer", "products")]),
    ]

    policies = {topic.name: topic.config["cleanup.policy"] for topic in topics}
    queues = {name for name, policy in policies.items() if policy == "delete"}
    assert queues == {
        *(f"cs.change.shop.m2_{table}" for table in CAPTURED_TABLES),
        "cs.change",
        "__debezium-heartbeat.cs.change",
        "cs.schema-history",
        "cs.dirty.product",
        "cs.dirty.product.bulk",
    }
    assert set(policies.values()) == {"delete", "compact"}
    week_ms = str(7 * 24 * 3600 * 1000)
    assert {t.config["delete.retention.ms"] for t in topics if t.name not in queues} == {week_ms}
    assert {t.config["retention.ms"] for t in topics if ".dirty." in t.name or ".shop." in t.name} == {
        week_ms
    }


def test_the_schema_history_is_never_deleted() -> None:
    """Without it the connector cannot read the log again."""
    (history,) = [topic for topic in connector_topics(NAMES, "shop", "") if topic.name == "cs.schema-history"]

    assert (history.config["retention.ms"], history.config["retention.bytes"]) == ("-1", "-1")


def test_one_worker_can_own_an_entity_on_every_topic() -> None:
    """The same count wherever records are keyed by the entity; one where total order is worth more."""
    counts = {
        topic.name: topic.partitions for topic in pipeline_topics(NAMES, 3, [("optimizer", "products")])
    }

    assert counts == {
        "cs.dirty.product": 3,
        "cs.dirty.product.bulk": 3,
        "cs.index.product": 3,
        "cs.feed.products": 3,
        "cs.status.optimizer.products": 3,
        "cs.dead-letter.optimizer.products": 3,
        "cs.dead-letter.router": 1,
        "cs.dead-letter.builder": 3,
        "cs.control": 1,
    }
    assert {topic.partitions for topic in connector_topics(NAMES, "shop", "")} == {1}


def test_every_topic_takes_our_largest_message() -> None:
    """One large item must not stop a stage."""
    topics = [*connector_topics(NAMES, "shop", ""), *pipeline_topics(NAMES, 3, [("a", "products")])]

    assert {topic.config["max.message.bytes"] for topic in topics} == {"8388608"}
