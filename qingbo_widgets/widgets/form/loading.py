"""Functions that fill in a form from a request, a task, a preset or pasted text."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import filterfalse
from pathlib import Path
from typing import Any

from traitlets import TraitError

from ...i18n import N_, tr
from ...service.contract.contracts import CONTRACTS
from ...service.contract.frames import Frames
from ...service.contract.kinds import KINDS
from ...service.contract.labels import label
from ...service.contract.models import declared
from ...service.contract.pasted import Pasted, read_pasted
from ...service.contract.request import VideoRequest
from ...service.contract.text import shorten
from ...service.contract.urls import is_web_url
from ...service.secrets.known_keys import hide_in, texts_in
from ...system.folder import Folder
from .image_fields import has_local_media
from .incoming import CHOSEN
from .labels import value_label
from .mask_files import files_of
from .names import Unsent, in_names_of, split_unsent
from .state import FormState
from .unsent_values import keep_unsent

__all__ = [
    "draft_of",
    "fields_of",
    "fill",
    "given_of",
    "load",
    "paste",
    "presets_of",
    "unsent_in",
    "unsent_of",
]

_UNFIT = "{label}: {value}"
_NO_REQUEST = N_("The request of this task is not known: it was submitted elsewhere.")


def fields_of(form: FormState) -> dict[str, Any]:
    """Return every field that is set, as JSON; of those that the model does not take, the chosen ones."""
    names = [name for name in form.field_names if form.takes(name) or form.is_chosen(name)]
    return VideoRequest(**{name: getattr(form, name) for name in names}).as_dict()


def given_of(form: FormState) -> dict[str, Any]:
    """Return every field that is set, as JSON; pictures in memory as they are, for a manager to save."""
    fields = fields_of(form)
    return {name: value if has_local_media(value := getattr(form, name)) else fields[name] for name in fields}


def draft_of(form: FormState) -> dict[str, Any]:
    """Return the fields of a form together with the values that wait for another contract, as JSON."""
    waiting = {name: value for name, value in form.homeless.items() if name in declared()}
    return {**VideoRequest(**{"model": form.model, **waiting}).as_dict(), **fields_of(form)}


def unsent_of(form: FormState) -> dict[str, dict[str, Any]]:
    """Return the values that a form keeps but does not send, as JSON, by the date of their contract."""
    stored = dict[str, dict[str, Any]]()
    for contract, unsent in form.unsent.items():
        images = {"first": unsent.images.first, "last": unsent.images.last}
        images["references"] = list(unsent.images.references)
        stored[contract] = {
            "values": VideoRequest(**_declared(unsent.values)).as_dict(),
            "images": {name: _texts_in(value) for name, value in images.items()},
        }
    return stored


def unsent_in(stored: Mapping[str, Mapping[str, Any]]) -> dict[str, Unsent]:
    """Return the values of ``unsent_of``, read from a file that may be damaged."""
    found = dict[str, Unsent]()
    for contract, part in stored.items():
        values, images = part.get("values"), part.get("images")
        kept = {
            name: KINDS[declared()[name].type].read(hide_in(value))
            for name, value in _declared(values if isinstance(values, dict) else {}).items()
        }
        found[contract] = Unsent(kept, _frames_in(images if isinstance(images, dict) else {}))
    return found


def _texts_in(value: Any) -> Any:
    """Return the texts in a value; pictures in memory cannot be stored."""
    if isinstance(value, list):
        return [part for part in value if isinstance(part, str)]
    return value if isinstance(value, str) else None


def _declared(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in declared()}


def _frames_in(images: Mapping[str, Any]) -> Frames:
    """Return images by what they mean; those that are not texts are left out."""
    first, last, references = (images.get(name) for name in ("first", "last", "references"))
    return Frames(
        first if isinstance(first, str) else None,
        last if isinstance(last, str) else None,
        tuple(url for url in references if isinstance(url, str)) if isinstance(references, list) else (),
    )


def fill(
    form: FormState, fields: Mapping[str, Any], unsent: Mapping[str, Unsent] | None = None
) -> tuple[str, ...]:
    """Fill in the form; fields that are not named get the model's default, fixed fields keep their value.

    Images among the fields are not fetched automatically, because their author could see who opens them.

    Args:
        form: the form.
        fields: the fields.
        unsent: values to keep out of the request, by the date of their contract.

    Returns:
        The values that could not be shown, as ``label: value``.
    """
    waiting, (sent, kept) = dict(unsent or {}), split_unsent(form.models, fields)
    sources = [fields, *(part.values for part in waiting.values())]
    named = in_names_of(form.models, sent)
    fields, form.homeless, form.homeless_images = named.fields, named.homeless, named.images
    left_out = [
        _field_text(name, value) for name, value in {**form.homeless, **kept}.items() if value is not False
    ]
    model = form.model if "model" in form.fixed else fields.get("model", form.default("model"))
    with form.batch():
        own = partial(_is_own, form)
        found = frozenset[str]().union(*map(_media_in, sources)) - _media_in(form.given)
        form.unsaved_masks = {}
        form.unapproved |= frozenset(filterfalse(own, found))
        for name, default in form.defaults(model).items():
            if name in form.fixed and name not in fields:
                continue
            try:
                setattr(form, name, default if fields.get(name) is None else fields[name])
            except TraitError:
                left_out.append(_field_text(name, fields.get(name)))
        form.settle(fields)
        form.mark_chosen()
        form.forget_contracts()
        keep_unsent(form, {**waiting, "": Unsent(hide_in(kept))})
    return tuple(left_out)


def load(form: FormState, source: Any) -> tuple[str, ...]:
    """Fill in the form from a task, a request, its fields, or the name of a preset.

    Returns:
        The values that could not be shown, as ``label: value``.

    Raises:
        KeyError: there is no preset with this name.
        ValueError: the task's request is not known.
    """
    if isinstance(source, str):
        return fill(form, presets_of(form).load(source))
    if isinstance(source, Mapping):
        return fill(form, source)
    request = source if isinstance(source, VideoRequest) else getattr(source, "request", None)
    if not isinstance(request, VideoRequest):
        raise ValueError(tr(_NO_REQUEST))
    left_out = fill(form, request.given)
    contract = None if source is request else CONTRACTS.get(source.contract)  # only a task knows it
    if contract is not None:
        form.carrier.compare_defaults(request, contract.models)
        form.refresh()
    return left_out


def paste(form: FormState, text: str) -> tuple[str, ...]:
    """Fill in the form from JSON or a curl command; keep the model if the text names none.

    Returns:
        The values that have no place in the form, as ``label: value``.

    Raises:
        ValueError: the text is neither; the message gives the position of the error.
    """
    pasted = _read(text, form.models.contract)
    fields = {name: getattr(pasted.request, name) for name in pasted.named}
    return pasted.unknown + fill(form, {"model": form.model, **fields})


def presets_of(form: FormState) -> Any:
    """Return the presets of the form's library."""
    from ...library.presets import Presets

    return Presets(form.find_manager().library.folder)


