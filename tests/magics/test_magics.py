"""The magics in a real IPython shell: videos from cells, tasks from lines, help, completion, mistakes."""

from __future__ import annotations

import atexit
import json
import os
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

import qingbo_widgets as qw
from qingbo_widgets.magics.options import parameters_of, parser_of
from qingbo_widgets.sandbox import Faults, Sandbox
from qingbo_widgets.service.contract.kinds import KINDS
from qingbo_widgets.service.contract.models import models_of
from tests.descriptions import INVENTED, NUMBERS, SCENES
from tests.faults.server import FaultServer

SHORT = "-d 3 --no-audio"


@pytest.fixture
def shell(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """Yield a shell with the magics and without a history file; remove it after the test."""
    monkeypatch.setenv("IPYTHONDIR", str(workdir / "ipython"))
    shell = InteractiveShell.instance()
    shell.history_manager.enabled = False
    shell.run_line_magic("load_ext", "qingbo_widgets")
    yield shell
    qw.set_locale(None)
    shell.atexit_operations()
    atexit.unregister(shell.atexit_operations)
    InteractiveShell.clear_instance()


@pytest.fixture
def manager(shell: InteractiveShell, sandbox: Sandbox) -> qw.TaskManager:
    """Return the default manager, on a sandbox that fails every task and so draws nothing."""
    sandbox.faults = Faults(fail="task_failed")
    manager = qw.connect(sandbox=sandbox)
    manager.poll_interval = 0.1
    return manager


@pytest.fixture
def november(shell: InteractiveShell) -> Iterator[qw.TaskManager]:
    """Yield the default manager, on a sandbox of contract 2026-11 that fails every task."""
    with Sandbox(contract="2026-11", draft=True, speed=1000, faults=Faults(fail="task_failed")) as sandbox:
        manager = qw.connect(sandbox=sandbox)
        yield manager
        manager.close()  # before the sandbox stops: it still follows its task


class Rude:
    """An object that raises an error when it is converted to text."""

    def __str__(self) -> str:
        raise RuntimeError("I have no name")

    __format__ = __getattr__ = __str__  # type: ignore[assignment, misc]  # whatever it is asked


def completed(shell: InteractiveShell, line: str) -> set[str]:
    """Return the completions at the end of the line."""
    with provisionalcompleter():
        return {completion.text for completion in shell.Completer.completions(line, len(line))}


def help_of(shell: InteractiveShell, magic: str) -> str:
    """Return what ``magic?`` shows, on one line."""
    return " ".join(shell.object_inspect(magic)["docstring"].split())


def failed(task: qw.Task) -> qw.Task:
    """Wait until the task has failed and return it."""
    with pytest.raises(qw.TaskFailed):
        task.wait(timeout=30)
    return task


@pytest.mark.slow
def test_a_cell_becomes_a_task(shell: InteractiveShell, manager: qw.TaskManager) -> None:
    """A cell's text is the prompt, options are fields, variables are filled in, ``-o`` names the task."""
    shell.user_ns["fish"] = "koi"
    options = f"-m kling-v3 --mode pro {SHORT} -a 9:16 -o film"
    assert shell.run_cell_magic("qingbo", options, "A {fish} in a {{clear}} pond\n\n水面\n") is None
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
def test_variables_in_a_line(shell: InteractiveShell, manager: qw.TaskManager) -> None:
    """A line takes variables in both of IPython's notations; other text is unchanged."""
    shell.user_ns |= {"seconds": 3, "where": "a clear pond", "shape": "9:16"}
    line = '-d {seconds} -a $shape --no-audio -n "$where for $5 or $more, {{clear}}" -m kling-v1 -o film'
    with pytest.raises(
        UsageError, match="duration: 3"
    ):  # the model does not take this length, so the whole line was read
        shell.run_cell_magic("qingbo", line, "A koi")
    line = '--no-audio -s "In {where}:{seconds}" -s "It leaps for $5:4" -o film'
    assert shell.run_line_magic("qingbo", line) is None
    task = failed(shell.user_ns["film"])
    assert task.request.shots == (qw.Shot("In a clear pond", 3), qw.Shot("It leaps for $5", 4))
    shell.user_ns["task_id"] = task.task_id
    assert shell.run_line_magic("qingbo", "resume $task_id") is task
    assert shell.run_line_magic("qingbo", "resume {task_id}") is task


#: Ways from a text to the API key that an untrusted prompt could contain.
WAYS_TO_THE_KEY = (
    "{manager.client._transport._key._Secret__text}",
    "{qw.connect.__globals__[os].environ[QINGBO_API_KEY]}",
    "{os.environ[QINGBO_API_KEY]}",
    "{os.environ}",
    "{manager.client._transport._key!s}",
    "{manager.client._transport._key.reveal}",
    "{width:{os.environ[QINGBO_API_KEY]}}",
    "{width!r:{key}}",
    "{key}",
    "{first}{second}",
    "$key",
)


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS_TO_THE_KEY)
def test_no_prompt_reaches_the_key(
    shell: InteractiveShell, workdir: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, way: str
) -> None:
    """No cell and no option reaches the API key; even a variable with the key is refused and not echoed."""
    key = "sk-sentinel-3e1f9c7a5b2d"
    monkeypatch.setenv("QINGBO_API_KEY", key)
    with FaultServer() as server:
        manager = qw.connect(base_url=f"{server.url}/v1")
        shell.user_ns |= {"manager": manager, "qw": qw, "os": os, "width": 5, "key": key}
        shell.user_ns |= {"first": key[:9], "second": key[9:]}
        for cell in (
            f"%%qingbo -o film\nA koi, {way}, 4k",
            f"%%qingbo -o film -m kling-v1 -n '{way}'\nA koi",
            f"%%qingbo -o film -s '{way}:5'\nA koi:5",
            f"%%qingbo --callback-url 'https://example.com/{way}'\nA koi",
            f"%qingbo -s '{way}:5' -s 'A koi:5'",
            f"%qingbo -o '{way}' -s 'A koi:5' -s 'A koi:5'",
            f"%qingbo resume '{way}'",
            f"%qingbo sweep '{way}'",
            f"%qingbo tasks '{way}'",
        ):
            if way == "$key" and cell.endswith("4k"):
                continue  # a dollar sign in a prompt is a dollar sign
            shell.run_cell(cell)
        assert manager.tasks == ()
        manager.close()
    assert server.requests == []
    out, err = capsys.readouterr()
    assert "UsageError" in err
    assert key not in out + err
    assert "film" not in shell.user_ns
    written = [file.read_bytes() for file in workdir.rglob("*") if file.is_file()]
    assert not any(key.encode() in content for content in written)


