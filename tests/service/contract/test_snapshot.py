"""``TaskStatus``: known and unknown names."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from qingbo_widgets.service.contract.snapshot import TaskSnapshot, TaskStatus


@pytest.mark.parametrize(
    ("word", "ended"),
    [
        ("submitting", False),
        ("unconfirmed", False),
        ("queued", False),
        ("processing", False),
        ("completed", True),
        ("failed", True),
        ("cancelled", True),
    ],
)
def test_the_ends(word: str, ended: bool) -> None:
    """Completed, failed and cancelled are the ended statuses."""
    assert TaskStatus(word).is_ended is ended
    assert TaskStatus[word] == word


def test_a_known_word_in_another_spelling() -> None:
    """Capitals and blanks do not change a status."""
    assert TaskStatus(" Completed\n") is TaskStatus.completed


def test_an_unknown_word_is_kept() -> None:
    """An unknown status can be shown, compared, hashed and pickled, and is not an end."""
    paused = TaskStatus("paused")
    assert str(paused) == f"{paused}" == "paused"
    assert not paused.is_ended
    assert {paused} == {TaskStatus("paused")}
    assert pickle.loads(pickle.dumps(paused)) == paused
    assert isinstance(paused, TaskStatus)
    assert "paused" not in TaskStatus.__members__


def test_an_unknown_word_is_bounded() -> None:
    """An unknown status is truncated, without control characters."""
    assert str(TaskStatus("\x1b[31m" + "a" * 1000)) == "[31m" + "a" * 60


@pytest.mark.parametrize("word", ["", " ", "\n", 7, None])
def test_no_word(word: Any) -> None:
    """A blank or non-text value is not a status."""
    with pytest.raises(ValueError, match="TaskStatus"):
        TaskStatus(word)


def test_snapshots_compare_without_the_raw_response() -> None:
    """Snapshots of the same state are equal, even if their raw responses differ, so nothing is redrawn."""
    assert TaskSnapshot("t", raw={"a": 1}) == TaskSnapshot("t", raw={"b": 2})
    assert hash(TaskSnapshot("t", raw={"a": 1})) == hash(TaskSnapshot("t"))
