"""The options of ``%%qingbo``, derived from the parameters of the models."""

from __future__ import annotations

import argparse
import difflib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from IPython.core.magic_arguments import MagicArgumentParser

from ..i18n import N_, tr
from ..service.contract.examples import example, example_of_member
from ..service.contract.kinds import KINDS, parsed
from ..service.contract.models import contracts, declared, models_of
from ..service.contract.offered import valid_choices
from ..service.contract.schema import Models, Parameter

__all__ = ["choices_of", "hint", "in_words", "json_options", "parameters_of", "parser_of"]

#: The parameter that takes the text of the cell.
_CELL = "prompt"
_SHOT = N_('A shot, instead of the prompt: {option} "A koi rises:5". A video has {fewest} to {most} shots.')
_ANY_SHOT = N_('A shot, instead of the prompt: {option} "A koi rises:5".')
_OPPOSITE = N_("The opposite of {option}.")
_OUTPUT = N_("The name of the variable for the task.")
_WAIT = N_("Wait until the video is saved.")
_WHOLE = N_("{text!r} is not a whole number, as in {example}")
_NUMBER = N_("{text!r} is not a number, as in {example}")
_PARTS = N_("{text!r} is not JSON in single quotes, as in {example}")
_NOT_READ = {"seconds": _WHOLE, "integer": _WHOLE, "number": _NUMBER}
_OF_CONTRACT = N_("{option} is an option of contract {contract}. ")
_AS_JSON = N_("{help} As JSON in single quotes: {example}")
_SEVERAL = N_("{help} For several, repeat the option, or write {example}")
#: The errors of ``argparse``, which are the same in every version of Python that we support.
_OF_ARGPARSE = {
    r"argument (?P<option>[^:]+): expected one argument": N_("{option} needs a value"),
    r"argument (?P<option>[^:]+): ignored explicit argument .*": N_("{option} takes no value"),
    r"unrecognized arguments: (?P<words>.*)": N_("no such option: {words}"),
    r"ambiguous option: (?P<option>\S+) could match (?P<matches>.*)": N_("{option} is ambiguous: {matches}"),
    r"argument (?P<option>[^:]+): (?P<reason>.*)": N_("{option}: {reason}"),
}
#: The types whose values are written as JSON.
_JSON = ("camera", "masks", "objects")
#: The types whose values are lists of texts, which may be written as JSON.
_LISTS = ("choices", "urls")
_EXAMPLES = {
    "masks": """'[{"mask_url": "https://example.com/moves.png", "trajectories": [[0, 0], [10, 10]]}]'""",
    "camera": """'{"type": "simple", "config": {"zoom": 5}}'""",
}


def parameters_of(models: Models) -> dict[str, Parameter]:
    """Return the parameters that have options: the contract's, and those whose names it has replaced."""
    parameters = dict(models.parameters)
    used = {flag for parameter in parameters.values() for flag in parameter.flags}
    for name in models.spellings:
        if not used.intersection(declared()[name].flags):
            parameters[name] = declared()[name]
    return parameters


def in_words(error: str) -> str:
    """Return an error of ``argparse``, which knows English only, as the package words it."""
    for pattern, text in _OF_ARGPARSE.items():
        if (match := re.fullmatch(pattern, error, re.DOTALL)) is not None:
            return tr(text).format(**match.groupdict())
    return error


def json_options() -> frozenset[str]:
    """Return the options of any contract whose value is written as JSON."""
    parameters = declared().values()
    return frozenset(flag for parameter in parameters if parameter.type in _JSON for flag in parameter.flags)


def hint(models: Models, word: str) -> str:
    """Return what a word that is no option of a contract was probably meant to be; maybe nothing.

    Args:
        models: the contract's models.
        word: the word, with its dashes.
    """
    option = word.partition("=")[0]
    is_off, name = option.startswith("--no-"), option.lstrip("-").removeprefix("no-").replace("-", "_")
    own = parameters_of(models)
    flags = [flag for one in own.values() for flag in (one.opposite_flags if is_off else one.flags)]
    named = declared().get(name)
    near: Sequence[str] = () if named is None else named.opposite_flags if is_off else named.flags
    near = [flag for flag in near[-1:] if flag in flags]
    if not near and (other := _contract_with(option, name)) is not None:
        return tr(_OF_CONTRACT).format(option=option, contract=other)
    near = near or difflib.get_close_matches(option, flags, n=1)
    return tr("Did you mean {word}? ").format(word=near[0]) if near else ""


def _contract_with(option: str, name: str) -> str | None:
    """Return the contract that has an option, or a parameter of this name."""
    for contract in contracts():
        parameters = models_of(contract).parameters
        if name in parameters or any(option in one.flags for one in parameters.values()):
            return contract
    return None


