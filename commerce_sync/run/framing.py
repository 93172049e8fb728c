"""How this process frames feed values, by its settings."""

from runtime.settings import Settings
from schemas.topics import TopicNames


def choose_framing(settings: Settings) -> None:
    """With a schema registry where one is set."""
    if settings.kafka.schema_registry_url:
        # Most processes have none, and some have nothing to do with items.
        from runtime.registry import use_registry

        use_registry(settings.kafka.schema_registry_url, TopicNames(settings.kafka.topic_prefix))
