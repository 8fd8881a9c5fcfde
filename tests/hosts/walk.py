"""One walk through a page that shows a notebook: what a user sees at each step, in any host with such a page.

The same cells run in every host; a ``Frontend`` says how its page is driven. A video *plays* if the browser
has decoded a frame of it, after a click if it loads nothing before.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Browser, Error, Locator, Page, TimeoutError, expect

from tests.hosts.environments import python_of, variables_of
from tests.hosts.results import Outcome

__all__ = ["CLASSIC", "JUPYTERLAB", "Frontend", "Server", "Walk"]

START_SECONDS = 90
#: Milliseconds that a condition may take to become true on a busy machine.
PATIENCE = 90_000
_OTHER_KERNEL = "other"

CELLS = (
    "import qingbo_widgets as qw\n"
    "manager = qw.connect(sandbox=qw.Sandbox(speed=10, draft=True))\n"
    "manager.poll_interval = 0.25",
    "studio = qw.VideoStudio(prompt='a koi in a pond')\nstudio",
    "task = qw.generate('a paper boat', duration=3)\ntask",
    "await task\nprint(task.status)",
    "task.show()",
    "sweep = qw.sweep(prompt=['a fox', 'a crane'], duration=3, model='kling-v3')\nsweep",
    "await sweep\nfor card in studio.cards:\n    await card.task",
    "qw.Comparison(sweep.tasks)",
    "qw.Gallery()",
    "task.show(embed=True)",
)
CONNECT, STUDIO, CARD, AWAIT, SHOW, SWEEP, AWAIT_SWEEP, COMPARISON, GALLERY, EMBED = range(len(CELLS))
NAMES = {
    STUDIO: "the studio",
    CARD: "the task's card",
    SHOW: "task.show()",
    SWEEP: "the sweep",
    COMPARISON: "the comparison",
    GALLERY: "the gallery",
    EMBED: "task.show(embed=True)",
}
#: The number of videos that a user sees in each output, with the kernel and when it is gone.
LIVE = {STUDIO: 1, CARD: 1, SHOW: 1, SWEEP: 2, COMPARISON: 2, GALLERY: 1, EMBED: 1}
STORED = {**LIVE, GALLERY: LIVE[STUDIO] + LIVE[CARD] + LIVE[SWEEP]}  # the gallery's copy has its whole page
#: The beginning of what JupyterLab, or the classic Notebook, has in place of a widget that is gone.
_NO_WIDGET = re.compile("Error displaying widget|A Jupyter widget could not be displayed")


@dataclass(frozen=True)
class Frontend:
    """The page of a host: how tests drive it, as JavaScript, and where its outputs are, as selectors.

    Attributes:
        page: the path of a notebook's page below the server's base URL, before the notebook's name.
        cell: selects the cells.
        output: selects the output inside a cell.
        ready: is true once the notebook is drawn and its kernel is idle.
        run: runs the cell with this index.
        is_done: is true once that cell has run.
        save: saves the notebook.
    """

    page: str
    cell: str
    output: str
    ready: str
    run: str
    is_done: str
    save: str

    def at(self, path: str) -> Frontend:
        """Return the same page at another path."""
        return Frontend(path, self.cell, self.output, self.ready, self.run, self.is_done, self.save)


_PANEL = "[...jupyterapp.shell.widgets('main')].find(widget => widget.sessionContext)"

#: JupyterLab 4, and Notebook 7 at another path.
JUPYTERLAB = Frontend(
    page="doc/tree/",
    cell=".jp-Notebook .jp-Cell",
    output=".jp-Cell-outputArea",
    ready=f"""() => {{
        const panel = window.jupyterapp && {_PANEL};
        if (!panel?.context?.isReady || !panel.content.widgets.length) return false;
        return panel.sessionContext.session?.kernel?.status === 'idle';
    }}""",
    run=f"""async index => {{
        {_PANEL}.content.activeCellIndex = index;
        await jupyterapp.commands.execute('notebook:run-cell');
    }}""",
    is_done=f"""index => {{
        const cell = {_PANEL}.content.widgets[index];
        return cell.model.executionCount !== null && cell.model.executionState !== 'running';
    }}""",
    save="async () => { await jupyterapp.commands.execute('docmanager:save'); }",
)

#: The classic Notebook, and nbclassic at another path.
CLASSIC = Frontend(
    page="notebooks/",
    cell="#notebook-container > .cell",
    output=".output_wrapper > .output",
    ready="""() => {
        const notebook = window.Jupyter?.notebook;
        return Boolean(notebook?._fully_loaded && notebook.kernel?.is_connected() && !notebook.kernel_busy);
    }""",
    run="index => { Jupyter.notebook.execute_cells([index]); }",
    is_done="""index => {
        const cell = Jupyter.notebook.get_cell(index);
        return typeof cell.input_prompt_number === 'number' && !Jupyter.notebook.kernel_busy;
    }""",
    save="async () => { await Jupyter.notebook.save_notebook(); }",
)

#: Plays each visible video for a moment, as a click would; returns what became of each.
_PLAY_ALL = """async ([cells, output]) => {
    const found = [];
    for (const [index, cell] of [...document.querySelectorAll(cells)].entries()) {
        for (const video of cell.querySelectorAll(`${output} video`)) {
            if (!video.checkVisibility()) continue;
            video.scrollIntoView({block: 'center'});
            if (video.preload === 'none') { video.muted = true; video.play().catch(() => null); }
            const plays = () => video.readyState >= 2 && video.videoWidth > 0;
            const end = Date.now() + 20000;
            while (!plays() && !video.error && Date.now() < end) await new Promise(go => setTimeout(go, 100));
            const src = (video.currentSrc || video.src).slice(0, 120);
            found.push({cell: index, src, plays: plays(), error: video.error?.message ?? ''});
            if (!video.paused) video.pause();
        }
    }
    return found;
}"""

#: Is true once each cell shows as many videos as expected.
_COUNT_IS = """([cells, output, expected]) => {
    const all = document.querySelectorAll(cells);
    return Object.entries(expected).every(([index, count]) => {
        const videos = all[index]?.querySelectorAll(`${output} video`) ?? [];
        return [...videos].filter(video => video.checkVisibility()).length === count;
    });
}"""

#: Collects the different percentages that an output shows.
_WATCH = """([cells, output, index]) => {
    window.percents = [];
    window.setInterval(() => {
        const area = document.querySelectorAll(cells)[index]?.querySelector(output);
        const percent = area?.innerText.match(/\\d+ ?%/)?.[0];
        if (percent && !window.percents.includes(percent)) window.percents.push(percent);
    }, 50);
}"""


class Server:
    """A Jupyter server as a user starts it, on a free port, with settings and kernels of its own.

    Use it as a context manager. Its root is another folder than the one it is started in.

    Args:
        folder: an empty folder for everything.
        module: what is run with ``python -m``.
        host: the name of the environment; ``None`` for that of the tests.
        kernel: the name of the environment in which notebooks run; ``None`` for the server's.
        options: further command-line options.
        application: the class that has the server's options: ``ServerApp``, or ``NotebookApp`` before it.
        base: the base URL, between two slashes.
    """

    def __init__(
        self,
        folder: Path,
        module: str,
        *,
        host: str | None = None,
        kernel: str | None = None,
        options: Sequence[str] = (),
        application: str = "ServerApp",
        base: str = "/",
    ) -> None:
        self.root = folder / "notebooks"
        self.log = folder / "server.log"
        self._folder, self._module, self._options = folder, module, options
        self._application = application
        self._python = python_of(host)
        self._kernel = None if kernel is None else python_of(kernel)
        self._process: subprocess.Popen[bytes] | None = None
        with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as free:
            self._port: int = free.getsockname()[1]
        self.base = base
        self.url = f"http://127.0.0.1:{self._port}{base}"

    def __enter__(self) -> Self:
        self.root.mkdir(parents=True)
        elsewhere = self._folder / "elsewhere"
        elsewhere.mkdir()
        for name, text in _settings():
            file = self._folder / "settings" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        environment = variables_of(self._folder)
        if self._kernel is not None:
            self._write_kernel(Path(environment["JUPYTER_DATA_DIR"]), self._kernel)
        command = [str(self._python), "-m", self._module, "--no-browser", "--allow-root", *self._options]
        command += [
            option.format(root=self.root, port=self._port, base=self.base) for option in self._common()
        ]
        own = {"JUPYTERLAB_SETTINGS_DIR": str(self._folder / "settings")}
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=elsewhere,
                env={**environment, **own},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        end = time.monotonic() + START_SECONDS
        while not self._is_up():
            if self._process.poll() is not None or time.monotonic() > end:
                self.__exit__(None, None, None)
                raise RuntimeError(f"{self._module} did not start:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _common(self) -> list[str]:
        """Return the options of every server, in the words of the classic one or of its successor."""
        app = self._application
        is_classic = app == "NotebookApp"
        token = "--NotebookApp.token=" if is_classic else "--IdentityProvider.token="
        root = "--NotebookApp.notebook_dir={root}" if is_classic else "--ServerApp.root_dir={root}"
        return [
            root,
            token,
            f"--{app}.ip=127.0.0.1",
            f"--{app}.port={{port}}",
            f"--{app}.port_retries=0",
            f"--{app}.base_url={{base}}",
            f"--{app}.disable_check_xsrf=True",
        ]

    def _write_kernel(self, data: Path, python: Path) -> None:
        """Offer a kernel of another environment, as ``ipython kernel install`` does."""
        folder = data / "kernels" / _OTHER_KERNEL
        folder.mkdir(parents=True)
        command = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        kernel = {"argv": command, "display_name": _OTHER_KERNEL, "language": "python"}
        (folder / "kernel.json").write_text(json.dumps(kernel), encoding="utf-8")

    def _is_up(self) -> bool:
        try:
            self.ask("GET", "api/kernels")
        except OSError:
            return False
        return True

    def ask(self, method: str, path: str) -> Any:
        """Send a request to Jupyter's REST API and return the JSON response, ``None`` if it is empty."""
        request = urllib.request.Request(self.url + path, method=method)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            request, timeout=20
        ) as response:
            body = response.read()
        return json.loads(body) if body else None

    def write(self, name: str, cells: Sequence[str]) -> Path:
        """Write a notebook with these code cells; ``name`` may contain folders."""
        name_of_kernel = "python3" if self._kernel is None else _OTHER_KERNEL
        kernel = {"name": name_of_kernel, "display_name": name_of_kernel, "language": "python"}
        notebook = new_notebook(
            cells=[new_code_cell(source) for source in cells], metadata={"kernelspec": kernel}
        )
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, path)
        return path

    def shut_down_kernels(self) -> None:
        """Shut down every kernel, as a user does in the list of running ones."""
        for session in self.ask("GET", "api/sessions"):
            self.ask("DELETE", f"api/sessions/{session['id']}")
        assert self.ask("GET", "api/kernels") == []


