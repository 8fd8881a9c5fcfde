"""The messages below the controls of a form and beside Generate, as pure functions of the form."""

from __future__ import annotations

from typing import Any
from unicodedata import east_asian_width

from ...i18n import N_, tr
from ...service.contract.callbacks import callback_note
from ...service.contract.frames import FRAME_FIELDS, Frames
from ...service.contract.labels import label
from ...service.contract.models import declared
from ...service.contract.problem import Problem, listed
from ...service.contract.schema import Parameter
from ...service.contract.urls import is_web_url
from ...service.contract.values import is_set
from ..base import html as markup
from ..base.html import Markup
from .fields import fields, model_label
from .image_fields import fields_with, media_in
from .labels import file_names, is_texts, value_label
from .layout import TOGETHER, panels
from .names import Unsent
from .shot_fields import seconds_text, shot_field
from .state import FormState, Problems
from .wording import character_count, name_of_part, problems_html, with_labels

__all__ = ["below", "code_notes", "obstacle"]

#: The width of a text, in letters, that the list of models has room for beside the cards of a studio.
_FITS = 50
#: The same for the list of the widest form.
_FITS_WIDE = 87
#: The maximum number of characters of a value that is named in a note, unless it is a file's name.
_SHORT = 30
_VALUE = N_("{label} ({value})")
_BLANK_PROMPT = N_("Write a prompt: what the video shows.")
_NOT_READY = N_("Fix first: {fields}.")
_SHOT, _SHOTS = N_("Shot {number}"), N_("Multi-shot")
_LABELLED = N_("{label}: {text}")
_FIXED = N_("Set in code; it cannot be changed here.")
_SHOTS_DECIDE = N_("The shots decide the length.")
_UNAVAILABLE = N_("Not available now: it {reason}.")
_REQUIRED = N_("Required.")
_NO_UPLOAD = N_(
    "Enter URLs. For files of this machine, connect with a place to upload them: "
    'qw.connect(upload="s3://bucket/folder").'
)
_SET_ASIDE = N_(
    "Set aside, because {model} does not take it: {fields}. It comes back with a model that does."
)
_HOMELESS = N_("Left out: {fields}. Contract {contract} has no such parameter.")
_UNSENT = N_("Kept, but not sent: {fields}. It comes back when you return to its contract.")
_FIRST, _LAST = N_("First frame"), N_("Last frame")
_REFERENCE, _REFERENCES = N_("Reference image"), N_("Reference images")
_OF_CONTRACT = N_("{model} of contract {contract}")
_NO_LONGER_ON = N_("{label}: on by default with {before}, off with {after}. Tick it to turn it on.")
_NO_LONGER_OFF = N_("{label}: off by default with {before}, on with {after}. Untick it to turn it off.")
_OTHER_DEFAULT = N_("{label}: {value} is the default with {before}, but not with {after}.")
_SET_IN_CODE = N_("{label}: {value} (set in code)")
_KEPT_IN_CODE = N_("{label}: {value} (set in code; {model} does not take it)")


def obstacle(form: FormState, problems: Problems) -> str:
    """Return the reason why the form cannot be submitted yet, as a sentence; empty if it can."""
    if not problems:
        return ""
    if _is_blank(form) and {problem.field for problem in problems} == {"prompt"}:
        return tr(_BLANK_PROMPT)
    labels = dict.fromkeys(shown for problem in problems for shown in _shown_labels(form, problem))
    return tr(_NOT_READY).format(fields=listed(labels))


def _shown_labels(form: FormState, problem: Problem) -> tuple[str, ...]:
    """Return what the form shows where a problem is fixed: the label of a control, line or panel."""
    name = problem.field
    if name not in form.field_names:
        return (name,)
    parameter, editors = form.parameter(name), panels(form.models)
    if parameter.editor in editors:
        return (tr(editors[parameter.editor].label),)
    shots = shot_field(form.models)
    if missing := _required_by(form, name):
        return (label(form.parameter(missing)),)
    if shots is not None and name == shots.name:
        return (tr(_SHOT).format(number=problem.number) if problem.number else tr(_SHOTS),)
    value = getattr(form, name)
    if parameter.type == "urls" and isinstance(value, tuple) and value:
        numbers = (problem.number,) if problem.number else range(1, len(value) + 1)
        return tuple(name_of_part(form, name, number) for number in numbers)
    return (label(parameter),)


