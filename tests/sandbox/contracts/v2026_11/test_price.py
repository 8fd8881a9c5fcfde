"""Tests of the prices of contract 2026-11, in quota."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from qingbo_widgets.sandbox.contracts import contract_of
from qingbo_widgets.sandbox.contracts.contract import Price
from qingbo_widgets.sandbox.contracts.refusal import Refusal
from tests.sandbox.contracts.v2026_11.bodies import ELEMENT, PICTURE, VIDEO, body

#: Requests with their length in seconds and the product of seconds and price in quota.
PRICES: list[tuple[str, dict[str, Any], int]] = [
    ("kling-v3", {}, 189_000),  # the worked examples of the documentation
    ("kling-v3", {"resolution": "1080p", "duration": 10, "generate_audio": True}, 756_000),
    ("kling-v3-omni", {"video_urls": [VIDEO]}, 283_500),
    ("kling-3.0-turbo", {"duration": 3}, 193_050),
    ("kling-3.0-turbo", {"duration": 15, "resolution": "1080p"}, 1_208_250),
    ("kling-v2-6", {}, 94_500),
    ("kling-v2-6", {"resolution": "1080p"}, 157_500),
    ("kling-v2-6", {"resolution": "1080p", "generate_audio": True}, 315_000),
    ("kling-v3", {"generate_audio": True}, 283_500),
    ("kling-v3", {"generate_audio": False}, 189_000),
    ("kling-v3", {"resolution": "4k"}, 1_205_325),
    ("kling-v3", {"resolution": "4k", "generate_audio": True}, 1_205_325),
    ("kling-v3-omni", {"generate_audio": True}, 252_000),
    ("kling-v3-omni", {"video_urls": []}, 189_000),
    ("kling-v3-omni", {"video_urls": [VIDEO], "resolution": "1080p"}, 378_000),
    ("kling-v3-omni", {"video_urls": [VIDEO], "resolution": "4k"}, 1_205_325),
    ("kling-v3-omni", {"video_urls": [VIDEO], "action": "edit", "duration": 0}, 7 * 56_700),
    ("kling-video-o1", {"resolution": "1080p"}, 252_000),
    ("kling-video-o1", {"video_urls": [VIDEO], "action": "edit", "duration": 0}, 7 * 56_700),
    ("kling-v2-6-motion-control", {}, 7 * 31_500),
    ("kling-v2-6-motion-control", {"resolution": "1080p"}, 7 * 50_400),
    ("kling-v3-motion-control", {}, 7 * 56_700),
    ("kling-v3-motion-control", {"resolution": "1080p"}, 7 * 75_600),
]


@pytest.mark.parametrize(("model", "fields", "quota"), PRICES)
def test_prices(model: str, fields: dict[str, Any], quota: int) -> None:
    """A task costs the rate of its resolution, sound and video reference times its seconds, to the quota.

    The input video lasts seven seconds.
    """
    contract, request = contract_of("2026-11"), body(model, **fields)
    assert contract.violations(request) == []
    order = contract.order(request, 7)
    assert contract.price(request, order, 7, contract.prices).quota == quota


def price(price_config: dict[str, Any], model: str = "kling-v3-omni", **fields: Any) -> Price:
    """Return the price of five seconds, or of an input video of seven seconds, by these prices."""
    contract, request = contract_of("2026-11"), body(model, **fields)
    assert contract.violations(request) == []
    order = contract.order(request, 7)
    has_video = bool(request.get("video_urls"))
    return contract.price(request, order, 7 * has_video, {**contract.prices, model: price_config})


def seconds(**prices: float) -> dict[str, Any]:
    """Return prices for each second; the keys have an underscore in front, where they begin with a digit."""
    return {
        "per_second": True,
        "video_prices": {key.removeprefix("_"): value for key, value in prices.items()},
    }


EDIT = {"action": "edit", "duration": 0, "video_urls": [VIDEO]}
WITH_VIDEO = {"video_urls": [VIDEO]}
SOUND = {"generate_audio": True}

#: Prices, fields of a request, and what it costs in US dollars, by the unit and the quantity.
KEYS: list[tuple[str, dict[str, Any], dict[str, Any], tuple[str, str, int]]] = [
    ("a rate for each second", seconds(_720p=0.1), {}, ("0.5", "second", 5)),
    (
        "the rate of another resolution",
        seconds(_720p=0.1, _4k=0.3),
        {"resolution": "4k"},
        ("1.5", "second", 5),
    ),
    ("a whole clip", {"video_prices": {"720p": 0.1}}, {}, ("0.1", "clip", 1)),
    ("per_second false", {"per_second": False, "video_prices": {"720p": 0.1}}, {}, ("0.1", "clip", 1)),
    ("a clip of its length", seconds(_720p_5s=0.25, _720p_10s=0.4), {}, ("0.25", "clip", 1)),
    ("a clip before the rate", seconds(_720p_5s=0.25, _720p=0.1), {}, ("0.25", "clip", 1)),
    ("base", seconds(base=0.3, default=0.1), {}, ("0.3", "clip", 1)),
    ("default for each second", seconds(default=0.1), {}, ("0.5", "second", 5)),
    ("default for a clip", {"video_prices": {"default": 0.1}}, {}, ("0.1", "clip", 1)),
    ("default gives way", seconds(_720p=0.1, default=0.9, base=0.9), {}, ("0.5", "second", 5)),
    ("sound", seconds(_720p=0.1, _720p_sound=0.2), SOUND, ("1.0", "second", 5)),
    ("sound of no rate", seconds(_720p=0.1), SOUND, ("0.5", "second", 5)),
    ("bare sound", seconds(_720p=0.1, sound=0.3), SOUND, ("1.5", "second", 5)),
    ("bare sound gives way", seconds(_720p_sound=0.2, sound=0.3), SOUND, ("1.0", "second", 5)),
    ("silence", seconds(_720p=0.1, _720p_sound=0.2, sound=0.3), {}, ("0.5", "second", 5)),
    ("sound of a clip", {"video_prices": {"720p": 0.1, "720p_sound": 0.2}}, SOUND, ("0.2", "clip", 1)),
    ("a video reference", seconds(_720p=0.1, _720p_video_ref=0.2), WITH_VIDEO, ("1.0", "second", 5)),
    ("a video reference of no rate", seconds(_720p=0.1), WITH_VIDEO, ("0.5", "second", 5)),
    ("no video", seconds(_720p=0.1, _720p_video_ref=0.2), {}, ("0.5", "second", 5)),
    ("input seconds", seconds(_720p=0.1, _720p_video_input_second=0.01), WITH_VIDEO, ("0.57", "second", 12)),
    (
        "input seconds beside the rate of a reference",
        seconds(_720p_video_ref=0.2, _720p_video_input_second=0.01),
        WITH_VIDEO,
        ("1.07", "second", 12),
    ),
    (
        "input seconds without a video",
        seconds(_720p=0.1, _720p_video_input_second=0.01),
        {},
        ("0.5", "second", 5),
    ),
    (
        "input seconds beside a clip",
        {"video_prices": {"720p": 0.1, "720p_video_input_second": 0.01}},
        WITH_VIDEO,
        ("0.17", "clip", 1),
    ),
    (
        "input seconds in the place of the result",
        {**seconds(_720p=0.1, _720p_video_input_second=0.2), "input_video_replaces_output": True},
        WITH_VIDEO,
        ("1.4", "second", 7),
    ),
    (
        "nothing to replace",
        {**seconds(_720p=0.1, _720p_video_input_second=0.2), "input_video_replaces_output": True},
        {},
        ("0.5", "second", 5),
    ),
    ("edit", seconds(_720p=0.1, edit_720p=0.2), EDIT, ("1.4", "second", 7)),
    ("edit before a reference", seconds(_720p_video_ref=0.1, edit_720p=0.2), EDIT, ("1.4", "second", 7)),
    ("edit of no rate", seconds(_720p=0.1), EDIT, ("0.7", "second", 7)),
    ("a rate for edit", seconds(_720p=0.1, edit_720p=0.2), WITH_VIDEO, ("0.5", "second", 5)),
    (
        "reference images",
        seconds(_720p=0.1, ref_image=0.01),
        {"image_urls": [PICTURE] * 3},
        ("0.53", "second", 5),
    ),
    (
        "reference images of a resolution",
        seconds(_720p=0.1, ref_image=0.01, _720p_ref_image=0.02),
        {"image_urls": [PICTURE] * 3},
        ("0.56", "second", 5),
    ),
    (
        "images with roles and elements",
        seconds(_720p=0.1, ref_image=0.01),
        {
            "image_with_roles": [
                {"url": PICTURE, "role": "reference"},
                {"url": PICTURE, "role": "first_frame"},
            ],
            "element_list": [ELEMENT],
        },
        ("0.51", "second", 5),
    ),
    (
        "images that are free",
        {**seconds(_720p=0.1), "video_input_image_price": 0.03, "video_input_image_free_count": 5},
        {"image_urls": [PICTURE] * 5},
        ("0.5", "second", 5),
    ),
    (
        "images beyond the free ones",
        {**seconds(_720p=0.1), "video_input_image_price": 0.03, "video_input_image_free_count": 5},
        {"image_urls": [PICTURE] * 7},
        ("0.56", "second", 5),
    ),
    (
        "images of which none is free",
        {**seconds(_720p=0.1), "video_input_image_price": 0.03},
        {"image_urls": [PICTURE] * 2},
        ("0.56", "second", 5),
    ),
    (
        "settlement",
        {**seconds(_720p=0.1), "settlement": {"basis": "upstream_cost"}},
        {},
        ("0.5", "second", 5),
    ),
    ("prices beside video_prices", {"per_second": True, "720p": 0.1}, {}, ("0.5", "second", 5)),
]


@pytest.mark.parametrize(
    ("price_config", "fields", "expected"), [row[1:] for row in KEYS], ids=[row[0] for row in KEYS]
)
def test_keys(price_config: dict[str, Any], fields: dict[str, Any], expected: tuple[str, str, int]) -> None:
    """Each key of ``price_config`` applies to the requests that it is for, and to no others."""
    usd, unit, quantity = expected
    assert price(price_config, **fields) == Price(Decimal(usd), unit, quantity)  # type: ignore[arg-type]


def test_frames_are_no_references() -> None:
    """A first frame is not charged as a reference image."""
    prices = seconds(_720p=0.1, ref_image=0.01)
    assert price(prices, "kling-v3", image_urls=[PICTURE]).usd == Decimal("0.5")


@pytest.mark.parametrize(
    "price_config",
    [
        {},
        seconds(_1080p=0.1),
        seconds(_720p_10s=0.1),
        {"per_second": True, "video_prices": {"720p": None}},
        {"per_second": True, "video_prices": {"720p": "free"}},
        {"per_second": True, "video_prices": {"720p": True}},
    ],
)
def test_a_request_without_a_price(price_config: dict[str, Any]) -> None:
    """A request for which no key applies is refused, and nothing is guessed."""
    with pytest.raises(Refusal) as refusal:
        price(price_config)
    assert (refusal.value.status, refusal.value.code) == (500, "price_not_configured")


def test_a_replaced_result_needs_a_price_of_the_input() -> None:
    """An input video that replaces the result needs a price of its seconds."""
    with pytest.raises(Refusal):
        price({**seconds(_720p=0.1), "input_video_replaces_output": True}, video_urls=[VIDEO])


@pytest.mark.parametrize(
    ("rate", "quota"), [(0.0000012, 3), (0.00000119, 2), (0.0, 1), (1e-9, 1), (0.4821399999, 1_205_349)]
)
def test_quota_is_truncated(rate: float, quota: int) -> None:
    """US dollars become whole quota by truncation, and at least 1."""
    assert price(seconds(_720p=rate)).quota == quota


def test_4k_ignores_sound_and_video_reference() -> None:
    """In the documented prices of Kling, 4k has one rate."""
    for name, price_config in contract_of("2026-11").prices.items():
        rates = {value for key, value in price_config["video_prices"].items() if key.startswith("4k")}
        assert len(rates) == (1 if name in ("kling-v3", "kling-v3-omni") else 0), name
