"""``RequestForm``: a control and a trait for each field of a ``VideoRequest``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import ipywidgets
from traitlets import Any as AnyTrait
from traitlets import Bool, Float, Int, TraitError, Tuple, Unicode, observe, validate

from ...service.contract import catalog
from ...service.contract.problem import Problem
from ...service.contract.request import VideoRequest
from ...service.contract.values import Shot, is_set
from ...service.secrets.known_keys import hide_in
from ..base import html as markup
from ..base.sync import close_parts, update
from ..studio.connect import is_manager, no_manager
from . import images
from . import loading as filling
from . import messages as notes
from .fields import FIELDS, HELP, Controls, duration_options, in_seconds, made, model_options, offer
from .layout import BESIDE, BY_MODEL, MAIN, PANELS
from .panels import Panels, Slot
from .shots import ShotsSwitch

if TYPE_CHECKING:
    from ...tasks.task import Owner, Task

__all__ = ["RequestForm"]

_DEFAULTS: dict[str, Any] = VideoRequest().values()
_NORMALISED = ("image_urls", "camera_control", "dynamic_masks", "shots")


class RequestForm(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """A form for one request.

    Each field of ``VideoRequest`` is a trait, bound both ways to its control: set ``form.prompt`` and the
    control moves, type and the trait changes. What the chosen model does not take is hidden and left out of
    the request, and kept for when a model takes it again.

    Args:
        manager: where ``submit`` submits; the default one when left out.
        fixed: fields with a value that nobody can change, neither in the form nor in code.
        hide: fields that the form does not show. They keep their value, and count.
        **initial: first values of the fields.

    Attributes:
        controls: the ipywidgets control of each field that has one, made when it is first needed.
        manager: as given.
        fixed: as given.
        hidden: the names of the fields that are not shown.

    Raises:
        TypeError: for a field that does not exist, or is given twice, or a manager that is none.
    """

    #: The fields, with their defaults.
    field_names: ClassVar[Mapping[str, Any]] = MappingProxyType(_DEFAULTS)

    model = Unicode(_DEFAULTS["model"], help=HELP["model"])
    prompt = Unicode(_DEFAULTS["prompt"], help=HELP["prompt"])
    action = Unicode(_DEFAULTS["action"], help=HELP["action"])
    aspect_ratio = Unicode(_DEFAULTS["aspect_ratio"], help=HELP["aspect_ratio"])
    duration = Int(_DEFAULTS["duration"], help=HELP["duration"])
    negative_prompt = Unicode(None, allow_none=True, help=HELP["negative_prompt"])
    image_urls = AnyTrait((), help=HELP["image_urls"])
    last_frame = Unicode(None, allow_none=True, help=HELP["last_frame"])
    callback_url = Unicode(None, allow_none=True, help=HELP["callback_url"])
    mode = Unicode(_DEFAULTS["mode"], help=HELP["mode"])
    cfg_scale = Float(None, allow_none=True, help=HELP["cfg_scale"])
    enable_audio = Bool(None, allow_none=True, help=HELP["enable_audio"])
    camera_control = AnyTrait(None, help=HELP["camera_control"])
    static_mask = Unicode(None, allow_none=True, help=HELP["static_mask"])
    dynamic_masks = AnyTrait((), help=HELP["dynamic_masks"])
    shots = AnyTrait((), help=HELP["shots"])
    problems = Tuple(read_only=True, help="Why the service would refuse the request; empty when it is ready.")

    def __init__(
        self,
        manager: Owner | None = None,
        *,
        fixed: Mapping[str, Any] | None = None,
        hide: Iterable[str] = (),
        **initial: Any,
    ) -> None:
        self._ready = self._filling = False
        if not is_manager(manager):
            refused = no_manager(type(manager).__name__)
            del manager  # it may be a key, and a traceback can show what a frame still has
            raise refused
        self._manager = manager
        self.fixed: Mapping[str, Any] = dict(fixed or {})
        self.hidden = frozenset((hide,) if isinstance(hide, str) else hide)
        self.controls = Controls(self._adopt, [name for name in FIELDS if name not in self.hidden])
        unknown = (set(initial) | set(self.fixed) | self.hidden) - set(_DEFAULTS)
        if unknown:
            raise TypeError(f"RequestForm has no field {', '.join(sorted(unknown))}")
        if twice := set(initial) & set(self.fixed):
            raise TypeError(f"RequestForm got a fixed and another value for {', '.join(sorted(twice))}")
        self._moving = False  # while a control follows its trait, its own news are none
        self.typed = False  # whether somebody wrote a prompt
        self._notes: dict[str, Any] = {}
        #: Addresses of images that came with a preset, a draft or a task, and were not asked for yet.
        self.unasked: frozenset[str] = frozenset()
        super().__init__(layout={"overflow": "visible"}, _dom_classes=("qingbo",))
        for name, value in {**initial, **self.fixed}.items():
            setattr(self, name, value)
        self._ready = True
        self._wished = self._drawn = self.duration
        self._in_code = made(ipywidgets.HTML, "", "qingbo-note", layout={"display": "none"})
        self.switch = None if "shots" in self.hidden else ShotsSwitch(self)
        self.slots = {name: Slot(beside, self) for name, beside in BESIDE.items()}
        self.panels = Panels(PANELS, self)
        self.children = self._build()
        #: The fields as the code has given them, which ``start_afresh`` comes back to.
        self.given: Mapping[str, Any] = filling.fields_of(self)
        self.look()

    @property
    def manager(self) -> Owner | None:
        """Where ``submit`` submits; ``None`` for the default one."""
        return self._manager

    @manager.setter
    def manager(self, manager: Owner | None) -> None:
        self._manager = manager
        with self.at_once():  # whether the path of a file will do depends on who takes it
            for name in images.FIELDS_WITH_FILES:
                setattr(self, name, getattr(self, name))

    # ------------------------------------------------------------------ what it says

    @property
    def request(self) -> VideoRequest:
        """The request as the form stands: of the fields that count, and no others."""
        return VideoRequest(**{name: getattr(self, name) for name in _DEFAULTS if self.counts(name)})

    @property
    def obstacle(self) -> str:
        """Why nothing can be submitted yet, in a sentence; empty when it can."""
        return notes.obstacle(self, self.problems)

    def counts(self, name: str) -> bool:
        """Whether the field belongs to the request, as model, image and shots decide."""
        if not catalog.takes(self.model, name):
            return False
        if name in ("prompt", "duration"):
            return not (is_set(self.shots) and catalog.takes(self.model, "shots"))
        return name != "aspect_ratio" or not is_set(self.image_urls)

    def with_text(self, label: str, text: str) -> VideoRequest | None:
        """The request with this text in the prompt of this label; ``None`` where there is no such prompt.

        The page tells what stands in a text now. What it told before may still be on its way, even on another
        thread, and so the form is brought up to date too but not asked.
        """
        request, made = self.request, self.controls.made
        for name in ("prompt", "negative_prompt"):
            if name in made and made[name].description == label and self.counts(name):
                made[name].value = text
                return request.replace(**{name: FIELDS[name].read(text)})
        rows = [] if self.counts("prompt") else self.slots["prompt"].editor.prompts
        for index, row in enumerate(rows):
            if row.description == label and index < len(request.shots):
                row.value = text
                shot = Shot(text, getattr(request.shots[index], "duration", 0))
                return request.replace(shots=(*request.shots[:index], shot, *request.shots[index + 1 :]))
        return None

    def submit(self) -> Task:
        """Submit the request as it stands.

        Raises:
            InvalidRequest: there are problems.
            MissingApiKey: there is no manager, and none can be made from the environment.
        """
        if self.manager is None:
            from ...tasks.connection import current

            self.manager = current()
        return self.manager.submit(self.request)

    # ------------------------------------------------------------------ filling it in

    def load(self, source: Task | VideoRequest | Mapping[str, Any] | str) -> tuple[str, ...]:
        """Fill the form in from a task, a request, its fields, or the name of a preset.

        Returns:
            What could not be shown, as ``field: value``.

        Raises:
            KeyError: there is no preset of this name.
            ValueError: the task's request is not known.
        """
        return filling.load(self, source)

    def paste(self, text: str) -> tuple[str, ...]:
        """Fill the form in from the service's JSON, a part of it, or a curl command.

        Returns:
            What found no place, as ``field: value``.

        Raises:
            ValueError: the text is neither; the message says where it stops being it.
        """
        return filling.paste(self, text)

    def save(self, name: str) -> None:
        """Keep what is in the form as a preset in the library's folder.

        Raises:
            ValueError: it is no name.
            OSError: the folder cannot be written.
        """
        filling.presets_of(self).save(name, filling.fields_of(self))

    def start_afresh(self) -> None:
        """Every field as the code has given it."""
        filling.fill(self, self.given)

    def ask_for(self, urls: Iterable[str]) -> None:
        """Let images be looked at: the user wants to see them, or the code has named them."""
        self.unasked -= frozenset(urls)
        self.look()

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Set several fields, and look at the whole once, at the end."""
        self._filling = True
        try:
            yield
        finally:
            self._filling = False
        if self._ready:
            self.typed = self.typed or bool(self.prompt)
            if self.duration != self._drawn:
                self._wished = self._drawn = self.duration
            self.look()

    def close(self) -> None:
        """Close the form with all its parts."""
        if self.comm is None:
            return  # closed before, or refused before it was built: ipywidgets closes what is forgotten
        # Also what stands on no page.
        for part in (*self.controls.made.values(), *getattr(self, "slots", {}).values()):
            close_parts(part)
            part.close()
        close_parts(self)
        super().close()

    # ------------------------------------------------------------------ both ways

    @validate(*_DEFAULTS)
    def _normalise(self, proposal: Any) -> Any:
        """The forms that ``VideoRequest`` takes, turned into the one that it keeps."""
        name, value = proposal["trait"].name, hide_in(proposal["value"])
        if name in _NORMALISED:
            value = getattr(VideoRequest(**{name: value}), name)
        if not (self._ready and name in self.fixed):
            value = images.published(self, name, value)
        elif value != getattr(self, name):
            raise TraitError(f"{name} is fixed in this form, to {getattr(self, name)!r}")
        return value

    def _adopt(self, name: str, control: Any) -> None:
        """A control was made: from now on it and its trait follow each other."""
        self._show(name, control)
        control.observe(lambda change: self._take(name, change["new"]), "value")

    def _take(self, name: str, value: Any) -> None:
        """A control has news."""
        if not self._moving:
            setattr(self, name, FIELDS[name].read(value))

    @observe(*_DEFAULTS)
    def _follow(self, change: Any) -> None:
        """A trait has news: move its control and look at the whole again."""
        if not self._ready or self._filling:
            return
        name = change["name"]
        if name == "prompt" and self.prompt:
            self.typed = True
        if self.duration != self._drawn:
            self._wished = self._drawn = self.duration
        if name == "model" and "duration" not in self.fixed:
            self._fit_duration()
        self.look()

    def _fit_duration(self) -> None:
        """The wished length, or the nearest that the model renders, until it can be had again."""
        lengths = [seconds for _, seconds in duration_options(self.model)]
        self._drawn = min(lengths, key=lambda seconds: (abs(seconds - self._wished), seconds))
        self.duration = self._drawn

    def _move(self, name: str, control: Any) -> None:
        value = getattr(self, name)
        if FIELDS[name].read(control.value) == value and name not in ("model", "duration"):
            return  # never written back while somebody types
        if isinstance(control, ipywidgets.Dropdown):
            options = list(control.options)
            if name == "model":
                options = model_options()
            elif name == "duration":
                options = list(duration_options(self.model))
            offer(control, options, value, in_seconds if name == "duration" else str)
        else:
            control.value = FIELDS[name].write(value)

    # ------------------------------------------------------------------ drawing

    @property
    def _is_local(self) -> bool:
        return self.manager is not None and self.manager.is_local

    def look(self) -> None:
        """Look at the whole again, and draw what has changed."""
        problems, warnings = self._judge()
        controls = self.controls.made
        with update(*controls.values(), *(control.layout for control in controls.values())):
            self._moving = True
            try:
                for name, control in controls.items():
                    self._show(name, control)
            finally:
                self._moving = False
        if self.switch is not None:
            self.switch.look()
        for slot in self.slots.values():
            slot.look(problems, warnings)
        self.panels.look(problems, warnings)
        self._say(problems, warnings)

    def learn(self) -> None:
        """Say what has become known of the request as it stands. May be called on any thread.

        Moves no control: somebody may be typing.
        """
        problems, warnings = self._judge()
        for slot in self.slots.values():
            slot.learn(problems, warnings)
        self.panels.learn(problems, warnings)
        self._say(problems, warnings)

    def _judge(self) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
        """Problems and warnings of the request, and of the images that have been looked at."""
        request = self.request
        problems, warnings = images.found(self)
        return request.problems() + problems, request.warnings(local_service=self._is_local) + warnings

    def _say(self, problems: tuple[Problem, ...], warnings: tuple[Problem, ...]) -> None:
        with update(*self._notes.values(), self._in_code):
            for name, note in self._notes.items():
                note.value = notes.below(self, name, problems, warnings)
            self._in_code.value = notes.of_code(self, problems, warnings)
            self._in_code.layout.display = None if self._in_code.value else "none"
        # Outside the lock: somebody may observe it.
        self.set_trait("problems", problems)
        # Another thread may have learnt of an image since, and told of it already.
        if self._judge() != (problems, warnings):
            self.learn()

    def _show(self, name: str, control: Any) -> None:
        """Bring one control up to date."""
        self._move(name, control)
        taken = catalog.takes(self.model, name)
        if name == "prompt":
            taken = self.counts(name)
        if name == "prompt" or name not in catalog.COMMON_FIELDS:
            control.layout.display = None if taken else "none"
        control.disabled = name in self.fixed or (taken and not self.counts(name))

    # ------------------------------------------------------------------ building

    def _build(self) -> list[Any]:
        return [
            ipywidgets.HTML(markup.style()),
            *self.rows(MAIN),
            # One place for what some models take: what stands below does not jump.
            ipywidgets.VBox(self.rows(BY_MODEL), layout={"overflow": "visible", "min_height": "34px"}),
            self._in_code,
            self.panels,
        ]

    def rows(self, names: Iterable[str]) -> list[Any]:
        """The controls of some fields, each with its note below it."""
        rows = []
        for name in names:
            if name not in self.hidden:
                note = self._make_note(name)
                if name == "prompt" and self.switch is not None:
                    note = ipywidgets.HBox([note, self.switch], layout={"min_height": "28px"})
                rows += [self.controls[name], note]
                rows += [self.slots[name]] if name in self.slots else []
        return rows

    def _make_note(self, name: str) -> Any:
        # An empty one takes no room, so one layout does for all.
        first = next(iter(self._notes.values()), None)
        layout = {"margin": "0", "flex": "1 1 auto"}
        shared = {"layout": first.layout, "style": first.style} if first else {"layout": layout}
        note = self._notes[name] = made(ipywidgets.HTML, "", "qingbo-note", **shared)
        return note
