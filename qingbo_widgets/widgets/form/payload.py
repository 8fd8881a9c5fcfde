"""The panel that shows the request as JSON and as Python, and fills in the form from pasted JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import ipywidgets

from ...i18n import N_, tr
from ...service.contract.contracts import Contract
from ...service.contract.media import media_of
from ...service.contract.request import VideoRequest
from ...service.contract.values import CameraControl, DynamicMask, Shot
from ..base import html as markup
from ..base.build import button, set_tooltip
from ..base.html import Markup
from ..base.sync import update
from ..base.text_fields import PasteArea
from .image_fields import is_local
from .loading import paste
from .panels import Editor, hidden_style, indented
from .state import FormState, Problems

__all__ = ["SentPane", "json_body", "python_call"]

_JSON = N_("The JSON that is sent")
_PYTHON = N_("The same in Python")
_COPY = N_("Copy")
_COPIED = N_("Copied")
_COPY_JSON = N_("Copy the JSON")
_COPY_PYTHON = N_("Copy the Python call")
_NOT_YET = N_("Not complete yet: fix the errors in the form first.")
_LINKS = N_("Links take the place of the files of this machine when the request is submitted.")
_PASTE = N_("Fill in from JSON")
_PASTE_PLACEHOLDER = N_("Paste JSON or a curl command here")
_PASTE_HELP = N_("The service's JSON, a part of it, or a curl command. An API key in it is removed.")
_FILL = N_("Fill in the form")
_FILL_HELP = N_("Replaces the content of the form with the pasted request.")
_FILLED = N_("The form is filled in.")
_LEFT_OUT = N_("The form is filled in. Left out: {fields}")

#: The script of the copy buttons. The clipboard API needs https, so execCommand is the fallback.
_COPY_SCRIPT = (
    "const b=this,p=b.closest('.qingbo-code').querySelector('pre'),s=getSelection(),r=document.createRange();"
    "r.selectNodeContents(p);s.removeAllRanges();s.addRange(r);"
    "const ok=()=>{{b.textContent={copied}}};"
    "if(navigator.clipboard&&isSecureContext)navigator.clipboard.writeText(p.textContent).then(ok,"
    "()=>document.execCommand('copy')&&ok());else if(document.execCommand('copy'))ok();"
)


_CSS = markup.read_css(__file__, "payload.css")
#: A point in indented JSON. JSON strings contain no line breaks, so a match is always a point.
_POINT = re.compile(r'\{\n\s+"x": ([-+.\deE]+),\n\s+"y": ([-+.\deE]+)\n\s+\}')


def json_body(request: VideoRequest, contract: Contract) -> str:
    """Return the indented JSON body of the submission, even for a request with problems."""
    try:
        body = json.dumps(contract.encode(request), ensure_ascii=False, indent=2)
    except (TypeError, ValueError, AttributeError):  # a value set in code that JSON cannot represent
        return ""
    return _POINT.sub(r'{"x": \1, "y": \2}', body)  # up to 77 of them


def python_call(request: VideoRequest) -> str:
    """Return the equivalent ``generate`` call; arguments at the model's default are omitted."""
    chosen = request.chosen()
    if chosen["model"] == VideoRequest().model:
        del chosen["model"]
    arguments = [_python(chosen.pop("prompt"))] if chosen.get("prompt") else []
    arguments += [f"{name}={_python(value)}" for name, value in chosen.items()]
    on_one_line = f"qw.generate({', '.join(arguments)})"
    if len(on_one_line) <= _WIDTH and "\n" not in on_one_line:
        return on_one_line
    return _on_lines("qw.generate(", arguments, ")")


def _on_lines(start: str, items: list[str], end: str) -> str:
    inner = "".join(f"    {item},\n".replace("\n", "\n    ").removesuffix("    ") for item in items)
    return f"{start}\n{inner}{end}"


#: Characters on a line of the Python call.
_WIDTH = 88


