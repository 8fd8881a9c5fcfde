"""The types of a request's fields are those of the descriptions, which decide at run time."""

from __future__ import annotations

import pytest

from qingbo_widgets.service.contract.fields import EveryField, SweptFields
from qingbo_widgets.service.contract.frames import IMAGE
from qingbo_widgets.service.contract.models import declared
from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.widgets.form.form_traits import FormTraits


@pytest.mark.parametrize("types", [EveryField, SweptFields])
def test_a_call_takes_the_fields_that_are_described(types: type) -> None:
    """A type checker accepts every field that some model takes, and no other."""
    assert set(types.__annotations__) == {*declared(), IMAGE}


@pytest.mark.parametrize("types", [VideoRequest, FormTraits])
def test_every_field_has_a_type_where_it_is_read(types: type) -> None:
    """``request.mode`` and ``form.mode`` are known to a type checker, and so is each of the others."""
    assert set(declared()) <= set(types.__annotations__)
