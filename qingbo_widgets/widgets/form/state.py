"""``FormState``, the fields of a form and the rules between them, independent of widgets.

The parts of a form read and set its traits, and do not depend on the form widget.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Unpack

from traitlets import HasTraits, TraitError, Tuple

from ...i18n import N_, tr
from ...service.contract.contracts import Contract
from ...service.contract.frames import FRAME_FIELDS, Frames, frames_of, set_frames
from ...service.contract.kinds import KINDS
from ...service.contract.misspelt import named
from ...service.contract.models import DEFAULT_CONTRACT, declared, models_of
from ...service.contract.problem import Problem
from ...service.contract.request import VideoRequest
from ...service.contract.rules import DERIVED
from ...service.contract.schema import Model, Models, Parameter, changed
from ...service.credentials import find_contract
from ...service.secrets.known_keys import hide_in
from ..base.managers import is_manager, no_manager
from . import image_fields
from .carrying import Carrier
from .departures import Departure
from .mask_points import without_blank
from .names import NO_IMAGES, Unsent, both, hidden_in, in_names_of, split_unsent
from .traits import default_of, is_at, traits_of
from .video_lengths import length_problems

if TYPE_CHECKING:
    from traitlets import TraitType

    from ...service.contract import fields as types
    from ...service.contract.values import CameraControl, DynamicMask, Shot
    from ...tasks.task import Owner, Task

__all__ = ["FormState", "Problems"]

_NO_FIELD = N_("{field} is not in contract {contract}, which this form speaks.")

Problems = tuple[Problem, ...]
Applicable = tuple[frozenset[str], Mapping[str, Parameter], Mapping[str, str]]
_NO_LIMITS: tuple[None, tuple[str, ...], tuple[Any, ...], Applicable] = None, (), (), (frozenset(), {}, {})


def _are_identical(values: Iterable[Any], others: Iterable[Any]) -> bool:
    """Compare values by identity, because arrays have no single ``==`` result, and because it is faster."""
    return all(value is other for value, other in zip(values, others, strict=True))


@lru_cache(maxsize=100)
def _limited_at_times(model: Model) -> frozenset[str]:
    """Return the parameters of a model that some values of other parameters limit or require."""
    return frozenset(
        name for rule in model.constraints for name in (*rule.limit, rule.require) if name in model.parameters
    )


def _limited(model: Model, values: Mapping[str, Any]) -> dict[str, Parameter]:
    """Return the parameters that constraints limit or require with these values, as they are then."""
    limited = model.limited(values)
    for rule in model.active(values):
        if rule.require in model.parameters:
            parameter = limited.get(rule.require, model.parameters[rule.require])
            limited[rule.require] = changed(parameter, {"required": True})
    return limited


@lru_cache(maxsize=100)
def _derived_at_times(model: Model) -> bool:
    """Return True if a parameter of a model may follow from others."""
    return any(parameter.derived for parameter in model.parameters.values())


class FormState(HasTraits):
    """The state of a form: a trait for each field that some model takes.

    Fields that the chosen model does not take are omitted from the request, but keep their value for a model
    that takes them.

    Args:
        manager: the manager that submits the request; the default manager if omitted.
        fixed: values of fields that cannot be changed, neither in the form nor in code.
        hide: fields that the form does not show. They keep their value, and are part of the request.
        **initial: initial values of the fields.

    Raises:
        TypeError: a field does not exist or has two values, or ``manager`` is not a manager.
        InvalidRequest: there is no manager, and ``QINGBO_CONTRACT`` is not the date of a contract.
    """

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

    def __init__(
        self,
        manager: Owner | None = None,
        *,
        fixed: Mapping[str, Any] | None = None,
        hide: Iterable[str] = (),
        **initial: Unpack[types.EveryField],
    ) -> None:
        self._is_ready = self._is_filling = False
        self._limits_cache: tuple[Model | None, tuple[str, ...], tuple[Any, ...], Applicable] = _NO_LIMITS
        if not is_manager(manager):
            error = no_manager(type(manager).__name__)
            del manager  # it may be a key, and a traceback can show the variables of a frame
            raise error
        self._manager, self._kind = manager, type(self)
        self.fixed: Mapping[str, Any] = dict(fixed or {})
        hidden = frozenset((hide,) if isinstance(hide, str) else hide)
        unknown = [name for name in {*initial, *self.fixed, *hidden} if name not in declared()]
        if unknown:
            raise TypeError(f"RequestForm has no field {named(unknown, declared())}")
        if duplicates := set(initial) & set(self.fixed):
            raise TypeError(
                f"RequestForm got two values, fixed and initial, for {', '.join(sorted(duplicates))}"
            )
        #: True once the form has had a prompt.
        self.has_typed = False
        #: The fields as the code set them, to which the form can be reset.
        self.given: Mapping[str, Any] = {}
        #: Values without a place in the form's contract, by the name that they were given under.
        self.homeless: Mapping[str, Any] = {}
        #: The images among them, by what they mean.
        self.homeless_images = Frames()
        #: Values that are kept but not sent, because their contract did not send them either, by its date.
        self.unsent: Mapping[str, Unsent] = {}
        #: Image URLs from a preset, draft or task that the user has not approved for fetching yet.
        self.unapproved: frozenset[str] = frozenset()
        #: Problems of painted masks that are not published yet, each with its kind: ``hint`` or ``alarm``.
        self.pending: Mapping[Problem, str] = {}
        self.carrier = Carrier(self)
        self._without_manager: Contract | None = None
        self._departures: dict[str, Departure] = {}
        sent, unsent = split_unsent(self.models, {**initial, **self.fixed})
        given = self._speak(sent, hidden)
        super().__init__(**self._options())
        self._set_fields(given)
        self.keep_unsent({"": Unsent(hide_in(unsent))})
        self._is_ready = True
        self.observe(self._follow, list(self.field_names))
        self._build()

    def _build(self) -> None:
        """Create the parts of the form; a state alone has none."""

    def _rebuild(self) -> None:
        """Create the parts of the form again for another contract."""

    def _options(self) -> dict[str, Any]:
        """Return the keyword arguments for the next class in the method resolution order."""
        return {}

    # ------------------------------------------------------------------ for a form with widgets

    def refresh(self) -> None:
        """Update the form after a change of a field. A state alone only updates its problems."""
        self.set_trait("problems", self.check()[0])

    def show_problems(self) -> None:
        """Show new problems of the unchanged request. May be called on any thread."""
        self.refresh()

    # ------------------------------------------------------------------ state

    @property
    def manager(self) -> Owner | None:
        """The manager that ``submit`` uses; ``None`` for the default manager."""
        return self._manager

    @manager.setter
    def manager(self, manager: Owner | None) -> None:
        was_connected, left = self._manager is not None, Departure(self)
        self._manager = manager
        if self.models is not left.models:
            self._change_contract(left, was_connected)
        with self.batch():  # a file path is valid only if the manager has a sandbox
            for name in image_fields.fields_with(self.models, "image", "mask", "video"):
                setattr(self, name, getattr(self, name))

    @property
    def contract(self) -> Contract:
        """The contract that carries the request."""
        if self._manager is not None:
            return self._manager.client.contract
        if self._without_manager is None:
            self._without_manager = self._find_contract()
        return self._without_manager

    @property
    def models(self) -> Models:
        """The models of the contract that carries the request."""
        return self.contract.models

    @property
    def field_names(self) -> tuple[str, ...]:
        """The names of all fields: the parameters of the form's contract."""
        return tuple(self.models.parameters)

    @property
    def request(self) -> VideoRequest:
        """The current request, with only the fields that belong to it."""
        values = {name: getattr(self, name) for name in self._active_fields() - self.derived.keys()}
        if values.get("dynamic_masks"):
            values["dynamic_masks"] = without_blank(values["dynamic_masks"])
        return VideoRequest(**values)

    @property
    def derived(self) -> Mapping[str, Any]:
        """The values of fields that follow from others, such as the duration from those of the shots."""
        if not _derived_at_times(self.models.of(self.model)):
            return {}
        active, _, derivable = self._applicable()
        if not derivable:
            return {}
        values = {name: getattr(self, name) for name in active}
        derived = {name: DERIVED[function](values) for name, function in derivable.items()}
        return {name: value for name, value in derived.items() if value is not None}

    def takes(self, name: str) -> bool:
        """Return True if the chosen model takes the field; an unlisted model may take any field."""
        return name in self.models.of(self.model).parameters

    def parameter(self, name: str) -> Parameter:
        """Return the chosen model's description of a field, within the limits that other fields set.

        For a field that the model does not take, it is the contract's description.
        """
        model = self.models.of(self.model)
        limited = self._applicable()[1].get(name) if name in _limited_at_times(model) else None
        return limited or model.parameters.get(name) or self.models.parameters[name]

    def default(self, name: str) -> Any:
        """Return the chosen model's default for a field, within the limits that other fields set."""
        return default_of(self.parameter(name))

    def defaults(self, model: object) -> dict[str, Any]:
        """Return a model's defaults for all fields."""
        taken = self.models.of(model).parameters
        parameters = self.models.parameters
        return {name: default_of(taken.get(name, parameter)) for name, parameter in parameters.items()}

    @property
    def chosen(self) -> frozenset[str]:
        """The fields that were set to values other than the defaults of the then chosen model."""
        return frozenset(self._chosen)

    @property
    def requested_duration(self) -> int:
        """The length that was asked for, also while the model renders only another one."""
        return self._requested_duration

    def is_chosen(self, name: str) -> bool:
        """Return True if the field was set to a value other than the default of the then chosen model."""
        return name in self._chosen

    def counts(self, name: str) -> bool:
        """Return True if the field belongs to the request, given the model and the other fields."""
        return name in self._active_fields() and name not in self.derived

    def checkpoint(self) -> Callable[[], bool]:
        """Return a function that returns True while the results of ``check`` are still current."""

        def current_values() -> tuple[Any, ...]:
            return (self._manager, self.pending, *(getattr(self, name) for name in self.field_names))

        values, images = current_values(), image_fields.known_issues(self)
        return lambda: _are_identical(values, current_values()) and images == image_fields.known_issues(self)

    def check(self) -> tuple[Problems, Problems]:
        """Return the problems and warnings of the request, and of the images probed so far."""
        request, contract = self.request, self.contract.name
        problems, warnings = image_fields.known_issues(self)
        is_local = self._manager is not None and self._manager.is_local
        return (
            request.problems(contract) + problems + length_problems(self) + self._pending_now(),
            request.warnings(contract, local_service=is_local) + warnings,
        )

    def _pending_now(self) -> Problems:
        """Return the problems of painted masks that belong to the request."""
        return tuple(problem for problem in self.pending if self.counts(problem.field))

    def submit(self) -> Task:
        """Submit the current request.

        Raises:
            InvalidRequest: the request has problems.
            MissingApiKey: there is no manager, and none can be made from the environment.
        """
        return self.find_manager().submit(self.request)

    def find_manager(self) -> Owner:
        """Return the form's manager; if it has none, set it to the default manager.

        Raises:
            MissingApiKey: there is no manager, and none can be made from the environment.
        """
        if self._manager is None:
            from ...tasks.connection import current

            self.manager = current()
        assert self._manager is not None
        return self._manager

    # ------------------------------------------------------------------ the contract

    def _find_contract(self) -> Contract:
        """Return the contract of a form without a manager."""
        return find_contract()

    def _speak(
        self, given: Mapping[str, Any], hidden: Iterable[str], home: Models | None = None
    ) -> dict[str, Any]:
        """Get the traits of the manager's contract; return the given fields in its names.

        Args:
            given: the fields.
            hidden: the fields that the form does not show.
            home: the models of the contract in whose names the fields are; by default, it follows from them.
        """
        models = self.models
        self._limits_cache = _NO_LIMITS
        self.__class__ = self._kind
        if models.contract != DEFAULT_CONTRACT or any(not self.has_trait(name) for name in models.parameters):
            self.add_traits(**traits_of(models))
        self.hidden = hidden_in(models, hidden)
        named = in_names_of(models, given, home)
        self.fixed = {
            name: named.fields[name]
            for name in in_names_of(models, self.fixed).fields
            if name in named.fields
        }
        self.homeless, self.homeless_images = named.homeless, named.images
        return named.fields

    def _change_contract(self, left: Departure, was_connected: bool) -> None:
        """Show the fields of the new manager's contract, with what was set before, by its meaning.

        What was not part of the request does not become part of it. A contract that was left shows the form
        as it was, unless something has changed since.

        Args:
            left: the form in the contract before.
            was_connected: whether the user has seen the form with a manager of that contract.
        """
        back = self._departures.pop(self.models.contract, None)
        with self._filling():
            fields = self._speak({**self.homeless, **left.sent, **self.fixed}, self.hidden, left.models)
            if back is not None and back.led_to(left):
                self._restore(back)
            else:
                self.carrier = Carrier(self)
                self._set_fields(fields)
                self._remember_before(left, back)
                if was_connected:
                    self.carrier.compare_defaults(VideoRequest(**left.sent), left.models)
        if back is not None:
            self.given = back.given
        else:
            given = split_unsent(self.models, {**left.given, **left.fixed})[0]
            self.given = in_names_of(self.models, given).fields
        left.arrive(self)
        self._departures[left.models.contract] = left
        self.observe(self._follow, list(self.field_names))
        self._rebuild()

    def _restore(self, back: Departure) -> None:
        """Show the form as it was when the contract was left."""
        with self._unready():
            for name, value in back.values.items():
                setattr(self, name, value)
        self.fixed, self.homeless, self.homeless_images = back.fixed, back.homeless, back.homeless_images
        self.unsent, self.carrier, self._chosen = back.unsent_before, back.carrier, set(back.chosen)
        self._fitted_to = self.parameter("duration")
        self._fitted_duration, self._requested_duration = self.duration, back.requested_duration

    def _remember_before(self, left: Departure, back: Departure | None) -> None:
        """Keep what the contract before did not send, and the length that was requested there."""
        waiting = dict(left.unsent_before)
        own = waiting.pop(self.models.contract, Unsent({}))
        has_changed = frozenset[str]() if back is None else back.changed(left)
        if "duration" in left.sent or left.requested_duration != left.values["duration"]:
            self._requested_duration = left.requested_duration
        if back is not None and back.values["model"] == self.model:
            # What the model has set aside comes back with the record of it, and not into its field.
            own = Unsent(
                {name: value for name, value in own.values.items() if name in back.inactive}, own.images
            )
            back.carrier.put_aside(self._not_taken(), self.carrier.images)
            self.carrier = back.carrier
            if "duration" not in has_changed and self.duration == back.values["duration"]:
                self._requested_duration = back.requested_duration
        earlier = waiting.pop(left.models.contract, Unsent({}))
        theirs = Unsent({**earlier.values, **left.unsent.values}, both(left.unsent.images, earlier.images))
        self.keep_unsent(
            {**waiting, left.models.contract: theirs, self.models.contract: own},
            replace=own.values.keys() - has_changed,
        )
        if back is not None and back.values["model"] != self.model:
            rest = self.unsent.get(self.models.contract, Unsent({})).values
            others = {*FRAME_FIELDS, *self._chosen, *(back.inactive.keys() & back.takes)}
            self.carrier.await_model({name: value for name, value in rest.items() if name not in others})

    def _not_taken(self) -> dict[str, Any]:
        """Return the chosen values that the model does not take."""
        return {name: getattr(self, name) for name in sorted(self._chosen) if not self.takes(name)}

    def forget_contracts(self) -> None:
        """Forget the contracts that were left: the form has been filled in."""
        self._departures, self.unsent = {}, {}

    def keep_unsent(self, unsent: Mapping[str, Unsent], replace: Collection[str] = ()) -> None:
        """Keep values out of the request: in their field if it is not sent, elsewhere otherwise.

        Args:
            unsent: the values, by the date of their contract; empty if that is another one than the form's.
            replace: the names of fields whose value may be replaced.
        """
        self.unsent = {}
        for contract, kept in unsent.items():
            own = contract == self.models.contract
            names = [name for name in kept.values if own or name not in FRAME_FIELDS]
            put = {
                name for name in names if self._puts_unsent(name, kept.values[name], own and name in replace)
            }
            images = kept.images if put.intersection(FRAME_FIELDS) else NO_IMAGES
            self.carrier.put_aside({name: kept.values[name] for name in put if not self.takes(name)}, images)
            if rest := {name: value for name, value in kept.values.items() if name not in put}:
                images = kept.images if any(name in FRAME_FIELDS for name in rest) else NO_IMAGES
                self.unsent = {**self.unsent, contract: Unsent(rest, images)}

    def _puts_unsent(self, name: str, value: Any, replaces: bool) -> bool:
        """Set a field if that leaves the request as it is; return whether it did."""
        if name not in self.models.parameters or name in self.fixed or self.counts(name):
            return False
        before, request = getattr(self, name), self.request
        if not replaces and not is_at(before, self.default(name)):
            return False
        is_filling, self._is_filling = self._is_filling, True
        try:
            with self._unready():
                setattr(self, name, value)
                if self.request.given != request.given:
                    setattr(self, name, before)
                    return False
        except TraitError:  # a field of the same name, of another type
            return False
        finally:
            self._is_filling = is_filling
        if not is_at(getattr(self, name), self.default(name)):
            self._chosen.add(name)
        return True

    def _set_fields(self, fields: Mapping[str, Any]) -> None:
        """Set some fields, and all others to the defaults of the model; fixed fields before they are."""
        with self._unready():
            for name, value in {
                **self.defaults(fields.get("model", self.default("model"))),
                **fields,
            }.items():
                if name in fields or not is_at(getattr(self, name), value):
                    setattr(self, name, value)
            self.settle(fields)
        self.mark_chosen()

    @contextmanager
    def _unready(self) -> Iterator[None]:
        """Let every field be set within the context, also a fixed one, as while the form is made."""
        is_ready, self._is_ready = self._is_ready, False
        try:
            yield
        finally:
            self._is_ready = is_ready

    def settle(self, named: Iterable[str]) -> None:
        """Set fields that are not named to the default that other fields limit them to."""
        for name, parameter in self._applicable()[1].items():
            if name not in named and parameter.default != self.models.of(self.model).default(name):
                setattr(self, name, default_of(parameter))

    # ------------------------------------------------------------------ changes

    def approve(self, urls: Iterable[str]) -> None:
        """Allow fetching images: the user has requested them, or the code has set them."""
        self.unapproved -= frozenset(urls)
        self.refresh()

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Set several fields within the context, and check the request once at the end."""
        self._is_filling = True
        try:
            yield
        finally:
            self._is_filling = False
        if self._is_ready:
            self.has_typed = self.has_typed or bool(self.prompt)
            self._remember_duration()
            self._fitted_to = self.parameter("duration")
            self.refresh()

    def normalise(self, name: str, value: Any) -> Any:
        """Return the value of a field in a request's form, without API keys and with its files published.

        Raises:
            TraitError: the field is fixed to a different value, or not in the form's contract.
        """
        parameter = self.models.parameters.get(name)
        if parameter is None:
            raise TraitError(tr(_NO_FIELD).format(field=name, contract=self.contract.name))
        value = KINDS[parameter.type].read(hide_in(value))
        if not (self._is_ready and name in self.fixed):
            return image_fields.publish_files(self, parameter, value)
        if value != getattr(self, name):
            raise TraitError(f"{name} is fixed in this form, to {getattr(self, name)!r}")
        return value

    def mark_chosen(self) -> None:
        """Mark the fields that differ from the model's defaults as chosen, and the duration as requested."""
        defaults = self.defaults(self.model)
        self._chosen = {name for name in defaults if not is_at(getattr(self, name), self.default(name))}
        self._requested_duration = self._fitted_duration = self.duration
        self._fitted_to = self.parameter("duration")
        self.carrier.forget()
        self.carrier.put_aside(self._not_taken())

    def _follow(self, change: Any) -> None:
        """Handle a change of a field."""
        name = change["name"]
        if self._is_filling or name not in self.models.parameters:
            return
        if name == "prompt" and self.prompt:
            self.has_typed = True
        self._remember_duration()
        if name == "model":
            self._follow_model(change["old"])
        elif is_at(getattr(self, name), self.default(name)):
            self._chosen.discard(name)
        else:
            self._chosen.add(name)
        self._follow_limits()
        self.refresh()

    def _follow_model(self, old: object) -> None:
        """Move fields at the old model's default to the new model's default, and carry over the others."""
        before, after = self.defaults(old), self.defaults(self.model)
        moved = [
            name
            for name in after.keys() - self.fixed.keys() - self._chosen - {"duration"}
            # Within hold_trait_notifications, code may have set both the model and this field.
            if not is_at(after[name], before[name]) and is_at(getattr(self, name), before[name])
        ]
        with self._filling():  # the caller checks the request once
            for name in moved:
                setattr(self, name, after[name])
            self.carrier.carry(str(old), self._chosen)
            self._house_images()
            self._fit_duration(before["duration"], self.default("duration"))
            self._house_unsent()

    def _house_images(self) -> None:
        """Set the images that no model before had a place for, if the model has one."""
        model, contract = self.models.of(self.model), self.models.parameters
        own = {name: getattr(self, name) for name in FRAME_FIELDS if self.takes(name)}
        if self.homeless_images == NO_IMAGES or self.fixed.keys() & own.keys():
            return
        kept, fields = frames_of(own, model), dict[str, Any]()
        left = set_frames(fields, both(kept, self.homeless_images), model)
        if left == self.homeless_images or both(left, kept) != both(kept, left):
            return
        for name in own:
            setattr(self, name, fields.get(name, default_of(contract[name])))
        self.homeless_images = left
        if left == NO_IMAGES:
            self.homeless = {n: value for n, value in self.homeless.items() if n not in FRAME_FIELDS}

    def _house_unsent(self) -> None:
        """Show what was not sent in this contract before, where it is not sent with the model either."""
        contract = self.models.contract
        if kept := self.unsent.get(contract):
            values = {name: v for name, v in kept.values.items() if getattr(self, name, None) != v}
            self.keep_unsent({**self.unsent, contract: Unsent(values, kept.images)})

    def _follow_limits(self) -> None:
        """Fit the duration again if another field has changed the durations that are possible."""
        limits = self.parameter("duration")
        if limits.choices != self._fitted_to.choices:
            with self._filling():
                self._fit_duration(default_of(self._fitted_to), default_of(limits))

    @contextmanager
    def _filling(self) -> Iterator[None]:
        """Set fields within the context without handling each change."""
        before, self._is_filling = self._is_filling, True
        try:
            yield
        finally:
            self._is_filling = before

    def _remember_duration(self) -> None:
        if self.duration != self._fitted_duration:
            self._requested_duration = self._fitted_duration = self.duration

    def _fit_duration(self, before: int, default: int) -> None:
        """Set the requested duration, or the nearest that the model renders; remember the requested one."""
        if "duration" in self.fixed:
            return
        is_chosen = "duration" in self._chosen or self._requested_duration != before
        if not is_chosen:
            self._requested_duration = default
        self._fitted_to = self.parameter("duration")
        choices = self._fitted_to.choices if self.takes("duration") else ()
        if choices:
            self._fitted_duration = min(
                choices, key=lambda seconds: (abs(seconds - self._requested_duration), seconds)
            )
        else:
            self._fitted_duration = self._requested_duration
        self.duration = self._fitted_duration

    def unavailable(self, name: str) -> str:
        """Return the reason why a field cannot be set, or a switch not be turned, as a predicate."""
        if not self.counts(name) and self.takes(name):
            active = self.models.of(self.model).active(self._values())
            return next((rule.refusal for rule in active if name in rule.forbid and not rule.instead), "")
        if name not in _limited_at_times(self.models.of(self.model)):
            return ""
        limited = self._applicable()[1].get(name)
        if limited is None or limited.type != "boolean" or bool(getattr(self, name)) not in limited.choices:
            return ""
        active = self.models.of(self.model).active(self._values())
        return next((rule.refusal for rule in active if name in rule.limit and rule.refusal), "")

    def omit_note(self, name: str) -> str:
        """Return the sentence that explains why the field does not apply; empty if there is none."""
        active = self.models.of(self.model).active(self._values())
        unsent = (rule for rule in active if name in rule.omit or name in rule.forbid)
        return next((rule.instead for rule in unsent if rule.instead), "")

    def _active_fields(self) -> frozenset[str]:
        """Return the fields that belong to the request."""
        return self._applicable()[0]

    def _applicable(self) -> Applicable:
        """Return the fields that belong to the request, those that others limit, and those that may follow.

        They are cached until a value that decides this changes.
        """
        model = self.models.of(self.model)
        known, deciding, before, applicable = self._limits_cache
        if known is not model:
            deciding = tuple(
                {name for rule in model.constraints for name in rule.deciding if name in model.parameters}
            )
        values = tuple(getattr(self, name) for name in deciding)
        if known is not model or not _are_identical(values, before):
            decided = dict(zip(deciding, values, strict=True))
            active, limited = frozenset(model.parameters) - model.unsent(decided), _limited(model, decided)
            derivable = {
                name: parameter.derived
                for name, parameter in model.parameters.items()
                if parameter.derived and name in active and name not in limited
            }
            applicable = active, limited, derivable
            self._limits_cache = model, deciding, values, applicable
        return applicable

    def _values(self) -> dict[str, Any]:
        """Return the values of the fields that the model takes."""
        return {name: getattr(self, name) for name in self.models.of(self.model).parameters}
