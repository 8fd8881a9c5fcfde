"""Fields in the names of one contract: a request of April has ``mode``, one of November ``resolution``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...service.contract.frames import FRAME_FIELDS
from ...service.contract.models import declared
from ...service.contract.request import VideoRequest
from ...service.contract.schema import Models
from ...service.contract.switching import switched
from ...service.secrets.known_keys import hide_in

__all__ = ["hidden_in", "in_names_of"]


def in_names_of(models: Models, fields: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the fields in the names of a contract, and those that have no place in it.

    Fields that are in its names already are returned unchanged. No API key remains in either.
    """
    fields = {name: hide_in(value) for name, value in fields.items()}
    unknown = {name: value for name, value in fields.items() if name not in declared()}
    known = {name: value for name, value in fields.items() if name not in unknown}
    if all(name in models.parameters for name in known):
        return known, unknown
    model = known.pop("model", models.parameters["model"].default)
    change = switched(VideoRequest(**{"model": model, **known}), model, models)
    own, homeless = dict(change.request.given), unknown
    for name, value in change.set_aside.items():
        # A value that the model does not take is a problem to show, unless it is among the images moved.
        (own if name in models.parameters and name not in FRAME_FIELDS else homeless)[name] = value
    if "model" not in fields:
        del own["model"]
    return own, homeless


def hidden_in(models: Models, names: Iterable[str]) -> frozenset[str]:
    """Return the names of fields together with those that replace them in a contract."""
    spellings = models.spellings
    return frozenset(
        new for name in names for new in (name, spellings[name].means if name in spellings else "") if new
    )
