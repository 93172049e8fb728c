"""Texts of the gallery's videos."""

from collections import defaultdict

from consumers.builder.read.reader import Ids, Reader, select
from consumers.builder.rules.media import VideoValue


def read_videos(reader: Reader, prefix: str, value_ids: Ids) -> dict[int, dict[int, VideoValue]]:
    """By the gallery's value id and by store id."""
    videos: dict[int, dict[int, VideoValue]] = defaultdict(dict)
    rows = select(
        reader,
        "SELECT value_id, store_id, provider, url, title, description, metadata"
        f" FROM {prefix}catalog_product_entity_media_gallery_value_video WHERE value_id IN %s",
        value_ids,
    )
    for value_id, store_id, *texts in rows:
        videos[value_id][store_id] = VideoValue(*texts)
    return videos
