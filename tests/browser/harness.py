"""A real JupyterLab and a real browser, for tests and for the screenshots in the README."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Browser, Error, Locator, Page, Playwright, Response, TimeoutError, expect

BROWSER_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)
START_SECONDS = 90
PATIENCE = 60_000
"""Milliseconds that a condition may take to become true on a busy machine."""

SETTINGS = {
    "@jupyterlab/apputils-extension/notification.jupyterlab-settings": (
        '{"fetchNews": "false", "checkForUpdates": false, "doNotDisturbMode": true}'
    ),
    "@jupyterlab/docmanager-extension/plugin.jupyterlab-settings": '{"autosave": false}',
}

PANEL = "[...jupyterapp.shell.widgets('main')].find(widget => widget.sessionContext)"
"""A JavaScript expression for the open notebook."""

KERNEL_IDLE = f"""() => {{
    if (!window.jupyterapp) return false;
    const panel = {PANEL};
    if (!panel || !panel.context.isReady || !panel.content.widgets.length) return false;
    const session = panel.sessionContext.session;
    return Boolean(session && session.kernel && session.kernel.status === 'idle');
}}"""

ALL_RUN = f"""() => {PANEL}.content.widgets
    .filter(cell => cell.model.type === 'code')
    .every(cell => cell.model.executionCount !== null && cell.model.executionState !== 'running')"""


OPEN_DOCUMENTS = """() => window.jupyterapp ? [...jupyterapp.shell.widgets('main')].map(widget => ({
    path: widget.context?.path,
    ready: widget.context?.isReady,
    kernel: widget.sessionContext?.session?.kernel?.status ?? null,
    cells: widget.content?.widgets?.map(cell => cell.model.executionState),
})) : 'no JupyterLab'"""

PLAYER = """video => {
    video.scrollIntoView({block: 'nearest'});
    if (video.preload === 'none') video.preload = 'metadata';
    return {
        ready: video.readyState >= 2,
        error: video.error && video.error.message,
        width: video.videoWidth,
        height: video.videoHeight,
        duration: video.duration,
        src: video.getAttribute('src'),
    };
}"""
"""JavaScript that scrolls to a ``<video>``, lets it load as a click would, and returns its state."""

SAVED = re.compile("/qingbo_videos/")
"""The ``src`` of a ``<video>`` that plays the saved file; before, it plays the link."""

LEAVE = """() => {
    window.left = (window.left ?? 0) + 1;
    [...jupyterapp.shell.widgets('main')].forEach(widget => widget.dispose());
}"""
"""JavaScript that closes every document; what records frames ends when ``window.left`` changes."""

PAGES = itertools.count(1)


def launch(playwright: Playwright, executable: str) -> Browser:
    """Start the browser without a window."""
    return playwright.chromium.launch(executable_path=executable, headless=True, args=list(BROWSER_FLAGS))


class Lab:
    """A separate JupyterLab on a free port, without the user's configuration, settings and kernels.

    Use it as a context manager. ``root`` is the served folder with the notebooks and videos.
    """

    def __init__(self, folder: Path, environment: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.root = folder / "notebooks"
        self.log = folder / "jupyterlab.log"
        self._environment = environment or {}
        self._process: subprocess.Popen[bytes] | None = None
        self._ender = ThreadPoolExecutor(thread_name_prefix="kernel-end")
        self._ends: list[Future[Any]] = []
        with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as free:
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        settings = self.folder / "settings"
        for name, text in SETTINGS.items():
            file = settings / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        self.root.mkdir(parents=True, exist_ok=True)
        own = {
            name: str(self.folder / name.lower())
            for name in (
                "HOME",
                "JUPYTER_CONFIG_DIR",
                "JUPYTER_DATA_DIR",
                "JUPYTER_RUNTIME_DIR",
                "IPYTHONDIR",
                "JUPYTERLAB_WORKSPACES_DIR",
            )
        }
        for place in own.values():
            Path(place).mkdir(parents=True, exist_ok=True)
        inherited = {
            name: value for name, value in os.environ.items() if not re.match("QINGBO_|WAVE|JUPYTER", name)
        }
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "jupyterlab",
                    "--no-browser",
                    "--allow-root",
                    "--LabApp.expose_app_in_browser=True",
                    "--LabApp.extension_manager=readonly",
                    "--ServerApp.ip=127.0.0.1",
                    f"--ServerApp.port={self.port}",
                    "--ServerApp.port_retries=0",
                    f"--ServerApp.root_dir={self.root}",
                    "--ServerApp.disable_check_xsrf=True",
                    "--IdentityProvider.token=",
                ],
                cwd=self.root,
                env={
                    **inherited,
                    **own,
                    **self._environment,
                    "JUPYTERLAB_SETTINGS_DIR": str(settings),
                    "JUPYTER_PREFER_ENV_PATH": "1",
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        end = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                self.__exit__(None, None, None)
                raise RuntimeError(f"JupyterLab did not start:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._ender.shutdown()
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        try:
            self.ask("GET", "/api/status")
        except OSError:
            return False
        return True

    def ask(self, method: str, path: str) -> Any:
        """Send a request to Jupyter's REST API and return the JSON response, ``None`` if it is empty."""
        request = urllib.request.Request(self.url + path, method=method)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
            body = answer.read()
        return json.loads(body) if body else None

    def write(self, name: str, cells: Sequence[str]) -> Path:
        """Write a notebook with these code cells; ``name`` may contain folders."""
        notebook = new_notebook(
            cells=[new_code_cell(source) for source in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        )
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, path)
        return path

    def shut_down_kernels(self) -> None:
        """Begin to shut down every kernel: they end while the next test opens its notebook."""
        self.wait_for_ends()
        for session in self.ask("GET", "/api/sessions"):
            self._ends.append(self._ender.submit(self.ask, "DELETE", f"/api/sessions/{session['id']}"))

    def wait_for_ends(self) -> None:
        """Wait until the kernels that are shutting down have ended."""
        while self._ends:
            self._ends.pop().result()


