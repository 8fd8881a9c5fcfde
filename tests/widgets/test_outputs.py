"""Every output that stays in a notebook, as other hosts show it: pages with formulas, consoles, LaTeX."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from nbconvert import LatexExporter
from nbformat.v4 import new_code_cell, new_notebook, new_output

from qingbo_widgets import Comparison, Gallery, Pairwise, RequestForm, TaskCard, VideoStudio, sweep
from qingbo_widgets.exceptions import TaskFailed
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.library import Library
from qingbo_widgets.magics.magics import Listing
from qingbo_widgets.service.contract.snapshot import TaskStatus
from qingbo_widgets.tasks import connection
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.tasks.task import Task
from qingbo_widgets.widgets.base import composite
from qingbo_widgets.widgets.card.plain import plain_text
from qingbo_widgets.widgets.card.shown import mimebundle, show
from qingbo_widgets.widgets.card.static_copy import static_copy as static_card
from qingbo_widgets.widgets.export import export_task
from qingbo_widgets.widgets.review.detail import TaskDetail
from qingbo_widgets.widgets.sweep.static_copy import static_copy
from tests.widgets.page import html_of, outputs_of, text_of

MakeTask = Callable[..., Task]
PROMPT = r"apples for $2 and melons for $5, a sign \(open\) and $$ SALE $$"


class Texts(HTMLParser):
    """The pieces of text in which a page looks for formulas: not those of code and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._ignored = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._ignored += tag in ("pre", "style", "script", "title")

    def handle_endtag(self, tag: str) -> None:
        self._ignored -= tag in ("pre", "style", "script", "title")

    def handle_data(self, data: str) -> None:
        if not self._ignored:
            self.pieces.append(data)


def assert_no_formula(html: str) -> None:
    """Fail if a page could typeset a part of this HTML as a formula, or if the prompt is not in it."""
    pieces = Texts(html).pieces
    assert "for $2 and" in "".join(pieces), "".join(pieces)
    assert [piece for piece in pieces if set(piece) & set("$\\") and len(piece) > 1] == []


@pytest.fixture
def finished(make_task: MakeTask, workdir: Path) -> Task:
    """Return a task with a saved video."""
    path = workdir / "qingbo_videos" / "koi.mp4"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"film")
    task = make_task(PROMPT, task_id="task-1", status=TaskStatus.completed)
    task.set_traits(video_path=path)
    return task


@pytest.fixture
def running(make_task: MakeTask) -> Task:
    """Return a task that the service is working on."""
    return make_task(PROMPT, task_id="task-2", status=TaskStatus.processing)


@pytest.fixture
def failed(make_task: MakeTask) -> Task:
    """Return a task that failed with an error that repeats the prompt."""
    task = make_task(PROMPT, task_id="task-3", status=TaskStatus.failed)
    task.set_traits(error=TaskFailed(f"Refused: {PROMPT}", task_id="task-3"))
    return task


@pytest.fixture
def close_later() -> Iterator[Callable[[Any], Any]]:
    """Yield a function that returns a widget and closes it at the end."""
    widgets: list[Any] = []
    yield lambda widget: (widgets.append(widget), widget)[1]
    for widget in widgets:
        widget.close()


@pytest.mark.parametrize("state", ["finished", "running", "failed"])
def test_no_formula_in_a_task(
    state: str, request: pytest.FixtureRequest, cell: Any, close_later: Callable[[Any], Any]
) -> None:
    """A prompt with prices stays text in the stored output and in the live card, and so does an error."""
    task = request.getfixturevalue(state)
    show(task)
    assert_no_formula(cell.html)
    assert_no_formula(html_of(close_later(TaskCard(task))))


def test_no_formula_in_a_sweep(manager: TaskManager) -> None:
    """The headings of a sweep's table are prompts."""
    planned = sweep(prompt=[PROMPT, "koi"], duration=3, manager=manager, ask_above=0)
    assert_no_formula(static_copy(planned))


def test_no_formula_in_a_comparison(finished: Task, cell: Any, close_later: Callable[[Any], Any]) -> None:
    """The captions of a comparison are prompts, in the live view and in the static copy."""
    comparison = close_later(Comparison([finished, finished]))
    comparison._ipython_display_()
    assert_no_formula(cell.html)
    assert_no_formula("".join(outputs_of(comparison)))


