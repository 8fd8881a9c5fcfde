"""The readers of balances, quotes, estimates and model lists: lenient, and never raising."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qingbo_widgets.service.contract.pricing.answers import (
    Balance,
    read_balance,
    read_estimate,
    read_price_list,
    read_quote,
    refusal_in,
    tool_error_in,
)

DOCUMENTED = {
    "object": "credit_summary",
    "currency": "USD",
    "total_granted_usd": 20,
    "total_used_usd": 3.482914,
    "total_available_usd": 16.517086,
    "as_of": 1788681600,
}
NO_AMOUNTS: list[Any] = [
    None,
    "",
    "much",
    True,
    [],
    {},
    float("nan"),
    float("inf"),
    "NaN",
    1e300,
    "1e999999999",
]


_NO_TIMES: list[Any] = [None, "today", -1, 0, float("nan"), 10**400, [], True]

# ---------------------------------------------------------------------- the balance


def test_the_documented_balance() -> None:
    """The example of the documentation is read exactly."""
    balance = read_balance(DOCUMENTED)
    moment = datetime(2026, 9, 6, 8, tzinfo=UTC)
    assert balance == Balance(Decimal("16.517086"), Decimal("3.482914"), Decimal(20), moment)
    assert str(balance) == "$16.517086 left"


@pytest.mark.parametrize(
    ("answer", "available"),
    [
        ({"total_available_usd": 0}, "0"),
        ({"total_available_usd": "16.5"}, "16.5"),
        ({"total_available_usd": -0.25}, "-0.25"),
        ({"total_granted_usd": 0.3, "total_used_usd": 0.1}, "0.2"),
        ({"total_granted_usd": 1, "total_used_usd": "1.5"}, "-0.5"),
        ({"total_granted_usd": 20, "total_used_usd": 3.482914, "total_available_usd": None}, "16.517086"),
        ({"total_granted_usd": 20, "total_used_usd": 3, "total_available_usd": "?"}, "17"),
    ],
)
def test_a_balance_of_another_form(answer: dict[str, Any], available: str) -> None:
    """Integers, texts and missing parts are read; an account may be overdrawn."""
    balance = read_balance(answer)
    assert balance is not None
    assert balance.available == Decimal(available)


@pytest.mark.parametrize("amount", NO_AMOUNTS)
def test_no_balance(amount: object) -> None:
    """Without the amount that is left, and without both others, there is no balance."""
    assert read_balance({"total_available_usd": amount, "total_granted_usd": 20}) is None
    assert read_balance({"total_available_usd": amount, "total_used_usd": 20}) is None


@pytest.mark.parametrize(
    ("as_of", "moment"),
    [
        (1788681600000, datetime(2026, 9, 6, 8, tzinfo=UTC)),
        ("2026-09-06T08:00:00Z", datetime(2026, 9, 6, 8, tzinfo=UTC)),
        *((value, None) for value in _NO_TIMES),
    ],
    ids=lambda value: str(value)[:24],
)
def test_the_time_of_a_balance(as_of: object, moment: datetime | None) -> None:
    """The time may be in seconds, in milliseconds or a text; an unreadable one breaks nothing."""
    balance = read_balance({"total_available_usd": 1, "as_of": as_of})
    assert balance == Balance(Decimal(1), as_of=moment)


@pytest.mark.parametrize(
    ("available", "text"),
    [("0", "$0.00"), ("1234.5", "$1,234.50"), ("-0.25", "-$0.25"), ("0.0000001", "$0.00")],
)
def test_a_balance_as_text(available: str, text: str) -> None:
    """The amount is shown in dollars."""
    assert str(Balance(Decimal(available))) == f"{text} left"


def test_the_notebooks_own_precision_changes_no_balance() -> None:
    """The difference is exact, however few digits the notebook computes with."""
    with localcontext() as context:
        context.prec = 2
        balance = read_balance({"total_granted_usd": 20, "total_used_usd": 3.482914})
    assert balance is not None
    assert balance.available == Decimal("16.517086")


# ---------------------------------------------------------------------- quotes and estimates


def quote(usd: object) -> dict[str, Any]:
    """Return the answer of the quote with an amount."""
    return {"code": 0, "message": "", "data": {"total_usd": usd, "unit": "second", "billed_quantity": 5}}


def estimate(structured: object, **result: Any) -> dict[str, Any]:
    """Return the answer of the tools endpoint with a structured content."""
    return {"jsonrpc": "2.0", "id": 1, "result": {"structuredContent": structured, **result}}


@pytest.mark.parametrize(
    "answer",
    [
        {"code": 401, "message": "unauthorized", "data": {"total_usd": 0.1}},
        {"code": 0, "errorKey": "another", "data": {"total_usd": 0.1}},
        {"code": 0, "data": {"total_usd": 0}},
    ],
)
def test_a_quote_with_an_error_is_no_price(answer: dict[str, Any]) -> None:
    """Neither the amount beside an error nor an amount of 0 is what a video costs."""
    assert read_quote(answer) is None


@pytest.mark.parametrize(("usd", "amount"), [(0.378, "0.378"), ("1.50", "1.50"), (0.1 + 0.2, None)])
def test_an_amount(usd: object, amount: str | None) -> None:
    """The amount is the number as it is written, in quotes and in estimates."""
    expected = Decimal(amount or "0.30000000000000004")
    assert read_quote(quote(usd)) == expected
    assert read_estimate(estimate({"estimated_cost_usd": usd})) == expected


@pytest.mark.parametrize("usd", [*NO_AMOUNTS, -0.1])
def test_no_amount(usd: object) -> None:
    """An answer without a usable amount has none; there is no negative price."""
    assert read_quote(quote(usd)) is None
    assert read_estimate(estimate({"cost_usd": usd})) is None


@pytest.mark.parametrize("name", ["total_usd", "estimated_cost_usd", "cost_usd", "pre_consumed_cost_usd"])
def test_the_names_of_an_estimate(name: str) -> None:
    """The amount may have any name that the service uses for US dollars; quota is none of them."""
    assert read_estimate(estimate({name: 0.5, "estimated_cost": 250_000})) == Decimal("0.5")
    assert read_estimate(estimate({"estimated_cost": 250_000})) is None


def test_a_refused_quote() -> None:
    """The refusal of a task is the service's own message, or else its key."""
    refused = {"code": 1, "message": "the length\nof the video is not readable", "data": None}
    key = "input_video_duration_unknown"
    assert refusal_in({**refused, "errorKey": key}) == "the length of the video is not readable"
    assert refusal_in({"errorKey": key, "message": {"zh": "?"}}) == key
    assert refusal_in({**refused, "errorKey": "invalid_quote_body"}) == "", "it may be about the quote only"
    assert refusal_in({"errorKey": ["x"]}) == ""
    assert refusal_in(quote(0.5)) == ""


