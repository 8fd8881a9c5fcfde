"""``Contract``: everything in which one dated contract of the service differs from another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, Protocol

from ..order import Order
from .refusal import Refusal
from .task_state import TaskState

Json = dict[str, Any]

QUOTA = 500_000
"""Quota of one US dollar: the unit of every price."""


@dataclass(frozen=True)
class Violation:
    """A violation of one rule by a request.

    Attributes:
        param: the path in the body, such as ``multi_prompt[1].duration``; empty for the whole body.
        message: a sentence for the sender that describes the violation.
        code: the ``code`` of the answer.
        status: the HTTP status of the answer.
    """

    param: str
    message: str
    code: str = "invalid_parameter"
    status: int = 400


Violations = Iterator[Violation]


@dataclass(frozen=True)
class InputVideo:
    """A video of a request whose length must be known before the request is accepted.

    Attributes:
        url: its http(s) URL.
        param: the field that names it.
        least: the shortest length in whole seconds.
        most: the longest length in whole seconds.
    """

    url: str
    param: str
    least: int
    most: int


@dataclass(frozen=True)
class Price:
    """The price of a task.

    Attributes:
        usd: US dollars, not rounded.
        unit: the unit of the quantity.
        quantity: the seconds that are charged, of the result and of the input video, or 1 for a whole clip.
    """

    usd: Decimal
    unit: Literal["second", "clip"]
    quantity: int

    @property
    def quota(self) -> int:
        """The amount that a submit freezes: whole quota, truncated and at least 1."""
        return max(1, int(self.usd * QUOTA))


@dataclass(frozen=True)
class KeyPlaces:
    """The places of a request where the key may stand, besides ``Authorization: Bearer <key>``.

    Attributes:
        headers: names of headers whose value is the key.
        query: names of parameters of the URL whose value is the key.
    """

    headers: tuple[str, ...] = ()
    query: tuple[str, ...] = ()


class PriceAnswers(Protocol):
    """The answers of the two endpoints that give the price of a request without submitting it."""

    def quote(self, price: Price) -> Json:
        """Return the quote of a request."""

    def refused_quote(self, refusal: Refusal) -> tuple[Json, int]:
        """Return the answer to a request that a submit would refuse, and its HTTP status."""

    def estimate(self, model: str, price: Price) -> Json:
        """Return the structured content of an estimate.

        Args:
            model: the name of the model, as it was sent.
            price: the price of the request.
        """

    def refused_estimate(self, refusal: Refusal) -> Json:
        """Return the structured content of the error for a request that a submit would refuse."""


class Contract(Protocol):
    """A dated contract: the rules for requests, their meaning and price, and the form of the answers."""

    @property
    def date(self) -> str:
        """The date by which clients choose the contract, such as ``2026-11``."""

    @property
    def link_lifetime(self) -> float:
        """Seconds for which a video's link is valid after the task has ended."""

    @property
    def has_account(self) -> bool:
        """True if tasks draw on a balance that can be read."""

    @property
    def model_list_key(self) -> KeyPlaces:
        """The places of the key in a request for the model list; every other request has the header alone."""

    @property
    def prices(self) -> dict[str, Json]:
        """The documented ``price_config`` of each model; none where the contract documents no prices."""

    @property
    def price_answers(self) -> PriceAnswers | None:
        """The answers about prices, or ``None`` where the contract has no endpoints for them."""

    def models(self, prices: Mapping[str, Json]) -> dict[str, Json]:
        """Return the items of the model list, by name.

        Args:
            prices: the present ``price_config`` of each model in ``prices``.
        """

    def violations(self, body: object) -> list[Violation]:
        """Return every violation by a submit body, the one to report first at the front.

        Args:
            body: the decoded JSON body, of any type.
        """

    def input_video(self, body: Json) -> InputVideo | None:
        """Return the video whose length a valid body needs, or ``None``."""

    def order(self, body: Json, input_seconds: int) -> Order:
        """Return the video that a valid body describes.

        Args:
            body: the submit body.
            input_seconds: the length of ``input_video(body)`` in seconds; 0 if there is none.
        """

    def price(self, body: Json, order: Order, input_seconds: int, prices: Mapping[str, Json]) -> Price:
        """Return the price of a valid body.

        Args:
            body: the submit body.
            order: its video.
            input_seconds: the length of ``input_video(body)`` in seconds; 0 if there is none.
            prices: the present ``price_config`` of each model in ``prices``.

        Raises:
            Refusal: the prices have none for this request.
        """

    def wait_seconds(self, prefer: str) -> int:
        """Return the seconds for which a submit waits for the end of its task.

        Args:
            prefer: the value of the header ``Prefer``; empty if there is none.

        Raises:
            Refusal: the contract refuses the value.
        """

    def calls_back(self, body: Json, status: str) -> bool:
        """Return whether ``callback_url`` is called for this end of the task."""

    def submitted(self, task: TaskState) -> Json:
        """Return the answer to a submit that has created the task."""

    def resubmitted(self, task: TaskState) -> Json:
        """Return the answer to a submit that has waited for the task, or whose task existed already."""

    def status(self, task: TaskState) -> Json:
        """Return the answer to a request for the task's status."""

    def cancelled(self, task: TaskState) -> Json:
        """Return the answer to a request that has cancelled the task."""

    def error(self, refusal: Refusal, *, is_submit: bool) -> Json:
        """Return the body of an error.

        Args:
            refusal: the refused request.
            is_submit: True if the request was a submit.
        """

    def billing(self, granted: int, charged: int, now: float) -> dict[str, Json]:
        """Return the answers about the account, by the last part of their path; none without an account.

        Args:
            granted: the credit in quota, spent or not.
            charged: the quota that tasks have cost or have frozen.
            now: Unix seconds.
        """
