"""``tools/front_end.py``: when the front end is checked, when that is left out, and what is said of it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import front_end
import pytest
from environment import SetupError

ROOT = Path(__file__).parent.parent.parent
Commands = list[list[str]]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project with a lock file and a unit test, used in place of this one."""
    (tmp_path / "package-lock.json").write_text("{}", encoding="utf-8")
    (tmp_path / "tests" / "review").mkdir(parents=True)
    (tmp_path / "tests" / "review" / "comparison.test.js").touch()
    monkeypatch.setattr(front_end, "ROOT", tmp_path)
    monkeypatch.delenv("CI", raising=False)
    return tmp_path


@pytest.fixture
def commands(project: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """Return the recorded commands of a machine with Node 18 and npm; installing recreates the folder."""
    made: Commands = []

    def record(*command: str | Path, log: Path | None = None) -> int:
        made.append([os.fspath(word) for word in command])
        if "ci" in command:
            shutil.rmtree(project / "node_modules", ignore_errors=True)
            (project / "node_modules").mkdir()
        return 0

    monkeypatch.setattr(front_end, "run", record)
    monkeypatch.setattr(shutil, "which", lambda program: f"/bin/{program}")
    monkeypatch.setattr(front_end, "_version", lambda: (18, 19))
    return made


def test_the_tools_are_installed_once(commands: Commands) -> None:
    """The second run starts at once. No package runs a script of its own while it is installed."""
    assert (front_end.check(), front_end.check()) == (0, 0)
    installing, *checks = commands
    assert installing[:2] == ["/bin/npm", "ci"]
    assert "--ignore-scripts" in installing
    assert checks == [["/bin/npm", "run", "--silent", "check"]] * 2


def test_another_lock_installs_anew(project: Path, commands: Commands) -> None:
    """Or the checks would run with other versions here than in CI."""
    front_end.check()
    (project / "package-lock.json").write_text('{"name": "another"}', encoding="utf-8")
    front_end.check()
    assert [command[1] for command in commands] == ["ci", "run", "ci", "run"]


def test_an_interrupted_installation_is_done_again(project: Path, commands: Commands) -> None:
    """Half of the tools are not taken for all of them."""
    (project / "node_modules").mkdir()
    front_end.check()
    assert commands[0][1] == "ci"


def test_unit_tests_need_nothing_installed(commands: Commands) -> None:
    """Only Node itself. Files are named: versions of Node disagree about folders and patterns."""
    assert front_end.test() == 0
    (command,) = commands
    assert command[:2] == ["/bin/node", "--test"]
    assert Path(command[-1]) == Path("tests", "review", "comparison.test.js")


@pytest.mark.parametrize("what", [front_end.check, front_end.test])
def test_a_failure_is_passed_on(
    what: Callable[[], int], commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check that fails fails the command."""
    front_end.check()
    monkeypatch.setattr(front_end, "run", lambda *_, **__: 3)
    assert what() == 3


def without_node(monkeypatch: pytest.MonkeyPatch) -> str:
    """Take Node away, and return the printed reason."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    return "there is no node"


def with_an_old_node(monkeypatch: pytest.MonkeyPatch) -> str:
    """Put an older Node in its place, and return the printed reason."""
    monkeypatch.setattr(front_end, "_version", lambda: (18, 13))
    return "needs Node 18.19 or newer, and this is 18.13"


@pytest.mark.parametrize("without", [without_node, with_an_old_node])
@pytest.mark.parametrize("what", [front_end.check, front_end.test])
def test_a_machine_without_node_leaves_it_out_and_says_so(
    what: Callable[[], int],
    without: Callable[[pytest.MonkeyPatch], str],
    commands: Commands,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The Python code can be worked on without Node; in CI, what is not checked does not pass."""
    reason = without(monkeypatch)
    assert what() == 0
    assert "the front end was not " in (said := capsys.readouterr().out)
    assert reason in said
    monkeypatch.setenv("CI", "true")
    with pytest.raises(SetupError, match=reason):
        what()
    assert commands == []


def test_without_a_registry_it_is_left_out_too(
    commands: Commands, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor does a network with Python's packages only keep anyone from the other checks."""
    monkeypatch.setattr(front_end, "run", lambda *_, **__: 1)
    assert front_end.check() == 0
    assert "not checked: npm could not install its tools" in capsys.readouterr().out
    monkeypatch.setenv("CI", "1")
    with pytest.raises(SetupError, match="could not install"):
        front_end.check()


def test_the_version_of_node_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Major and minor version are read; a program that fails has none."""
    if os.name == "nt":
        pytest.skip("scripts of the shell are no programs on Windows")
    node = tmp_path / "node"
    monkeypatch.setenv("PATH", str(tmp_path))
    for script, version in (("echo v20.20.2", (20, 20)), ("exit 1", ()), ("echo what", ())):
        node.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        node.chmod(0o755)
        assert front_end._version() == version


def test_the_lock_is_exact_and_names_no_registry() -> None:
    """Each version has its hash, and npm asks the registry that its user has configured."""
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    package = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    tools = {name: entry for name, entry in lock["packages"].items() if name}
    assert all("integrity" in entry and "resolved" not in entry for entry in tools.values())
    for name, version in package["devDependencies"].items():
        assert tools[f"node_modules/{name}"]["version"] == version, f"{name} is not pinned; run npm install"
    assert package["engines"]["node"] == ">=" + ".".join(map(str, front_end.OLDEST))


def test_every_script_of_the_package_is_checked() -> None:
    """TypeScript checks each script that is shipped, and no comment turns that off."""
    package = ROOT / "qingbo_widgets"
    if not package.is_dir():
        pytest.skip("the source tree is not here: the installed wheel is tested")
    scripts = sorted(package.rglob("*.js"))
    assert len(scripts) >= 4
    unchecked = [
        path.name for path in scripts if not path.read_text(encoding="utf-8").startswith("// @ts-check")
    ]
    assert unchecked == []
    assert not [path.name for path in scripts if "@ts-nocheck" in path.read_text(encoding="utf-8")]
    others = [path.name for suffix in ("mjs", "cjs", "ts", "jsx") for path in package.rglob(f"*.{suffix}")]
    assert others == [], "neither TypeScript nor Biome is set up for these"
