"""The checks of the front end: format, rules, types and unit tests of the package's scripts and style sheets.

They need Node, which not everyone who works on the Python code has. Where it is missing, a line says that
they were left out; in CI that is an error. ``package-lock.json`` lists the tools at the versions that were
tested, with their hashes, and names no registry: npm asks the one that its user has configured.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from environment import ROOT, SetupError, run

#: The oldest Node that runs the tools: major and minor version, as in ``engines`` of package.json.
OLDEST = (18, 19)


def check() -> int:
    """Check format, rules and types, and return the exit status.

    Raises:
        SetupError: in CI, if the tools are missing.
    """
    missing = _missing("node", "npm") or _install()
    if missing:
        return _leave_out("checked", missing)
    print("── biome and tsc", flush=True)
    return run(_find("npm"), "run", "--silent", "check")


def test() -> int:
    """Run the unit tests, which need Node alone, and return the exit status.

    Raises:
        SetupError: in CI, if Node is missing.
    """
    if missing := _missing("node"):
        return _leave_out("tested", missing)
    print("── unit tests of the front end", flush=True)
    # By name: Node 18 and 20 know no patterns, and Node 22 takes no folder.
    files = sorted(path.relative_to(ROOT) for path in (ROOT / "tests").rglob("*.test.js"))
    return run(_find("node"), "--test", "--test-reporter=spec", *files)


def _leave_out(what: str, reason: str) -> int:
    text = f"the front end was not {what}: {reason}"
    if os.environ.get("CI", "").lower() not in ("", "0", "false"):
        raise SetupError(f"In CI it must be, but {text}.")
    print("──", text, flush=True)
    return 0


def _missing(*programs: str) -> str | None:
    """Return which program is missing, or too old; ``None`` if all are there."""
    for program in programs:
        if not shutil.which(program):
            return f"there is no {program} (on Debian or Ubuntu: apt-get install nodejs npm)"
    version = _version()
    if version < OLDEST:
        found = ".".join(map(str, version)) or "none that runs"
        return f"it needs Node {'.'.join(map(str, OLDEST))} or newer, and this is {found}"
    return None


def _find(program: str) -> str:
    return shutil.which(program) or program  # in full: on Windows, npm is a script with an ending


def _version() -> tuple[int, ...]:
    """Return the major and minor version of Node; empty if it does not run."""
    try:
        done = subprocess.run(
            [_find("node"), "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
        )
        return tuple(map(int, done.stdout.strip().removeprefix("v").split(".")[:2]))
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return ()


def _install() -> str | None:
    """Install the locked tools, if that has not been done for this lock; return why it failed."""
    stamp = ROOT / "node_modules" / "installed"
    lock = hashlib.sha256((ROOT / "package-lock.json").read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == lock:
        return None
    print("── installing the tools of the front end into node_modules (once)", flush=True)
    options = ("--include=dev", "--include=optional", "--ignore-scripts", "--no-audit", "--no-fund")
    with tempfile.TemporaryDirectory() as folder:
        if run(_find("npm"), "ci", *options, log=Path(folder) / "log"):
            return "npm could not install its tools"
    stamp.write_text(lock, encoding="utf-8")
    return None
