"""The magics in a real IPython shell: videos from cells, tasks from lines, help, completion, mistakes."""

from __future__ import annotations

import atexit
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

import qingbo_widgets as qw
from qingbo_widgets.sandbox import Faults, Sandbox

SHORT = "-d 3 --no-audio"


@pytest.fixture
def shell(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """A shell with the magics, whose history stays in memory; gone after the test."""
    monkeypatch.setenv("IPYTHONDIR", str(workdir / "ipython"))
    shell = InteractiveShell.instance()
    shell.history_manager.enabled = False
    shell.run_line_magic("load_ext", "qingbo_widgets")
    yield shell
    shell.atexit_operations()
    atexit.unregister(shell.atexit_operations)
    InteractiveShell.clear_instance()


@pytest.fixture
def manager(shell: InteractiveShell, sandbox: Sandbox) -> qw.TaskManager:
    """The default manager, on a sandbox in which nothing has to be drawn."""
    sandbox.faults = Faults(fail="task_failed")
    manager = qw.connect(sandbox=sandbox)
    manager.poll_interval = 0.1
    return manager


class Rude:
    """An object that does not let itself be written."""

    def __format__(self, _: str) -> str:
        raise RuntimeError("I have no name")


def python_says(act: Callable[[], object]) -> str:
    """Python's own words for a mistake, which are not the same in each version."""
    with pytest.raises(Exception, match=r"\w") as caught:
        act()
    return str(caught.value)


def completed(shell: InteractiveShell, line: str) -> set[str]:
    """What Tab offers at the end of the line."""
    with provisionalcompleter():
        return {found.text for found in shell.Completer.completions(line, len(line))}


def failed(task: qw.Task) -> qw.Task:
    """The task, ended."""
    with pytest.raises(qw.TaskFailed):
        task.wait(timeout=30)
    return task


@pytest.mark.slow
def test_a_cell_becomes_a_task(shell: InteractiveShell, manager: qw.TaskManager) -> None:
    """The text is the prompt, options are fields, variables are filled in, ``-o`` names the task."""
    shell.user_ns["fish"] = {"name": "koi"}
    options = f"-m kling-v3 --mode pro {SHORT} -a 9:16 -o film"
    assert shell.run_cell_magic("qingbo", options, "A {fish[name]} in a {{clear}} pond\n\n水面\n") is None
    task = failed(shell.user_ns["film"])
    assert task.request == qw.VideoRequest(
        "kling-v3",
        "A koi in a {clear} pond\n\n水面",
        mode="pro",
        duration=3,
        enable_audio=False,
        aspect_ratio="9:16",
    )


@pytest.mark.slow
def test_without_a_name_the_cell_returns_the_task(shell: InteractiveShell, manager: qw.TaskManager) -> None:
    """So the cell shows its card, as ``generate`` does."""
    task = shell.run_cell_magic("qingbo", SHORT, "A koi")
    assert task is manager.tasks[0]
    failed(task)


@pytest.mark.slow
def test_shots(shell: InteractiveShell, manager: qw.TaskManager) -> None:
    """Shots stand instead of the prompt; further ones are the cell's lines, and a colon may be in theirs."""
    task = shell.run_cell_magic("qingbo", '--shot "Dawn: a koi:4" -s "It leaps:5"', "\nGone:3\n")
    assert task.request.shots == (qw.Shot("Dawn: a koi", 4), qw.Shot("It leaps", 5), qw.Shot("Gone", 3))
    failed(task)


@pytest.mark.slow
def test_shots_need_no_cell(shell: InteractiveShell, manager: qw.TaskManager) -> None:
    """A cell magic without a body is refused by IPython, so the line magic takes the options too."""
    line = '--no-audio --shot "A koi rises:4" -s "It\'s gone:5" -o film'
    assert shell.run_line_magic("qingbo", line) is None
    assert failed(shell.user_ns["film"]).request.shots == (qw.Shot("A koi rises", 4), qw.Shot("It's gone", 5))
    with pytest.raises(UsageError, match="prompt"):
        shell.run_line_magic("qingbo", "-m kling-v3")


@pytest.mark.slow
def test_waiting_tells_what_went_wrong(shell: InteractiveShell, manager: qw.TaskManager) -> None:
    """A failure is a sentence, not a traceback."""
    with pytest.raises(UsageError, match="task_failed"):
        shell.run_cell_magic("qingbo", f"{SHORT} --wait", "A koi")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "text", "words"),
    [
        ("--modle kling-v3", "x", r"--modle.*Did you mean --mode.*Options: .*-m/--model.*-s/--shot"),
        ("--duration five", "x", "five.*Options"),
        ("-o 7up", "x", "no name for a variable"),
        ("--shot koi", "\n", "whole seconds"),
        ("", "A {missing} koi", "no variable 'missing'"),
        ("", "A {koi", r"\{name\} stands for a variable"),
        ("", "A {lst[foo]} koi", re.escape(python_says(lambda: [1].__getitem__("foo")))),
        ("", "A {fish[colour]} koi", re.escape(repr(KeyError("colour")))),
        ("", "A {} koi", "no variable"),
        ("", "A {rude} koi", "I have no name"),
        ("-o class", "x", "no name for a variable"),
        ('-s "A koi:3"', "It leaps", r"'It leaps': shots take the place of the prompt.*each line"),
        ("-d 99", "A koi", "duration: 99"),
        ("", " ", "prompt"),
    ],
)
def test_mistakes_send_nothing(
    shell: InteractiveShell, manager: qw.TaskManager, options: str, text: str, words: str
) -> None:
    """Each is answered by a sentence that says what would do."""
    shell.user_ns |= {"lst": [1], "fish": {}, "rude": Rude()}
    with pytest.raises(UsageError, match=words):
        shell.run_cell_magic("qingbo", options, text)
    assert manager.tasks == ()


