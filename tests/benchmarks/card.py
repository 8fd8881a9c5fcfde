"""What a card costs the browser and the notebook: a real kernel, whose messages are counted.

``python -m tests.benchmarks.card`` submits one task, shows its card, and waits for the end.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter
from typing import Any

import nbformat
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient

from . import server

__all__ = ["run"]

CONNECT = "import qingbo_widgets as qw\nqw.connect('key', base_url='{base}/v1', library='{folder}');"
CELLS = ("task = qw.generate('雨')\ntask", "await task;")
KINDS = ("comm_open", "comm_msg", "display_data", "update_display_data", "execute_result")


def run(low: float = 20.0, high: float = 28.0) -> dict[str, Any]:
    """Messages and bytes to the browser, and bytes in the notebook, of one task from submit to its video."""
    with server.running(low, high) as base, tempfile.TemporaryDirectory() as folder:
        told = _messages(CONNECT.format(base=base, folder=folder))
    with server.running(2.0, 3.0) as base, tempfile.TemporaryDirectory() as folder:
        told["bytes in the notebook"] = _notebook(CONNECT.format(base=base, folder=folder), folder)
    return told


def _messages(connect: str) -> dict[str, Any]:
    manager, client = start_new_kernel()
    try:
        client.execute_interactive(connect, timeout=60, output_hook=lambda _: None)
        count: Counter[str] = Counter()
        sizes: Counter[str] = Counter()
        moments: list[float] = []

        def hook(message: dict[str, Any]) -> None:
            kind = message["msg_type"]
            if kind in KINDS:
                count[kind] += 1
                content = len(json.dumps(message["content"], ensure_ascii=False).encode())
                sizes[kind] += content + sum(len(buffer) for buffer in message["buffers"])
                if kind == "comm_msg":
                    moments.append(time.monotonic())

        for cell in CELLS:
            client.execute_interactive(cell, timeout=120, output_hook=hook)
        client.execute_interactive("import asyncio; await asyncio.sleep(1)", timeout=30, output_hook=hook)
        within = max((sum(0 <= other - one < 1.0 for other in moments) for one in moments), default=0)
        return {
            "messages": sum(count.values()),
            "messages by kind": dict(count),
            "updates in a second, most": within,
            "bytes": sum(sizes.values()),
            "bytes by kind": dict(sizes),
        }
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _notebook(connect: str, folder: str) -> int:
    """Bytes that the outputs of a finished task add to the file."""
    cells = [nbformat.v4.new_code_cell(source) for source in (connect, *CELLS, "await asyncio.sleep(1)")]
    cells[-1].source = "import asyncio\n" + cells[-1].source
    notebook = nbformat.v4.new_notebook(cells=cells)
    before = len(nbformat.writes(notebook).encode())
    NotebookClient(notebook, timeout=60, resources={"metadata": {"path": folder}}).execute()
    notebook.metadata.pop("widgets", None)  # saved by those who ask for it
    for cell in notebook.cells:
        cell.metadata = {}
    return len(nbformat.writes(notebook).encode()) - before


if __name__ == "__main__":
    print(json.dumps(run()))
