"""Notebooks that a program runs and publishes: papermill, nbconvert and Sphinx with MyST-NB."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from playwright.sync_api import Browser, Page, Route

from tests.hosts.environments import python_of, variables_of, versions_of
from tests.hosts.results import record
from tests.hosts.stored import html_of, missing_models, texts_in, views_of
from tests.missing import skip_without

ROOT = Path(__file__).parents[2]
CELLS = {
    "connect": "import qingbo_widgets as qw\n"
    "manager = qw.connect(sandbox=qw.Sandbox(speed=15, draft=True))\nmanager.poll_interval = 0.2",
    "card": "task = qw.generate('A koi', duration=5)\ntask",
    "studio": "studio = qw.VideoStudio(prompt='A fox')\nstudio",
    "sweep": "sweep = qw.sweep(['A crane', 'A heron'], duration=5)\nsweep",
    "start": "sweep.start(); studio.generate_button.click()",
    "wait": "task.wait()",
    "await": "await sweep\nawait studio.cards[0].task;",
    "comparison": "qw.Comparison(sweep.tasks)",
    "gallery": "qw.Gallery(manager)",
}
#: Videos that the outputs of each cell show.
VIDEOS = {
    "connect": 0,
    "card": 1,
    "studio": 1,
    "sweep": 2,
    "start": 0,
    "wait": 1,
    "await": 0,
    "comparison": 2,
    "gallery": 4,
}
RUN = {
    "papermill": ("papermill", "in.ipynb", "out.ipynb"),
    "nbconvert": ("nbconvert", "--execute", "--to", "notebook", "--output", "out.ipynb", "in.ipynb"),
}
#: What a page says of a task that has not ended.
UNFINISHED = r"Submitting|Queued|Generating"

Execute = Callable[..., Path]


@pytest.fixture(scope="module")
def execute(tmp_path_factory: pytest.TempPathFactory) -> Execute:
    """Return a function that executes the notebook with a program, once for each environment."""
    done: dict[tuple[str, str | None], Path] = {}

    def execute(program: str, environment: str | None = None) -> Path:
        if (program, environment) not in done:
            folder = tmp_path_factory.mktemp(f"{program}-{environment or 'ours'}")
            write_notebook(folder / "in.ipynb")
            run_module(folder, *RUN[program], environment=environment)
            done[program, environment] = folder
        return done[program, environment]

    return execute


def write_notebook(path: Path) -> None:
    """Write the notebook, not executed."""
    cells = [new_code_cell(source) for source in CELLS.values()]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = new_notebook(cells=[new_markdown_cell("# Videos"), *cells], metadata={"kernelspec": kernel})
    nbformat.write(notebook, path)


def run_module(folder: Path, module: str, *arguments: str, environment: str | None = None) -> None:
    """Run a program of an environment in a folder."""
    variables = variables_of(folder / "user") | {"PYTHONPATH": str(ROOT)}
    command = [str(python_of(environment)), "-m", module, *arguments]
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-3000:]


def cells_of(folder: Path) -> tuple[NotebookNode, dict[str, NotebookNode]]:
    """Return the executed notebook and its code cells by name."""
    notebook = nbformat.read(folder / "out.ipynb", 4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return notebook, dict(zip(CELLS, code, strict=True))


@pytest.mark.parametrize(
    ("program", "environment"),
    [
        ("papermill", None),
        pytest.param("nbconvert", None, marks=pytest.mark.host),
        ("papermill", "ipykernel6"),
    ],
)
def test_an_executed_notebook_has_each_video_once(
    execute: Execute, program: str, environment: str | None
) -> None:
    """Each cell has the videos that it shows, from the cell that waited; no view is stored unfinished."""
    notebook, cells = cells_of(execute(program, environment))
    shown = {name: html_of(cell).count("<video") for name, cell in cells.items()}
    assert shown == VIDEOS, "an executed notebook lacks a video, or shows one twice"
    assert cells["start"].outputs == [], "a thread has written into the cell that was running"
    for name, cell in cells.items():
        assert not re.search(UNFINISHED, html_of(cell)), f"the cell {name} shows a task as unfinished"
        for model in views_of(cell):
            stored = texts_in(notebook, model)
            assert not re.search(rf'qingbo-status">({UNFINISHED})', stored), f"{name} stands still"
    assert missing_models(notebook) == set(), "a page with the widgets' scripts cannot show the views"
    host = "ipykernel6" if environment else program
    names = [program, "nbclient", "ipykernel", "ipywidgets"]
    record(host, versions_of(names, environment), form="partly", card="yes", video="yes", review="yes")


@pytest.mark.browser
@pytest.mark.parametrize(
    "has_scripts", [False, pytest.param(True, marks=pytest.mark.host)], ids=["alone", "with-scripts"]
)
def test_each_video_plays_in_the_page_of_nbconvert(
    execute: Execute, browser: Browser, has_scripts: bool
) -> None:
    """``nbconvert --to html``: every video plays, whether or not the page gets the scripts of widgets."""
    folder = execute("nbconvert")
    run_module(folder, "nbconvert", "--to", "html", "out.ipynb")
    with opened(browser, folder, "out.html", has_scripts=has_scripts) as page:
        check_page(page, ".jp-CodeCell", has_scripts)
    record("nbconvert-html", versions_of(["nbconvert", "ipywidgets"]), video="yes", review="yes")


@pytest.mark.browser
@pytest.mark.parametrize(
    "has_scripts", [False, pytest.param(True, marks=pytest.mark.host)], ids=["alone", "with-scripts"]
)
def test_each_video_plays_in_a_page_of_sphinx(
    tmp_path_factory: pytest.TempPathFactory, browser: Browser, has_scripts: bool
) -> None:
    """MyST-NB executes the notebook; with the files beside the page, every video plays."""
    folder = tmp_path_factory.getbasetemp() / "sphinx"
    if not folder.exists():
        folder.mkdir()
        write_notebook(folder / "index.ipynb")
        settings = 'extensions = ["myst_nb"]\nnb_execution_mode = "force"\nnb_execution_timeout = 120\n'
        (folder / "conf.py").write_text(settings, encoding="utf-8")
        run_module(folder, "sphinx", "-b", "html", ".", "out")
    shutil.copytree(folder / "qingbo_videos", folder / "out/qingbo_videos", dirs_exist_ok=True)
    html = (folder / "out/index.html").read_text(encoding="utf-8")
    outside = re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)
    assert not re.search(rf'qingbo-status">({UNFINISHED})', outside), "the page shows a task as unfinished"
    with opened(browser, folder / "out", "index.html", has_scripts=has_scripts) as page:
        check_page(page, ".cell", has_scripts)
    versions = versions_of(["myst-nb", "sphinx", "ipywidgets"])
    record("myst-nb", versions, card="yes", video="partly", review="yes")  # the files were copied by the test


def check_page(page: Page, cell: str, has_scripts: bool) -> None:
    """Check that each cell shows its videos once, and that all play."""
    if has_scripts:
        page.wait_for_selector(".jupyter-widgets.qingbo-gallery", state="attached", timeout=60_000)
        page.wait_for_selector(".jupyter-widgets.qingbo-grid video", state="attached", timeout=60_000)
    cells = page.locator(cell)
    assert cells.count() == len(CELLS)
    shown = {name: cells.nth(number).evaluate(PLAYERS) for number, name in enumerate(CELLS)}
    assert {name: len(players) for name, players in shown.items()} == VIDEOS, "a video is hidden, or twice"
    dead = [player for players in shown.values() for player in players if player["width"] == 0]
    assert dead == [], "a video does not play in the published page"
    text = page.locator("body").inner_text()
    assert not re.search(rf"^({UNFINISHED})\b", text, re.MULTILINE), "a card stands still in the page"


#: Loads the visible videos of a cell.
PLAYERS = """async cell => {
    const shown = [...cell.querySelectorAll('video')].filter(video => video.checkVisibility());
    for (const video of shown) {
        video.scrollIntoView();
        const ready = new Promise(done => ['loadeddata', 'error'].forEach(
            name => video.addEventListener(name, done, {once: true})));
        video.preload = 'auto';
        video.load();
        await ready;
    }
    return shown.map(video => ({src: video.getAttribute('src').slice(0, 80), width: video.videoWidth}));
}"""


@contextmanager
def opened(browser: Browser, folder: Path, name: str, *, has_scripts: bool) -> Iterator[Page]:
    """Open a page of a folder behind a server, without any other server but a simulated CDN."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    with browser.new_context() as context:
        page = context.new_page()
        page.route("**/*", partial(_answer, address=address, scripts=_scripts() if has_scripts else {}))
        page.goto(f"{address}/{name}")
        yield page
    server.shutdown()
    server.server_close()


