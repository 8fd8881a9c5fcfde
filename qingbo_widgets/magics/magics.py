"""The magics of ``%load_ext qingbo_widgets``: ``%%qingbo`` makes a video, ``%qingbo`` manages tasks."""

from __future__ import annotations

import argparse
import difflib
import itertools
import keyword
import re
import shlex
from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class, no_var_expand

from ..exceptions import QingboError
from ..i18n import N_, tr
from ..library.entry import Entry
from ..library.sweeps import Sweeps
from ..service.contract.request import Shot, VideoRequest
from ..service.contract.schema import Model, Models
from ..service.contract.snapshot import TaskStatus
from ..service.contract.status_names import status_name
from ..service.contract.text import shorten
from ..service.secrets.known_keys import hide
from ..system.times import local_time
from ..tasks import completion, connection
from ..tasks.connection import current
from ..tasks.sweep.sweep import Sweep
from ..tasks.task import Task
from ..tasks.terminal import columns_of, padded
from ..widgets.base import html as markup
from ..widgets.base.html import Markup
from .options import choices_of, hint, in_words, json_options, parameters_of, parser_of
from .placeholders import filled, filled_json, filled_option

__all__ = ["QingboMagics", "load", "row_of"]

COMMANDS = {
    "models": N_("the models of the contract, with the options of each"),
    "tasks": N_("the latest tasks of the library: %qingbo tasks, %qingbo tasks 50"),
    "resume": N_("follow a task again, in any kernel: %qingbo resume ID"),
    "cancel": N_("cancel a task that is still queued: %qingbo cancel ID"),
    "sweeps": N_("the sweeps of the library"),
    "sweep": N_("load a sweep from the library: %qingbo sweep NAME"),
}
_MAKE = N_(
    """\
Generate a video from the text in the cell; {name} inserts a variable, {{ a brace.

Shots replace the prompt. With --shot, each line of the cell is one more shot. Without a cell, use the
line magic: %qingbo --shot "A koi rises:5" --shot "It leaps:5"

Objects and lists are written as JSON, as the examples of their options show; {name} in it inserts a
variable too. %qingbo models lists the models, and the options of each.

A variable must hold text or a number. Attributes and indices are not read: a copied prompt could use
them to get the API key."""
)
_MANAGE = N_("Manage tasks, or generate a multi-shot video.")
_MANAGE_MORE = N_(
    """\
%qingbo --shot … generates a multi-shot video, with the options of %%qingbo.
%%qingbo generates a video from the text in a cell; %%qingbo? shows its options."""
)
_NEED = ("resume", "cancel", "sweep")
_HELP = ("-h", "--help")
_LATEST = 20


