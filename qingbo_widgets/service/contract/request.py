"""``VideoRequest``: the request for a video, with the same fields for every contract."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn, Self, Unpack

from ... import late
from ...i18n import tr
from ..secrets.known_keys import Searchable, hide
from . import advice, checks
from .frames import IMAGE, with_image
from .kinds import KINDS, value_if_unset
from .misspelt import check_names
from .models import DEFAULT_CONTRACT, dated, declared, home_of, models_of
from .objects import completed, with_gaps
from .offered import offers_fields
from .problem import Problem, assigned
from .resolve import resolve, translation_of
from .schema import Models, Parameter
from .values import CameraControl, DynamicMask, Item, LocalMedia, Shot, is_integer, is_same, is_set
from .wire import Places

if TYPE_CHECKING:
    from .fields import EveryField, Fields
    from .pricing.price import Price

__all__ = ["CameraControl", "DynamicMask", "Problem", "Shot", "VideoRequest"]

#: Characters of the fields in the ``repr`` of a request.
_LONGEST_REPR = 280


@offers_fields()
class VideoRequest(Searchable):
    """A request for a video. Immutable.

    Building a request never fails because of a value: ``problems()`` lists the reasons why the service would
    refuse it. ``None`` and the empty tuple mean "not set", and so does an empty text if the model has no
    default; a field that is not set takes the model's default.
    Lists become tuples, and parts are also accepted in the forms that the service writes. The limits come
    from the service's documentation, "Submit: request".

    Attributes:
        model: ``kling-v3``, ``kling-v2-master``, ``kling-v1-6``, ``kling-v1``; any other is sent unchanged.
        prompt: the content of the video, at most 2500 characters. Absent if there are ``shots``.
        action: the kind of operation.
        aspect_ratio: ``16:9``, ``9:16``, ``1:1``. With an input image, the image determines it.
        duration: seconds: 5 or 10, for ``kling-v3`` 3 to 15. With ``shots``, their durations determine it.
        negative_prompt: the content to avoid, at most 2500 characters (``kling-v1``, ``kling-v1-6``).
        image_urls: one public http(s) URL of a JPEG, PNG or WebP, up to 10 MB: the first frame.
        last_frame: a public http(s) URL of the last frame; needs ``image_urls``.
        callback_url: the URL to which the service posts when the task ends.
        mode: ``std`` (720P) or ``pro`` (1080P).
        cfg_scale: 0 to 1, higher follows the prompt more closely (``kling-v1``, ``kling-v1-6``).
        enable_audio: sound (``kling-v3``; the service's default is on).
        camera_control: the camera movement (``kling-v1-6``).
        static_mask: a public URL of a PNG: the area of the input image that stays still (``kling-v1-6``).
        dynamic_masks: up to 6 areas of the input image that move (``kling-v1-6``).
        shots: 2 to 6 shots, instead of ``prompt`` and ``duration`` (``kling-v3``).

    Raises:
        TypeError: no model takes one of the fields.
    """

    __slots__ = ("__weakref__", "_explicit")
    __match_args__ = ("model", "prompt")

    _explicit: Mapping[str, Any]
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
    resolution: str | None
    video_urls: tuple[str, ...]
    image_with_roles: tuple[Mapping[str, str], ...]
    element_list: tuple[Mapping[str, Any], ...]
    generate_audio: bool | None
    multi_shot: bool | None
    shot_type: str | None
    multi_prompt: tuple[Mapping[str, Any], ...]
    character_orientation: str | None
    keep_original_sound: str | None
    watermark: bool | None
    n: int | None
    callback_events: tuple[str, ...]

    def __init__(self, model: str = "kling-v3", prompt: str = "", **fields: Unpack[Fields]) -> None:
        check_names("VideoRequest()", fields, own=(IMAGE,))
        known = declared()
        explicit = {
            "model": model,
            **({} if isinstance(prompt, str) and not prompt else {"prompt": prompt}),
            **_with_image(fields, model),
        }
        in_order = (name for name in models_of().parameters if name in explicit)
        order = dict.fromkeys((*in_order, *explicit))
        converted = {name: KINDS[known[name].type].read(explicit[name]) for name in order}
        set_fields = {name: value for name, value in converted.items() if not _is_unset(value)}
        object.__setattr__(self, "_explicit", MappingProxyType({"model": model, **set_fields}))

    if not TYPE_CHECKING:  # with it, type checkers would accept any name

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_") or name not in (known := declared()):
                raise AttributeError(hide(tr("VideoRequest has no field {name}").format(name=name)))
            if name in self._explicit:
                return self._explicit[name]
            models = home_of(self._explicit)
            if name in models.parameters:
                return resolve(self._explicit, models).values[name]
            return value_if_unset(known[name], None)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        message = tr("A VideoRequest is immutable; request.replace({name}=…) returns a changed copy.")
        raise AttributeError(hide(message.format(name=name)))

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *declared()]

    def __eq__(self, other: object) -> bool:
        return self.values() == other.values() if isinstance(other, VideoRequest) else NotImplemented

    def __hash__(self) -> int:
        return hash(frozenset(self.values().items()))

    def __repr__(self) -> str:
        # A prompt may contain a key, and tracebacks show it.
        fields = assigned(self.chosen())
        fields = fields if len(fields) <= _LONGEST_REPR else f"{fields[:_LONGEST_REPR]}…"
        return f"VideoRequest({fields})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (type(self), dict(self._explicit))

    @property
    def given(self) -> Mapping[str, Any]:
        """The model, and the fields that are set."""
        return self._explicit

    @classmethod
    def field_names(cls) -> tuple[str, ...]:
        """Return the names of all fields: the parameters of every model and contract."""
        return tuple(declared())

    @property
    def is_multi_shot(self) -> bool:
        """True if the video has several shots, each with its prompt and duration."""
        return bool(self._shots())

    @property
    def is_image_to_video(self) -> bool:
        """True if the video starts from an image."""
        return is_set(self.image_urls)

    @property
    def prompts(self) -> tuple[str, ...]:
        """The prompts of the shots; without shots, the prompt alone."""
        if shots := self._shots():
            return tuple(str(prompt) for prompt, _ in shots)
        return (str(self.prompt),) if is_set(self.prompt) else ()

    @property
    def seconds(self) -> int:
        """The length of the video in seconds; 0 if the duration is invalid or the input video decides it."""
        if shots := self._shots():
            return sum(duration for _, duration in shots if is_integer(duration))
        return self.duration if is_integer(self.duration) else 0

    @property
    def resolution_or_mode(self) -> str:
        """The resolution, or in contract 2026-04 the mode that decides it; empty if the model decides."""
        values = self.values()
        return str(values.get("resolution") or values.get("mode") or "")

    @property
    def seconds_as_given(self) -> Any:
        """The length of the video in seconds as the request has it: maybe a fraction, maybe not a number."""
        shots = self._shots()
        if not shots:
            return self.duration
        lengths = [duration for _, duration in shots if not isinstance(duration, bool)]
        return sum(length for length in lengths if isinstance(length, int | float))

    def _shots(self) -> list[tuple[Any, Any]]:
        """Return the prompt and the duration of each shot; parts of another shape count as prompts."""
        if is_set(shots := self._explicit.get("shots")):
            parts = shots if isinstance(shots, tuple) else (shots,)
            return [(getattr(shot, "prompt", shot), getattr(shot, "duration", None)) for shot in parts]
        items: tuple[Any, ...] = ()
        if isinstance(given := self._explicit.get("multi_prompt"), tuple):
            items = completed(declared()["multi_prompt"], given)
        return [
            (item.get("prompt"), item.get("duration")) if isinstance(item, Mapping) else (item, None)
            for item in items
        ]

    def values(self, models: Models | None = None) -> dict[str, Any]:
        """Return the value of every parameter of a contract, with defaults for those that are not set.

        Args:
            models: the models of the contract; by default, of the contract in whose names it is written.
        """
        return dict(resolve(self._explicit, models or home_of(self._explicit)).values)

    def translated(self, contract: str) -> Self:
        """Return the same request in the names of a contract.

        Fields without a name in it remain, and so do names that contradict each other. Fields that are not
        set take the defaults of that contract: ``kling-v3`` makes sound in 2026-04 unless ``enable_audio`` is
        ``False``, and in 2026-11 only if ``generate_audio`` is ``True``.

        Raises:
            ValueError: there is no such contract.
        """
        contract = dated(contract) or ""
        translation = translation_of(self._explicit, models_of(contract))
        conflicts = {problem.field for problem in translation.problems}.intersection(self._explicit)
        # Of two names with different values, both remain: the request stays as invalid as it is.
        return type(self)(**{**translation.fields, **{name: self._explicit[name] for name in conflicts}})

    def price(self) -> Price:
        """Return its price on the default manager, before it is submitted; see ``qingbo_widgets.price``."""
        price: Price = late.price_of(self)
        return price

    def problems(self, contract: str | None = None) -> tuple[Problem, ...]:
        """Return the reasons why the service would refuse this request; empty if it should accept it.

        Args:
            contract: the date of the service's contract; by default 2026-04.
        """
        contract = dated(contract)
        return checks.check(self._explicit, models_of(contract or DEFAULT_CONTRACT))

    def warnings(self, contract: str | None = None, *, local_service: bool = False) -> tuple[Problem, ...]:
        """Return warnings before sending: an unknown model, and limits that only Kling itself documents.

        Args:
            contract: as for ``problems``.
            local_service: whether the server runs on this machine, where it reaches private addresses too.
        """
        contract = dated(contract)
        models = models_of(contract or DEFAULT_CONTRACT)
        return advice.advise(self._explicit, models, local_service=local_service)

    def replace(self, **changes: Unpack[EveryField]) -> Self:  # type: ignore[override]  # its own fields only
        """Return a copy with some fields changed.

        Raises:
            TypeError: no model takes one of the fields.
        """
        changed = _with_image(changes, changes.get("model", self._explicit["model"]))
        request = type(self)(**{**self._explicit, **changed})
        missing = {name: None for name, value in self._explicit.items() if value is None}
        object.__setattr__(request, "_explicit", MappingProxyType({**missing, **request._explicit}))
        return request

    def as_dict(self) -> dict[str, Any]:
        """Return the model and every field that is set, as JSON for ``from_dict``.

        Fields set to their default are included, because another contract may have another default.
        """
        return {name: _plain(value) for name, value in self._explicit.items()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the request from the output of ``as_dict``.

        Raises:
            TypeError: no model takes one of the fields.
        """
        return cls(**data)

    @classmethod
    def from_body(cls, body: Mapping[str, Any], contract: str | None = None) -> Self:
        """Return the request that a JSON body submits: the inverse of ``Client.payload``.

        Args:
            body: the body in the form that the service takes.
            contract: the date of the contract that the body follows; by default 2026-04.

        Raises:
            TypeError: the body is not a mapping, or has a field or value that a request cannot have.
            ValueError: there is no such contract.
        """
        contract = dated(contract)
        if not isinstance(body, Mapping):
            message = tr("body must be a mapping, the JSON object of a request, not {kind}")
            raise TypeError(message.format(kind=type(body).__name__))
        models = models_of(contract or DEFAULT_CONTRACT)
        fields, unknown = Places(models, body.get("model")).read(body)
        described = {**models.parameters, **models.of(body.get("model")).parameters}
        lists = [name for name in fields if KINDS[described[name].type].is_list]
        unknown += [(name, fields[name]) for name in lists if not _is_list_for(described[name], fields[name])]
        if unknown:
            places = hide(", ".join(place for place, _ in unknown))
            raise TypeError(tr("VideoRequest has no place for {places} of the body").format(places=places))
        request = cls(**fields)
        # A missing value that the service needs stays missing, although a caller may leave it out.
        missing = dict.fromkeys(models.of(request.model).needed.difference(fields))
        known = models.parameters
        incomplete = {
            name: with_gaps(known[name], value) for name, value in request._explicit.items() if name in known
        }
        explicit = {**request._explicit, **incomplete, **missing}
        object.__setattr__(request, "_explicit", MappingProxyType(explicit))
        return request

    def chosen(self) -> dict[str, Any]:
        """Return the model and every field that differs from its default."""
        model = home_of(self._explicit).of(self._explicit["model"])
        derived = {name for name, parameter in model.parameters.items() if parameter.derived}
        return {
            name: value
            for name, value in self._explicit.items()
            if name in derived or name == "model" or not is_same(value, model.default(name))
        }


def _rebuilt(kind: type[VideoRequest], explicit: dict[str, Any]) -> VideoRequest:
    request = kind()
    object.__setattr__(request, "_explicit", MappingProxyType(explicit))
    return request


def _with_image(fields: Mapping[str, Any], model: object) -> Mapping[str, Any]:
    """Return fields with the ``image`` in the parameter in which this model takes a first frame."""
    if IMAGE not in fields:
        return fields
    names = dict.fromkeys((name for name in fields if name != IMAGE), None)
    return with_image(fields, home_of({**names, "model": model}).of(model))


def _is_list_for(parameter: Parameter, value: object) -> bool:
    """Return whether a value of a body is a list, and not empty unless the parameter allows that."""
    fewest, _ = parameter.limits.get("count") or (0, 0)
    return isinstance(value, list) and (bool(value) or not fewest)


def _is_unset(value: object) -> bool:
    # An empty text is kept, because it may be intended: a form field that the user has cleared.
    return value is None or (isinstance(value, tuple) and not value)


def _plain(value: Any) -> Any:
    if isinstance(value, (Shot, CameraControl, DynamicMask, Item)):
        return value.as_dict()
    if isinstance(value, LocalMedia):
        return repr(value)
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
