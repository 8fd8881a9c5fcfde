"""Tests of kernel shutdown and of cells that run again, measured from outside the kernel."""

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
    """A kernel and its client."""

    def __init__(self, folder: Path) -> None:
        self.manager = KernelManager(kernel_name="python3")
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        self.manager.start_kernel(cwd=str(folder), env=environment, extra_arguments=["--log-level=ERROR"])
        self.client: BlockingKernelClient = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def run(self, code: str, cell: str = "") -> str:
        """Run a cell with this id as a page does, and return its output."""
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
        request = self.client.session.msg(
            "execute_request", content, metadata={"cellId": cell} if cell else {}
        )
        self.client.shell_channel.send(request)
        output: list[str] = []
        while True:
            message: dict[str, Any] = self.client.get_iopub_msg(timeout=60)
            if message["parent_header"].get("msg_id") != request["header"]["msg_id"]:
                continue
            assert message["msg_type"] != "error", "\n".join(message["content"]["traceback"])
            if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
                output.append(message["content"]["text"])
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return "".join(output).strip()

    def end(self, *, restart: bool) -> float:
        """Shut down the kernel as the menu does; return the seconds until its process ended."""
        process = self.manager.provisioner.process
        began = time.monotonic()
        self.client.control_channel.send(self.client.session.msg("shutdown_request", {"restart": restart}))
        process.wait(30)
        return time.monotonic() - began


@contextmanager
def started(folder: Path) -> Iterator[Kernel]:
    """Yield a kernel, and end it afterwards in any case."""
    kernel = Kernel(folder)
    try:
        yield kernel
    finally:
        kernel.client.stop_channels()
        kernel.manager.shutdown_kernel(now=True)
        kernel.manager.cleanup_resources()


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    """Yield a kernel in a folder of its own."""
    with started(tmp_path) as kernel:
        yield kernel


@pytest.mark.slow
@pytest.mark.parametrize("restart", [False, True], ids=["shutdown", "restart"])
def test_a_kernel_ends_at_once_with_tasks_running(restart: bool, tmp_path: Path) -> None:
    """A kernel with running tasks ends less than a second later than a kernel whose tasks are done."""
    differences: list[float] = []
    while not differences or (differences[-1] >= 1.0 and len(differences) < 5):  # the machine may be busy
        differences.append(_extra_seconds_with_tasks(restart, tmp_path / str(len(differences))))
    assert differences[-1] < 1.0, differences


def _extra_seconds_with_tasks(restart: bool, folder: Path) -> float:
    """Return how many seconds longer a kernel takes to end with five running tasks; check their rows.

    Both kernels have loaded the same modules, whose deallocation takes most of the time of either.
    """
    done = _seconds_to_end(folder / "done", speed=300, until="is_done", restart=restart)
    running = _seconds_to_end(folder / "running", speed=0.5, until="task_id", restart=restart)
    assert len(Library(folder / "running" / "videos").entries()) == 5
    return running - done


def _seconds_to_end(folder: Path, *, speed: float, until: str, restart: bool) -> float:
    """Return how long a kernel takes to end once five tasks of a studio have this attribute."""
    folder.mkdir(parents=True)
    with Sandbox(speed=speed, draft=True) as sandbox, started(folder) as kernel:
        kernel.run(CONNECT.format(key=sandbox.api_key, url=sandbox.base_url, folder="videos"))
        kernel.run("studio = qw.VideoStudio()\nstudio")
        kernel.run("tasks = [qw.generate(f'{n}') for n in range(5)]\ntasks[0]")
        kernel.run(f"while not all(task.{until} for task in tasks): await __import__('asyncio').sleep(0.01)")
        return kernel.end(restart=restart)


@pytest.mark.slow
def test_a_kernel_ends_at_once_with_a_service_that_does_not_answer(tmp_path: Path) -> None:
    """Neither a submission nor a status request without an answer delays the shutdown; the rows are kept."""
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
    """A cell that runs again closes its earlier studios, cards and tasks; a studio in a variable stays."""
    # Cards create widgets as they show them, and folded ones create few, so the number is read once it stays.
    count = (
        "import asyncio\n"
        "while not all(task.is_done for task in manager.tasks): await asyncio.sleep(0.01)\n"
        "number = -1\n"
        "while number != len(registry._instances):\n"
        "    number = len(registry._instances)\n"
        "    await asyncio.sleep(1.5)\n"
        "print(number)"
    )
    with Sandbox(speed=50, draft=True) as sandbox:
        kernel.run(CONNECT.format(key=sandbox.api_key, url=sandbox.base_url, folder="videos"))
        kernel.run("held = qw.VideoStudio()\nheld", cell="held")
        code = "studio = qw.VideoStudio(prompt='一条锦鲤')\nstudio.generate_button.click()\nstudio"
        kernel.run("held", cell="elsewhere")
        for _ in range(4):  # a studio that runs again has the cards of the tasks of its cell
            kernel.run(code, cell="studio")
            kernel.run("qw.generate('anonymous')", cell="task")
        kernel.run(count)
        again = code.replace("studio.generate_button.click()", "")
        kernel.run(again, cell="studio")
        first = int(kernel.run(count))
        for _ in range(97):
            kernel.run(again, cell="studio")
        kernel.run("'something else'", cell="elsewhere")
        assert int(kernel.run(count)) == first
        assert kernel.run("print(held.comm is not None, studio.comm is not None)") == "True True"


@pytest.mark.slow
def test_a_card_shown_elsewhere_stays_in_its_studio(kernel: Kernel) -> None:
    """A studio keeps its card when the cell that showed that card shows something else."""
    with Sandbox(speed=50, draft=True) as sandbox:
        kernel.run(CONNECT.format(key=sandbox.api_key, url=sandbox.base_url, folder="videos"))
        kernel.run("studio = qw.VideoStudio(prompt='一条锦鲤')\nstudio", cell="studio")
        kernel.run("studio.generate_button.click()\nstudio.cards[0]", cell="card")
        kernel.run("qw.VideoStudio()", cell="card")
        assert kernel.run("print(studio.cards[0].comm is not None)") == "True"