@pytest.mark.slow
def test_without_a_name_the_cell_returns_the_task(shell: InteractiveShell, manager: qw.TaskManager) -> None:
    """A cell without ``-o`` returns its task, so that it shows the card as ``generate`` does."""
    task = shell.run_cell_magic("qingbo", SHORT, "A koi")
    assert task is manager.tasks[0]
    failed(task)


@pytest.mark.slow
def test_shots(shell: InteractiveShell, manager: qw.TaskManager) -> None:
    """Shots replace the prompt; the cell's lines are further shots, and their text may have a colon."""
    task = shell.run_cell_magic("qingbo", '--shot "Dawn: a koi:4" -s "It leaps:5"', "\nGone:3\n")
    assert task.request.shots == (qw.Shot("Dawn: a koi", 4), qw.Shot("It leaps", 5), qw.Shot("Gone", 3))
    failed(task)


@pytest.mark.slow
def test_shots_need_no_cell(shell: InteractiveShell, manager: qw.TaskManager) -> None:
    """The line magic takes the options too, because IPython rejects a cell magic without a body."""
    line = '--no-audio --shot "A koi rises:4" -s "It\'s gone:5" -o film'
    assert shell.run_line_magic("qingbo", line) is None
    assert failed(shell.user_ns["film"]).request.shots == (qw.Shot("A koi rises", 4), qw.Shot("It's gone", 5))
    with pytest.raises(UsageError, match="prompt"):
        shell.run_line_magic("qingbo", "-m kling-v3")


