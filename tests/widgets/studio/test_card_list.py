"""The cards of a studio: folded older ones, the line of totals, Clear finished."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import pytest

from qingbo_widgets.exceptions import SubmissionUnconfirmed
from qingbo_widgets.service.contract.snapshot import TaskStatus
from qingbo_widgets.tasks.task import Task
from qingbo_widgets.widgets.card.row import CardRow
from qingbo_widgets.widgets.card.task_card import TaskCard
from qingbo_widgets.widgets.studio.card_list import NEWEST, WATCHABLE, CardList
from tests.widgets.page import buttons_of, classes_of, click, find, is_displayed, outputs_of, text_of

Finish = Callable[..., Task]


@pytest.fixture
def finished(make_task: Callable[..., Task], workdir: Path) -> Finish:
    """Return a function that makes a finished task with a video."""

    def make(number: int, **state: object) -> Task:
        video = workdir / "qingbo_videos" / f"{number}.mp4"
        video.parent.mkdir(exist_ok=True)
        video.write_bytes(b"")
        task = make_task(f"prompt {number}", status=TaskStatus.completed, video_path=video)
        task.set_traits(**state)
        return task

    return make


@pytest.fixture
def changes() -> list[int]:
    """Return the list of changes that the card list has reported."""
    return []


@pytest.fixture
def cards(changes: list[int]) -> Iterator[CardList]:
    """Yield an empty list of cards."""
    cards = CardList(lambda: changes.append(1))
    yield cards
    cards.close()


def rows_of(cards: CardList) -> list[CardRow]:
    """Return the lines of the folded cards, newest first."""
    return find(cards, CardRow)[::-1]


def test_older_cards_are_a_line_each(cards: CardList, finished: Finish) -> None:
    """The newest three have players; the others are lines with prompt and status, whatever their number."""
    cards.add([TaskCard(finished(number)) for number in range(8)])
    assert len(outputs_of(cards)) == NEWEST, "a player for each of hundreds of cards"
    assert [text_of(row) for row in rows_of(cards)] == [f"prompt {n} Finished" for n in (4, 3, 2, 1, 0)]
    assert "8 finished" in text_of(cards)
    cards.add([TaskCard(finished(8))])
    assert len(rows_of(cards)) == 6


def test_a_line_opens_its_card_and_closes_it(cards: CardList, finished: Finish) -> None:
    """A click opens the card below its line, which stays and keeps the focus; another one closes it."""
    cards.add([TaskCard(finished(number)) for number in range(4)])
    (row,) = rows_of(cards)
    row.button.click()
    assert len(outputs_of(cards)) == 4
    assert is_displayed(cards, row.button), "the focus falls to the page"
    row.button.click()
    assert len(outputs_of(cards)) == 3
    row.button.click()
    cards.add([TaskCard(finished(4))])
    assert len(outputs_of(cards.cards[-1])) == 1, "an opened card stays open"
    assert len(outputs_of(cards)) == 5, "the card that has just been folded lost its player"


def test_a_video_that_is_watched_is_not_put_away(cards: CardList, finished: Finish) -> None:
    """Folding a card leaves its player where it is: the page hides it, unless it plays (widget.css)."""
    card = TaskCard(finished(0))
    cards.add([card, *(TaskCard(finished(number)) for number in (1, 2))])
    before = card.children
    cards.add([TaskCard(finished(3))])
    (row,) = rows_of(cards)
    assert card.children == (*before, row), "what follows a new part is drawn again, and the video stops"
    assert "qingbo-put-away" in classes_of(card)
    cards.arrange()
    assert card.children == (*before, row), "a status change of another task has drawn it again"
    row.button.click()
    assert card.children[1] is row, "the line is below the card that it opens"
    assert "qingbo-put-away" not in classes_of(card)
    row.button.click()
    assert outputs_of(card) == []


def test_far_below_no_player_is_kept(cards: CardList, finished: Finish) -> None:
    """A page has a limited number of players, so those of old cards go after all."""
    for number in range(WATCHABLE + 2):
        cards.add([TaskCard(finished(number))])
    assert len(outputs_of(cards)) == WATCHABLE
    assert "qingbo-put-away" not in classes_of(cards.cards[-1])
    assert len(rows_of(cards)) == WATCHABLE + 2 - NEWEST


def test_a_running_task_in_a_line_tells_its_progress(
    cards: CardList, finished: Finish, make_task: Callable[..., Task]
) -> None:
    """A folded card is drawn while its task runs, and has the poster's place when it ends."""
    running = make_task("slow", status=TaskStatus.processing, progress=40)
    cards.add([TaskCard(running), *(TaskCard(finished(number)) for number in range(3))])
    (row,) = rows_of(cards)
    assert "40 %" in text_of(row)
    assert "1 generating · 3 finished" in text_of(cards)


