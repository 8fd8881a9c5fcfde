"""Tests that every shipped notebook runs from top to bottom and produces the promised results."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest
from nbformat import NotebookNode

from qingbo_widgets.demo import execute, notebooks_folder
from qingbo_widgets.library.judgements import Judgement
from qingbo_widgets.library.library import Library
from qingbo_widgets.library.sidecar import read_sidecar
from tests.notebooks.outputs import html_of, printed_by, seconds_of, sped_up, tables_in, text_of

NOTEBOOKS = sorted(notebooks_folder().glob("*.ipynb"))
VIDEOS = {"quickstart": 5, "parameters": 4, "kling-2026-11": 3, "teaching": 4, "experiments": 5}


def assert_judged_and_ranked(notebook: NotebookNode, folder: Path) -> None:
    """Check the judgements in library and sidecars, and that widgets, table and ranking are shown."""
    library = Library(folder)
    judgements = library.judgements
    judged = {
        entry: judgement for entry in library.entries() if (judgement := judgements.of(entry.key)).rating
    }
    assert sorted((judgement.rating, judgement.tags) for judgement in judged.values()) == [
        (3, ("calm",)),
        (4, ("lively",)),
    ]
    for entry, judgement in judged.items():
        assert judgement.note.startswith("measured: moves by ")
        video = library.video_of(entry)
        sidecar = read_sidecar(video) if video else None
        assert sidecar is not None
        assert Judgement(sidecar["rating"], tuple(sidecar["tags"]), sidecar["note"]) == judgement

    shown = text_of(notebook)
    for widget, text in {
        "comparison": r"^A: .+\.mp4$",
        "gallery": "gallery",
        "pair": "pairwise comparison",
    }.items():
        assert re.search(text, shown, re.MULTILINE | re.IGNORECASE), f"no {widget} is shown:\n{shown}"
    ratings = [row["rating"] for table in tables_in(html_of(notebook)) for row in table if row.get("rating")]
    assert {3.0, 4.0} <= {float(rating) for rating in ratings}

    line = r"^(\d)\. ([+-]\d+\.\d+) ± (\d+\.\d+)  won (\d+), lost (\d+)  .*cfg_scale 0\.[37]$"
    ranking = re.findall(line, printed_by(notebook), re.MULTILINE)
    assert [place for place, *_ in ranking] == ["1", "2", "3", "4"]
    strengths = [float(strength) for _, strength, *_ in ranking]
    assert strengths == sorted(strengths, reverse=True)
    assert all(float(error) > 0 for _, _, error, *_ in ranking)
    answers = len(judgements.preferences())
    assert answers == 12
    assert [sum(int(row[side]) for row in ranking) for side in (3, 4)] == [answers, answers]


EXTRA_CHECKS: dict[str, Callable[[NotebookNode, Path], None]] = {"experiments": assert_judged_and_ranked}
"""Checks of a notebook's results besides its videos, by the notebook's name."""


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_committed_clean(path: Path) -> None:
    """A notebook is committed without outputs and execution counts, for the kernel of every Jupyter."""
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
def test_runs_from_top_to_bottom(path: Path, workdir: Path, practice: Path) -> None:
    """Each cell runs, the videos exist and decode, and the outputs play them through relative paths."""
    notebook = nbformat.read(path, as_version=4)
    # One notebook runs in full size, as for its readers; `make demo` does that too. Warnings about the next
    # release of a library are no fault of the notebook.
    quiet = {**os.environ, "PYTHONWARNINGS": "ignore"}
    execute(notebook if path.stem == "quickstart" else sped_up(notebook), workdir, environment=quiet)

    assert printed_by(notebook, "stderr") == ""

    saved = sorted((workdir / "qingbo_videos").glob("*.mp4"))
    assert len(saved) == VIDEOS[path.stem]
    for video in saved:
        assert seconds_of(video) >= 4.5

    sources = re.findall(r'<video[^>]* src="([^"]+)"', html_of(notebook))
    played = {(workdir / unquote(source)).resolve() for source in sources}
    assert played == {video.resolve() for video in saved}
    assert all(source.startswith("./") for source in sources)

    assert not practice.exists()
    if path.stem in EXTRA_CHECKS:
        EXTRA_CHECKS[path.stem](notebook, workdir / "qingbo_videos")
