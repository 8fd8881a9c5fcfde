"""Virtual environments for the project's commands: which Python, which packages, and when to rebuild.

``requirements/PURPOSE.txt`` lists every package of a purpose (demo, test, …) at the version that was tested,
with its hashes, for each Python and platform supported. These files name no index: pip asks the one that its
user has configured. Standard library only, and the syntax of older Pythons, since this runs before anything
is installed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from installing import Steps, count_in

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements"
#: The tested versions; the newest of the index; the lowest that ``pyproject.toml`` allows.
LOCKED, LATEST, LOWEST = "locked", "latest", "lowest"
#: The purpose of the tool that resolves the others: it is installed alone, without this package.
UV = "uv"
#: The purposes of hosts that need an environment of their own: ``requirements/hosts/NAME.in``.
HOSTS = "hosts"
OLDEST = (3, 11)
NAMES = ("python3.14", "python3.13", "python3.12", "python3.11", "python3", "python")
#: Variables of the caller's shell that would change what an environment sees. The last one would make every
#: process compile its modules anew, and hundreds are started here.
DISTURBING = ("PYTHONPATH", "PYTHONHOME", "PYTHONSAFEPATH", "PYTHONDONTWRITEBYTECODE")
#: pip's settings that install elsewhere, other versions or nothing; variables also win over its files.
PIP_SETTINGS = {
    "PIP_USER": "0", "PIP_DRY_RUN": "0", "PIP_REQUIRE_HASHES": "0", "PIP_NO_DEPS": "0", "PIP_CONSTRAINT": "",
    "PIP_TARGET": "", "PIP_PREFIX": "", "PIP_ROOT": "",
}  # fmt: skip


class SetupError(Exception):
    """An environment cannot be created. The message says what to do."""


class Environment:
    """One virtual environment below the project's root.

    Args:
        selection: ``LOCKED``, ``LATEST`` or ``LOWEST``.
        python: the interpreter to make it of; the running one, or the newest on ``PATH``, if ``None``.
        folder: its name, for ``LOCKED``; the other selections add theirs.
    """

    def __init__(self, selection: str = LOCKED, python: str | None = None, folder: str = ".venv") -> None:
        self.selection = selection
        self.base = python
        self.home = ROOT / (folder if selection == LOCKED else f"{folder}-{selection}")
        self.log = self.home / "install.log"
        self._stamp = self.home / "installed.json"

    @property
    def python(self) -> Path:
        """The path of its interpreter."""
        return self.home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def ensure(self, purpose: str) -> Path:
        """Install the packages of a purpose unless the lock file is unchanged; return the interpreter.

        Raises:
            SetupError: there is no suitable Python, or the installation failed.
        """
        project = ROOT / "pyproject.toml"
        lock = _digest(self._listing(purpose) if self.selection == LOCKED else project)
        installed = self._installed()
        if installed is None or installed.get(purpose, lock) != lock:
            # What an earlier lock had and this one has not would stay otherwise.
            installed = self._make()
        now = {purpose: lock}
        if (
            purpose != UV
        ):  # an editable installation is that of one folder, also where the checkout was copied
            now.update({"project": _digest(project), "root": str(ROOT)})
        if {**installed, **now} == installed:
            return self.python
        print(f"── installing the packages for '{purpose}' into {self.home.name} (once)", flush=True)
        for command in self._installation(purpose):
            steps = Steps(count_in(self._listing(purpose)) if "--requirement" in command else 0)
            failed = run(*command, log=self.log, show=steps)
            steps.end()
            if failed:
                raise SetupError(f"The installation failed; all of its output is in {self.log}.")
        if self.selection != LATEST:  # tomorrow's is another
            self._write_stamp({**installed, **now})
        return self.python

    def _installed(self) -> dict[str, str] | None:
        """Return the digests of the installed lock files; ``None`` if there is no usable environment."""
        try:
            installed = json.loads(self._stamp.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None  # it was never made to its end
        version = version_of(str(self.python))
        is_usable = version >= OLDEST and (self.base is None or version == version_of(self.base))
        return installed if is_usable and isinstance(installed, dict) else None

    def _write_stamp(self, installed: dict[str, str]) -> None:
        self._stamp.write_text(json.dumps(installed, indent=1), encoding="utf-8")

    def _make(self) -> dict[str, str]:
        base = find_python(self.base)
        version = ".".join(map(str, version_of(base)))
        print(f"── making {self.home.name} with Python {version} ({shutil.which(base) or base})", flush=True)
        shutil.rmtree(self.home, ignore_errors=True)
        if run(base, "-m", "venv", "--clear", self.home):
            raise SetupError(f"{base} could not make {self.home}.")
        self._write_stamp({})
        return {}

    def _listing(self, purpose: str) -> Path:
        return (self.home if self.selection == LOWEST else REQUIREMENTS) / f"{purpose}.txt"

    def _installation(self, purpose: str) -> list[list[str | Path]]:
        pip: list[str | Path] = [self.python, "-m", "pip", "--disable-pip-version-check", "--no-input"]
        install = [*pip, "install", "--progress-bar", "off"]
        if self.selection == LATEST:
            newest = [*install, "--upgrade", "--upgrade-strategy", "eager"]
            return [[*newest, "pip"], [*newest, "--editable", f".[{purpose}]"]]
        commands: list[list[str | Path]] = []
        if self.selection == LOWEST:
            version = ".".join(map(str, version_of(str(self.python))))
            target: list[str | Path] = ["--python-version", version, "--output-file", self._listing(purpose)]
            commands.append([*compile_command(purpose), "--resolution", "lowest-direct", *target])
        commands.append([*install, "--require-hashes", "--no-deps", "--requirement", self._listing(purpose)])
        if purpose != UV:
            commands.append([*install, "--no-deps", "--no-build-isolation", "--editable", "."])
        return commands


def compile_command(*purposes: str) -> list[str | Path]:
    """Return the command that resolves the packages of some purposes, with hashes and no index URL."""
    uv = Environment(folder=".venv-uv").ensure(UV).with_name("uv.exe" if os.name == "nt" else "uv")
    sources: list[str | Path] = [REQUIREMENTS / f"{UV}.in"]
    if purposes[0].startswith(f"{HOSTS}/"):
        host = REQUIREMENTS / f"{purposes[0]}.in"
        sources = ["pyproject.toml", REQUIREMENTS / "build.in", host, "--extra", "sandbox"]
    elif purposes != (UV,):
        extras = [word for purpose in purposes for word in ("--extra", purpose)]
        sources = ["pyproject.toml", REQUIREMENTS / "build.in", *extras]
    options = ["--quiet", "--generate-hashes", "--no-emit-index-url", "--no-header", "--no-annotate"]
    return [uv, "pip", "compile", *sources, *options]


def host_names() -> list[str]:
    """Return the hosts that have a lock file or are about to get one."""
    return sorted(path.stem for path in (REQUIREMENTS / HOSTS).glob("*.in"))


def host_environment(name: str, python: str | None = None) -> Environment:
    """Return the environment of a host, whose purpose is ``hosts/NAME``."""
    return Environment(python=python, folder=f".venv-hosts/{name}")


def run(*command: str | Path, log: Path | None = None, show: Callable[[str], object] = lambda _: None) -> int:
    """Run a command at the project's root and return its exit status, after Ctrl-C too.

    Args:
        command: the program and its arguments.
        log: a file for the output, of which the end is shown if the command fails.
        show: called with each line of the output that goes into the log, to say how far it is.
    """
    environment = variables()
    words = [os.fspath(part) for part in command]
    if log is None:
        with subprocess.Popen(words, cwd=ROOT, env=environment) as process:
            while True:
                try:
                    return process.wait()
                except KeyboardInterrupt:  # the command has got it too, and ends in its own way
                    continue
    environment["PYTHONUNBUFFERED"] = "1"  # or pip's lines come late
    with log.open("wb") as output:
        process = subprocess.Popen(
            words,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        with process:
            try:
                for line in process.stdout or ():
                    output.write(line)
                    show(line.decode("utf-8", "replace"))
            except BaseException:  # Ctrl-C, which the command has got too
                process.kill()
                raise
    if process.returncode:
        ending = log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:]
        print(*ending, sep="\n", file=sys.stderr)
    return process.returncode


def variables() -> dict[str, str]:
    """Return the caller's environment variables without those that would disturb an installation."""
    return {**{name: value for name, value in os.environ.items() if name not in DISTURBING}, **PIP_SETTINGS}


