"""Attacks by an untrusted folder's presets, drafts, videos and sweeps: nothing happens without a click."""

from __future__ import annotations

import html
import json
import re
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import pytest
from PIL import Image

import qingbo_widgets as qw
from qingbo_widgets.library.library import Library
from qingbo_widgets.library.presets import Draft, DraftOwner, Presets
from qingbo_widgets.service.client import Client
from qingbo_widgets.service.contract.snapshot import TaskStatus
from qingbo_widgets.tasks.background import image_checks as image_checks_module
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.widgets.base import sync as sync_module
from qingbo_widgets.widgets.base.text_fields import PasteArea
from qingbo_widgets.widgets.form import drafts, preview
from qingbo_widgets.widgets.form.drafts import DraftKeeper
from qingbo_widgets.widgets.form.request_form import RequestForm
from qingbo_widgets.widgets.studio.follow_up import FollowUp
from qingbo_widgets.widgets.studio.video_studio import VideoStudio
from qingbo_widgets.widgets.sweep.sweep_grid import SweepGrid
from tests.faults.server import FaultServer, answer
from tests.faults.service import Service
from tests.waiting import until
from tests.widgets.page import click, ctrl_enter, enter, html_of, send_click, text_of, the

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\4\0\0\0\2\x40\x08\2\0\0\0"
HOOK = "https://stranger.example/collect"


@pytest.fixture(autouse=True)
def short_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the delays after typing, and clear the drafts of other tests."""
    monkeypatch.setattr(preview, "_TYPED", 0.0)
    monkeypatch.setattr(sync_module.refresher, "interval", 0.02)
    monkeypatch.setattr(drafts, "_remembered", {})


@pytest.fixture
def image_server() -> Iterator[FaultServer]:
    """Yield a server that records the requests for its images."""
    with FaultServer(otherwise=answer(PNG, Content_Type="image/png")) as server:
        yield server


@pytest.fixture
def service() -> Iterator[FaultServer]:
    """Yield a service on this machine, so that images on this machine are allowed."""
    service = Service()
    with FaultServer(otherwise=service) as server:
        service.url = server.url
        yield server


@pytest.fixture
def manager(service: FaultServer, tmp_path: Path) -> Iterator[TaskManager]:
    """Yield a manager that is connected to the service."""
    client = Client("sk-test-123456", f"{service.url}/v1")
    with TaskManager(client, Library(tmp_path / "videos"), poll_interval=0.05) as manager:
        yield manager


def posts(service: FaultServer) -> list[Any]:
    """Return the submitted bodies."""
    return [json.loads(request.body) for request in service.requests if request.method == "POST"]


def visible_text(widget: Any) -> str:
    """Return all visible text of a widget and its children."""
    if getattr(widget.layout, "display", None) == "none":
        return ""
    texts = [str(getattr(widget, name, "")) for name in ("value", "description", "source")]
    shown = [re.sub(r"<img [^>]*>", "", text) for text in texts]  # announcements for screen readers
    return html.unescape(" ".join([*shown, *map(visible_text, getattr(widget, "children", ()))]))


def wait_until_idle(manager: TaskManager | None = None) -> None:
    """Wait until a form's delayed actions and the image checks that they started are done."""
    pools = [image_checks_module.image_reports._reports._pool]
    pools += [] if manager is None else [manager.inputs.reports._reports._pool]
    for _ in range(2):
        refreshed = threading.Event()
        sync_module.refresher.later(0.0, refreshed.set)
        assert refreshed.wait(10)
        for pool in pools:
            checked = threading.Event()
            pool.submit(checked.set)
            pool.submit(checked.set)
            assert checked.wait(10)


def fields(image_server: FaultServer) -> dict[str, Any]:
    """Return an untrusted preset with both images, masks and a callback."""
    return {
        "model": "kling-v1-6",
        "prompt": "A koi",
        "image_urls": [f"{image_server.url}/first.png"],
        "last_frame": f"{image_server.url}/last.png",
        "static_mask": f"{image_server.url}/still.png",
        "dynamic_masks": [
            {"mask_url": f"{image_server.url}/mask.png", "trajectories": [{"x": 1, "y": 1}] * 2}
        ],
        "callback_url": HOOK,
    }


