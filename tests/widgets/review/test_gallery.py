"""``Gallery``: pages, filters and the opened task."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import ipywidgets
import pytest

from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.library import Library
from qingbo_widgets.media.posters import poster_path
from qingbo_widgets.sandbox import Sandbox
from qingbo_widgets.sandbox.drawing.render import render
from qingbo_widgets.sandbox.order import Order, Shot
from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.tasks.connection import connect
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.widgets.card.task_card import TaskCard
from qingbo_widgets.widgets.form.request_form import RequestForm
from qingbo_widgets.widgets.review.detail import TaskDetail
from qingbo_widgets.widgets.review.gallery import Gallery
from qingbo_widgets.widgets.studio.follow_up import FollowUp
from qingbo_widgets.widgets.studio.frame_picker import FramePicker
from tests.widgets.page import (
    click,
    find,
    html_of,
    html_part,
    is_displayed,
    outputs_of,
    press,
    send_click,
    text_of,
    the,
    the_field,
)

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def library(workdir: Path) -> Library:
    """Return a library of sixty tasks an hour apart, of which every tenth failed."""
    library = Library("qingbo_videos")
    with library.journal.shared_transaction():  # one wait for the disk
        for n in range(60):
            failed = n % 10 == 0
            request = {"prompt": f"number {n} <b>", "model": "kling-v3"}
            library.add(
                Entry(
                    f"{n:032}", "sandbox", f"task-{n}", "kling-v3", request,
                    "failed" if failed else "completed",
                    submitted_at=NOON + timedelta(hours=n), file=None if failed else f"video-{n}.mp4",
                    error={"type": "TaskFailed", "message": "no <i>luck</i>"} if failed else None,
                )
            )  # fmt: skip
    library.journal.close_connection()
    return library


@pytest.fixture
def gallery(library: Library) -> Iterator[Gallery]:
    """Yield a gallery of the library, 24 tasks a page."""
    gallery = Gallery(library)
    yield gallery
    gallery.close()


def shown(gallery: Gallery) -> list[str]:
    """Return the HTML of each tile."""
    return [html_of(tile) for tile in gallery.tiles.children if tile is not gallery.opened]


def numbers(gallery: Gallery) -> list[int]:
    """Return the numbers of the tasks on the page."""
    return [int(entry.key) for entry in gallery.entries]


def video(gallery: Gallery) -> str:
    """Return the video of the open task, or why there is none, as HTML."""
    (output,) = outputs_of(gallery.opened)
    return output


def is_open(gallery: Gallery, number: int) -> bool:
    """Return whether this task is open: its prompt is above the video."""
    return f"number {number} <b>" in text_of(gallery.opened).partition("Request {")[0]


def request_of(gallery: Gallery) -> dict[str, Any]:
    """Return the request shown below the video of the open task."""
    found: dict[str, Any] = json.loads(
        text_of(gallery.opened)[text_of(gallery.opened).index("Request {") + 8 :]
    )
    return found


def destination(panel: TaskDetail) -> str:
    """Return the note above Generate that names the destination."""
    return text_of(html_part(panel.follow_up, "Generate submits to"))


def test_a_page_is_the_newest(gallery: Gallery) -> None:
    """The first page has the newest tasks, escaped prompts, and placeholders for missing pictures."""
    assert numbers(gallery) == list(range(59, 35, -1))
    assert gallery.total == 60
    assert "number 59 &lt;b&gt;" in shown(gallery)[0]
    assert "<img" not in shown(gallery)[0]
    assert "1–24 of 60" in text_of(gallery)


def test_paging_makes_no_widgets(gallery: Gallery, live_widgets: Callable[[], int]) -> None:
    """Turning pages and opening tasks creates no more widgets."""
    gallery.open_video(gallery.entries[0].key)
    gallery.open_video(None)
    before = live_widgets()
    for page in (2, 3, 1, 3, 2, 1):
        gallery.show_page(page)
        gallery.open_video(gallery.entries[3].key)
        gallery.open_video(None)
    assert live_widgets() == before
    gallery.show_page(3)
    assert numbers(gallery) == list(range(11, -1, -1))
    assert len(gallery.tiles.children) == 13
    assert gallery.pager.after_button.disabled
    assert not gallery.pager.before_button.disabled


def test_closing_leaves_no_widget(library: Library, live_widgets: Callable[[], int]) -> None:
    """Closing closes all widgets."""
    before = live_widgets()
    for _ in range(3):
        gallery = Gallery(library)
        gallery.open_video(gallery.entries[0].key)
        gallery.close()
    assert live_widgets() == before


def test_a_page_that_there_is_not(gallery: Gallery) -> None:
    """A page number out of range becomes the nearest page."""
    gallery.show_page(99)
    assert gallery.page == 3
    gallery.show_page(0)
    assert gallery.page == 1


def test_a_search_begins_at_the_first_page(gallery: Gallery) -> None:
    """A search shows the first page of its results, or a message if there are none."""
    gallery.show_page(3)
    gallery.filters.controls["text"].value = "number 1"
    assert (gallery.page, gallery.total) == (1, 15)
    gallery.filters.controls["text"].value = ""
    gallery.show_page(2)
    gallery.filters.controls["model"].value = "kling-v3"
    assert the_field(gallery, "Page").value == gallery.page == 1
    gallery.filters.controls["text"].value = "number 1"
    gallery.filters.controls["status"].value = "failed"
    assert numbers(gallery) == [10]
    gallery.filters.controls["text"].value = "elephants"
    assert "No videos match." in text_of(gallery)
    assert gallery.tiles.children == (gallery.opened,)


def test_a_filter_always_shows_its_choice(gallery: Gallery) -> None:
    """A filter shows "all" at first and after a choice was taken back, never an empty box."""
    for name in ("model", "mode", "status", "tag", "rating"):
        control = gallery.filters.controls[name]
        assert control.label == "all", f"{name} is an empty box"
        control.index = len(control.options) - 1
        control.index = 0
        assert control.label == "all", f"{name} is an empty box after a choice was taken back"
    assert gallery.total == 60


def test_days_are_whole(gallery: Gallery) -> None:
    """The same day as From and To selects that day in the kernel's time zone."""
    gallery.filters.controls["since"].value = gallery.filters.controls["until"].value = date(2026, 5, 2)
    days = {entry.submitted_at.astimezone().date() for entry in gallery.entries}
    assert days == {date(2026, 5, 2)}
    assert gallery.total == 24


