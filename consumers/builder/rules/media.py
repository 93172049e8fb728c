"""`images[]` and `videos[]`: the gallery in one store view."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from consumers.builder.values import DEFAULT_STORE, GalleryRow, GalleryValue, StoreView

ROLES: Final = ("image", "small_image", "thumbnail", "swatch_image")
_VIDEO: Final = "external-video"
_NOTHING: Final = GalleryValue(None, None, None)


@dataclass(frozen=True, slots=True)
class VideoValue:
    """What one store says of a video; each member may be absent."""

    provider: str | None = None
    url: str | None = None
    title: str | None = None
    description: str | None = None
    metadata: str | None = None


# value id -> store id -> what that store says
Videos = Mapping[int, Mapping[int, VideoValue]]


def images(
    gallery: Iterable[GalleryRow], files_of_roles: Mapping[str, str | None], view: StoreView
) -> list[dict[str, Any]]:
    """Pictures in their order; files of equal position by name.

    Args:
        files_of_roles: the file each role names in this store view, by role.
    """
    return [
        {"resource": resource, "sortOrder": position}
        for _, resource, position in _placed(gallery, "image", files_of_roles, view)
    ]


def videos(
    gallery: Iterable[GalleryRow], texts: Videos, files_of_roles: Mapping[str, str | None], view: StoreView
) -> list[dict[str, Any]]:
    """Videos in their order, each with its preview picture; files of equal position by name."""
    return [
        {"preview": resource, "video": _video(texts.get(picture.value_id, {}), view), "sortOrder": position}
        for picture, resource, position in _placed(gallery, _VIDEO, files_of_roles, view)
    ]


def _placed(
    gallery: Iterable[GalleryRow], media_type: str, files_of_roles: Mapping[str, str | None], view: StoreView
) -> list[tuple[GalleryRow, dict[str, Any], str]]:
    """Each picture with its resource and its position as text, in order."""
    pictures = [picture for picture in gallery if picture.media_type == media_type]
    if not pictures:
        return []
    shown = sorted(
        ((_value(picture, view), picture) for picture in pictures),
        key=lambda pair: (pair[0], pair[1].value_id),
    )
    return [
        (
            picture,
            {
                "url": f"{view.media_base_url}catalog/product{picture.file}",
                "label": label,
                "roles": [
                    *(role for role, file in files_of_roles.items() if file == picture.file),
                    *(["hide_from_pdp"] if disabled else []),
                ],
            },
            str(position),
        )
        for (position, _, label, disabled), picture in shown
    ]


def _value(picture: GalleryRow, view: StoreView) -> tuple[int, str, str, bool]:
    default = picture.stores.get(DEFAULT_STORE, _NOTHING)
    own = picture.stores.get(view.store_id, default)
    label = own.label if own.label is not None else default.label
    position = own.position if own.position is not None else default.position
    disabled = own.disabled if own.disabled is not None else default.disabled
    return position or 0, picture.file, label or "", bool(disabled)


def _video(texts: Mapping[int, VideoValue], view: StoreView) -> dict[str, Any] | None:
    said = [texts[store_id] for store_id in (view.store_id, DEFAULT_STORE) if store_id in texts]
    video = {
        "videoProvider": _first(value.provider for value in said),
        "videoUrl": _first(value.url for value in said),
        "videoTitle": _first(value.title for value in said),
        "videoDescription": _first(value.description for value in said),
        "videoMetadata": _first(value.metadata for value in said),
    }
    return {**video, "mediaType": _VIDEO} if any(video.values()) else None


def _first(values: Iterable[Any]) -> Any:
    return next((value for value in values if value is not None), None)