def load_preset(form: RequestForm, values: dict[str, Any], presets: Presets) -> None:
    """Load the fields as a preset, by code."""
    presets.save("nice look", values)
    form.load("nice look")


def click_preset(form: RequestForm, values: dict[str, Any], presets: Presets) -> None:
    """Load the fields as a preset, by a click."""
    presets.save("nice look", values)
    form.panels.buttons["presets"].value = True
    form.panels.editor("presets").load_button.click()


def restore_draft(form: RequestForm, values: dict[str, Any], presets: Presets) -> None:
    """Restore the fields from a draft, as running the cell does without a click."""
    presets.save_draft(DraftOwner("../a.ipynb", "cell"), Draft(values, form.given))
    DraftKeeper(form, presets, DraftOwner(str(presets.folder.parent / "a.ipynb"), "cell")).close()


def paste_json(form: RequestForm, values: dict[str, Any], _: Presets) -> None:
    """Paste the fields as JSON."""
    masks = {name: values.pop(name) for name in ("static_mask", "dynamic_masks")}
    form.panels.buttons["sent"].value = True
    pane = form.panels.editor("sent")
    enter(the(pane, PasteArea), json.dumps({**values, "extra": masks}))
    click(pane, "Fill in the form")


def load_sidecar(form: RequestForm, values: dict[str, Any], _: Presets) -> None:
    """Load the fields as the request in a video's sidecar."""
    form.load(qw.VideoRequest.from_dict(values))


SOURCES = [load_preset, click_preset, restore_draft, paste_json, load_sidecar]


@pytest.mark.parametrize("fill", SOURCES)
def test_an_image_is_fetched_only_on_a_click(
    fill: Callable[..., None], image_server: FaultServer, manager: TaskManager
) -> None:
    """Neither kernel nor page fetches an image, whatever panel is open, until the user clicks."""
    form = RequestForm(manager)
    form.panels.buttons["more"].value = form.panels.buttons["masks"].value = True
    fill(form, fields(image_server), Presets(manager.library.folder))
    wait_until_idle()
    assert image_server.requests == []
    first = form.slots["image_urls"].editor
    assert "<img" not in visible_text(form)
    assert "Show the image above first" in visible_text(form.panels.editor("masks"))
    assert form.panels.editor("masks").drawing.canvas is None
    assert "on 127.0.0.1 is not loaded yet" in visible_text(first)
    assert form.problems == ()

    first.look_button.click()
    until(lambda: "1024 × 576" in visible_text(first))
    assert [request.path for request in image_server.requests] == ["/first.png"]
    assert "Show the image" not in visible_text(first) + visible_text(form.panels.editor("masks"))
    until(lambda: "base64" in form.panels.editor("masks").drawing.canvas.source)
    form.controls["last_frame"].value = f"{image_server.url}/mine.png"
    until(lambda: len(image_server.requests) > 1)
    assert [request.path for request in image_server.requests[1:]] == ["/mine.png"]
    form.close()


@pytest.fixture
def private(tmp_path: Path) -> Path:
    """Return a folder with private pictures of this machine."""
    for name in ("first", "last", "still", "mask"):
        Image.new("RGBA", (640, 360), "teal").save(tmp_path / f"passport-{name}.png")
    return tmp_path


@pytest.fixture
def opened(private: Path) -> Iterator[list[str]]:
    """Yield the names of the private pictures that are opened, by whatever means."""
    names: list[str] = []
    _watching.append(names)
    yield names
    _watching.remove(names)


_watching: list[list[str]] = []


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and _watching and (name := Path(str(arguments[0])).name).startswith("passport-"):
        _watching[-1].append(name)


sys.addaudithook(_watch)  # which lasts as long as the process


def private_fields(private: Path, blank: str = "") -> dict[str, Any]:
    """Return an untrusted preset with the paths of private pictures in every field that takes one."""
    return {
        "model": "kling-v1-6",
        "prompt": "A koi",
        "image_urls": [f"{blank}{private / 'passport-first.png'}"],
        "last_frame": f"{blank}{private / 'passport-last.png'}",
        "static_mask": f"{blank}{private / 'passport-still.png'}",
        "dynamic_masks": [
            {"mask_url": f"{blank}{private / 'passport-mask.png'}", "trajectories": [{"x": 1, "y": 1}] * 2}
        ],
    }


