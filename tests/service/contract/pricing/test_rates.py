"""``read_rates``: what a ``price_config`` may say, and what makes it unknown."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qingbo_widgets.service.contract.pricing.rates import UnknownPrice, read_rates
from tests.service.contract.pricing.table import CONFIGS, a_second


@pytest.mark.parametrize("model", CONFIGS)
def test_every_documented_config_is_read(model: str) -> None:
    """Every key of the price table is known, and its amount is the number as it is written."""
    config = json.loads(json.dumps(CONFIGS[model]))
    rates = read_rates(config)
    assert {key: str(value) for key, value in rates.prices.items()} == {
        key: str(value) for key, value in config["video_prices"].items()
    }
    assert rates.per_second is config["per_second"]


def test_everything_beside_the_prices() -> None:
    """The flags, the settlement and the price of images are read, beside the prices or among them."""
    inside = {
        "per_second": True,
        "720p": 0.1,
        "input_video_replaces_output": True,
        "settlement": {"basis": "upstream_cost"},
        "video_input_image_price": "0.036",
        "video_input_image_free_count": 5,
    }
    for config in (inside, {"video_prices": inside}, {"per_second": True, "video_prices": _without(inside)}):
        rates = read_rates(config)
        assert dict(rates.prices) == {"720p": Decimal("0.1")}
        assert (rates.per_second, rates.replaces_output, rates.is_settled_on_result) == (True, True, True)
        assert (rates.image_price, rates.free_images) == (Decimal("0.036"), 5)


def _without(config: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key != "per_second"}


def test_what_is_left_out_means_nothing() -> None:
    """Nothing is assumed: a list that does not say whether its prices are for a second leaves it open."""
    rates = read_rates(
        {"video_prices": {"720p": 0.1}, "settlement": None, "input_video_replaces_output": None}
    )
    assert (rates.per_second, rates.replaces_output, rates.is_settled_on_result) == (None, False, False)
    assert (rates.image_price, rates.free_images) == (Decimal(0), 0)


@pytest.mark.parametrize(
    "config", [None, [], {}, "0.1", 0.1, True, {"per_second": True}, {"video_prices": {}}]
)
def test_no_prices(config: object) -> None:
    """Without prices, the reason says that the service tells none."""
    with pytest.raises(UnknownPrice, match="no price of this model"):
        read_rates(config)


@pytest.mark.parametrize(
    "key",
    [
        *("720p_hdr", "720p_night", "surcharge", "720p_5s_sound", "720p_sound_video_ref", "per_minute"),
        *(
            "sd",
            "hd_",
            "_720p",
            "p720",
            "720",
            "edit",
            "edit_",
            "720p_s",
            "720p_-5s",
            "720p\n",
            "",
            "７２０p",
        ),
    ],
)
def test_an_unknown_key(key: str) -> None:
    """A key that is not documented may change any amount: all prices of the model are unknown, and why."""
    config = {"per_second": True, "video_prices": {"720p": 0.1, key: 0.2}}
    with pytest.raises(UnknownPrice, match="an entry that this version does not know") as error:
        read_rates(config)
    assert key.strip() in str(error.value)


@pytest.mark.parametrize(
    "value",
    [
        *(
            -0.1,
            -1,
            "-0.1",
            float("nan"),
            float("inf"),
            float("-inf"),
            "NaN",
            "Infinity",
            "sNaN",
            True,
            False,
            None,
        ),
        *(
            "",
            "free",
            "0.1 USD",
            "$0.1",
            "0,1",
            "1_000",
            "０.１",
            "0x1",
            [],
            [0.1],
            {},
            {"amount": 0.1},
            b"1",
        ),
        *("1e999999999", "1e999", 10**5000, 1e300, 1e13, "9" * 5000),
    ],
    ids=lambda value: repr(value)[:20] if not isinstance(value, int) or value < 10**10 else "huge",
)
@pytest.mark.parametrize(
    "key", ["720p", "1080p_sound", "video_input_image_price", "video_input_image_free_count"]
)
def test_an_unknown_value(key: str, value: object) -> None:
    """An amount that is none makes the price unknown; the reason names its key."""
    with pytest.raises(UnknownPrice, match=key):
        read_rates({"per_second": True, "480p": 0.1, key: value})


@pytest.mark.parametrize(
    ("entries", "key"),
    [
        ({"per_second": "yes"}, "per_second"),
        ({"per_second": 1}, "per_second"),
        ({"input_video_replaces_output": "true"}, "input_video_replaces_output"),
        ({"settlement": "upstream_cost"}, "settlement"),
        ({"settlement": {"basis": "fixed"}}, "settlement"),
        ({"settlement": {"basis": "upstream_cost", "share": 0.5}}, "settlement"),
        ({"settlement": {}}, "settlement"),
        ({"video_prices": [0.1]}, "video_prices"),
        ({"video_prices": None}, "video_prices"),
        ({"720p": 0.1, "video_prices": {"720p": 0.2}}, "720p"),
        ({"per_second": True, "video_prices": {"per_second": False, "1080p": 0.1}}, "per_second"),
        ({"video_input_image_free_count": 1.5}, "video_input_image_free_count"),
        ({7: 0.1}, "7"),
    ],
)
def test_an_unknown_shape(entries: dict[Any, Any], key: str) -> None:
    """An entry of another shape, or one that stands there twice, makes the price unknown."""
    with pytest.raises(UnknownPrice, match=key):
        read_rates({"480p": 0.1, **entries})


def test_a_long_key_is_cut() -> None:
    """A key of any length is shown on one short line."""
    with pytest.raises(UnknownPrice) as error:
        read_rates(a_second("720p=.1", **{"x\n" * 500: 1}))
    assert len(str(error.value)) < 160
    assert "\n" not in str(error.value)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_KEYS = st.sampled_from(
    [
        "per_second",
        "video_prices",
        "720p",
        "720p_sound",
        "base",
        "default",
        "settlement",
        "sound",
        "ref_image",
    ]
)


@settings(max_examples=50)
@given(config=_JSON | st.dictionaries(_KEYS, _JSON))
def test_no_shape_raises_anything_else(config: object) -> None:
    """Any content is read, or refused with a reason; amounts are never negative."""
    with suppress(UnknownPrice):
        assert all(amount >= 0 for amount in read_rates(config).prices.values())
