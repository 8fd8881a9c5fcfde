"""Tests of ``tools/environment.py``: when an environment is created, updated or left unchanged."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import environment
import pytest
from environment import LATEST, LOCKED, LOWEST, Environment, SetupError

ROOT = Path(environment.__file__).parent.parent
Commands = list[list[str]]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project with two lock files, which replaces this one."""
    (tmp_path / "requirements").mkdir()
    for name in ("pyproject.toml", "requirements/demo.txt", "requirements/test.txt"):
        (tmp_path / name).write_text(f"# {name}\n", encoding="utf-8")
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "REQUIREMENTS", tmp_path / "requirements")
    return tmp_path


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Commands:
    """Return the commands that were run; environments are really created, but without pip or downloads."""
    commands: Commands = []
    run = environment.run

    def record(*command: str | Path, log: Path | None = None, **_: object) -> int:
        arguments = [os.fspath(part) for part in command]
        commands.append(arguments)
        if "pip" in arguments:
            return 0
        return run(*command, "--without-pip", log=log)

    monkeypatch.setattr(environment, "run", record)
    return commands


def test_an_environment_is_created_once(project: Path, installed: Commands) -> None:
    """A second command starts at once, and its additional packages go into the same environment."""
    python = Environment(python=sys.executable).ensure("demo")
    assert (
        subprocess.run([python, "-c", "import sys; sys.exit(sys.prefix == sys.base_prefix)"]).returncode == 0
    )
    count = len(installed)
    assert Environment().ensure("demo") == python
    assert len(installed) == count
    Environment().ensure("test")
    assert ["venv" in command for command in installed[count:]] == [False, False]
    assert str(project / "requirements" / "test.txt") in installed[count]


def test_only_hashed_packages_are_installed(project: Path, installed: Commands) -> None:
    """Only hashed packages are installed; pip resolves nothing and builds this package with locked tools."""
    Environment(python=sys.executable).ensure("demo")
    locked, own = installed[1:]
    assert {"--require-hashes", "--no-deps"} <= set(locked)
    assert {"--no-deps", "--no-build-isolation"} <= set(own)


def test_a_changed_lock_recreates_the_environment(project: Path, installed: Commands) -> None:
    """A changed lock recreates the environment, which removes packages that the new lock lacks."""
    home = Environment(python=sys.executable).ensure("demo").parent.parent
    (home / "left over").touch()
    (project / "requirements" / "demo.txt").write_text("# another\n", encoding="utf-8")
    Environment(python=sys.executable).ensure("demo")
    assert not (home / "left over").exists()


@pytest.mark.slow
def test_an_interrupted_installation_is_done_again(project: Path, installed: Commands) -> None:
    """An interrupted installation or creation does not count as complete and is repeated."""
    home = Environment(python=sys.executable).ensure("demo").parent.parent
    for stamp in ('{"demo": ', "[]", None):
        (home / "installed.json").unlink()
        if stamp is not None:
            (home / "installed.json").write_text(stamp, encoding="utf-8")
        installed.clear()
        Environment(python=sys.executable).ensure("demo")
        assert ["venv" in command for command in installed] == [True, False, False]


def test_a_copied_checkout_installs_itself(
    project: Path, installed: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copied checkout installs itself; otherwise its environment would import the original's code."""
    Environment(python=sys.executable).ensure("demo")
    copy = project.with_name("copy")
    shutil.copytree(project, copy, symlinks=True)
    monkeypatch.setattr(environment, "ROOT", copy)
    monkeypatch.setattr(environment, "REQUIREMENTS", copy / "requirements")
    installed.clear()
    Environment().ensure("demo")
    assert any("--editable" in command for command in installed)


def test_a_changed_project_is_installed_again(project: Path, installed: Commands) -> None:
    """A changed project, whose metadata may differ, is installed again into the same environment."""
    Environment(python=sys.executable).ensure("demo")
    (project / "pyproject.toml").write_text("# another\n", encoding="utf-8")
    count = len(installed)
    Environment().ensure("demo")
    assert ["venv" in command for command in installed[count:]] == [False, False]


def test_each_selection_has_its_own_environment(project: Path, installed: Commands) -> None:
    """The newest releases have an environment apart from the locked one and are looked up every time."""
    homes = {Environment(selection).home.name for selection in (LOCKED, LATEST, LOWEST)}
    assert homes == {".venv", ".venv-latest", ".venv-lowest"}
    for _ in range(2):
        installed.clear()
        Environment(LATEST, sys.executable).ensure("demo")
        assert any({"--upgrade", "--editable"} <= set(command) for command in installed)
    assert all("--require-hashes" not in command for command in installed)


def test_a_failed_installation_shows_its_end(
    project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A failed installation prints pip's last lines, and the message names the file with all of them."""
    home = project / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    (home / "installed.json").write_text("{}", encoding="utf-8")
    with pytest.raises(SetupError, match=r"install\.log"):
        Environment().ensure("demo")
    assert "No module named pip" in capfd.readouterr().err
    assert (home / "installed.json").read_text(encoding="utf-8") == "{}"


@pytest.mark.slow
def test_a_stub_that_does_not_run_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stub of a version manager on PATH that does not run is skipped, and the next name is tried."""
    for name, script in (("python3.14", "exit 127"), ("python3.13", f'exec {sys.executable} "$@"')):
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (tmp_path / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    if os.name == "nt":
        pytest.skip("shell scripts cannot be executed on Windows")
    monkeypatch.setattr(sys, "_base_executable", str(tmp_path / "python3.14"))
    assert environment.find_python(None) == "python3.13"


def test_a_requested_python_that_does_not_run_is_named(tmp_path: Path) -> None:
    """The message names the requested Python that does not run."""
    with pytest.raises(SetupError, match=r"nowhere does not run, or is not a Python 3\.11"):
        environment.find_python(str(tmp_path / "nowhere"))


def test_variables_of_the_caller_are_not_inherited(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A caller's PYTHONPATH is removed, because it would put other packages before the tested ones."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PIP_USER", "1")
    log = tmp_path / "log"
    script = "import os; print('PYTHONPATH' in os.environ, os.environ['PIP_USER'])"
    assert environment.run(sys.executable, "-c", script, log=log) == 0
    assert log.read_text(encoding="utf-8").split() == ["False", "0"]


def test_the_stamp_records_the_installation(project: Path, installed: Commands) -> None:
    """The stamp records the digests of the lock and of the project."""
    home = Environment(python=sys.executable).ensure("demo").parent.parent
    assert json.loads((home / "installed.json").read_text(encoding="utf-8")).keys() == {
        "demo",
        "project",
        "root",
    }


@pytest.mark.skipif(os.name == "nt", reason="make is rare on Windows")
@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ("test", "tools/dev.py test"),
        ("test LATEST=1", "--latest"),
        ("test LOWEST=yes", "--lowest"),
        ("test LATEST=0", "tools/dev.py test"),
        ("demo ONCE=1", "tools/dev.py demo --once"),
        ("test PYTHON='/opt/a b/python'", "--python='/opt/a b/python'"),
    ],
)
def test_make_has_short_names(arguments: str, options: str) -> None:
    """The short variables in the Makefile's help become options."""
    # The make that runs the tests passes its own variables down.
    inherited = ("MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "LATEST", "LOWEST", "ONCE", "PYTEST", "PYTHON")
    shown = subprocess.run(
        f"make --no-print-directory -n {arguments}",
        shell=True,
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name not in inherited},
        capture_output=True,
        encoding="utf-8",
    )
    assert options in shown.stdout, shown
    assert ("--latest" in shown.stdout) == ("LATEST=1" in arguments)
