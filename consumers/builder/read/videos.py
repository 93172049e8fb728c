"""Texts of the gallery's videos."""

from collections import defaultdict

from consumers.builder.read.reader import Ids, Plan, select
from consumers.builder.rules.media import VideoValue


def read_videos(prefix: str, ids: Ids) -> Plan[dict[int, dict[int, dict[int, VideoValue]]]]:
    """By product id, by the gallery's value id and by store id."""
    table = f"{prefix}catalog_product_entity_media_gallery_value"
    rows = yield from select(
        "SELECT e.entity_id, v.value_id, v.store_id, v.provider, v.url, v.title, v.description, v.metadata"
        f" FROM {table}_to_entity e JOIN {table}_video v ON v.value_id = e.value_id WHERE e.entity_id IN %s",
        ids,
    )
    videos: dict[int, dict[int, dict[int, VideoValue]]] = defaultdict(lambda: defaultdict(dict))
    for product_id, value_id, store_id, *texts in rows:
        videos[product_id][value_id][store_id] = VideoValue(*texts)
    return videos
