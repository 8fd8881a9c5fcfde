"""The worth of the videos of a sweep, by each value of what it varies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.service.contract.snapshot import TaskStatus
from qingbo_widgets.tasks.sweep.cell import Cell
from qingbo_widgets.tasks.sweep.worth import MOST_ROWS, Group, groups_of

DOLLAR = 500_000


@dataclass
class Ended:
    """A task that has ended, as far as its cost matters."""

    key: str
    cost: int | None
    status: TaskStatus = TaskStatus.completed
    contract: str = "2026-11"
    billing_status: str = ""
    is_done: bool = True
    video_path: str | None = "video.mp4"


def cell_of(number: int, task: Ended | None, seconds: int = 5, **values: Any) -> Cell:
    """Return a cell with a task."""
    cell = Cell(number, values, VideoRequest(duration=seconds), on_change=lambda _: None)
    cell.task = task  # type: ignore[assignment]
    return cell


def found(groups: list[Group]) -> list[tuple[Any, int, int | None, int | None, int, int | None]]:
    """Return groups as tuples: value, videos, cost, cost a second, kept, cost a kept video."""
    return [
        (one.value, one.videos, one.worth.quota, one.worth.per_second, one.worth.kept, one.worth.per_kept)
        for one in groups
    ]


def test_the_model_that_is_worth_it_comes_first() -> None:
    """Of two models, the cheaper kept video decides, although its seconds cost more."""
    cells = [
        cell_of(0, Ended("a", 10), model="cheap"),
        cell_of(1, Ended("b", 10), model="cheap"),
        cell_of(2, Ended("c", 15), model="good"),
        cell_of(3, Ended("d", 15), model="good"),
    ]
    groups = groups_of(cells, {"model": ["cheap", "good"]}, {"a": 4, "b": 3, "c": 5, "d": 4})
    assert found(groups) == [
        ("good", 2, 30, 3, 2, 15),
        ("cheap", 2, 20, 2, 1, 20),
        (None, 4, 50, 2, 3, 17),
    ]
    assert [group.label for group in groups] == ["good", "cheap", "All"]


def test_without_ratings_the_cheaper_second_comes_first() -> None:
    """A longer video is not dear because it costs more."""
    cells = [
        cell_of(0, Ended("a", 50), 5, mode="pro"),
        cell_of(1, Ended("b", 60), 10, mode="std"),
    ]
    assert [one.value for one in groups_of(cells, {"mode": ["pro", "std"]}, {})] == ["std", "pro", None]


def test_the_model_then_the_last_axis() -> None:
    """Each varied axis has its rows, the model first; numbers of repetitions have none."""
    cells = [
        cell_of(number, Ended(str(number), 10), prompt=prompt, model=model, repeat=repeat, mode=mode)
        for number, (prompt, model, repeat, mode) in enumerate(
            (prompt, model, repeat, mode)
            for prompt in "pq"
            for model in ("m", "n")
            for repeat in (1, 2)
            for mode in ("std", "pro")
        )
    ]
    axes: dict[str, list[Any]] = {
        "prompt": ["p", "q"],
        "model": ["m", "n"],
        "repeat": [1, 2],
        "mode": ["std", "pro"],
    }
    assert [one.axis for one in groups_of(cells, axes, {})] == [
        "model", "model", "mode", "mode", "prompt", "prompt", "",
    ]  # fmt: skip


def test_an_axis_of_many_values_is_left_out() -> None:
    """A table of a hundred prompts would hide which model is worth it."""
    prompts = [f"p{number}" for number in range(MOST_ROWS)]
    cells = [
        cell_of(number, Ended(str(number), 10), prompt=prompt, model="mn"[number % 2])
        for number, prompt in enumerate(prompts)
    ]
    axes = {"prompt": prompts, "model": ["m", "n"]}
    assert [one.axis for one in groups_of(cells, axes, {})] == ["model", "model", ""]


@pytest.mark.parametrize(
    "task",
    [
        None,
        Ended("a", None),
        Ended("a", None, TaskStatus.processing, is_done=False),
        Ended("a", None, TaskStatus.failed),
    ],
)
def test_nothing_is_shown_before_a_cost_is_settled(task: Ended | None) -> None:
    """A table of dashes says nothing."""
    assert (
        groups_of([cell_of(0, task, model="m"), cell_of(1, None, model="n")], {"model": ["m", "n"]}, {}) == []
    )


def test_what_failed_counts_as_its_cost() -> None:
    """A failed task is no video; it counts as nothing, or as what the service has charged for it."""
    cells = [
        cell_of(0, Ended("a", 10), model="m"),
        cell_of(1, Ended("b", None, TaskStatus.failed, video_path=None), model="m"),
        cell_of(2, Ended("c", 7, TaskStatus.failed, video_path=None), model="m"),
        cell_of(3, Ended("d", None, TaskStatus.failed, billing_status="refund_pending"), model="n"),
    ]
    groups = groups_of(cells, {"model": ["m", "n"]}, {"a": 5, "c": 5})
    assert found(groups) == [("m", 1, 17, 2, 1, 17), (None, 1, 17, 2, 1, 17)]


def test_amounts_of_another_contract_are_not_added() -> None:
    """They are in other units, so their sum would be a wrong amount."""
    cells = [
        cell_of(0, Ended("a", 10), mode="std"),
        cell_of(1, Ended("b", 10), mode="std"),
        cell_of(2, Ended("c", 999, contract="2026-04"), mode="pro"),
    ]
    groups = groups_of(cells, {"mode": ["std", "pro"]}, {})
    assert [(one.value, one.worth.quota) for one in groups] == [("std", 20), (None, 20)]
    assert groups[-1].worth.contract == "2026-11"


@given(
    st.lists(
        st.tuples(
            st.sampled_from("mn"),
            st.sampled_from([3, 5, 10]),
            st.none() | st.integers(0, 10**7),
            st.none() | st.integers(0, 5),
            st.sampled_from([TaskStatus.completed, TaskStatus.failed, TaskStatus.processing]),
        ),
        max_size=30,
    )
)
def test_each_axis_adds_up_to_all(
    outcomes: list[tuple[str, int, int | None, int | None, TaskStatus]],
) -> None:
    """No video and no amount is lost or counted twice in the rows of an axis."""
    cells = [
        cell_of(number, Ended(str(number), cost, status), seconds, model=model, duration=seconds)
        for number, (model, seconds, cost, _, status) in enumerate(outcomes)
    ]
    ratings = {str(number): rating for number, (*_, rating, _) in enumerate(outcomes)}
    groups = groups_of(cells, {"model": ["m", "n"], "duration": [3, 5, 10]}, ratings)
    for axis in ("model", "duration") if groups else ():
        rows = [one.worth for one in groups if one.axis == axis]
        assert sum(row.quota or 0 for row in rows) == groups[-1].worth.quota
