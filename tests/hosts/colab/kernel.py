"""A kernel as Colab starts it, whose messages say which thread has sent them."""

from __future__ import annotations

import json
import os
import queue
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from tests.hosts.environments import python_of, variables_of

__all__ = ["ColabKernel", "started_kernel"]

Message = dict[str, Any]
SIMULATED = Path(__file__).parent / "simulated"
ROOT = Path(__file__).parents[3]
#: Runs before the user's first cell: Colab's package is there, and a message names the thread that sends it.
PREPARE = """
import functools as _functools, threading as _threading
import google.colab
def _with_thread(msg):
    @_functools.wraps(msg)
    def marked(*arguments, **options):
        message = msg(*arguments, **options)
        message["metadata"]["is_main"] = _threading.current_thread() is _threading.main_thread()
        return message
    return marked
_session = get_ipython().kernel.session
_session.msg = _with_thread(_session.msg)
"""


class ColabKernel:
    """A kernel with Colab's versions.

    Args:
        client: the connection to it.
        receive: called with each message to the page, in their order.
        folder: that in which it runs.
    """

    def __init__(
        self, client: BlockingKernelClient, receive: Callable[[Message], object], folder: Path
    ) -> None:
        self._client, self._receive = client, receive
        self.folder = folder

    def run(self, code: str, seconds: float = 120.0) -> str:
        """Run a cell and return the id of its request. Colab's page sends no id of the cell.

        Raises:
            RuntimeError: the cell raised.
        """
        return self._deliver(
            "execute_request", {"code": code, "silent": False, "allow_stdin": False}, seconds
        )

    def send_to_widget(self, model: str, content: dict[str, Any]) -> None:
        """Send a message of a view to its widget, such as a click, and wait until it is handled."""
        data = {"method": "custom", "content": content}
        self._deliver("comm_msg", {"comm_id": model, "data": data}, 60.0)

    def idle_until(self, is_true: Callable[[], object], seconds: float = 60.0) -> None:
        """Receive messages while no cell runs, until a condition outside the kernel is true.

        Raises:
            TimeoutError: it did not become true.
        """
        deadline = time.monotonic() + seconds
        while not is_true():
            if time.monotonic() > deadline:
                raise TimeoutError(f"nothing after {seconds:g} s")
            self._receive_next(0.1)
        while self._receive_next(0.3):
            pass

    def _deliver(self, kind: str, content: dict[str, Any], seconds: float) -> str:
        message = self._client.session.msg(kind, content)
        request = str(message["header"]["msg_id"])
        self._client.shell_channel.send(message)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            got = self._receive_next(0.2)
            if got is None or got["parent_header"].get("msg_id") != request:
                continue
            if got["msg_type"] == "error":
                raise RuntimeError("\n".join(got["content"]["traceback"]))
            if got["msg_type"] == "status" and got["content"]["execution_state"] == "idle":
                return request
        raise TimeoutError(f"not done after {seconds:g} s: {content}")

    def _receive_next(self, seconds: float) -> Message | None:
        try:
            message: Message = self._client.get_iopub_msg(timeout=seconds)
        except queue.Empty:
            return None
        self._receive(message)
        return message


@contextmanager
def started_kernel(folder: Path, receive: Callable[[Message], object]) -> Iterator[ColabKernel]:
    """Start a kernel in a folder, and end it."""
    path = os.pathsep.join((str(SIMULATED), str(ROOT)))
    variables = {**variables_of(folder / "settings"), "PYTHONPATH": path, "COLAB_RELEASE_TAG": "simulated"}
    work, kernels = folder / "content", folder / "kernels"
    work.mkdir()
    command = [str(python_of("colab")), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernels / "colab").mkdir(parents=True)
    spec = {"argv": command, "display_name": "Colab", "language": "python"}
    (kernels / "colab" / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    manager = KernelManager(
        kernel_name="colab", kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(kernels)])
    )
    manager.start_kernel(cwd=str(work), env=variables)
    client: BlockingKernelClient = manager.client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=90)
        kernel = ColabKernel(client, receive, work)
        kernel.run(PREPARE)
        yield kernel
    finally:
        client.stop_channels()
        manager.shutdown_kernel()
        manager.cleanup_resources()