def _required_by(form: FormState, name: str) -> str:
    """Return the unset field on the page that a field without a control requires; empty if there is none."""
    model = form.models.of(form.model)
    if name in fields(form.models.contract) or name not in model.parameters:
        return ""
    rules = model.active({field: getattr(form, field) for field in model.parameters})
    needed = (rule.require for rule in rules if rule.require and rule.deciding[0] == name)
    missing = (field for field in needed if field not in form.hidden and not is_set(getattr(form, field)))
    return next(missing, "")


def below(form: FormState, name: str, problems: Problems, warnings: Problems) -> Markup:
    """Return the messages below a control, safe for HTML."""
    if not form.takes(name):
        return Markup()
    lines = []
    if name in form.fixed:
        lines.append(markup.note(_about(form, name, tr(_FIXED))))
    if name == "model":
        description = form.models.of(form.model).description
        lines += [_model_note(form, description)] if description else []
        lines += _changes(form)
    field = shot_field(form.models)
    if name in form.derived and field is not None:
        lines.append(markup.note(seconds_text(field.read(form), field.limits(form).longest)))
        lines.append(markup.note(tr(_SHOTS_DECIDE)))
    elif not form.counts(name):
        if name == "prompt" and field is not None:
            lines.append(markup.note(seconds_text(field.read(form), field.limits(form).longest)))
        if omit_note := form.omit_note(name):
            lines.append(markup.note(tr(omit_note)))
    elif name == "prompt":
        limit = form.parameter("prompt").most
        lines.append(markup.note(character_count(len(form.prompt), limit)))
    if name != "prompt" and (reason := form.unavailable(name)):
        text = tr(_UNAVAILABLE).format(reason=with_labels(form, tr(reason)))
        lines.append(markup.note(_about(form, name, text)))
    is_untouched = name == "prompt" and _is_blank(form)
    if is_untouched:
        lines += _blank_prompt(form, problems)
    if name != "prompt" and form.parameter(name).required and not is_set(getattr(form, name)):
        lines.append(markup.note(_about(form, name, tr(_REQUIRED)), "hint"))
        is_untouched = True
    # With the label if the notes of several fields stand below all of them.
    names = (name,) if name in TOGETHER else name
    lines.append(problems_html(form, names, () if is_untouched else problems, warnings))
    if name == _first_media_field(form) and _lacks_upload(form) and not _has_files(form):
        lines.append(markup.note(tr(_NO_UPLOAD)))
    return markup.join(lines)


def _first_media_field(form: FormState) -> str:
    """Return the first field on the page for pictures or videos; empty if there is none."""
    names = (name for name in fields(form.models.contract) if form.takes(name) and name not in form.hidden)
    return next((name for name in names if form.parameter(name).media), "")


def _lacks_upload(form: FormState) -> bool:
    return form.manager is not None and form.manager.inputs.uploader is None


def _has_files(form: FormState) -> bool:
    """Return True if a file of this machine is in a field, so that its problem names the way."""
    return any(
        not is_web_url(medium.value)
        for field in fields_with(form.models, "image", "mask", "video")
        if form.counts(field)
        for medium in media_in(form, field)
    )


def _about(form: FormState, name: str, text: str) -> str:
    """Return a sentence about a field, with its label if it stands below several fields."""
    if name not in TOGETHER:
        return text
    return tr(_LABELLED).format(label=label(form.parameter(name)), text=text)


def _model_note(form: FormState, description: str) -> Markup:
    """Return the description of a model, for a page that is too narrow to show it in the list of models.

    With its price, that of some models is too long for every page.
    """
    text = model_label(form.model, description, form.model_prices)
    width = sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
    fits = "" if width > _FITS_WIDE else " qingbo-narrow qingbo-fits" if width <= _FITS else " qingbo-narrow"
    return markup.note(tr(description), f"dim{fits}")


