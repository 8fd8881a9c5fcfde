"""Notebooks that a program runs: nbclient, and so papermill and ``nbconvert --execute``."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from tests.hosts.stored import html_of, missing_models, texts_in, views_of

CONNECT = """
import os
import qingbo_widgets as qw
manager = qw.connect(sandbox=qw.Sandbox(speed=30, draft=True))
manager.poll_interval = 0.1
"""
WAITS = ["task.wait()", "await task", "sweep.wait()", "await sweep", "for _ in sweep: pass"]

RunNotebook = Callable[..., NotebookNode]


@pytest.fixture
def run_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunNotebook:
    """Return a function that runs cells as a notebook in a folder, and returns it as it would be saved."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))

    def run(
        *cells: str,
        folder: Path = tmp_path,
        session: Path | None = None,
        client: type[NotebookClient] = NotebookClient,
        **options: Any,
    ) -> NotebookNode:
        folder.mkdir(exist_ok=True)
        if session is not None:
            monkeypatch.setenv("JPY_SESSION_NAME", str(session))
        notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
        place = {"metadata": {"path": str(folder)}}
        client(notebook, timeout=120, kernel_name="python3", resources=place, **options).execute()
        nbformat.validate(notebook)
        return NotebookNode(notebook)

    return run


def text_of(cell: NotebookNode) -> str:
    """Return what a cell has printed."""
    return "".join(output.get("text", "") for output in cell.outputs).strip()


@pytest.mark.slow
@pytest.mark.parametrize(
    "wait", ["{}.wait()", "await {}", "import time\nwhile not {}.is_done: time.sleep(0.1)"]
)
def test_a_card_is_updated_to_its_end_from_the_cell_that_waits(run_notebook: RunNotebook, wait: str) -> None:
    """The stored notebook has each video in the cell that shows it, and no bar that stands still."""
    made = run_notebook(
        CONNECT,
        "task = qw.generate('A koi', duration=5)\ntask",
        "studio = qw.VideoStudio(prompt='A fox')\nstudio",
        "sweep = qw.sweep(['A crane', 'A heron'], duration=5)\nsweep",
        "sweep.start(); studio.generate_button.click()",
        "\n".join(wait.format(name) for name in ("task", "sweep", "studio.cards[0].task")),
    )
    card, studio, sweep = made.cells[1:4]
    assert html_of(card).count("<video") == 1
    assert (views_of(card), "Finished" in html_of(card)) == ([], True)
    assert html_of(studio).count("<video") == 1
    assert html_of(sweep).count("<video") == 2
    for cell, finished in ((studio, "Finished"), (sweep, "2 finished")):
        (model,) = views_of(cell)
        stored = texts_in(made, model)
        assert finished in stored, "the page of nbconvert shows a task that is done as unfinished"
        assert "Generating" not in stored
        assert "Submitting" not in stored


@pytest.mark.slow
def test_a_video_is_once_in_the_cell_that_waits(run_notebook: RunNotebook) -> None:
    """``wait()`` and ``show()`` show the task, so that the end of the same cell does not show it again."""
    once = {
        "qw.generate('A koi', duration=5).wait()": 1,
        "task = qw.generate('A koi', duration=5)\ntask.wait()\ntask": 1,
        "task = qw.generate('A koi', duration=5)\ntask.show()\ntask.wait()": 1,
        "task = qw.generate('A koi', duration=5)\nawait task": 1,
        "task": 1,  # in another cell
        "display(task, task)": 2,  # as the code says
        "from IPython.display import clear_output\ntask = qw.generate('A koi', duration=5)\n"
        "task.wait()\nclear_output()\ntask": 1,
    }
    made = run_notebook(CONNECT, *once)
    assert {cell.source: html_of(cell).count("<video") for cell in made.cells[1:]} == once


@pytest.mark.slow
def test_a_sweep_that_is_iterated_is_updated_too(run_notebook: RunNotebook) -> None:
    """``for task in sweep`` waits too."""
    made = run_notebook(
        CONNECT,
        "sweep = qw.sweep(['A crane', 'A heron'], duration=5)\nsweep",
        "sweep.start()\nfor task in sweep: pass",
    )
    assert missing_models(made) == set(), "the page of nbconvert cannot show the view"
    (model,) = views_of(made.cells[1])
    assert "2 finished" in texts_in(made, model)
    assert html_of(made.cells[1]).count("<video") == 2


