"""The selection of a gallery: what is selected, and what is done with all of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import ipywidgets
import pytest

from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.library import Library
from qingbo_widgets.widgets.review.comparison import Comparison
from qingbo_widgets.widgets.review.gallery import Gallery
from qingbo_widgets.widgets.review.pairwise import Pairwise
from tests.widgets.page import (
    click,
    enter,
    find,
    html_of,
    is_displayed,
    outputs_of,
    parts_of,
    press,
    send,
    send_click,
    text_of,
    the,
    the_button,
    the_field,
    tooltip_of,
)

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def key(number: int) -> str:
    """Return the key of a task."""
    return f"{number:032}"


def add(library: Library, n: int, status: str) -> None:
    """Add a task; a completed one has a saved video."""
    request = {"prompt": f"number {n}", "model": "kling-v3", "duration": 10 if n % 2 else 5}
    file = f"{n}.mp4" if status == "completed" else None
    when = NOON + timedelta(hours=n)
    library.add(Entry(key(n), "sandbox", "", "kling-v3", request, status, submitted_at=when, file=file))
    if file:
        (library.folder / file).write_bytes(b"\0\0\0\x18ftypmp42")


@pytest.fixture
def library(workdir: Path) -> Library:
    """Return a library of thirty saved videos, and of a failed and a running task, which are the newest."""
    library = Library("qingbo_videos")
    with library.journal.shared_transaction():  # one wait for the disk
        for n in range(32):
            add(library, n, {30: "failed", 31: "processing"}.get(n, "completed"))
    library.journal.close_connection()
    return library


@pytest.fixture
def gallery(library: Library) -> Iterator[Gallery]:
    """Yield a gallery of the library, 12 tasks a page."""
    gallery = Gallery(library, page_size=12)
    yield gallery
    gallery.close()


def on_tiles(gallery: Gallery, **message: Any) -> None:
    """Deliver a message of the script that listens to the tiles."""
    (listener,) = (part for part in parts_of(gallery) if hasattr(part, "picked"))
    send(listener, message)


def pick(gallery: Gallery, *numbers: int) -> None:
    """Select tasks of the current page, as the page's checkboxes do."""
    on_tiles(gallery, on=[key(number) for number in numbers], off=[])


def picked(gallery: Gallery) -> list[int]:
    """Return the numbers of the tasks that the page shows as selected."""
    (listener,) = (part for part in parts_of(gallery) if hasattr(part, "picked"))
    assert tuple(listener.picked) == gallery.selection.selected
    return [int(number) for number in listener.picked]


def bar(gallery: Gallery) -> dict[str, str]:
    """Return the buttons of the bar, each with its tooltip if it is disabled, else with an empty text."""
    buttons = ("Compare", "Rank", "Export", "Tag…", "Delete", "Clear")
    found = {name: the_button(gallery.selection, name) for name in buttons}
    return {name: tooltip_of(part) if part.disabled else "" for name, part in found.items()}


