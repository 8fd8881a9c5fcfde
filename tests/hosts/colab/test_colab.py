"""Google Colab, simulated: what a user sees under the rules of ``page.py``, in a kernel with its versions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.films import written
from tests.hosts.colab.kernel import ColabKernel, started_kernel
from tests.hosts.colab.page import ColabPage
from tests.hosts.environments import versions_of
from tests.hosts.results import record

VERSIONS = ("python", "ipykernel", "ipython", "ipywidgets", "traitlets", "anywidget")
CONNECT = """
import time
import qingbo_widgets as qw
manager = qw.connect(sandbox=qw.Sandbox(speed=20, draft=True))
manager.poll_interval = 0.1
"""


class Colab:
    """A kernel with its page."""

    def __init__(self, kernel: ColabKernel, page: ColabPage) -> None:
        self.kernel, self.page = kernel, page

    def run(self, code: str) -> str:
        """Run a cell; return the id by which the page knows its output."""
        return self.kernel.run(code)

    def click(self, cell: str, label: str) -> None:
        """Click on a button in the output of a cell."""
        self.kernel.send_to_widget(self.page.button(cell, label), {"event": "click"})

    def saved(self) -> int:
        """Return the number of saved videos."""
        return len(list(self.kernel.folder.glob("qingbo_videos/*.json")))


@contextmanager
def connected(folder: Path) -> Iterator[Colab]:
    """Start Colab with a connection to the sandbox."""
    page = ColabPage()
    with started_kernel(folder, page.receive) as kernel:
        kernel.run(CONNECT)
        yield Colab(kernel, page)


@pytest.fixture(scope="module")
def colab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Colab]:
    """Yield Colab with a connection to the sandbox, for several tests."""
    with connected(tmp_path_factory.mktemp("colab")) as colab:
        yield colab


def recorded(**outcomes: str) -> None:
    """Record what was seen to work."""
    record("colab", versions_of(VERSIONS, "colab"), **outcomes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "first",
    [
        "studio = qw.VideoStudio(prompt='A koi')\nstudio",
        pytest.param("task = qw.generate('A koi', duration=5)\ntask", marks=pytest.mark.host),
        pytest.param("gallery = qw.Gallery()\ngallery", marks=pytest.mark.host),
    ],
)
def test_scripts_load_whichever_thread_creates_the_first(tmp_path: Path, first: str) -> None:
    """A widget with a script that a thread creates takes the scripts from no later output."""
    with connected(tmp_path) as colab:
        shown = colab.run(first)
        for name in "ab":
            written(colab.kernel.folder / f"{name}.mp4", 3)
        colab.run(
            "import threading\nthread = threading.Thread(target=qw.Comparison, args=[['a.mp4', 'b.mp4']])\n"
            "thread.start()\nthread.join()"
        )
        loaded, dead = colab.page.scripts(colab.run("qw.Comparison(['a.mp4', 'b.mp4'])"))
        assert (loaded, dead) == (1, 0), "the controls of the comparison do not load"
        assert colab.page.scripts(shown)[1] == 0, "a script of the first widget does not load"


def test_a_task_from_form_to_video(colab: Colab) -> None:
    """The form shows, a click submits and shows a card, and the next cell that ends shows the video."""
    cell = colab.run("studio = qw.VideoStudio(prompt='A koi', duration=5)\nstudio")
    assert "Generate" in colab.page.html(cell), "there is no form"
    before = colab.saved()
    colab.click(cell, "Generate")
    html = colab.page.html(cell)
    assert "A koi" in html, "a click on Generate shows no card"
    assert "only while a cell" in html, "the card stands still, and nothing says what to do"
    colab.kernel.idle_until(lambda: colab.saved() > before)
    assert colab.page.videos(cell) == (0, 0), "threads repaint, which Colab does not do"
    colab.run("1 + 1")
    assert colab.page.videos(cell) == (1, 0), "the video is not shown after the next cell"
    assert "only while a cell" not in colab.page.html(cell)
    recorded(form="yes")


def test_a_card_that_is_awaited(colab: Colab) -> None:
    """The cell that shows the task has its video when the cell that waits has ended."""
    cell = colab.run("task = qw.generate('A koi', duration=5)\ntask")
    assert "only while a cell" in colab.page.html(cell)
    colab.run("await task")
    assert colab.page.videos(cell) == (1, 0)
    assert "only while a cell" not in colab.page.html(cell)
    recorded(card="partly")  # it needs a cell that runs


def test_a_card_moves_while_a_cell_waits(colab: Colab) -> None:
    """The progress of a task is painted while a cell waits for it, and the first cell shows its card."""
    before = len(colab.page.painted())
    colab.run("task = qw.generate('A koi', duration=10)\ntask")
    colab.run("await task")
    percents = set(re.findall(r"(\d+) %", colab.page.painted()[before:]))
    assert percents - {"0", "100"}, f"the card shows {sorted(percents)} % until the end"


def test_a_sweep_and_its_videos(colab: Colab) -> None:
    """A sweep that was awaited shows all its videos."""
    cell = colab.run("sweep = qw.sweep(['A koi', 'A crane'], duration=5)\nsweep")
    colab.run("sweep.start()\nawait sweep")
    assert colab.page.videos(cell) == (2, 0)
    assert "2 finished" in colab.page.html(cell)


def test_comparison_and_gallery(colab: Colab) -> None:
    """Both play embedded videos, and no player waits for a file that Colab does not serve."""
    colab.run("a, b = [qw.generate(f'A koi {n}', duration=5).wait() for n in (1, 2)]")
    assert colab.page.videos(colab.run("qw.Comparison([a, b])")) == (2, 0)
    gallery = colab.run("gallery = qw.Gallery()\ngallery")
    assert colab.page.html(gallery).count("<img") >= 2, "the gallery has no posters"
    assert colab.page.videos(gallery)[1] == 0
    recorded(review="yes")


def test_a_finished_task_stays(colab: Colab) -> None:
    """The stored output needs no file and no kernel."""
    cell = colab.run("task = qw.generate('A koi', duration=5).wait()\ntask")
    assert colab.page.videos(cell) == (1, 0)
    assert not list(colab.page.widgets(cell)), "the output has a view, which is dead without its kernel"
    recorded(video="yes")


def test_a_studio_without_its_kernel(colab: Colab) -> None:
    """Its copy embeds no video, since it is sent again at every step; it says what to do."""
    cell = colab.run("studio = qw.VideoStudio(prompt='A koi', duration=5)\nstudio")
    colab.click(cell, "Generate")
    colab.run("await studio.cards[0].task")
    html = colab.page.html(cell, is_alive=False)
    assert colab.page.videos(cell, is_alive=False) in ((1, 0), (0, 1))
    assert "Colab serves no files to the page" in html or "data:video" in html
    recorded(kernel_gone="partly")
