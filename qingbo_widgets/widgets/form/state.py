"""``FormState``, the fields of a form and the rules between them, independent of widgets.

The parts of a form read and set its traits, and do not depend on the form widget.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Unpack

from traitlets import TraitError

from ...exceptions import InvalidRequest
from ...i18n import N_, tr
from ...service.contract.contracts import Contract
from ...service.contract.frames import IMAGE, Frames, with_image
from ...service.contract.kinds import KINDS
from ...service.contract.misspelt import check_names
from ...service.contract.models import DEFAULT_CONTRACT, declared, home_of
from ...service.contract.offered import current_models
from ...service.contract.request import VideoRequest
from ...service.contract.schema import Models, Parameter
from ...service.credentials import find_contract
from ...service.secrets.known_keys import hide_in
from ..base.managers import is_manager, no_manager
from . import image_fields
from .applicability import Applicability
from .approval import without
from .carrying import Carrier
from .contract_changes import ContractChanges, not_taken
from .departures import Departure
from .fitted_duration import FittedDuration
from .form_traits import FormTraits, Problems
from .mask_points import without_blank
from .model_changes import follow_model
from .names import Unsent, hidden_in, in_names_of, split_unsent
from .traits import are_identical, default_of, is_at, traits_of
from .unsent_values import keep_unsent

if TYPE_CHECKING:
    from ...service.contract import fields as types
    from ...tasks.task import Owner, Task

__all__ = ["FormState", "Problems"]

_NO_FIELD = N_("{field} is not in contract {contract}, which this form uses.")


class FormState(FormTraits):
    """The state of a form: a trait for each field that some model takes.

    Fields that the chosen model does not take are omitted from the request, but keep their value for a model
    that takes them.

    Args:
        manager: the manager that submits the request; the default manager if omitted.
        fixed: values of fields that cannot be changed, neither in the form nor in code.
        hide: fields that the form does not show. They keep their value, and are part of the request.
        **initial: initial values of the fields; ``image`` is the first frame, in the field of the model.

    Raises:
        TypeError: a field does not exist or has two values, or ``manager`` is not a manager.
        InvalidRequest: there is no manager, and ``QINGBO_CONTRACT`` is not the date of a contract.
    """

    def __init__(
        self,
        manager: Owner | None = None,
        *,
        fixed: Mapping[str, Any] | None = None,
        hide: Iterable[str] = (),
        **initial: Unpack[types.EveryField],
    ) -> None:
        self._is_ready = self._is_filling = False
        if not is_manager(manager):
            error = no_manager(type(manager).__name__)
            del manager  # it may be a key, and a traceback can show the variables of a frame
            raise error
        self._manager, self._kind = manager, type(self)
        self.fixed: Mapping[str, Any] = dict(fixed or {})
        hidden = frozenset((hide,) if isinstance(hide, str) else hide)
        names, own = {*initial, *self.fixed, *hidden}, ("manager", "fixed", "hide", IMAGE)
        in_use = current_models if manager is None else lambda: manager.client.contract.models
        check_names(f"{type(self).__name__}()", names, in_use, own)
        if duplicates := set(initial) & set(self.fixed):
            message = tr("{names}: given as fixed and as initial value; leave out one of the two")
            raise TypeError(message.format(names=", ".join(sorted(duplicates))))
        #: True once the form has had a prompt.
        self.has_typed = False
        #: The fields that were set to values other than the defaults of the then chosen model.
        self.chosen: frozenset[str] = frozenset()
        #: The fields as the code set them, to which the form can be reset: JSON, and pictures in memory.
        self.given: Mapping[str, Any] = {}
        #: Values without a place in the form's contract, by the name that they were given under.
        self.homeless: Mapping[str, Any] = {}
        #: The images among them, by what they mean.
        self.homeless_images = Frames()
        #: Values that are kept but not sent, because their contract did not send them either, by its date.
        self.unsent: Mapping[str, Unsent] = {}
        #: URLs and paths from a preset, draft or task of which nothing is read before the user allows it.
        self.unapproved: frozenset[str] = frozenset()
        #: Why painted masks could not be saved, by their numbers.
        self.unsaved_masks: Mapping[int, str] = {}
        #: The prices of the models as texts, by their names, as far as they are known.
        self.model_prices: Mapping[str, str] = {}
        self.carrier = Carrier(self)
        self.fitted_duration = FittedDuration(self)
        self._applicability = Applicability(self)
        self._contracts = ContractChanges(self)
        self._without_manager: Contract | None = None
        fields = self._with_image({**initial, **self.fixed})
        sent, unsent = split_unsent(self.models, fields)
        given = self.adopt_contract(sent, hidden)
        super().__init__(**self._options())
        self.set_fields(given)
        keep_unsent(self, {"": Unsent(hide_in(unsent))})
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
            self._contracts.follow(left, was_connected)
            self.observe(self._follow, list(self.field_names))
            self._rebuild()
        self._save_pictures()

    def _save_pictures(self) -> None:
        """Save the pictures in memory, which needs a manager, also those that a reset brings back."""
        self.given = {
            name: image_fields.with_saved(self, declared()[name], value)
            if image_fields.has_local_media(value)
            else value
            for name, value in self.given.items()
        }
        with self.batch():
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
        values = {name: getattr(self, name) for name in self._applicability.active - self.derived.keys()}
        if values.get("dynamic_masks"):
            values["dynamic_masks"] = without_blank(values["dynamic_masks"])
        return VideoRequest(**values)

    @property
    def derived(self) -> Mapping[str, Any]:
        """The values of fields that follow from others, such as the duration from those of the shots."""
        return self._applicability.derived

    def shown_value(self, name: str) -> Any:
        """Return the value of a field for its control; a duration that the shots decide is theirs."""
        if name == "duration" and not self.counts(name) and (request := self.request).is_multi_shot:
            return request.seconds
        return getattr(self, name)

    def takes(self, name: str) -> bool:
        """Return True if the chosen model takes the field; an unlisted model may take any field."""
        return name in self.models.of(self.model).parameters

    def parameter(self, name: str) -> Parameter:
        """Return the chosen model's description of a field, within the limits that other fields set.

        For a field that the model does not take, it is the contract's description.
        """
        limited = self._applicability.limited_parameter(name)
        own = self.models.of(self.model).parameters.get(name)
        return limited or own or self.models.parameters[name]

    def default(self, name: str) -> Any:
        """Return the chosen model's default for a field, within the limits that other fields set."""
        return default_of(self.parameter(name))

    def defaults(self, model: object) -> dict[str, Any]:
        """Return a model's defaults for all fields."""
        taken = self.models.of(model).parameters
        parameters = self.models.parameters
        return {name: default_of(taken.get(name, parameter)) for name, parameter in parameters.items()}

    def is_chosen(self, name: str) -> bool:
        """Return True if the field was set to a value other than the default of the then chosen model."""
        return name in self.chosen

    def counts(self, name: str) -> bool:
        """Return True if the field belongs to the request, given the model and the other fields."""
        return self._applicability.counts(name)

    def unavailable(self, name: str) -> str:
        """Return the reason why a field cannot be set, or a switch not be turned, as a predicate."""
        return self._applicability.unavailable(name)

    def omit_note(self, name: str) -> str:
        """Return the sentence that explains why the field does not apply; empty if there is none."""
        return self._applicability.omit_note(name)

    def checkpoint(self) -> Callable[[], bool]:
        """Return a function that returns True while the results of ``check`` are still current."""

        def current_values() -> tuple[Any, ...]:
            return (self._manager, self.unsaved_masks, *(getattr(self, name) for name in self.field_names))

        values, images = current_values(), image_fields.known_issues(self)
        return lambda: are_identical(values, current_values()) and images == image_fields.known_issues(self)

    def check(self) -> tuple[Problems, Problems]:
        """Return the problems and warnings of the request, and of the images probed so far."""
        request, contract, manager = self.request, self.contract.name, self._manager
        problems, warnings = image_fields.known_issues(self)
        if manager is None:
            others, is_local = request.problems(contract), False
        else:
            others, is_local = manager.inputs.other_problems(request, contract), manager.is_local
            others += manager.inputs.refusals(request)
        return (
            others + problems + image_fields.unready_files(self),
            request.warnings(contract, local_service=is_local) + warnings,
        )

    def submit(self) -> Task:
        """Submit the current request.

        Raises:
            InvalidRequest: the request has problems.
            MissingApiKey: there is no manager, and none can be made from the environment.
        """
        manager = self.find_manager()
        if unready := image_fields.unready_files(self):
            raise InvalidRequest(unready)
        return manager.submit(self.request)

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

    def _with_image(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return fields with the ``image`` among them in the field in which the model takes a first frame.

        Raises:
            TypeError: that field is given too.
        """
        model = fields.get("model", self.models.parameters["model"].default)
        named = {**fields, "model": model}
        named.pop(IMAGE, None)
        home = self.models if named.keys() <= self.models.parameters.keys() else home_of(named)
        return with_image(fields, home.of(model))

    def adopt_contract(
        self, given: Mapping[str, Any], hidden: Iterable[str], home: Models | None = None
    ) -> dict[str, Any]:
        """Take on the fields of the manager's contract; return the given fields in its names.

        Args:
            given: the fields.
            hidden: the fields that the form does not show.
            home: the models of the contract in whose names the fields are; by default, it follows from them.
        """
        models = self.models
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

    def forget_contracts(self) -> None:
        """Forget the contracts that were left: the form has been filled in."""
        self._contracts.forget()
        self.unsent = {}

    def set_fields(self, fields: Mapping[str, Any]) -> None:
        """Set some fields, and all others to the defaults of the model; fixed fields before they are."""
        with self.unlocked():
            for name, value in {
                **self.defaults(fields.get("model", self.default("model"))),
                **fields,
            }.items():
                if name in fields or not is_at(getattr(self, name), value):
                    setattr(self, name, value)
            self.settle(fields)
        self.mark_chosen()

    @contextmanager
    def unlocked(self) -> Iterator[None]:
        """Let every field be set within the context, also a fixed one, as while the form is made."""
        is_ready, self._is_ready = self._is_ready, False
        try:
            yield
        finally:
            self._is_ready = is_ready

    def settle(self, named: Iterable[str]) -> None:
        """Set fields that are not named to the default that other fields limit them to."""
        for name, parameter in self._applicability.limited.items():
            if name not in named and parameter.default != self.models.of(self.model).default(name):
                setattr(self, name, default_of(parameter))

    # ------------------------------------------------------------------ changes

    def approve(self, urls: Iterable[str]) -> None:
        """Allow reading the files at these URLs and paths: the user has requested it."""
        self.unapproved = without(self.unapproved, urls)
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
            self.fitted_duration.follow_duration()
            self.fitted_duration.take_limits()
            self.refresh()

    def normalise(self, name: str, value: Any) -> Any:
        """Return the value of a field in a request's form, without API keys and with its pictures saved.

        Raises:
            TraitError: the field is fixed to a different value, or not in the form's contract.
        """
        parameter = self.models.parameters.get(name)
        if parameter is None:
            raise TraitError(tr(_NO_FIELD).format(field=name, contract=self.contract.name))
        value = KINDS[parameter.type].read(hide_in(value))
        if not (self._is_ready and name in self.fixed):
            return image_fields.with_saved(self, parameter, value)
        if value != getattr(self, name):
            message = tr("{name} is fixed in this form, to {value!r}")
            raise TraitError(message.format(name=name, value=getattr(self, name)))
        return value

    def mark_chosen(self) -> None:
        """Mark the fields that differ from the model's defaults as chosen, and the duration as requested."""
        defaults = self.defaults(self.model)
        self.chosen = frozenset(
            name for name in defaults if not is_at(getattr(self, name), self.default(name))
        )
        self.fitted_duration.request()
        self.carrier.forget()
        self.carrier.put_aside(not_taken(self))

    def _follow(self, change: Any) -> None:
        """Handle a change of a field."""
        name = change["name"]
        if self._is_filling or name not in self.models.parameters:
            return
        if name == "prompt" and self.prompt:
            self.has_typed = True
        self.fitted_duration.follow_duration()
        if name == "model":
            follow_model(self, change["old"])
        elif is_at(getattr(self, name), self.default(name)):
            self.chosen -= {name}
        else:
            self.chosen |= {name}
        if self.fitted_duration.is_outdated:
            with self.filling():
                self.fitted_duration.follow_limits()
        self.refresh()

    @contextmanager
    def filling(self) -> Iterator[None]:
        """Set fields within the context without handling each change."""
        before, self._is_filling = self._is_filling, True
        try:
            yield
        finally:
            self._is_filling = before
