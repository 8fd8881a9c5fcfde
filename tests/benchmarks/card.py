"""What a card sends to the page and leaves in the notebook: real kernels, every message of which is counted.

``python -m tests.benchmarks.card`` follows a task with a card on the page, one with a card that nobody sees,
and one whose card has been closed, each in a kernel of its own, from submit to the saved video.
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
from .kernels import Kernel, Message, by_kind, most_in_a_second, outputs, size, started
from .parts import tell

__all__ = ["run"]

LOW, HIGH = 20.0, 28.0
#: Seconds after the start, and before the end, that are not the steady state.
SETTLING = 5.0
#: Seconds in which the last messages come after the video is saved.
LAST_WORDS = 2.0

CONNECT = """
import qingbo_widgets as qw
manager = qw.connect('key', base_url='{base}/v1', library='videos')
def tell_end(task, name):
    import pathlib
    task.on_end(lambda task: pathlib.Path(name).write_text(task.status))
"""
#: By what is done with the card: the cell that makes it, and one that is run a moment later.
CARDS = {
    "a card on the page": ("task = qw.generate('雨')\ntell_end(task, 'end')\ntask", ""),
    "TaskCard(task), not displayed": (
        "task = qw.generate('雨')\ntell_end(task, 'end')\ncard = qw.TaskCard(task)",
        "",
    ),
    "a card after it was closed": (
        "task = qw.generate('雨')\ntell_end(task, 'end')\ncard = qw.TaskCard(task)\ndisplay(card)",
        "card.close()",
    ),
}
SHORT = "雨"
LONG = ("一条锦鲤在清澈的池塘中游动，水面波光粼粼，荷叶上的露珠轻轻滚落。" * 20)[:300]


def run() -> Iterator[dict[str, Any]]:
    """Messages and bytes to the page of one task; bytes in the notebook of one finished video."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        yield {"messages to the page, one task of 20..28 s": _cards(Path(folder))}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        told: dict[str, int] = {}
        for name, count in _notebook(Path(folder)):
            told[name] = count
            yield {"bytes in the notebook": told}


def _cards(folder: Path) -> dict[str, Any]:
    """All three at once: what is counted are messages, which do not depend on how busy the machine is."""
    told: dict[str, Any] = {}
    with server.running(LOW, HIGH) as base, started(folder, count=len(CARDS)) as kernels:
        begins = []
        for kernel, (make, later) in zip(kernels, CARDS.values(), strict=True):
            kernel.run(CONNECT.format(base=base))
            begins.append(time.time())
            kernel.run(make)
            if later:
                time.sleep(1.0)
                kernel.run(later)
                begins[-1] = time.time()
        for kernel, name, begin in zip(kernels, CARDS, begins, strict=True):
            end = _wait(kernel, "end")
            time.sleep(LAST_WORDS)
            told[name] = _count(kernel.drawn(begin), begin, end)
    return told


def _wait(kernel: Kernel, name: str, seconds: float = 90.0) -> float:
    """Wait for the file that an ended task leaves; no request disturbs the kernel. Returns when."""
    file = kernel.folder / name
    kernel.wait_for(file.is_file, seconds)
    return file.stat().st_mtime


def _count(messages: Sequence[Message], begin: float, end: float) -> dict[str, Any]:
    first = [one for one in messages if one.moment < begin + 1.0]
    steady = [one for one in messages if begin + SETTLING <= one.moment < end - SETTLING]
    seconds = max(end - begin - 2 * SETTLING, 1.0)
    return {
        "messages in the first second": len(first),
        "bytes in the first second": size(first),
        "messages a second, later": len(steady) / seconds,
        "bytes a second, later": size(steady) / seconds,
        "messages within a second, most, later": most_in_a_second(one.moment for one in steady),
        "messages within a second, most, at the end": most_in_a_second(
            one.moment for one in messages if one.moment >= end - SETTLING
        ),
        "messages in all": len(messages),
        "bytes in all": size(messages),
        "seconds": end - begin,
        "by kind": by_kind(messages),
    }


def _notebook(folder: Path) -> Iterator[tuple[str, int]]:
    """What finished videos add to the file, as the page stores their outputs; widget state is left out."""
    with server.running(2.0, 3.0) as base, started(folder) as (kernel,):
        kernel.run(CONNECT.format(base=base))
        for number, (name, prompt) in enumerate({"short": SHORT, "300 characters": LONG}.items()):
            request = kernel.send(f"task = qw.generate({prompt!r})\ntell_end(task, 'end-{number}')\ntask")
            kernel.result(request)
            _wait(kernel, f"end-{number}")
            time.sleep(LAST_WORDS)
            yield f"a finished video, prompt: {name}", _stored(kernel, request)
        request = kernel.send("studio = qw.VideoStudio()\nstudio")
        kernel.result(request)
        time.sleep(LAST_WORDS)
        empty = _stored(kernel, request)
        yield "a studio without videos", empty
        videos = {
            "the first video in a studio, prompt: short": SHORT,
            "a further video in a studio, prompt: 300 characters": LONG,
        }
        for number, (name, prompt) in enumerate(videos.items()):
            kernel.run(
                f"studio.form.prompt = {prompt!r}\nstudio.generate_button.click()\n"
                f"tell_end(studio.cards[0].task, 'studio-{number}')"
            )
            _wait(kernel, f"studio-{number}")
            time.sleep(LAST_WORDS)
            before, empty = empty, _stored(kernel, request)
            yield name, empty - before


def _stored(kernel: Kernel, request: str) -> int:
    """Bytes that the outputs of a cell take in the file."""
    cell = nbformat.v4.new_code_cell("")
    notebook = nbformat.v4.new_notebook(cells=[cell])
    before = len(nbformat.writes(notebook).encode())
    cell.outputs = outputs(kernel.heard, request)
    assert cell.outputs, json.dumps(by_kind(kernel.heard))
    return len(nbformat.writes(notebook).encode()) - before


if __name__ == "__main__":
    tell(run())