def test_what_is_opened_is_judged_and_stays(gallery: Gallery, library: Library) -> None:
    """A rating is saved and shown at once, and the task stays open although it no longer matches."""
    gallery.filters.controls["rating"].value = -1
    key = gallery.entries[1].key
    send_click(gallery.tiles.children[2].button)
    assert is_displayed(gallery, gallery.opened)
    gallery.opened.judgement.rating.value = 4
    gallery.opened.judgement.tags.value = "koi, slow"
    judgement = library.judgements.of(key)
    assert (judgement.rating, judgement.tags) == (4, ("koi", "slow"))
    assert "★★★★☆" in shown(gallery)[1]
    assert is_open(gallery, 58), "although it is rated now"
    gallery.filters.controls["tag"].value = "koi"
    gallery.filters.controls["rating"].value = 3
    assert [entry.key for entry in gallery.entries] == [key]


def test_what_is_opened_stays_while_others_come(gallery: Gallery, library: Library) -> None:
    """A refresh does not draw the open task again, also if it is on another page by then."""
    gallery.open_video(gallery.entries[1].key)
    drawn: list[str] = []
    gallery.opened.observe(lambda change: drawn.append(change["name"]), "children")
    find(gallery.opened, ipywidgets.Output)[0].observe(lambda change: drawn.append(change["name"]), "outputs")
    for n in range(60, 84):
        library.add(
            Entry(
                f"{n:032}", "sandbox", "", "kling-v3", {"prompt": f"number {n}"}, "completed",
                submitted_at=NOON + timedelta(hours=n),
            )
        )  # fmt: skip
        if n in (60, 83):
            gallery.reload()
            assert gallery.tiles.children[0] is gallery.opened, (
                "the page draws what follows a new child again"
            )
            assert is_open(gallery, 58)
            assert drawn == [], "the user watches the video from its beginning again"
    assert 58 not in numbers(gallery)
    gallery.opened.judgement.rating.value = 4
    assert library.judgements.of(f"{58:032}").rating == 4
    assert is_open(gallery, 58)
    gallery.show_page(2)
    assert not is_displayed(gallery, gallery.opened)


def test_a_form_and_its_cards_leave_the_earlier_cards_in_place(manager: TaskManager) -> None:
    """A form that opens, and a further card, come before no card in the lists of children."""
    panel = FollowUp(manager)
    columns = []
    for n in range(3):
        request = VideoRequest(prompt=f"koi {n}")
        panel.again(request)
        panel.offer(request)
        columns.append(find(panel, TaskCard))
    assert [len(column) for column in columns] == [1, 2, 3]
    assert columns[2][:1] == columns[0]
    assert columns[2][:2] == columns[1]
    assert list(panel.cards) == columns[2][::-1], "the newest is not on top"
    form = panel.form
    assert form is not None
    assert find(panel, RequestForm) == [form]
    panel.close()


