"""Which model takes what: the tables of contract 2026-04, as data.

``checks.py`` reads them to find problems, the form reads them to know what to offer.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ...i18n import N_
from ..secrets.known_keys import hide

__all__ = [
    "ASPECT_RATIOS",
    "CAMERA_AXES",
    "CAMERA_AXIS_RANGE",
    "CAMERA_TYPES",
    "CFG_SCALE_RANGE",
    "COMMON_FIELDS",
    "DYNAMIC_MASKS_LIMIT",
    "MODELS",
    "MODES",
    "PROMPT_LIMIT",
    "SHOTS_LIMIT",
    "SHOTS_SECONDS",
    "TRAJECTORY_POINTS",
    "ModelSpec",
    "Problem",
    "closest_model",
    "models_taking",
    "spec_of",
    "takes",
]

ASPECT_RATIOS = ("16:9", "9:16", "1:1")
#: ``std`` renders 720P, ``pro`` renders 1080P.
MODES = ("std", "pro")
#: Characters, for ``prompt``, ``negative_prompt`` and the prompt of a shot, which stands instead of it.
PROMPT_LIMIT = 2500
CFG_SCALE_RANGE = (0.0, 1.0)
#: Fewest and most shots of a multi-shot request.
SHOTS_LIMIT = (2, 6)
#: Fewest and most seconds that the shots may add up to.
SHOTS_SECONDS = (3, 15)
#: ``simple`` takes a ``config`` of axes, the others are presets and take none.
CAMERA_TYPES = ("simple", "down_back", "forward_up", "right_turn_forward", "left_turn_forward")
#: Each axis, and what its negative and positive ends mean.
CAMERA_AXES: Mapping[str, str] = MappingProxyType(
    {
        "horizontal": "move left (-) or right (+)",
        "vertical": "move down (-) or up (+)",
        "pan": "turn down (-) or up (+)",
        "tilt": "turn left (-) or right (+)",
        "roll": "roll counter-clockwise (-) or clockwise (+)",
        "zoom": "zoom in (-) or out (+)",
    }
)
CAMERA_AXIS_RANGE = (-10, 10)
DYNAMIC_MASKS_LIMIT = 6
#: Fewest and most points of a dynamic mask's trajectory.
TRAJECTORY_POINTS = (2, 77)

#: The fields of ``VideoRequest`` that every model takes.
COMMON_FIELDS = frozenset(
    {
        "model",
        "prompt",
        "action",
        "aspect_ratio",
        "duration",
        "image_urls",
        "last_frame",
        "callback_url",
        "mode",
    }
)


@dataclass(frozen=True)
class Problem:
    """One reason why the service would refuse a request, or one thing to know before sending it.

    Attributes:
        field: the field of ``VideoRequest`` that it is about.
        message: a sentence with the field, its value, the limit, and a value that would do.
        number: which shot or mask it is about, counted from 1; 0 where it is about the field as a whole.
    """

    field: str
    message: str
    number: int = 0

    def __post_init__(self) -> None:
        # The message quotes the value, and a key may have been pasted in its place.
        object.__setattr__(self, "message", hide(self.message))

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class ModelSpec:
    """What one model takes.

    Attributes:
        name: the model's name at the service.
        description: a few words for a person choosing a model, to be shown through ``tr``.
        durations: the lengths it renders, in seconds.
        fields: the fields of ``VideoRequest`` that it takes beyond ``COMMON_FIELDS``.
        max_images: how many ``image_urls`` it takes.
    """

    name: str
    description: str
    durations: tuple[int, ...]
    fields: frozenset[str] = frozenset()
    max_images: int = 1


#: The models of the contract, in the order of its documentation.
MODELS: Mapping[str, ModelSpec] = MappingProxyType(
    {
        spec.name: spec
        for spec in (
            ModelSpec(
                "kling-v3",
                N_("3 to 15 s, several shots, native audio"),
                tuple(range(3, 16)),
                frozenset({"enable_audio", "shots"}),
            ),
            ModelSpec("kling-v2-master", N_("5 or 10 s, prompt and image only"), (5, 10)),
            ModelSpec(
                "kling-v1-6",
                N_("5 or 10 s, camera control, masks"),
                (5, 10),
                frozenset({"negative_prompt", "cfg_scale", "camera_control", "static_mask", "dynamic_masks"}),
            ),
            ModelSpec("kling-v1", N_("5 or 10 s"), (5, 10), frozenset({"negative_prompt", "cfg_scale"})),
        )
    }
)


def spec_of(model: object) -> ModelSpec | None:
    """The model's entry, or ``None`` for one that is not in the catalogue (or is no string at all)."""
    return MODELS.get(model) if isinstance(model, str) else None


def takes(model: object, field: str) -> bool:
    """Whether ``model`` takes ``field`` of ``VideoRequest``; an unknown model may take anything."""
    spec = spec_of(model)
    return spec is None or field in COMMON_FIELDS or field in spec.fields


def models_taking(field: str) -> tuple[str, ...]:
    """The models of the catalogue that take ``field`` of ``VideoRequest``."""
    return tuple(name for name in MODELS if takes(name, field))


def closest_model(name: str) -> str | None:
    """The model that a misspelt name probably means, or ``None``."""
    return next(iter(difflib.get_close_matches(name.lower(), MODELS, n=1, cutoff=0.7)), None)
