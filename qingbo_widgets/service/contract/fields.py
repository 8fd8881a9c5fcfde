"""The keyword arguments of a request as types, for editors and type checkers. Nothing reads them at run time.

The descriptions of the models decide which fields there are; a test compares these types with them. A value
may be given in every form that ``VideoRequest`` reads, and ``None`` leaves a field unset.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, SupportsFloat, SupportsIndex, TypeAlias, TypedDict

from .values import CameraControl, DynamicMask, Shot

__all__ = [
    "Camera",
    "EveryField",
    "Fields",
    "FieldsAndModel",
    "Masks",
    "Media",
    "Objects",
    "Shots",
    "SweptFields",
    "Urls",
]

#: A URL, a path, or a picture in memory; see ``VideoRequest``.
Media: TypeAlias = Any
Urls: TypeAlias = str | Iterable[str] | None
Camera: TypeAlias = CameraControl | str | Mapping[str, Any] | None
Masks: TypeAlias = DynamicMask | Mapping[str, Any] | Iterable[DynamicMask | Mapping[str, Any]] | None
Objects: TypeAlias = Mapping[str, Any] | Iterable[Mapping[str, Any] | tuple[Any, ...] | Shot] | None
Shots: TypeAlias = Iterable[Shot | tuple[str, int] | Mapping[str, Any]] | None


class Fields(TypedDict, total=False):
    """Every field but the model and the prompt."""

    image: Media
    action: str | None
    aspect_ratio: str | None
    duration: SupportsIndex | None
    negative_prompt: str | None
    image_urls: Media
    last_frame: Media
    callback_url: str | None
    mode: str | None
    cfg_scale: SupportsFloat | None
    enable_audio: bool | None
    camera_control: Camera
    static_mask: Media
    dynamic_masks: Masks
    shots: Shots
    resolution: str | None
    video_urls: Media
    image_with_roles: Objects
    element_list: Objects
    generate_audio: bool | None
    multi_shot: bool | None
    shot_type: str | None
    multi_prompt: Objects
    character_orientation: str | None
    keep_original_sound: str | None
    watermark: bool | None
    n: SupportsIndex | None
    callback_events: Urls


class FieldsAndModel(Fields, total=False):
    """Every field but the prompt."""

    model: str


class EveryField(FieldsAndModel, total=False):
    """Every field."""

    prompt: str


class SweptFields(TypedDict, total=False):
    """Every field, for ``sweep``: a value, or a list of those to compare."""

    model: Any
    prompt: Any
    image: Any
    action: Any
    aspect_ratio: Any
    duration: Any
    negative_prompt: Any
    image_urls: Any
    last_frame: Any
    callback_url: Any
    mode: Any
    cfg_scale: Any
    enable_audio: Any
    camera_control: Any
    static_mask: Any
    dynamic_masks: Any
    shots: Any
    resolution: Any
    video_urls: Any
    image_with_roles: Any
    element_list: Any
    generate_audio: Any
    multi_shot: Any
    shot_type: Any
    multi_prompt: Any
    character_orientation: Any
    keep_original_sound: Any
    watermark: Any
    n: Any
    callback_events: Any
