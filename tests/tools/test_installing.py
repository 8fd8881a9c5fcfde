"""``tools/installing.py``: the first ``make demo`` shows for minutes that it goes on, without noise."""

from __future__ import annotations

import sys
from pathlib import Path

import environment
import pytest
from installing import EVERY, Steps, count_in

#: Lines of pip for 60 packages, one of them for another system.
PIP = [
    "Ignoring appnope: markers 'sys_platform == \"darwin\"' don't match your environment",
    *(
        line
        for n in range(1, 60)
        for line in (
            f"Collecting package-{n}==1.{n} (from -r demo.txt (line {n}))",
            f"  Downloading package_{n}-1.{n}-py3-none-any.whl (12 kB)",
        )
    ),
    "Installing collected packages: " + ", ".join(f"package-{n}" for n in range(1, 60)),
    "Successfully installed package-1",
]


def shown(lines: list[str], total: int, capsys: pytest.CaptureFixture[str]) -> str:
    """Return what a user sees of pip's lines."""
    steps = Steps(total)
    for line in lines:
        steps(line)
    steps.end()
    return capsys.readouterr().out


def test_a_log_has_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    """If no line can be written over, a few lines say how far it is, and what comes last."""
    lines = shown(PIP, 60, capsys).splitlines()
    assert lines == ["   1 of 60: appnope", "   26 of 60: package-25==1.25", "   51 of 60: package-50==1.50",
                     "   copying them"]  # fmt: skip
    assert EVERY == 25


def test_a_terminal_has_one_line_that_counts(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal every package is shown, on the same line, and nothing of a longer name is left over."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    counted, copying, rest = shown(PIP, 60, capsys).split("\n")
    assert counted.count("\r") == 60
    assert counted.endswith("\r   60 of 60: package-59==1.59")
    assert counted.split("\r")[2].startswith("   2 of 60: package-1==1.1")
    assert (copying, rest) == ("   copying them", "")


def test_the_project_itself_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """The last step installs the checkout."""
    lines = ["Obtaining file:///qingbo", "Installing collected packages: qingbo_widgets"]
    assert shown(lines, 0, capsys).splitlines()[-1] == "   adding qingbo_widgets"


def test_packages_are_counted_in_the_lock_file(tmp_path: Path) -> None:
    """The total is that of the lock file, with the packages for other systems."""
    listing = tmp_path / "demo.txt"
    listing.write_text("a==1 \\\n    --hash=sha256:00\nb==2 ; sys_platform == 'win32'\n", encoding="utf-8")
    assert count_in(listing) == 2
    assert count_in(tmp_path / "missing.txt") == 0


def test_lines_are_shown_while_the_command_runs(tmp_path: Path) -> None:
    """Each line arrives before the command has ended, and the log has all of them."""
    gate, log = tmp_path / "gate", tmp_path / "log"
    script = (
        "import pathlib, sys, time; print('Collecting koi')\n"
        f"while not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.01)\n"
        "print('done', file=sys.stderr)"
    )
    lines: list[str] = []

    def show(line: str) -> None:
        lines.append(line.strip())
        gate.touch()  # the command ends only after its first line was seen

    assert environment.run(sys.executable, "-c", script, log=log, show=show) == 0
    assert lines == ["Collecting koi", "done"]
    assert log.read_text(encoding="utf-8").split("\n")[:2] == lines
