"""Messages that a card sends to the page and bytes that it leaves in the notebook, counted on real kernels.

``python -m tests.benchmarks.card`` follows three tasks from submission to the saved video, each in its own
kernel: one with a card on the page, one with a card that is not displayed, and one whose card is closed.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import nbformat

from . import server
from .kernels import Kernel, Message, by_kind, most_in_a_second, outputs, size, start_kernels
from .parts import print_results

__all__ = ["run"]

LOW, HIGH = 20.0, 28.0
#: Seconds after the start and before the end that do not count as steady state.
SETTLING = 5.0
#: Seconds to wait for the last messages after the video is saved.
DRAINING = 2.0

CONNECT = """
import qingbo_widgets as qw
manager = qw.connect('key', base_url='{base}/v1', library='videos')
def write_status_at_end(task, name):
    import pathlib
    task.on_end(lambda task: pathlib.Path(name).write_text(task.status))
"""
#: Two cells for each state of a card: the cell that creates it, and a cell that runs a second later.
CARDS = {
    "a card on the page": ("task = qw.generate('雨')\nwrite_status_at_end(task, 'end')\ntask", ""),
    "TaskCard(task), not displayed": (
        "task = qw.generate('雨')\nwrite_status_at_end(task, 'end')\ncard = qw.TaskCard(task)",
        "",
    ),
    "a card after it was closed": (
        "task = qw.generate('雨')\nwrite_status_at_end(task, 'end')\ncard = qw.TaskCard(task)\ndisplay(card)",
        "card.close()",
    ),
}
SHORT = "雨"
LONG = ("一条锦鲤在清澈的池塘中游动，水面波光粼粼，荷叶上的露珠轻轻滚落。" * 20)[:300]


def run() -> Iterator[dict[str, Any]]:
    """Yield messages and bytes sent to the page for one task, and bytes stored for one finished video."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        yield {"messages to the page, one task of 20..28 s": _cards(Path(folder))}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        results: dict[str, int] = {}
        for name, count in _notebook(Path(folder)):
            results[name] = count
            yield {"bytes in the notebook": results}


def _cards(folder: Path) -> dict[str, Any]:
    """Run all three at once, because message counts do not depend on the load of the machine."""
    results: dict[str, Any] = {}
    with server.running(LOW, HIGH) as base, start_kernels(folder, count=len(CARDS)) as kernels:
        begins = []
        for kernel, (create, later) in zip(kernels, CARDS.values(), strict=True):
            kernel.run(CONNECT.format(base=base))
            begins.append(time.time())
            kernel.run(create)
            if later:
                time.sleep(1.0)
                kernel.run(later)
                begins[-1] = time.time()
        for kernel, name, begin in zip(kernels, CARDS, begins, strict=True):
            end = _wait(kernel, "end")
            time.sleep(DRAINING)
            results[name] = _count(kernel.ui_messages(begin), begin, end)
    return results


def _wait(kernel: Kernel, name: str, seconds: float = 90.0) -> float:
    """Wait for the file that an ended task writes, without a request to the kernel; return its time."""
    file = kernel.folder / name
    kernel.wait_for(file.is_file, seconds)
    return file.stat().st_mtime


def _count(messages: Sequence[Message], begin: float, end: float) -> dict[str, Any]:
    first = [message for message in messages if message.moment < begin + 1.0]
    steady = [message for message in messages if begin + SETTLING <= message.moment < end - SETTLING]
    seconds = max(end - begin - 2 * SETTLING, 1.0)
    return {
        "messages in the first second": len(first),
        "bytes in the first second": size(first),
        "messages a second, later": len(steady) / seconds,
        "bytes a second, later": size(steady) / seconds,
        "messages within a second, most, later": most_in_a_second(message.moment for message in steady),
        "messages within a second, most, at the end": most_in_a_second(
            message.moment for message in messages if message.moment >= end - SETTLING
        ),
        "messages in all": len(messages),
        "bytes in all": size(messages),
        "seconds": end - begin,
        "by kind": by_kind(messages),
    }


def _notebook(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield the bytes that finished videos add to the file, with outputs stored as the page stores them.

    Widget state is left out.
    """
    with server.running(2.0, 3.0) as base, start_kernels(folder) as (kernel,):
        kernel.run(CONNECT.format(base=base))
        for number, (name, prompt) in enumerate({"short": SHORT, "300 characters": LONG}.items()):
            request = kernel.send(
                f"task = qw.generate({prompt!r})\nwrite_status_at_end(task, 'end-{number}')\ntask"
            )
            kernel.result(request)
            _wait(kernel, f"end-{number}")
            time.sleep(DRAINING)
            yield f"a finished video, prompt: {name}", _stored(kernel, request)
        request = kernel.send("studio = qw.VideoStudio()\nstudio")
        kernel.result(request)
        time.sleep(DRAINING)
        empty = _stored(kernel, request)
        yield "a studio without videos", empty
        videos = {
            "the first video in a studio, prompt: short": SHORT,
            "a further video in a studio, prompt: 300 characters": LONG,
        }
        for number, (name, prompt) in enumerate(videos.items()):
            kernel.run(
                f"studio.form.prompt = {prompt!r}\nstudio.generate_button.click()\n"
                f"write_status_at_end(studio.cards[0].task, 'studio-{number}')"
            )
            _wait(kernel, f"studio-{number}")
            time.sleep(DRAINING)
            before, empty = empty, _stored(kernel, request)
            yield name, empty - before


def _stored(kernel: Kernel, request: str) -> int:
    """Return the bytes that the outputs of a cell take in the file."""
    cell = nbformat.v4.new_code_cell("")
    notebook = nbformat.v4.new_notebook(cells=[cell])
    before = len(nbformat.writes(notebook).encode())
    cell.outputs = outputs(kernel.messages, request)
    assert cell.outputs, json.dumps(by_kind(kernel.messages))
    return len(nbformat.writes(notebook).encode()) - before


if __name__ == "__main__":
    print_results(run())
