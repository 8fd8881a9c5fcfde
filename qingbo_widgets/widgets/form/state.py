"""``FormState``, the fields of a form and the rules between them, independent of widgets.

The parts of a form read and set its traits, and do not depend on the form widget.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Unpack

from traitlets import HasTraits, TraitError, Tuple

from ...service.contract.contracts import CONTRACTS, Contract
from ...service.contract.kinds import KINDS
from ...service.contract.models import DEFAULT_CONTRACT, declared
from ...service.contract.problem import Problem
from ...service.contract.request import VideoRequest
from ...service.contract.schema import Model, Models, Parameter
from ...service.secrets.known_keys import hide_in
from ..base.managers import is_manager, no_manager
from . import image_fields
from .traits import default_of, is_at, trait_of

if TYPE_CHECKING:
    from traitlets import TraitType

    from ...service.contract import fields as types
    from ...service.contract.values import CameraControl, DynamicMask, Shot
    from ...tasks.task import Owner, Task

__all__ = ["FormState", "Problems"]

Problems = tuple[Problem, ...]


def _are_identical(values: Iterable[Any], others: Iterable[Any]) -> bool:
    """Compare values by identity, because arrays have no single ``==`` result, and because it is faster."""
    return all(value is other for value, other in zip(values, others, strict=True))


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
    """

    vars().update({name: trait_of(parameter) for name, parameter in declared().items()})
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
        self._active_cache: tuple[Model | None, tuple[str, ...], tuple[Any, ...], frozenset[str]]
        self._active_cache = None, (), (), frozenset()
        if not is_manager(manager):
            error = no_manager(type(manager).__name__)
            del manager  # it may be a key, and a traceback can show the variables of a frame
            raise error
        self._manager = manager
        self.fixed: Mapping[str, Any] = dict(fixed or {})
        self.hidden = frozenset((hide,) if isinstance(hide, str) else hide)
        unknown = (set(initial) | set(self.fixed) | self.hidden) - set(declared())
        if unknown:
            raise TypeError(hide_in(f"RequestForm has no field {', '.join(sorted(unknown))}"))
        if duplicates := set(initial) & set(self.fixed):
            raise TypeError(
                f"RequestForm got two values, fixed and initial, for {', '.join(sorted(duplicates))}"
            )
        #: True once the form has had a prompt.
        self.has_typed = False
        #: The fields as the code set them, to which the form can be reset.
        self.given: Mapping[str, Any] = {}
        #: Image URLs from a preset, draft or task that the user has not approved for fetching yet.
        self.unapproved: frozenset[str] = frozenset()
        if added := {name: trait_of(p) for name, p in declared().items() if not self.has_trait(name)}:
            self.add_traits(**added)  # declared after this class was created
        super().__init__(**self._options())
        given = {**initial, **self.fixed}
        for name, value in {**self.defaults(given.get("model", self.model)), **given}.items():
            if name in given or not is_at(getattr(self, name), value):
                setattr(self, name, value)
        self.mark_chosen()
        self._is_ready = True
        self.observe(self._follow, list(declared()))
        self._build()

    def _build(self) -> None:
        """Create the parts of the form; a state alone has none."""

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
        self._manager = manager
        with self.batch():  # a file path is valid only if the manager has a sandbox
            for name in image_fields.fields_with("image", "mask"):
                setattr(self, name, getattr(self, name))

    @property
    def contract(self) -> Contract:
        """The contract that carries the request."""
        return CONTRACTS[DEFAULT_CONTRACT] if self._manager is None else self._manager.client.contract

    @property
    def models(self) -> Models:
        """The models of the contract that carries the request."""
        return self.contract.models

    @property
    def field_names(self) -> tuple[str, ...]:
        """The names of all fields."""
        return tuple(declared())

    @property
    def request(self) -> VideoRequest:
        """The current request, with only the fields that belong to it."""
        return VideoRequest(**{name: getattr(self, name) for name in self._active_fields()})

    def takes(self, name: str) -> bool:
        """Return True if the chosen model takes the field; an unlisted model may take any field."""
        return name in self.models.of(self.model).parameters

    def parameter(self, name: str) -> Parameter:
        """Return the chosen model's description of a field, or any model's if it does not take the field."""
        return self.models.of(self.model).parameters.get(name) or declared()[name]

    def default(self, name: str) -> Any:
        """Return the chosen model's default for a field."""
        return default_of(self.parameter(name))

    def defaults(self, model: object) -> dict[str, Any]:
        """Return a model's defaults for all fields."""
        taken = self.models.of(model).parameters
        return {name: default_of(taken.get(name, parameter)) for name, parameter in declared().items()}

    def is_chosen(self, name: str) -> bool:
        """Return True if the field was set to a value other than the default of the then chosen model."""
        return name in self._chosen

    def counts(self, name: str) -> bool:
        """Return True if the field belongs to the request, given the model and the other fields."""
        return name in self._active_fields()

    def checkpoint(self) -> Callable[[], bool]:
        """Return a function that returns True while the results of ``check`` are still current."""

        def current_values() -> tuple[Any, ...]:
            return (self._manager, *(getattr(self, name) for name in declared()))

        values, images = current_values(), image_fields.known_issues(self)
        return lambda: _are_identical(values, current_values()) and images == image_fields.known_issues(self)

    def check(self) -> tuple[Problems, Problems]:
        """Return the problems and warnings of the request, and of the images probed so far."""
        request, contract = self.request, self.contract.name
        problems, warnings = image_fields.known_issues(self)
        is_local = self._manager is not None and self._manager.is_local
        return (
            request.problems(contract) + problems,
            request.warnings(contract, local_service=is_local) + warnings,
        )

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
            self.refresh()

    def normalise(self, name: str, value: Any) -> Any:
        """Return the value of a field in a request's form, without API keys and with its files published.

        Raises:
            TraitError: the field is fixed to a different value.
        """
        value = KINDS[declared()[name].type].read(hide_in(value))
        if not (self._is_ready and name in self.fixed):
            return image_fields.publish_files(self, name, value)
        if value != getattr(self, name):
            raise TraitError(f"{name} is fixed in this form, to {getattr(self, name)!r}")
        return value

    def mark_chosen(self) -> None:
        """Mark the fields that differ from the model's defaults as chosen, and the duration as requested."""
        defaults = self.defaults(self.model)
        self._chosen = {name for name in defaults if not is_at(getattr(self, name), defaults[name])}
        self._requested_duration = self._fitted_duration = self.duration

    def _follow(self, change: Any) -> None:
        """Handle a change of a field."""
        if self._is_filling:
            return
        name = change["name"]
        if name == "prompt" and self.prompt:
            self.has_typed = True
        self._remember_duration()
        if name == "model":
            self._follow_model(change["old"])
        elif is_at(getattr(self, name), self.default(name)):
            self._chosen.discard(name)
        else:
            self._chosen.add(name)
        self.refresh()

    def _follow_model(self, old: object) -> None:
        """Move fields at the old model's default to the new model's default."""
        before, after = self.defaults(old), self.defaults(self.model)
        moved = [
            name
            for name in after.keys() - self.fixed.keys() - self._chosen - {"duration"}
            # Within hold_trait_notifications, code may have set both the model and this field.
            if not is_at(after[name], before[name]) and is_at(getattr(self, name), before[name])
        ]
        self._is_filling = True  # the caller checks the request once
        try:
            for name in moved:
                setattr(self, name, after[name])
            if "duration" not in self.fixed:
                self._fit_duration(before["duration"], after["duration"])
        finally:
            self._is_filling = False

    def _remember_duration(self) -> None:
        if self.duration != self._fitted_duration:
            self._requested_duration = self._fitted_duration = self.duration

    def _fit_duration(self, before: int, default: int) -> None:
        """Set the requested duration, or the nearest that the model renders; remember the requested one."""
        is_chosen = "duration" in self._chosen or self._requested_duration != before
        if not is_chosen:
            self._requested_duration = default
        described = self.models.of(self.model).parameters.get("duration")
        choices = () if described is None else described.choices
        if choices:
            self._fitted_duration = min(
                choices, key=lambda seconds: (abs(seconds - self._requested_duration), seconds)
            )
        else:
            self._fitted_duration = self._requested_duration
        self.duration = self._fitted_duration

    def omit_note(self, name: str) -> str:
        """Return the sentence that explains why the field does not apply; empty if there is none."""
        active = self.models.of(self.model).active(self._values())
        return next((rule.instead for rule in active if name in rule.omit and rule.instead), "")

    def _active_fields(self) -> frozenset[str]:
        """Return the fields that belong to the request, cached until a value that decides this changes."""
        model = self.models.of(self.model)
        known, deciding, before, active_fields = self._active_cache
        if known is not model:
            deciding = tuple(
                {name for rule in model.constraints for name in rule.when if name in model.parameters}
            )
        values = tuple(getattr(self, name) for name in deciding)
        if known is not model or not _are_identical(values, before):
            active_fields = frozenset(model.parameters) - model.unsent(
                dict(zip(deciding, values, strict=True))
            )
            self._active_cache = model, deciding, values, active_fields
        return active_fields

    def _values(self) -> dict[str, Any]:
        """Return the values of the fields that the model takes."""
        return {name: getattr(self, name) for name in self.models.of(self.model).parameters}