@pytest.mark.slow
def test_waiting_reports_the_failure(shell: InteractiveShell, manager: qw.TaskManager) -> None:
    """A failure during ``--wait`` is a message, not a traceback."""
    with pytest.raises(UsageError, match="task_failed"):
        shell.run_cell_magic("qingbo", f"{SHORT} --wait", "A koi")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "text", "words"),
    [
        ("--modle kling-v3", "x", r"--modle.*Did you mean --mode\? (?!Options)"),
        ("--resolution 4k", "x", r"--resolution is an option of contract 2026-11\. %%qingbo\?"),
        ('--element-list \'[{"name": "a"}]\'', "x", r"--element-list is an option of contract 2026-11\."),
        ("--generate-audio", "x", r"is an option of contract 2026-11|Did you mean --audio"),
        ("--enable-audio", "x", r"Did you mean --audio\?"),
        ("--no-enable-audio", "x", r"Did you mean --no-audio\?"),
        ("--duration five", "x", r"-d/--duration: 'five' is not a whole number, as in -d 5\. %%qingbo\?"),
        ("-d 5.0", "x", r"-d/--duration: '5\.0' is not a whole number, as in -d 5\. "),
        ("--cfg-scale much", "x", r"--cfg-scale: 'much' is not a number, as in --cfg-scale 0\.5\. "),
        (f"--camera {'[' * 50_000}", "x", "--camera: .* is not JSON .*, as in --camera "),
        ("--dynamic-masks [1", "x", r"--dynamic-masks: '\[1' is not JSON .*, as in --dynamic-masks "),
        ("-o 7up", "x", "not a valid variable name"),
        ("--shot koi", "\n", "whole seconds"),
        ("", "A {missing} koi", "the variable 'missing' is not defined"),
        ("", "A {koi", r"\{name\} inserts a variable"),
        ("", "A {} koi", r"\{\} is not a variable name"),
        ("", "A {rude} koi", "is a Rude, not text or a number"),
        ("", "A {lst} koi", "is a list, not text or a number"),
        (
            "",
            "A {lst[0]} koi",
            r"\{lst\[0\]\} is not a variable name.*text = …, and write \{text\}",
        ),
        ("", "A {rude.name} koi", r"\{rude\.name\} is not"),
        ("", "A {word!r} koi", r"\{word!r\} is not"),
        ("", "A {word:>5} koi", r"\{word:>5\} is not"),
        ("", "A {word:{width}} koi", "is not a variable name"),
        ("-n {rude.name}", "A koi", r"\{rude\.name\} is not"),
        ('-s "{lst[0]}:5"', "A koi:5", r"\{lst\[0\]\} is not"),
        ("-n 'A koi", "A koi", "No closing quotation"),
        ("-o class", "x", "not a valid variable name"),
        ('-s "A koi:3"', "It leaps", r"'It leaps': with --shot, each line of the cell is a shot"),
        ("-d 99", "A koi", "duration: 99"),
        ("", " ", "prompt"),
    ],
)
def test_mistakes_send_nothing(
    shell: InteractiveShell, manager: qw.TaskManager, options: str, text: str, words: str
) -> None:
    """Each mistake raises a message with the remedy, and nothing is submitted."""
    shell.user_ns |= {"lst": [1], "word": "koi", "rude": Rude()}
    with pytest.raises(UsageError, match=words):
        shell.run_cell_magic("qingbo", options, text)
    assert manager.tasks == ()


@pytest.mark.slow
def test_tasks_and_resume(shell: InteractiveShell, manager: qw.TaskManager) -> None:
    """The list has every task with its id, and ``resume`` returns the task itself."""
    task = failed(manager.submit(prompt="<b>koi</b>", duration=3))
    listed = shell.run_line_magic("qingbo", "tasks")
    assert task.task_id in repr(listed)
    assert "&lt;b&gt;koi" in listed._repr_html_()
    assert shell.run_line_magic("qingbo", f"resume {task.task_id}") is task
    assert len(shell.run_line_magic("qingbo", "tasks 0").rows) == 0


