"""The main settings of a request as its contract sent them, and the cost of its task, as short texts."""

from __future__ import annotations

from dataclasses import dataclass

from ...i18n import tr
from ...service.contract.frames import frames_of
from ...service.contract.lengths import length_text
from ...service.contract.models import home_of, models_under
from ...service.contract.quota import quota_text
from ...service.contract.request import VideoRequest
from ...service.contract.resolve import resolve
from ...service.contract.values import is_integer

__all__ = ["Settings", "cost_text", "prompt_of", "settings_of"]


@dataclass(frozen=True)
class Settings:
    """The main settings of a request; a text is empty if the request leaves it to the model.

    Attributes:
        resolution: the resolution, or in contract 2026-04 the mode that decides it.
        shape: the aspect ratio, or that an image decides it.
        length: the seconds, or that the input video decides them.
    """

    resolution: str
    shape: str
    length: str


def settings_of(request: VideoRequest, contract: str) -> Settings:
    """Return the settings of a request.

    Args:
        request: the request, in the names of any contract.
        contract: the date of the contract that carried it; one that this version lacks is read as that of
            the request's names.
    """
    sent = resolve(request.given, models_under(contract, request.given)).sent
    home = home_of(request.given)
    starts_from_image = frames_of(request.given, home.of(request.model)).first is not None
    length = request.seconds if request.is_multi_shot else sent.get("duration")
    return Settings(
        str(sent.get("resolution") or sent.get("mode") or ""),
        tr("from an image") if starts_from_image else str(sent.get("aspect_ratio") or ""),
        _length(length),
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
    return tr("{amount}, not charged").format(amount=amount) if service == "sandbox" and quota else amount


def _length(seconds: object) -> str:
    return length_text(seconds) if is_integer(seconds) else ""
