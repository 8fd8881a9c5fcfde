"""The project's commands on every system: ``python3 tools/dev.py COMMAND``, or ``make COMMAND`` for short.

Each command first makes the environment that it needs, in ``.venv``, of the Python that runs it or of a newer
one.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # also where PYTHONSAFEPATH keeps it out

import front_end
from environment import (
    HOSTS,
    LATEST,
    LOCKED,
    LOWEST,
    REQUIREMENTS,
    ROOT,
    UV,
    Environment,
    SetupError,
    compile_command,
    every_python,
    find_python,
    host_environment,
    host_names,
    run,
    variables,
    version_of,
)

#: Releases younger than this are not locked: within days most bad ones are found and withdrawn.
COOLING_DAYS = 7
#: One file each in ``requirements/``, and the extra of the same name.
PURPOSES = ("demo", "test", "bench")
#: The hosts with an environment of their own that every test run includes, because it is soon made; the
#: others are walked through by ``hosts``.
USUAL_HOSTS = ("colab", "ipykernel6")
#: Real servers, kernels and browsers are waited for, on machines that may be busy with other things. A test
#: that fails is run once more and named at the end, for a reader to judge; pytest itself runs all once.
ONCE_MORE = ("--reruns", "1", "-rR")
#: Count the lines that tests run; pytest prints the total, and fails below the floor in pyproject.toml.
COUNTED = ("--cov", "--cov-report=")
#: From this Python on, counting costs about a twentieth of the time; before, more than half of it.
COUNTS_CHEAPLY = (3, 12)
#: Modules that ``coverage`` names.
LEAST_COVERED = 10
#: What the commands leave behind. Not demo/: videos are there, and notebooks that a user has changed.
TRACES = (
    ".venv*", "node_modules", "dist", "build", "tests/artifacts", ".pytest_cache", ".mypy_cache",
    ".ruff_cache", ".hypothesis", ".coverage*", "**/__pycache__",
)  # fmt: skip


def demo(options: argparse.Namespace) -> int:
    """Run notebooks/quickstart.ipynb, then open it in JupyterLab."""
    python = Environment(python=options.python).ensure("demo")
    return run(python, "-m", "qingbo_widgets", "demo", *(["--once"] if options.once else []))


def test(options: argparse.Namespace) -> int:
    """Check the code and run every test; with --fast, only the tests that take less than half a second."""
    python = Environment(options.selection, options.python).ensure("test")
    # The lowest versions are a promise to those who have old ones; checkers and browsers are not part of it.
    if options.selection == LOWEST:
        return _fast_tests(python, options.pytest)
    if options.fast:
        return front_end.test() or _fast_tests(python, options.pytest)
    # A part of the tests would not reach the floor.
    for name in USUAL_HOSTS:
        host_environment(name, options.python).ensure(f"{HOSTS}/{name}")
    is_counted = not options.pytest and version_of(str(python)) >= COUNTS_CHEAPLY
    more = COUNTED if is_counted else options.pytest
    return (
        _lint(python)
        or front_end.test()
        or run(python, "tools/ensure_browser.py")
        or _tests("tests", python, *ONCE_MORE, "-m", "not browser and not attack and not host", *more)
        or _tests(
            "tests in a browser", python, "-n", "2", *ONCE_MORE, "-m", "browser and not host", *options.pytest
        )
    )


def coverage(options: argparse.Namespace) -> int:
    """Run the fast tests, and print how much of the package they run and where they run least of it."""
    python = Environment(python=options.python).ensure("test")
    floor = ["--cov-fail-under=0"] if options.pytest else []  # which a part of the tests would not reach
    counted = ("-m", "not slow", *ONCE_MORE, *COUNTED, *floor, *options.pytest)
    failed = _tests("fast tests, counted", python, *counted)
    print("── least covered", flush=True)
    report = (str(python), "-m", "coverage", "report", "--sort=cover", "--skip-covered", "--fail-under=0")
    done = subprocess.run(report, cwd=ROOT, env=variables(), stdout=subprocess.PIPE, encoding="utf-8")
    rows = done.stdout.splitlines()
    total = [row for row in rows if row.startswith("TOTAL")]
    print(*rows[: LEAST_COVERED + 2], *total, sep="\n", flush=True)
    return failed


def attack(options: argparse.Namespace) -> int:
    """Try every attack of tests/attacks, also those that take minutes."""
    python = Environment(python=options.python).ensure("test")
    return _tests("attacks", python, "-m", "attack or not attack", "tests/attacks", *options.pytest)


def hosts(options: argparse.Namespace) -> int:
    """Walk through every host of docs/hosts.md, and write what works into its tables."""
    python = Environment(python=options.python).ensure("test")
    missing = []
    for name in host_names():
        try:
            host_environment(name, options.python).ensure(f"{HOSTS}/{name}")
        except SetupError as error:  # the others are walked through all the same
            print(error, file=sys.stderr)
            missing.append(name)
    os.environ["RECORD_HOSTS"] = "1"
    selected = ("-n", "0", *ONCE_MORE, "-m", "host or not host", "tests/hosts")
    failed = run(python, "tools/ensure_browser.py") or _tests("hosts", python, *selected, *options.pytest)
    # What has passed is written, also if a host has failed.
    failed = run(python, "tools/tables.py") or failed
    if missing:
        print("── could not be installed:", ", ".join(missing), file=sys.stderr)
    return failed or bool(missing)


def pythons(options: argparse.Namespace) -> int:
    """Run the fast tests with every Python from 3.11 on that is on this machine."""
    failed = []
    for version, python in every_python().items():
        environment = Environment(options.selection, python, f".venv-{version}")
        if _fast_tests(environment.ensure("test"), options.pytest):
            failed.append(version)
    print("──", f"failed on Python {', '.join(failed)}" if failed else "passed on every Python found")
    return bool(failed)


def lint(options: argparse.Namespace) -> int:
    """Check the code only."""
    return _lint(Environment(python=options.python).ensure("test"))


def bench(options: argparse.Namespace) -> int:
    """Compare with other clients on this machine, in about half an hour."""
    python = Environment(python=options.python).ensure("bench")
    return run(python, "tools/ensure_browser.py") or run(python, "-m", "tests.benchmarks")


def screenshots(options: argparse.Namespace) -> int:
    """Take the pictures of the README again."""
    python = Environment(python=options.python).ensure("test")
    return run(python, "tools/ensure_browser.py") or run(python, "tools/screenshot.py")


def translations(options: argparse.Namespace) -> int:
    """Bring the Chinese texts up to date with the source."""
    return run(Environment(python=options.python).ensure("test"), "tools/translations.py")


def lock(options: argparse.Namespace) -> int:
    """Resolve every file in requirements/ anew, to releases that are at least --days old."""
    until = date.today() - timedelta(days=options.days)
    print(f"── releases of {until:%Y-%m-%d} and before", flush=True)
    universal = ["--universal", "--python-version", "3.11", "--exclude-newer", until.isoformat(), "--upgrade"]
    everything = REQUIREMENTS / "everything.txt"
    try:
        failed = run(*compile_command(*PURPOSES), *universal, "--output-file", everything)
        for purpose in PURPOSES:
            # All get the same versions, so that one environment can serve several purposes.
            output = ["--output-file", str(REQUIREMENTS / f"{purpose}.txt")]
            same = ["--constraints", str(everything), *output]
            failed = failed or run(*compile_command(purpose), *universal, *same)
        for purpose in (f"{HOSTS}/{name}" for name in host_names()):
            output = ["--output-file", str(REQUIREMENTS / f"{purpose}.txt")]
            failed = failed or run(*compile_command(purpose), *universal, *output)
    finally:
        everything.unlink(missing_ok=True)
    failed = failed or run(*compile_command(UV), *universal, "--output-file", REQUIREMENTS / f"{UV}.txt")
    print("── could not be resolved" if failed else "── requirements/*.txt are up to date", flush=True)
    return failed


def dist(options: argparse.Namespace) -> int:
    """Build sdist and wheel into dist/, check them, and run the fast tests against the installed wheel."""
    return run(find_python(options.python), "tools/dist.py", "--lock", "requirements/test.txt")


def clean(options: argparse.Namespace) -> int:  # noqa: ARG001 - as every command
    """Remove what the commands have made, but for demo/ with its videos and notebooks."""
    for pattern in TRACES:
        for path in ROOT.glob(pattern):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()
    return 0


def _lint(python: Path) -> int:
    print("── ruff, mypy and import-linter", flush=True)
    if status := run(python, "-m", "ruff", "check", "--quiet", "."):
        return status
    if status := run(python, "-m", "ruff", "format", "--check", "--quiet", "."):
        print(f"Some files are not formatted; run: {python} -m ruff format .", file=sys.stderr)
        return status
    imports = python.with_name("lint-imports.exe" if os.name == "nt" else "lint-imports")
    return (
        run(python, "-m", "mypy")
        or run(imports, "--no-cache", "--no-logo")
        or run(python, "tools/translations.py", "--check")
        or front_end.check()
    )


def _tests(title: str, python: Path, *options: str) -> int:
    print("──", title, flush=True)
    return run(python, "-m", "pytest", "-q", *options)


def _fast_tests(python: Path, options: list[str]) -> int:
    return _tests(f"fast tests with {python.relative_to(ROOT)}", python, "-m", "not slow", *options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 tools/dev.py", description=__doc__)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    of: dict[str, argparse.ArgumentParser] = {}
    checks = (test, coverage, attack, hosts, pythons, lint, bench)
    for command in (demo, *checks, lock, dist, screenshots, translations, clean):
        name, summary = command.__name__, str(command.__doc__)
        of[name] = commands.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        of[name].set_defaults(command=command)
        of[name].add_argument("--python", metavar="PATH", help="the Python to make the environment of")
    of["demo"].add_argument("--once", action="store_true", help="do not open JupyterLab")
    of["test"].add_argument("--fast", action="store_true", help="only the tests of less than half a second")
    of["lock"].add_argument("--days", type=int, default=COOLING_DAYS, help="default: %(default)s")
    for name in ("test", "pythons"):
        which = of[name].add_mutually_exclusive_group()
        which.set_defaults(selection=LOCKED)
        newest = "with the newest releases of the index, in .venv-latest"
        lowest = "the fast tests with the lowest versions that pyproject.toml allows, in .venv-lowest"
        which.add_argument("--latest", dest="selection", action="store_const", const=LATEST, help=newest)
        which.add_argument("--lowest", dest="selection", action="store_const", const=LOWEST, help=lowest)
    for name in ("test", "coverage", "attack", "hosts", "pythons"):
        more = "options for pytest, as one word; by default the variable PYTEST"
        of[name].add_argument("--pytest", type=shlex.split, default=os.environ.get("PYTEST", ""), help=more)
    return parser


def main() -> int:
    """Run the command that the arguments name, and return its exit status."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a console may lack some characters
    options = _parser().parse_args(sys.argv[1:] or ["--help"])
    try:
        return int(options.command(options))
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
