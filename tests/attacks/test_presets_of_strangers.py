"""A folder from somewhere has presets, drafts, videos and sweeps. Nothing in it acts before the user does."""

from __future__ import annotations

import html
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import pytest

import qingbo_widgets as qw
from qingbo_widgets.library.library import Library
from qingbo_widgets.library.presets import Draft, Presets
from qingbo_widgets.service.client import Client
from qingbo_widgets.tasks.background import image_checks as pictures_module
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.widgets.base import sync as binding
from qingbo_widgets.widgets.base.text_fields import PasteArea
from qingbo_widgets.widgets.form import drafts, images
from qingbo_widgets.widgets.form.drafts import DraftKeeper
from qingbo_widgets.widgets.form.request_form import RequestForm
from qingbo_widgets.widgets.studio.video_studio import VideoStudio
from qingbo_widgets.widgets.sweep.sweep_grid import SweepGrid
from tests.faults.server import FaultServer, answer
from tests.faults.service import Service
from tests.waiting import until
from tests.widgets.page import click, enter, text_of, the

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\4\0\0\0\2\x40\x08\2\0\0\0"
HOOK = "https://stranger.example/collect"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Typing ends at once, and nothing is remembered of another test."""
    monkeypatch.setattr(images, "_TYPED", 0.0)
    monkeypatch.setattr(binding.refresher, "interval", 0.02)
    monkeypatch.setattr(drafts, "_remembered", {})


@pytest.fixture
def stranger() -> Iterator[FaultServer]:
    """A server that notices who fetches its image."""
    with FaultServer(otherwise=answer(PNG, Content_Type="image/png")) as server:
        yield server


@pytest.fixture
def service() -> Iterator[FaultServer]:
    """A service on this machine, so that a server on this machine can have the images."""
    service = Service()
    with FaultServer(otherwise=service) as server:
        service.url = server.url
        yield server


@pytest.fixture
def manager(service: FaultServer, tmp_path: Path) -> Iterator[TaskManager]:
    """A manager that submits to it."""
    client = Client("sk-test-123456", f"{service.url}/v1")
    with TaskManager(client, Library(tmp_path / "videos"), poll_interval=0.05) as manager:
        yield manager


def posts(service: FaultServer) -> list[Any]:
    """Return the bodies that were submitted."""
    return [json.loads(request.body) for request in service.requests if request.method == "POST"]


def shown(widget: Any) -> str:
    """Everything that can be read on the page, without what is hidden."""
    if getattr(widget.layout, "display", None) == "none":
        return ""
    texts = [str(getattr(widget, name, "")) for name in ("value", "description", "source")]
    return html.unescape(" ".join([*texts, *map(shown, getattr(widget, "children", ()))]))


def settled() -> None:
    """Wait until what a form does later by itself was done, and the looks that it began with it."""
    for _ in range(2):
        done = threading.Event()
        binding.refresher.later(0.0, done.set)
        assert done.wait(10)
        looked = threading.Event()
        pictures_module.image_reports._pool.submit(looked.set)
        pictures_module.image_reports._pool.submit(looked.set)
        assert looked.wait(10)


def fields(stranger: FaultServer) -> dict[str, Any]:
    """Return a preset of the stranger: both images, a mask, a callback."""
    return {
        "model": "kling-v1-6",
        "prompt": "A koi",
        "image_urls": [f"{stranger.url}/first.png"],
        "last_frame": f"{stranger.url}/last.png",
        "static_mask": f"{stranger.url}/still.png",
        "dynamic_masks": [{"mask_url": f"{stranger.url}/mask.png", "trajectories": [{"x": 1, "y": 1}] * 2}],
        "callback_url": HOOK,
    }


def of_a_preset(form: RequestForm, found: dict[str, Any], presets: Presets) -> None:
    """Loaded by code."""
    presets.save("nice look", found)
    form.load("nice look")


def of_a_click(form: RequestForm, found: dict[str, Any], presets: Presets) -> None:
    """Loaded by a click."""
    presets.save("nice look", found)
    form.panels.buttons["presets"].value = True
    form.panels.editor("presets").load_button.click()


def of_a_draft(form: RequestForm, found: dict[str, Any], presets: Presets) -> None:
    """Restored when the cell runs, which needs no click."""
    presets.save_draft("cell", Draft(found, form.given))
    DraftKeeper(form, presets, "cell").close()


def of_a_text(form: RequestForm, found: dict[str, Any], _: Presets) -> None:
    """Pasted."""
    masks = {name: found.pop(name) for name in ("static_mask", "dynamic_masks")}
    form.panels.buttons["sent"].value = True
    pane = form.panels.editor("sent")
    enter(the(pane, PasteArea), json.dumps({**found, "extra": masks}))
    click(pane, "Fill in the form")


def of_a_task(form: RequestForm, found: dict[str, Any], _: Presets) -> None:
    """From the file beside a video."""
    form.load(qw.VideoRequest.from_dict(found))


SOURCES = [of_a_preset, of_a_click, of_a_draft, of_a_text, of_a_task]


@pytest.mark.parametrize("fill", SOURCES)
def test_an_image_is_fetched_when_the_user_asks(
    fill: Callable[..., None], stranger: FaultServer, manager: TaskManager
) -> None:
    """Not by the kernel and not by the page, whatever panel is open. A click, and it is."""
    form = RequestForm(manager)
    form.panels.buttons["more"].value = form.panels.buttons["masks"].value = True
    fill(form, fields(stranger), Presets(manager.library.folder))
    settled()
    assert stranger.requests == []
    first = form.slots["image_urls"].editor
    assert "<img" not in shown(form)
    assert "Look at the image above first" in shown(form.panels.editor("masks"))
    assert form.panels.editor("masks").drawing.canvas is None
    assert "on 127.0.0.1, and was not fetched yet" in shown(first)
    assert form.problems == ()

    first.look_button.click()
    until(lambda: "1024 × 576" in shown(first))
    assert [request.path for request in stranger.requests] == ["/first.png"]
    assert "Look at the image" not in shown(first) + shown(form.panels.editor("masks"))
    assert "base64" in form.panels.editor("masks").drawing.canvas.source
    form.controls["last_frame"].value = f"{stranger.url}/mine.png"
    until(lambda: len(stranger.requests) > 1)
    assert [request.path for request in stranger.requests[1:]] == ["/mine.png"]
    form.close()


def test_an_image_of_the_code_is_fetched_as_before(stranger: FaultServer, manager: TaskManager) -> None:
    """Also where a draft comes on top of it, and when the form is started afresh."""
    url = f"{stranger.url}/mine.png"
    form = RequestForm(manager, image_urls=url)
    of_a_draft(form, {"prompt": "A koi", "image_urls": [url]}, Presets(manager.library.folder))
    until(lambda: "1024 × 576" in shown(form))
    assert [request.path for request in stranger.requests] == ["/mine.png"]
    form.load({"image_urls": [f"{stranger.url}/other.png"]})
    form.start_afresh()
    settled()
    assert len(stranger.requests) == 1
    assert "1024 × 576" in shown(form.slots["image_urls"].editor)
    form.close()


@pytest.mark.parametrize(
    "path", [r"\\stranger\share\a.png", "//stranger/share/a.png", r"/\stranger\share\a.png"]
)
def test_a_path_to_another_computer_is_not_even_looked_up(
    path: str, manager: TaskManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows would show that computer the user's login."""
    asked: list[str] = []
    for name in ("is_file", "exists", "stat"):
        monkeypatch.setattr(Path, name, lambda self, *_, **__: asked.append(str(self)))
    monkeypatch.setattr(manager, "sandbox", object())
    form = RequestForm(manager)
    form.load({"prompt": "A koi", "image_urls": [path], "last_frame": path, "static_mask": path})
    assert [one for one in asked if "stranger" in one] == []
    assert form.problems
    form.close()
    monkeypatch.undo()


