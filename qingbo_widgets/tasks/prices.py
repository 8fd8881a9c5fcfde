"""``Prices``: the prices of a manager's requests, with the files and tasks of its library."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..exceptions import InvalidRequest, QingboError
from ..library.library import Library
from ..library.requests import request_of
from ..media.frames import duration_of
from ..service.client import Client
from ..service.contract.pricing.price import Price, PriceSource
from ..service.contract.request import VideoRequest
from ..service.contract.schema import Models
from ..service.contract.snapshot import TaskStatus
from ..service.priced import priced_values
from ..service.prices import PriceFinder
from .inputs.inputs import Inputs
from .task import Task

__all__ = ["Prices"]

#: Types of parameters whose content does not change the price, only whether they are set.
_CONTENT = frozenset({"url", "urls", "objects"})
#: Tasks of the library that are compared with a request.
_MOST_COMPARED = 500


class Prices:
    """The prices of the requests of one manager. Blocking: each may take a request to the service.

    Args:
        inputs: the pictures and videos of its requests.
        library: its library.
        service: the name of the service in the library.
    """

    def __init__(self, inputs: Inputs, library: Library, service: str) -> None:
        self._inputs, self._library, self._service = inputs, library, service
        self._client: Client | None = None
        self._finder: PriceFinder | None = None

    def price(self, request: VideoRequest, client: Client, tasks: Iterable[Task]) -> Price:
        """Return the price of a request; an unknown one says why.

        Under a contract whose documentation states no prices, it is the cost of the latest such task.

        Args:
            request: the request.
            client: the client of the service.
            tasks: the tasks of the manager, whose videos may be the input of this request.

        Raises:
            InvalidRequest: the request has problems; nothing was sent.
        """
        models = client.contract.models
        if problems := self._inputs.other_problems(request, models.contract):
            raise InvalidRequest(problems)
        if not client.contract.terms.quota_per_dollar and (earlier := self._earlier(request, models)):
            return earlier
        if self._finder is None or self._client is not client:  # another key may have other prices
            self._client, self._finder = client, PriceFinder(client)
        videos = priced_values(request, models).get("video_urls") or ()
        lengths = [self._length(video, tasks) for video in videos]
        # A picture or video that is not uploaded yet has no URL.
        return self._finder.find(request, lengths, is_sendable=not request.problems(models.contract))

    def compare(self, price: Price, frozen: int | None) -> None:
        """Forget all prices if the service has reserved another amount than it said: they have changed.

        Args:
            price: the price before the submission.
            frozen: the quota that the service has reserved, if it reports that.
        """
        if self._finder is not None and frozen is not None and price.quota not in (None, frozen):
            self._finder.forget()

    def _length(self, video: Any, tasks: Iterable[Task]) -> float | None:
        """Return the length of an input video in seconds; ``None`` if it is not on this machine."""
        place = self._inputs.saver.place_of(video)
        if place is None:
            made = (task for task in tasks if video in task.video_urls)
            place = next((task.video_path for task in made if task.video_path), None)
        try:
            return duration_of(place) if isinstance(place, Path) else None
        except (QingboError, ImportError, OSError):
            return None

    def _earlier(self, request: VideoRequest, models: Models) -> Price | None:
        """Return what the latest task with the same parameters has cost; ``None`` if there is none."""
        kind, completed = _kind(request, models), TaskStatus.completed.value
        for entry in self._library.entries(service=self._service, status=completed, limit=_MOST_COMPARED):
            # A result without a usable file costs nothing, which is no price.
            is_same = entry.model == request.model and entry.contract == models.contract and entry.cost
            known = request_of(entry) if is_same else None
            if known is not None and _kind(known, models) == kind:
                return Price(None, entry.cost, True, PriceSource.earlier_task, entry.completed_at)
        return None


def _kind(request: VideoRequest, models: Models) -> dict[str, Any]:
    """Return the parameters that may decide about the price: media only as far as they are set."""
    parameters = models.of(request.model).parameters
    return {
        name: True if name in parameters and parameters[name].type in _CONTENT else value
        for name, value in priced_values(request, models).items()
    }
