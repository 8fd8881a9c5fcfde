"""The traits of a form, with their types for editors and type checkers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from traitlets import HasTraits, Tuple

from ...service.contract.models import models_of
from ...service.contract.problem import Problem
from .traits import traits_of

if TYPE_CHECKING:
    from traitlets import TraitType

    from ...service.contract import fields as types
    from ...service.contract.values import CameraControl, DynamicMask, Shot

__all__ = ["FormTraits", "Problems"]

Problems = tuple[Problem, ...]


class FormTraits(HasTraits):
    """A trait for each field that some model takes, and one for the problems of the request."""

    vars().update(traits_of(models_of()))  # of the default contract; a form of another one gets its own
    model: str
    prompt: str
    action: str
    aspect_ratio: str
    duration: int
    negative_prompt: str | None
    image_urls: TraitType[tuple[str, ...], types.Urls]
    last_frame: str | None
    callback_url: str | None
    mode: str
    cfg_scale: float | None
    enable_audio: bool | None
    camera_control: TraitType[CameraControl | None, types.Camera]
    static_mask: str | None
    dynamic_masks: TraitType[tuple[DynamicMask, ...], types.Masks]
    shots: TraitType[tuple[Shot, ...], types.Shots]
    resolution: str | None
    video_urls: TraitType[tuple[str, ...], types.Urls]
    image_with_roles: TraitType[tuple[Mapping[str, Any], ...], types.Objects]
    element_list: TraitType[tuple[Mapping[str, Any], ...], types.Objects]
    generate_audio: bool | None
    multi_shot: bool | None
    shot_type: str | None
    multi_prompt: TraitType[tuple[Mapping[str, Any], ...], types.Objects]
    character_orientation: str | None
    keep_original_sound: str | None
    watermark: bool | None
    n: int | None
    callback_events: TraitType[tuple[str, ...], types.Urls]
    problems: Problems = Tuple(  # type: ignore[assignment]  # traitlets cannot type the members
        read_only=True, help="The reasons why the service would refuse the request; empty if it is ready."
    )