def parser_of(models: Models) -> MagicArgumentParser:
    """Return the parser of a line: an option for each parameter, for the task's variable and for waiting."""
    parser = MagicArgumentParser("%qingbo", add_help=False)  # IPython prepends another %
    parser._optionals.title = tr("options")  # argparse knows English only
    for parameter in parameters_of(models).values():
        if parameter.name != _CELL:
            for flags, settings in _options(models, parameter):
                parser.add_argument(*flags, dest=parameter.name, **settings)
    parser.add_argument("-o", "--output", metavar="NAME", help=tr(_OUTPUT))
    parser.add_argument("-w", "--wait", action="store_true", help=tr(_WAIT))
    return parser


def choices_of(models: Models, option: str, words: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the values that an option accepts; none if it accepts any text.

    Args:
        models: the contract's models.
        option: the option as written.
        words: the words of the line, which may name a model instead of the default.
    """
    for parameter in parameters_of(models).values():
        if any(option in flags for flags, _ in _options(models, parameter)):
            return tuple(models) if parameter.name == "model" else _choices(models, parameter, words)
    return ()


def _choices(models: Models, parameter: Parameter, words: Sequence[str]) -> tuple[str, ...]:
    model = models.of(_named(models, words) or models.parameters["model"].default)
    return tuple(map(str, valid_choices(model, parameter)))


def _named(models: Models, words: Sequence[str]) -> str:
    """Return the model that a line names; empty if it names none."""
    flags, named = models.parameters["model"].flags, ""
    for word, following in zip(words, [*words[1:], ""], strict=True):
        flag, is_joined, value = word.partition("=")
        if flag in flags:
            named = value if is_joined else following
    return named


def _takes_several(models: Models, parameter: Parameter) -> bool:
    """Return whether a model takes a list of texts with more than one entry for a parameter."""
    own = (model.parameters.get(parameter.name) for model in models.values())
    return parameter.type in _LISTS and any(one is not None and one.most != 1 for one in own)


def _options(models: Models, parameter: Parameter) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    flags, several = parameter.flags, _takes_several(models, parameter)
    example, meaning = _example_of_option(parameter, several=several), tr(parameter.help)
    if several or parameter.type in _JSON:
        meaning = tr(_SEVERAL if several else _AS_JSON).format(help=meaning, example=example)
    meaning = meaning.replace("%", "%%")  # argparse formats the help with %
    if parameter.type == "boolean":
        yield flags, {"action": "store_true", "default": None, "help": meaning}
        text = tr(_OPPOSITE).format(option=flags[-1])
        yield parameter.opposite_flags, {"action": "store_false", "default": None, "help": text}
    elif parameter.type == "shots":
        yield flags, {"action": "append", "metavar": "TEXT:SECONDS", "help": _shot_help(parameter)}
    elif parameter.type in _LISTS:
        yield flags, {"action": "extend", "type": _reader(parameter, example), "help": meaning}
    else:
        yield flags, {"type": _reader(parameter, example), "help": meaning}


def _shot_help(parameter: Parameter) -> str:
    option = parameter.flags[-1]
    if not (limits := parameter.limits.get("count")):
        return tr(_ANY_SHOT).format(option=option)
    return tr(_SHOT).format(option=option, fewest=limits[0], most=limits[1])


def _reader(parameter: Parameter, example: str) -> Callable[[str], Any]:
    """Return the function that parses the option's text; argparse shows its error after the option."""

    def read(text: str) -> Any:
        try:
            return _read(parameter, text)
        except (ValueError, RecursionError):
            reason = _NOT_READ.get(parameter.type, _PARTS)
            message = tr(reason).format(text=text, example=example)
            raise argparse.ArgumentTypeError(message) from None

    return read


def _read(parameter: Parameter, text: str) -> Any:
    """Return the value of an option.

    Raises:
        ValueError: the text cannot be parsed.
        RecursionError: it is JSON that is nested too deeply.
    """
    if parameter.type in _LISTS:
        return json.loads(text) if text.startswith("[") else KINDS[parameter.type].parse(text)
    value = parsed(parameter, text)
    if parameter.type in ("masks", "objects") and isinstance(value, str):
        raise ValueError(text)
    return value


def _example_of_option(parameter: Parameter, *, several: bool) -> str:
    """Return an option with a valid value, as it is written in a line."""
    value = _EXAMPLES.get(parameter.type)
    if parameter.type in _LISTS:
        value = f"'{json.dumps(_example_of_list(parameter, 2 if several else 1))}'"
    elif parameter.members:
        item = {name: example_of_member(member) for name, member in parameter.members.items()}
        value = f"'{json.dumps([item])}'"
    return f"{parameter.flags[0]} {value or example(parameter)}"


def _example_of_list(parameter: Parameter, length: int) -> list[Any]:
    if parameter.choices:
        return list(parameter.choices[:length])
    folder, name = str(example(parameter)).rsplit("/", 1)
    return [f"{folder}/{number}{PurePosixPath(name).suffix}" for number in range(1, length + 1)]
