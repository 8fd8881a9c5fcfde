"""What a card sends to the page, heard on a real kernel's own channel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.kernels import Kernel, Message, started
from tests.faults.server import FaultServer
from tests.faults.service import Service

CONNECT = """
import asyncio
import qingbo_widgets as qw
from ipywidgets.widgets import widget as registry
manager = qw.connect("some-key", base_url={url!r}, library="videos")
manager.poll_interval = 0.1
async def made(work):
    before = set(registry._instances)
    work()
    print(*(set(registry._instances) - before))
"""
PATIENCE = 60.0


@pytest.fixture
def service() -> Iterator[Service]:
    """A service whose tasks take a while, and move on whenever they are asked for."""
    service = Service()
    service.faults["status"] = [service.saying(status="processing", progress=n) for n in range(5, 95, 15)]
    with FaultServer(otherwise=service) as server:
        service.url = server.url
        yield service


@pytest.fixture
def kernel(service: Service, tmp_path: Path) -> Iterator[Kernel]:
    """A kernel that is connected to it."""
    with started(tmp_path) as (kernel,):
        kernel.run(CONNECT.format(url=f"{service.url}/v1"))
        yield kernel


def widgets(kernel: Kernel, code: str) -> set[str]:
    """The ids of the widgets that a cell makes."""
    return set(
        kernel.run(f"def work():\n    global card, task, studio\n    {code}\nawait made(work)").split()
    )


def told(kernel: Kernel, ids: set[str], begin: float = 0.0) -> list[Message]:
    """What the page was told of these widgets since, but that there are they."""
    return [
        message
        for message in kernel.drawn(begin)
        if message.kind == "comm_msg" and message.content["comm_id"] in ids
    ]


def send(kernel: Kernel, widget: str, **state: Any) -> None:
    """What a page tells of a widget."""
    data = {"method": "update", "state": state, "buffer_paths": []}
    kernel.deliver("comm_msg", {"comm_id": widget, "data": data})


def ended(kernel: Kernel) -> bool:
    """Whether the display of a card has become the finished video."""
    updates = [one for one in kernel.drawn(0) if one.kind == "update_display_data"]
    return any('preload="metadata"' in one.content["data"].get("text/html", "") for one in updates)


@pytest.mark.slow
def test_only_a_card_that_is_displayed_is_drawn(kernel: Kernel) -> None:
    """Two cards of one task, from its beginning to its video: the one in no cell sends nothing."""
    unseen = widgets(kernel, "task = qw.generate('一条锦鲤'); card = qw.TaskCard(task)")
    shown = widgets(kernel, "from IPython.display import display; display(task)")
    kernel.run("await task")
    kernel.wait_for(lambda: ended(kernel), PATIENCE)
    assert len(unseen) > 5
    assert told(kernel, unseen) == []
    assert len(told(kernel, shown)) > 3


@pytest.mark.slow
def test_the_page_says_whether_a_card_is_drawn(kernel: Kernel) -> None:
    """In a box of the user's own: drawn from the first view on, and no more after the last."""
    ids = widgets(kernel, "task = qw.generate('一条锦鲤'); card = qw.TaskCard(task)")
    kernel.run("while task.progress < 5: await asyncio.sleep(0.01)")
    card = kernel.run("print(card.model_id)")
    parts = ids - {card}
    assert told(kernel, ids) == []
    send(kernel, card, _view_count=1)
    kernel.wait_for(lambda: told(kernel, parts), PATIENCE)
    send(kernel, card, _view_count=0)
    kernel.run("while card.cell_output.is_seen: await asyncio.sleep(0.01)")
    count = len(told(kernel, parts))
    kernel.run("await task")
    kernel.run("assert task.video_path and not card.cell_output.is_seen")
    assert len(told(kernel, parts)) == count
