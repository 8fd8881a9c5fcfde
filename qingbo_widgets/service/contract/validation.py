"""The validation of model descriptions; an error names the parameter and the mistake."""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from .kinds import KINDS
from .rules import DERIVED, RULES
from .schema import Model, Models, Parameter
from .spellings import READERS
from .values import is_set

__all__ = ["EDITORS", "MEDIA", "OPTIONS", "RESERVED", "validate", "validate_model"]

MEDIA = ("", "image", "mask", "video")
#: The parameters that each panel of the form edits.
EDITORS = {
    "camera": ("camera_control",),
    "masks": ("static_mask", "dynamic_masks"),
    "shots": ("shots", "multi_shot", "multi_prompt"),
    "roles": ("image_with_roles",),
    "elements": ("element_list",),
}
#: The options of ``%%qingbo`` that are not parameters.
OPTIONS = ("-o", "--output", "-w", "--wait", "-h", "--help")
_OPTION = re.compile(r"-[a-z]|--[a-z][a-z0-9]*(-[a-z0-9]+)*")
_PLACE = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)*", re.ASCII)
#: Names that no parameter can have. A parameter with such a name on the wire sets it through ``place``.
_REQUEST_NAMES = """
as_dict chosen field_names from_body from_dict getdoc given is_image_to_video is_multi_shot price problems
prompts replace resolution_or_mode seconds seconds_as_given translated values warnings
"""
_CALL_NAMES = """
ask_above encoding fixed hide locale manager max_running name output repeat request self skip_invalid table
wait
"""
#: Columns of a table of tasks.
_TABLE_NAMES = """
billing_status completed_at cost created_at error frozen key note rating status submitted_at tags task_id
video
"""
#: Attributes of a form, whose fields are traits.
_FORM_NAMES = """
add_class add_traits adopt_contract approve batch blur box_style carrier check checkpoint children chosen
class_own_trait_events class_own_traits class_trait_names class_traits close close_all comm contract
controls counts cross_validation_lock default defaults derived field_names filling find_manager
fitted_duration focus forget_contracts get_manager_state get_state get_view_spec handle_comm_opened
handle_control_comm_opened has_trait has_typed hidden hold_sync hold_trait_notifications is_chosen keys late
layout load log mark_chosen model_id models normalise notify_change observe obstacle omit_note on_msg
on_trait_change on_widget_constructed open panels parameter paste pending refresh remove_class reset rows save
send send_state set_fields set_state set_trait settle setup_instance show_problems shown_value slots submit
switch tabbable takes tooltip trait_defaults trait_events trait_has_value trait_metadata trait_names
trait_values traits unapproved unavailable unlocked unobserve unobserve_all unsent uploads widget_types
widgets with_text
"""
RESERVED = frozenset(f"{_REQUEST_NAMES} {_CALL_NAMES} {_TABLE_NAMES} {_FORM_NAMES}".split())


def validate(models: Models, known: Iterable[Model]) -> Models:
    """Return the models if their description is valid.

    Args:
        models: the models of a contract.
        known: those of them that have been read; the others are validated when they are read.

    Raises:
        ValueError: the description refers to an unknown name, or contradicts itself.
    """
    for where, what in _errors(models):
        raise ValueError(f"contract {models.contract}, {where}: {what}")
    for model in (*known, models.other):
        validate_model(models.contract, model, models.parameters)
    return models


def validate_model(contract: str, model: Model, parameters: Mapping[str, Parameter]) -> None:
    """Do nothing if a model of a contract with these parameters is valid. Raise as ``validate`` does."""
    for error in _model_errors(model, parameters):
        raise ValueError(f"contract {contract}, {model.name or 'other'}: {error}")


def _errors(models: Models) -> Iterator[tuple[str, str]]:
    parameters = models.parameters
    for name, parameter in parameters.items():
        for error in (*_name_errors(name), *_parameter_errors(parameter)):
            yield name, error
    options = [*OPTIONS, *(flag for one in parameters.values() for flag in _options(one))]
    for option, count in Counter(options).items():
        if count > 1:
            yield option, "this option is already in use"
    for name, spelling in models.spellings.items():
        if name in parameters:
            yield name, "it is both a parameter and the spelling of another one"
        if spelling.means and spelling.means not in parameters:
            yield name, f"it means {spelling.means}: not described"
        if bool(spelling.means) == bool(spelling.read) or spelling.read not in ("", *READERS):
            yield name, f"it needs either means or read; the readers are {_listed(READERS)}"


def _name_errors(name: str) -> Iterator[str]:
    if not (name.isascii() and name.isidentifier() and name[0].isalpha() and name == name.lower()):
        yield "a name consists of lowercase letters, digits and underscores, as in aspect_ratio"
    if name in RESERVED or keyword.iskeyword(name):
        yield "the name is reserved; use another one, and set place to its name on the wire"


