"""How far consumer groups are behind, asked of the broker."""

from collections.abc import Iterable, Mapping

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from runtime.kafka import committed_offsets, watermarks

Place = tuple[str, int]  # topic, partition


def ends(asker: Consumer, places: Iterable[Place]) -> dict[Place, int]:
    """The next offset of each partition's log, as it is now.

    Raises:
        Unreachable: the broker does not answer.
    """
    return {place: watermarks(asker, *place)[1] for place in places}


def behind(admin: AdminClient, group: str, until: Mapping[Place, int]) -> int:
    """Records (transaction markers included) a group has still to settle before `until`.

    0 means that everything before those offsets is settled.

    Raises:
        Unreachable: the broker does not answer.
    """
    places = [TopicPartition(topic, partition) for topic, partition in until]
    committed = committed_offsets(admin, group, places)
    return sum(max(0, until[place.topic, place.partition] - max(0, place.offset)) for place in committed)
