"""``Filters``: few at first, the others behind a button, and one click that clears them all."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from qingbo_widgets.library.search import Choices
from qingbo_widgets.widgets.review.filters import Filters
from tests.widgets.page import click, displayed, enter, the_field

#: Prints the shown option of every selection of the gallery; an empty text for an empty box.
LABELS = """
import tempfile
from ipywidgets.widgets.widget_selection import _Selection
from qingbo_widgets.library.library import Library
from qingbo_widgets.widgets.review.gallery import Gallery
from tests.widgets.page import parts_of
gallery = Gallery(Library(tempfile.mkdtemp()))
parts = [*parts_of(gallery), *parts_of(gallery.opened.judgement)]
print([part.label or "" for part in parts if isinstance(part, _Selection)])
"""


@pytest.fixture
def changes() -> list[object]:
    """Return a list that gets the selection after each change."""
    return []


@pytest.fixture
def filters(changes: list[object]) -> Iterator[Filters]:
    """Yield the filters of a library with two models and a tag."""
    made: list[Filters] = []
    filters = Filters(lambda: changes.append(made[0].selection))
    made.append(filters)
    filters.offer(Choices(("kling-v1", "kling-v3"), ("completed", "failed"), ("koi",), (Decimal("0.5"),)))
    yield filters
    filters.close()


def fields(filters: Filters) -> list[str]:
    """Return the names of the displayed fields."""
    shown = [id(part) for part in displayed(filters)]
    return [name for name, control in filters.controls.items() if id(control) in shown]


def buttons(filters: Filters) -> list[str]:
    """Return the labels of the displayed buttons."""
    shown = [id(part) for part in displayed(filters)]
    made = (filters.more_button, filters.clear_button)
    return [button.description for button in made if id(button) in shown]


def test_few_filters_first(filters: Filters) -> None:
    """Search, rating and order are there at once; the others come and go with a click."""
    assert set(fields(filters)) == {"text", "rating", "order"}
    assert buttons(filters) == ["Filters ▾"]
    click(filters, "Filters ▾")
    assert set(fields(filters)) == set(filters.controls)
    click(filters, "Filters ▴")
    assert set(fields(filters)) == {"text", "rating", "order"}


def test_the_button_counts_what_it_hides(filters: Filters) -> None:
    """The number is that of the hidden filters in use; search, rating and order are in sight."""
    click(filters, "Filters ▾")
    enter(the_field(filters, "Search"), "koi")
    assert filters.more_button.description == "Filters ▴"
    filters.controls["model"].value = "kling-v3"
    filters.controls["since"].value = date(2026, 5, 1)
    assert filters.more_button.description == "Filters (2) ▴"
    click(filters, "Filters (2) ▴")
    assert buttons(filters) == ["Filters (2) ▾", "Clear filters"]


def test_one_click_clears_all(filters: Filters, changes: list[object]) -> None:
    """Clear filters is there only if one is set, clears all in one search, and leaves the order."""
    assert "Clear filters" not in buttons(filters)
    filters.controls["order"].value = "oldest"
    assert "Clear filters" not in buttons(filters), "an order hides nothing"
    plain = filters.selection
    for name, value in (
        ("text", "koi"), ("model", "kling-v3"), ("mode", "pro"), ("status", "failed"), ("tag", "koi"),
        ("rating", 3), ("max_cost", Decimal("0.5")), ("since", date(2026, 5, 1)), ("until", date(2026, 5, 2)),
    ):  # fmt: skip
        filters.controls[name].value = value
        assert filters.are_set
        assert "Clear filters" in buttons(filters), name
        filters.clear()
        assert filters.selection == plain, name
        assert "Clear filters" not in buttons(filters), name
    filters.controls["text"].value, filters.controls["rating"].value = "koi", 0
    before = len(changes)
    click(filters, "Clear filters")
    assert changes[before:] == [plain], "the gallery searched for each filter"
    filters.clear()
    assert changes[before:] == [plain], "nothing was set"


def test_blind_filters_are_few_too() -> None:
    """A blind gallery has the rating in sight, and a count of the others."""
    filters = Filters(lambda: None, blind=True)
    assert fields(filters) == ["rating"]
    filters.controls["status"].value = filters.controls["status"].options[0][1]
    assert buttons(filters) == ["Filters ▾"]
    filters.close()


@pytest.mark.slow
def test_no_box_is_empty_in_any_kernel() -> None:
    """Traits notify in an order that depends on the hash seed; in none is a box of the gallery empty."""
    kernels = [
        subprocess.Popen(
            [sys.executable, "-c", LABELS],
            env={**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in range(6)
    ]
    seen = [kernel.communicate()[0].strip() for kernel in kernels]
    shown = "['all', 'Newest first', 'all', 'all', 'all', 'all', 'all', '24', '–']"
    assert seen == [shown] * 6, "a user sees an empty box"
