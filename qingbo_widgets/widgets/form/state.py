"""``FormState``: the fields of a form and the rules that follow from them. Knows no widget.

The parts of a form read and set its traits, and never know the form that they are parts of.
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


def _are(values: Iterable[Any], others: Iterable[Any]) -> bool:
    """Return whether these are the very same values: an array has no single "==", and this is faster."""
    return all(value is other for value, other in zip(values, others, strict=True))


class FormState(HasTraits):
    """The state of a form: a trait for each field that some model takes.

    What the chosen model does not take is left out of the request, and kept for when a model takes it again.

    Args:
        manager: where the request is to be submitted; the default one when left out.
        fixed: fields with a value that nobody can change, neither in the form nor in code.
        hide: fields that the form does not show. They keep their value, and count.
        **initial: first values of the fields.

    Raises:
        TypeError: for a field that does not exist, or is given twice, or a manager that is none.
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
    problems: Problems = Tuple(  # type: ignore[assignment]  # traitlets cannot type the members
        read_only=True, help="Why the service would refuse the request; empty when it is ready."
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
        self._counted: tuple[Model | None, tuple[str, ...], tuple[Any, ...], frozenset[str]]
        self._counted = None, (), (), frozenset()
        if not is_manager(manager):
            refused = no_manager(type(manager).__name__)
            del manager  # it may be a key, and a traceback can show what a frame still has
            raise refused
        self._manager = manager
        self.fixed: Mapping[str, Any] = dict(fixed or {})
        self.hidden = frozenset((hide,) if isinstance(hide, str) else hide)
        unknown = (set(initial) | set(self.fixed) | self.hidden) - set(declared())
        if unknown:
            raise TypeError(hide_in(f"RequestForm has no field {', '.join(sorted(unknown))}"))
        if twice := set(initial) & set(self.fixed):
            raise TypeError(f"RequestForm got a fixed and another value for {', '.join(sorted(twice))}")
        #: Whether the user has written a prompt.
        self.typed = False
        #: The fields as the code has given them, which the form can come back to.
        self.given: Mapping[str, Any] = {}
        #: Addresses of images that came with a preset, a draft or a task, and were not asked for yet.
        self.unasked: frozenset[str] = frozenset()
        if later := {name: trait_of(p) for name, p in declared().items() if not self.has_trait(name)}:
            self.add_traits(**later)  # described since this class was made
        super().__init__(**self._options())
        given = {**initial, **self.fixed}
        for name, value in {**self.defaults(given.get("model", self.model)), **given}.items():
            if name in given or not is_at(getattr(self, name), value):
                setattr(self, name, value)
        self.settle()
        self._is_ready = True
        self.observe(self._follow, list(declared()))
        self._build()

    def _build(self) -> None:
        """Make what the form consists of; a state by itself consists of nothing."""

    def _options(self) -> dict[str, Any]:
        """Return what the next class in line is made with."""
        return {}

    # ------------------------------------------------------------------ for a form with widgets

    def refresh(self) -> None:
        """Bring the form up to date, because a field has changed. A state by itself finds its problems."""
        self.set_trait("problems", self.judge()[0])

    def show_problems(self) -> None:
        """Show what has become known of the request as it stands. May be called on any thread."""
        self.refresh()

    # ------------------------------------------------------------------ what it says

    @property
    def manager(self) -> Owner | None:
        """The manager that ``submit`` uses; ``None`` for the default one."""
        return self._manager

    @manager.setter
    def manager(self, manager: Owner | None) -> None:
        self._manager = manager
        with self.at_once():  # whether the path of a file will do depends on who takes it
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
        """The request as the form stands: of the fields that count, and no others."""
        return VideoRequest(**{name: getattr(self, name) for name in self._counting()})

    def takes(self, name: str) -> bool:
        """Return whether the chosen model takes a field; one that is not listed may take any."""
        return name in self.models.of(self.model).parameters

    def parameter(self, name: str) -> Parameter:
        """Return the description of a field: the chosen model's, or of one that it does not take, any."""
        return self.models.of(self.model).parameters.get(name) or declared()[name]

    def default(self, name: str) -> Any:
        """Return the value of a field that is not set, as the chosen model has it."""
        return default_of(self.parameter(name))

    def defaults(self, model: object) -> dict[str, Any]:
        """Return the value of every field that is not set, as a model has it."""
        taken = self.models.of(model).parameters
        return {name: default_of(taken.get(name, parameter)) for name, parameter in declared().items()}

    def is_chosen(self, name: str) -> bool:
        """Return whether a field was set to something else than the default of the model of that time."""
        return name in self._chosen

    def counts(self, name: str) -> bool:
        """Return whether a field belongs to the request, as the model and the other fields decide."""
        return name in self._counting()

    def judged(self) -> Callable[[], bool]:
        """Return what tells whether ``judge`` would still find the same: whether the form is as it was."""

        def standing() -> tuple[Any, ...]:
            return (self._manager, *(getattr(self, name) for name in declared()))

        values, images = standing(), image_fields.found(self)
        return lambda: _are(values, standing()) and images == image_fields.found(self)

    def judge(self) -> tuple[Problems, Problems]:
        """Return problems and warnings of the request, and of the images that have been looked at."""
        request, contract = self.request, self.contract.name
        problems, warnings = image_fields.found(self)
        is_local = self._manager is not None and self._manager.is_local
        return (
            request.problems(contract) + problems,
            request.warnings(contract, local_service=is_local) + warnings,
        )

    def submit(self) -> Task:
        """Submit the request as it stands.

        Raises:
            InvalidRequest: there are problems.
            MissingApiKey: there is no manager, and none can be made from the environment.
        """
        return self.find_manager().submit(self.request)

    def find_manager(self) -> Owner:
        """Return the form's manager, or the default one, which is the form's from then on.

        Raises:
            MissingApiKey: there is none, and none can be made from the environment.
        """
        if self._manager is None:
            from ...tasks.connection import current

            self.manager = current()
        assert self._manager is not None
        return self._manager

    # ------------------------------------------------------------------ changing it

    def ask_for(self, urls: Iterable[str]) -> None:
        """Let images be looked at: the user wants to see them, or the code has named them."""
        self.unasked -= frozenset(urls)
        self.refresh()

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Set several fields, and look at the whole once, at the end."""
        self._is_filling = True
        try:
            yield
        finally:
            self._is_filling = False
        if self._is_ready:
            self.typed = self.typed or bool(self.prompt)
            self._remember_duration()
            self.refresh()

    def normalise(self, name: str, value: Any) -> Any:
        """Return the value of a field as a request keeps it, without a key, its files published.

        Raises:
            TraitError: the field is fixed to another value.
        """
        value = KINDS[declared()[name].type].read(hide_in(value))
        if not (self._is_ready and name in self.fixed):
            return image_fields.published(self, name, value)
        if value != getattr(self, name):
            raise TraitError(f"{name} is fixed in this form, to {getattr(self, name)!r}")
        return value

    def settle(self) -> None:
        """Take what stands in the form for what is wished: where it is not the model's default, as chosen."""
        defaults = self.defaults(self.model)
        self._chosen = {name for name in defaults if not is_at(getattr(self, name), defaults[name])}
        self._wished = self._rendered = self.duration

    def _follow(self, change: Any) -> None:
        """A trait has changed."""
        if self._is_filling:
            return
        name = change["name"]
        if name == "prompt" and self.prompt:
            self.typed = True
        self._remember_duration()
        if name == "model":
            self._follow_model(change["old"])
        elif is_at(getattr(self, name), self.default(name)):
            self._chosen.discard(name)
        else:
            self._chosen.add(name)
        self.refresh()

    def _follow_model(self, old: object) -> None:
        """Move what stood at the default of the model before to the default of this one."""
        before, after = self.defaults(old), self.defaults(self.model)
        moved = [
            name
            for name in after.keys() - self.fixed.keys() - self._chosen - {"duration"}
            # Whoever holds the notifications back may have set both the model and this.
            if not is_at(after[name], before[name]) and is_at(getattr(self, name), before[name])
        ]
        self._is_filling = True  # one look at the whole is enough
        try:
            for name in moved:
                setattr(self, name, after[name])
            if "duration" not in self.fixed:
                self._fit_duration(before["duration"], after["duration"])
        finally:
            self._is_filling = False

    def _remember_duration(self) -> None:
        if self.duration != self._rendered:
            self._wished = self._rendered = self.duration

    def _fit_duration(self, before: int, default: int) -> None:
        """Choose the wished length, or the nearest that the model renders, until it can be had again."""
        is_chosen = "duration" in self._chosen or self._wished != before
        if not is_chosen:
            self._wished = default
        described = self.models.of(self.model).parameters.get("duration")
        choices = () if described is None else described.choices
        if choices:
            self._rendered = min(choices, key=lambda seconds: (abs(seconds - self._wished), seconds))
        else:
            self._rendered = self._wished
        self.duration = self._rendered

    def decided(self, name: str) -> str:
        """Return the sentence that says what decides in place of a field; empty where nothing does."""
        active = self.models.of(self.model).active(self._values())
        return next((one.instead for one in active if name in one.omit and one.instead), "")

    def _counting(self) -> frozenset[str]:
        """Return the fields that belong to the request; found anew only when what decides has changed."""
        model = self.models.of(self.model)
        known, deciding, before, counting = self._counted
        if known is not model:
            deciding = tuple(
                {name for rule in model.constraints for name in rule.when if name in model.parameters}
            )
        values = tuple(getattr(self, name) for name in deciding)
        if known is not model or not _are(values, before):
            counting = frozenset(model.parameters) - model.unsent(dict(zip(deciding, values, strict=True)))
            self._counted = model, deciding, values, counting
        return counting

    def _values(self) -> dict[str, Any]:
        """Return the values of what the model takes."""
        return {name: getattr(self, name) for name in self.models.of(self.model).parameters}
