"""Published notebooks: pages of nbconvert and Sphinx whose videos play in a browser, from files alone."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import nbformat
import pytest
from harness import playable
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from playwright.sync_api import Browser, Page, expect

from .environments import python_of, variables_of, versions_of
from .results import record

KOI = "课程 one/50% #1.ipynb"
"""A notebook whose library is beside it, in a folder and with a name that URLs must escape."""
SHARED = "lesson/shared.ipynb"
"""A notebook whose library is in the folder above."""
CONNECT = """
import qingbo_widgets as qw
manager = qw.connect(sandbox=qw.Sandbox(speed=30, draft=True){more})
manager.poll_interval = 0.1
"""
CELLS = {
    KOI: [
        CONNECT.format(more=", library='videos 100% #影片'"),
        "koi = qw.generate('锦鲤 50% #1 koi', duration=3)\nawait koi",
        "koi.show()",
        "crane = await qw.generate('a crane', duration=3)",
        "qw.Comparison([koi, crane])",
    ],
    SHARED: [
        CONNECT.format(more=", library='../shared_videos'"),
        "owl = qw.generate('an owl', duration=3)\nawait owl",
        "owl.show()",
    ],
}
SETTINGS = """
project = "Koi"
extensions = ["myst_nb", "qingbo_widgets.publishing.sphinx"]
nb_execution_mode = "off"
"""
INDEX = """
# Koi

```{toctree}
:glob:

*/*
```
"""
OTHERS = ("dirhtml", "singlehtml")
"""Builders that no usual run of the tests includes."""
PLAYERS = "video:not([src^='data:'])"


def run(command: Sequence[object], folder: Path, *, status: int = 0, **variables: str) -> str:
    """Run a command in a folder and return its output; a wrong exit status shows all of it."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**variables_of(folder.parent / "host"), **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=200,
    )
    assert done.returncode == status, f"{command} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


def publish(*arguments: object, folder: Path, status: int = 0) -> str:
    """Run ``python -m qingbo_widgets publish`` in a folder and return its output."""
    return run([python_of(), "-m", "qingbo_widgets", "publish", *arguments], folder, status=status)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two notebooks that nbconvert has run, and their libraries."""
    folder = tmp_path_factory.mktemp("publishing") / "project"
    for name, cells in CELLS.items():
        notebook = new_notebook(
            cells=[new_markdown_cell(f"# {Path(name).stem}"), *map(new_code_cell, cells)],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        )
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, path)
    (folder / "index.md").write_text(INDEX, encoding="utf-8")
    (folder / "conf.py").write_text(SETTINGS, encoding="utf-8")
    convert = [python_of(), "-m", "nbconvert", "--to", "notebook", "--execute", "--inplace"]
    run([*convert, *CELLS], folder)
    return folder


def moved(site: Path, tmp_path: Path) -> Path:
    """Move a site away from its notebooks, as an upload or a copy to another computer would."""
    return Path(shutil.move(site, tmp_path / "elsewhere 别处 #2"))


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Yield a page without a network, as a reader on a train has it."""
    context = browser.new_context()
    context.route("http://**", lambda route: route.abort())
    context.route("https://**", lambda route: route.abort())
    yield context.new_page()
    context.close()


def check_players(page: Page, file: Path, count: int) -> list[dict[str, Any]]:
    """Open a page from its file; check that it has so many videos, which play, and their posters."""
    page.goto(file.as_uri())
    videos = page.locator(PLAYERS)
    expect(videos).to_have_count(count)
    states = [playable(videos.nth(number)) for number in range(count)]
    broken = page.evaluate(
        "() => Promise.all([...document.querySelectorAll(\"img[src*='posters/']\")].map(async (image) => {"
        "  image.loading = 'eager'; await image.decode().catch(() => null);"
        "  return image.naturalWidth ? null : image.src; }))"
    )
    assert [source for source in broken if source] == [], "a player is grey where its poster should be"
    return states


def names_in(folder: Path, pattern: str) -> list[str]:
    """Return the paths of the files in a folder and its subfolders that match a pattern."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob(pattern))


@pytest.mark.browser
def test_nbconvert(project: Path, page: Page, tmp_path: Path) -> None:
    """``publish`` makes one folder whose videos play from ``file://``, also after it has been moved."""
    printed = publish(*CELLS, "--to", tmp_path / "site", folder=project)
    assert "Videos and pictures copied: 6" in printed
    site = moved(tmp_path / "site", tmp_path)
    check_players(page, site / "课程 one/50% #1.html", 4)
    check_players(page, site / "lesson/shared.html", 2)
    assert names_in(site, "*.mp4") == names_in(project, "*.mp4"), "a video is missing, or there twice"
    assert [*site.rglob("*.sqlite*"), *site.rglob("*.json")] == [], "prompts and the journal were published"
    record("nbconvert-file", versions_of(["nbconvert"]), video="yes")


@pytest.mark.host
@pytest.mark.browser
def test_a_library_above_the_published_folder(project: Path, page: Page, tmp_path: Path) -> None:
    """The page of one notebook lies at the top of the site; its videos from above are put inside."""
    publish(SHARED, "--to", tmp_path / "site", folder=project)
    site = moved(tmp_path / "site", tmp_path)
    states = check_players(page, site / "shared.html", 2)
    assert all(state["src"].startswith("./shared_videos/") for state in states)
    assert len(names_in(site, "shared_videos/*.mp4")) == 1


