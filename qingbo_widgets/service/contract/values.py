"""The parts of a request: a shot, a camera movement, a moving mask.

Each can be built from the forms that users and the service write. A value of any other form is kept
unchanged: ``VideoRequest.problems()`` reports it, and nothing here raises.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set, ValuesView
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, SupportsFloat, SupportsIndex

__all__ = ["CameraControl", "DynamicMask", "Item", "LocalMedia", "Shot", "as_media", "is_url_member"]

#: Levels of nested values in an object; the service documents three.
_DEEPEST = 20


class LocalMedia:
    """A picture of this process that has no URL yet: bytes, a PIL image, an array, a figure. Immutable.

    Equal only to itself. A manager saves and publishes it when the request is submitted.

    Attributes:
        value: the picture.
    """

    __slots__ = ("__weakref__", "value")

    value: Any

    def __init__(self, value: Any) -> None:
        object.__setattr__(self, "value", value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(name)

    def __repr__(self) -> str:
        return f"<{type(self.value).__name__}>"


@dataclass(frozen=True)
class Shot:
    """One shot of a multi-shot video (``kling-v3``: 2 to 6 shots, ``extra.shot_N_prompt`` and ``_duration``).

    Attributes:
        prompt: the content of this shot.
        duration: its length in whole seconds; the lengths of all shots must sum to 3 to 15 s.
    """

    prompt: str
    duration: int

    if TYPE_CHECKING:  # numpy's numbers become Python's

        def __init__(self, prompt: str, duration: SupportsIndex) -> None: ...

    def __post_init__(self) -> None:
        object.__setattr__(self, "duration", as_plain(self.duration))

    def as_dict(self) -> dict[str, Any]:
        """Return the shot as JSON."""
        return {"prompt": self.prompt, "duration": self.duration}


@dataclass(frozen=True)
class CameraControl:
    """A camera movement (``kling-v1-6``: ``extra.camera_control``).

    Attributes:
        type: a preset (``down_back``, ``forward_up``, ``right_turn_forward``, ``left_turn_forward``), or
            ``simple``, which requires a ``config``.
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
        """Return the movement in the service's JSON form."""
        return {"type": self.type} | ({} if self.config is None else {"config": self.config})


@dataclass(frozen=True)
class DynamicMask:
    """An area of the input image and its path (``kling-v1-6``: ``extra.dynamic_masks``).

    Attributes:
        mask_url: a public URL of a PNG with alpha; or a picture, see ``VideoRequest``.
        trajectories: 2 to 77 points ``(x, y)`` in pixels of the input image; ``{"x": …, "y": …}`` is
            accepted too. Kling's origin is the lower left corner; the service's documentation states none.
    """

    mask_url: str
    trajectories: tuple[tuple[float, float], ...]

    if TYPE_CHECKING:  # other sequences become tuples

        def __init__(
            self, mask_url: Any, trajectories: Iterable[Sequence[float] | Mapping[str, float]]
        ) -> None: ...

    def __post_init__(self) -> None:
        object.__setattr__(self, "mask_url", as_media(self.mask_url))
        object.__setattr__(self, "trajectories", as_tuple(self.trajectories, as_point))

    def as_dict(self) -> dict[str, Any]:
        """Return the mask in the service's JSON form."""
        return {
            "mask_url": _as_json(self.mask_url),
            "trajectories": [
                {"x": point[0], "y": point[1]} if is_pair(point) else point for point in self.trajectories
            ],
        }


