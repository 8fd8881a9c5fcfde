"""A real kernel that records every message to the page, whichever cell it belongs to.

``execute_interactive`` and nbclient drop messages that a background thread sends between two cells, which are
most of a card's messages. Therefore a dedicated thread reads the iopub channel here.
"""

from __future__ import annotations

import json
import os
import queue
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self

import nbformat
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager
from nbformat import NotebookNode

from .parts import ROOT

__all__ = [
    "BASELINE",
    "Kernel",
    "Message",
    "alone",
    "by_kind",
    "most_in_a_second",
    "outputs",
    "size",
    "start_kernels",
]

#: The modules that a notebook with widgets imports anyway.
BASELINE = "import ipywidgets, requests, traitlets, IPython"
#: The types of messages that carry widgets and outputs; the others belong to the protocol.
KINDS = ("comm_open", "comm_msg", "comm_close", "display_data", "update_display_data", "execute_result")


class Message(NamedTuple):
    """A message from the kernel to the page.

    Attributes:
        moment: time of receipt, in seconds (Unix).
        kind: message type.
        parent: id of the request that it belongs to.
        bytes: size on the wire: headers, metadata, content and buffers.
        content: message content.
    """

    moment: float
    kind: str
    parent: str
    bytes: int
    content: dict[str, Any]


class Kernel:
    """A kernel of this Python in its own folder, without any user's settings."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.messages: list[Message] = []
        self._received = threading.Condition()
        self._ended = threading.Event()
        self._manager = KernelManager(kernel_name="python3")
        # Allow compiled modules, as in an installation; otherwise those of this repository would have none.
        foreign = ("QINGBO_", "PYTHONDONTWRITEBYTECODE")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        own = {"PYTHONPATH": str(ROOT), "IPYTHONDIR": str(folder / ".ipython")}
        self._manager.start_kernel(
            cwd=str(folder), env=inherited | own, extra_arguments=["--log-level=ERROR"]
        )
        self._client: BlockingKernelClient = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=60)
        self._reader = threading.Thread(target=self._record, daemon=True)
        self._reader.start()

    def run(self, code: str, *, cell: str = "", timeout: float = 120.0) -> str:
        """Run a cell as the page would, and return what it prints.

        Args:
            code: the source.
            cell: the cell's id; a new one by default.
            timeout: seconds.

        Raises:
            RuntimeError: the cell raised; the message is its traceback.
            TimeoutError: the cell did not end.
        """
        return self.result(self.send(code, cell=cell), timeout=timeout)

    def send(self, code: str, *, cell: str = "") -> str:
        """Send a cell for execution and return the request's id."""
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
        metadata = {"cellId": cell or uuid.uuid4().hex}
        return self.deliver("execute_request", content, metadata)

    def deliver(self, kind: str, content: dict[str, Any], metadata: dict[str, Any] | None = None) -> str:
        """Send a message of any kind as the page would, and return its id."""
        message = self._client.session.msg(kind, content, metadata=metadata)
        self._client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def result(self, request: str, *, timeout: float = 120.0) -> str:
        """Wait until a request is done and return its printed output; raise as ``run`` does."""
        begin = 0
        printed: list[str] = []
        deadline = time.monotonic() + timeout
        with self._received:
            while True:
                for message in self.messages[begin:]:
                    if message.parent != request:
                        continue
                    if message.kind == "error":
                        raise RuntimeError("\n".join(message.content["traceback"]))
                    if message.kind == "stream" and message.content["name"] == "stdout":
                        printed.append(message.content["text"])
                    if message.kind == "status" and message.content["execution_state"] == "idle":
                        return "".join(printed).strip()
                begin = len(self.messages)
                if not self._received.wait(deadline - time.monotonic()):
                    raise TimeoutError(f"the cell was not done after {timeout:g} s")

    def wait_for(self, is_true: Callable[[], object], seconds: float) -> None:
        """Wait for a condition outside the kernel, without a request to the kernel.

        Raises:
            TimeoutError: the condition did not become true.
        """
        deadline = time.monotonic() + seconds
        while not is_true():
            if time.monotonic() > deadline:
                raise TimeoutError(f"nothing after {seconds:g} s")
            time.sleep(0.05)

    def ui_messages(self, begin: float, end: float = float("inf")) -> list[Message]:
        """Return the messages that carry widgets and outputs, received between two moments."""
        return [
            message
            for message in list(self.messages)
            if message.kind in KINDS and begin <= message.moment < end
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._reader.join(5)
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)
        self._manager.cleanup_resources()

    def _record(self) -> None:
        while not self._ended.is_set():
            try:
                message = self._client.iopub_channel.get_msg(timeout=0.2)
            except queue.Empty:
                continue
            moment, parts = time.time(), ("header", "parent_header", "metadata", "content")
            text = json.dumps([message[part] for part in parts], ensure_ascii=False, default=str)
            length = len(text.encode()) + sum(len(buffer) for buffer in message["buffers"])
            parent = str(message["parent_header"].get("msg_id", ""))
            with self._received:
                self.messages.append(Message(moment, message["msg_type"], parent, length, message["content"]))
                self._received.notify_all()


@contextmanager
def start_kernels(folder: Path, *, count: int = 1) -> Iterator[list[Kernel]]:
    """Start kernels, each in its own folder, and shut them down on exit."""
    kernels: list[Kernel] = []
    try:
        for number in range(count):
            place = folder / f"kernel-{number}"
            place.mkdir()
            kernels.append(Kernel(place))
        yield kernels
    finally:
        for kernel in kernels:
            kernel.__exit__()


@contextmanager
def alone() -> Iterator[Kernel]:
    """Start one kernel in a temporary folder."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        start_kernels(Path(folder)) as (kernel,),
    ):
        yield kernel


def size(messages: Iterable[Message]) -> int:
    """Return the total bytes."""
    return sum(message.bytes for message in messages)


def by_kind(messages: Iterable[Message]) -> dict[str, int]:
    """Return the number of messages of each type."""
    return dict(Counter(message.kind for message in messages))


def most_in_a_second(moments: Iterable[float]) -> int:
    """Return the maximum number of moments within any one second."""
    ordered = sorted(moments)
    most = first = 0
    for last, moment in enumerate(ordered):
        while moment - ordered[first] >= 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most


def outputs(messages: Iterable[Message], request: str) -> list[NotebookNode]:
    """Return the outputs of one cell as the page stores them, with later display updates applied."""
    stored: list[NotebookNode] = []
    displays: dict[str, list[NotebookNode]] = {}
    for message in messages:
        name = str(message.content.get("transient", {}).get("display_id", ""))
        if message.kind in ("display_data", "execute_result", "stream") and message.parent == request:
            raw = {"header": {"msg_type": message.kind}, "content": message.content}
            output = nbformat.v4.output_from_msg(raw)
            stored.append(output)
            displays.setdefault(name, []).append(output)
        elif message.kind == "update_display_data":
            for output in displays.get(name, ()) if name else ():
                output["data"], output["metadata"] = message.content["data"], message.content["metadata"]
    return stored
