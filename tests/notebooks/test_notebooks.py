"""Every notebook that we give away runs from top to bottom, and leaves what it promises."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import av
import nbformat
import pytest
from nbformat import NotebookNode

from qingbo_widgets.demo import execute, notebooks_folder

NOTEBOOKS = sorted(notebooks_folder().glob("*.ipynb"))
VIDEOS = {"quickstart": 5, "parameters": 4, "teaching": 3, "experiments": 5}


def html_of(notebook: NotebookNode) -> str:
    """Returns all HTML that the notebook's outputs hold."""
    return "\n".join(
        output.data.get("text/html", "")
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if "data" in output
    )


def seconds_of(path: Path) -> float:
    """Decodes a video to its last frame and returns how long it is."""
    with av.open(str(path)) as film:
        frames = sum(1 for _ in film.decode(video=0))
        rate = film.streams.video[0].average_rate
        assert rate
        return frames / float(rate)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_committed_clean(path: Path) -> None:
    """A notebook is committed without outputs and counts, for the kernel that every Jupyter has."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert notebook.nbformat_minor == 5
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_from_top_to_bottom(path: Path, workdir: Path) -> None:
    """Each cell runs, the videos are there and decode, and the outputs play them by a relative path."""
    notebook = execute(nbformat.read(path, as_version=4), workdir)

    complaints = [
        output.text
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "stream" and output.name == "stderr"
    ]
    assert complaints == []

    saved = sorted((workdir / "qingbo_videos").glob("*.mp4"))
    assert len(saved) == VIDEOS[path.stem]
    for video in saved:
        assert seconds_of(video) >= 4.5

    sources = re.findall(r'<video[^>]* src="([^"]+)"', html_of(notebook))
    played = {(workdir / unquote(source)).resolve() for source in sources}
    assert played == {video.resolve() for video in saved}
    assert all(source.startswith("./") for source in sources)
