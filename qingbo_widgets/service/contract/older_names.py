"""The way back from the names of a contract to those that it replaced: ``resolution`` becomes ``mode``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .models import contracts, models_of
from .schema import Models
from .values import Shot

__all__ = ["in_older_names"]


def in_older_names(models: Models, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a newer contract in the names that an older one has for them.

    Fields without such a name remain.

    Args:
        models: the models of the older contract.
        fields: values by field, in the names of any contract; lists of objects are complete.
    """
    renamed = dict(fields)
    spellings = [item for contract in contracts() for item in models_of(contract).spellings.items()]
    for name, spelling in spellings:
        if name in models.parameters and spelling.means in renamed:
            value = renamed[spelling.means]
            if isinstance(value, str | bool) and (own := spelling.spelled(value)) is not None:
                renamed[name] = own
                del renamed[spelling.means]
    if "shots" in models.parameters and (shots := _as_shots(renamed.get("multi_prompt"))):
        for name in ("multi_prompt", "multi_shot", "shot_type", "duration"):
            renamed.pop(name, None)
        if renamed.get("prompt") == " ".join(str(shot.prompt) for shot in shots):
            del renamed["prompt"]
        renamed["shots"] = shots
    return renamed


def _as_shots(items: Any) -> tuple[Shot, ...]:
    """Return objects as shots; nothing if they are not objects."""
    if not isinstance(items, tuple) or not all(isinstance(item, Mapping) for item in items):
        return ()
    return tuple(Shot(item.get("prompt", ""), item.get("duration", 0)) for item in items)