class _Files(SimpleHTTPRequestHandler):
    """A server of files that logs nothing."""

    def log_message(self, *_: Any) -> None:
        """Print nothing."""

    def handle(self) -> None:
        """Answer, unless the browser has closed the connection to a video."""
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True


def _scripts() -> dict[str, Path]:
    """Return the scripts that pages of widgets get from a CDN, by a part of their URLs."""
    share = Path(os.environ.get("VIRTUAL_ENV") or python_of().parent.parent) / "share/jupyter"
    scripts = {
        "require.min.js": share / "voila/templates/base/static/require.min.js",
        "html-manager": ROOT / "node_modules/@jupyter-widgets/html-manager/dist/embed-amd.js",
        "/anywidget@": share / "nbextensions/anywidget/index.js",
    }
    for path in scripts.values():
        if not path.exists():
            skip_without(f"{path.name} is not installed", "make lint")
    return scripts


def _answer(route: Route, *, address: str, scripts: dict[str, Path]) -> None:
    """Answer a request of the page."""
    url = route.request.url
    script = next((path for part, path in scripts.items() if part in url), None)
    if url.endswith(".html"):
        # The scripts here need not be of the version that the page expects.
        response = route.fetch()
        route.fulfill(response=response, body=re.sub(r' integrity="[^"]*"', "", response.text()))
    elif url.startswith(address):
        route.continue_()
    elif script is not None:
        route.fulfill(path=script, headers={"Access-Control-Allow-Origin": "*"})
    else:
        route.abort()