class Interrupting(NotebookClient):
    """A client that interrupts the kernel as soon as a cell that waits has drawn that its task is running."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.interrupted = set[int]()

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> Any:
        is_waiting = cell.source.startswith("sweep.start()") and cell_index not in self.interrupted
        if is_waiting and msg["msg_type"] == "update_display_data":
            content = msg["content"]
            shown = self._display_id_map.get(content["transient"]["display_id"], {})  # by cell
            is_own = not {cell_index - 1, cell_index - 2}.isdisjoint(shown)
            if is_own and "Generating" in str(content["data"]):
                self.interrupted.add(cell_index)
                os.kill(self.km.provisioner.pid, signal.SIGINT)
        return super().process_message(msg, cell, cell_index)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a kernel is interrupted otherwise there")
def test_a_cell_draws_while_it_waits(run_notebook: RunNotebook) -> None:
    """The views of earlier cells are drawn during a wait, and an interrupt leaves their last state."""
    cells: list[str] = []
    for wait in WAITS:
        cells += [
            CONNECT.replace("speed=30", "speed=0.5"),  # a sandbox of its own: no task waits for another
            "task = qw.generate('A koi', duration=5)\ntask",
            "sweep = qw.sweep(['A crane', 'A heron'], duration=5)\nsweep",
            f"sweep.start()\n{wait}",
            "manager.close()",  # nothing goes on during the next waits
        ]
    made = run_notebook(*cells, client=Interrupting, allow_errors=True)
    for number, wait in enumerate(WAITS):
        _, card, grid, waiting, _ = made.cells[5 * number : 5 * number + 5]
        ends = [output.get("ename") for output in waiting.outputs if output.output_type == "error"]
        assert ends in (["KeyboardInterrupt"], ["CancelledError"]), f"{wait} drew nothing before the end"
        cell, end = (card, "Finished") if "task" in wait else (grid, "2 finished")
        assert end not in html_of(cell), f"{wait} drew nothing before the end"
        for cell in (card, grid):
            shown = html_of(cell) + "".join(texts_in(made, model) for model in views_of(cell))
            assert "Submitting" not in shown, f"the state during {wait} is lost"


@pytest.mark.slow
def test_a_wait_that_ends_early_leaves_the_last_state(run_notebook: RunNotebook) -> None:
    """After a timeout, the displays show the state of its moment, even if the same cell goes on."""
    made = run_notebook(
        CONNECT.replace("speed=30", "speed=1"),
        "task = qw.generate('A koi', duration=5)\ntask",
        "import time\nwhile task.status != 'processing': time.sleep(0.05)\n"
        "get_ipython().events.callbacks['post_run_cell'].clear()  # as if the cell had not ended\n"
        "try: task.wait(0.05)\nexcept qw.WaitTimeout: pass",
    )
    assert "Generating" in html_of(made.cells[1])


#: Records whether each message to the page is sent by the cell itself.
RECORD = """
import threading
from ipykernel.comm import Comm
by_cell = []
def recording(send):
    def record(*args, **options):
        by_cell.append(threading.current_thread() is threading.main_thread())
        return send(*args, **options)
    return record
publisher = get_ipython().display_pub
Comm.publish_msg, publisher.publish = recording(Comm.publish_msg), recording(publisher.publish)
"""


class OfAPage(NotebookClient):
    """A client that sends the ids of cells, as a page does."""

    async def async_start_new_kernel_client(self, **options: Any) -> Any:
        client = await super().async_start_new_kernel_client(**options)
        make = client.session.msg

        def msg(kind: str, *arguments: Any, metadata: Any = None, **options: Any) -> Any:
            return make(kind, *arguments, metadata={**(metadata or {}), "cellId": "a cell"}, **options)

        client.session.msg = msg
        return client


@pytest.mark.slow
def test_a_cell_of_a_page_sends_nothing_while_it_waits(run_notebook: RunNotebook) -> None:
    """In a page, threads draw the views, and a cell that waits does not send anything again."""
    cells = [CONNECT.replace("speed=30", "speed=6"), RECORD]
    # The task begins in the cell that waits, so that it cannot have ended before.
    start = "task = qw.generate('A koi', duration=5)\ndisplay(task)\nsweep.start()\nby_cell.clear()"
    for wait in WAITS:
        cells += [
            "sweep = qw.sweep(['A crane', 'A heron'], duration=5)\nsweep",
            f"{start}\n{wait}\nresult = sum(by_cell), len(by_cell) > 0\nresult",
        ]
    made = run_notebook(*cells, client=OfAPage)
    results = [cell.outputs[-1].data["text/plain"] for cell in made.cells[3::2]]
    assert results == ["(0, True)"] * len(WAITS), "the page gets every change of a view twice"


@pytest.mark.slow
def test_a_run_keeps_no_draft(run_notebook: RunNotebook, tmp_path: Path) -> None:
    """Each run begins as its code says, whatever an earlier run, another notebook or cell has typed."""
    form = "form = qw.VideoStudio().form\nprint(repr(form.prompt))\nform.prompt = 'A koi'"
    for _ in range(2):
        made = run_notebook(CONNECT, form, form, "studio = None\nmanager.close()")
        assert [text_of(cell) for cell in made.cells[1:3]] == ["''", "''"]
    assert not list(tmp_path.rglob("drafts"))


@pytest.mark.slow
def test_the_library_is_beside_the_notebook(run_notebook: RunNotebook, tmp_path: Path) -> None:
    """``%cd`` moves no library, and a run from a notebook in another folder is not beside that one."""
    outer = tmp_path / "outer.ipynb"
    outer.write_text("{}", encoding="utf-8")
    notes = tmp_path / "notes"
    made = run_notebook(
        "%cd -q ..",
        f"{CONNECT}print(manager.library.folder)",
        "%cd -q /",
        "print(qw.connect(sandbox=manager.sandbox) is manager)",
        "task = qw.generate('A koi', duration=5)\ntask",
        "task.wait()\nprint(task.video_path.parent)",
        folder=notes,
        session=outer,
    )
    videos = str((notes / "qingbo_videos").resolve())
    assert [text_of(made.cells[number]) for number in (1, 3, 5)] == [videos, "True", videos]
    assert 'src="./qingbo_videos/' in html_of(made.cells[4])


@pytest.mark.slow
def test_papermill_names_the_notebook(run_notebook: RunNotebook, tmp_path: Path) -> None:
    """With ``papermill --inject-paths --cwd``, the library is beside the output, where its players look."""
    out = tmp_path / "out"
    out.mkdir()
    made = run_notebook(
        f"PAPERMILL_INPUT_PATH = 'in.ipynb'\nPAPERMILL_OUTPUT_PATH = {str(out / 'made.ipynb')!r}",
        f"{CONNECT}print(manager.library.folder)",
    )
    assert text_of(made.cells[1]) == str(out / "qingbo_videos")