def focused(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list of what the kernel gives the focus to: keys of tiles, descriptions of buttons, panels."""
    (listener,) = (part for part in parts_of(gallery) if hasattr(part, "picked"))
    given: list[str] = []

    def send(_: Any, message: dict[str, str]) -> None:
        if "focus" in message:
            given.append(message["focus"])
        elif "panel" in message:
            opened = gallery.selection.panel.opened
            assert opened is not None
            assert message["panel"] in opened._dom_classes, "the page cannot find the panel"
            given.append(type(opened).__name__)

    monkeypatch.setattr(type(listener), "send", send)
    for control in (ipywidgets.Button, ipywidgets.Text):
        focus = lambda part: given.append(part.description)  # noqa: E731
        monkeypatch.setattr(control, "focus", focus, raising=False)
    return given


def test_the_bar_comes_with_the_selection(gallery: Gallery) -> None:
    """Nothing is shown without a selection; the bar has the number, and Clear takes it away."""
    assert not is_displayed(gallery, gallery.selection)
    pick(gallery, 29, 27)
    assert "2 selected" in text_of(gallery.selection)
    assert picked(gallery) == [29, 27]
    on_tiles(gallery, on=[key(28)], off=[key(27)])
    assert picked(gallery) == [29, 28]
    click(gallery, "Clear")
    assert picked(gallery) == []
    assert not is_displayed(gallery, gallery.selection)


def test_it_survives_paging_and_searching(gallery: Gallery) -> None:
    """Tasks of several pages and searches are selected together."""
    pick(gallery, 29)
    click(gallery, "Page ›")
    pick(gallery, 12)
    gallery.filters.controls["text"].value = "number 3"
    pick(gallery, 3)
    assert picked(gallery) == [29, 12, 3]
    assert "3 selected" in text_of(gallery)


def test_only_tasks_are_selected(gallery: Gallery) -> None:
    """A click on a tile while the page is turned counts; anything else in a message selects nothing."""
    on_tiles(gallery, on=[key(0)])
    assert picked(gallery) == [0]
    gallery.selection.clear()
    for message in ({"on": "all"}, {"on": [7, None]}, {"on": ["no key"], "off": "x"}):
        on_tiles(gallery, **message)
    assert picked(gallery) == []


def test_escape_clears_before_it_closes(gallery: Gallery) -> None:
    """The first Escape takes back the selection, the second closes the open task."""
    gallery.open_video(key(29))
    pick(gallery, 28)
    on_tiles(gallery, escape=True)
    assert picked(gallery) == []
    assert is_displayed(gallery, gallery.opened)
    on_tiles(gallery, escape=True)
    assert not is_displayed(gallery, gallery.opened)


def test_escape_closes_the_part_that_has_the_focus(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a comparison and in the field for tags, it closes that, and the selection stays."""
    focus = focused(gallery, monkeypatch)
    pick(gallery, 29, 28)
    click(gallery, "Compare")
    click(gallery, "Tag…")
    on_tiles(gallery, close="compared")
    assert find(gallery, Comparison) == []
    tags = the_field(gallery.selection, "Add tags")
    on_tiles(gallery, close="tagging")
    assert not is_displayed(gallery, tags)
    assert picked(gallery) == [29, 28]
    assert focus == ["Comparison", "Add tags", "Compare", "Tag…"]
    for name in ("tagging", "compared", "anything"):
        on_tiles(gallery, close=name)
    assert not is_displayed(gallery, tags), "Escape opened the field for tags"


def test_clear_keeps_the_focus(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes to the first selected tile of the page, because the bar is hidden."""
    focus = focused(gallery, monkeypatch)
    pick(gallery, 28, 27)
    click(gallery.selection, "Clear")
    assert focus == [key(28)]


def test_a_panel_has_the_focus_and_gives_it_back(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare and Rank focus what they open; Close returns to the button, or to the tiles without one."""
    focus = focused(gallery, monkeypatch)
    pick(gallery, 29, 28)
    for name in ("Compare", "Rank"):
        click(gallery.selection, name)
        click(gallery.selection, "Close")
    assert focus == ["Comparison", "Compare", "Pairwise", "Rank"]
    click(gallery.selection, "Rank")
    gallery.selection.clear()
    click(gallery.selection, "Close")
    assert focus[4:] == ["Pairwise", key(29)], "the button that opened it is hidden"
    assert not is_displayed(gallery, gallery.selection)


@pytest.mark.parametrize("name", ["Compare", "Rank"])
def test_what_is_deleted_leaves_the_panel(
    gallery: Gallery, library: Library, live_widgets: Callable[[], int], name: str
) -> None:
    """A comparison and a ranking go on with the videos that remain, at least two; Undo brings all back."""

    def compared() -> list[int]:
        panel = gallery.selection.panel
        assert find(gallery, Comparison) + find(gallery, Pairwise) == [
            opened for opened in (panel.opened,) if opened is not None
        ]
        if isinstance(panel.opened, Comparison):
            return [int(re.findall(r"\d+", str(each.file))[0]) for each in panel.opened.videos]
        return [] if panel.opened is None else [int(clip) for clip in panel.opened._clips]

    pick(gallery, 29, 28, 27)
    before = live_widgets()
    click(gallery, name)
    first = gallery.selection.panel.opened
    pick(gallery, 26)
    on_tiles(gallery, on=[], off=[key(n) for n in (29, 28, 27)])
    click(gallery.selection, "Delete")
    assert gallery.selection.panel.opened is first, "another deletion restarted the videos"
    on_tiles(gallery, delete=key(28))
    assert compared() == [29, 27], "a deleted video still plays"
    assert first is not None
    assert first.comm is None
    on_tiles(gallery, delete=key(29))
    assert compared() == []
    assert not is_displayed(gallery, gallery.selection), "an empty panel is there"
    assert live_widgets() == before
    click(gallery, "Undo")
    assert compared() == [29, 27]
    click(gallery.selection, "Close")
    library.restore()
    gallery.reload()
    assert compared() == [], "a panel that the user has closed came back"


@pytest.mark.parametrize(
    ("numbers", "refused"),
    [
        ([29], {"Compare": "Select 2 to 6 videos.", "Rank": "Select at least 2 videos."}),
        ([29, 28], {}),
        (range(23, 30), {"Compare": "Select 2 to 6 videos."}),
        ([29, 30], dict.fromkeys(("Compare", "Rank"), "“number 30” has no saved video.")),
        (
            [30],
            {
                "Compare": "Select 2 to 6 videos.",
                "Rank": "Select at least 2 videos.",
                "Export": "None of the selected tasks has a saved video.",
            },
        ),
        (
            [29, 28, 31],
            {
                **dict.fromkeys(("Compare", "Rank"), "“number 31” has no saved video."),
                "Delete": "“number 31” is still running: wait until it ends, or cancel it.",
            },
        ),
    ],
)
def test_what_makes_no_sense_says_why(gallery: Gallery, numbers: list[int], refused: dict[str, str]) -> None:
    """A button that cannot work is disabled, with the reason in its tooltip."""
    pick(gallery, *numbers)
    assert {name: reason for name, reason in bar(gallery).items() if reason} == refused


def test_the_reason_names_one_of_equal_requests(gallery: Gallery, library: Library) -> None:
    """Of two variations, it says which one is still running."""
    for n, status in enumerate(("completed", "processing")):
        request = {"prompt": "koi", "model": "kling-v3"}
        when = NOON + timedelta(days=9, seconds=n)
        file = "0.mp4" if status == "completed" else None
        library.add(
            Entry(key(40 + n), "sandbox", "", "kling-v3", request, status, submitted_at=when, file=file)
        )
    gallery.reload()
    pick(gallery, 40, 41)
    assert bar(gallery)["Delete"] == "“koi · 2 of 2” is still running: wait until it ends, or cancel it."


def test_compare_and_rank_open_in_the_gallery(
    gallery: Gallery, library: Library, live_widgets: Callable[[], int]
) -> None:
    """Compare and Rank open below the bar, one at a time; Close takes them away without a trace."""
    pick(gallery, 29, 28)
    before = live_widgets()
    click(gallery, "Compare")
    comparison = the(gallery, Comparison)
    assert comparison.videos == (library.get(key(29)), library.get(key(28)))
    assert "./qingbo_videos/29.mp4" in html_of(comparison)
    click(gallery, "Rank")
    assert find(gallery, Comparison) == []
    assert comparison.comm is None, "the first comparison still plays"
    pairs = the(gallery, Pairwise)
    assert pairs.pair is not None
    assert {entry.key for entry in pairs.pair} == {key(29), key(28)}
    pick(gallery, 27)
    assert find(gallery, Pairwise) == [pairs], "another selection closed what is open"
    click(gallery.selection, "Close")
    assert find(gallery, Pairwise) == []
    assert live_widgets() == before


def test_the_answers_of_rank_are_saved(gallery: Gallery, library: Library) -> None:
    """An answer is a preference in the library of the gallery."""
    pick(gallery, 29, 28)
    click(gallery, "Rank")
    pairs = the(gallery, Pairwise)
    assert pairs.pair is not None
    left, right = pairs.pair
    pairs.choose(0)
    assert library.judgements.preferences() == [(left.key, right.key)]


def test_a_blind_gallery_compares_blind(library: Library) -> None:
    """A comparison of a blind gallery has letters only; an export would tell, so there is none."""
    gallery = Gallery(library, page_size=12, blind=True)
    numbers = [int(entry.key) for entry in gallery.entries if entry.file][:2]
    pick(gallery, *numbers)
    assert "blind" in bar(gallery)["Export"]
    click(gallery, "Compare")
    comparison = the(gallery, Comparison)
    assert comparison.is_blind
    assert "number" not in html_of(comparison)
    comparison.ratings["A"].value = 4
    shown = comparison.videos[0]
    assert isinstance(shown, Entry)
    assert library.judgements.of(shown.key).rating == 4
    gallery.close()


def test_a_tag_for_all(gallery: Gallery, library: Library) -> None:
    """A tag is added to all selected tasks, beside the tags they have, and is offered as a filter."""
    library.judgements.tag(key(29), ["old"])
    pick(gallery, 29, 28)
    click(gallery, "Tag…")
    enter(the_field(gallery.selection, "Add tags"), "koi, slow")
    assert [library.judgements.of(key(n)).tags for n in (29, 28, 27)] == [
        ("koi", "old", "slow"),
        ("koi", "slow"),
        (),
    ]
    assert "Videos tagged “koi, slow”: 2." in text_of(gallery.selection)
    click(gallery, "Filters ▾")
    assert "koi" in [text for text, _ in the_field(gallery, "Tag").options]
    assert the_field(gallery.selection, "Add tags").value == ""


def test_export_writes_one_page(gallery: Gallery, library: Library) -> None:
    """The page has the videos, prompts and ratings, and is linked; it stands beside the notebook."""
    library.judgements.rate(key(29), 5)
    pick(gallery, 29, 28, 30)
    click(gallery, "Export")
    (page,) = Path().glob("videos-*.html")
    assert "Videos exported: 2." in text_of(gallery.selection)
    (link,) = outputs_of(gallery.selection)
    assert f'href="./{page.name}"' in link
    content = page.read_text("utf-8")
    assert content.count("<video") == 2
    assert "number 29" in content
    assert "★★★★★" in content
    assert "number 30" not in content, "it has no video"


def test_delete_and_undo(gallery: Gallery, library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deleted videos leave the page; the line brings them back, and the focus goes to the next tile."""
    keys = focused(gallery, monkeypatch)
    gallery.open_video(key(29))
    pick(gallery, 29, 28)
    click(gallery.selection, "Delete")
    assert keys == [key(27)]
    assert gallery.total == 30
    assert picked(gallery) == []
    assert not is_displayed(gallery, gallery.opened), "the video that was deleted is still open"
    assert "Deleted 2 videos." in text_of(gallery)
    assert library.get(key(29)) is None
    click(gallery, "Undo")
    assert gallery.total == 32
    assert "29.mp4" in [entry.file for entry in gallery.entries]
    assert not is_displayed(gallery, gallery.trash_line)
    assert keys[1:] == [key(29)]


def test_the_delete_key(gallery: Gallery, library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """Delete on a tile deletes its task; on a selected tile, all selected ones."""
    keys = focused(gallery, monkeypatch)
    on_tiles(gallery, delete=key(30))
    assert "Deleted 1 video." in text_of(gallery)
    pick(gallery, 29, 28)
    on_tiles(gallery, delete=key(28))
    assert [library.get(key(n)) is None for n in (27, 28, 29, 30)] == [False, True, True, True]
    on_tiles(gallery, delete=key(31))
    assert "“number 31” has not ended" in text_of(gallery)
    assert library.get(key(31)) is not None
    assert keys == [key(29), key(27)]


def test_delete_in_the_opened_task(gallery: Gallery, library: Library) -> None:
    """The opened task has a button too."""
    gallery.open_video(key(29))
    click(gallery.opened, "Delete")
    assert library.get(key(29)) is None
    assert not is_displayed(gallery, gallery.opened)
    assert "Videos in the trash: 1" in text_of(gallery.trash_line)


def test_delete_for_good_asks_once_more(
    gallery: Gallery, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first click only asks, and so does a double click; anything else takes the question back."""
    pick(gallery, 29)
    click(gallery.selection, "Delete")
    click(gallery.trash_line, "Empty trash")
    assert library.deletions, "one click has removed a paid video"
    click(gallery.trash_line, "Delete permanently (1)")
    assert library.deletions, "a double click has removed a paid video"
    monkeypatch.setattr("qingbo_widgets.widgets.base.clicks.DOUBLE_CLICK", 0.0)
    gallery.reload()
    assert the_button(gallery.trash_line, "Empty trash")
    click(gallery.trash_line, "Empty trash")
    click(gallery.trash_line, "Delete permanently (1)")
    assert library.deletions == ()
    assert not is_displayed(gallery, gallery.trash_line)
    assert not (library.folder / "trash").exists()


def test_what_another_gallery_deletes_is_not_erased_unasked(
    gallery: Gallery, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The consent to erase one video is none for those deleted since: the button asks again, with three."""
    monkeypatch.setattr("qingbo_widgets.widgets.base.clicks.DOUBLE_CLICK", 0.0)
    pick(gallery, 29)
    click(gallery.selection, "Delete")
    click(gallery.trash_line, "Empty trash")
    library.delete([key(27), key(28)])
    click(gallery.trash_line, "Delete permanently (1)")
    in_trash = [task for deletion in library.deletions for task in deletion.keys]
    assert len(in_trash) == 3, "videos were erased that the button did not count"
    click(gallery.trash_line, "Delete permanently (3)")
    assert library.deletions == ()


def test_what_cannot_be_counted_is_not_erased(
    gallery: Gallery, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deletion with an unreadable list is not in the number that the user agrees to: it stays, named."""
    monkeypatch.setattr("qingbo_widgets.widgets.base.clicks.DOUBLE_CLICK", 0.0)
    damaged = library.folder / "trash" / library.delete([key(27)]).name
    (damaged / "deleted.json").write_text("no JSON")
    gallery.reload()
    assert is_displayed(gallery, gallery.trash_line), "nothing says that the trash has videos"
    assert not is_displayed(gallery, gallery.trash_line.erase_button)
    pick(gallery, 29)
    click(gallery.selection, "Delete")
    assert "Videos in the trash: 1" in text_of(gallery.trash_line)
    line = text_of(gallery.trash_line)
    assert re.search(f"cannot be read: .*trash/{damaged.name}. To keep the videos", line)
    click(gallery.trash_line, "Empty trash")
    click(gallery.trash_line, "Delete permanently (1)")
    assert library.deletions == ()
    assert list(damaged.glob("*.mp4")), "a video was erased that the button did not count"
    assert f"trash/{damaged.name}" in text_of(gallery.trash_line)


def test_undo_restores_what_the_line_names(gallery: Gallery, library: Library) -> None:
    """“Deleted 1 video.” brings back that one, not the later ones of another gallery."""
    pick(gallery, 29)
    click(gallery.selection, "Delete")
    library.delete([key(27), key(28)])
    gallery.reload()
    assert "Deleted 1 video." in text_of(gallery.trash_line)
    click(gallery.trash_line, "Undo")
    assert [library.get(key(n)) is None for n in (27, 28, 29)] == [True, True, False]


def test_a_double_click_undoes_one_deletion(gallery: Gallery, library: Library) -> None:
    """The second click would restore an earlier deletion too."""
    library.delete([key(28)])
    pick(gallery, 29)
    click(gallery.selection, "Delete")
    for _ in range(2):
        send_click(gallery.trash_line.undo_button)
    assert [library.get(key(n)) is None for n in (28, 29)] == [True, False]


def test_another_gallery_offers_the_undo(gallery: Gallery, library: Library) -> None:
    """A kernel that starts later shows the trash too, and restores from it."""
    pick(gallery, 29)
    click(gallery.selection, "Delete")
    later = Gallery(library, page_size=12)
    assert "Videos in the trash: 1" in text_of(later)
    click(later, "Undo")
    assert later.total == 32
    gallery.reload()
    assert gallery.total == 32
    assert not is_displayed(gallery, gallery.trash_line)
    later.close()


def test_an_unconfirmed_task_that_is_deleted(gallery: Gallery, library: Library) -> None:
    """It may be charged, so the line says it."""
    library.add(Entry(key(40), "sandbox", request={"prompt": "koi"}, status="unconfirmed"))
    gallery.reload()
    on_tiles(gallery, delete=key(40))
    assert "Not confirmed: 1. The service may charge for them." in text_of(gallery)


def test_a_read_only_library_deletes_nothing(
    gallery: Gallery, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Delete and Tag are disabled, with the reason."""
    monkeypatch.setattr(Library, "read_only", property(lambda _: "The disk is read-only."))
    pick(gallery, 29, 28)
    assert {name: text for name, text in bar(gallery).items() if text} == dict.fromkeys(
        ("Tag…", "Delete"), "The disk is read-only."
    )
    gallery.open_video(key(29))
    button = the_button(gallery.opened, "Delete")
    assert button.disabled
    assert tooltip_of(button) == "The disk is read-only."


def test_a_task_that_another_kernel_deleted(gallery: Gallery, library: Library) -> None:
    """A refresh takes it out of the selection; a button that is faster says what is wrong."""
    pick(gallery, 29)
    library.delete([key(29)])
    click(gallery.selection, "Delete")
    assert "none of these tasks" in text_of(gallery.selection)
    gallery.reload()
    assert picked(gallery) == []


def test_a_tile_plays_its_video(gallery: Gallery, library: Library) -> None:
    """The player is muted, loops, has no controls, and is removed afterwards; nothing else is played."""

    def players() -> list[str]:
        areas = (part for part in gallery.children if isinstance(part, ipywidgets.Output))
        return [str(output["data"]["text/html"]) for area in areas for output in area.outputs]

    on_tiles(gallery, preview=key(29))
    (player,) = players()
    assert 'src="./qingbo_videos/29.mp4"' in player
    assert all(f"{name}=" in player for name in ("muted", "loop", "playsinline", "aria-hidden"))
    assert "controls" not in player
    assert f'data-key="{key(29)}"' in player
    on_tiles(gallery, preview=key(28))
    assert re.findall(r"\d+\.mp4", "".join(players())) == ["28.mp4"]
    (library.folder / "27.mp4").unlink()
    for nothing in ("", key(30), key(27), key(0), 7):
        on_tiles(gallery, preview=nothing)
        assert players() == [], nothing


def test_a_host_without_files_plays_nothing(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Colab a page gets no files: the script does not even ask."""
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab")
    gallery = Gallery(library, page_size=12)
    (listener,) = (part for part in parts_of(gallery) if hasattr(part, "picked"))
    assert not listener.plays
    gallery.close()


def test_a_closed_task_gives_the_focus_back(
    gallery: Gallery, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Escape and Close return to the tile of the task, also of one that was opened from another page."""
    keys = focused(gallery, monkeypatch)
    gallery.open_video(key(20))
    press(gallery, "ArrowRight")
    press(gallery, "Escape")
    click_next = [entry.key for entry in gallery.entries]
    assert keys == click_next[:1]
    gallery.open_video(click_next[3])
    click(gallery.opened, "Close")
    assert keys[1:] == [click_next[3]]
