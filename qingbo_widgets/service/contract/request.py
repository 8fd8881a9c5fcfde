"""``VideoRequest``: one vocabulary for a video that is to be made, whichever contract carries the request."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn, Self, Unpack

from ..secrets.known_keys import Searched, hide
from . import checks
from .kinds import KINDS, unset
from .models import DEFAULT_CONTRACT, declared, models_of
from .problem import Problem
from .schema import Models
from .values import CameraControl, DynamicMask, Shot, is_integer, is_same, is_set
from .wire import Places

if TYPE_CHECKING:
    from .fields import EveryField, Fields

__all__ = ["CameraControl", "DynamicMask", "Problem", "Shot", "VideoRequest"]


class _Signature:
    """The signature that completion and Shift-Tab show: every field, with its default."""

    def __get__(self, request: object, kind: type[VideoRequest]) -> inspect.Signature:
        positional, keyword = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
        fields = kind().values()
        first = [
            inspect.Parameter(name, positional, default=fields.pop(name)) for name in ("model", "prompt")
        ]
        others = [inspect.Parameter(name, keyword, default=default) for name, default in fields.items()]
        return inspect.Signature([*first, *others])


class VideoRequest(Searched):
    """A video that is to be made. Immutable.

    Building one never fails for a value: what the service would refuse is listed by ``problems()``. ``None``
    and the empty tuple mean "not set", and so does an empty text where the model has no default; a field that
    is not set takes the model's default.
    Lists become tuples, and parts may be given in the forms that the service writes. The limits are those of
    the service's documentation, "Submit: request".

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

    Raises:
        TypeError: for a field that no model takes.
    """

    __slots__ = ("__weakref__", "_given")
    __match_args__ = ("model", "prompt")
    __signature__ = _Signature()  # asked for late: the models need not be read at import

    _given: Mapping[str, Any]
    model: str
    prompt: str
    action: str
    aspect_ratio: str
    duration: int
    negative_prompt: str | None
    image_urls: tuple[str, ...]
    last_frame: str | None
    callback_url: str | None
    mode: str
    cfg_scale: float | None
    enable_audio: bool | None
    camera_control: CameraControl | None
    static_mask: str | None
    dynamic_masks: tuple[DynamicMask, ...]
    shots: tuple[Shot, ...]

    def __init__(self, model: str = "kling-v3", prompt: str = "", **fields: Unpack[Fields]) -> None:
        known = declared()
        if unknown := fields.keys() - known:
            names = hide(", ".join(sorted(unknown)))
            raise TypeError(f"VideoRequest has no field {names}; it has {', '.join(known)}")
        given = {
            "model": model,
            **({} if isinstance(prompt, str) and not prompt else {"prompt": prompt}),
            **fields,
        }
        read = {name: KINDS[known[name].type].read(given[name]) for name in known if name in given}
        kept = {name: value for name, value in read.items() if not _is_unset(value)}
        object.__setattr__(self, "_given", MappingProxyType({"model": model, **kept}))

    if not TYPE_CHECKING:  # or any name would pass for a field

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_") or name not in (known := declared()):
                raise AttributeError(f"VideoRequest has no field {hide(name)}")
            if name in self._given:
                return self._given[name]
            return unset(known[name], models_of().of(self._given["model"]).default(name))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        name = hide(name)
        raise AttributeError(f"A VideoRequest does not change; request.replace({name}=…) makes another one.")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *declared()]

    def __eq__(self, other: object) -> bool:
        return self.values() == other.values() if isinstance(other, VideoRequest) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self.values().items()))

    def __repr__(self) -> str:
        return f"VideoRequest({', '.join(f'{name}={value!r}' for name, value in self.chosen().items())})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (type(self), dict(self._given))

    @property
    def given(self) -> Mapping[str, Any]:
        """The model, and the fields that are set."""
        return self._given

    @classmethod
    def field_names(cls) -> tuple[str, ...]:
        """Return the names of all fields: what some model of some contract takes."""
        return tuple(declared())

    @property
    def is_multi_shot(self) -> bool:
        """Whether shots stand instead of the prompt and the duration."""
        return is_set(self.shots)

    @property
    def is_image_to_video(self) -> bool:
        """Whether the video starts from an image."""
        return is_set(self.image_urls)

    @property
    def prompts(self) -> tuple[str, ...]:
        """The prompt alone, or the prompts of the shots that replace it."""
        if is_set(self.prompt) or not isinstance(self.shots, tuple):
            return (str(self.prompt),)
        return tuple(str(getattr(shot, "prompt", shot)) for shot in self.shots)

    @property
    def seconds(self) -> int:
        """The length of the video in seconds; 0 where what is given is no length."""
        if not self.is_multi_shot:
            return self.duration if is_integer(self.duration) else 0
        shots = self.shots if isinstance(self.shots, tuple) else ()
        return sum(shot.duration for shot in shots if isinstance(shot, Shot) and is_integer(shot.duration))

    def values(self, models: Models | None = None) -> dict[str, Any]:
        """Return the value of every field, with the defaults of those that are not set.

        Args:
            models: those whose defaults count; by default, those of contract 2026-04.
        """
        model = (models or models_of()).of(self._given["model"])
        return {
            name: self._given[name] if name in self._given else unset(parameter, model.default(name))
            for name, parameter in declared().items()
        }

    def problems(self, contract: str | None = None) -> tuple[Problem, ...]:
        """Return everything for which the service would refuse this request; empty when it should take it.

        Args:
            contract: the date of the service's contract; by default 2026-04.
        """
        models = models_of(contract or DEFAULT_CONTRACT)
        return checks.check(self.values(models), models)

    def warnings(self, contract: str | None = None, *, local_service: bool = False) -> tuple[Problem, ...]:
        """Return what to know before sending: an unknown model, and limits that only Kling itself documents.

        Args:
            contract: as for ``problems``.
            local_service: whether a server on this machine answers, which reaches private addresses too.
        """
        models = models_of(contract or DEFAULT_CONTRACT)
        return checks.advise(self.values(models), models, local_service=local_service)

    def replace(self, **changes: Unpack[EveryField]) -> Self:  # type: ignore[override]  # its own fields only
        """Return a copy with some fields changed.

        Raises:
            TypeError: for a field that no model takes.
        """
        return type(self)(**{**self._given, **changes})

    def as_dict(self) -> dict[str, Any]:
        """Return the model and every field that is set, as JSON for ``from_dict``.

        Those at their default are among them: another contract may have another default.
        """
        return {name: _plain(value) for name, value in self._given.items()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the request that ``as_dict`` wrote down.

        Raises:
            TypeError: for a field that no model takes.
        """
        return cls(**data)

    @classmethod
    def from_body(cls, body: Mapping[str, Any], contract: str | None = None) -> Self:
        """Return the request that a JSON body submits: the inverse of ``Client.payload``.

        Args:
            body: as the service takes it.
            contract: the date of the contract that the body is written by; by default 2026-04.

        Raises:
            TypeError: it is no mapping, has a field that no model takes, or a value that a field cannot have.
            ValueError: there is no such contract.
        """
        if not isinstance(body, Mapping):
            raise TypeError(
                f"body must be a mapping, the JSON object of a request, not {type(body).__name__}"
            )
        models = models_of(contract or DEFAULT_CONTRACT)
        fields, unknown = Places(models, body.get("model")).read(body)
        if unknown:
            places = hide(", ".join(place for place, _ in unknown))
            raise TypeError(f"VideoRequest has no place for {places} of the body")
        return cls(**fields)

    def chosen(self) -> dict[str, Any]:
        """Return the model and every field that differs from its default."""
        model = models_of().of(self._given["model"])
        return {
            name: value
            for name, value in self._given.items()
            if name == "model" or not is_same(value, model.default(name))
        }


def _rebuilt(kind: type[VideoRequest], given: dict[str, Any]) -> VideoRequest:
    return kind(**given)


def _is_unset(value: object) -> bool:
    # An empty text is kept where one may stand: as the choice of a form that a user has cleared.
    return value is None or (isinstance(value, tuple) and not value)


def _plain(value: Any) -> Any:
    if isinstance(value, (Shot, CameraControl, DynamicMask)):
        return value.as_dict()
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
