"""The package: import, build and installation."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

import qingbo_widgets as qw

ROOT = Path(__file__).parent.parent

PROMISED = [
    "AuthenticationFailed",
    "BadRequest",
    "CameraControl",
    "Client",
    "Comparison",
    "ConnectionFailed",
    "DownloadFailed",
    "DynamicMask",
    "FramePicker",
    "Gallery",
    "InsufficientBalance",
    "InvalidRequest",
    "Library",
    "LinkExpired",
    "MissingApiKey",
    "Pairwise",
    "QingboError",
    "RateLimited",
    "RequestForm",
    "Sandbox",
    "ServerFault",
    "ServiceError",
    "Shot",
    "Storage",
    "SubmissionUnconfirmed",
    "Sweep",
    "Task",
    "TaskCancelled",
    "TaskCard",
    "TaskFailed",
    "TaskManager",
    "TaskNotFound",
    "TaskSnapshot",
    "TaskStatus",
    "UploadFailed",
    "VideoRequest",
    "VideoStudio",
    "WaitTimeout",
    "connect",
    "generate",
    "sweep",
]


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Run a command and return its output; a failure shows its error output."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=200,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_importing_starts_and_loads_nothing(tmp_path: Path) -> None:
    """Importing starts no thread, writes no file and loads no heavy library, so the first cell is fast."""
    script = (
        "import json, sys, threading\n"
        "opened = []\n"
        "sys.addaudithook(lambda event, args: event == 'open' and opened.append([*map(str, args[:2])]))\n"
        "import qingbo_widgets as qw\n"
        "names = dir(qw)\n"
        "heavy = {'requests', 'sqlalchemy', 'ipywidgets', 'IPython', 'av', 'uvicorn', 'traitlets'}\n"
        "written = [p for p, mode in opened if set(mode) & set('wax+')]\n"
        "read = [p for p, mode in opened if not p.endswith(('.py', '.pyc')) and '.pyc.' not in p]\n"
        "print(json.dumps([threading.active_count(), sorted(heavy & set(sys.modules)), written, read]))\n"
    )
    output = run(sys.executable, "-B", "-c", script, cwd=tmp_path)
    assert json.loads(output) == [1, [], [], []]
    assert list(tmp_path.iterdir()) == []


def test_all_is_sorted_and_is_what_is_public() -> None:
    """``__all__`` is sorted, has no duplicates, and matches ``dir``."""
    assert qw.__all__ == sorted(set(qw.__all__))
    assert {name for name in dir(qw) if not name.startswith("_")} == set(qw.__all__)


@pytest.mark.parametrize("name", sorted({*qw.__all__, *PROMISED}))
def test_every_public_name_is_there(name: str) -> None:
    """Each promised name is public, resolves, and has the same name in its own module."""
    assert name in qw.__all__
    value = getattr(qw, name)
    assert value.__name__ == name
    assert getattr(importlib.import_module(value.__module__), name) is value


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A misspelt name raises an ``AttributeError``, as in any module."""
    with pytest.raises(AttributeError, match="VideoStudioo"):
        _ = qw.VideoStudioo  # type: ignore[attr-defined]


@pytest.mark.slow
def test_the_wheel_is_complete_and_works(tmp_path: Path) -> None:
    """The wheel is complete, contains no tests, and works in a new environment."""
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", tmp_path, ROOT, cwd=tmp_path)
    (sdist,) = tmp_path.glob("*.tar.gz")
    (wheel,) = tmp_path.glob("*.whl")

    with tarfile.open(sdist) as archive:
        top = sdist.name.removesuffix(".tar.gz")
        packed = {name.removeprefix(f"{top}/") for name in archive.getnames()}
    assert {"pyproject.toml", "LICENSE", "README.md", "README.zh.md", "CHANGELOG.md", "Makefile"} <= packed
    assert {"notebooks/quickstart.ipynb", "tests/test_package.py", "qingbo_widgets/py.typed"} <= packed
    assert not [name for name in packed if name.startswith((".venv", "demo", "tests/artifacts", ".git/"))]

    with zipfile.ZipFile(wheel) as archive:
        installed = set(archive.namelist())
    source = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "qingbo_widgets").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert source <= installed, source - installed
    assert "qingbo_widgets/notebooks/quickstart.ipynb" in installed
    assert [name for name in installed if name.endswith("licenses/LICENSE")]
    assert not [name for name in installed if "test" in name]

    home = tmp_path / "environment"
    venv.create(home, with_pip=True)
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    run(python, "-m", "pip", "install", "--no-deps", "--no-index", "--quiet", wheel, cwd=tmp_path)
    # The dependencies come from the environment of the tests, the package itself from the wheel.
    libraries = sysconfig.get_path("purelib")
    own = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).strip()
    (Path(own) / "dependencies.pth").write_text(libraries + "\n")
    smoke = (
        "import qingbo_widgets as qw, pathlib\n"
        "from qingbo_widgets.demo import notebooks_folder\n"
        "assert (notebooks_folder() / 'quickstart.ipynb').exists()\n"
        "with qw.Sandbox(speed=50, draft=True) as sandbox:\n"
        "    with qw.connect(sandbox=sandbox) as manager:\n"
        "        manager.poll_interval = 0.1\n"
        "        task = qw.generate('一只猫').wait(timeout=60)\n"
        "        assert task.video_path.stat().st_size > 1000\n"
        "print(pathlib.Path(qw.__file__).parent.parent)\n"
    )
    assert run(python, "-c", smoke, cwd=tmp_path).splitlines()[-1] == own
    assert "sandbox" in run(python, "-m", "qingbo_widgets", "--help", cwd=tmp_path)

    # As in a user's project: installed, its py.typed found, and nothing of our settings.
    shutil.copy(ROOT / "tests/typing/api.py", tmp_path)
    mypy = (sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", tmp_path / "cache")
    assert "no issues found" in run(*mypy, "--python-executable", python, "api.py", cwd=tmp_path)
