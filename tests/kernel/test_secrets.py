"""A test that runs a notebook with a unique key, then searches every byte of its results for the key."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.asynchronous.client import AsyncKernelClient
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from tests.faults.server import Exchange, FaultServer, answer, close, html, partial, redirect, reset
from tests.faults.service import Service

KEY = "sk-sentinel-3e1f9c7a5b2d"
TRACES = {KEY, KEY[3:], base64.b64encode(KEY.encode()).decode()[4:-4], KEY[::-1]}

#: The service's step for status requests, by task id.
FAILURES = {
    "echo": answer({"error": {"message": f"bad {KEY}", "code": KEY, "param": KEY}}, 401),
    "echoes-all": answer(
        {"task_id": "echoes-all", "model": KEY, "status": KEY, "error": {"message": KEY, "code": KEY}}
    ),
    "page": html(f"<p>Authorization: Bearer {KEY}</p>"),
    "portal": html(f"<p>{KEY}</p>", 200),
    "closes": close,
    "resets": reset,
    "half": partial(b"{" * 500, 10),
    "elsewhere": redirect(f"http://127.0.0.1:1/{KEY}"),
    "garbled": answer(b"x", Content_Encoding="gzip"),
    "limited": answer({}, 429, Retry_After="0"),
}

SETUP = """
import logging, os, pathlib, pickle, sys
logging.basicConfig(level=logging.DEBUG, force=True, handlers=[
    logging.FileHandler("debug.log", encoding="utf-8"), logging.StreamHandler(sys.stdout)])
for name in ("urllib3", "IPKernelApp"):
    logging.getLogger(name).setLevel(logging.DEBUG)
import qingbo_widgets as qw
URL = os.environ["URL"]
def key():
    return pathlib.Path(os.environ["KEY_FILE"]).read_text()
%xmode Verbose
"""

#: The key is checked on another thread before it is used.
CHECKED = """
import time
end = time.monotonic() + 30
while studio.manager is None and time.monotonic() < end:
    time.sleep(0.01)
manager = studio.manager
manager
"""

WAYS = {
    "argument": ["manager = qw.connect(key(), base_url=URL)", "studio = qw.VideoStudio()\nstudio"],
    "environment": ["manager = qw.connect(base_url=URL)", "studio = qw.VideoStudio()\nstudio"],
    "key field": ["studio = qw.VideoStudio()\nstudio", CHECKED],
}

WORK = """
manager.poll_interval = 0.05
task = qw.generate("一条锦鲤")
task
"""

FINISH = """
task.wait(30)
task.show()
studio.form.prompt = "一只猫"
studio.generate_button.click()
studio.cards[0].task.wait(30)
"""

SHOWN = """
seen = set()
def walk(value, depth=0):
    if id(value) in seen or depth > 12:
        return
    seen.add(id(value))
    print(repr(value)[:2000])
    parts = list(getattr(value, "__dict__", {}).values())
    parts += value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    for part in parts:
        if type(part).__module__.startswith(("qingbo_widgets", "requests", "builtins")):
            walk(part, depth + 1)
session = manager.client._transport._sessions.with_key()
for value in (manager, manager.client, session, task, studio, task.request, manager.library.entries()):
    walk(value)
    print(value, vars(value) if hasattr(value, "__dict__") else "")
print(len(seen))
"""

PICKLED = """
import copy
errors = []
for name in {failures!r}:
    try:
        manager.client.status(name)
    except Exception as error:
        errors.append(error)
errors.append(task.error)
pickles = []
errors.append(manager.client.status("task-1"))
for value in (manager, manager.client, task, manager.library, task.request, *errors):
    for protocol in (0, 5):
        try:
            pickles.append(pickle.dumps(value, protocol))
        except Exception as error:
            pickles.append(repr(error).encode())
