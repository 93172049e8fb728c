"""The topics' names and settings are a contract."""

from importlib.resources import files

from schemas.entities import ENTITY_OF, FEEDS, FEEDS_OF
from schemas.tables import CAPTURED_TABLES
from schemas.topics import TopicNames, connector_topics, pipeline_topics

NAMES = TopicNames("cs")
SMALL = ("scope", "attribute", "category")


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
        *(f"cs.dirty.{entity}{lane}" for entity in FEEDS_OF for lane in ("", ".bulk")),
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
    sent = [("optimizer", "products"), ("optimizer", "categories")]
    counts = {topic.name: topic.partitions for topic in pipeline_topics(NAMES, 3, sent)}

    of_products = {
        "cs.dirty.product",
        "cs.dirty.product.bulk",
        "cs.index.product",
        *(f"cs.feed.{feed}" for feed in FEEDS_OF["product"]),
        "cs.status.optimizer.products",
        "cs.dead-letter.optimizer.products",
        "cs.dead-letter.builder",
    }
    assert {name for name, partitions in counts.items() if partitions == 3} == of_products
    assert {name for name, partitions in counts.items() if partitions == 1} == {
        *(f"cs.dirty.{entity}{lane}" for entity in SMALL for lane in ("", ".bulk")),
        *(f"cs.index.{entity}" for entity in SMALL),
        *(f"cs.feed.{feed}" for entity in SMALL for feed in FEEDS_OF[entity]),
        "cs.status.optimizer.categories",
        "cs.dead-letter.optimizer.categories",
        "cs.dead-letter.router",
        "cs.control",
    }
    assert {topic.partitions for topic in connector_topics(NAMES, "shop", "")} == {1}


def test_every_topic_takes_our_largest_message() -> None:
    """One large item must not stop a stage."""
    topics = [*connector_topics(NAMES, "shop", ""), *pipeline_topics(NAMES, 3, [("a", "products")])]

    assert {topic.config["max.message.bytes"] for topic in topics} == {"8388608"}


def test_every_feed_is_made_of_one_kind_of_entity_and_has_a_schema() -> None:
    """One builder speaks for a feed; what is in no schema cannot be written."""
    written = {file.name.removesuffix(".avsc") for file in files("schemas").joinpath("avro").iterdir()}

    assert sorted(feed for feeds in FEEDS_OF.values() for feed in feeds) == sorted(FEEDS)
    assert set(ENTITY_OF) == written
