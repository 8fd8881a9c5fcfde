"""The place of the notebook, in each host, and after a move."""

from __future__ import annotations

import ntpath
import os
from pathlib import Path, PureWindowsPath
from types import SimpleNamespace

import pytest

from qingbo_widgets.system import notebook
from qingbo_widgets.system.notebook import (
    START,
    Place,
    beside_notebook,
    locate,
    notebook_place,
    relative_path,
    shown_path,
)
from tests.places import StartKernel

VSCODE, OUTPUT, INPUT, SESSION = *notebook.VARIABLES, notebook.SESSION


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the root of a server, with notebooks in it and in a folder; the kernel starts in the folder."""
    root = tmp_path / "root"
    for file in ("a.ipynb", "课程 one/b.ipynb", "100% #2/c.ipynb", "out/d.ipynb"):
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text("{}", encoding="utf-8")
    return root


def link(place: Path, target: Path) -> Path:
    """Create a symbolic link, or skip the test where the system has none."""
    try:
        place.symlink_to(target, target_is_directory=target.is_dir())
    except OSError as error:
        pytest.skip(f"this system has no symbolic links: {error}")
    return place


@pytest.mark.parametrize(
    ("variables", "folder", "source", "file"),
    [
        # JupyterLab and Notebook 7 set the path of the notebook.
        ({SESSION: "{root}/课程 one/b.ipynb"}, "课程 one", SESSION, "b.ipynb"),
        ({SESSION: "{root}/100% #2/c.ipynb"}, "100% #2", SESSION, "c.ipynb"),
        # nbclassic sets the folder, with a slash at its end.
        ({SESSION: "{root}/课程 one/"}, "课程 one", SESSION, None),
        ({SESSION: "{root}"}, "", SESSION, None),
        # A console, and a VS Code whose server is elsewhere, have names of their own.
        ({SESSION: "{root}/课程 one/console-1-6f2a"}, "课程 one", SESSION, None),
        ({SESSION: "{root}/课程 one/6f2a9c1e-jvsc-77.ipynb"}, "课程 one", SESSION, None),
        # A relative name is relative to a root that is not known; the kernel starts in the right folder.
        ({SESSION: "课程 one/b.ipynb"}, "课程 one", SESSION, "b.ipynb"),
        ({SESSION: "b.ipynb"}, "课程 one", SESSION, "b.ipynb"),
        ({SESSION: "sub/gone.ipynb"}, "课程 one", START, None),
        ({SESSION: "课程 one/"}, "课程 one", START, None),
        # The drives of jupyter-collaboration.
        ({SESSION: "RTC:课程 one/b.ipynb"}, "课程 one", SESSION, "b.ipynb"),
        ({SESSION: "{root}/课程 one/RTC:b.ipynb"}, "课程 one", SESSION, "b.ipynb"),
        ({SESSION: "{root}/课程 one/collab:b.ipynb"}, "课程 one", SESSION, "b.ipynb"),
        # Percent-encoded, by a host that takes it from the URL; a real name with a percent sign stays.
        ({SESSION: "{root}/%E8%AF%BE%E7%A8%8B%20one/b.ipynb"}, "课程 one", SESSION, "b.ipynb"),
        ({SESSION: "%E8%AF%BE%E7%A8%8B%20one/b.ipynb"}, "课程 one", SESSION, "b.ipynb"),
        # Nothing, or nothing that is on this machine.
        ({}, "课程 one", START, None),
        ({SESSION: ""}, "课程 one", START, None),
        ({SESSION: "  "}, "课程 one", START, None),
        ({SESSION: "/no/such/folder/a.ipynb"}, "课程 one", START, None),
        ({SESSION: "x" * 5000}, "课程 one", START, None),
        ({SESSION: "/" + "x" * 5000 + "/a.ipynb"}, "课程 one", START, None),
        ({SESSION: "a\0b"}, "课程 one", START, None),
        ({SESSION: "6f2a9c1e"}, "课程 one", START, None),
        ({SESSION: "."}, "课程 one", START, None),
        ({SESSION: "RTC:"}, "课程 one", START, None),
        ({SESSION: "https://hub.example/a.ipynb"}, "课程 one", START, None),
        # VS Code.
        ({VSCODE: "{root}/a.ipynb"}, "", VSCODE, "a.ipynb"),
        ({VSCODE: "{root}/a.ipynb", SESSION: "{root}/课程 one/b.ipynb"}, "", VSCODE, "a.ipynb"),
        ({VSCODE: "/of/another/machine/a.ipynb"}, "课程 one", START, None),
        ({VSCODE: "/of/another/machine/a.ipynb", SESSION: "{root}/a.ipynb"}, "", SESSION, "a.ipynb"),
        ({VSCODE: None}, "课程 one", START, None),
        ({VSCODE: 7}, "课程 one", START, None),
        # papermill with --inject-paths: the output, which need not exist yet, or is in a cloud.
        ({OUTPUT: "{root}/out/new.ipynb", INPUT: "{root}/a.ipynb"}, "out", OUTPUT, None),
        ({OUTPUT: "{root}/out/d.ipynb", SESSION: "{root}/a.ipynb"}, "out", OUTPUT, "d.ipynb"),
        ({OUTPUT: "s3://bucket/d.ipynb", INPUT: "{root}/a.ipynb"}, "", INPUT, "a.ipynb"),
        ({OUTPUT: "b.ipynb"}, "课程 one", OUTPUT, "b.ipynb"),
        # Its path is relative to where it was started, even if a notebook of that name is there too.
        ({OUTPUT: "../out/d.ipynb", INPUT: "b.ipynb"}, "out", OUTPUT, "d.ipynb"),
        ({OUTPUT: "../100% #2/b.ipynb", INPUT: "b.ipynb"}, "100% #2", OUTPUT, None),
        ({OUTPUT: "../gone/new.ipynb", INPUT: "b.ipynb"}, "课程 one", INPUT, "b.ipynb"),
        ({OUTPUT: "-", INPUT: "../a.ipynb"}, "", INPUT, "a.ipynb"),
    ],
)
def test_each_host_names_the_notebook(
    root: Path, variables: dict[str, object], folder: str, source: str, file: str | None
) -> None:
    """The folder of the notebook is found by what the host says, if it is on this machine."""
    values = {n: v.format(root=root) if isinstance(v, str) else v for n, v in variables.items()}
    environment = {SESSION: str(values.pop(SESSION))} if SESSION in values else {}
    found = locate(environment, values, root / "课程 one", has_page=True)
    expected = None if file is None else root / folder / file
    assert (found.folder, found.source, found.file) == (root / folder, source, expected)


def test_the_root_of_the_file_system(root: Path) -> None:
    """Nbclassic names the folder, which is ``/`` in a container that serves everything."""
    top = root.anchor
    assert locate({SESSION: top}, {}, root, has_page=True) == Place(Path(top), SESSION)


@pytest.mark.skipif(os.name != "nt", reason="paths of Windows are paths on Windows only")
def test_a_path_of_windows(root: Path) -> None:
    """A drive is no drive of jupyter-collaboration, and both slashes are one."""
    for path in (str(root / "a.ipynb"), (root / "a.ipynb").as_posix(), str(root / "a.ipynb").lower()):
        assert locate({SESSION: path}, {}, root, has_page=True).folder.samefile(root)


def test_a_path_of_another_system_is_not_this_machines(root: Path) -> None:
    """A kernel in WSL, started by a server on Windows, is in the folder in which it starts."""
    assert locate({SESSION: r"Q:\Users\me\a.ipynb"}, {}, root, has_page=True) == Place(root, START)


@pytest.mark.parametrize("has_page", [True, False])
def test_a_run_from_a_notebook_does_not_inherit_its_place(root: Path, has_page: bool) -> None:
    """Papermill in a cell runs a kernel elsewhere, which inherits the environment of that cell."""
    found = locate({SESSION: str(root / "a.ipynb")}, {}, root / "out", has_page=has_page)
    assert found.folder == (root if has_page else root / "out")
    in_same_folder = locate({SESSION: str(root / "a.ipynb")}, {}, root, has_page=has_page)
    assert in_same_folder.folder == root


def test_links_on_the_way_stay_as_the_page_has_them(root: Path, tmp_path: Path) -> None:
    """The root, the folder or the notebook may be a link; the page's folder is that of the link."""
    other = link(tmp_path / "server", root)
    inner = link(root / "inner", root / "out")
    notebook_link = link(root / "linked.ipynb", root / "out" / "d.ipynb")
    for path in (other / "a.ipynb", inner / "d.ipynb", notebook_link):
        found = locate({SESSION: str(path)}, {}, path.parent.resolve(), has_page=False)
        assert (found.folder, found.file) == (path.parent, path)


