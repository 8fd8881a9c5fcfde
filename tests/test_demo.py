"""The demo: what it does with the person's files, key and errors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from qingbo_widgets import demo
from qingbo_widgets.service.credentials import API_KEY_VARIABLES

Quickstart = Callable[[str], None]


@pytest.fixture
def quickstart(
    workdir: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Quickstart:
    """``quickstart(source)`` puts a notebook of one cell in the place of the one that is given away."""
    folder = tmp_path_factory.mktemp("notebooks")
    monkeypatch.setattr(demo, "notebooks_folder", lambda: folder)
    # The signature that makes Jupyter trust the result belongs to the person, not to a test.
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path_factory.mktemp("data")))

    def write(source: str) -> None:
        nbformat.write(new_notebook(cells=[new_code_cell(source)]), folder / "quickstart.ipynb")

    return write


def ran() -> str:
    """Returns the text that the executed notebook holds."""
    notebook = nbformat.read(Path("demo/quickstart.ipynb"), as_version=4)
    return "".join(output.get("text", "") for output in notebook.cells[0].outputs)


@pytest.mark.slow
def test_a_cell_that_fails_fails_the_demo(quickstart: Quickstart, capfd: pytest.CaptureFixture[str]) -> None:
    """The error is told in full, without colours where no terminal is, and the exit status says so."""
    quickstart("raise LookupError('no fish in this pond')")
    assert demo.main(once=True) == 1
    told = capfd.readouterr().err
    assert "LookupError" in told
    assert "no fish in this pond" in told
    assert "\x1b[" not in told


@pytest.mark.slow
def test_a_notebook_that_leaves_no_video_fails_the_demo(
    quickstart: Quickstart, capfd: pytest.CaptureFixture[str]
) -> None:
    """A demo that shows nothing is not a success."""
    quickstart("print('nothing')")
    assert demo.main(once=True) == 1
    assert "no video was saved" in capfd.readouterr().err


@pytest.mark.slow
def test_without_a_terminal_no_key_is_used(
    quickstart: Quickstart, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nobody can be asked whether to spend money, so the notebook finds no key and takes the sandbox."""
    for name in API_KEY_VARIABLES:
        monkeypatch.setenv(name, "sk-secret")
    quickstart(
        "import qingbo_widgets as qw\n"
        "try:\n    print('found', qw.Client())\nexcept qw.MissingApiKey:\n    print('found none')"
    )
    demo.main(once=True)
    assert ran() == "found none\n"
    told = capfd.readouterr()
    assert "sandbox" in told.out
    assert "sk-secret" not in told.out + told.err


@pytest.mark.slow
def test_what_the_person_changed_is_kept(quickstart: Quickstart) -> None:
    """A second run runs the notebook afresh; one that was edited in between is put aside, not lost."""
    quickstart("print('ours')")
    demo.main(once=True)
    demo.main(once=True)
    assert [path.name for path in Path("demo").glob("*.ipynb")] == ["quickstart.ipynb"]
    edited = new_notebook(cells=[new_code_cell("print('theirs')")])
    nbformat.write(edited, Path("demo/quickstart.ipynb"))
    demo.main(once=True)
    assert ran() == "ours\n"
    (kept,) = Path("demo").glob("quickstart-*.ipynb")
    assert "theirs" in kept.read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_thread_is_heard_after_its_cell(workdir: Path) -> None:
    """What a thread shows when its cell is long over is in the notebook: a finished video comes this way."""
    notebook = new_notebook(
        cells=[
            new_code_cell(
                "import threading\nfrom IPython.display import HTML, display\n"
                "shown, go = display(HTML('early'), display_id=True), threading.Event()\n"
                "threading.Thread(target=lambda: (go.wait(), shown.update(HTML('late')))).start()"
            ),
            new_code_cell("go.set()"),
        ]
    )
    demo.execute(notebook, workdir)
    assert notebook.cells[0].outputs[0].data["text/html"] == "late"
