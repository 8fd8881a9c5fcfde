"""Visual Studio Code: what its rules, as far as they are public, ask of the messages that it gets.

- *Paths*: its Jupyter extension sets ``__vsc_ipynb_file__`` to the notebook's path before the first cell
  (vscode-jupyter, the kernel's startup code), and relative paths in outputs are those from its folder.
- *Widgets*: scripts come from ``jupyter.widgetScriptSources``, a CDN, by the name of their package.
- *Sound*: WAV, MP3, Ogg and FLAC, no AAC; MP3 is advised for an MP4 (vscode-docs, the guide to webviews).
  Opus is not in its build of FFmpeg either (microsoft/vscode#156558, #180780).

Not run here: the editor itself.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from qingbo_widgets.media.sound import make_sound_copy
from tests.benchmarks.kernels import Kernel, Message, outputs, start_kernels
from tests.hosts.environments import versions_of
from tests.hosts.results import record
from tests.media.test_sound import clapped

#: Set by VS Code before the first cell of the user; the kernel has started in the folder of the workspace.
STARTUP = "__vsc_ipynb_file__ = {notebook!r}"
CONNECT = """
import qingbo_widgets as qw
manager = qw.connect(sandbox=qw.Sandbox(speed=30, draft=True))
manager.poll_interval = 0.1
"""
LOUD = "task = qw.generate('A koi', duration=5, enable_audio=True)\nawait task\ntask"
#: Bytes of a message that a page can take in at once. A video would be larger.
LARGEST = 500_000
#: The packages whose scripts the page gets from a CDN.
PACKAGES = {"@jupyter-widgets/base", "@jupyter-widgets/controls", "@jupyter-widgets/output", "anywidget"}
SOURCE = re.compile(r'<video[^>]*?\ssrc="([^"]*)"')
SILENT = "VS Code plays no AAC sound"


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of a notebook in a folder below that in which the kernel starts."""
    return tmp_path_factory.mktemp("vscode") / "kernel-0/课程 one/my notes.ipynb"


@pytest.fixture(scope="module")
def vscode(notebook: Path) -> Iterator[Kernel]:
    """Yield a kernel that VS Code has started, with a connection to the sandbox, for several tests."""
    with start_kernels(notebook.parents[2]) as (kernel,):
        notebook.parent.mkdir()
        notebook.write_text("{}", encoding="utf-8")
        kernel.run(STARTUP.format(notebook=str(notebook)))
        kernel.run(CONNECT)
        yield kernel


def html_of(kernel: Kernel, request: str) -> str:
    """Return the HTML that a cell shows, without styles."""
    shown = outputs(list(kernel.messages), request)
    html = "".join(str(one.get("data", {}).get("text/html", "")) for one in shown)
    return re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)


def run(kernel: Kernel, code: str) -> str:
    """Run a cell and return its HTML."""
    request = kernel.send(code)
    kernel.result(request)
    return html_of(kernel, request)


def states(messages: list[Message]) -> Iterator[dict[str, Any]]:
    """Yield what is sent of widgets, new ones and changes."""
    for message in messages:
        if message.kind in ("comm_open", "comm_msg"):
            yield message.content["data"].get("state", {})


def recorded(**outcomes: str) -> None:
    """Record what was seen to work."""
    record("vscode", versions_of(("ipykernel", "ipywidgets", "anywidget")), **outcomes)  # type: ignore[arg-type]


def test_videos_have_paths_from_the_notebooks_folder(vscode: Kernel, notebook: Path) -> None:
    """The kernel starts elsewhere; the videos are beside the notebook, and the page finds them there."""
    (source,) = SOURCE.findall(run(vscode, LOUD))
    assert source.startswith("./qingbo_videos/")
    assert (notebook.parent / source).is_file(), (
        f"the page would look for {source} beside the notebook in vain"
    )
    run(vscode, "%cd /")
    (source,) = SOURCE.findall(run(vscode, "task"))
    assert (notebook.parent / source).is_file()
    run(vscode, "%cd -")
    recorded(video="partly")  # without sound


