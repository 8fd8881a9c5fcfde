"""The parts of a request: a shot, a camera movement, a mask that moves.

Each can be built from the forms that people and the service write. What cannot be understood is kept as
it is: ``VideoRequest.problems()`` reports it, nothing raises here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, SupportsFloat, SupportsIndex

__all__ = ["CameraControl", "DynamicMask", "Shot"]


@dataclass(frozen=True)
class Shot:
    """One shot of a multi-shot video (``kling-v3``: 2 to 6 shots, ``extra.shot_N_prompt`` and ``_duration``).

    Attributes:
        prompt: what this shot shows.
        duration: its length in whole seconds; all shots together make 3 to 15 s.
    """

    prompt: str
    duration: int

    if TYPE_CHECKING:  # numpy's numbers become Python's

        def __init__(self, prompt: str, duration: SupportsIndex) -> None: ...

    def __post_init__(self) -> None:
        object.__setattr__(self, "duration", as_plain(self.duration))

    def as_dict(self) -> dict[str, Any]:
        """The shot as JSON."""
        return {"prompt": self.prompt, "duration": self.duration}


@dataclass(frozen=True)
class CameraControl:
    """How the camera moves (``kling-v1-6``: ``extra.camera_control``).

    Attributes:
        type: a preset (``down_back``, ``forward_up``, ``right_turn_forward``, ``left_turn_forward``), or
            ``simple``, which needs a ``config``.
        config: for ``simple``: axes (``horizontal``, ``vertical``, ``pan``, ``tilt``, ``roll``, ``zoom``),
            each -10 to 10.
    """

    type: str
    config: Mapping[str, float] | None = None

    if TYPE_CHECKING:  # numpy's numbers become Python's

        def __init__(self, type: str, config: Mapping[str, SupportsFloat] | None = None) -> None: ...

    def __post_init__(self) -> None:
        if isinstance(self.config, Mapping):
            config = {axis: as_plain(value) for axis, value in self.config.items()}
            object.__setattr__(self, "config", config or None)

    def __hash__(self) -> int:
        config = self.config
        return hash((self.type, frozenset(config.items()) if isinstance(config, Mapping) else config))

    def as_dict(self) -> dict[str, Any]:
        """The movement as the service writes it."""
        return {"type": self.type} | ({} if self.config is None else {"config": self.config})


@dataclass(frozen=True)
class DynamicMask:
    """An area of the input image, and the path it takes (``kling-v1-6``: ``extra.dynamic_masks``).

    Attributes:
        mask_url: a public URL of a PNG with alpha.
        trajectories: 2 to 77 points ``(x, y)`` in pixels of the input image; ``{"x": …, "y": …}`` does too.
            Kling counts from the lower left corner; the service's documentation does not say.
    """

    mask_url: str
    trajectories: tuple[tuple[float, float], ...]

    if TYPE_CHECKING:  # other sequences become tuples

        def __init__(
            self, mask_url: str, trajectories: Iterable[Sequence[float] | Mapping[str, float]]
        ) -> None: ...

    def __post_init__(self) -> None:
        object.__setattr__(self, "trajectories", as_tuple(self.trajectories, as_point))

    def as_dict(self) -> dict[str, Any]:
        """The mask as the service writes it."""
        return {
            "mask_url": self.mask_url,
            "trajectories": [
                {"x": point[0], "y": point[1]} if is_pair(point) else point for point in self.trajectories
            ],
        }


def is_set(value: object) -> bool:
    """Whether a field has a value: ``None``, ``""`` and ``()`` are none."""
    return not (value is None or (isinstance(value, (str, tuple)) and not value))


def is_same(value: object, default: object) -> bool:
    """Return whether a value is the default: 1 is not ``True``, and 5.0 is not the duration 5."""
    # The type is compared first, for an array has no single "==". A member of an Enum of texts is a text.
    is_of_its_type = isinstance(value, type(default)) and isinstance(value, bool) == isinstance(default, bool)
    return is_of_its_type and bool(value == default)


def is_integer(value: object) -> bool:
    """Whether it is an integer as JSON has them; ``True`` is not."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_pair(value: object) -> bool:
    """Whether it is a tuple of two."""
    return isinstance(value, tuple) and len(value) == 2


def as_plain(value: Any) -> Any:
    """Python's own number or list out of numpy's, which notebooks are full of; else the value itself."""
    is_numpy = hasattr(value, "shape") and hasattr(value, "tolist")
    return value.tolist() if is_numpy else value


def as_tuple(value: Any, part: Callable[[Any], Any] = lambda value: value) -> Any:
    """Makes a tuple of parts out of ``None``, one part, or any iterable of them; else leaves it alone."""
    value = as_plain(value)
    if value is None or (isinstance(value, str) and not value):
        return ()
    if isinstance(value, (str, bytes, Mapping, Shot, DynamicMask)):
        return (part(value),)
    return tuple(part(item) for item in value) if isinstance(value, Iterable) else value


def as_shot(value: Any) -> Any:
    """A ``Shot`` out of ``(prompt, duration)`` or ``{"prompt": …, "duration": …}``; else the value itself."""
    if isinstance(value, (tuple, list)) and len(value) == 2:
        return Shot(*value)
    return Shot(**value) if _has_keys(value, "prompt", "duration") else value


def as_camera(value: Any) -> Any:
    """A ``CameraControl`` out of a preset's name or the service's dictionary; else the value itself."""
    if isinstance(value, str):
        return CameraControl(value) if value else None
    if _has_keys(value, "type") or _has_keys(value, "type", "config"):
        return CameraControl(**value)
    return value


def as_mask(value: Any) -> Any:
    """A ``DynamicMask`` out of the service's dictionary; else the value itself."""
    return DynamicMask(**value) if _has_keys(value, "mask_url", "trajectories") else value


def as_point(value: Any) -> Any:
    """``(x, y)`` out of a pair or ``{"x": …, "y": …}``; else the value itself."""
    if _has_keys(value, "x", "y"):
        value = (value["x"], value["y"])
    return tuple(as_plain(item) for item in value) if isinstance(value, (list, tuple)) else as_plain(value)


def _has_keys(value: object, *keys: str) -> bool:
    return isinstance(value, Mapping) and set(value) == set(keys)