@pytest.mark.parametrize("blank", ["", " "], ids=["as it is", "behind a blank"])
@pytest.mark.parametrize("fill", SOURCES)
def test_a_picture_of_this_machine_is_read_and_sent_only_on_a_click(
    fill: Callable[..., None],
    blank: str,
    private: Path,
    opened: list[str],
    manager: TaskManager,
    service: FaultServer,
) -> None:
    """A request of a stranger that names a file here neither shows nor uploads it."""
    manager.upload = lambda file: f"{service.url}/{file.name}"
    form = RequestForm(manager)
    form.panels.buttons["more"].value = form.panels.buttons["masks"].value = True
    fill(form, private_fields(private, blank), Presets(manager.library.folder))
    wait_until_idle(manager)
    assert opened == []
    assert "base64" not in html_of(form)
    assert {problem.field for problem in form.problems} == {
        "image_urls",
        "last_frame",
        "static_mask",
        "dynamic_masks",
    }
    assert "neither read nor sent before you click Show the image" in visible_text(form)
    with pytest.raises(qw.InvalidRequest):
        form.submit()
    assert (manager.tasks, opened, posts(service)) == ((), [], [])

    form.slots["image_urls"].editor.look_button.click()
    until(lambda: "640 × 360" in visible_text(form.slots["image_urls"].editor))
    # Its copy in the library has a name like it.
    others = {name for name in opened if not name.startswith("passport-first")}
    assert (others, "passport-first.png" in opened) == (set(), True)
    assert "image_urls" not in {problem.field for problem in form.problems}
    form.close()


@pytest.mark.parametrize("fill", SOURCES)
def test_a_picture_of_the_library_needs_no_click(
    fill: Callable[..., None], private: Path, manager: TaskManager, service: FaultServer
) -> None:
    """A picture that was sent from this library before is shown at once, wherever the request comes from."""
    manager.upload = lambda file: f"{service.url}/{file.name}"
    request = manager.inputs.saved(qw.VideoRequest.from_dict(private_fields(private))).request
    form = RequestForm(manager)
    fill(form, request.as_dict(), Presets(manager.library.folder))
    until(lambda: "640 × 360" in visible_text(form.slots["image_urls"].editor))
    assert form.problems == ()
    form.close()


def test_a_video_of_a_stranger_is_not_made_again_with_a_private_picture(
    private: Path, opened: list[str], manager: TaskManager, service: FaultServer
) -> None:
    """The button Regenerate of a video in a folder from elsewhere opens the form, which asks first."""
    manager.upload = lambda file: f"{service.url}/{file.name}"
    request = qw.VideoRequest.from_dict(private_fields(private))
    follow_up, studio = FollowUp(manager), VideoStudio(manager)
    follow_up.again(request)
    task = qw.Task(manager, request)
    task.set_traits(status=TaskStatus.failed, task_id="task-1", error=qw.TaskFailed("No koi"))
    card = studio._card(task)
    card.redraw_now()
    click(card, "Regenerate")
    wait_until_idle(manager)
    assert (manager.tasks, opened) == ((), [])
    for form in (follow_up.form, studio.form):
        assert form is not None
        assert "neither read nor sent before you click Show the image" in visible_text(form)
    send_click(studio.generate_button)
    follow_up.generate_button.click()
    studio.get_ready()
    ctrl_enter(studio, "Prompt", "A heron")
    assert (manager.tasks, opened, posts(service)) == ((), [], [])
    for widget in (follow_up, studio):
        widget.close()


def test_an_image_from_code_is_fetched_automatically(image_server: FaultServer, manager: TaskManager) -> None:
    """An image from code is fetched without a click, also if a draft has it, and not again by a reset."""
    url = f"{image_server.url}/mine.png"
    form = RequestForm(manager, image_urls=url)
    restore_draft(form, {"prompt": "A koi", "image_urls": [url]}, Presets(manager.library.folder))
    until(lambda: "1024 × 576" in visible_text(form))
    assert [request.path for request in image_server.requests] == ["/mine.png"]
    form.load({"image_urls": [f"{image_server.url}/other.png"]})
    form.reset()
    wait_until_idle()
    assert len(image_server.requests) == 1
    assert "1024 × 576" in visible_text(form.slots["image_urls"].editor)
    form.close()