def test_messages_are_small_and_need_no_other_package(vscode: Kernel) -> None:
    """No video is in a message, and no script, style or font is loaded from elsewhere."""
    run(vscode, LOUD)
    for code in (
        "studio = qw.VideoStudio(prompt='A koi', duration=5)\nstudio",
        "sweep = qw.sweep(['A koi', 'A crane'], duration=5)\nsweep",
        "sweep.start()\nawait sweep",
        "qw.Comparison(sweep.tasks)",
        "gallery = qw.Gallery()\ngallery",
    ):
        run(vscode, code)
    messages = vscode.ui_messages(0.0)
    largest = max(messages, key=lambda message: message.bytes)
    assert largest.bytes < LARGEST, f"a {largest.kind} of {largest.bytes} bytes"
    modules = {
        state[name]
        for state in states(messages)
        for name in ("_model_module", "_view_module")
        if state.get(name)
    }
    assert modules <= PACKAGES, "VS Code would look for these on its CDN"
    for message in messages:
        text = str(message.content)
        assert "data:video" not in text
        assert not re.search(r"<script[^>]+src=|<link[^>]+href=|@import|from ['\"]https?:", text)
    recorded(form="yes", card="yes", review="yes")


def test_a_silent_video_and_its_copy_with_sound(vscode: Kernel, notebook: Path) -> None:
    """The output says that it is silent, and what to run; then it plays the copy."""
    html = run(vscode, LOUD)
    assert SILENT in html
    assert "task.copy_with_sound(); task.show()" in html
    html = run(vscode, "path = task.copy_with_sound(); task.show()")
    (source,) = SOURCE.findall(html)
    assert source.endswith("-mp3.mp4")
    assert (notebook.parent / source).is_file()
    assert SILENT not in html


def test_a_video_that_has_no_sound_is_not_called_silent(vscode: Kernel) -> None:
    """There is nothing that a copy would add."""
    quiet = LOUD.replace("enable_audio=True", "enable_audio=False")
    html = run(vscode, quiet)
    assert (len(SOURCE.findall(html)), SILENT in html) == (1, False)


def test_the_button_of_a_card(vscode: Kernel) -> None:
    """In a studio a click makes the copy, and the player in the card is that of the copy."""
    before = len(vscode.messages)
    run(vscode, "studio = qw.VideoStudio(prompt='A koi', duration=5, enable_audio=True)\nstudio")
    run(vscode, "studio.generate_button.click()\nawait studio.cards[0].task")
    (button,) = {
        message.content["comm_id"]
        for message in vscode.messages[before:]
        if message.kind == "comm_open"
        and message.content["data"]["state"].get("description") == "Copy with sound"
    }
    content = {"comm_id": button, "data": {"method": "custom", "content": {"event": "click"}}}
    vscode.deliver("comm_msg", content)

    def played() -> bool:
        shown = [str(state["outputs"]) for state in states(vscode.messages[before:]) if state.get("outputs")]
        return bool(shown) and "-mp3.mp4" in shown[-1]

    vscode.wait_for(played, 60)
    assert "Copy with sound" not in vscode.run(
        "print([one.description for one in studio.cards[0].buttons.children])"
    )


@pytest.mark.host
def test_another_host_says_nothing_of_it(tmp_path: Path) -> None:
    """Jupyter's pages play AAC, also if their server was started in a terminal of VS Code."""
    with start_kernels(tmp_path) as (kernel,):
        kernel.run("import os\nos.environ.update(TERM_PROGRAM='vscode', VSCODE_PID='1')")
        kernel.run(CONNECT)
        html = run(kernel, LOUD)
        assert (len(SOURCE.findall(html)), SILENT in html) == (1, False)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[Path], str]]:
    """Yield a function that returns the URL of a file in the test's folder."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield lambda path: f"http://127.0.0.1:{server.server_port}/{path.relative_to(tmp_path).as_posix()}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.browser
def test_a_browser_decodes_the_copys_sound(
    tmp_path: Path, browser: Browser, serve: Callable[[Path], str]
) -> None:
    """Chromium plays pictures and sound of the copy; VS Code's has the same decoder of MP3."""
    copy = make_sound_copy(clapped(tmp_path / "koi.mp4"))
    (tmp_path / "page.html").write_text(f'<video src="{copy.name}" muted></video>', encoding="utf-8")
    page = browser.new_page()
    try:
        page.goto(serve(tmp_path / "page.html"))
        found = page.locator("video").evaluate(
            "video => new Promise((done, failed) => {"
            "  video.onerror = () => failed(video.error.message);"
            "  video.ontimeupdate = () => video.currentTime > 1 && done("
            "    [video.videoWidth, video.webkitAudioDecodedByteCount, video.duration]);"
            "  video.play().catch(failed);"
            "})"
        )
    finally:
        page.close()
    width, sound, seconds = found
    assert width == 64
    assert sound > 0, "no sound was decoded"
    assert seconds == pytest.approx(4, abs=0.1)
