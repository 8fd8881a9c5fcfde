"""Tests of the messages that a card sends to the page, read from a real kernel's iopub channel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.kernels import Kernel, Message, start_kernels
from tests.faults.server import FaultServer
from tests.faults.service import Service

CONNECT = """
import asyncio
import qingbo_widgets as qw
from ipywidgets.widgets import widget as registry
manager = qw.connect("some-key", base_url={url!r}, library="videos")
manager.poll_interval = 0.1
async def print_new_widgets(work):
    before = set(registry._instances)
    work()
    print(*(set(registry._instances) - before))
"""
PATIENCE = 60.0


@pytest.fixture
def service() -> Iterator[Service]:
    """Yield a service whose tasks make progress with each of many status requests."""
    service = Service()
    service.faults["status"] = [
        service.status_with(status="processing", progress=n) for n in range(5, 95, 15)
    ]
    with FaultServer(otherwise=service) as server:
        service.url = server.url
        yield service


@pytest.fixture
def kernel(service: Service, tmp_path: Path) -> Iterator[Kernel]:
    """Yield a kernel that is connected to the service."""
    with start_kernels(tmp_path) as (kernel,):
        kernel.run(CONNECT.format(url=f"{service.url}/v1"))
        yield kernel


def widgets(kernel: Kernel, code: str) -> set[str]:
    """Return the ids of the widgets that this code creates in a cell."""
    return set(
        kernel.run(
            f"def work():\n    global card, task, studio\n    {code}\nawait print_new_widgets(work)"
        ).split()
    )


def updates_of(kernel: Kernel, ids: set[str], begin: float = 0.0) -> list[Message]:
    """Return the updates of these widgets that the page has received since; not their creation."""
    return [
        message
        for message in kernel.ui_messages(begin)
        if message.kind == "comm_msg" and message.content["comm_id"] in ids
    ]


def send(kernel: Kernel, widget: str, **state: Any) -> None:
    """Send the new state of a widget, as the page does."""
    data = {"method": "update", "state": state, "buffer_paths": []}
    kernel.deliver("comm_msg", {"comm_id": widget, "data": data})


def shows_the_video(kernel: Kernel) -> bool:
    """Return whether the display of a card has become the finished video."""
    updates = [message for message in kernel.ui_messages(0) if message.kind == "update_display_data"]
    pages = [message.content["data"].get("text/html", "") for message in updates]
    return any("<video" in page and ">Finished</span>" in page for page in pages)


@pytest.mark.slow
def test_only_a_card_that_is_displayed_is_drawn(kernel: Kernel) -> None:
    """Of two cards of one task, the card that no cell displays sends nothing, from the start to the video."""
    unseen = widgets(kernel, "task = qw.generate('一条锦鲤'); card = qw.TaskCard(task)")
    shown = widgets(kernel, "from IPython.display import display; display(task)")
    kernel.run("await task")
    kernel.wait_for(lambda: shows_the_video(kernel), PATIENCE)
    assert len(unseen) > 5
    assert updates_of(kernel, unseen) == []
    assert len(updates_of(kernel, shown)) > 3


@pytest.mark.slow
def test_a_card_is_drawn_while_the_page_has_a_view_of_it(kernel: Kernel) -> None:
    """A card in a user's own box is drawn from the page's first view of it, and not after the last."""
    ids = widgets(kernel, "task = qw.generate('一条锦鲤'); card = qw.TaskCard(task)")
    kernel.run("while task.progress < 5: await asyncio.sleep(0.01)")
    card = kernel.run("print(card.model_id)")
    parts = ids - {card}
    assert updates_of(kernel, ids) == []
    send(kernel, card, _view_count=1)
    kernel.wait_for(lambda: updates_of(kernel, parts), PATIENCE)
    send(kernel, card, _view_count=0)
    kernel.run("while card.cell_output.is_seen: await asyncio.sleep(0.01)")
    count = len(updates_of(kernel, parts))
    kernel.run("await task")
    kernel.run("assert task.video_path and not card.cell_output.is_seen")
    assert len(updates_of(kernel, parts)) == count
