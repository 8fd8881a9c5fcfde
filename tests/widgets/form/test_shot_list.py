"""Operations on lists of shots lose no text and, if possible, no seconds."""

from __future__ import annotations

import pytest

from qingbo_widgets.service.contract.values import Shot
from qingbo_widgets.widgets.form import shot_list as storyboard

LIMITS = storyboard.ShotLimits(2, 6, 15)
THREE = (Shot("One", 4), Shot("Two", 5), Shot("Three", 2))


def names(shots: storyboard.Shots) -> list[str]:
    """Return the prompts in order."""
    return [shot.prompt for shot in shots]


def test_moving_changes_the_order_only() -> None:
    """Moving a shot keeps the others in order, and does nothing at the ends."""
    assert names(storyboard.move(THREE, 2, -1)) == ["One", "Three", "Two"]
    assert names(storyboard.move(THREE, 0, 1)) == ["Two", "One", "Three"]
    assert storyboard.move(THREE, 0, -1) == storyboard.move(THREE, 2, 1) == THREE


def test_duplicating_and_removing() -> None:
    """A copy is inserted right after the original, and removing a shot keeps the others in order."""
    assert names(storyboard.duplicate(THREE, 1)) == ["One", "Two", "Two", "Three"]
    assert names(storyboard.remove(THREE, 1)) == ["One", "Three"]


@pytest.mark.parametrize(("spent", "added"), [(4, 5), (11, 4), (14, 1), (15, 1)])
def test_a_new_shot_takes_what_is_left(spent: int, added: int) -> None:
    """A new shot gets the remaining seconds, at most five, and one if none remain."""
    assert LIMITS.add((Shot("One", spent),))[1] == Shot("", added)


@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        ("A koi swims. Light dances.", "A koi swims.", "Light dances."),
        ("特写：一杯咖啡。镜头拉远，展示整个咖啡馆。", "特写：一杯咖啡。", "镜头拉远，展示整个咖啡馆。"),
        ("一条锦鲤，水面波光粼粼", "一条锦鲤，", "水面波光粼粼"),
        ("At 2.5 metres a koi", "At 2.5 metres a koi", ""),
        ("A koi.", "A koi.", ""),
        ("", "", ""),
    ],
)
def test_a_text_is_cut_where_a_sentence_ends(text: str, first: str, second: str) -> None:
    """A text is split at a sentence end, else at a comma, else it stays in the first shot."""
    assert names(storyboard.split((Shot(text, 5),), 0)) == [first, second]


def test_splitting_keeps_the_seconds() -> None:
    """An odd second goes to the first half, and a shot of one second cannot be split."""
    assert [shot.duration for shot in storyboard.split(THREE, 1)] == [4, 3, 2, 2]
    assert not LIMITS.can_split((Shot("One", 1), Shot("Two", 5)), 0)
    assert not LIMITS.can_split((Shot("One", 2),) * 6, 0)


def test_invalid_shots_count_as_nothing() -> None:
    """Invalid shots and durations set in code count as 0 s."""
    assert storyboard.total((Shot("One", 4), "Two", Shot("Three", None), Shot("Four", -3))) == 4  # type: ignore[arg-type]
