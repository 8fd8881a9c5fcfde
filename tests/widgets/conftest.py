"""Fixtures for the tests of widgets: a sandbox, managers, tasks, a cell, and the number of live widgets."""

from __future__ import annotations

import re
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import pytest
from ipywidgets.widgets import widget as widget_module

from qingbo_widgets.library.library import Library
from qingbo_widgets.sandbox import Sandbox
from qingbo_widgets.service.client import Client
from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.service.contract.urls import is_private_host
from qingbo_widgets.service.http.image_probe import ImageReport, Size, probe_image
from qingbo_widgets.tasks.background.image_checks import image_reports
from qingbo_widgets.tasks.background.reports import Reports
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.tasks.task import Task
from qingbo_widgets.widgets.base import output as lasting
from qingbo_widgets.widgets.base.composite import CompositeMixin
from tests import waiting

VIEW = "application/vnd.jupyter.widget-view+json"
Until = Callable[[Callable[[], object]], None]


@pytest.fixture(autouse=True)
def no_web(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Treat every web image as valid without a request; fetch images on this machine."""

    def look(url: str, base_url: str, *, keep: int = 0) -> ImageReport:
        if is_private_host(url):
            return probe_image(url, base_url, keep=keep)
        return ImageReport(url, Size("PNG", 1280, 720))

    monkeypatch.setattr(image_reports, "_probe", look)
    monkeypatch.setattr(image_reports, "_reports", Reports("image"))
    yield
    # A check that is still waiting would ask the web, and give its report to the next test.
    waiting.until(lambda: not image_reports._reports._waiting)


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    """Yield a sandbox whose tasks take about a second."""
    with Sandbox(speed=50, draft=True) as sandbox:
        yield sandbox


@pytest.fixture
def manager(server: Sandbox, workdir: Path) -> Iterator[TaskManager]:
    """Yield a manager whose library folder is next to the notebook."""
    client = Client(server.api_key, server.base_url)
    with TaskManager(client, Library("qingbo_videos"), sandbox=None, poll_interval=0.1) as manager:
        yield manager


@pytest.fixture
def make_task(manager: TaskManager) -> Callable[..., Task]:
    """Return a function that creates a task in any state without following it."""

    def make(prompt: str = "A koi", *, request: VideoRequest | None = None, **state: object) -> Task:
        task = Task(manager, request or VideoRequest(prompt=prompt))
        task.set_traits(**state)
        return task

    return make


@pytest.fixture
def until() -> Until:
    """Return a function that waits for a condition."""
    return waiting.until


def registry() -> dict[str, ipywidgets.Widget]:
    """Return the live widgets: open, and held in memory by ipywidgets."""
    found: dict[str, ipywidgets.Widget] | None = getattr(widget_module, "_instances", None)
    return ipywidgets.Widget.widgets if found is None else found  # that of ipywidgets 7


@pytest.fixture(autouse=True)
def no_widget_is_left() -> Iterator[None]:
    """Close what a test has left open, which would get its bar and its buttons while the next test counts."""
    yield
    for widget in tuple(registry().values()):
        if isinstance(widget, CompositeMixin):
            widget.close()


@pytest.fixture
def live_widgets() -> Callable[[], int]:
    """Return a function that counts live widgets."""
    return lambda: len(registry())


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[ipywidgets.Widget, dict[str, Any]]]:
    """Return the messages to existing widgets on the page, with their widget."""
    messages: list[tuple[ipywidgets.Widget, dict[str, Any]]] = []

    def send(widget: ipywidgets.Widget, message: dict[str, Any], buffers: Any = None) -> None:
        messages.append((widget, message))

    monkeypatch.setattr(ipywidgets.Widget, "_send", send)
    if not hasattr(widget_module, "_instances"):  # ipywidgets 7 sends nothing to a comm without a kernel
        monkeypatch.setattr(widget_module.Comm, "kernel", object())
    return messages


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulate a kernel, where only visible widgets are drawn."""
    monkeypatch.setattr(lasting, "in_notebook", lambda: True)


class Cell:
    """The outputs of a cell by display id, as the page shows and the notebook stores them."""

    def __init__(self) -> None:
        self.outputs: dict[str, dict[str, Any]] = {}

    def display(self, data: dict[str, Any], *, raw: bool, display_id: str = "") -> None:
        self.outputs[display_id or f"output {len(self.outputs)}"] = data

    def update(self, data: dict[str, Any], *, raw: bool, display_id: str) -> None:
        self.outputs[display_id] = data

    @property
    def views(self) -> int:
        """The number of outputs that need a kernel."""
        return sum(VIEW in data for data in self.outputs.values())

    @property
    def html(self) -> str:
        """The HTML of all outputs, without styles."""
        written = "".join(data.get("text/html", "") for data in self.outputs.values())
        return re.sub(r"<style>.*?</style>", "", written, flags=re.DOTALL)


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> Cell:
    """Return a cell that records all displays at the point where they are sent to the page."""
    cell = Cell()
    monkeypatch.setattr(lasting, "display", cell.display)
    monkeypatch.setattr(lasting, "update_display", cell.update)
    monkeypatch.setattr(lasting, "get_ipython", lambda: cell)
    # What other tests have displayed belongs to other cells.
    monkeypatch.setattr(lasting, "_without_page", weakref.WeakSet())
    monkeypatch.setattr(lasting, "_written", {})
    return cell
