"""``Filters``: the controls that select the tasks of a gallery."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

import ipywidgets

from ...i18n import N_, tr
from ...library.search import ORDERS, Choices, Selection
from ...service.contract.models import contracts, declared, models_of
from ...service.contract.status_names import status_label
from ..base.build import set_tooltip
from ..base.ipw import HBox
from ..base.sync import Echo, close_whole, update
from ..base.text_fields import Text
from ..form.fields import choice_options

__all__ = ["Filters"]

_ALL = N_("all")
_UNRATED = -1
#: The value of "all". Not ``None``, which ipywidgets treats as no selection: an empty box.
_EVERY = object()
_SEARCH_HELP = N_("Words that must all be in the prompt. Enter searches.")
#: Controls that would identify a video, and so are not offered in a blind gallery; these include the order of
#: submission.
_REVEALING = ("text", "model", "mode", "order")
_WIDTH = {"text": "260px", "since": "190px", "until": "190px"}


class Filters(HBox):
    """Search, filters and order, with only the values that occur in the library.

    Args:
        changed: called after each change by the user or in code.
        blind: whether the tasks are anonymous; they are shuffled then, and cannot be searched.

    Attributes:
        controls: the controls by name: text, model, mode, status, tag, rating, since, until, order.
    """

    def __init__(self, changed: Callable[[], object], *, blind: bool = False) -> None:
        self._changed, self._blind = changed, blind
        self._echo = Echo()
        every = (tr(_ALL), _EVERY)
        rated = [(tr("{stars} or more").format(stars=stars), stars) for stars in range(5, -1, -1)]
        ratings = [every, (tr("not rated"), _UNRATED), *rated]
        orders = [(tr(text), order) for order, text in ORDERS.items() if order != "shuffled"]
        self.controls: dict[str, Any] = {
            "text": Text(
                description=tr("Search"), placeholder=tr("words of the prompt"), continuous_update=False
            ),
            "model": ipywidgets.Dropdown(description=tr("Model"), options=[every]),
            "mode": ipywidgets.Dropdown(description=tr("Mode"), options=[every, *_modes()]),
            "status": ipywidgets.Dropdown(description=tr("Status"), options=[every]),
            "tag": ipywidgets.Dropdown(description=tr("Tag"), options=[every]),
            "rating": ipywidgets.Dropdown(description=tr("Rating"), options=ratings),
            "since": ipywidgets.DatePicker(description=tr("From")),
            "until": ipywidgets.DatePicker(description=tr("To")),
            "order": ipywidgets.Dropdown(description=tr("Order"), options=orders),
        }
        set_tooltip(self.controls["text"], tr(_SEARCH_HELP))
        for name in _REVEALING if blind else ():
            control = self.controls.pop(name)
            close_whole(control)
        for name, control in self.controls.items():
            control.style.description_width = "52px"
            control.layout.width = _WIDTH.get(name, "212px")
            control.layout.max_width = "100%"
            control.layout.margin = "2px 8px 2px 0"
            control.observe(self._on_change, "value")
        super().__init__(
            list(self.controls.values()), layout={"flex_flow": "row wrap", "overflow": "visible"}
        )

    @property
    def selection(self) -> Selection:
        """The current selection."""
        values: dict[str, Any] = {name: control.value for name, control in self.controls.items()}
        chosen: dict[str, Any] = {name: None if value is _EVERY else value for name, value in values.items()}
        rating = chosen.pop("rating")
        since, until = _midnight(chosen.pop("since")), _midnight(chosen.pop("until"))
        if until is not None:
            until += timedelta(days=1)
        if self._blind:
            chosen["order"] = "shuffled"
        selection = Selection(**chosen, since=since, until=until)
        return replace(selection, unrated=True) if rating == _UNRATED else replace(selection, rating=rating)

    def offer(self, choices: Choices) -> None:
        """Offer the values in the library; a chosen value stays, even if it is gone from the library."""
        offered = (("model", choices.models), ("status", choices.statuses), ("tag", choices.tags))
        with self._echo:
            for name, values in offered:
                if (control := self.controls.get(name)) is not None:
                    self._offer(control, values, status_label if name == "status" else str)

    def _offer(self, control: Any, values: Iterable[str], text_of: Callable[[str], str]) -> None:
        chosen = control.value
        options = [(tr(_ALL), _EVERY), *((text_of(value), value) for value in values)]
        if chosen not in (_EVERY, *values):
            options.append((text_of(chosen), chosen))
        if tuple(options) != tuple(control.options):
            with update(control):
                control.options = options
                control.value = chosen

    def _on_change(self, _: Any) -> None:
        if not self._echo:
            self._changed()


def _modes() -> list[tuple[str, Any]]:
    """Return the modes of all models with their labels; one model may have more than the others."""
    taken = [model.parameters["mode"] for model in models_of().values() if "mode" in model.parameters]
    offered = (option for parameter in (declared()["mode"], *taken) for option in choice_options(parameter))
    return [*dict.fromkeys(offered), *((name, name) for name in _further_resolutions())]


def _further_resolutions() -> Iterator[str]:
    """Yield the resolutions of later contracts that no mode stands for."""
    for models in map(models_of, contracts()):
        if "resolution" in models.parameters and "mode" in models.spellings:
            known = models.spellings["mode"].values.values()
            yield from (name for name in models.parameters["resolution"].choices if name not in known)


def _midnight(day: date | None) -> datetime | None:
    """Return the start of a day in the kernel's time zone."""
    return None if day is None else datetime.combine(day, time.min).astimezone()