@pytest.mark.browser
@pytest.mark.parametrize(
    "builder", ["html", *(pytest.param(name, marks=pytest.mark.host) for name in OTHERS)]
)
def test_sphinx(project: Path, page: Page, tmp_path: Path, builder: str) -> None:
    """With the extension, the pages of Sphinx play, wherever they are, and share their videos."""
    built = tmp_path / "site"
    command = [python_of(), "-m", "sphinx", "-q", "-b", builder, "-d", tmp_path / "trees", project, built]
    for _ in range(2 if builder == "dirhtml" else 1):  # the second time, only URLs have changed
        assert "is missing" not in run(command, project)
    site = moved(built, tmp_path)
    pages = {
        "html": {"课程 one/50% #1.html": 4, "lesson/shared.html": 2},
        "dirhtml": {"课程 one/50% #1/index.html": 4, "lesson/shared/index.html": 2},
        "singlehtml": {"index.html": 6},
    }
    for name, count in pages[builder].items():
        check_players(page, site / name, count)
    assert names_in(site, "*.mp4") == names_in(project, "*.mp4"), "a video is missing, or there twice"
    if builder == "html":
        record("sphinx", versions_of(["sphinx", "myst-nb"]), video="yes")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Return a Sphinx project without notebooks, whose page shows two videos, one of them gone."""
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "conf.py").write_text("extensions = ['qingbo_widgets.publishing.sphinx']\n", encoding="utf-8")
    videos = "<video src='koi.mp4'></video><video src='./gone%20%E9%B1%BC.mp4'></video>"
    (folder / "index.rst").write_text(f"Koi\n===\n\n.. raw:: html\n\n   {videos}\n", encoding="utf-8")
    (folder / "koi.mp4").write_bytes(b"\x00\x00\x00\x18ftypmp42" + bytes(100))
    return folder


def test_sphinx_warns_of_a_missing_video(small: Path, tmp_path: Path) -> None:
    """A video that is gone is a warning with the page and the file; the other one is copied."""
    command = [python_of(), "-m", "sphinx", small, tmp_path / "site"]
    printed = run(command, small)
    assert "index.html: ./gone 鱼.mp4 is missing: there is no such file" in printed
    assert "[qingbo.missing]" in printed
    assert "Videos and pictures copied: 1" in printed
    assert names_in(tmp_path / "site", "*.mp4") == ["koi.mp4"]
    run([*command, "-W", "-E"], small, status=1)


@pytest.mark.host
@pytest.mark.parametrize("builder", ["text", "epub", "json"])
def test_another_builder_is_left_alone(small: Path, tmp_path: Path, builder: str) -> None:
    """A builder without pages for a browser works as before."""
    printed = run([python_of(), "-m", "sphinx", "-b", builder, small, tmp_path / "site"], small)
    assert "is missing" not in printed
    assert names_in(tmp_path / "site", "*.mp4") == []


@pytest.mark.host
@pytest.mark.browser
def test_pages_of_another_program(project: Path, page: Page, tmp_path: Path) -> None:
    """Pages that were built without the videos, at the places of the notebooks, are completed."""
    built = tmp_path / "site"
    convert = [python_of(), "-m", "nbconvert", "--to", "html", "--output-dir"]
    run([*convert, built / "lesson", SHARED], project)
    run([*convert, built / "课程 one" / "50% #1", "--output", "index", KOI], project)
    assert names_in(built, "*.mp4") == []
    printed = publish("--built", built, folder=project)
    assert "Videos and pictures copied: 6" in printed
    site = moved(built, tmp_path)
    check_players(page, site / "课程 one/50% #1/index.html", 4)
    check_players(page, site / "lesson/shared.html", 2)
    assert names_in(site, "*.mp4") == names_in(project, "*.mp4")


@pytest.mark.host
@pytest.mark.browser
def test_execute(project: Path, page: Page, tmp_path: Path) -> None:
    """``--execute`` runs a notebook beside its file, which stays as it is; a cell's error ends it."""
    (video,) = (project / "shared_videos").glob("*.mp4")
    folder = tmp_path / "fresh [1]"  # a pattern for nbconvert
    folder.mkdir()
    cells = [
        f"import shutil; shutil.copy({str(video)!r}, 'owl.mp4')",
        "from IPython.display import HTML; HTML('<video src=owl.mp4 controls></video>')",
    ]
    notebook = new_notebook(cells=[*map(new_code_cell, cells)])
    nbformat.write(notebook, folder / "owl.ipynb")
    before = (folder / "owl.ipynb").read_bytes()
    publish("owl.ipynb", "--to", "site", "--execute", folder=folder)
    check_players(page, folder / "site/owl.html", 1)
    assert (folder / "owl.ipynb").read_bytes() == before
    notebook.cells[0].source = "raise SystemError('the pond is empty')"
    nbformat.write(notebook, folder / "owl.ipynb")
    printed = publish("owl.ipynb", "--to", "site2", "--execute", folder=folder, status=1)
    assert "the pond is empty" in printed
    assert "nbconvert made no page" in printed


def test_without_nbconvert(project: Path) -> None:
    """Without nbconvert the command prints how to install it."""
    script = (
        "import sys; sys.modules['nbconvert'] = None\n"
        "from qingbo_widgets.__main__ import main\n"
        f"sys.exit(main(['publish', {SHARED!r}, '--to', 'nowhere']))"
    )
    printed = run([python_of(), "-c", script], project, status=1)
    assert "pip install nbconvert" in printed
    assert not (project / "nowhere").exists()
