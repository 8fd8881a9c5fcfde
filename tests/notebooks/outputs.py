"""Helpers of the tests that run a notebook and read its outputs."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import av
from nbformat import NotebookNode

__all__ = ["html_of", "printed_by", "seconds_of", "sped_up", "tables_in", "text_of"]


def sped_up(notebook: NotebookNode) -> NotebookNode:
    """Return the notebook with sandboxes that draw drafts, and a practice sandbox above real-time speed."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            for speed in ("speed=10", "speed=20"):
                cell.source = cell.source.replace(f"Sandbox({speed}", f"Sandbox({speed}, draft=True")
            cell.source = cell.source.replace('"--port", "0"', '"--port", "0", "--speed", "1.5"')
    return notebook


def html_of(notebook: NotebookNode) -> str:
    """Return all HTML in the notebook's outputs."""
    return _data(notebook, "text/html")


def text_of(notebook: NotebookNode) -> str:
    """Return the plain text of every output except printed text."""
    return _data(notebook, "text/plain")


class _Tables(HTMLParser):
    """A parser of the tables on a page: each is a list of rows, each row a list of cell texts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self._in_cell = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_cell = tag in ("td", "th")
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif self._in_cell and self.tables:
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_cell = self._in_cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._in_cell and self.tables:
            self.tables[-1][-1][-1] += data


def tables_in(html: str) -> list[list[dict[str, str]]]:
    """Return the tables with a header row, as pandas draws them; each row is a dictionary by column."""
    return [[dict(zip(names, row, strict=False)) for row in rows] for names, *rows in _Tables(html).tables]


def printed_by(notebook: NotebookNode, stream: str = "stdout") -> str:
    """Return the text printed by the notebook's cells."""
    return "".join(
        output.text
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if output.output_type == "stream" and output.name == stream
    )


def seconds_of(path: Path) -> float:
    """Decode a video to its last frame and return its duration in seconds."""
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
