"""The controls that choose what a gallery shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

import ipywidgets

from ..tasks.selection import ORDERS, Choices, Selection
from .binding import update
from .fields import set_tooltip

__all__ = ["Filters"]

_ALL = "all"
_UNRATED = -1
_RATINGS = [
    (_ALL, None),
    ("not rated", _UNRATED),
    *((f"{stars} or more", stars) for stars in range(5, -1, -1)),
]
_MODES = [(_ALL, None), ("std, 720p", "std"), ("pro, 1080p", "pro")]
_SEARCH_HELP = "Words that must all be in the prompt. Enter searches."
_WIDTH = {"text": "260px", "since": "190px", "until": "190px"}


class Filters(ipywidgets.HBox):  # type: ignore[misc]  # ipywidgets ships no types
    """Search, filters and order. Only what the library holds is offered.

    Args:
        changed: called after each change by a person or in code.

    Attributes:
        controls: the controls by the name of what they choose: text, model, mode, status, tag, rating,
            since, until, order.
    """

    def __init__(self, changed: Callable[[], object]) -> None:
        self._changed = changed
        self._is_offering = False
        self.controls: dict[str, Any] = {
            "text": ipywidgets.Text(
                description="Search", placeholder="words of the prompt", continuous_update=False
            ),
            "model": ipywidgets.Dropdown(description="Model", options=[(_ALL, None)]),
            "mode": ipywidgets.Dropdown(description="Mode", options=_MODES),
            "status": ipywidgets.Dropdown(description="Status", options=[(_ALL, None)]),
            "tag": ipywidgets.Dropdown(description="Tag", options=[(_ALL, None)]),
            "rating": ipywidgets.Dropdown(description="Rating", options=_RATINGS),
            "since": ipywidgets.DatePicker(description="From"),
            "until": ipywidgets.DatePicker(description="To"),
            "order": ipywidgets.Dropdown(
                description="Order", options=[(words, order) for order, words in ORDERS.items()]
            ),
        }
        set_tooltip(self.controls["text"], _SEARCH_HELP)
        for name, control in self.controls.items():
            control.style.description_width = "52px"
            control.layout.width = _WIDTH.get(name, "212px")
            control.layout.max_width = "100%"
            control.layout.margin = "2px 8px 2px 0"
            control.observe(self._hear, "value")
        super().__init__(
            list(self.controls.values()), layout={"flex_flow": "row wrap", "overflow": "visible"}
        )

    @property
    def selection(self) -> Selection:
        """What is chosen now."""
        chosen = {name: control.value for name, control in self.controls.items()}
        rating = chosen.pop("rating")
        since, until = _midnight(chosen.pop("since")), _midnight(chosen.pop("until"))
        if until is not None:
            until += timedelta(days=1)
        selection = Selection(**chosen, since=since, until=until)
        return replace(selection, unrated=True) if rating == _UNRATED else replace(selection, rating=rating)

    def offer(self, choices: Choices) -> None:
        """Offer what the library holds; what is chosen stays chosen, were it gone from the library too."""
        offered = (("model", choices.models), ("status", choices.statuses), ("tag", choices.tags))
        self._is_offering = True
        try:
            for name, values in offered:
                self._offer(self.controls[name], values)
        finally:
            self._is_offering = False

    def _offer(self, control: Any, values: Iterable[str]) -> None:
        chosen = control.value
        options = [(_ALL, None), *((value, value) for value in values)]
        if chosen is not None and chosen not in values:
            options.append((chosen, chosen))
        if tuple(options) != tuple(control.options):
            with update(control):
                control.options = options
                control.value = chosen

    def _hear(self, _: Any) -> None:
        if not self._is_offering:
            self._changed()


def _midnight(day: date | None) -> datetime | None:
    """The beginning of the day where the kernel is."""
    return None if day is None else datetime.combine(day, time.min).astimezone()