def _settings() -> list[tuple[str, str]]:
    quiet = '{"fetchNews": "false", "checkForUpdates": false, "doNotDisturbMode": true}'
    return [
        ("@jupyterlab/apputils-extension/notification.jupyterlab-settings", quiet),
        ("@jupyterlab/docmanager-extension/plugin.jupyterlab-settings", '{"autosave": false}'),
    ]


@dataclass
class Walk:
    """A walk through the notebook in one host.

    Attributes:
        name: the notebook's path below the server's root.
        seen: what a user has seen instead of what was expected, by column of the tables.
    """

    server: Server
    frontend: Frontend
    browser: Browser
    name: str = "walk.ipynb"
    seen: dict[str, list[str]] = field(default_factory=dict)
    page: Page = field(init=False)

    def run(self) -> dict[str, Outcome]:
        """Walk through the notebook and return the outcome of each column."""
        self.server.write(self.name, CELLS)
        outcomes = dict[str, Outcome]()
        with self._opened():
            outcomes["form"] = self._generate()
            outcomes["card"] = self._follow()
            outcomes["review"] = self._review()
            outcomes["video"] = self._videos("video", LIVE)
            self.page.evaluate(self.frontend.save)
            self.page.reload()
            self.page.wait_for_function(self.frontend.ready)
            outcomes["reload"] = self._videos("reload", LIVE)
        self.server.shut_down_kernels()
        with self._opened():
            outcomes["kernel_gone"] = self._videos("kernel_gone", STORED)
            if errors := self._visible_errors():
                outcomes["kernel_gone"] = "partly"
                self._note("kernel_gone", f"lines about widgets above what is stored: {errors}")
        self.server.shut_down_kernels()
        return outcomes

    @contextlib.contextmanager
    def _opened(self) -> Iterator[None]:
        # So tall that the page draws every cell: JupyterLab takes those away that are out of sight.
        context = self.browser.new_context(viewport={"width": 1280, "height": 5000})
        self.page = context.new_page()
        self.page.set_default_timeout(PATIENCE)
        try:
            self.page.goto(self.server.url + self.frontend.page + quote(self.name))
            self.page.wait_for_function(self.frontend.ready)
            yield
        finally:
            context.close()

    def _note(self, column: str, line: str) -> None:
        self.seen.setdefault(column, []).append(line)

    def _run(self, *cells: int) -> None:
        for cell in cells:
            self.page.evaluate(self.frontend.run, cell)
            self.page.wait_for_function(self.frontend.is_done, arg=cell)

    def _output(self, cell: int) -> Locator:
        return self.page.locator(self.frontend.cell).nth(cell).locator(self.frontend.output)

    def _generate(self) -> Outcome:
        """Connect, show the studio and press its button; its task runs while the next cells do."""
        self._run(CONNECT, STUDIO)
        studio = self._output(STUDIO)
        try:
            studio.get_by_role("button", name="Generate", exact=True).click()
            expect(studio.locator(".qingbo-card").first).to_be_visible(timeout=PATIENCE)
        except (Error, AssertionError):
            self._note("form", f"no card after a click on Generate; the studio shows {_text(studio)!r}")
            return "no"
        return "yes"

    def _follow(self) -> Outcome:
        """Show a task, wait for it and show it again."""
        self.page.evaluate(_WATCH, [self.frontend.cell, self.frontend.output, CARD])
        self._run(CARD, AWAIT, SHOW)
        steps: list[str] = self.page.evaluate("window.percents")
        text = _text(self._output(CARD))
        if "Finished" not in text:
            self._note("card", f"the card does not end: {text!r}")
            return "no"
        if len(steps) < 2:
            self._note("card", f"the card stands still until the end; it has shown {steps}")
            return "partly"
        return "yes"

    def _review(self) -> Outcome:
        """Run a sweep, play its comparison, and open a tile of the gallery."""
        self._run(SWEEP, AWAIT_SWEEP, COMPARISON, GALLERY, EMBED)
        before = len(self.seen.get("review", ()))
        comparison, gallery = self._output(COMPARISON), self._output(GALLERY)
        try:
            comparison.get_by_role("button", name="Play", exact=True).click(timeout=PATIENCE)
            position = comparison.get_by_text(re.compile(r"^\d+\.\d+ / \d+\.\d+ s$"))
            expect(position).not_to_have_text(re.compile(r"^0\.00 /"), timeout=PATIENCE)
            comparison.get_by_role("button", name="Pause", exact=True).click()
        except (Error, AssertionError):
            self._note("review", f"the comparison does not play: {_text(comparison)!r}")
        try:
            gallery.locator(".qingbo-tile:visible").first.click()
            expect(gallery.locator(".qingbo-opened video:visible")).to_have_count(1, timeout=PATIENCE)
            self.page.mouse.move(0, 0)  # a tile below the mouse would play, too
        except (Error, AssertionError):
            self._note("review", f"no tile of the gallery opens: {_text(gallery)!r}")
        failed = len(self.seen.get("review", ())) - before
        return ("yes", "partly", "no")[failed]

    def _videos(self, column: str, expected: Mapping[int, int]) -> Outcome:
        """Wait until each output has its players, play all of them, and compare with what is expected."""
        arguments = [self.frontend.cell, self.frontend.output, {str(k): n for k, n in expected.items()}]
        with contextlib.suppress(TimeoutError):
            self.page.wait_for_function(_COUNT_IS, arg=arguments)
        found = self.page.evaluate(_PLAY_ALL, arguments[:2])
        playing = Counter(video["cell"] for video in found if video["plays"])
        players = Counter(video["cell"] for video in found)
        for cell, count in players.items():
            if count > expected.get(cell, 0):
                self._note(column, f"{count} players, not {expected.get(cell, 0)}, in {_name(cell)}")
        for cell, count in expected.items():
            if playing[cell] != count:
                shown = _text(self._output(cell))
                self._note(column, f"{playing[cell]} of {count} videos play in {NAMES[cell]}: {shown!r}")
        for video in found:
            if not video["plays"]:
                self._note(
                    column, f"{_name(video['cell'])}: a dead player of {video['src']} {video['error']}"
                )
        if playing == players == Counter(expected):
            return "yes"
        return "partly" if playing else "no"

    def _visible_errors(self) -> list[str]:
        """Return the lines with which the page replaces widgets whose kernel is gone."""
        lines = self.page.get_by_text(_NO_WIDGET).all()
        return [_text(line) for line in lines if line.is_visible()]


def _name(cell: int) -> str:
    return NAMES.get(cell, f"cell {cell}")


def _text(locator: Locator) -> str:
    """Return the text of an output on one line, shortened."""
    text = " ".join(" ".join(locator.all_inner_texts()).split())
    return text if len(text) <= 400 else f"{text[:400]}…"