def find_python(wanted: str | None) -> str:
    """Return a Python that is recent enough and has venv: the requested one, the running one, or one on PATH.

    A name on PATH proves little, since version managers leave stubs for versions that they do not run.

    Raises:
        SetupError: there is none.
    """
    # The base of the running one: an environment cannot be made out of itself.
    running = getattr(sys, "_base_executable", None) or sys.executable
    candidates = [wanted] if wanted else [running, *NAMES]
    known = [python for python in candidates if version_of(python) >= OLDEST]
    for python in known:
        if _makes_environments(python):
            return python
    if known:
        raise SetupError(
            f"{known[0]} cannot make virtual environments: its venv module is missing.\n"
            "On Debian or Ubuntu: apt-get install python3-venv"
        )
    if wanted:
        raise SetupError(f"{wanted} does not run, or is not a Python {'.'.join(map(str, OLDEST))} or newer.")
    raise SetupError(
        f"No Python {'.'.join(map(str, OLDEST))} or newer was found (tried {', '.join(NAMES)}).\n"
        "Install one, or say where it is: --python=/path/to/python3 (make demo PYTHON=/path/to/python3)"
    )


def every_python() -> dict[str, str]:
    """Return one interpreter of each minor version that is on this machine, as ``{"3.11": path}``."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    managed = [str(path) for path in sorted(pyenv.glob("versions/*/bin/python"))]
    found: dict[tuple[int, ...], str] = {}
    for python in (*NAMES, *managed):
        version = version_of(python)[:2]
        if version >= OLDEST and version not in found and _makes_environments(python):
            found[version] = python
    return {".".join(map(str, version)): found[version] for version in sorted(found)}


def version_of(python: str) -> tuple[int, ...]:
    """Return an interpreter's version; ``()`` if it does not run."""
    answer = _ask(python, "import sys; print(*sys.version_info[:3])")
    return tuple(map(int, answer.split())) if answer else ()


def _makes_environments(python: str) -> bool:
    return _ask(python, "import ensurepip, venv; print('yes')") is not None


def _ask(python: str, script: str) -> str | None:
    try:
        done = subprocess.run(
            [python, "-c", script], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
