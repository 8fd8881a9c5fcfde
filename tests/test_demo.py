"""The demo: its handling of the user's files, key and errors."""

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
    """Return a function that replaces the packaged quickstart notebook by one with a single cell."""
    folder = tmp_path_factory.mktemp("notebooks")
    monkeypatch.setattr(demo, "notebooks_folder", lambda: folder)
    # The key with which Jupyter signs trusted notebooks belongs to the user, not to a test.
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path_factory.mktemp("data")))

    def write(source: str) -> None:
        nbformat.write(new_notebook(cells=[new_code_cell(source)]), folder / "quickstart.ipynb")

    return write


def output_text() -> str:
    """Return the text output of the executed notebook."""
    notebook = nbformat.read(Path("demo/quickstart.ipynb"), as_version=4)
    return "".join(output.get("text", "") for output in notebook.cells[0].outputs)


@pytest.mark.slow
def test_a_cell_that_fails_fails_the_demo(quickstart: Quickstart, capfd: pytest.CaptureFixture[str]) -> None:
    """The demo prints the whole error, without colours outside a terminal, and exits with status 1."""
    quickstart("raise LookupError('no fish in this pond')")
    assert demo.main(once=True) == 1
    printed = capfd.readouterr().err
    assert "LookupError" in printed
    assert "no fish in this pond" in printed
    assert "\x1b[" not in printed


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
    """Without a terminal the user cannot consent to spend money, so the notebook runs on the sandbox."""
    for name in API_KEY_VARIABLES:
        monkeypatch.setenv(name, "sk-secret")
    quickstart(
        "import qingbo_widgets as qw\n"
        "try:\n    print('found', qw.Client())\nexcept qw.MissingApiKey:\n    print('found none')"
    )
    demo.main(once=True)
    assert output_text() == "found none\n"
    printed = capfd.readouterr()
    assert "sandbox" in printed.out
    assert "sk-secret" not in printed.out + printed.err


@pytest.mark.slow
def test_an_edited_notebook_is_kept(quickstart: Quickstart) -> None:
    """A second run uses a fresh notebook; an edited one is kept under another name."""
    quickstart("print('ours')")
    demo.main(once=True)
    demo.main(once=True)
    assert [path.name for path in Path("demo").glob("*.ipynb")] == ["quickstart.ipynb"]
    edited = new_notebook(cells=[new_code_cell("print('theirs')")])
    nbformat.write(edited, Path("demo/quickstart.ipynb"))
    demo.main(once=True)
    assert output_text() == "ours\n"
    (backup,) = Path("demo").glob("quickstart-*.ipynb")
    assert "theirs" in backup.read_text(encoding="utf-8")


@pytest.mark.slow
def test_output_of_a_thread_after_its_cell_is_kept(workdir: Path) -> None:
    """Output that a thread writes after its cell has ended, such as a finished video, is in the notebook."""
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