@pytest.mark.slow
def test_all_videos_of_a_task(gallery: Gallery, library: Library) -> None:
    """A task with several videos says so on its tile, and shows all of them when it is opened."""
    for name in ("video-59.mp4", "video-59-2.mp4", "video-59-3.mp4"):
        (library.folder / name).write_bytes(b"")
    gallery.reload()
    assert "3 videos" in shown(gallery)[0]
    assert "videos" not in shown(gallery)[1]
    gallery.open_video(gallery.entries[0].key)
    players = outputs_of(gallery.opened)
    assert all(
        f"video-59{other}.mp4" in player for other, player in zip(("", "-2", "-3"), players, strict=True)
    )
    assert "".join(players).count("<video") == 3


def test_what_does_not_match_can_be_cleared(gallery: Gallery) -> None:
    """With the message there is one button, not two, that shows all videos again."""
    gallery.filters.controls["text"].value = "elephants"
    assert "No videos match." in text_of(gallery)
    click(gallery, "Clear filters")
    assert gallery.total == 60
    assert gallery.filters.controls["text"].value == ""
    assert "No videos match." not in text_of(gallery)


def test_keys_rate_and_go_on(gallery: Gallery, library: Library) -> None:
    """A digit rates, an arrow opens the next task, even on the next page, Escape closes."""
    gallery.open_video(gallery.entries[22].key)
    press(gallery, "5")
    press(gallery, "ArrowRight")
    press(gallery, "2")
    press(gallery, "ArrowRight")
    assert gallery.page == 2
    assert is_open(gallery, numbers(gallery)[0])
    press(gallery, "ArrowLeft")
    assert gallery.page == 1
    assert gallery.opened.judgement.rating.value == 2
    press(gallery, "-")
    press(gallery, "Escape")
    assert gallery.opened.children == ()
    assert [library.judgements.of(f"{number:032}").rating for number in (37, 36)] == [5, None]
    assert "★★★★★" in shown(gallery)[22]
    assert not any("★" in tile for tile in shown(gallery)[:22] + shown(gallery)[23:])


def test_what_has_no_video_says_why(gallery: Gallery) -> None:
    """A failed task shows its error, a missing file its path, both escaped."""
    gallery.show_page(2)
    failed = next(entry.key for entry in gallery.entries if entry.status == "failed")
    gallery.open_video(failed)
    assert "no &lt;i&gt;luck" in video(gallery)
    gallery.open_video(gallery.entries[0].key)
    assert "no longer at" in video(gallery)
    assert request_of(gallery)["prompt"] == f"number {numbers(gallery)[0]} <b>"
    assert "<b>" not in html_of(gallery.opened)


@pytest.mark.slow
def test_posters_come_by_themselves(manager: TaskManager, until: Any) -> None:
    """A poster is saved with the video, or made when a gallery lacks it; the tile then shows it."""
    task = manager.submit(prompt="koi").wait(30)
    assert task.video_path is not None
    until(lambda: poster_path(task.video_path).is_file())
    poster_path(task.video_path).unlink()
    gallery = Gallery(manager)
    until(lambda: "data:image/jpeg;base64," in shown(gallery)[0])
    gallery.close()


@pytest.mark.slow
def test_again_and_changed(manager: TaskManager, until: Any) -> None:
    """Regenerate submits once for a double click; Edit and regenerate opens the form with the request."""
    request = VideoRequest(prompt="koi", duration=3)
    manager.submit(request).wait(30)
    gallery = Gallery(manager)
    gallery.open_video(gallery.entries[0].key)
    panel = gallery.opened
    click(panel, "Regenerate")
    click(panel, "Regenerate")
    assert [task.request for task in manager.tasks] == [request, request]
    click(panel, "Edit and regenerate")
    form = panel.follow_up.form
    assert form is not None
    assert form.request == request
    assert "Generate submits to" not in html_of(panel), "the destination is the same"
    form.prompt = "another"
    click(panel.follow_up, "Generate")
    assert manager.tasks[-1].request == request.replace(prompt="another")
    assert all(card.cell_output.is_part for card in panel.follow_up.cards), (
        "they stay here if shown elsewhere"
    )
    until(lambda: all(task.is_done for task in manager.tasks))
    gallery.reload()
    assert gallery.total == 3
    gallery.close()


