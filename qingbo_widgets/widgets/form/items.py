"""The editor of a list of objects, such as images with roles: controls for each member of each object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ipywidgets

from ...i18n import N_, tr
from ...service.contract.labels import label
from ...service.contract.schema import Parameter
from ...service.contract.text import in_lines, urls_in
from ...service.contract.values import Item, is_set
from ..base import html as markup
from ..base.build import button, create_widget, focus, set_tooltip
from ..base.composite import Composite
from ..base.dropdown import Dropdown
from ..base.html import Markup
from ..base.sync import Echo, update
from ..base.text_fields import Text
from .controls import offer
from .fields import LABEL_WIDTH, NARROW, WIDE
from .images import ImagePreview
from .labels import choice_options, help_of
from .panels import Editor, indented
from .state import FormState, Problems
from .url_list import UrlList
from .wording import problems_html, with_labels

__all__ = ["ItemsEditor"]

_ADD, _ADD_HELP = N_("Add"), N_("Adds one at the end.")
_ENOUGH = N_("The model takes at most {most}.")
_REMOVE, _REMOVE_HELP = N_("Remove"), N_("Removes number {number}.")
_NUMBERED = N_("{label} {number}")
_UNAVAILABLE = N_("Not available now: it {reason}.")
_NOT_OBJECTS = N_("Set in code; it cannot be edited here.")

Items = tuple[Mapping[str, Any], ...]


class ItemsEditor(Editor):
    """The editor of one field whose value is a list of objects, built from the description of their members.

    Args:
        form: the form.
        field: the name of the field.
    """

    def __init__(self, form: FormState, field: str) -> None:
        super().__init__(form)
        self._field = field
        self.rows: list[_ItemRow] = []
        parameter = form.models.parameters[field]
        self.preview = ImagePreview(form, field) if parameter.media == "image" else None
        self._list = ipywidgets.VBox(layout={"overflow": "visible"})
        self._note = ipywidgets.HTML()
        self._note.add_class("qingbo-note")
        self.add_button = button(tr(_ADD), tr(_ADD_HELP), self.add, icon="plus")
        about = ipywidgets.HTML(markup.note(help_of(parameter)))
        previews = [] if self.preview is None else [self.preview]
        self.children = (about, self._list, self._note, indented(self.add_button), *previews)

    @property
    def items(self) -> Items:
        """The objects of the field that can be edited."""
        value = getattr(self.form, self._field)
        parts = value if isinstance(value, tuple) else ()
        return parts if all(isinstance(part, Mapping) for part in parts) else ()

    def refresh(self, problems: Problems, warnings: Problems) -> None:
        """Show the current objects."""
        items, parameter = self.items, self.form.parameter(self._field)
        is_disabled = self._field in self.form.fixed or bool(self.form.unavailable(self._field))
        while len(self.rows) < len(items):
            self.rows.append(_ItemRow(self, parameter, len(self.rows)))
        for row, item in zip(self.rows, items, strict=False):
            row.show(item, parameter.members, is_disabled=is_disabled)
        _, most = parameter.limits.get("count") or (0, 0)
        is_full = 0 < most <= len(items)
        with update(self._list, self.add_button):
            visible = tuple(self.rows[: len(items)])
            if self._list.children != visible:
                self._list.children = visible
            self.add_button.disabled = is_disabled or is_full
            set_tooltip(self.add_button, tr(_ENOUGH).format(most=most) if is_full else tr(_ADD_HELP))
        self.show_problems(problems, warnings)
        if self.preview is not None:
            self.preview.refresh(problems, warnings)

    def show_problems(self, problems: Problems, warnings: Problems) -> None:
        """Show the problems of the list, and those of each object below it. May be called on any thread."""
        mine = [problem for problem in problems if problem.field == self._field]
        count = len(self.items)
        whole = tuple(problem for problem in mine if not 0 < problem.number <= count)
        is_foreign = is_set(getattr(self.form, self._field)) and not count
        with update(self._note):
            notice = markup.note(tr(_NOT_OBJECTS), "hint") if is_foreign else Markup()
            if reason := self.form.unavailable(self._field):
                notice += markup.note(tr(_UNAVAILABLE).format(reason=with_labels(self.form, tr(reason))))
            self._note.value = notice + problems_html(self.form, self._field, whole, warnings)
        for number, row in enumerate(self.rows[:count], 1):
            row.show_problems(tuple(problem for problem in mine if problem.number == number))

    def add(self) -> None:
        """Add an empty object at the end."""
        self._set((*self.items, Item({})))
        if self.items:
            focus(self.rows[len(self.items) - 1].first)

    def change(self, index: int, item: Item | None) -> None:
        """Replace the object of a row, or remove it."""
        items = self.items
        if index < len(items):
            self._set((*items[:index], *([] if item is None else [item]), *items[index + 1 :]))
        if item is None:
            focus(self.rows[min(index, len(self.items) - 1)].first if self.items else self.add_button)

    def _set(self, items: Items) -> None:
        setattr(self.form, self._field, items)

    def _detached_parts(self) -> tuple[Any, ...]:
        return tuple(self.rows)


class _ItemRow(Composite):
    """The controls of one object. Rows stay in place; objects move from row to row."""

    def __init__(self, editor: ItemsEditor, parameter: Parameter, index: int) -> None:
        self._editor, self._parameter, self._index, self._echo = editor, parameter, index, Echo()
        self.controls = {
            key: self._control(member) for key, member in parameter.members.items() if not member.numbered
        }
        number = index + 1
        self.remove_button = button(
            tr(_REMOVE),
            tr(_REMOVE_HELP).format(number=number),
            lambda: editor.change(index, None),
            "qingbo-small",
        )
        self._note = ipywidgets.HTML()
        self._note.add_class("qingbo-note")
        super().__init__(
            [*self.controls.values(), indented(self.remove_button), self._note],
            layout={"overflow": "visible", "margin": "0 0 8px"},
            _dom_classes=("qingbo-row",),
        )

    @property
    def first(self) -> Any:
        """The first control of the row."""
        return next(iter(self.controls.values()))

    def show(self, item: Mapping[str, Any], members: Mapping[str, Parameter], *, is_disabled: bool) -> None:
        """Show this object, within the present limits of its members; equal text stays as typed."""
        with self._echo, update(*self.controls.values()):
            for key, control in self.controls.items():
                if isinstance(control, UrlList):
                    control.most = _most(members[key])
                if _read(control, members[key]) != item.get(key):
                    _write(control, members[key], item.get(key))
                control.disabled = is_disabled
            self.remove_button.disabled = is_disabled

    def show_problems(self, problems: Problems) -> None:
        """Show the problems of this object."""
        with update(self._note):
            self._note.value = problems_html(self._editor.form, self._parameter.name, problems)

    def _control(self, member: Parameter) -> Any:
        text = tr(_NUMBERED).format(label=label(member), number=self._index + 1)
        style = {"description_width": LABEL_WIDTH}
        if member.type == "choice":
            options = [(tr("choose"), None), *choice_options(member)]
            control = create_widget(
                Dropdown, description=text, options=options, style=style, layout=dict(NARROW)
            )
        elif member.type in ("url", "urls"):
            most = _most(member)
            labels = tuple(f"{text}.{number}" for number in range(1, most + 1)) if most > 1 else ()
            control = UrlList(description=text, labels=labels, most=most, style=style, layout=dict(WIDE))
            control.take_files(self._parameter.media, self._editor.form)
        else:
            control = create_widget(Text, description=text, style=style, layout=dict(WIDE))
        control.observe(lambda _: self._on_edit(), "value")
        return control

    def _on_edit(self) -> None:
        if self._echo:
            return
        members = self._parameter.members
        values = {key: _read(control, members[key]) for key, control in self.controls.items()}
        self._editor.change(self._index, Item({key: value for key, value in values.items() if is_set(value)}))


def _most(member: Parameter) -> int:
    """Return the maximum number of URLs in a member; 0 for any number."""
    return 1 if member.type == "url" else member.limits.get("count", (0, 0))[1]


def _read(control: Any, member: Parameter) -> Any:
    """Return the value of a member; ``None`` if its control is empty."""
    if member.type == "urls":
        return urls_in(control.value) or None
    return (control.value.strip() or None) if isinstance(control.value, str) else control.value


def _write(control: Any, member: Parameter, value: Any) -> None:
    if member.type == "choice":
        offer(control, [(tr("choose"), None), *choice_options(member)], value)
    elif member.type == "urls":
        control.value = in_lines(value) if isinstance(value, tuple) else str(value or "")
    else:
        control.value = "" if value is None else str(value)
