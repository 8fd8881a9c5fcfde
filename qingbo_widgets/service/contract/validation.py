"""Refuse a description of models that contradicts itself, by the name of the parameter and what is wrong."""

from __future__ import annotations

import keyword
from collections import Counter
from collections.abc import Iterator, Mapping

from .kinds import KINDS
from .problem import listed
from .schema import Model, Models, Parameter
from .values import is_set

__all__ = ["MEDIA", "RESERVED", "validate"]

MEDIA = ("", "image", "mask")
#: Names that no parameter can have; ``place`` gives such a one its name on the wire.
_OF_REQUEST = """
as_dict chosen field_names from_body from_dict given is_image_to_video is_multi_shot problems prompts
replace seconds values warnings
"""
_OF_CALLS = """
ask_above fixed hide locale manager max_running name repeat request skip_invalid table
"""
#: A form has its fields as traits.
_OF_FORM = """
add_class add_traits ask_for at_once blur box_style children class_own_trait_events class_own_traits
class_trait_names class_traits close close_all comm contract controls counts cross_validation_lock decided
default defaults field_names find_manager focus get_manager_state get_state get_view_spec
handle_comm_opened handle_control_comm_opened has_trait hidden hold_sync hold_trait_notifications
is_chosen judge judged keys layout load log model_id models normalise notify_change observe obstacle
on_msg on_trait_change on_widget_constructed open panels parameter paste refresh remove_class rows save
send send_state set_state set_trait settle setup_instance show_problems slots start_afresh submit switch
tabbable takes tooltip trait_defaults trait_events trait_has_value trait_metadata trait_names trait_values
traits typed unasked unobserve unobserve_all widget_types widgets with_text
"""
RESERVED = frozenset(f"{_OF_REQUEST} {_OF_CALLS} {_OF_FORM}".split())


def validate(models: Models) -> Models:
    """Return the models.

    Raises:
        ValueError: the description names what there is not, or contradicts itself.
    """
    for where, what in _errors(models):
        raise ValueError(f"contract {models.contract}, {where}: {what}")
    return models


def _errors(models: Models) -> Iterator[tuple[str, str]]:
    parameters = models.parameters
    for name, parameter in parameters.items():
        for error in (*_of_name(name), *_of_parameter(parameter)):
            yield name, error
    for model in (*models.values(), models.other):
        for error in _of_model(model, parameters):
            yield model.name or "other", error
    for option, count in Counter(flag for one in parameters.values() for flag in one.options).items():
        if count > 1:
            yield option, f"{count} parameters have this option"


def _of_name(name: str) -> Iterator[str]:
    if not (name.isascii() and name.isidentifier() and name[0].isalpha() and name == name.lower()):
        yield "a name is of small letters, digits and underscores, as in aspect_ratio"
    if name in RESERVED or keyword.iskeyword(name):
        yield "the name has another meaning; take another one, and place for its name on the wire"


def _of_parameter(parameter: Parameter) -> Iterator[str]:
    kind = KINDS.get(parameter.type)
    if kind is None:
        yield f"there is no type {parameter.type}; there are {listed(KINDS)}"
        return
    if parameter.media not in MEDIA:
        yield f"there is no medium {parameter.media}; there are {listed(MEDIA[1:])}"
    if parameter.type in ("choice", "camera") and not parameter.choices:
        yield f"a {parameter.type} needs choices"
    if parameter.range and (len(parameter.range) != 2 or parameter.range[0] > parameter.range[1]):
        yield f"range is {list(parameter.range)}, and not the least and the greatest value"
    for word, limits in parameter.limits.items():
        if word != "advised" and limits and (len(limits) != 2 or limits[0] > limits[1]):
            yield f"{word} is {list(limits)}, and not the least and the greatest number"
    if any(not option.startswith("-") for option in parameter.options):
        yield f"options begin with -: {listed(parameter.options)}"
    if ("{number}" in parameter.place or "{key}" in parameter.place) and not kind.parts:
        yield f"its place {parameter.place} is one for each part of a list, and a {parameter.type} has none"


def _of_model(model: Model, parameters: Mapping[str, Parameter]) -> Iterator[str]:
    for name, parameter in model.parameters.items():
        if is_set(parameter.default):
            for problem in KINDS[parameter.type].check(parameter, parameter.default, model):
                yield f"the default of {name} is refused: {problem}"
    yield from _of_places(model)
    for constraint in model.constraints:
        named = {*constraint.when, *constraint.omit, *constraint.forbid, *constraint.avoid}
        named |= {constraint.require} - {""}
        if unknown := named - parameters.keys():
            yield f"a constraint names {listed(sorted(unknown))}: not described"
        if not constraint.when:
            yield "a constraint needs a when"


def _of_places(model: Model) -> Iterator[str]:
    places = {parameter.place: name for name, parameter in model.parameters.items()}
    if len(places) < len(model.parameters):
        twice = [
            place for place, count in Counter(p.place for p in model.parameters.values()).items() if count > 1
        ]
        yield f"several parameters stand at {listed(twice)}"
    for place, name in places.items():
        if inside := [other for other in places if other.startswith(f"{place}.")]:
            yield f"{name} stands at {place}, and {listed(inside)} inside it"