def _changes(form: FormState) -> list[Markup]:
    """Return the notes on values that the form's model or its contract does not take."""
    notes = []
    if set_aside := form.carrier.set_aside:
        parameters = form.models.parameters
        labels = _image_labels(form.carrier.images) + [
            _with_value(parameters.get(name) or declared()[name], value)
            for name, value in set_aside.items()
            if name not in FRAME_FIELDS
        ]
        text = tr(_SET_ASIDE).format(model=form.model, fields=listed(dict.fromkeys(labels)))
        notes.append(markup.note(text, "hint"))
    # A switch that is off asks for nothing that could be missed.
    homeless = {name: value for name, value in form.homeless.items() if value is not False}
    if homeless:
        labels = _image_labels(form.homeless_images) + [
            _with_value(declared()[name], value) if name in declared() else name
            for name, value in homeless.items()
            if name not in FRAME_FIELDS
        ]
        text = tr(_HOMELESS).format(contract=form.contract.name, fields=listed(labels))
        notes.append(markup.note(text, "hint"))
    labels = [text for unsent in form.unsent.values() for text in _unsent_labels(unsent)]
    if labels:
        text = tr(_UNSENT).format(fields=listed(dict.fromkeys(labels)))
        notes.append(markup.note(text, "hint"))
    return notes + [
        markup.note(_changed_default(form, name, value), "hint")
        for name, value in form.carrier.defaults_changed.items()
    ]


def _unsent_labels(unsent: Unsent) -> list[str]:
    """Return the values that are kept but not sent; a switch that is off says nothing."""
    return _image_labels(unsent.images) + [
        _with_value(declared()[name], value)
        for name, value in unsent.values.items()
        if name not in FRAME_FIELDS and is_set(value) and value is not False
    ]


def _image_labels(images: Frames) -> list[str]:
    """Return the images by what they mean, each with the name of its file."""
    many = tr(_REFERENCES) if len(images.references) > 1 else tr(_REFERENCE)
    urls = [(tr(_FIRST), images.first), (tr(_LAST), images.last), (many, images.references)]
    return [tr(_VALUE).format(label=text, value=file_names(url)) for text, url in urls if url]


def _changed_default(form: FormState, name: str, value: Any) -> str:
    """Return the sentence about a field left alone that now means something else."""
    model, contract = form.carrier.before
    is_same_contract = contract == form.contract.name
    before, after = (
        name if is_same_contract else tr(_OF_CONTRACT).format(model=name, contract=date)
        for name, date in ((model, contract), (form.model, form.contract.name))
    )
    text = (
        tr(_NO_LONGER_ON) if value is True else tr(_NO_LONGER_OFF) if value is False else tr(_OTHER_DEFAULT)
    )
    parameter = form.parameter(name)
    return text.format(
        label=label(parameter), before=before, after=after, value=value_label(parameter, value)
    )


def _with_value(parameter: Parameter, value: Any) -> str:
    """Return the label of a field, with the value if that is short; a switch that is set is on."""
    is_named = not isinstance(value, bool) and (not isinstance(value, tuple) or is_texts(value))
    text = value_label(parameter, value) if is_named else ""
    is_short = len(text) <= _SHORT or isinstance(value, tuple)
    return tr(_VALUE).format(label=label(parameter), value=text) if text and is_short else label(parameter)


def code_notes(form: FormState, problems: Problems, warnings: Problems) -> Markup:
    """Return notes on submitted values without a visible control, safe for HTML: the callback URL, say."""
    lines = []
    # The control of the callback URL is in a closed panel, and may be hidden.
    if is_set(form.callback_url) and form.counts("callback_url"):
        lines.append(markup.note(callback_note(form.request), "hint"))
    for name in form.field_names:
        hidden = name in form.hidden
        if name in fields(form.models.contract) and not hidden:
            continue
        value, is_edited = getattr(form, name), form.models.parameters[name].editor != "code"
        if not hidden and not is_edited and value != form.default(name):
            template = tr(_SET_IN_CODE) if form.counts(name) else tr(_KEPT_IN_CODE)
            parameter = form.models.parameters[name]
            text = template.format(
                label=label(parameter), value=value_label(parameter, value), model=form.model
            )
            lines.append(markup.note(text))
        if hidden or not is_edited:
            lines.append(problems_html(form, (name,), problems, warnings))
    return markup.join(lines)


def _is_blank(form: FormState) -> bool:
    return not form.prompt.strip()


def _blank_prompt(form: FormState, problems: Problems) -> list[Markup]:
    """Return the note below an empty prompt, which is not an error until the user has typed one."""
    names = {problem.field for problem in problems}
    if "prompt" not in names or (names == {"prompt"} and not form.has_typed):
        return []  # the sentence beside Generate says it
    return [markup.note(tr(_BLANK_PROMPT), "alarm" if form.has_typed else "dim")]
