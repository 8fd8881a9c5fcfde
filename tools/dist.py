"""Build the sdist and the wheel into dist/, and test the wheel as a user gets it.

    python tools/dist.py                                   # what `make dist` does
    python tools/dist.py --lock requirements/test.txt      # the tests' packages from a lock file with hashes
    python tools/dist.py -- -k magics                      # more options for pytest

Needs nothing but Python 3.11: what it uses goes into temporary environments. In order:

1. build the sdist, and the wheel out of the sdist;
2. check both: their metadata and contents, that the sdist is what git tracks (in a checkout), and that the
   source tree gives the same wheel;
3. install the wheel into a fresh environment, unpack the sdist, remove the package from it, and run the fast
   tests there: they can find no qingbo_widgets but the installed one.

Only files that passed are put into dist/.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import venv
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # also where PYTHONSAFEPATH keeps it out

from environment import variables

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "qingbo_widgets"

NOT_PACKED = frozenset({".ci/run"})
"""Files that git tracks and the sdist leaves out: the gate of this repository."""

ADDED = frozenset({"PKG-INFO"})
"""Files that the build adds to the sdist."""


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command and return its output; its error stream is passed through.

    Raises:
        SystemExit: if the command fails, after its output.
    """
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=variables(),
        stdout=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        print(done.stdout)
        raise SystemExit(f"'{' '.join(str(part) for part in command)}' failed ({done.returncode}).")
    return done.stdout


class Environment:
    """A fresh virtual environment with the running version of Python."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        venv.create(folder, with_pip=True)
        self.python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def run(self, *arguments: str | Path, cwd: Path) -> str:
        """Run its Python."""
        return run(self.python, *arguments, cwd=cwd)

    def install(self, *requirements: str | Path) -> None:
        """Install with pip."""
        quiet = ("-qq", "--disable-pip-version-check", "--no-input")
        self.run("-m", "pip", "install", *quiet, *requirements, cwd=self.folder)


def contents(archive: Path) -> dict[str, int]:
    """Return the files of a wheel, with their checksums."""
    with zipfile.ZipFile(archive) as wheel:
        return {entry.filename: entry.CRC for entry in wheel.infolist()}


def packed(sdist: Path) -> set[str]:
    """Return the files of an sdist, as paths in the source tree."""
    with tarfile.open(sdist) as archive:
        return {entry.name.partition("/")[2] for entry in archive if entry.isfile()}


def tracked(root: Path, *more: str) -> set[str]:
    """Return the files that git tracks; ``more`` are options for ``git ls-files``."""
    # Containers check out as one user and run as another, and git refuses that where it is not told.
    git = ("git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", *more)
    return {name for name in run(*git, cwd=root).split("\0") if name}


def difference(expected: set[str], found: set[str]) -> str:
    """Return a line for each missing or unexpected file; empty if both sets are equal."""
    missing = [f"missing: {name}" for name in sorted(expected - found)]
    return "\n".join(missing + [f"not expected: {name}" for name in sorted(found - expected)])


def build(tools: Environment, source: Path, into: Path, *what: str) -> None:
    """Build from a source tree; the environment already has the build requirements."""
    print(
        tools.run("-m", "build", "--no-isolation", *what, "--outdir", into, source, cwd=into.parent), end=""
    )


def check(tools: Environment, sdist: Path, wheel: Path, work: Path) -> None:
    """Check metadata and contents.

    Raises:
        SystemExit: with the problems.
    """
    print(tools.run("-m", "twine", "check", "--strict", sdist, wheel, cwd=work), end="")
    print(tools.run("-m", "check_wheel_contents", "--toplevel", PACKAGE, wheel, cwd=work), end="")
    if (ROOT / ".git").exists():
        wrong = difference(tracked(ROOT) - NOT_PACKED, packed(sdist) - ADDED)
        if wrong:
            raise SystemExit(
                f"The sdist is not what git tracks:\n{wrong}\n"
                "Commit or remove these files, or change the sdist's include in pyproject.toml."
            )
        print("the sdist holds what git tracks")
    build(tools, ROOT, work / "direct", "--wheel")
    (direct,) = (work / "direct").glob("*.whl")
    theirs, ours = contents(direct), contents(wheel)
    if theirs != ours:
        changed = sorted(name for name in theirs.keys() & ours.keys() if theirs[name] != ours[name])
        wrong = difference(set(theirs), set(ours))
        raise SystemExit(
            f"The wheel built from the sdist is not the one built from the source tree:\n{wrong}\n"
            f"differing: {', '.join(changed) or 'none'}\n"
            "The sdist leaves out files that the build needs."
        )
    print(f"the wheel of the sdist is that of the source tree: {len(ours)} files")


def test(wheel: Path, sdist: Path, lock: Path | None, work: Path, options: list[str]) -> None:
    """Run the fast tests of the unpacked sdist against the installed wheel.

    Raises:
        SystemExit: if they fail.
    """
    fresh = Environment(work / "fresh")
    if lock:
        fresh.install("--require-hashes", "--no-deps", "--requirement", lock)
        fresh.install("--no-deps", wheel)
    else:
        fresh.install(f"{PACKAGE}[test] @ {wheel.as_uri()}")
    fresh.run("-m", "pip", "check", cwd=work)
    with tarfile.open(sdist) as archive:
        # As the documentation has it: the first releases of Python 3.11 have no filters.
        archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
        archive.extractall(work / "tree")
    (tree,) = (work / "tree").iterdir()
    shutil.rmtree(tree / PACKAGE)
    where = f"import {PACKAGE}, pathlib; print(pathlib.Path({PACKAGE}.__file__).resolve().parent.parent)"
    site = "import sysconfig, pathlib; print(pathlib.Path(sysconfig.get_path('purelib')).resolve())"
    imported, installed = (fresh.run("-c", code, cwd=tree).strip() for code in (where, site))
    if imported != installed:
        raise SystemExit(f"The tests would run against {imported}, not against the wheel in {installed}.")
    command = [fresh.python, "-m", "pytest", "-q", "-m", "not slow and not browser", *options]
    if subprocess.run([str(part) for part in command], cwd=tree, check=False).returncode:
        raise SystemExit("The tests against the wheel failed.")


def main() -> None:
    """Build, check and test; then put the files into dist/."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--lock", type=Path, metavar="FILE", help="the tests' packages, with hashes")
    parser.add_argument("--outdir", type=Path, default=ROOT / "dist", help="default: dist/")
    parser.add_argument("pytest", nargs="*", help="more options for pytest, after --")
    arguments = parser.parse_args()
    # A console on Windows may have no such letters as ours; that is no reason to fail.
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="dist-", ignore_cleanup_errors=True) as name:
        work = Path(name).resolve()
        print("── build", flush=True)
        tools = Environment(work / "tools")
        tools.install(*project["build-system"]["requires"], *project["dependency-groups"]["dist"])
        build(tools, ROOT, work / "built")
        (sdist,), (wheel,) = (work / "built").glob("*.tar.gz"), (work / "built").glob("*.whl")
        print("── check", flush=True)
        check(tools, sdist, wheel, work)
        print("── test the wheel", flush=True)
        lock = arguments.lock.resolve() if arguments.lock else None
        test(wheel, sdist, lock, work, arguments.pytest)
        arguments.outdir.mkdir(parents=True, exist_ok=True)
        for old in [*arguments.outdir.glob("*.whl"), *arguments.outdir.glob("*.tar.gz")]:
            old.unlink()
        for file in (sdist, wheel):
            print("──", shutil.copy2(file, arguments.outdir))


if __name__ == "__main__":
    main()
