"""``Prices``: the prices of a manager's requests, with the files and tasks of its library."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

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
from .background.reports import Reports
from .inputs.inputs import Inputs

__all__ = ["Prices"]

#: Types of parameters whose content does not change the price, only whether they are set.
_CONTENT = frozenset({"url", "urls", "objects"})
#: Tasks of the library that are compared with a request.
_MOST_COMPARED = 500


class _HasVideo(Protocol):
    """A task, as far as its video may be the input of another one."""

    video_path: Path | None

    @property
    def video_urls(self) -> Sequence[str]: ...


class Prices:
    """The prices of the requests of one manager.

    Args:
        inputs: the pictures and videos of its requests.
        library: its library.
        service: the name of the service in the library.
        client: returns the client that the manager uses now.
        tasks: returns its tasks, whose videos may be the input of a request.
    """

    def __init__(
        self,
        inputs: Inputs,
        library: Library,
        service: str,
        client: Callable[[], Client],
        tasks: Callable[[], Iterable[_HasVideo]],
    ) -> None:
        self._inputs, self._library, self._service = inputs, library, service
        self._client, self._tasks = client, tasks
        self._finder = client(), PriceFinder(client())
        #: The latest price of each kind of request, for the views.
        self._latest: Reports[str, Price | None] = Reports("price")

    def price(self, request: VideoRequest) -> Price:
        """Return the price of a request; an unknown one says why. Blocking: it may ask the service.

        Under a contract whose documentation states no prices, it is the cost of the latest such task.

        Raises:
            InvalidRequest: the request has problems; nothing was sent.
        """
        client = self._client()
        models = client.contract.models
        if problems := self._inputs.other_problems(request, models.contract):
            raise InvalidRequest(problems)
        if not client.contract.terms.quota_per_dollar and (earlier := self._earlier(request, models)):
            return earlier
        finder = self._finder_of(client)
        videos = priced_values(request, models).get("video_urls") or ()
        lengths = [self._length(video) for video in videos]
        # A picture or video that is not uploaded yet has no URL.
        price = finder.find(request, lengths, is_sendable=not request.problems(models.contract))
        self._latest.put(self.kind(request), price)
        return price

    def latest(self, request: VideoRequest) -> Price | None:
        """Return the price that such a request had when it was last asked about; ``None`` if it never was."""
        return self._latest.get(self.kind(request))

    def ask(self, request: VideoRequest, callback: Callable[[], object]) -> None:
        """Find the price of a request on another thread, then call back there; ``latest`` has it then.

        The same request is asked about once however often this is called, and the service not again for some
        minutes.

        Args:
            request: the request.
            callback: called once, however often it was passed meanwhile.
        """
        self._latest.make(self.kind(request), lambda: self._found(request), callback)

    def kind(self, request: VideoRequest) -> str:
        """Return what the price of a request depends on, as a key: everything but its texts."""
        models = self._client().contract.models
        return json.dumps([models.contract, request.model, priced_values(request, models)], default=repr)

    def load_list(self, callback: Callable[[], object]) -> None:
        """Request the service's model list on another thread, then call back there."""
        self._latest.make("", self._finder_of(self._client()).load_list, callback)

    def listed(self, request: VideoRequest) -> Price | None:
        """Return the price in the model list, without any request; ``None`` before ``load_list``."""
        return self._finder_of(self._client()).listed(request)

    def compare(self, price: Price | None, frozen: int | None) -> None:
        """Forget all prices if the service has reserved another amount than it said: they have changed.

        Args:
            price: the price before the submission.
            frozen: the quota that the service has reserved, if it reports that.
        """
        if price is not None and frozen is not None and price.quota not in (None, frozen):
            self._finder[1].forget()

    def _finder_of(self, client: Client) -> PriceFinder:
        """Return the finder of a client; another key may have other prices."""
        if self._finder[0] is not client:
            self._finder = client, PriceFinder(client)
        return self._finder[1]

    def _found(self, request: VideoRequest) -> Price:
        try:
            return self.price(request)
        except QingboError as error:  # the view of the request shows its problems
            return Price(reason=str(error))

    def _length(self, video: Any) -> float | None:
        """Return the length of an input video in seconds; ``None`` if it is not on this machine."""
        place = self._inputs.saver.place_of(video)
        if place is None:
            made = (task for task in self._tasks() if video in task.video_urls)
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
