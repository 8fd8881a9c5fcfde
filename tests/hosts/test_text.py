"""Hosts that show text only: scripts, Python's and IPython's terminals, jupyter console, exports to text."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tests.hosts.environments import python_of, variables_of, versions_of
from tests.hosts.results import record
from tests.missing import skip_without

if sys.platform == "win32":
    pytest.skip("Windows has no pseudo-terminal for these tests", allow_module_level=True)

import pty

#: As to the service, whose tasks outlive the program.
CONNECT = (
    "import time, qingbo_widgets as qw; sandbox = qw.Sandbox(speed=10, draft=True); sandbox.start(); "
    "manager = qw.connect(sandbox.api_key, base_url=sandbox.base_url, library='videos'); "
    "manager.poll_interval = 0.2"
)
#: A task that does not end before it is shown, at a slower sandbox.
RUNNING = (
    "slow = qw.Sandbox(speed=0.1, draft=True).start(); "
    "slow_manager = qw.TaskManager(qw.Client(slow.api_key, slow.base_url), qw.Library('videos')); "
    "running = slow_manager.submit(prompt='a carp'); "
    "[time.sleep(0.1) for _ in range(100) if not running.task_id];"
)
#: What a terminal shows in place of a widget, whatever else it says.
WIDGETS = ("qw.VideoStudio(prompt='a koi')", "qw.Gallery()", "qw.RequestForm(prompt='a koi')")
#: Characters of the longest line that a terminal may show: a line of progress is padded to its width.
WIDTH = 400


def typed(command: Sequence[str], folder: Path, lines: Sequence[str]) -> str:
    """Run a program in a terminal, type the lines, and return all that the terminal shows until it ends."""
    screen, inside = pty.openpty()
    variables = variables_of(folder / "home") | {"TERM": "dumb", "COLUMNS": "120", "LINES": "50"}
    process = subprocess.Popen(
        [str(python_of()), *command],
        cwd=folder,
        env=variables,
        stdin=subprocess.PIPE,
        stdout=inside,
        stderr=inside,
    )
    os.close(inside)
    assert process.stdin is not None
    process.stdin.write("".join(f"{line}\n" for line in lines).encode())
    process.stdin.close()
    shown = b""
    try:
        while part := os.read(screen, 65536):
            shown += part
    except OSError:  # Linux: the program has closed its side
        pass
    finally:
        os.close(screen)
        process.kill()
        process.wait()
    return shown.decode().replace("\r", "\n")


def after(shown: str, mark: str) -> str:
    """Return what a terminal shows between two printed marks."""
    assert shown.count(mark) >= 2, f"the program has ended early:\n{shown}"
    return shown.split(mark)[1]


def check_progress(shown: str, where: str) -> None:
    """Fail unless the text has a line of progress, the end, and the path of the video."""
    assert "░" in shown, f"{where} shows no progress:\n{shown}"
    assert "finished" in shown, f"{where} does not show the end:\n{shown}"
    assert ".mp4" in shown, f"{where} does not show the path of the video:\n{shown}"


def check_widgets(shown: str) -> None:
    """Fail unless each widget is text with what to do, without markup."""
    for mark in ("<style", "<div", "data:"):
        assert mark not in shown, f"markup in the terminal:\n{shown[:2000]}"
    long = [line for line in shown.splitlines() if len(line) > WIDTH]
    assert not long, f"a line of {len(long[0])} characters: {long[0][:300]}"
    assert 'qw.generate("…").wait()' in shown, f"nothing about what to do here:\n{shown}"


def test_a_script(tmp_path: Path) -> None:
    """A script writes a line per step to the standard error, and prints what it prints itself only."""
    code = [CONNECT, "task = qw.generate('a koi').wait()", "print(repr(task))", "task.show()"]
    (tmp_path / "script.py").write_text("\n".join([*code, "print(qw.VideoStudio())"]), encoding="utf-8")
    done = subprocess.run(
        [str(python_of()), "script.py"],
        cwd=tmp_path,
        env=variables_of(tmp_path / "home") | {"PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    check_progress(done.stderr, "a script")
    assert "completed 100 %" in done.stdout
    assert "Finished" in done.stdout, "task.show() says nothing"
    check_widgets(done.stdout)
    assert "Traceback" not in done.stderr, done.stderr


def test_python_in_a_terminal(tmp_path: Path) -> None:
    """``python -i``: the progress is one line that is drawn again, and a widget says what to do."""
    lines = [CONNECT, "print('WA', 'IT')", "task = qw.generate('a koi').wait()", "print('WA', 'IT')"]
    lines += [f"{RUNNING} running.show()", "print('WA', 'IT')", *WIDGETS, "task"]
    shown = typed(["-i", "-q"], tmp_path, lines)
    check_progress(after(shown, "WA IT"), "wait()")
    assert "qw.connect(" in shown.split("WA IT")[2], f"a running task does not say how to resume it:\n{shown}"
    check_widgets(shown)
    assert "completed 100 % '" in shown, f"the task does not show its path:\n{shown}"
    assert "Traceback" not in shown, shown
    record("python", versions_of(["python"]), form="no", card="partly", video="partly", review="no")


INTERACTIVE = (
    CONNECT,
    "print('WA', 'IT')",
    "task = qw.generate('a koi').wait()",
    "print('WA', 'IT')",
    "task = await qw.generate('a carp')",
    "print('WA', 'IT')",
    "task",
    "print('WA', 'IT')",
    f"{RUNNING} running.show()",
    "print('WA', 'IT')",
    *WIDGETS,
    "print('WA', 'IT')",
    "import asyncio; both = await asyncio.gather(qw.generate('a fox'), qw.generate('an owl'))",
    "print('WA', 'IT')",
    "exit()",
)


def check_interactive(shown: str) -> None:
    """Fail unless each step of ``INTERACTIVE`` has shown what a user needs."""
    parts = shown.split("WA IT")
    assert len(parts) == 8, f"the program has ended early:\n{shown}"
    _, waited, awaited, ended, running, widgets, both, _ = parts
    check_progress(waited, "wait()")
    check_progress(awaited, "await task")
    assert "Finished · a carp" in ended, f"a finished task says nothing:\n{ended}"
    assert "saved as videos/a-carp" in ended, f"a finished task does not show its path:\n{ended}"
    assert "qw.connect(" in running, f"a running task does not say how to resume it:\n{running}"
    check_widgets(widgets)
    check_progress(both, "awaiting two tasks")
    assert both.count("submitting") <= 1, f"two lines of progress overwrite each other:\n{both}"
    assert "Traceback" not in shown, shown


def test_ipython_in_a_terminal(tmp_path: Path) -> None:
    """IPython: ``wait()`` and ``await`` show the progress, a finished task its path, a widget what to do."""
    command = ["-m", "IPython", "--simple-prompt", "--colors=NoColor", "--no-banner"]
    check_interactive(typed(command, tmp_path, INTERACTIVE))
    columns = {"form": "no", "card": "partly", "video": "partly", "review": "no"}
    record("ipython", versions_of(["ipython", "python"]), **columns)  # type: ignore[arg-type]


def test_jupyter_console(tmp_path: Path) -> None:
    """A console with a kernel shows the same, although the kernel could show widgets elsewhere."""
    if importlib.util.find_spec("jupyter_console") is None:
        skip_without("jupyter-console is not installed", "pip install jupyter-console")
    command = ["-m", "jupyter_console", "--ZMQTerminalInteractiveShell.simple_prompt=True"]
    check_interactive(typed(command, tmp_path, INTERACTIVE))
    versions = versions_of(["jupyter_console", "ipykernel"])
    record("console", versions, form="no", card="partly", video="partly", review="no")


@pytest.mark.parametrize(("target", "suffix"), [("markdown", "md"), ("rst", "rst"), ("latex", "tex")])
def test_an_export_to_text(tmp_path: Path, target: str, suffix: str) -> None:
    """An exported notebook has the status and path of a finished task, and the resume line of another."""
    cells = [CONNECT, "task = await qw.generate('a koi')", "task", f"{RUNNING} running.show()", *WIDGETS]
    notebook = new_notebook(cells=[new_code_cell(code) for code in cells])
    nbformat.write(notebook, tmp_path / "notebook.ipynb")
    done = subprocess.run(
        [str(python_of()), "-m", "nbconvert", "--execute", "--to", target, "notebook.ipynb"],
        cwd=tmp_path,
        env=variables_of(tmp_path / "home"),
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    exported = (tmp_path / f"notebook.{suffix}").read_text(encoding="utf-8")
    plain = exported.replace("\\PYZus{}", "_").replace("\\_", "_")
    assert "videos/a-koi" in plain, f"a finished task does not show its path:\n{plain}"
    assert "base_url=" in plain, f"a running task does not say how to resume it:\n{plain}"
    assert "gallery of" in plain, f"a gallery says nothing:\n{plain}"
    if target != "latex":  # of the two, these take the HTML
        assert "<video" in plain, f"a finished task has no player:\n{plain}"
        return
    assert "Finished · a koi" in plain, f"a finished task says nothing:\n{plain}"
    assert "<style" not in plain, f"markup in plain text:\n{plain}"
    assert "data:" not in plain, "a picture as text"
