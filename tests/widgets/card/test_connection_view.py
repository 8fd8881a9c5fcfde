"""A manager at the end of a cell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qingbo_widgets.library.library import Library
from qingbo_widgets.sandbox import Sandbox
from qingbo_widgets.service.client import Client
from qingbo_widgets.service.contract.snapshot import TaskStatus
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.tasks.task import Task
from qingbo_widgets.widgets.card import connection_view
from qingbo_widgets.widgets.card.connection_view import mimebundle, show
from qingbo_widgets.widgets.card.shown import displayed_card
from tests.places import StartKernel
from tests.widgets.page import read


@pytest.fixture
def going_on(manager: TaskManager, make_task: Callable[..., Task]) -> Callable[[int], list[Task]]:
    """Return a function that gives the manager tasks that have not ended."""

    def make(count: int) -> list[Task]:
        tasks = [
            make_task(f"prompt {number}", task_id=f"task-{number}", status=TaskStatus.processing)
            for number in range(count)
        ]
        for task in tasks:
            manager.register(task)
        return tasks

    return make


def test_where_it_is_connected(manager: TaskManager, cell: Any) -> None:
    """One line says where, in which contract, and where videos are saved, without an absolute path."""
    show(manager)
    (output,) = cell.outputs.values()
    line = f"Connected to {manager.client.base_url} · contract 2026-04 · videos are saved in qingbo_videos"
    assert output["text/plain"] == line
    assert str(manager.library.folder.parent) not in output["text/html"]


def test_what_goes_on_is_shown(manager: TaskManager, cell: Any, going_on: Any) -> None:
    """The newest unfinished tasks are shown with their live cards, the number of the others in a line."""
    tasks = going_on(connection_view.MOST + 14)
    show(manager)
    text = read(cell.html)
    assert f"{connection_view.MOST + 14} earlier tasks are still running." in text
    assert "and 14 more" in text
    assert cell.views == connection_view.MOST
    shown = [task for task in tasks if displayed_card(task) is not None]
    assert shown == tasks[-connection_view.MOST :], "others than the newest are shown"
    for task in shown:
        displayed_card(task).close()


def test_ended_tasks_are_not_shown(manager: TaskManager, cell: Any, make_task: Any, going_on: Any) -> None:
    """A manager whose tasks have ended shows its line only, and it follows nothing by being shown."""
    ended = make_task("a koi", task_id="task-9", status=TaskStatus.failed)
    ended.lifecycle.settle()
    manager.register(ended)
    show(manager)
    assert len(cell.outputs) == 1
    assert manager.tasks == (ended,)
    assert "earlier task" not in cell.html


def test_a_host_without_widgets(manager: TaskManager, going_on: Any) -> None:
    """Hosts such as marimo get the line and the number of tasks."""
    going_on(1)
    bundle = mimebundle(manager)
    assert bundle == manager._repr_mimebundle_()
    assert bundle["text/plain"].endswith("\n1 earlier task is still running.")


def test_a_sandbox_may_have_ended(workdir: Path, server: Sandbox, cell: Any) -> None:
    """A sandbox promises nothing about tasks from before, because it ends with its kernel."""
    client = Client(server.api_key, server.base_url)
    with TaskManager(client, Library("qingbo_videos"), sandbox=None) as manager:
        manager.sandbox = server
        task = Task(manager, None, task_id="task-1", status=TaskStatus.queued)
        manager.register(task)
        text = str(mimebundle(manager)["text/plain"])
        manager.sandbox = None
    assert text.startswith("Sandbox: free, no key. Placeholder videos, not AI. · ")
    assert text.endswith("Unfinished earlier tasks: 1")
    assert str(mimebundle(manager)["text/plain"]).startswith("Closed: tasks are no longer followed.")


def test_in_a_terminal_it_is_one_line(manager: TaskManager, capsys: pytest.CaptureFixture[str]) -> None:
    """A terminal shows the repr, with the folder relative to the working directory."""
    manager._ipython_display_()
    line = f"<TaskManager of {manager.client.base_url}, contract 2026-04, 0 tasks, videos in 'qingbo_videos'>"
    assert capsys.readouterr().out == f"{line}\n"


def test_in_a_notebook_it_is_shown(
    manager: TaskManager, cell: Any, start_kernel: StartKernel, workdir: Path
) -> None:
    """At the end of a cell, a manager is shown as HTML."""
    start_kernel(workdir, workdir / "a.ipynb")
    manager._ipython_display_()
    assert "Connected to" in cell.html