def test_sweeps(shell: InteractiveShell, manager: qw.TaskManager) -> None:
    """A sweep is found by its name; the error for an unknown name lists the existing ones."""
    created = qw.sweep(prompt="koi", repeat=2, name="two koi", ask_above=0)
    assert "two koi" in repr(shell.run_line_magic("qingbo", "sweeps"))
    assert shell.run_line_magic("qingbo", "sweep two koi") is created
    with pytest.raises(UsageError, match="the library has: two koi"):
        shell.run_line_magic("qingbo", "sweep three")


def test_wrong_commands(shell: InteractiveShell) -> None:
    """An unknown command names the one that was meant or lists all, without a connection."""
    with pytest.raises(UsageError, match=r"Did you mean resume\?$"):
        shell.run_line_magic("qingbo", "resum task-1")
    with pytest.raises(UsageError, match=r"%qingbo zzz: Commands: models.*tasks.*cancel"):
        shell.run_line_magic("qingbo", "zzz")
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
def test_an_invalid_argument_is_rejected(
    shell: InteractiveShell, manager: qw.TaskManager, line: str, words: str
) -> None:
    """An invalid argument of a command raises an error instead of being ignored."""
    with pytest.raises(UsageError, match=words):
        shell.run_line_magic("qingbo", line)


def test_an_apostrophe_opens_no_quotation(shell: InteractiveShell, manager: qw.TaskManager) -> None:
    """An unpaired apostrophe after a command is an ordinary character."""
    task = shell.run_line_magic("qingbo", "resume it's")
    with pytest.raises(qw.TaskNotFound):
        task.wait(timeout=30)


def test_a_missing_key_is_reported(shell: InteractiveShell) -> None:
    """Without an API key nothing is connected, and the message explains how to set one."""
    with pytest.raises(UsageError, match="QINGBO_API_KEY"):
        shell.run_cell_magic("qingbo", "", "A koi")


def test_help(shell: InteractiveShell) -> None:
    """``%%qingbo?`` shows the options, ``%qingbo?`` the commands."""
    explained = shell.object_inspect("%%qingbo")["docstring"]
    assert "--aspect-ratio" in explained
    assert "  %%qingbo [-m MODEL]" in explained
    assert "%%%" not in explained
    assert "resume ID" in shell.object_inspect("%qingbo")["docstring"]


def test_the_line_magic_alone_shows_its_help(shell: InteractiveShell, monkeypatch: Any) -> None:
    """``%qingbo`` without a command is a question, not a mistake."""
    pages: list[Any] = []
    monkeypatch.setattr("IPython.core.page.page", lambda text, *_, **__: pages.append(text))
    assert shell.run_line_magic("qingbo", "") is None
    (page,) = pages
    assert "resume ID" in str(page)


@pytest.mark.parametrize(
    ("line", "english", "chinese"),
    [
        ("--mode", "--mode needs a value", "--mode 后面要有值"),
        ("--odd x", "no such option: --odd x", "没有这个选项：--odd x"),
        ("--mo x", "--mo is ambiguous: --model, --mode", "--mo 有歧义：--model, --mode"),
        ("-s 'A koi:5' --wait=3", "-w/--wait takes no value", "-w/--wait 后面不能有值"),
        ("--duration x", "-d/--duration: 'x' is not a whole number", "-d/--duration：'x' 不是整数"),
    ],
)
def test_errors_of_the_options_are_in_the_language_of_the_notebook(
    shell: InteractiveShell, line: str, english: str, chinese: str
) -> None:
    """The parser of Python knows English only, and speaks of arguments."""
    for language, words in (("en", english), ("zh", chinese)):
        qw.set_locale(language)
        with pytest.raises(UsageError) as caught:
            shell.run_cell_magic("qingbo", line, "A koi")
        assert words in str(caught.value)


def test_the_help_has_a_chinese_title(shell: InteractiveShell) -> None:
    """No word of the help is English, apart from the names."""
    qw.set_locale("zh")
    shown = help_of(shell, "%%qingbo")
    assert "选项:" in shown
    assert "options" not in shown


