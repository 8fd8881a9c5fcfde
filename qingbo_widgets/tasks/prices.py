"""``Prices``: the prices of a manager's requests, with the files and tasks of its library."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ..exceptions import InvalidRequest, QingboError
from ..library.library import Library
from ..library.requests import request_of
from ..media.frames import duration_of
from ..service.client import Client
from ..service.contract.pricing.price import Price, PriceSource
from ..service.contract.request import VideoRequest
from ..service.contract.schema import Models, Parameter
from ..service.contract.snapshot import TaskStatus
from ..service.contract.values import Shot, is_set
from ..service.priced import priced_values
from ..service.prices import KEPT, PriceFinder
from .background.reports import Reports
from .inputs.inputs import Inputs
from .price_note import ROUNDING

__all__ = ["Prices", "wordless"]

#: Types of parameters whose content does not change the price, only whether they are set.
_CONTENT = frozenset({"url", "urls", "objects"})
#: Tasks of the library that are compared with a request.
_MOST_COMPARED = 500
#: Seconds after which a price that the service did not give is looked up again.
_SOON = 20.0
#: Private parameters that no price depends on: the address of a callback may have a secret in it.
_UNPRICED = ("negative_prompt", "callback_url", "callback_events")
#: The prompt of a request whose prompt does not matter.
_ANY_PROMPT = "…"


class _HasVideo(Protocol):
    """A task, as far as its video may be the input of another one."""

    video_path: Path | None

    @property
    def video_urls(self) -> Sequence[str]: ...


class _Found(NamedTuple):
    """The result of a search for a price, and its time by a monotonic clock."""

    price: Price
    found_at: float


class Prices:
    """The prices of the requests of one manager.

    Args:
        inputs: the pictures and videos of its requests.
        library: its library.
        service: the name of the service in the library.
        client: returns the client that the manager uses now.
        tasks: returns its tasks, whose videos may be the input of a request.
        clock: a monotonic clock, in seconds.
    """

    def __init__(
        self,
        inputs: Inputs,
        library: Library,
        service: str,
        client: Callable[[], Client],
        tasks: Callable[[], Iterable[_HasVideo]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inputs, self._library, self._service = inputs, library, service
        self._client, self._tasks, self._clock = client, tasks, clock
        self._finder = client(), PriceFinder(client())
        #: The latest price of each kind of request, for the views, by the number of the epoch and the kind.
        self._latest: Reports[tuple[int, str], _Found | None] = Reports("price")
        #: An epoch ends when the prices are forgotten, or those of another key are asked for.
        self._epoch = 0
        #: The prices and reserved amounts that were not the same.
        self._differences: set[tuple[int | None, int]] = set()

    def price(self, request: VideoRequest, *, max_age: float = KEPT) -> Price:
        """Return the price of a request; an unknown one says why. Blocking: it may ask the service.

        Under a contract whose documentation states no prices, it is the cost of the latest such task.

        Args:
            request: the request.
            max_age: seconds for which a price that the service has given is good.

        Raises:
            InvalidRequest: the request has problems; nothing was sent.
        """
        key = self._key(self.kind(request))
        client = self._client()  # after the key of the price: another key of the account may come in between
        finder, models = self._finder_of(client), client.contract.models
        if problems := self._inputs.other_problems(request, models.contract):
            raise InvalidRequest(problems)
        if not client.contract.terms.quota_per_dollar and (earlier := self._earlier(request, models)):
            return earlier
        videos = priced_values(request, models).get("video_urls") or ()
        lengths = [self._length(video) for video in videos]
        # A picture or video that is not uploaded yet has no URL.
        is_sendable = not request.problems(models.contract)
        price = finder.find(request, lengths, is_sendable=is_sendable, max_age=max_age)
        self._latest.put(key, _Found(price, self._clock()))
        return price

    def latest(self, request: VideoRequest) -> Price | None:
        """Return the price that such a request had when it was last asked about; ``None`` if it never was.

        Prices that were forgotten, and those of an earlier key, do not count.
        """
        return self.latest_of(self.kind(request))

    def latest_of(self, kind: str) -> Price | None:
        """Return the latest price of a kind of request, as ``latest``."""
        found = self._latest.get(self._key(kind))
        return None if found is None else found.price

    def is_due(self, kind: str) -> bool:
        """Return whether a view should ask for the price of a kind of request: it is unknown, or old.

        One that the service did not give, because it failed or its contract states none, is due sooner.
        """
        found = self._latest.get(self._key(kind))
        if found is None:
            return True
        is_of_service = found.price.is_known and found.price.source is not PriceSource.earlier_task
        return self._clock() - found.found_at >= (KEPT if is_of_service else _SOON)

    def ask(self, request: VideoRequest, callback: Callable[[], object]) -> None:
        """Find the price of a request on another thread, then call back there; ``latest`` has it then.

        The same request is asked about once however often this is called, and the service not again for some
        minutes. The service does not get the texts of the request, which may be unfinished and private.

        Args:
            request: the request.
            callback: called once, however often it was passed meanwhile.
        """
        key = self._key(self.kind(request))
        self._latest.make(key, lambda: self._found(wordless(request)), callback)

    def kind(self, request: VideoRequest) -> str:
        """Return what the price of a request depends on, as a key: not its texts, nor what pictures show."""
        models = self._client().contract.models
        parameters = models.of(request.model).parameters
        values = {
            name: _number(value) if name in parameters and _takes_pictures(parameters[name]) else value
            for name, value in priced_values(wordless(request), models).items()
        }
        return json.dumps([models.contract, request.model, values], default=repr)

    def load_list(self, callback: Callable[[], object]) -> None:
        """Request the service's model list on another thread, then call back there."""
        finder = self._finder_of(self._client())
        self._latest.make((self._epoch, ""), finder.load_list, callback)

    def listed(self, request: VideoRequest, input_lengths: Sequence[float | None] = ()) -> Price | None:
        """Return the price in the model list, without any request; ``None`` before ``load_list``.

        Args:
            request: the request.
            input_lengths: the length of each input video in seconds.
        """
        return self._finder_of(self._client()).listed(request, input_lengths)

    def compare(self, price: Price | None, frozen: int | None) -> None:
        """Forget all prices if the service has reserved another amount than it said: they have changed.

        Args:
            price: the price before the submission.
            frozen: the quota that the service has reserved, if it reports that.
        """
        expected = None if price is None else price.quota
        if expected is None or frozen is None or abs(frozen - expected) <= ROUNDING:
            return
        # The discount of an account makes the same difference each time, and is no change of prices.
        if (expected, frozen) not in self._differences:
            self._differences.add((expected, frozen))
            self._finder[1].forget()
            self._epoch += 1

    def close(self) -> None:
        """Close the connections, even while a thread waits for an answer. A later call opens new ones."""
        self._finder[1].client.close()

    def _finder_of(self, client: Client) -> PriceFinder:
        """Return the finder of a client; another key may have other prices."""
        if self._finder[0] is not client:
            self.close()
            self._finder = client, PriceFinder(client)
            self._epoch += 1
        return self._finder[1]

    def _key(self, kind: str) -> tuple[int, str]:
        """Return the key of a price, which differs from that of the same kind in another epoch."""
        self._finder_of(self._client())
        return self._epoch, kind

    def _found(self, request: VideoRequest) -> _Found:
        try:
            price = self.price(request)
        except QingboError as error:  # the view of the request shows its problems
            price = Price(reason=str(error))
        return _Found(price, self._clock())

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


