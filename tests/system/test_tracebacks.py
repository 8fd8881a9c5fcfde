"""The traceback of our errors, in a real IPython shell: the user's lines, and no others."""

from __future__ import annotations

import re
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

import qingbo_widgets as qw
from qingbo_widgets.system.tracebacks import rendered

SCRIPT = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("colors", "NoColor")
if {mode!r} != "Context":
    shell.run_line_magic("xmode", {mode!r})
shell.run_cell("import qingbo_widgets as qw")
shell.run_cell({cell!r})
"""
IN_A_FUNCTION = """
def make():
    answer = 42
    return qw.Client("sk-test-key", "https://qingbo.dev/v1").payload(qw.VideoRequest(prompt=""))
make()
"""


@pytest.fixture
def shown(workdir: Path) -> Callable[..., str]:
    """Return a function that runs a cell in IPython and returns what it prints."""

    def run(cell: str, mode: str = "Context") -> str:
        script = SCRIPT.format(cell=cell, mode=mode)
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=workdir)
        return re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)

    return run


@pytest.mark.slow
@pytest.mark.parametrize("call", ["qw.connect()", 'qw.generate("A koi")', "qw.Client()"])
def test_a_missing_key_is_one_sentence(shown: Callable[..., str], call: str) -> None:
    """Nothing but the sentence with the ways on."""
    output = shown(call).strip()
    assert output.startswith("MissingApiKey: No API key was found."), output
    assert len(output.splitlines()) == 1, output


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["Plain", "Context", "Verbose"])
def test_an_error_of_ours_shows_the_users_lines_only(shown: Callable[..., str], mode: str) -> None:
    """The line of the cell and that of the user's function are there, our frames are not."""
    output = shown(IN_A_FUNCTION, mode)
    assert "InvalidRequest" in output
    assert "make()" in output
    assert ".payload(" in output
    assert "client.py" not in output, output


def test_an_error_without_frames_of_the_user_is_its_text() -> None:
    """Outside IPython, and where only our code ran, the text stands alone."""
    assert rendered(qw.QingboError("The disk is full.")) == ["QingboError: The disk is full."]


def test_python_shows_the_whole_traceback() -> None:
    """A script, and a log, have every frame."""
    with pytest.raises(qw.InvalidRequest) as caught:
        qw.Client("sk-test-key", "https://qingbo.dev/v1").payload(qw.VideoRequest(prompt=""))
    assert "client.py" in "".join(traceback.format_exception(caught.value))
