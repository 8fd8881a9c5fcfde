"""Running a notebook and reading what it shows, for the tests."""

from __future__ import annotations

from pathlib import Path

import av
from nbformat import NotebookNode

__all__ = ["html_of", "hurried", "printed_by", "seconds_of", "text_of"]


def hurried(notebook: NotebookNode) -> NotebookNode:
    """The notebook with sandboxes that draw small, and a practice sandbox that is not as slow as life."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            for speed in ("speed=10)", "speed=20)"):
                cell.source = cell.source.replace(speed, f"{speed[:-1]}, draft=True)")
            cell.source = cell.source.replace('"--port", "0"', '"--port", "0", "--speed", "3"')
    return notebook


def html_of(notebook: NotebookNode) -> str:
    """Returns all HTML that the notebook's outputs hold."""
    return _data(notebook, "text/html")


def text_of(notebook: NotebookNode) -> str:
    """Returns the plain text of every output that is not printed."""
    return _data(notebook, "text/plain")


def printed_by(notebook: NotebookNode, stream: str = "stdout") -> str:
    """Returns what the notebook's cells have printed."""
    return "".join(
        output.text
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if output.output_type == "stream" and output.name == stream
    )


def seconds_of(path: Path) -> float:
    """Decodes a video to its last frame and returns how long it is."""
    with av.open(str(path)) as film:
        frames = sum(1 for _ in film.decode(video=0))
        rate = film.streams.video[0].average_rate
        assert rate
        return frames / float(rate)


def _data(notebook: NotebookNode, kind: str) -> str:
    return "\n".join(
        output.data.get(kind, "")
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if "data" in output
    )