def test_help_follows_the_contract_and_the_language(
    shell: InteractiveShell, sandbox: Sandbox, november: qw.TaskManager
) -> None:
    """The help shows the options of the current contract, also if the extension was loaded before."""
    assert "--element-list" in help_of(shell, "%%qingbo")
    qw.connect(sandbox=sandbox)
    assert "--element-list" not in help_of(shell, "%%qingbo")
    assert "--dynamic-masks" in help_of(shell, "%%qingbo")
    qw.set_locale("zh")
    assert "用单元格里的文字生成视频" in help_of(shell, "%%qingbo")
    assert "列出当前接口的模型" in help_of(shell, "%qingbo")


@pytest.mark.parametrize("contract", ["2026-04", "2026-11"])
def test_models(shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch, contract: str) -> None:
    """``%qingbo models`` lists each model with its lengths and the options of its own; nothing connects."""
    monkeypatch.setenv("QINGBO_CONTRACT", contract)
    listed = shell.run_line_magic("qingbo", "models")
    assert contract in listed.head[0]
    assert [name for name, *_ in listed.rows] == list(models_of(contract))
    described, options = {name: rest for name, *rest in listed.rows}["kling-v3"]
    assert "3 to 15 s" in described
    assert ("--multi-prompt" in options) == (contract == "2026-11")
    assert "--model" not in options
    assert qw.tasks.connection.default() is None
    qw.set_locale("zh")
    assert f"模型（{contract} 版接口）" in repr(shell.run_line_magic("qingbo", "models"))


@pytest.mark.parametrize("magic", ["qingbo --help", "qingbo -h"])
def test_help_as_an_option(shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch, magic: str) -> None:
    """``--help`` shows the same as a question mark, and nothing is connected."""
    shown: list[str] = []
    monkeypatch.setattr(shell, "_inspect", lambda _, name, **__: shown.append(name))
    name, option = magic.split()
    assert shell.run_line_magic(name, option) is None
    assert shell.run_cell_magic(name, f"-m kling-v3 {option}", "A koi") is None
    assert shown == ["%qingbo", "%%qingbo"]


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
        ("%%qingbo -d 1", {"10", "11", "12", "13", "14", "15"}),
        ("%%qingbo -m kling-v3 -d ", {"3", "4", "14", "15"}),
        ("%%qingbo --camera ", {"down_back", "forward_up", "right_turn_forward", "left_turn_forward"}),
    ],
)
def test_completion(shell: InteractiveShell, line: str, offered: set[str]) -> None:
    """Tab offers options, their values and commands; it connects to nothing."""
    assert offered <= completed(shell, line)


@pytest.mark.parametrize(
    "line", ["-m kling-v1-6", "--model kling-v1", "--model=kling-v1", "-m kling-v3 -m kling-v1"]
)
def test_lengths_are_those_of_the_model_in_the_line(shell: InteractiveShell, line: str) -> None:
    """Only the lengths that the line's model takes are offered: 5 and 10."""
    offered = completed(shell, f"%%qingbo {line} -d ")
    assert {text for text in offered if text.isdecimal()} == {"5", "10"}


def test_an_incomplete_value_is_not_offered(shell: InteractiveShell) -> None:
    """``--camera simple`` is not offered, because it is invalid without a config."""
    for line in ("%%qingbo --camera ", "%%qingbo -m kling-v1-6 --camera "):
        assert "forward_up" in completed(shell, line)
        assert "simple" not in completed(shell, line)


