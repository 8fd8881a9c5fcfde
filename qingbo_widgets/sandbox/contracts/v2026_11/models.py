"""The models of contract 2026-11, read from one JSON file for each family."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from ..urls import is_public_url
from .json_schema import Draft202012Validator, FormatChecker, extend

_FOLDER = Path(__file__).parent / "models"

_formats = FormatChecker(formats=())
_formats.checks("public-url")(lambda value: not isinstance(value, str) or is_public_url(value))

#: The integer of JSON Schema includes 5.0, which a service that reads into an integer refuses.
_Validator = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    ),
)


@dataclass(frozen=True)
class Model:
    """A model: what ``models/README.md`` describes.

    Attributes:
        name: its name in requests.
        description: a sentence for the model list.
        tags: words for the model list.
        price_config: its prices in USD, in the service's own form.
        validator: the validator of a submit body.
        checks: names of functions of ``checks.py``.
        images: the meaning of ``image_urls``.
        input_video: limits of the length of the input video, most special first; empty for none.
    """

    name: str
    description: str
    tags: tuple[str, ...]
    price_config: Mapping[str, Any]
    validator: Any
    checks: tuple[str, ...]
    images: Literal["frames", "references"]
    input_video: tuple[Mapping[str, Any], ...]


@cache
def models() -> Mapping[str, Model]:
    """Return the models of all families, by name."""
    return {model.name: model for path in sorted(_FOLDER.glob("*.json")) for model in _family(path)}


def _family(path: Path) -> list[Model]:
    family = json.loads(path.read_text(encoding="utf-8"))
    return [
        Model(
            name,
            model["description"],
            tuple(model["tags"]),
            model["price_config"],
            _Validator({"$defs": family["$defs"], **model["schema"]}, format_checker=_formats),
            tuple(model.get("checks", ())),
            model["images"],
            tuple(model.get("input_video", ())),
        )
        for name, model in family["models"].items()
    ]