def test_an_error_of_the_tool() -> None:
    """An error of the tool has a text, and no amount."""
    content = [{"type": "text", "text": "no such model"}, {"text": 5}, 7]
    answer = estimate({"cost_usd": 0.5}, isError=True, content=content)
    assert (tool_error_in(answer), read_estimate(answer)) == ("no such model", None)
    assert tool_error_in(estimate({}, isError=True, content=5)) == "no explanation"
    assert tool_error_in(estimate({"cost_usd": 0.5}, isError=False)) == ""


# ---------------------------------------------------------------------- the model list


def test_a_price_list() -> None:
    """The list has the prices of each model that has some; other entries are left out."""
    config = {"per_second": True, "video_prices": {"720p": 0.0756}}
    models = [
        {"id": "kling-v3", "price_config": config},
        {"id": "kling-v9", "price_config": None},
        {"id": "kling-v8"},
        {"price_config": config},
        "kling-v7",
        None,
    ]
    assert read_price_list({"object": "list", "data": models}) == {"kling-v3": config}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_NAMES = ["data", "result", "errorKey", "message", "as_of", "total_available_usd", "total_used_usd"]
_MEMBERS = ["total_usd", "structuredContent", "isError", "content", "id", "price_config"]
_OBJECTS = st.dictionaries(st.sampled_from(_MEMBERS), _JSON)


@settings(max_examples=50)
@given(answer=st.dictionaries(st.sampled_from(_NAMES), _JSON | _OBJECTS | st.lists(_OBJECTS, max_size=2)))
def test_no_answer_breaks_a_reader(answer: dict[str, Any]) -> None:
    """Nothing that the service sends raises an error."""
    for read in (read_balance, read_quote, read_estimate, read_price_list, refusal_in, tool_error_in):
        read(answer)