class NotebookPage:
    """A notebook that is open in the browser.

    Check only ``output(n)``: the page also shows the source of a cell, which could pass for its output.
    """

    def __init__(self, lab: Lab, page: Page, path: Path, artifacts: Path) -> None:
        self.lab = lab
        self.page = page
        self.path = path
        self.artifacts = artifacts
        self.problems: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", self._on_page_error)
        page.on("response", self._on_response)

    def _on_page_error(self, error: Error) -> None:
        self.problems.append(error.stack or str(error))

    def _on_response(self, answer: Response) -> None:
        if answer.status >= 400 and ".mp4" in answer.url:
            self.problems.append(f"{answer.status} {answer.url}")

    def open(self) -> Self:
        """Open the notebook, in the page's JupyterLab if it has loaded one, and wait for the kernel."""
        name = self.path.relative_to(self.lab.root).as_posix()
        if self.page.url.startswith(self.lab.url):
            self.command("docmanager:open", path=name)
        else:
            # A separate workspace: in a shared one, a page would open the documents of another page.
            workspace = f"page-{next(PAGES)}"
            self.page.goto(f"{self.lab.url}/doc/workspaces/{workspace}/tree/{quote(name)}")
        return self.wait_ready()

    def leave(self) -> None:
        """Close the notebook without saving and without a dialog, so that the page can open another."""
        self.page.remove_listener("pageerror", self._on_page_error)
        self.page.remove_listener("response", self._on_response)
        self.page.evaluate(LEAVE)
        self.page.emulate_media(reduced_motion="null")

    def wait_ready(self) -> Self:
        """Wait until the notebook is drawn and its kernel is idle."""
        return self._wait_for(KERNEL_IDLE, PATIENCE)

    def command(self, name: str, **arguments: object) -> None:
        """Run a JupyterLab command and wait for its end."""
        self.page.evaluate(
            "([name, args]) => jupyterapp.commands.execute(name, args).then(() => null)", [name, arguments]
        )

    def run_all(self) -> Self:
        """Run every cell and wait until the kernel is idle again."""
        self.command("notebook:run-all-cells")
        return self.wait_idle()

    def run(self, index: int) -> Self:
        """Run one cell, counted from 0, and wait until the kernel is idle again."""
        self.page.evaluate(f"index => {{ {PANEL}.content.activeCellIndex = index }}", index)
        self.command("notebook:run-cell")
        return self._wait_for(KERNEL_IDLE, 2 * PATIENCE)

    def write(self, index: int, source: str) -> Self:
        """Replace the source of a cell, counted from 0."""
        self.page.evaluate(
            f"([index, source]) => {PANEL}.content.widgets[index].model.sharedModel.setSource(source)",
            [index, source],
        )
        return self

    def wait_idle(self) -> Self:
        """Wait until every cell has run and the kernel is idle."""
        self._wait_for(ALL_RUN, 2 * PATIENCE)
        return self._wait_for(KERNEL_IDLE, PATIENCE)

    def _wait_for(self, condition: str, milliseconds: int) -> Self:
        """Wait for a condition in JavaScript.

        Raises:
            AssertionError: the condition did not become true; the message lists the page's open documents.
        """
        try:
            self.page.wait_for_function(condition, timeout=milliseconds)
        except TimeoutError as error:
            picture = self.screenshot(f"timed-out-{self.path.parent.name}-{self.path.stem}")
            open_documents = self.page.evaluate(OPEN_DOCUMENTS)
            raise AssertionError(
                f"{self.page.url} waited {milliseconds / 1000:g} s for {condition}\n"
                f"open documents: {open_documents}; screenshot: {picture}; errors: {self.problems}"
            ) from error
        return self

    def output(self, index: int) -> Locator:
        """Return the output area of a cell, counted from 0."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index).locator(".jp-Cell-outputArea")

    def save(self) -> Self:
        """Save the notebook, as Ctrl-S does."""
        self.command("docmanager:save")
        return self

    def reload(self) -> Self:
        """Reload the page."""
        self.page.reload()
        return self.wait_ready()

    def shutdown_kernel(self) -> Self:
        """Shut down the notebook's kernel, as the menu does."""
        self.lab.wait_for_ends()
        self.page.evaluate(f"() => {PANEL}.sessionContext.shutdown()")
        assert self.lab.ask("GET", "/api/kernels") == []
        return self

    def theme(self, name: str) -> Self:
        """Switch to ``"light"`` or ``"dark"``."""
        self.command("apputils:change-theme", theme=f"JupyterLab {name.title()}")
        expect(self.page.locator("body")).to_have_attribute(
            "data-jp-theme-light", "true" if name == "light" else "false"
        )
        # JupyterLab covers the page during the switch and fails if two switches overlap.
        expect(self.page.locator("#jupyterlab-splash")).to_have_count(0)
        return self

    def viewport(self, width: int, height: int = 900) -> Self:
        """Resize the window to ``width`` × ``height`` pixels."""
        self.page.set_viewport_size({"width": width, "height": height})
        return self

    def screenshot(self, name: str, *, of: Locator | None = None) -> Path:
        """Take a screenshot of the page, or of a part of it, for visual review."""
        self.artifacts.mkdir(parents=True, exist_ok=True)
        path = self.artifacts / f"{name}.png"
        (of or self.page).screenshot(path=path)
        return path

    def output_text(self, index: int) -> str:
        """Return the visible text of a cell's output."""
        return self.output(index).inner_text()