def test_no_formula_in_a_gallery(manager: TaskManager, close_later: Callable[[Any], Any]) -> None:
    """The tiles and the opened task show the prompt."""
    request = {"prompt": PROMPT, "model": "kling-v3"}
    entry = Entry("1" * 32, "sandbox", "task-1", "kling-v3", request, "completed")
    manager.library.add(entry)
    gallery = close_later(Gallery(manager))
    assert_no_formula(html_of(gallery.tiles))
    detail = close_later(TaskDetail(manager.library, manager, lambda: None, lambda _: None, lambda _: None))
    detail.show(entry)
    assert_no_formula(html_of(detail))


def test_no_formula_in_an_exported_page(finished: Task, tmp_path: Path) -> None:
    """The exported page has the prompt as its heading."""
    assert_no_formula(export_task(finished, tmp_path / "page.html").read_text("utf-8"))


def test_no_formula_in_a_listing() -> None:
    """The table of the magics has prompts in its cells."""
    assert_no_formula(Listing(("prompt",), [(PROMPT,)])._repr_html_())


def test_an_output_names_its_language_and_leaves_the_direction_to_the_prompt(finished: Task) -> None:
    """A screen reader pronounces the texts of the package in their language, and not the prompt."""
    elements = Texts(mimebundle(finished)["text/html"]).elements
    assert next(attributes["lang"] for _, attributes in elements if "lang" in attributes) == "en"
    (prompt,) = (attributes for _, attributes in elements if attributes.get("class") == "qingbo-prompt")
    assert (prompt["dir"], prompt["lang"]) == ("auto", "")


# ---------------------------------------------------------------------- plain text


def test_a_finished_task_as_text(finished: Task) -> None:
    """A console and a PDF show the status, the prompt and the file."""
    first, second = plain_text(finished).splitlines()
    assert first.startswith("Finished · apples for $2 and melons")
    assert first.endswith("kling-v3 · task-1")
    assert second == "saved as qingbo_videos/koi.mp4"


def test_a_running_task_as_text(running: Task) -> None:
    """A console shows the status of a running task, and the line that follows it in a new kernel."""
    lines = plain_text(running).splitlines()
    assert lines[0].startswith("Generating · apples")
    assert lines[1:3] == [
        "This task continues at the service without this kernel; nothing is lost. To follow it again:",
        "import qingbo_widgets as qw",
    ]
    assert lines[3].endswith('.resume("task-2")')


def test_a_terminal_prints_the_text(finished: Task, capsys: pytest.CaptureFixture[str]) -> None:
    """IPython in a terminal shows a task by its prompt and file."""
    finished._ipython_display_()
    assert capsys.readouterr().out == plain_text(finished) + "\n"


def test_a_failed_task_as_text(failed: Task) -> None:
    """A console shows the error of a failed task, and nothing to resume."""
    first, second = plain_text(failed).splitlines()
    assert first.startswith("Failed · apples")
    assert second == str(failed.error)


def test_a_hostile_prompt_moves_no_cursor(make_task: MakeTask) -> None:
    """Control characters of a prompt or status reach no console."""
    task = make_task("koi\x1b[2J\u202e\nnext", task_id="task-1", status=TaskStatus.queued)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", plain_text(task))
    assert "koi[2J next" in plain_text(task)


def test_the_text_of_an_output_follows_the_task(running: Task, cell: Any) -> None:
    """The stored text is that of the last status, and only once in the notebook."""
    show(running)
    texts = [data["text/plain"] for data in cell.outputs.values()]
    assert texts == ["", plain_text(running)]
    running.set_traits(status=TaskStatus.cancelled)
    texts = [data["text/plain"] for data in cell.outputs.values()]
    assert [text for text in texts if text] == [plain_text(running)]
    assert "Cancelled" in texts[0]


def test_a_comparison_as_text(finished: Task, cell: Any, close_later: Callable[[Any], Any]) -> None:
    """A comparison names each video with its letter; a blind one names none."""
    close_later(Comparison([finished, finished], labels=["one", "two"]))._ipython_display_()
    assert "A: one · qingbo_videos/koi.mp4\nB: two · qingbo_videos/koi.mp4" in _texts(cell)
    close_later(Comparison([finished, finished], labels=["one", "two"], blind=True))._ipython_display_()
    assert _texts(cell)[-1] == "2 videos"