class Item(Mapping[str, Any]):
    """One object of a list, such as an image with its role. Immutable, and equal to a dictionary like it.

    Args:
        members: its members; lists in it become tuples.
        depth: the number of levels of nested values to make immutable.
    """

    __slots__ = ("_members",)

    def __init__(self, members: Mapping[str, Any], depth: int = _DEEPEST) -> None:
        self._members = {
            name: as_media_list(value) if is_url_member(name) else as_item(value, depth - 1)
            for name, value in members.items()
        }

    def __getitem__(self, name: str) -> Any:
        return self._members[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __hash__(self) -> int:
        return hash(frozenset(self._members.items()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and self._members == Item(other)._members

    def __repr__(self) -> str:
        return repr(self.as_dict())

    def as_dict(self) -> dict[str, Any]:
        """Return the object as JSON."""
        return {name: _as_json(value) for name, value in self._members.items()}


def as_item(value: Any, depth: int = _DEEPEST) -> Any:
    """Return an immutable copy of a JSON value: mappings become items, lists become tuples.

    Values nested deeper than ``depth`` remain as they are.
    """
    value = as_plain(value)
    if isinstance(value, Item) or not depth:
        return value
    if isinstance(value, Mapping):
        return Item(value, depth)
    return tuple(as_item(part, depth - 1) for part in value) if isinstance(value, (list, tuple)) else value


def _as_json(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_as_json(part) for part in value]
    if isinstance(value, LocalMedia):
        return repr(value)
    return value.as_dict() if isinstance(value, Item) else value


def is_url_member(name: str) -> bool:
    """Return whether a member of an object has the URL of a file, or several."""
    return name.endswith(("url", "urls"))


def as_media(value: Any) -> Any:
    """Return the place of a picture or video: a URL or path as text, other pictures as ``LocalMedia``.

    JSON values, which are no pictures, stay as they are.
    """
    if isinstance(value, os.PathLike):
        path = os.fspath(value)
        return os.fsdecode(path) if isinstance(path, bytes) else path
    if type(value).__module__.startswith("IPython.") and getattr(value, "data", None) is None:
        return getattr(value, "url", None) or LocalMedia(value)  # an image that is shown from its URL
    is_plain = value is None or isinstance(value, (str, bool, int, float, Mapping, list, tuple, LocalMedia))
    return value if is_plain else LocalMedia(value)


def as_media_list(value: Any) -> Any:
    """Return a list of pictures or videos as a tuple, one as ``as_media`` does."""
    if _is_list(value):
        return tuple(as_media(part) for part in as_plain(value))
    return as_media(value)


def _is_list(value: object) -> bool:
    """Return whether a value has many parts, of which each may be a picture.

    Some pictures can be iterated too: an array by its rows, a file by its lines, a figure by its parts.
    """
    if (kind := getattr(getattr(value, "dtype", None), "kind", "")) in ("O", "U"):
        return hasattr(value, "tolist")
    if kind or isinstance(value, (str, bytes, bytearray, memoryview, Mapping)) or hasattr(value, "read"):
        return False
    return isinstance(value, (Sequence, Set, ValuesView, Iterator))


def is_set(value: object) -> bool:
    """Return whether a field has a value; ``None``, ``""`` and ``()`` mean that it has none."""
    return not (value is None or (isinstance(value, (str, tuple)) and not value))


def is_same(value: object, default: object) -> bool:
    """Return whether a value is the default: 1 is not ``True``, and 5.0 is not the duration 5."""
    # The type is compared first, because == of an array returns an array. A StrEnum member counts as text.
    has_same_type = isinstance(value, type(default)) and isinstance(value, bool) == isinstance(default, bool)
    return has_same_type and bool(value == default)


def is_integer(value: object) -> bool:
    """Return whether a value is an integer in the sense of JSON; ``True`` is not."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_pair(value: object) -> bool:
    """Return whether a value is a tuple of two items."""
    return isinstance(value, tuple) and len(value) == 2


def as_plain(value: Any) -> Any:
    """Convert what is common in notebooks: numpy numbers and arrays, paths; return others unchanged."""
    if isinstance(value, PurePath):
        return str(value)
    is_numpy = hasattr(value, "shape") and hasattr(value, "tolist")
    return value.tolist() if is_numpy else value


def as_medias(value: Any) -> Any:
    """Return a tuple of pictures or videos from ``None``, one of them, or many; see ``as_media``."""
    parts = as_media_list(value)
    if parts is None or (isinstance(parts, str) and not parts):
        return ()
    return parts if isinstance(parts, tuple) or not isinstance(parts, (str, LocalMedia)) else (parts,)


def as_tuple(value: Any, part: Callable[[Any], Any] = lambda value: value) -> Any:
    """Return a tuple of parts from ``None``, one part, or an iterable of parts; other values unchanged."""
    value = as_plain(value)
    if value is None or (isinstance(value, str) and not value):
        return ()
    if isinstance(value, (str, bytes, Mapping, Shot, DynamicMask)):
        return (part(value),)
    return tuple(part(item) for item in value) if isinstance(value, Iterable) else value


def as_shot(value: Any) -> Any:
    """Return a ``Shot`` from ``(prompt, duration)`` or a dictionary of both; other values unchanged."""
    if isinstance(value, (tuple, list)) and len(value) == 2:
        return Shot(*value)
    return Shot(**value) if _has_keys(value, "prompt", "duration") else value


def as_camera(value: Any) -> Any:
    """Return a ``CameraControl`` from a preset's name or the service's dictionary; others unchanged."""
    if isinstance(value, str):
        return CameraControl(value) if value else None
    if _has_keys(value, "type") or _has_keys(value, "type", "config"):
        return CameraControl(**value)
    return value


def as_mask(value: Any) -> Any:
    """Return a ``DynamicMask`` from the service's dictionary; other values unchanged."""
    return DynamicMask(**value) if _has_keys(value, "mask_url", "trajectories") else value


def as_point(value: Any) -> Any:
    """Return ``(x, y)`` from a pair or ``{"x": …, "y": …}``; other values unchanged."""
    if _has_keys(value, "x", "y"):
        value = (value["x"], value["y"])
    return tuple(as_plain(item) for item in value) if isinstance(value, (list, tuple)) else as_plain(value)


def _has_keys(value: object, *keys: str) -> bool:
    return isinstance(value, Mapping) and set(value) == set(keys)