Notebook = Callable[..., NotebookPage]
"""The type of the fixture ``notebook``."""


def playable(video: Locator) -> dict[str, Any]:
    """Wait until a ``<video>`` can play; return ``width``, ``height``, ``duration`` and ``src``."""
    expect(video).to_be_attached(timeout=PATIENCE)
    deadline = time.monotonic() + PATIENCE / 1000
    while True:
        # Look the element up every time: while a page settles, a new element may replace it.
        state: dict[str, Any] = video.evaluate(PLAYER)
        if state.pop("ready") or state["error"] or time.monotonic() > deadline:
            break
        video.page.wait_for_timeout(100)
    assert state["error"] is None, state
    assert state["width"], f"the video did not load: {state}"
    return state


def seek(video: Locator, seconds: float) -> float:
    """Seek a ``<video>`` to a time and return its position afterwards."""
    position: float = video.evaluate(
        """(v, seconds) => new Promise((done, fail) => {
            v.addEventListener('seeked', () => done(v.currentTime), {once: true});
            v.addEventListener('error', () => fail(new Error('cannot seek')), {once: true});
            v.currentTime = seconds;
        })""",
        seconds,
    )
    return position


class Recorder:
    """A recorder of a JavaScript expression at every frame, for the first element that matches a selector.

    Create it before the change; it ends with the notebook. ``values`` holds the distinct values so far, in
    order of appearance, and is empty while no element matches.
    """

    def __init__(self, page: Page, selector: str, expression: str) -> None:
        self._handle = page.evaluate_handle(
            """([selector, expression]) => {
                const read = new Function('element', 'return ' + expression);
                const seen = [], left = window.left;
                const record = () => {
                    if (window.left !== left) return;
                    const element = document.querySelector(selector);
                    const value = element ? read(element) : null;
                    if (value !== null && !seen.includes(value)) seen.push(value);
                    requestAnimationFrame(record);
                };
                record();
                return seen;
            }""",
            [selector, expression],
        )

    @property
    def values(self) -> list[Any]:
        """The distinct values so far."""
        values: list[Any] = self._handle.json_value()
        return values