class Listing:
    """A list of rows, shown as a table in a notebook and as lines in a terminal."""

    def __init__(self, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
        self.head = head
        self.rows = list(rows)

    def __repr__(self) -> str:
        table = [self.head, *self.rows]
        widths = [max(map(columns_of, column)) for column in zip(*table, strict=True)]
        return "\n".join("  ".join(map(padded, row, widths)).rstrip() for row in table)

    def _repr_html_(self) -> str:
        def line(cells: tuple[str, ...], tag: str) -> Markup:
            return markup.tag("tr", *(markup.tag(tag, markup.text(cell)) for cell in cells))

        return markup.tag("table", line(self.head, "th"), *(line(row, "td") for row in self.rows))


@magics_class
class QingboMagics(Magics):
    """The magics ``%%qingbo`` and ``%qingbo``."""

    shell: Any

    @no_var_expand  # IPython would evaluate the text in braces
    @cell_magic("qingbo")  # type: ignore[arg-type]  # IPython types its decorators for plain functions
    def make(self, line: str, cell: str) -> Task | None:
        """Make a video of the text in the cell."""
        if any(word in _HELP for word in _split(line)):
            self._show_help("%%qingbo")
            return None
        arguments = vars(_parsed(line, self.shell.user_ns))
        output, wait = arguments.pop("output"), arguments.pop("wait")
        if output is not None and (not output.isidentifier() or keyword.iskeyword(output)):
            raise _usage_error(tr("-o {output}: this is not a valid variable name.").format(output=output))
        fields = {name: value for name, value in arguments.items() if value is not None}
        text = _substituted(filled, cell.strip(), self.shell.user_ns)
        parameters = parameters_of(_models())
        lists = [name for name in fields if parameters[name].type == "shots"]
        for name in lists:
            option = parameters[name].flags[-1]
            more = [line for line in text.splitlines() if line.strip()] if name == lists[0] else []
            in_cell = [_shot(line, option, in_cell=True) for line in more]
            fields[name] = [*(_shot(shot, option) for shot in fields[name]), *in_cell]
        if not lists:
            fields["prompt"] = text
        task = _without_traceback(lambda: current().submit(VideoRequest(**fields)))
        if output is not None:
            self.shell.user_ns[output] = task
            task.show()
        if wait:
            _without_traceback(task.wait)
        return task if output is None else None

    @no_var_expand
    @line_magic("qingbo")  # type: ignore[arg-type]
    def manage(self, line: str) -> Any:
        """Manage tasks, or generate a multi-shot video."""
        command, *rest = _split(line) or [""]
        argument = " ".join(_substituted(filled_option, word, self.shell.user_ns) for word in rest)
        if not command or command in _HELP:
            self._show_help("%qingbo")
            return None
        if command.startswith("-"):
            return self.make(line, "")
        if command not in COMMANDS:
            instead = _suggestion(command, COMMANDS) or _command_list(COMMANDS)
            raise _usage_error(f"%qingbo {command}: {instead}")
        is_number = re.fullmatch("[0-9]{1,6}", argument) is not None
        if bool(argument) != (command in _NEED) and not (command == "tasks" and is_number):
            raise _usage_error(f"%qingbo {command}: {tr(COMMANDS[command])}")
        return _without_traceback(lambda: getattr(self, f"_{command}")(argument))

    def _models(self, argument: str) -> Listing:
        del argument
        models = _models()
        shared = frozenset.intersection(*(frozenset(model.parameters) for model in models.values()))
        head = (
            tr("model, contract {contract}").format(contract=models.contract),
            tr("description"),
            tr("further options"),
        )
        return Listing(head, [_row_of_model(model, shared) for model in models.values()])

    def _tasks(self, argument: str) -> Listing:
        limit = int(argument or _LATEST)
        library = current().library
        head = (tr("submitted"), tr("status"), tr("model"), tr("id"), tr("prompt"), tr("video"))
        return Listing(head, [row_of(entry) for entry in library.entries(limit=limit)])

    def _resume(self, argument: str) -> Task:
        return current().resume(argument)

    def _cancel(self, argument: str) -> Task:
        task = current().resume(argument)
        task.cancel()
        return task

    def _sweeps(self, argument: str) -> Listing:
        del argument
        manager = current()
        return Listing(
            (tr("sweep"),), [(name,) for name in Sweeps(manager.library.journal, manager.service).names()]
        )

    def _sweep(self, argument: str) -> Sweep:
        try:
            return Sweep.load(argument)
        except KeyError as error:
            raise _usage_error(error.args[0]) from None

    def _show_help(self, magic: str) -> None:
        """Show the help of a magic, like ``magic?``."""
        self.shell.run_line_magic("pinfo", magic)

    def complete(self, shell: Any, event: Any) -> list[str]:
        """Return the completions at the cursor of a line with one of the magics."""
        del shell
        command, *before = event.line.removesuffix(event.symbol).split() or [""]
        last = before[-1] if before else ""
        if command == "%%qingbo" or event.symbol.startswith("-") or (before and before[0].startswith("-")):
            values = choices_of(_models(), last, event.line.split())
            return list(values) if values else [option for group in _options() for option in group]
        if not before:
            return list(COMMANDS)
        manager = connection.default()  # a completion must not connect
        if len(before) > 1 or manager is None:
            return []
        if last in ("resume", "cancel"):
            entries = manager.library.entries(unfinished=last == "cancel", limit=_LATEST)
            return [entry.task_id for entry in entries if entry.task_id]
        return Sweeps(manager.library.journal, manager.service).names() if last == "sweep" else []


def _models() -> Models:
    """Return the models of the contract that the next cell uses. Do not connect."""
    return connection.current_contract().models


def _row_of_model(model: Model, shared: Container[str]) -> tuple[str, ...]:
    """Return the row of ``%qingbo models`` for a model, without the options that every model takes."""
    flags = (one.flags[-1] for one in model.parameters.values() if one.name not in shared)
    return model.name, tr(model.description), " ".join(flags)


def _make_help() -> str:
    """Return the help of ``%%qingbo``, with the options of the contract that the next cell uses."""
    return f"{tr(_MAKE)}\n\n{parser_of(_models()).format_help()}"


def _manage_help() -> str:
    """Return the help of ``%qingbo``, with its commands."""
    width = max(map(len, COMMANDS))
    commands = "\n".join(f"  {name:{width}}  {tr(text)}" for name, text in COMMANDS.items())
    return f"{tr(_MANAGE)}\n\n{commands}\n\n{tr(_MANAGE_MORE)}"


def load(shell: Any) -> None:
    """Register the magics and the completion with a shell, on ``%load_ext qingbo_widgets``."""
    completion.install(shell)
    # IPython's ``?`` calls getdoc(): a docstring would keep the contract and the language of this moment.
    QingboMagics.make.getdoc = _make_help  # type: ignore[assignment]  # typed for plain functions
    QingboMagics.manage.getdoc = _manage_help  # type: ignore[assignment]  # typed for plain functions
    magics = QingboMagics(shell)
    shell.register_magics(magics)
    for name in ("%qingbo", "%%qingbo"):
        shell.set_hook("complete_command", magics.complete, str_key=name)


def _parsed(line: str, names: Mapping[str, Any]) -> argparse.Namespace:
    """Return the options of a line; the error for a wrong option lists the right ones."""
    try:
        # Not IPython's parse_argstring, which keeps the quotation marks.
        words = shlex.split(line)
    except ValueError as error:
        raise _option_error(line, error) from None
    with_json = json_options()
    words = [part for word in words for part in _apart(word, with_json)]
    words = [_filled(word, last in with_json, names) for last, word in itertools.pairwise(["", *words])]
    try:
        options: argparse.Namespace = parser_of(_models()).parse_args(words)
    except (UsageError, ValueError) as error:
        raise _option_error(line, error) from None
    return options


def _apart(word: str, options: Container[str]) -> list[str]:
    """Return ``--option=value`` as two words if it is one of these options."""
    return word.split("=", 1) if word.partition("=")[0] in options else [word]


def _filled(word: str, is_json: bool, names: Mapping[str, Any]) -> str:
    """Return a word of a line with its variables filled in."""
    return _substituted(filled_json if is_json else filled_option, word, names)


def _option_error(line: str, error: Exception) -> UsageError:
    options = {option for group in _options() for option in group}
    wrong = [word for word in line.split() if word.startswith("-") and word not in options]
    instead = hint(_models(), wrong[0]) if wrong else ""
    if wrong and not instead:
        listed = ", ".join("/".join(group) for group in _options())
        instead = tr("Options: {options}. ").format(options=listed)
    message = tr("%%qingbo: {error}. {instead}%%qingbo? explains the options.")
    return _usage_error(message.format(error=in_words(str(error)), instead=instead))


def _options() -> list[tuple[str, ...]]:
    """Return each option with all of its spellings."""
    return [tuple(action.option_strings) for action in parser_of(_models())._actions]


def _suggestion(word: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(names), n=1)
    return tr("Did you mean {word}? ").format(word=near[0]).rstrip() if near else ""


def _command_list(commands: Mapping[str, str]) -> str:
    listed = "; ".join(f"{name}, {tr(text)}" for name, text in commands.items())
    return tr("Commands: {commands}").format(commands=listed)


def _split(line: str) -> list[str]:
    """Return the words of a line as a shell splits it; an unpaired apostrophe is an ordinary character."""
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()


def _shot(text: str, option: str, *, in_cell: bool = False) -> Shot:
    prompt, _, seconds = text.rpartition(":")
    if prompt.strip() and seconds.strip().isdecimal():
        return Shot(prompt.strip(), int(seconds))
    message = tr('{option} {text!r}: write a shot as prompt, colon and whole seconds: "A koi rises:5".')
    if in_cell:
        message = tr(
            "{text!r}: with {option}, each line of the cell is a shot. Write it as prompt, colon and whole "
            'seconds: "A koi rises:5".'
        )
    raise _usage_error(message.format(text=text, option=option))


def _substituted(fill: Callable[[str, Mapping[str, Any]], str], text: str, names: Mapping[str, Any]) -> str:
    """Return the text with its variables filled in, or raise the error as a ``UsageError``."""
    try:
        return fill(text, names)
    except ValueError as error:
        raise _usage_error(tr("%%qingbo: {error} Nothing was sent.").format(error=error)) from None


def _usage_error(text: str) -> UsageError:
    """Return the error for a line or a cell, without the API key that these may contain."""
    return UsageError(hide(text))


def _without_traceback(act: Callable[[], Any]) -> Any:
    """Return the result of a call; convert our errors so that IPython shows no traceback."""
    try:
        return act()
    except QingboError as error:
        raise _usage_error(str(error)) from None


def row_of(entry: Entry) -> tuple[str, ...]:
    """Return the row of ``%qingbo tasks`` for a task, one text per column."""
    submitted = local_time(entry.submitted_at)
    status = status_name(entry.status)
    if entry.status == TaskStatus.processing:
        status = f"{status} {entry.progress} %"
    prompt = shorten(entry.prompt, 40)
    name = entry.task_id or tr("key {key}").format(key=entry.key[:8])
    return submitted, status, entry.model, name, prompt, entry.file or ""