def test_outside_a_kernel_it_is_the_working_directory(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script that a notebook runs is not that notebook."""
    monkeypatch.setenv(SESSION, str(workdir / "elsewhere" / "a.ipynb"))
    (workdir / "elsewhere").mkdir()
    assert notebook_place().folder == workdir
    os.chdir(workdir / "elsewhere")
    assert beside_notebook("videos") == workdir / "elsewhere" / "videos"


@pytest.mark.parametrize("session", ["a.ipynb", "", None])
def test_a_change_of_directory_changes_nothing(
    root: Path, start_kernel: StartKernel, session: str | None
) -> None:
    """``%cd``, before the first question or after it, does not move the notebook."""
    start_kernel(root, session if session is None else f"{root}/{session}")
    os.chdir(root / "out")
    assert beside_notebook("videos") == root / "videos"
    os.chdir(root.parent)
    assert beside_notebook("./videos") == root / "videos"
    assert beside_notebook("sub/videos") == root / "sub" / "videos"


@pytest.mark.skipif(os.name == "nt", reason="Windows removes no working directory")
def test_a_removed_working_directory_harms_nothing(root: Path, start_kernel: StartKernel) -> None:
    """The notebook is known even if the kernel's directory was removed."""
    start_kernel(root, root / "a.ipynb")
    (root / "gone").mkdir()
    os.chdir(root / "gone")
    (root / "gone").rmdir()
    try:
        assert beside_notebook("videos") == root / "videos"
    finally:
        os.chdir(root)


def test_a_path_is_read_as_users_mean_it(
    root: Path, start_kernel: StartKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``~`` and absolute paths are as everywhere, a link is kept, and ``..`` is the parent of its target."""
    start_kernel(root, root / "a.ipynb")
    monkeypatch.setenv("HOME", str(root))
    monkeypatch.setenv("USERPROFILE", str(root))
    assert beside_notebook("~/videos") == root / "videos"
    assert beside_notebook(root / "out") == root / "out"
    assert beside_notebook("../videos") == root.parent.resolve() / "videos"
    inner = link(root / "inner", root.parent)
    assert beside_notebook("inner") == inner
    assert beside_notebook("inner/../videos") == root.parent.parent.resolve() / "videos"


@pytest.mark.parametrize(
    ("to", "moved"),
    [("b.ipynb", False), ("out/a.ipynb", True), ("课程 one/deep/er/b.ipynb", True), ("../b.ipynb", True)],
)
def test_a_notebook_that_is_moved_is_found_again(
    root: Path, start_kernel: StartKernel, to: str, moved: bool
) -> None:
    """Jupyter does not tell a kernel that its notebook was renamed or moved, but its page knows."""
    start_kernel(root, root / "a.ipynb")
    assert notebook_place().moved_from is None
    target = (root / to).resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    (root / "a.ipynb").rename(target)
    found = notebook_place()
    assert (found.folder.resolve(), found.moved_from) == (target.parent, root if moved else None)
    target.rename(root / "back.ipynb")
    assert (notebook_place().folder, notebook_place().moved_from) == (root, None)


def test_a_library_that_was_left_behind_is_still_meant(root: Path, start_kernel: StartKernel) -> None:
    """After a move, the tasks of this kernel stay in their library, until the new place has one."""
    start_kernel(root, root / "a.ipynb")
    (root / "videos").mkdir()
    assert beside_notebook("videos") == root / "videos"
    (root / "a.ipynb").rename(root / "out" / "a.ipynb")
    assert beside_notebook("videos") == root / "videos"
    assert beside_notebook("others") == root / "out" / "others"
    (root / "out" / "videos").mkdir()
    assert beside_notebook("videos") == root / "out" / "videos"


def test_a_copy_is_not_taken_for_the_notebook(
    root: Path, start_kernel: StartKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a removed notebook, the last place is kept, and no other notebook is searched for at each call."""
    start_kernel(root, root / "a.ipynb")
    before = notebook_place()
    (root / "out" / "copy.ipynb").write_bytes((root / "a.ipynb").read_bytes())
    (root / "a.ipynb").rename(root / "a.txt")  # so that no other file gets its identity
    searched: list[Path] = []
    look = notebook._look_into
    monkeypatch.setattr(
        notebook, "_look_into", lambda folder, identity: (searched.append(folder), look(folder, identity))[1]
    )
    assert notebook_place().folder == before.folder
    count = len(searched)
    assert count > 1
    assert notebook_place().folder == before.folder
    assert len(searched) == count


def test_a_program_that_saves_by_replacing_does_not_move_it(root: Path, start_kernel: StartKernel) -> None:
    """A file with another identity under the same name is the same notebook, and is followed from then on."""
    start_kernel(root, root / "a.ipynb")
    assert notebook_place().folder == root
    (root / "new").write_text("{}", encoding="utf-8")
    (root / "new").replace(root / "a.ipynb")
    assert notebook_place().folder == root
    (root / "a.ipynb").rename(root / "out" / "a.ipynb")
    assert notebook_place().folder == root / "out"


@pytest.mark.parametrize(
    ("video", "folder", "relative"),
    [
        (r"C:\Users\me\notes\videos\a b.mp4", r"C:\Users\me\notes", "videos/a b.mp4"),
        (r"c:\USERS\me\notes\a.mp4", r"C:\Users\me\notes", "a.mp4"),
        (r"C:\Users\me\a.mp4", r"C:\Users\me\notes", "../a.mp4"),
        (r"D:\videos\a.mp4", r"C:\Users\me\notes", None),
        (r"\\nas\share\notes\a.mp4", r"\\nas\share\notes", "a.mp4"),
        (r"\\nas\share\notes\videos\a.mp4", r"Z:\notes", "videos/a.mp4"),
        (r"\\nas\other\a.mp4", r"Z:\notes", None),
    ],
)
def test_paths_of_windows(
    video: str, folder: str, relative: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drives, shares and mapped drive letters of shares give the right relative path."""
    monkeypatch.setattr(ntpath, "realpath", lambda path: str(path).replace("Z:\\", "\\\\nas\\share\\"))
    monkeypatch.setattr(notebook, "os", SimpleNamespace(path=ntpath, sep="\\"))
    monkeypatch.setattr(notebook, "notebook_folder", lambda: PureWindowsPath(folder))
    assert relative_path(video) == relative
    assert shown_path(video) == (relative or str(video))
