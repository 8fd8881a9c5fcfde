"""The settings of a request as its contract sent them, and the cost of its task, as short texts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from ...i18n import tr
from ...service.contract.frames import frames_of
from ...service.contract.lengths import length_text
from ...service.contract.models import home_of, models_under
from ...service.contract.quota import charged_text, quota_text
from ...service.contract.request import VideoRequest
from ...service.contract.resolve import Resolved, resolve
from ...service.contract.schema import Parameter
from ...service.contract.values import is_integer, is_same

__all__ = ["Other", "Settings", "cost_text", "prompt_of", "settings_of"]

#: The parameters that views show as the model, the prompt, the main settings, the number of shots, and the
#: note on the callback.
_SHOWN = {
    "model", "prompt", "resolution", "mode", "aspect_ratio", "duration", "shots", "multi_shot",
    "multi_prompt", "callback_url", "callback_events",
}  # fmt: skip


class Other(NamedTuple):
    """A further parameter that the caller has set to something else than its default.

    Attributes:
        parameter: its description.
        value: its value.
        sources: the fields in which the caller has set it.
    """

    parameter: Parameter
    value: Any
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Settings:
    """The settings of a request; a text is empty if the request leaves it to the model.

    Attributes:
        resolution: the resolution, or in contract 2026-04 the mode that decides it.
        shape: the aspect ratio, or that an image decides it.
        length: the seconds, or that the input video decides them.
        others: everything else that was sent, in the order of the body: the camera, masks, images and so on.
    """

    resolution: str = ""
    shape: str = ""
    length: str = ""
    others: tuple[Other, ...] = ()


def settings_of(request: VideoRequest, contract: str) -> Settings:
    """Return the settings of a request.

    Args:
        request: the request, in the names of any contract.
        contract: the date of the contract that carried it; one that this version lacks is read as that of
            the request's names.
    """
    resolved = resolve(request.given, models_under(contract, request.given))
    sent = resolved.sent
    home = home_of(request.given)
    starts_from_image = frames_of(request.given, home.of(request.model)).first is not None
    length = request.seconds if request.is_multi_shot else sent.get("duration")
    return Settings(
        str(sent.get("resolution") or sent.get("mode") or ""),
        tr("from an image") if starts_from_image else str(sent.get("aspect_ratio") or ""),
        _length(length),
        tuple(_others(resolved)),
    )


def prompt_of(request: VideoRequest | None) -> str:
    """Return the prompts of all shots in one text; empty if the request is not known."""
    return "" if request is None else " / ".join(request.prompts)


def cost_text(quota: int, contract: str, service: str) -> str:
    """Return what a task cost; for the sandbox, that the amount was not charged.

    Args:
        quota: the amount, in the service's units.
        contract: the date of the task's contract.
        service: the service's name in the journal.
    """
    amount = quota_text(quota, contract)
    return charged_text(amount, is_sandbox=service == "sandbox" and bool(quota))


def _length(seconds: object) -> str:
    return length_text(seconds) if is_integer(seconds) else ""


def _others(resolved: Resolved) -> Iterator[Other]:
    sent = resolved.sent
    for name, parameter in resolved.model.parameters.items():
        sources = resolved.sources(name)
        is_given = any(source in resolved.given for source in sources)
        if name in sent and name not in _SHOWN and is_given and not is_same(sent[name], parameter.default):
            yield Other(parameter, sent[name], sources)
