"""Kernels that end, and cells that are run again, measured from outside."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from qingbo_widgets import Library
from qingbo_widgets.sandbox import Sandbox
from tests.faults.server import FaultServer, silence
from tests.faults.service import Service

CONNECT = """
import qingbo_widgets as qw
from ipywidgets.widgets import widget as registry
manager = qw.connect({key!r}, base_url={url!r}, library={folder!r})
manager.poll_interval = 0.1
"""


class Kernel:
    """A kernel and a client of it."""

    def __init__(self, folder: Path) -> None:
        self.manager = KernelManager(kernel_name="python3")
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        self.manager.start_kernel(cwd=str(folder), env=environment, extra_arguments=["--log-level=ERROR"])
        self.client: BlockingKernelClient = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def run(self, code: str, cell: str = "") -> str:
        """Runs a cell, as a page with this id of the cell would, and returns what it prints."""
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
        message = self.client.session.msg(
            "execute_request", content, metadata={"cellId": cell} if cell else {}
        )
        self.client.shell_channel.send(message)
        said: list[str] = []
        while True:
            heard: dict[str, Any] = self.client.get_iopub_msg(timeout=60)
            if heard["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            assert heard["msg_type"] != "error", "\n".join(heard["content"]["traceback"])
            if heard["msg_type"] == "stream" and heard["content"]["name"] == "stdout":
                said.append(heard["content"]["text"])
            if heard["msg_type"] == "status" and heard["content"]["execution_state"] == "idle":
                return "".join(said).strip()

    def end(self, *, restart: bool) -> float:
        """Ends the kernel as the menu does; how many seconds its process still lived."""
        process = self.manager.provisioner.process
        began = time.monotonic()
        self.client.control_channel.send(self.client.session.msg("shutdown_request", {"restart": restart}))
        process.wait(30)
        return time.monotonic() - began


@contextmanager
def started(folder: Path) -> Iterator[Kernel]:
    """A kernel that is gone at the end, whatever happens."""
    kernel = Kernel(folder)
    try:
        yield kernel
    finally:
        kernel.client.stop_channels()
        kernel.manager.shutdown_kernel(now=True)
        kernel.manager.cleanup_resources()


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    """A kernel in a folder of its own."""
    with started(tmp_path) as kernel:
        yield kernel


@pytest.mark.slow
@pytest.mark.parametrize("restart", [False, True], ids=["shutdown", "restart"])
def test_a_kernel_ends_at_once_with_tasks_running(restart: bool, tmp_path: Path) -> None:
    """Nobody waits for a spinning wheel: with tasks under way it takes no second longer than without."""
    differences: list[float] = []
    while not differences or (differences[-1] >= 1.0 and len(differences) < 5):  # the machine may be busy
        differences.append(_longer_with_tasks(restart, tmp_path / str(len(differences))))
    assert differences[-1] < 1.0, differences


def _longer_with_tasks(restart: bool, folder: Path) -> float:
    """How many seconds longer a kernel takes to end with five tasks under way, all of which are kept."""
    folder.mkdir()
    with started(folder) as bare:
        bare.run("import IPython, ipywidgets, requests, sqlalchemy")
        alone = bare.end(restart=restart)
    with Sandbox(speed=0.5, draft=True) as sandbox, started(folder) as kernel:
        kernel.run(CONNECT.format(key=sandbox.api_key, url=sandbox.base_url, folder="videos"))
        kernel.run("studio = qw.VideoStudio()\nstudio")
        kernel.run("tasks = [qw.generate(f'{n}') for n in range(5)]\ntasks[0]")
        kernel.run("while not all(task.task_id for task in tasks): await __import__('asyncio').sleep(0.01)")
        busy = kernel.end(restart=restart)
    assert len(Library(folder / "videos").entries()) == 5
    return busy - alone


@pytest.mark.slow
def test_a_kernel_ends_at_once_with_a_service_that_says_nothing(tmp_path: Path) -> None:
    """Neither a submission nor a status call without an answer holds it up; the rows stay."""
    service = Service()
    service.faults["submit"] = [service.serve, silence]
    service.faults["status"] = [silence] * 9
    with FaultServer(otherwise=service) as server, started(tmp_path) as kernel:
        kernel.run(CONNECT.format(key="some-key", url=f"{server.url}/v1", folder="videos"))
        kernel.run("one = qw.generate('one')\nwhile not one.task_id: await __import__('asyncio').sleep(0.01)")
        kernel.run("two = qw.generate('two')\nawait __import__('asyncio').sleep(0.5)")
        took = kernel.end(restart=False)
    assert took < 2.5  # under one on a machine with nothing else to do
    rows = {row.prompt: row.status for row in Library(tmp_path / "videos").entries()}
    assert rows == {"one": "queued", "two": "submitting"}


@pytest.mark.slow
def test_a_hundred_runs_of_a_cell_leave_as_many_widgets_as_one(kernel: Kernel, tmp_path: Path) -> None:
    """Studios with cards and tasks, run again and again in one cell; a studio that a variable holds stays."""
    # A card makes what it shows: they are counted when each shows the end.
    count = (
        "import asyncio\n"
        "cards = [one for one in list(registry._instances.values()) if isinstance(one, qw.TaskCard)]\n"
        "while not all(card.frames_button in card._buttons.children for card in cards):\n"
        "    await asyncio.sleep(0.01)\n"
        "del cards\n"
        "print(len(registry._instances))"
    )
    with Sandbox(speed=50, draft=True) as sandbox:
        kernel.run(CONNECT.format(key=sandbox.api_key, url=sandbox.base_url, folder="videos"))
        kernel.run("held = qw.VideoStudio()\nheld", cell="held")
        code = "studio = qw.VideoStudio(prompt='一条锦鲤')\nstudio.generate_button.click()\nstudio"
        kernel.run(code, cell="studio")
        kernel.run("qw.generate('anonymous')", cell="task")
        kernel.run("held", cell="elsewhere")
        first = int(kernel.run(count))
        for _ in range(3):
            kernel.run(code, cell="studio")
            kernel.run("qw.generate('anonymous')", cell="task")
        for _ in range(97):
            kernel.run(code.replace("studio.generate_button.click()", ""), cell="studio")
        kernel.run(code, cell="studio")
        kernel.run("'something else'", cell="elsewhere")
        assert int(kernel.run(count)) == first
        assert kernel.run("print(held.comm is not None, studio.comm is not None)") == "True True"


def test_a_card_shown_elsewhere_stays_in_its_studio(kernel: Kernel) -> None:
    """A cell that showed a studio's card shows something else: the studio keeps its card."""
    with Sandbox(speed=50, draft=True) as sandbox:
        kernel.run(CONNECT.format(key=sandbox.api_key, url=sandbox.base_url, folder="videos"))
        kernel.run("studio = qw.VideoStudio(prompt='一条锦鲤')\nstudio", cell="studio")
        kernel.run("studio.generate_button.click()\nstudio.cards[0]", cell="card")
        kernel.run("qw.VideoStudio()", cell="card")
        assert kernel.run("print(studio.cards[0].comm is not None)") == "True"
