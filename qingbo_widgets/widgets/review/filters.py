"""``Filters``: the controls that select the tasks of a gallery."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

import ipywidgets

from ...i18n import N_, tr
from ...library.search import ORDERS, Choices, Selection
from ...service.contract.models import contracts, declared, models_of
from ...service.contract.quota import dollars
from ...service.contract.status_names import status_label
from ..base.build import button, set_tooltip
from ..base.ipw import VBox
from ..base.sync import Echo, close_whole, update
from ..base.text_fields import Text
from ..form.labels import choice_options

__all__ = ["Filters"]

_ALL = N_("all")
_UNRATED = -1
#: The value of "all". Not ``None``, which ipywidgets treats as no selection: an empty box.
_EVERY = object()
#: The values of controls that are not set, other than "all".
_EMPTY = {"text": "", "since": None, "until": None}
_SEARCH_HELP = N_("Finds prompts with all of these words. Press Enter to search.")
#: Controls that would identify a video, and so are not offered in a blind gallery; these include the order of
#: submission.
_REVEALING = ("text", "model", "mode", "max_cost", "order")
#: The controls that are always visible, in their order.
_FIRST = ("text", "rating", "order")
#: The days, which stay together where a line is too short for all filters.
_DAYS = ("since", "until")
_WIDTH = {"text": "260px", "order": "272px", "since": "190px", "until": "190px"}
_ROW = {"flex_flow": "row wrap", "overflow": "visible", "align_items": "center"}
_FILTERS_HELP = N_("Model, mode, status, tag, cost and dates.")
_AT_MOST = N_("{amount} or less")
_CLEAR_HELP = N_("Shows all videos again.")


class Filters(VBox):
    """Search, filters and order, with only the values that occur in the library.

    Search, rating and order are always visible, the other filters behind a button.

    Args:
        changed: called after each change by the user or in code.
        blind: whether the tasks are anonymous; they are shuffled then, and cannot be searched.

    Attributes:
        controls: the controls by name: text, model, mode, status, tag, rating, max_cost, since,
            until, order.
        more_button: shows and hides the other filters; its label has the number of those in use.
        clear_button: takes back the search and all filters; visible only if one is set.
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
                description=tr("Search"), placeholder=tr("words in the prompt"), continuous_update=False
            ),
            "model": ipywidgets.Dropdown(description=tr("Model"), options=[every]),
            "mode": ipywidgets.Dropdown(description=tr("Mode"), options=[every, *_modes()]),
            "status": ipywidgets.Dropdown(description=tr("Status"), options=[every]),
            "tag": ipywidgets.Dropdown(description=tr("Tag"), options=[every]),
            "rating": ipywidgets.Dropdown(description=tr("Rating"), options=ratings),
            "max_cost": ipywidgets.Dropdown(description=tr("Cost"), options=[every]),
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
        self.more_button = button("", tr(_FILTERS_HELP), self._toggle)
        self.clear_button = button(tr("Clear filters"), tr(_CLEAR_HELP), self.clear)
        first = [control for name in _FIRST if (control := self.controls.get(name)) is not None]
        self._rest = {name: control for name, control in self.controls.items() if name not in _FIRST}
        others = [control for name, control in self._rest.items() if name not in _DAYS]
        days = ipywidgets.HBox([self.controls[name] for name in _DAYS], layout=_ROW)
        days.add_class("qingbo-days")
        self._more = ipywidgets.HBox([*others, days], layout={**_ROW, "display": "none"})
        buttons = [self.more_button, self.clear_button]
        super().__init__(
            [ipywidgets.HBox([*first, *buttons], layout=_ROW), self._more], layout={"overflow": "visible"}
        )
        self.add_class("qingbo-filters")
        self._show_state()

    @property
    def are_set(self) -> bool:
        """True if a search or a filter is set; the order does not count."""
        return bool(self._active(self.controls))

    def clear(self) -> None:
        """Take back the search and all filters; the order stays."""
        if not self.are_set:
            return
        with self._echo:
            for name, control in self.controls.items():
                if name != "order":
                    control.value = _EMPTY.get(name, _EVERY)
        self._on_change(None)

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
        offered: tuple[tuple[str, Sequence[Any], Callable[[Any], str]], ...] = (
            ("model", choices.models, str),
            ("status", choices.statuses, status_label),
            ("tag", choices.tags, str),
            ("max_cost", choices.costs, lambda usd: tr(_AT_MOST).format(amount=dollars(usd))),
        )
        with self._echo:
            for name, values, text_of in offered:
                if (control := self.controls.get(name)) is not None:
                    self._offer(control, values, text_of)

    def _offer(self, control: Any, values: Sequence[Any], text_of: Callable[[Any], str]) -> None:
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
            self._show_state()
            self._changed()

    def _active(self, names: Iterable[str]) -> list[str]:
        """Return the names of the filters that are set."""
        values = ((name, self.controls[name].value) for name in names if name != "order")
        return [name for name, value in values if value != _EMPTY.get(name, _EVERY)]

    def _toggle(self) -> None:
        self._more.layout.display = "none" if self._more.layout.display is None else None
        self._show_state()

    def _show_state(self) -> None:
        """Show how many of the hidden filters are set, and the button that clears them if one is set."""
        count, arrow = len(self._active(self._rest)), "▾" if self._more.layout.display == "none" else "▴"
        text = tr("Filters ({count})").format(count=count) if count else tr("Filters")
        with update(self.more_button):
            self.more_button.description = f"{text} {arrow}"
        self.clear_button.layout.display = None if self.are_set else "none"


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
