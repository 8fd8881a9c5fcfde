"""``VideoRequest``: one vocabulary for what a person wants, whatever contract carries it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any

from . import checks
from .catalog import Problem
from .values import (
    CameraControl,
    DynamicMask,
    Shot,
    as_camera,
    as_mask,
    as_plain,
    as_shot,
    as_tuple,
    is_integer,
    is_set,
)

__all__ = ["CameraControl", "DynamicMask", "Problem", "Shot", "VideoRequest"]


@dataclass(frozen=True, repr=False)
class VideoRequest:
    """A video that somebody wants.

    Building one never fails: what the service would refuse is listed by ``problems()``. ``None``, the empty
    string and the empty tuple mean "not set". Lists become tuples, and the parts may be given in the forms
    that the service writes. The limits are those of the service's documentation, "Submit: request".

    Attributes:
        model: ``kling-v3``, ``kling-v2-master``, ``kling-v1-6``, ``kling-v1``; another one is sent as it is.
        prompt: what the video shows, at most 2500 characters. Absent when there are ``shots``.
        action: the kind of operation.
        aspect_ratio: ``16:9``, ``9:16``, ``1:1``. With an input image the image decides.
        duration: seconds: 5 or 10, for ``kling-v3`` any of 3 to 15. With ``shots``, they decide.
        negative_prompt: what to avoid, at most 2500 characters (``kling-v1``, ``kling-v1-6``).
        image_urls: one public http(s) URL of a JPEG, PNG or WebP, up to 10 MB: the first frame.
        last_frame: a public http(s) URL of the last frame; needs ``image_urls``.
        callback_url: where the service posts to when the task ends.
        mode: ``std`` (720P) or ``pro`` (1080P).
        cfg_scale: 0 to 1, higher follows the prompt more closely (``kling-v1``, ``kling-v1-6``).
        enable_audio: sound (``kling-v3``; the service's default is on).
        camera_control: how the camera moves (``kling-v1-6``).
        static_mask: a public URL of a PNG: the area of the input image that stays still (``kling-v1-6``).
        dynamic_masks: up to 6 areas of the input image that move (``kling-v1-6``).
        shots: 2 to 6 shots, instead of ``prompt`` and ``duration`` (``kling-v3``).
    """

    model: str = "kling-v3"
    prompt: str = ""
    _: KW_ONLY
    action: str = "generate"
    aspect_ratio: str = "16:9"
    duration: int = 5
    negative_prompt: str | None = None
    image_urls: tuple[str, ...] = ()
    last_frame: str | None = None
    callback_url: str | None = None
    mode: str = "std"
    cfg_scale: float | None = None
    enable_audio: bool | None = None
    camera_control: CameraControl | None = None
    static_mask: str | None = None
    dynamic_masks: tuple[DynamicMask, ...] = ()
    shots: tuple[Shot, ...] = ()

    def __post_init__(self) -> None:
        for name in ("duration", "cfg_scale", "enable_audio"):
            object.__setattr__(self, name, as_plain(getattr(self, name)))
        object.__setattr__(self, "image_urls", as_tuple(self.image_urls))
        object.__setattr__(self, "camera_control", as_camera(self.camera_control))
        object.__setattr__(self, "dynamic_masks", as_tuple(self.dynamic_masks, as_mask))
        object.__setattr__(self, "shots", as_tuple(self.shots, as_shot))

    def __repr__(self) -> str:
        return f"VideoRequest({', '.join(f'{name}={value!r}' for name, value in self._chosen().items())})"

    @property
    def is_multi_shot(self) -> bool:
        """Whether shots stand instead of the prompt and the duration."""
        return is_set(self.shots)

    @property
    def is_image_to_video(self) -> bool:
        """Whether the video starts from an image."""
        return is_set(self.image_urls)

    @property
    def seconds(self) -> int:
        """The length of the video in seconds; 0 where what is given is no length."""
        if not self.is_multi_shot:
            return self.duration if is_integer(self.duration) else 0
        shots = self.shots if isinstance(self.shots, tuple) else ()
        return sum(shot.duration for shot in shots if isinstance(shot, Shot) and is_integer(shot.duration))

    def problems(self) -> tuple[Problem, ...]:
        """Everything for which the service would refuse this request; empty when it should take it."""
        return checks.check(self)

    def warnings(self, *, local_service: bool = False) -> tuple[Problem, ...]:
        """What to know before sending: an unknown model, and limits that only Kling itself documents.

        Args:
            local_service: whether a server on this machine answers, which reaches private addresses too.
        """
        return checks.advise(self, local_service=local_service)

    def replace(self, **changes: Any) -> VideoRequest:
        """A copy with some fields changed.

        Raises:
            TypeError: for a field that does not exist.
        """
        return dataclasses.replace(self, **changes)

    def as_dict(self) -> dict[str, Any]:
        """The model and every field that differs from its default, as JSON; ``from_dict`` reads it back."""
        return {name: _plain(value) for name, value in self._chosen().items()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> VideoRequest:
        """The request that ``as_dict`` wrote down.

        Raises:
            TypeError: for a field that does not exist.
        """
        return cls(**data)

    def _chosen(self) -> dict[str, Any]:
        chosen = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            # The type is compared first: True is not the duration 1, and an array has no single "!=".
            if field.name == "model" or type(value) is not type(field.default) or value != field.default:
                chosen[field.name] = value
        return chosen


def _plain(value: Any) -> Any:
    if isinstance(value, (Shot, CameraControl, DynamicMask)):
        return value.as_dict()
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
