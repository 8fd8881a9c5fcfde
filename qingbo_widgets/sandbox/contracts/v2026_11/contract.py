"""``Contract202611``: contract 2026-11 as the sandbox keeps it."""

from __future__ import annotations

from collections.abc import Mapping

from ...gaps import Gaps
from ...order import Order
from .. import contract as base
from ..contract import InputVideo, Json, Price, Violation
from ..refusal import Refusal
from ..task_state import TaskState
from . import answers, rules
from .models import Model, models
from .orders import input_video_of, order_of
from .price import price_of
from .price_answers import PriceAnswers202611

MOST_WAIT = 60
"""The longest ``Prefer: wait=N`` in seconds."""


class Contract202611(base.Contract):
    """The contract of November: parameters at the root, progress as text, costs, links of seven days.

    Args:
        gaps: the answers where the documentation is silent.
    """

    date = "2026-11"
    link_lifetime = 604_800.0
    has_account = True
    model_list_key = base.KeyPlaces(headers=("x-api-key", "x-goog-api-key"), query=("key",))

    def __init__(self, gaps: Gaps) -> None:
        self._gaps = gaps

    @property
    def prices(self) -> dict[str, Json]:
        """The documented ``price_config`` of each model."""
        return {name: dict(model.price_config) for name, model in models().items()}

    @property
    def price_answers(self) -> PriceAnswers202611:
        """The answers of the quote and of the tool ``estimate_cost``."""
        return PriceAnswers202611(self._gaps)

    def models(self, prices: Mapping[str, Json]) -> dict[str, Json]:
        """Return the items of the model list. Their form is inferred: no example is documented."""
        return {
            name: {
                "id": name,
                "object": "model",
                "tags": list(model.tags),
                "description": model.description,
                "price_config": prices[name],
            }
            for name, model in models().items()
        }

    def violations(self, body: object) -> list[Violation]:
        """Return every violation by a submit body."""
        return rules.violations(body, self._gaps)

    def input_video(self, body: Json) -> InputVideo | None:
        """Return the video whose length a valid body needs, or ``None``."""
        return input_video_of(body, self._model(body))

    def order(self, body: Json, input_seconds: int) -> Order:
        """Return the video that a valid body describes."""
        return order_of(body, self._model(body), input_seconds)

    def price(self, body: Json, order: Order, input_seconds: int, prices: Mapping[str, Json]) -> Price:
        """Return the price of a valid body.

        Raises:
            Refusal: the prices have none for this request.
        """
        return price_of(prices[self._model(body).name], body, order, input_seconds)

    def wait_seconds(self, prefer: str) -> int:
        """Return N of ``Prefer: wait=N``, at most 60; 0 if there is none that can be read.

        Raises:
            Refusal: N is above 60 and ``Gaps.long_wait`` refuses that.
        """
        for preference in prefer.split(","):
            name, _, value = preference.partition(";")[0].partition("=")
            value = value.strip().strip('"')
            if name.strip().lower() == "wait" and value.isascii() and value.isdecimal():
                if int(value[:9]) > MOST_WAIT and self._gaps.long_wait == "refused":
                    raise Refusal(400, "invalid_request", f"Prefer: wait is at most {MOST_WAIT}")
                return min(int(value[:9]), MOST_WAIT)
        return 0

    def calls_back(self, body: Json, status: str) -> bool:
        """Return whether ``callback_events`` includes this end; without the field, every end is included."""
        events = body.get("callback_events")
        return events is None or rules.event_of(status, self._gaps) in events

    def submitted(self, task: TaskState) -> Json:
        """Return the answer to a submit that has created the task."""
        return answers.submitted(task, self._gaps)

    def resubmitted(self, task: TaskState) -> Json:
        """Return the answer to a submit that has waited for the task, or whose task existed already."""
        return answers.waited(task, self._gaps)

    def status(self, task: TaskState) -> Json:
        """Return the answer to a request for the task's status."""
        return answers.status(task, self._gaps)

    def cancelled(self, task: TaskState) -> Json:
        """Return the answer to a request that has cancelled the task."""
        return answers.cancelled(task)

    def error(self, refusal: Refusal, *, is_submit: bool) -> Json:
        """Return the body of an error."""
        return answers.error(refusal, self._gaps, is_submit=is_submit)

    def billing(self, granted: int, charged: int, now: float) -> dict[str, Json]:
        """Return the balance in US dollars, and the two older forms in which it can be read."""
        return {
            "balance": answers.balance(granted, charged, now),
            "usage": answers.usage(charged),
            "subscription": answers.subscription(granted),
        }

    def _model(self, body: Json) -> Model:
        model = rules.model_of(body, self._gaps)
        assert model is not None, "the body is valid"
        return model