def _python(value: Any) -> str:
    """Return the value as idiomatic Python source."""
    if isinstance(value, str):
        # Chinese stays as it is; unprintable characters are escaped.
        readable = all(character.isprintable() or character in "\n\t" for character in value)
        return json.dumps(value, ensure_ascii=False) if readable else repr(value)
    if isinstance(value, Shot):
        return f"qw.Shot({_python(value.prompt)}, {_python(value.duration)})"
    if isinstance(value, CameraControl):
        if value.config is None:
            return _python(value.type)
        return f"qw.CameraControl({_python(value.type)}, {_python(value.config)})"
    if isinstance(value, DynamicMask):
        parts = [_python(value.mask_url), _listed(value.trajectories)]
        on_one_line = f"qw.DynamicMask({', '.join(parts)})"
        return on_one_line if len(on_one_line) <= _WIDTH else _on_lines("qw.DynamicMask(", parts, ")")
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_python(key)}: {_python(item)}" for key, item in value.items()) + "}"
    if isinstance(value, tuple) and value and isinstance(value[0], (Shot, DynamicMask)):
        return _on_lines("[", [_python(item) for item in value], "]")
    if isinstance(value, tuple) and len(value) == 1 and isinstance(value[0], str):
        return _python(value[0])  # the one image
    return _listed(value) if isinstance(value, tuple) else repr(value)


def _listed(values: Any) -> str:
    if not isinstance(values, tuple):
        return repr(values)
    points = (
        f"({', '.join(map(_python, item))})" if isinstance(item, tuple) else _python(item) for item in values
    )
    return f"[{', '.join(points)}]"


class SentPane(Editor):
    """The request of the form as JSON and as Python, and a field to paste JSON or a curl command."""

    def __init__(self, form: FormState) -> None:
        super().__init__(form)
        self._html = ipywidgets.HTML()
        self._paste = PasteArea(
            description=tr(_PASTE),
            placeholder=tr(_PASTE_PLACEHOLDER),
            rows=3,
            layout={"width": "auto", "max_width": "740px", "margin": "2px 0"},
        )
        self._paste.style.description_width = "130px"
        set_tooltip(self._paste, tr(_PASTE_HELP))
        self._fill = button(tr(_FILL), tr(_FILL_HELP), self.fill)
        self._note = ipywidgets.HTML()
        self._note.add_class("qingbo-note")
        self.children = (hidden_style(_CSS), self._html, self._paste, indented(self._fill), self._note)

    def refresh(self, problems: Problems, warnings: Problems) -> None:  # noqa: ARG002
        """Show the current request."""
        request = self.form.request
        warning = markup.note(tr(_NOT_YET)) if problems else ""
        with update(self._html):
            self._html.value = (
                warning
                + _block(tr(_JSON), json_body(request, self.form.contract), tr(_COPY_JSON))
                + (markup.note(tr(_LINKS)) if self._has_files(request) else "")
                + _block(tr(_PYTHON), python_call(request), tr(_COPY_PYTHON))
            )

    def _has_files(self, request: VideoRequest) -> bool:
        return any(is_local(self.form, medium.value) for medium in media_of(request))

    def fill(self) -> None:
        """Fill in the form from the pasted text, and show the values that have no place in it."""
        try:
            left_out = paste(self.form, self._paste.value)
        except ValueError as error:
            self._show_message(str(error), "alarm")
            return
        with update(self._paste):
            self._paste.value = ""
        self._show_message(
            tr(_LEFT_OUT).format(fields="; ".join(left_out)) if left_out else tr(_FILLED),
            "hint" if left_out else "dim",
        )

    def _show_message(self, text: str, kind: str) -> None:
        with update(self._note):
            self._note.value = markup.note(text, kind)


def _block(title: str, text: str, copy: str) -> Markup:
    script = _COPY_SCRIPT.format(copied=json.dumps(tr(_COPIED)))
    button = markup.tag(
        "button",
        markup.text(tr(_COPY)),
        type="button",
        aria_label=copy,
        title=copy,
        onclick=script,
    )
    code = markup.tag("pre", markup.escape(text), role="group", tabindex="0", aria_label=title)
    head = markup.tag("div", markup.span(title, "qingbo-dim"), button, class_="qingbo-code-head")
    return markup.tag("div", head, code, class_="qingbo-code")