pathlib.Path("pickled.bin").write_bytes(b"\\0".join(pickles))
print(len(pickles), "pickles")
"""

#: Calls that succeed although the service echoes the key.
QUIET = """
print(manager.client.status("echoes-all"), manager.client.status("echoes-all").raw)
print(manager.client.download(URL.replace("/v1", "/videos/echo.mp4"), "video.mp4"))
"""

#: Cells that raise an error, each for a different reason, with the key in some frame of the stack.
RAISING = (
    *(f"manager.client.status({name!r})" for name in FAILURES if name != "echoes-all"),
    "manager.client.submit(qw.VideoRequest(prompt='echo'))",
    "manager.client.cancel('closes')",
    "manager.client.download(URL, 'nowhere/video.mp4')",
    "qw.connect(key(), base_url='http://example.com/v1')",
    "qw.connect(key() + ' and more', base_url=URL)",
    "qw.connect(key(), base_url=URL, library=42)",
    "qw.connect(key().encode(), base_url=URL)",
    "qw.connect([key()], base_url=URL)",
    "qw.connect(base_url=key())",
    "qw.connect(key(), base_url=key().encode())",
    "qw.connect(key(), base_url=URL + '?key=' + key())",
    "qw.Client(bytearray(key(), 'ascii'))",
    "qw.Client({'key': key()}, key())",
    "qw.Client(key(), 'ftp://example.com')",
    "qw.Client(key(), URL, timeout='soon').status('task-1')",
    "qw.Client(key(), 'https://service.invalid/v1').status('task-1')",
    "qw.Client(key(), URL.replace('http:', 'https:')).status('task-1')",
    "qw.TaskManager(qw.Client(key(), URL), qw.Library('debug.log')).submit(prompt='x').wait(20)",
    "qw.generate('lost').wait(20)",
    "manager.resume('echoes-all').wait(0.5)",
    "manager.resume('nobody').wait(20)",
    "task.check()",
    "1 / 0",
)


class EchoingService(Service):
    """A service that echoes the key wherever it can, and fails for the task ids in ``FAILURES``."""

    def serve(self, exchange: Exchange) -> bool:
        name = exchange.request.path.removesuffix("/cancel").rpartition("/")[2]
        if name in FAILURES:
            return FAILURES[name](exchange)
        if b"lost" in exchange.request.body or b"echo" in exchange.request.body:
            return FAILURES["page"](exchange)
        return super().serve(exchange)


class Listener:
    """Another client of the same kernel, which records every message that the kernel broadcasts."""

    def __init__(self, connection_file: str) -> None:
        self.messages: list[dict[str, Any]] = []
        self._client = AsyncKernelClient(connection_file=connection_file)  # with its own session
        self._client.load_connection_file()

    async def __aenter__(self) -> Listener:
        self._client.start_channels()
        await self._client.wait_for_ready(timeout=60)
        self._recording = asyncio.create_task(self._record())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._recording.cancel()
        with suppress(asyncio.CancelledError):
            await self._recording
        self._client.stop_channels()

    async def _record(self) -> None:
        while True:
            self.messages.append(await self._client.get_iopub_msg())


def send(client: NotebookClient, widget: str, **data: Any) -> None:
    """Send a page's message of the user's typing or click, the only message that may contain the key."""
    content = {"comm_id": widget, "data": data}
    client.kc.shell_channel.send(client.kc.session.msg("comm_msg", content))


def model_ids(listener: Listener, name: str) -> list[str]:
    """Return the ids of the created widgets of one model, oldest first."""
    opened = [message for message in listener.messages if message["msg_type"] == "comm_open"]
    return [
        str(message["content"]["comm_id"])
        for message in opened
        if message["content"]["data"]["state"].get("_model_name") == name
    ]


async def run(way: str, folder: Path, server: FaultServer) -> tuple[nbformat.NotebookNode, list[Any]]:
    """Run the notebook as a user does who enters the key in one of the ways of ``WAYS``.

    Returns:
        The stored notebook, and all messages of the kernel.
    """
    key_file = folder.parent / "the key"
    key_file.write_text(KEY, encoding="utf-8")
    environment = {
        "URL": f"{server.url}/v1",
        "KEY_FILE": str(key_file),
        "QINGBO_BASE_URL": f"{server.url}/v1",
    }
    own = {name: str(folder / name.lower()) for name in ("HOME", "IPYTHONDIR", "JUPYTER_RUNTIME_DIR")}
    if way == "environment":
        environment["QINGBO_API_KEY"] = KEY
    pickled = PICKLED.format(failures=list(FAILURES))
    sources = [
        SETUP,
        *WAYS[way],
        WORK,
        FINISH,
        SHOWN,
        pickled,
        QUIET,
        *RAISING,
        "studio.close(); manager.close()",
    ]
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    for cell in notebook.cells:
        if cell.source in RAISING:
            cell.metadata["tags"] = ["raises-exception"]
    replies: list[Any] = []
    client = NotebookClient(
        notebook,
        timeout=120,
        store_widget_state=True,
        resources={"metadata": {"path": folder}},
        on_cell_executed=lambda **event: replies.append(event["execute_reply"]),
    )
    # The connection file exists only once the kernel runs, hence the nesting.
    async with client.async_setup_kernel(env={**os.environ, **environment, **own}):  # noqa: SIM117
        async with Listener(client.km.connection_file) as listener:
            for index, cell in enumerate(notebook.cells):
                await client.async_execute_cell(cell, index)
                if way == "key field" and index == 1:
                    (field,), (connect,) = model_ids(listener, "PasswordModel"), buttons(listener, "Connect")
                    send(client, field, method="update", state={"value": KEY}, buffer_paths=[])
                    send(client, connect, method="custom", content={"event": "click"})
            client.set_widgets_metadata()
    nbformat.write(notebook, folder / "executed.ipynb")
    return notebook, [*listener.messages, *replies]


def buttons(listener: Listener, description: str) -> list[str]:
    """Return the ids of the buttons with this description, oldest first."""
    opened = [message["content"] for message in listener.messages if message["msg_type"] == "comm_open"]
    return [str(m["comm_id"]) for m in opened if m["data"]["state"].get("description") == description]


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the relative path and the content of everything in a folder."""
    for path in folder.rglob("*"):
        yield str(path.relative_to(folder)), path.read_bytes() if path.is_file() else b""


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_the_key_is_nowhere(way: str, tmp_path: Path, no_proxy: None) -> None:
    """The key is in no notebook, widget state, log, traceback, pickle, journal or message."""
    folder = tmp_path / "notebook"
    folder.mkdir()
    service = EchoingService()
    with FaultServer(otherwise=service) as server:
        service.url = server.url
        notebook, messages = asyncio.run(run(way, folder, server))
    keys = [
        request.headers.get("authorization") for request in server.requests if "/videos/" not in request.path
    ]
    assert set(keys) == {f"Bearer {KEY}"}, "the kernel did not use the key"
    assert not any("authorization" in r.headers for r in server.requests if "/videos/" in r.path)

    everything = dict(contents(folder)) | {"messages": json.dumps(messages, default=str).encode()}
    leaks = {
        (name, trace)
        for name, content in everything.items()
        for trace in TRACES
        if trace in name or trace.encode() in content
    }
    assert not leaks

    # Check that there was something to find; otherwise the test would prove nothing.
    raised = [cell for cell in notebook.cells if any(o.output_type == "error" for o in cell.outputs)]
    assert {cell.source for cell in raised} == set(RAISING)
    assert len(notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]) > 50
    assert b"urllib3" in everything["debug.log"]
    assert len(everything["pickled.bin"]) > 1000
    assert sum(message.get("msg_type") == "comm_msg" for message in messages) > 10
    assert len(list(folder.glob("qingbo_videos/*.mp4"))) == 2