@pytest.mark.parametrize(
    "path", [r"\\stranger\share\a.png", "//stranger/share/a.png", r"/\stranger\share\a.png"]
)
def test_a_path_to_another_computer_is_never_accessed(
    path: str, manager: TaskManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network path is not accessed, because Windows would send the user's login to that computer."""
    accessed: list[str] = []
    for name in ("is_file", "exists", "stat"):
        real = getattr(Path, name)
        monkeypatch.setattr(
            Path, name, lambda self, *_, real=real, **__: accessed.append(str(self)) or real(self)
        )
    manager.upload = str
    form = RequestForm(manager)
    form.load({"prompt": "A koi", "image_urls": [path], "last_frame": path, "static_mask": path})
    assert [text for text in accessed if "stranger" in text] == []
    assert form.problems
    form.close()
    monkeypatch.undo()


@pytest.mark.parametrize("how", [{}, {"hide": ["callback_url"]}, {"hide": ["callback_url", "last_frame"]}])
@pytest.mark.parametrize("fill", SOURCES)
def test_a_callback_is_shown_on_the_form(
    fill: Callable[..., None], how: dict[str, Any], image_server: FaultServer, manager: TaskManager
) -> None:
    """A callback from any source is shown on the form, even if its field is collapsed or hidden."""
    form = RequestForm(manager, **how)
    assert "stranger.example" not in visible_text(form)
    fill(form, fields(image_server), Presets(manager.library.folder))
    assert f"link to the video, to stranger.example ({HOOK})" in visible_text(form)
    form.callback_url = None
    assert "stranger.example" not in visible_text(form)
    form.close()


def test_a_fixed_callback_is_shown(manager: TaskManager) -> None:
    """A form shows its fixed callback, because its user may not be its author."""
    form = RequestForm(manager, fixed={"callback_url": HOOK}, hide=["callback_url"])
    assert "to stranger.example" in visible_text(form)
    form.close()


def test_the_studio_shows_the_callback_that_it_sends(manager: TaskManager, service: FaultServer) -> None:
    """The studio shows the callback before it sends the request, and so does the task's card."""
    Presets(manager.library.folder).save("nice look", {"prompt": "A koi", "callback_url": HOOK})
    studio = VideoStudio(manager)
    studio.form.load("nice look")
    assert "to stranger.example" in visible_text(studio)
    studio.generate_button.click()
    (card,) = studio.cards
    card.task.wait(20)
    assert posts(service)[0]["callback_url"] == HOOK
    assert "to stranger.example" in html.unescape(card.static_html)
    studio.close()


def test_a_sweep_shows_its_callbacks_before_it_sends(
    manager: TaskManager, service: FaultServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A sweep shows the callbacks of its table before it sends any, and again after it is loaded."""
    table = tmp_path / "prompts.csv"
    table.write_text(f"prompt,callback_url\nA koi,{HOOK}\nA fox,{HOOK}/2\n", encoding="utf-8")
    sweep = qw.sweep(table, manager=manager, name="untrusted", ask_above=0)
    assert f"stranger.example ({HOOK}); stranger.example ({HOOK}/2)" in capsys.readouterr().out
    grid = SweepGrid(sweep)
    assert "stranger.example" in visible_text(grid)
    grid.close()

    del manager.sweeps["untrusted"]
    again = qw.Sweep.load("untrusted", manager=manager)
    assert again.state == "paused"
    assert "stranger.example" in again.reason
    grid = SweepGrid(again)
    assert visible_text(grid).count("link to the video") == 1
    grid.close()
    assert posts(service) == []


def test_a_gallery_shows_the_callback_of_a_video(manager: TaskManager) -> None:
    """A gallery shows the callback of an opened video, because "Regenerate" submits it, too."""
    task = manager.submit(prompt="A koi", callback_url=HOOK)
    task.wait(20)
    gallery = qw.Gallery(manager)
    gallery.open_video(task.key)
    assert "to stranger.example" in text_of(gallery.opened)
    gallery.close()


def test_visible_text_reads_ipywidgets() -> None:
    """``visible_text`` returns the text that ipywidgets draws, without hidden widgets."""
    assert "A koi" in visible_text(ipywidgets.VBox([ipywidgets.HTML("A koi")]))
    assert visible_text(ipywidgets.HTML("A koi", layout={"display": "none"})) == ""