def test_a_card_that_asks_for_a_decision_is_not_folded(
    cards: CardList, finished: Finish, make_task: Callable[..., Task]
) -> None:
    """An unconfirmed submission may have been charged, so its card and its buttons stay in view."""
    doubtful = make_task("lost", status=TaskStatus.unconfirmed, error=SubmissionUnconfirmed("No answer."))
    doubtful.set_trait("is_settled", True) if doubtful.has_trait("is_settled") else None
    cards.add([TaskCard(doubtful), *(TaskCard(finished(number)) for number in range(3))])
    assert rows_of(cards) == []
    assert "1 to check" in text_of(cards)
    click(cards, "Clear finished")
    assert [card.task for card in cards.cards] == [doubtful], "it was cleared although nobody has decided"


def test_clear_finished_and_undo(cards: CardList, finished: Finish, changes: list[int]) -> None:
    """Ended tasks leave the studio, the line says where their videos are, and Undo puts them back."""
    assert "Clear finished" not in buttons_of(cards)
    cards.add([TaskCard(finished(number)) for number in range(5)])
    before = cards.cards
    click(cards, "Clear finished")
    assert cards.cards == ()
    assert find(cards, TaskCard) == []
    assert "5 cards cleared. The videos are in qingbo_videos: qw.Gallery() shows them." in text_of(cards)
    assert cards.cleared == before
    click(cards, "Undo")
    assert cards.cards == before
    assert len(rows_of(cards)) == 2
    assert len(changes) == 3, "each change is reported, to be remembered"


def test_cleared_cards_are_closed_with_the_next_change(
    finished: Finish, live_widgets: Callable[[], int]
) -> None:
    """Cleared cards can be put back until another card comes; then they and their widgets are gone."""
    before = live_widgets()
    cards = CardList(lambda: None)
    first = TaskCard(finished(1))
    cards.add([first])
    cards.clear()
    assert first.comm is not None
    cards.add([TaskCard(finished(2))])
    assert first.comm is None
    cards.clear()
    cards.close()
    assert live_widgets() == before


def test_earlier_cards_go_below(cards: CardList, finished: Finish) -> None:
    """Cards of an earlier run of the cell stand below those of this one."""
    cards.add([TaskCard(finished(5))])
    cards.add([TaskCard(finished(1)), TaskCard(finished(2))], are_older=True)
    prompts = [card.task.request and card.task.request.prompt for card in cards.cards]
    assert prompts == ["prompt 5", "prompt 2", "prompt 1"]


def test_a_new_card_redraws_no_other(cards: CardList, finished: Finish) -> None:
    """New cards are appended: what follows an inserted child is drawn again, with a video that is watched."""
    cards.add([TaskCard(finished(1))])
    (column,) = [part for part in find(cards, ipywidgets.VBox) if cards.cards[0] in part.children]
    before: Any = column.children
    cards.add([TaskCard(finished(2)), TaskCard(finished(3))])
    assert column.children[: len(before)] == before