@pytest.mark.parametrize("contract", ["2026-04", "2026-11"])
def test_every_list_and_object_has_an_example(contract: str) -> None:
    """The help and the error of an option that takes JSON show the same valid example."""
    models = models_of(contract)
    parser = parser_of(models)
    shown = {
        name: parameter
        for name, parameter in parameters_of(models).items()
        if parameter.type in ("camera", "masks", "objects", "urls", "choices")
    }
    assert shown
    explained = " ".join(parser.format_help().split())
    for name, parameter in shown.items():
        option = parameter.flags[0]
        with pytest.raises(UsageError, match="is not JSON in single quotes") as caught:
            parser.parse_args([option, "[1"])
        example = re.search(rf"as in ({option} '.*?')$", str(caught.value))
        assert example is not None
        takers = [models[model] for model in models.taking(name)]
        assert (example[1] in explained) == any(model.parameters[name].most != 1 for model in takers)
        value = getattr(parser.parse_args(shlex.split(example[1])), name)
        model = max(takers, key=lambda one: one.parameters[name].most)
        kind = KINDS[parameter.type]
        assert list(kind.check(model.parameters[name], kind.read(value), model)) == []


@pytest.mark.parametrize("option", ["--element-list", "--image-with-roles", "--multi-prompt"])
def test_an_object_that_is_not_json(shell: InteractiveShell, november: qw.TaskManager, option: str) -> None:
    """A plain text for an object is refused as one that is not JSON, with the example."""
    with pytest.raises(UsageError, match=rf"'robot' is not JSON.*as in {option} '\[\{{"):
        shell.run_cell_magic("qingbo", f"{option} robot", "A koi")


@pytest.mark.parametrize(
    "options",
    [
        """--image '["https://e.com/1.png", "https://e.com/2.png"]'""",
        """--image '["{first}", "https://e.com/2.png"]'""",
        "-i https://e.com/1.png -i https://e.com/2.png",
        """-i $first -i '["https://e.com/2.png"]'""",
    ],
)
def test_several_urls(shell: InteractiveShell, november: qw.TaskManager, options: str) -> None:
    """Several images are a repeated option, or a list in JSON."""
    shell.user_ns["first"] = "https://e.com/1.png"
    task = shell.run_cell_magic("qingbo", f"-m kling-v3 {options}", "A koi")
    assert task.request.image_urls == ("https://e.com/1.png", "https://e.com/2.png")


@pytest.mark.parametrize("option", ["--camera", "--dynamic-masks"])
def test_the_example_of_an_error_is_valid(
    shell: InteractiveShell, manager: qw.TaskManager, option: str
) -> None:
    """The option that the message shows as an example is parsed; the next error is about the model."""
    with pytest.raises(UsageError) as caught:
        shell.run_cell_magic("qingbo", f"{option} [1", "A koi")
    match = re.search(rf"as in ({option} '.*?')\.", str(caught.value))
    assert match is not None
    with pytest.raises(UsageError, match=f"{option[2:8]}.*kling-v3 does not take it"):
        shell.run_cell_magic("qingbo", match[1], "A koi")


_ELEMENT = '{"name": "robot", "description": "%s", "element_input_urls": ["https://e.com/1.png", "%s"]}'


@pytest.mark.parametrize(
    "option",
    [
        f"--element-list '[{_ELEMENT % ('a {word} robot', '{url}')}]'",
        f"--element-list='[{_ELEMENT % ('a {word} robot', '{url}')}]'",
        "--element-list '{elements}'",
        "--element-list $elements",
        f"--element-list '[{{{_ELEMENT % ('a {word} robot', '{url}')}}}]'",
    ],
)
def test_json_in_a_line(shell: InteractiveShell, november: qw.TaskManager, option: str) -> None:
    """The braces of JSON need no doubling, and a variable in it stands for a text, whatever it contains."""
    word, url = 'small "red"', "https://e.com/2.png"
    element = {
        "name": "robot",
        "description": f"a {word} robot",
        "element_input_urls": ["https://e.com/1.png", url],
    }
    doubled = "{{" in option
    shell.user_ns |= {
        "word": json.dumps(word)[1:-1] if doubled else word,
        "url": url,
        "elements": json.dumps([element]),
    }
    task = shell.run_cell_magic("qingbo", f"-m kling-v3-omni {option}", "A koi")
    assert [item.as_dict() for item in task.request.element_list] == [element]