def wordless(request: VideoRequest) -> VideoRequest:
    """Return a request of the same price without what is private: no price depends on the prompt."""
    fields: dict[str, Any] = {name: None for name in _UNPRICED if is_set(request.given.get(name))}
    for name in ("shots", "multi_prompt"):
        shots = request.given.get(name)
        if isinstance(shots, tuple):
            fields[name] = tuple(map(_without_text, shots))
    if "shots" not in fields or "prompt" in request.given:
        fields["prompt"] = _ANY_PROMPT
    return request.replace(**fields)


def _without_text(shot: object) -> object:
    """Return a shot with another prompt; a value that is none is returned as it is."""
    if isinstance(shot, Shot):
        return Shot(_ANY_PROMPT, shot.duration)
    if isinstance(shot, Mapping):
        return {**shot, "prompt": _ANY_PROMPT}
    return (_ANY_PROMPT, *shot[1:]) if isinstance(shot, tuple) else shot


def _takes_pictures(parameter: Parameter) -> bool:
    return parameter.media in ("image", "mask") and parameter.type in ("url", "urls")


def _number(pictures: Any) -> int:
    return 1 if isinstance(pictures, str) else len(pictures)


def _kind(request: VideoRequest, models: Models) -> dict[str, Any]:
    """Return the parameters that may decide about the price: media only as far as they are set."""
    parameters = models.of(request.model).parameters
    return {
        name: True if name in parameters and parameters[name].type in _CONTENT else value
        for name, value in priced_values(request, models).items()
    }
