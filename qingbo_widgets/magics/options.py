"""The options of ``%%qingbo``, out of the parameters of the models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from IPython.core.magic_arguments import MagicArgumentParser

from ..i18n import N_, tr
from ..service.contract.kinds import KINDS
from ..service.contract.schema import Models, Parameter

__all__ = ["choices_of", "parser_of"]

#: The text of the cell.
_CELL = "prompt"
_SHOT = N_('A shot, in the place of the prompt: --shot "A koi rises:5". 2 to 6 make a video.')
_OPPOSITE = N_("The opposite of {option}.")
_OUTPUT = N_("The variable that gets the task.")
_WAIT = N_("Wait until the video is saved.")


def parser_of(models: Models) -> MagicArgumentParser:
    """Return the parser of a line: an option for each parameter, and where the task goes."""
    parser = MagicArgumentParser("%%qingbo", add_help=False)
    for parameter in models.parameters.values():
        if parameter.name != _CELL:
            for flags, how in _options(parameter):
                parser.add_argument(*flags, dest=parameter.name, **how)
    parser.add_argument("-o", "--output", metavar="NAME", help=tr(_OUTPUT))
    parser.add_argument("-w", "--wait", action="store_true", help=tr(_WAIT))
    return parser


def choices_of(models: Models, option: str) -> tuple[str, ...]:
    """Return the values that may follow an option; none where any text may."""
    for parameter in models.parameters.values():
        if any(option in flags for flags, _ in _options(parameter)):
            return tuple(models) if parameter.name == "model" else tuple(map(str, parameter.choices))
    return ()


def _options(parameter: Parameter) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    flags = parameter.options or (f"--{parameter.name.replace('_', '-')}",)
    # argparse formats the help with %.
    meaning = tr(parameter.help).replace("%", "%%")
    if parameter.type == "boolean":
        yield flags, {"action": "store_true", "default": None, "help": meaning}
        opposite = tuple(flag.replace("--", "--no-", 1) for flag in flags if flag.startswith("--"))
        text = tr(_OPPOSITE).format(option=flags[-1])
        yield opposite, {"action": "store_false", "default": None, "help": text}
    elif parameter.type == "shots":
        yield flags, {"action": "append", "metavar": "TEXT:SECONDS", "help": tr(_SHOT)}
    elif parameter.type == "urls":
        yield flags, {"action": "append", "help": meaning}
    else:
        yield flags, {"type": _reader(parameter), "help": meaning}


def _reader(parameter: Parameter) -> Callable[[str], Any]:
    """Return the function that reads the option's text, under the name that argparse shows of it."""
    parse = KINDS[parameter.type].parse

    def read(text: str) -> Any:
        return parse(text)

    read.__name__ = parameter.type
    return read