@pytest.mark.parametrize("how", [{}, {"hide": ["callback_url"]}, {"hide": ["callback_url", "last_frame"]}])
@pytest.mark.parametrize("fill", SOURCES)
def test_a_callback_is_named_on_the_form(
    fill: Callable[..., None], how: dict[str, Any], stranger: FaultServer, manager: TaskManager
) -> None:
    """From any source, and although its field is folded away, or is not there at all."""
    form = RequestForm(manager, **how)
    assert "stranger.example" not in shown(form)
    fill(form, fields(stranger), Presets(manager.library.folder))
    assert f"link to the video, to stranger.example ({HOOK})" in shown(form)
    form.callback_url = None
    assert "stranger.example" not in shown(form)
    form.close()


def test_a_fixed_callback_is_named(manager: TaskManager) -> None:
    """The user of a form is not its author."""
    form = RequestForm(manager, fixed={"callback_url": HOOK}, hide=["callback_url"])
    assert "to stranger.example" in shown(form)
    form.close()


def test_what_the_studio_sends_was_on_the_page(manager: TaskManager, service: FaultServer) -> None:
    """And on the card of its task it still is."""
    Presets(manager.library.folder).save("nice look", {"prompt": "A koi", "callback_url": HOOK})
    studio = VideoStudio(manager)
    studio.form.load("nice look")
    assert "to stranger.example" in shown(studio)
    studio.generate_button.click()
    (card,) = studio.cards
    card.task.wait(20)
    assert posts(service)[0]["callback_url"] == HOOK
    assert "to stranger.example" in html.unescape(card.static_html)
    studio.close()


def test_a_sweep_names_its_callbacks_before_it_sends(
    manager: TaskManager, service: FaultServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a table that a stranger wrote; and again when it is taken up, before anything more is sent."""
    table = tmp_path / "prompts.csv"
    table.write_text(f"prompt,callback_url\nA koi,{HOOK}\nA fox,{HOOK}/2\n", encoding="utf-8")
    sweep = qw.sweep(table, manager=manager, name="of a stranger", ask_above=0)
    assert f"stranger.example ({HOOK}); stranger.example ({HOOK}/2)" in capsys.readouterr().out
    grid = SweepGrid(sweep)
    assert "stranger.example" in shown(grid)
    grid.close()

    del manager.sweeps["of a stranger"]
    again = qw.Sweep.load("of a stranger", manager=manager)
    assert again.state == "paused"
    assert "stranger.example" in again.reason
    grid = SweepGrid(again)
    assert shown(grid).count("link to the video") == 1
    grid.close()
    assert posts(service) == []


def test_a_video_of_the_folder_names_the_callback_of_its_request(manager: TaskManager) -> None:
    """Beside its buttons: "Generate again" submits the same request."""
    task = manager.submit(prompt="A koi", callback_url=HOOK)
    task.wait(20)
    gallery = qw.Gallery(manager)
    gallery.look_at(task.key)
    assert "to stranger.example" in text_of(gallery.opened)
    gallery.close()


def test_widgets_of_this_file_are_widgets() -> None:
    """``shown`` reads what ipywidgets draws."""
    assert "A koi" in shown(ipywidgets.VBox([ipywidgets.HTML("A koi")]))
    assert shown(ipywidgets.HTML("A koi", layout={"display": "none"})) == ""