def _parameter_errors(parameter: Parameter, *, is_listed: bool = True) -> Iterator[str]:
    kind = KINDS.get(parameter.type)
    if kind is None:
        yield f"there is no type {parameter.type}; the types are {_listed(KINDS)}"
        return
    yield from _type_errors(parameter)
    if parameter.media not in MEDIA:
        yield f"there is no medium {parameter.media}; the media are {_listed(MEDIA[1:])}"
    if is_listed and parameter.type in ("choice", "choices", "camera") and not parameter.choices:
        yield f"a {parameter.type} needs choices"
    if bool(parameter.members) != (parameter.type == "objects"):
        yield "a list of objects has members, and nothing else has"
    for member in parameter.members.values():
        yield from (f"{member.name}: {error}" for error in _parameter_errors(member))
    if parameter.derived not in ("", *DERIVED):
        yield f"nothing derives {parameter.derived}; there are {_listed(DERIVED)}"
    if parameter.range and (len(parameter.range) != 2 or parameter.range[0] > parameter.range[1]):
        yield f"range is {list(parameter.range)}, not the least and the greatest value"
    for key, limits in parameter.limits.items():
        if key != "advised" and limits and (len(limits) != 2 or limits[0] > limits[1]):
            yield f"{key} is {list(limits)}, not the least and the greatest number"
    if parameter.always and not parameter.required and parameter.default is None:
        yield "a parameter that is always sent must have a default or be required"
    if parameter.editor not in ("", "code") and parameter.name not in EDITORS.get(parameter.editor, ()):
        yield f"the editor {parameter.editor} does not edit this parameter; omit editor"
    if any(not _OPTION.fullmatch(option) for option in parameter.options):
        yield f"an option must look like -x or --some-word: {_listed(parameter.options)}"
    is_split = "{number}" in parameter.place or "{key}" in parameter.place
    if is_split and not kind.parts:
        yield f"its place {parameter.place} is for the parts of a list, and a {parameter.type} has none"
    if not _PLACE.fullmatch(parameter.place.replace("{number}", "1", 1).replace("{key}", "k", 1)):
        yield f"its place {parameter.place} is not a path of names"
    if is_split and not ("{number}" in parameter.place and "{key}" in parameter.place):
        yield f"its place {parameter.place} needs both {{number}} and {{key}}"


def _type_errors(parameter: Parameter) -> Iterator[str]:
    numbers = (int, float)
    for key in ("label", "help", "placeholder", "place", "refusal", "editor", "media"):
        if not isinstance(getattr(parameter, key), str):
            yield f"{key} is {getattr(parameter, key)!r}, not a text"
    if not isinstance(parameter.most, int) or parameter.most < 0:
        yield f"most is {parameter.most!r}, not a number of characters or parts"
    if not all(isinstance(limit, numbers) for limit in parameter.range):
        yield f"range is {list(parameter.range)}, not two numbers"
    if parameter.type == "seconds" and not all(isinstance(choice, int) for choice in parameter.choices):
        yield f"choices are {list(parameter.choices)}, not whole seconds"
    for key, limits in parameter.limits.items():
        if not all(isinstance(limit, int) for limit in limits) or (key == "advised" and len(limits) != 1):
            yield f"{key} is {list(limits)}, not whole numbers"


def _options(parameter: Parameter) -> Iterator[str]:
    """Yield the options of a parameter in ``%%qingbo``, including those implied by its name and type."""
    if parameter.name == "prompt":
        return  # the text of the cell
    yield from parameter.flags
    if parameter.type == "boolean":
        yield from parameter.opposite_flags


def _model_errors(model: Model, parameters: Mapping[str, Parameter]) -> Iterator[str]:
    for name, parameter in model.parameters.items():
        if parameter is not parameters[name]:
            errors = _parameter_errors(parameter, is_listed=bool(model.name))
            yield from (f"{name}: {error}" for error in errors)
        if parameter.type in KINDS and is_set(parameter.default):
            kind = KINDS[parameter.type]
            for problem in kind.check(parameter, kind.read(parameter.default), model):
                yield f"the default of {name} is refused: {problem}"
        if parameter.type in KINDS and is_set(parameter.unless_given):
            if is_set(parameter.default):
                yield f"{name} has a default, which is sent, and so unless_given has no effect"
            for problem in KINDS[parameter.type].check(parameter, parameter.unless_given, model):
                yield f"the unless_given of {name} is refused: {problem}"
    yield from _place_errors(model)
    for constraint in model.constraints:
        references = {*constraint.deciding, *constraint.omit, *constraint.forbid, *constraint.avoid}
        references |= {*constraint.limit, *constraint.suggest} | {constraint.require} - {""}
        if unknown := references - parameters.keys():
            yield f"a constraint refers to {_listed(sorted(unknown))}: not described"
        if not constraint.deciding:
            yield "a constraint must have a when or an unless"
    if unknown := {*model.rules} - RULES.keys():
        yield f"there is no rule {_listed(sorted(unknown))}; the rules are {_listed(RULES)}"
    sums = [name for name, one in model.parameters.items() if one.derived == "length_of_shots"]
    if sums and "multi_prompt" in model.parameters and "shots_add_up" not in model.rules:
        # A value that follows from others is checked by their rule only.
        yield f"{_listed(sums)} follows from multi_prompt, which needs the rule shots_add_up"
    if model.frames and model.frames not in model.parameters:
        yield f"its frames are in {model.frames}, which it does not take"


def _place_errors(model: Model) -> Iterator[str]:
    places = {parameter.place: name for name, parameter in model.parameters.items()}
    if len(places) < len(model.parameters):
        duplicates = [
            place for place, count in Counter(p.place for p in model.parameters.values()).items() if count > 1
        ]
        yield f"several parameters have the place {_listed(duplicates)}"
    for place, name in places.items():
        if nested := [other for other in places if other.startswith(f"{place}.")]:
            yield f"{name} has the place {place}, and {_listed(nested)} a place inside it"


def _listed(names: Iterable[str]) -> str:
    """Return names in an error for developers, which is not translated."""
    return ", ".join(names)