def test_blind_until_rated(library: Library) -> None:
    """Tile and panel of a blind gallery identify a task only after it is rated."""
    (library.folder / "video-1.mp4").write_bytes(b"")
    gallery = Gallery(library, blind=True)
    assert numbers(gallery)[:3] == [0, 1, 2], "by key, which is random, and not by time"
    send_click(gallery.tiles.children[2].button)
    panel = gallery.opened
    seen = (shown(gallery)[1], html_of(panel), gallery.tiles.children[2].button.description)
    assert not any("number" in text or "kling" in text for text in seen)
    assert "<video" in video(gallery)
    assert panel.again_button.disabled
    assert panel.frames_button.disabled, "a frame is saved under the video's name"
    press(gallery, "3")
    assert "number 1 " in shown(gallery)[1]
    assert is_open(gallery, 1)
    assert request_of(gallery)["prompt"] == "number 1 <b>"
    assert "number 2 " not in shown(gallery)[2]
    assert not panel.again_button.disabled
    gallery.close()


def test_blind_says_nothing_of_what_is_not_there(library: Library) -> None:
    """A blind gallery hides the file name, which has the prompt, and the error until the rating."""
    gallery = Gallery(library, blind=True)

    def both(gallery: Gallery) -> str:
        """Return the video and its plain-text fallback."""
        return "".join(outputs_of(gallery.opened) + outputs_of(gallery.opened, "text/plain"))

    def seen(number: int) -> str:
        gallery.open_video(f"{number:032}")
        return both(gallery)

    assert "no longer exists" in seen(1)
    assert "video-1" not in seen(1)
    assert "luck" not in seen(0)
    press(gallery, "1")
    assert "luck" in both(gallery)
    seen(1)
    press(gallery, "1")
    assert "video-1" in both(gallery)
    gallery.close()


def test_blind_is_not_searched(library: Library, live_widgets: Callable[[], int]) -> None:
    """A blind gallery has no filters for prompt, model, mode and order."""
    before = live_widgets()
    gallery = Gallery(library, blind=True)
    assert set(gallery.filters.controls) == {"status", "tag", "rating", "since", "until"}
    gallery.filters.controls["status"].value = "failed"
    assert numbers(gallery) == [0, 10, 20, 30, 40, 50]
    gallery.close()
    assert live_widgets() == before


@pytest.mark.slow
def test_a_wrong_size_of_page(library: Library, recwarn: pytest.WarningsRecorder) -> None:
    """A wrong page size raises with the right ones, without warnings on deletion."""
    with pytest.raises(ValueError, match="12, 24, 48"):
        Gallery(library, page_size=5)
    gc.collect()
    assert not recwarn.list