def test_json_without_a_variable(shell: InteractiveShell, november: qw.TaskManager) -> None:
    """Shots and roles are written as JSON, and braces that hold anything else than a name are left alone."""
    line = """--multi-shot --multi-prompt '[{"prompt": "a {0} {x.y} koi", "duration": 5}]' -d 5"""
    task = shell.run_cell_magic("qingbo", f"{line} --shot-type customize", "A koi")
    assert task.request.multi_prompt[0]["prompt"] == "a {0} {x.y} koi"
    with pytest.raises(UsageError, match="the variable 'missing' is not defined"):
        shell.run_cell_magic("qingbo", """--multi-prompt '[{"prompt": "{missing}"}]'""", "A koi")


def test_the_example_of_objects(shell: InteractiveShell, november: qw.TaskManager) -> None:
    """The error for JSON that cannot be read shows all members of an object."""
    with pytest.raises(
        UsageError, match=r"""as in --image-with-roles '\[{"url": .*"role": "first_frame"}\]'"""
    ):
        shell.run_cell_magic("qingbo", "--image-with-roles [1", "A koi")


def test_an_option_of_several_words_adds_up(shell: InteractiveShell, november: qw.TaskManager) -> None:
    """Events are collected from repeated options, each with one or more."""
    line = "--callback-events completed --callback-events 'failed cancelled'"
    task = shell.run_cell_magic("qingbo", f"{line} --callback-url https://e.com/hook", "A koi")
    assert task.request.callback_events == ("completed", "failed", "cancelled")


@pytest.mark.slow
def test_completion_of_ids(shell: InteractiveShell, manager: qw.TaskManager) -> None:
    """``resume`` is completed with the ids of the library."""
    task = failed(manager.submit(prompt="koi", duration=3))
    assert task.task_id in completed(shell, "%qingbo resume ")


@pytest.mark.slow
def test_loading_twice_is_harmless(shell: InteractiveShell, manager: Any) -> None:
    """The extension can be loaded again, as when its cell is run again."""
    shell.run_line_magic("reload_ext", "qingbo_widgets")
    failed(shell.run_cell_magic("qingbo", SHORT, "A koi"))


@pytest.mark.slow
def test_an_invented_parameter_is_an_option(
    described: Callable[[str], None], shell: InteractiveShell, manager: qw.TaskManager
) -> None:
    """A parameter added to the description becomes an option: listed, completed, parsed."""
    described(INVENTED)
    assert "--grain" in completed(shell, "%%qingbo --gr")
    assert completed(shell, "%%qingbo --grain ") >= {"fine", "coarse"}
    assert "kling-v9" in completed(shell, "%%qingbo -m ")
    with pytest.raises(UsageError, match="grain: 'soft' is not one of fine, coarse"):
        shell.run_cell_magic("qingbo", "-m kling-v9 --grain soft", "A koi")


def test_shots_of_another_name_are_shots(
    described: Callable[[str], None], shell: InteractiveShell, manager: qw.TaskManager
) -> None:
    """A parameter of type ``shots`` is parsed by its type, and errors name its own option."""
    described(SCENES)
    task = shell.run_cell_magic("qingbo", '-m kling-v9 --scene "A koi:4"', "It leaps:5")
    assert task.request.scenes == (qw.Shot("A koi", 4), qw.Shot("It leaps", 5))
    assert task.request.prompt == ""
    with pytest.raises(UsageError, match=r"--scene 'A koi': write a shot as prompt, colon"):
        shell.run_cell_magic("qingbo", '-m kling-v9 --scene "A koi"', "It leaps:5")
    with pytest.raises(UsageError, match="with --scene, each line"):
        shell.run_cell_magic("qingbo", '-m kling-v9 --scene "A koi:4"', "It leaps")
    assert '--scene "A koi rises:5". A video has 2 to 4 shots' in help_of(shell, "%%qingbo")
    with pytest.raises(qw.QingboError):
        task.wait(timeout=30)


def test_an_option_names_a_choice_that_is_a_number(described: Callable[[str], None]) -> None:
    """A choice that is a number is typed as text and sent as a number."""
    described(NUMBERS)
    assert parser_of(models_of()).parse_args(["--grain", "720"]).grain == 720
