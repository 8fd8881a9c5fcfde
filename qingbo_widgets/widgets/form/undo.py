"""The content of a form as a value, so that what replaces typed text can be undone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .loading import draft_of, fill, unsent_in, unsent_of
from .state import FormState

__all__ = ["FormContent", "content_of", "put_back"]


@dataclass(frozen=True)
class FormContent:
    """Everything that a user may have typed into a form.

    Attributes:
        fields: the fields by name, as JSON.
        unsent: the values that the form keeps and does not send, by the date of their contract.
        unapproved: the URLs that are not fetched before the user asks for it.
    """

    fields: Mapping[str, Any]
    unsent: Mapping[str, Mapping[str, Any]]
    unapproved: frozenset[str]

    def changed_from(self, before: FormContent) -> tuple[str, ...]:
        """Return the names of the fields that differ."""
        names = {*self.fields, *before.fields}
        return tuple(name for name in names if self.fields.get(name) != before.fields.get(name))


def content_of(form: FormState) -> FormContent:
    """Return the current content of a form."""
    return FormContent(draft_of(form), unsent_of(form), form.unapproved)


def put_back(form: FormState, content: FormContent) -> None:
    """Fill in the form as it was; images that were shown are shown again."""
    fill(form, content.fields, unsent_in(content.unsent))
    if form.unapproved != content.unapproved:
        form.unapproved = content.unapproved
        form.refresh()
