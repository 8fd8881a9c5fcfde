"""Running a notebook and reading what it shows, for the tests."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import av
from nbformat import NotebookNode

__all__ = ["html_of", "hurried", "printed_by", "seconds_of", "tables_in", "text_of"]


def hurried(notebook: NotebookNode) -> NotebookNode:
    """The notebook with sandboxes that draw small, and a practice sandbox that is not as slow as life."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            for speed in ("speed=10)", "speed=20)"):
                cell.source = cell.source.replace(speed, f"{speed[:-1]}, draft=True)")
            cell.source = cell.source.replace('"--port", "0"', '"--port", "0", "--speed", "1.5"')
    return notebook


def html_of(notebook: NotebookNode) -> str:
    """Returns all HTML that the notebook's outputs hold."""
    return _data(notebook, "text/html")


def text_of(notebook: NotebookNode) -> str:
    """Returns the plain text of every output that is not printed."""
    return _data(notebook, "text/plain")


class _Tables(HTMLParser):
    """The tables of a page: each a list of rows, each a list of its cells' texts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[list[list[str]]] = []
        self._in_cell = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_cell = tag in ("td", "th")
        if tag == "table":
            self.found.append([])
        elif tag == "tr" and self.found:
            self.found[-1].append([])
        elif self._in_cell and self.found:
            self.found[-1][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_cell = self._in_cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._in_cell and self.found:
            self.found[-1][-1][-1] += data


def tables_in(html: str) -> list[list[dict[str, str]]]:
    """Returns the tables with a line of names on top, as pandas draws them: each a list of rows by name."""
    return [[dict(zip(names, row, strict=False)) for row in rows] for names, *rows in _Tables(html).found]


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