def _read(text: str, contract: str) -> Pasted:
    """Read a pasted request, in the names of the form's contract or of the one that knows most of them."""
    own = read_pasted(text, contract)
    if not own.unknown:
        return own
    others = (read_pasted(text, other) for other in CONTRACTS if other != contract)
    return min((own, *others), key=lambda pasted: len(pasted.unknown))


def _media_in(fields: Mapping[str, Any]) -> frozenset[str]:
    """Return the URLs and paths of images, masks and videos in the fields of any contract.

    A field of another contract counts, because its images may appear later.
    """
    texts = list[str]()
    for name, value in fields.items():
        parameter = declared().get(name)
        if parameter is not None and parameter.media:
            kind = KINDS[parameter.type]
            found = texts_in(list(kind.urls(kind.read(hide_in(value)))))
            # The editor of masks asks by itself before it loads one from a URL.
            texts += [text for text in found if parameter.media != "mask" or not is_web_url(text)]
    return frozenset(texts)


def _is_own(form: FormState, text: str) -> bool:
    """Return whether a text is the path of a file of the library, which needs no approval."""
    masks = files_of(form)
    if is_web_url(text) or form.manager is None or masks is None:
        return False
    # A mask in an earlier folder gets the path of this one in a field of masks, but not in another field.
    if form.manager.inputs.files.own(text) is not None or masks.own(text) == Path(text):
        return True
    path, folder = Path(text), form.manager.library.folder.absolute()
    return path.parent == folder / CHOSEN and Folder(folder).has_file(f"{CHOSEN}/{path.name}")


def _field_text(name: str, value: Any) -> str:
    """Return a value with its label; one without a place in any contract is shown as Python has it."""
    value, parameter = hide_in(value), declared().get(name)
    if parameter is None:
        return _UNFIT.format(label=name, value=shorten(repr(value), 80))
    return _UNFIT.format(label=label(parameter), value=value_label(parameter, value))