def test_a_sweep_as_text(manager: TaskManager, capsys: pytest.CaptureFixture[str]) -> None:
    """A sweep has a line for each cell, not for hundreds, and the code that loads it."""
    planned = sweep(prompt=["koi", "crane"], repeat=15, duration=3, manager=manager, ask_above=0, name="n")
    planned.show()
    printed = capsys.readouterr().out
    assert printed.endswith(planned._repr_mimebundle_()["text/plain"] + "\n")
    lines = planned._repr_mimebundle_()["text/plain"].splitlines()
    assert lines[0] == "Sweep n · Not sent yet · 0 % · 30 waiting"
    assert lines[1].startswith("The price is not known")
    assert lines[2] == "koi · Repeat 1 · Waiting, not sent yet"
    assert lines[26] == "and 6 more"
    assert lines[-1] == 'qw.Sweep.load("n")'


def test_a_gallery_as_text(manager: TaskManager, cell: Any, close_later: Callable[[Any], Any]) -> None:
    """A gallery says how many tasks it has and how to see them."""
    close_later(Gallery(manager))._ipython_display_()
    assert "A gallery of 0 tasks in qingbo_videos. Run this cell in a notebook to show it." in _texts(cell)


def test_a_studio_as_text(
    manager: TaskManager, cell: Any, close_later: Callable[[Any], Any], until: Any
) -> None:
    """The text of a studio is that of its tasks."""
    studio = close_later(VideoStudio(manager))
    studio.form.prompt = PROMPT
    studio.generate_button.click()
    until(lambda: studio.cards[0].task.is_done)
    studio._ipython_display_()
    assert plain_text(studio.cards[0].task) in _texts(cell)
    assert ".mp4" in _texts(cell)[-1]


def test_latex_takes_the_text(finished: Task, running: Task, cell: Any) -> None:
    """The report of a notebook names the video of a finished task and the status of a running one."""
    show(finished)
    show(running)
    outputs = [new_output("display_data", data=data) for data in cell.outputs.values()]
    notebook = new_notebook(cells=[new_code_cell("task", outputs=outputs)])
    latex = LatexExporter().from_notebook_node(notebook)[0]
    assert r"saved as qingbo\_videos/koi.mp4" in latex
    assert r"Generating · apples for \$2 and melons for \$5" in latex
    assert "qingbo-html" not in latex


def test_a_task_for_hosts_without_ipython(finished: Task, running: Task) -> None:
    """A host that knows no widgets, such as marimo, gets the video embedded, and a running task's status."""
    assert "data:video/mp4;base64,ZmlsbQ==" in finished._repr_mimebundle_()["text/html"]
    assert "qw.connect" in running._repr_mimebundle_(include=None, exclude=None)["text/html"]
    json.dumps(finished._repr_mimebundle_())


def _texts(cell: Any) -> list[str]:
    return [data["text/plain"] for data in cell.outputs.values()]


# ---------------------------------------------------------------------- widgets where no page shows them