@pytest.mark.slow
def test_tasks_and_resume(shell: InteractiveShell, manager: qw.TaskManager) -> None:
    """The list has every task with its id; resuming one gives the task itself."""
    task = failed(manager.submit(prompt="<b>koi</b>", duration=3))
    listed = shell.run_line_magic("qingbo", "tasks")
    assert task.task_id in repr(listed)
    assert "&lt;b&gt;koi" in listed._repr_html_()
    assert shell.run_line_magic("qingbo", f"resume {task.task_id}") is task
    assert len(shell.run_line_magic("qingbo", "tasks 0").rows) == 0


def test_sweeps(shell: InteractiveShell, manager: qw.TaskManager) -> None:
    """A sweep is found by its name; a wrong one is answered with the right ones."""
    made = qw.sweep(prompt="koi", repeat=2, name="two koi", ask_above=0)
    assert "two koi" in repr(shell.run_line_magic("qingbo", "sweeps"))
    assert shell.run_line_magic("qingbo", "sweep two koi") is made
    with pytest.raises(UsageError, match="there are: two koi"):
        shell.run_line_magic("qingbo", "sweep three")


def test_wrong_commands(shell: InteractiveShell) -> None:
    """They need no connection, and list what there is."""
    with pytest.raises(UsageError, match=r"Did you mean resume.*tasks.*cancel"):
        shell.run_line_magic("qingbo", "resum task-1")
    with pytest.raises(UsageError, match="%qingbo resume ID"):
        shell.run_line_magic("qingbo", "resume")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("tasks abc", "%qingbo tasks 50"),
        ("tasks 99999999999999999999", "%qingbo tasks 50"),
        ("sweeps of today", "the sweeps of the library"),
    ],
)
def test_what_a_command_does_not_take(
    shell: InteractiveShell, manager: qw.TaskManager, line: str, words: str
) -> None:
    """It is said, not ignored."""
    with pytest.raises(UsageError, match=words):
        shell.run_line_magic("qingbo", line)


def test_an_apostrophe_opens_no_quotation(shell: InteractiveShell, manager: qw.TaskManager) -> None:
    """What comes after a command is taken as it stands, where it quotes nothing."""
    task = shell.run_line_magic("qingbo", "resume it's")
    with pytest.raises(qw.TaskNotFound):
        task.wait(timeout=30)


def test_no_key_is_a_sentence(shell: InteractiveShell) -> None:
    """Without a key nothing is connected, and the text says how to give one."""
    with pytest.raises(UsageError, match="QINGBO_API_KEY"):
        shell.run_cell_magic("qingbo", "", "A koi")


def test_help(shell: InteractiveShell) -> None:
    """``%%qingbo?`` has the options, ``%qingbo?`` the commands."""
    assert "--aspect-ratio" in shell.object_inspect("%%qingbo")["docstring"]
    assert "resume ID" in shell.object_inspect("%qingbo")["docstring"]


@pytest.mark.parametrize("magic", ["qingbo --help", "qingbo -h"])
def test_help_as_an_option(shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch, magic: str) -> None:
    """Shows what a question mark shows, for the cell magic the options; nothing is connected."""
    asked: list[str] = []
    monkeypatch.setattr(shell, "_inspect", lambda _, name, **__: asked.append(name))
    name, option = magic.split()
    assert shell.run_line_magic(name, option) is None
    assert shell.run_cell_magic(name, f"-m kling-v3 {option}", "A koi") is None
    assert asked == ["%qingbo", "%%qingbo"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("%%qingbo --mo", {"--mode", "--model"}),
        ("%%qingbo -m kling-v1", {"kling-v1", "kling-v1-6"}),
        ("%%qingbo --mode p", {"pro"}),
        ("%qingbo re", {"resume"}),
        ("%qingbo --sh", {"--shot"}),
        ("%qingbo --mode p", {"pro"}),
        ("%qingbo resume ", set()),
    ],
)
def test_completion(shell: InteractiveShell, line: str, offered: set[str]) -> None:
    """Tab offers options, their values and commands; it connects to nothing."""
    assert offered <= completed(shell, line)


@pytest.mark.slow
def test_completion_of_ids(shell: InteractiveShell, manager: qw.TaskManager) -> None:
    """After ``resume`` the ids of the library are offered."""
    task = failed(manager.submit(prompt="koi", duration=3))
    assert task.task_id in completed(shell, "%qingbo resume ")


@pytest.mark.slow
def test_loading_twice_is_harmless(shell: InteractiveShell, manager: Any) -> None:
    """As when a cell is run again."""
    shell.run_line_magic("reload_ext", "qingbo_widgets")
    failed(shell.run_cell_magic("qingbo", SHORT, "A koi"))