@pytest.mark.slow
def test_without_av_it_says_what_pictures_need(
    gallery: Gallery, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hint to install av appears only while a shown video has no picture."""
    assert "pip install" not in html_of(gallery)
    (library.folder / "video-59.mp4").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "av", None)
    gallery.reload()
    assert "pip install" in text_of(gallery)
    gallery.show_page(2)
    assert "pip install" not in html_of(gallery)
    monkeypatch.undo()
    gallery.show_page(1)
    assert "pip install" not in html_of(gallery)


@pytest.fixture
def film(workdir: Path) -> Path:
    """Return a real video in another folder, without metadata."""
    path = workdir / "from a colleague" / "film.mp4"
    path.parent.mkdir()
    render(Order((Shot("koi", 5),), has_sound=True), path, draft=True)
    return path


@pytest.mark.slow
def test_frames_of_any_video(film: Path, sandbox: Sandbox) -> None:
    """An imported video without an id has frames even without a connection.

    Continue needs a connection; the form then names the destination of the next video.
    """
    gallery = Gallery(Library.import_(film.parent))
    gallery.open_video(gallery.entries[0].key)
    panel = gallery.opened
    click(panel, "Frames")
    click(the(panel, FramePicker), "Save frame")
    assert film.with_name("film-last.png").is_file()
    click(panel, "Continue")
    assert "API key" in text_of(panel.follow_up)
    with connect(sandbox=sandbox) as manager:
        click(panel, "Continue")
        assert panel.follow_up.form is not None, text_of(panel.follow_up)
        assert panel.follow_up.form.request.is_image_to_video
        note = destination(panel)
        assert "Generate submits to the sandbox" in note
        assert "qingbo_videos" in note
        assert "an unknown service" in note
        assert "from a colleague" in note
        assert manager.tasks == ()
        click(panel, "Frames")
        assert find(panel, FramePicker) == []
        gallery.close()


@pytest.mark.slow
def test_a_task_of_another_service(film: Path, server: Sandbox, manager: TaskManager) -> None:
    """A task of another service has frames, is not followed, and is submitted only after a note."""
    library = Library(film.parent)
    request: dict[str, Any] = {"prompt": "koi", "duration": 3}
    library.add(Entry("k", "sandbox", "task-of-theirs", "kling-v3", request, "completed", file=film.name))
    manager.sandbox = server
    panel = TaskDetail(library, manager, lambda: None, lambda _: None, lambda _: None)
    panel.show(library.entries()[0])
    click(panel, "Continue")
    assert panel.follow_up.form is not None, text_of(panel.follow_up)
    manager.sandbox = None
    click(panel, "Regenerate")
    assert manager.tasks == (), "the destination is shown first"
    note = destination(panel)
    assert f"Generate submits to {server.base_url}" in note
    assert "made by the sandbox" in note
    assert "charges for it" in note
    assert panel.follow_up.form.request == VideoRequest(**request)
    click(panel.follow_up, "Generate")
    click(panel.follow_up, "Generate")
    assert [task.request for task in manager.tasks] == [VideoRequest(**request)]  # type: ignore[var-annotated]  # mypy misses the new task
    panel.close()


@pytest.mark.slow
def test_continue_from_it(sandbox: Sandbox, workdir: Path) -> None:
    """Continue opens the form with the video's last frame, and submits nothing."""
    with connect(sandbox=sandbox) as manager:
        manager.poll_interval = 0.1
        task = manager.submit(prompt="koi", duration=3).wait(60)
        gallery = Gallery()
        assert gallery.library is manager.library
        gallery.open_video(task.key)
        click(gallery.opened, "Continue")
        form = gallery.opened.follow_up.form
        assert form is not None, text_of(gallery.opened.follow_up)
        assert len(form.request.image_urls) == 1
        assert manager.tasks == (task,)
        gallery.close()


def test_a_refresh_brings_the_video_of_an_open_task(gallery: Gallery, library: Library) -> None:
    """Refresh shows the video of an open task once it exists; a rating does not restart it."""
    key = gallery.entries[0].key
    library.update(key, file=None)
    gallery.reload()
    gallery.open_video(key)
    assert "There is no video" in video(gallery)
    (library.folder / "late.mp4").write_bytes(b"")
    library.update(key, file="late.mp4")
    click(gallery, "Refresh")
    area = the(gallery.opened, ipywidgets.Output)
    outputs = area.outputs
    assert "<video" in video(gallery)
    press(gallery, "3")
    assert library.judgements.of(key).rating == 3
    assert the(gallery.opened, ipywidgets.Output) is area
    assert area.outputs is outputs


def test_an_empty_library(workdir: Path) -> None:
    """An empty library is reported, without creating a folder or connecting."""
    gallery = Gallery()
    assert "no videos yet" in text_of(gallery)
    assert list(workdir.iterdir()) == []
    gallery.close()


LARGE = """
[models.kling-v9]
description = "5 or 10 s"
takes = []
mode = { choices = ["std", "pro", "large"], default = "large" }
"""


def test_the_modes_of_every_model_are_offered(library: Library, described: Callable[[str], None]) -> None:
    """A mode that only one model has, as its default, can be selected."""
    described(LARGE)
    request = VideoRequest("kling-v9", "a koi").as_dict()
    library.add(Entry("9" * 32, "sandbox", "task-9", "kling-v9", request, "completed"))
    gallery = Gallery(library)
    modes = [value for _, value in gallery.filters.controls["mode"].options[1:]]
    assert modes[:3] == ["std", "pro", "large"]
    gallery.filters.controls["mode"].value = "large"
    assert [entry.key for entry, _ in gallery._shown] == ["9" * 32]
    gallery.close()


def test_what_a_later_version_made_is_shown_as_it_is(library: Library) -> None:
    """The panel shows the mode, and Continue uses the known settings, not the defaults."""
    request = {"model": "kling-v3", "prompt": "a koi", "seed": 7, "mode": "pro", "duration": 10}
    library.add(Entry("9" * 32, "sandbox", "task-9", "kling-v3", request, "completed", file="video-9.mp4"))
    (library.folder / "video-9.mp4").write_bytes(b"mp4")
    gallery = Gallery(library)
    gallery.open_video("9" * 32)
    panel = gallery.opened
    assert "pro" in panel._head.value
    assert panel.again_button.disabled, "one of the fields of the request is unknown here"
    _, known, _ = panel._video_and_request()
    assert (known.mode, known.duration, known.prompt) == ("pro", 10, "a koi")
    gallery.close()