@pytest.mark.parametrize("kind", [VideoStudio, RequestForm, Gallery])
def test_a_widget_in_a_terminal_is_one_line(
    kind: Any, manager: TaskManager, close_later: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal prints what works there, and a notebook the name; neither HTML nor style sheets."""
    widget = close_later(kind(manager))
    name = kind.__name__
    assert repr(widget) == f'<{name}: widgets need a notebook; here: qw.generate("…").wait()>'
    monkeypatch.setattr(composite, "in_notebook", lambda: True)
    assert repr(widget) == f"<{name}>"


def test_a_studio_shown_in_a_terminal(
    manager: TaskManager, cell: Any, close_later: Callable[[Any], Any]
) -> None:
    """An IPython terminal that shows a studio without tasks prints the line as well."""
    studio = close_later(VideoStudio(manager))
    studio._ipython_display_()
    assert _texts(cell) == ["", repr(studio)]


# ---------------------------------------------------------------------- pages without scripts and files


def test_a_comparison_says_what_is_missing_without_its_script(
    finished: Task, close_later: Callable[[Any], Any]
) -> None:
    """Without anywidget in the page, a line says how to get it, and each video has controls."""
    comparison = close_later(Comparison([finished, finished]))
    assert "pip install anywidget" in text_of(comparison)
    assert "".join(outputs_of(comparison)).count('controls=""') == 2
    assert "qingbo-scripts" in comparison._dom_classes


def test_a_comparison_in_colab_is_embedded(
    finished: Task, cell: Any, close_later: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The live view has the videos; its static copy, which is in the notebook twice, says how to embed."""
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab")
    comparison = close_later(Comparison([finished, finished]))
    assert "".join(outputs_of(comparison)).count("data:video/mp4") == 2
    comparison._ipython_display_()
    assert "data:video/mp4" not in cell.html
    assert "task.show(embed=True)" in cell.html


def test_a_finished_task_in_colab_is_embedded(
    finished: Task, cell: Any, close_later: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task that is shown has its video in the notebook; a studio's copy, sent often, has not."""
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab")
    show(finished)
    assert "data:video/mp4" in cell.html
    card = close_later(TaskCard(finished))
    assert "data:video/mp4" in "".join(outputs_of(card))
    assert "data:video/mp4" not in card.static_html
    assert "Colab serves no files to the page" in card.static_html


# ---------------------------------------------------------------------- a whole notebook with its videos


@pytest.fixture
def embedding(manager: TaskManager, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the manager the default one, as ``connect(embed=True)`` does."""
    manager.embed = True
    monkeypatch.setattr(connection, "_default", manager)


@pytest.mark.usefixtures("embedding")
def test_every_output_of_a_notebook_has_its_videos(
    finished: Task, cell: Any, close_later: Callable[[Any], Any]
) -> None:
    """With ``connect(embed=True)``, a card, a comparison of files and its copy need no file."""
    assert finished.video_path is not None
    show(finished)
    assert cell.html.count("data:video/mp4") == 1
    assert "data:video/mp4" in "".join(outputs_of(close_later(TaskCard(finished))))
    comparison = close_later(Comparison([finished.video_path, str(finished.video_path)]))
    assert "".join(outputs_of(comparison)).count("data:video/mp4") == 2
    comparison._ipython_display_()
    assert cell.html.count("data:video/mp4") == 1 + 2, "the copy does not play once the kernel is gone"


@pytest.mark.usefixtures("embedding")
def test_a_gallery_and_a_ranking_of_a_folder_embed(
    finished: Task, manager: TaskManager, cell: Any, close_later: Callable[[Any], Any]
) -> None:
    """Views of a library follow the default manager, and hold one task's or pair's videos at a time."""
    for number in range(2):
        request = {"prompt": "koi", "model": "kling-v3"}
        entry = Entry(f"{number}" * 32, "sandbox", f"task-{number}", "kling-v3", request, "completed")
        manager.library.add(replace(entry, file="koi.mp4"))
    gallery = close_later(Gallery(Library(manager.library.folder)))
    gallery.open_video("1" * 32)
    assert "".join(outputs_of(gallery)).count("data:video/mp4") == 1
    gallery._ipython_display_()
    assert cell.html.count("data:video/mp4") == 2, "the copy does not play in a notebook that is sent alone"
    pairs = close_later(Pairwise(manager.library.entries(), library=manager.library))
    pairs.skip()
    assert "".join(outputs_of(pairs)).count("data:video/mp4") == 2


@pytest.mark.usefixtures("embedding")
def test_a_sweep_is_embedded_once_it_is_done(
    finished: Task, manager: TaskManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table is sent every few seconds while the sweep runs, so videos come into it at its end."""
    made = sweep(prompt=["koi", "crane"], duration=3, manager=manager, ask_above=0)
    for one in made.cells:
        monkeypatch.setattr(one, "task", finished, raising=False)
    for is_done in (False, True):
        monkeypatch.setattr(type(made), "is_done", is_done)
        assert static_copy(made).count("data:video/mp4") == (2 if is_done else 0)


def test_a_host_without_files_promises_no_player(running: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    """The copy of a running task has no player in a page that gets no files and could never play it."""
    assert "<video" in static_card(running)
    monkeypatch.setenv("KAGGLE_KERNEL_RUN_TYPE", "Batch")
    assert "<video" not in static_card(running)
