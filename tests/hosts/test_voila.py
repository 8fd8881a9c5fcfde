"""Voila, as it is installed and with its option: every view of a video plays, or says why not."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Browser, Page, expect

from tests.hosts.environments import python_of, variables_of, versions_of
from tests.hosts.results import record

pytestmark = pytest.mark.browser

#: The option that lets Voila serve videos, as the package advises it.
ALLOWLIST = r"--VoilaConfiguration.file_allowlist=.*\.(png|jpg|mp4)"
#: Milliseconds that a condition may take on a busy machine.
PATIENCE = 60_000
#: The visible players, and for each whether it can play. Those below live views are hidden.
PLAYERS = """() => [...document.querySelectorAll('video')]
    .filter(video => video.checkVisibility())
    .map(video => {
        if (video.preload === 'none') video.preload = 'metadata';
        return video.readyState >= 2 && video.videoWidth > 0;
    })"""
#: The visible lines of pages that cannot get a file.
LINES = """() => [...document.querySelectorAll('.qingbo-hint')]
    .filter(line => line.checkVisibility() && line.textContent.includes('cannot load the video')).length"""
EMBEDDED = "[...document.querySelectorAll('video')].filter(each => each.src.startsWith('data:')).length"

CONNECT = "import qingbo_widgets as qw\nqw.connect(sandbox=qw.Sandbox(speed=50, draft=True){embed})"
WALK = (
    "studio = qw.VideoStudio(prompt='A lantern')\nstudio",
    "sweep = qw.sweep(prompt='A koi', duration=[5, 10])\nawait sweep\nsweep",
    "sweep.tasks[0].show()",
    "qw.Comparison(sweep.tasks)",
    "qw.Gallery()",
)


@contextlib.contextmanager
def voila(folder: Path, cells: Sequence[str], *options: str, **variables: str) -> Iterator[str]:
    """Serve a notebook with Voila, with settings of its own, and yield the page's address."""
    folder.mkdir()
    notebook = new_notebook(cells=[new_code_cell(source) for source in cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, folder / "walk.ipynb")
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    command = [
        *(str(python_of()), "-m", "voila", "walk.ipynb", "--no-browser"),
        *(f"--port={port}", "--Voila.ip=127.0.0.1", *options),
    ]
    log = folder.with_suffix(".log")
    with log.open("wb") as output:
        server = subprocess.Popen(
            command,
            cwd=folder,
            env={**variables_of(folder.parent / "own"), **variables},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        url, end = f"http://127.0.0.1:{port}/", time.monotonic() + PATIENCE / 1000
        while not _answers(url):
            running = server.poll() is None and time.monotonic() < end
            assert running, f"Voila did not start:\n{log.read_text()[-3000:]}"
            time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=30)


def _answers(url: str) -> bool:
    """Return whether the server is there; its first page would run the notebook."""
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            url + "voila/static/", timeout=5
        ):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def walk(page: Page, url: str, generate: str = "Generate") -> None:
    """Open the page, generate a video in the studio, and open a task of the gallery."""
    page.set_default_timeout(PATIENCE)
    page.goto(url, wait_until="commit")  # the page comes cell by cell
    tile = page.locator(".qingbo-gallery .qingbo-tile button").first
    expect(tile).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name=generate, exact=True).click()
    expect(page.locator(".qingbo-stage .qingbo-saved video").nth(2)).to_be_attached(timeout=PATIENCE)
    tile.click()
    expect(page.locator(".qingbo-opened video").first).to_be_attached(timeout=PATIENCE)


#: One in the studio, two in the sweep, one of the task, two in the comparison, one of the gallery.
VIDEOS = 7


def check_all_play(page: Page) -> None:
    """Every player plays, none has a line below it, and the comparison has its controls."""
    page.wait_for_function(f"() => ({PLAYERS})().length >= {VIDEOS}", timeout=PATIENCE)
    page.wait_for_function(f"() => ({PLAYERS})().every(Boolean)", timeout=PATIENCE)
    assert page.evaluate(LINES) == 0, "a line says that a video cannot be loaded, below one that plays"
    comparison = page.locator(".qingbo-comparison")
    expect(comparison.get_by_role("button", name="Play")).to_be_enabled(timeout=PATIENCE)


def test_voila_as_installed(tmp_path: Path, browser: Browser) -> None:
    """Voila serves no videos by default, so each is in the page, and plays in every view."""
    with voila(tmp_path / "notebooks", (CONNECT.format(embed=""), *WALK)) as url:
        page = browser.new_page()
        walk(page, url)
        check_all_play(page)
        sources = page.evaluate(
            "[...document.querySelectorAll('video')].map(video => video.src.slice(0, 11))"
        )
        assert sources.count("data:video/") >= VIDEOS
        page.close()
    versions = versions_of(("voila", "ipywidgets", "anywidget", "ipykernel", "python"))
    record("voila", versions, form="yes", card="yes", video="yes", review="yes")


@pytest.mark.host
def test_voila_without_its_option(tmp_path: Path, browser: Browser) -> None:
    """With ``embed=False``, a line below each player names Voila's option; no player is silently grey."""
    with voila(tmp_path / "notebooks", (CONNECT.format(embed=", embed=False"), *WALK)) as url:
        page = browser.new_page()
        walk(page, url)
        page.wait_for_function(f"() => ({PLAYERS})().length >= {VIDEOS}", timeout=PATIENCE)
        page.wait_for_function(f"() => ({LINES})() >= {VIDEOS}", timeout=PATIENCE)
        line = page.locator(".qingbo-hint:visible", has_text="cannot load the video").first
        expect(line).to_contain_text(r"--VoilaConfiguration.file_allowlist='.*\.(png|jpg|mp4)'")
        expect(line).to_contain_text("qw.connect(embed=True)")
        page.close()


@pytest.mark.host
def test_voila_that_serves_videos(tmp_path: Path, browser: Browser) -> None:
    """With Voila's option and ``embed=False``, the videos play from their files."""
    cells = (CONNECT.format(embed=", embed=False"), *WALK)
    with voila(tmp_path / "notebooks", cells, ALLOWLIST) as url:
        page = browser.new_page()
        walk(page, url)
        check_all_play(page)
        assert not page.evaluate(
            "[...document.querySelectorAll('video')].some(v => v.src.startsWith('data:'))"
        )
        page.close()
    versions = versions_of(("voila", "ipywidgets", "anywidget", "ipykernel", "python"))
    record("voila-allowlist", versions, form="yes", card="yes", video="yes", review="yes")
