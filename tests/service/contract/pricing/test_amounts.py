"""The price of every kind of request, to the quota, against products written out by hand."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, getcontext, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qingbo_widgets.service.client import models
from qingbo_widgets.service.contract.pricing.arithmetic import Source, amount_of, quota_of
from qingbo_widgets.service.contract.pricing.billing import billing_of
from qingbo_widgets.service.contract.pricing.price import Price, PriceSource
from qingbo_widgets.service.contract.pricing.rates import UnknownPrice, read_rates
from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.service.priced import computed_price
from tests.service.contract.pricing.table import CONFIGS, REQUESTS, Priced, a_clip, a_second

MODELS = models("2026-11")
VIDEO = ("https://a.example/1.mp4",)
#: The quota in the worked examples and on the pages of the models.
DOCUMENTED = (
    *(189_000, 756_000, 283_500, 288_000, 483_750, 75_600, 531_135, 252_000),
    *(144_000, 31_500, 225_000, 135_000, 64_530, 22_500),
)


def priced(one: Priced) -> Price:
    """Return the price of a request, as the price list of the service gives it."""
    if one.source is None:
        request = VideoRequest(model=one.model, prompt="A koi", **one.values)
        return computed_price(request, one.prices, MODELS, input_lengths=one.lengths)
    billing = billing_of("2026-11", one.model, one.values["action"])
    amount = amount_of(read_rates(one.prices), billing, one.values, source=one.source)
    return Price(amount.usd, quota_of(amount.usd, 500_000), amount.is_exact, PriceSource.price_list)


@pytest.mark.parametrize("one", REQUESTS, ids=str)
def test_a_price(one: Priced) -> None:
    """The amount, the quota, and whether it is a maximum are those of the documentation."""
    price = priced(one)
    assert (price.usd, price.quota, price.is_exact, price.reason) == (one.usd, one.quota, not one.at_most, "")
    assert price.source is PriceSource.price_list


def test_the_documented_examples() -> None:
    """The first requests of the table cost what the documentation says, in quota."""
    assert tuple(priced(one).quota for one in REQUESTS[: len(DOCUMENTED)]) == DOCUMENTED


def test_every_model_is_in_the_table() -> None:
    """Each row of the price table has a request, and there are at least 104 in all."""
    assert {*CONFIGS} <= {one.model for one in REQUESTS}
    assert len(REQUESTS) >= 104


# ---------------------------------------------------------------------- what cannot be known


def unknown(values: Mapping[str, Any], config: object, model: str = "any-model", **facts: Any) -> str:
    """Return why the price of a body is not known; fail if there is one."""
    billing = billing_of("2026-11", model, values.get("action", "generate"))
    rates = read_rates(config)
    with pytest.raises(UnknownPrice) as error:
        amount_of(rates, billing, values, **facts)
    return str(error.value)


PLAIN = a_second("720p=.1")
SOUND = a_second("720p=.1 720p_sound=.2")
INPUT = a_second("720p=.1 720p_video_input_second=.1")


@pytest.mark.parametrize(
    ("values", "config", "reason"),
    [
        ({"duration": 5}, PLAIN, "names none"),
        ({"duration": 5}, a_second("720p=.1 default=.3"), "names none"),
        ({"duration": 5}, a_clip("base=.1 720p_video_input_second=.3"), "names none"),
        ({"resolution": "720p"}, a_clip("720p=.5 720p_5s=.4"), "length of the video"),
        (
            {"resolution": "720p", "duration": 5, "generate_audio": True},
            a_clip("720p_5s=.4 720p_sound=.6"),
            "for a second or for a video",
        ),
        (
            {"resolution": "1080p", "duration": 5, "video_urls": VIDEO},
            a_second("720p=.1 1080p=.2 720p_video_input_second=.1"),
            "1080p_video_input_second",
        ),
        (
            {"resolution": "1080p", "duration": 5, "image_urls": ("https://a.example/1.png",)},
            a_second("1080p=.2 720p_ref_image=.1"),
            "1080p_ref_image",
        ),
        ({"resolution": "1080p", "duration": 5}, PLAIN, "no price of this model for 1080p"),
        ({"resolution": "720p"}, PLAIN, "length of the video"),
        ({"resolution": "720p", "duration": 0}, PLAIN, "length of the video"),
        ({"resolution": "720p", "duration": -5}, PLAIN, "length of the video"),
        ({"resolution": "720p", "duration": 5.5}, PLAIN, "length of the video"),
        ({"resolution": "720p", "duration": float("nan")}, PLAIN, "length of the video"),
        ({"resolution": "720p", "duration": True}, PLAIN, "length of the video"),
        ({"resolution": "720p", "duration": "5"}, PLAIN, "length of the video"),
        ({"resolution": "720p", "duration": [5]}, PLAIN, "length of the video"),
        ({"resolution": ["720p"], "duration": 5}, PLAIN, "no price of this model"),
        ({"resolution": "720p", "duration": 5}, SOUND, "depends on the sound"),
        ({"resolution": "720p", "duration": 5, "generate_audio": "yes"}, SOUND, "depends on the sound"),
        ({"resolution": "720p", "duration": 5}, a_second("720p_sound=.2"), "depends on the sound"),
        (
            {"resolution": "720p", "duration": 5, "generate_audio": False},
            a_second("720p_sound=.2"),
            "for 720p",
        ),
        ({"resolution": "720p", "duration": 5, "video_urls": VIDEO}, INPUT, "length of the input video"),
        (
            {"resolution": "720p", "duration": 5, "video_urls": "https://a.example/1.mp4"},
            INPUT,
            "input video",
        ),
        ({"resolution": "720p", "duration": 5, "video_urls": 7}, INPUT, "input video"),
        ({"resolution": "720p", "duration": 5}, {"720p": 0.1}, "for a second or for a video"),
        ({"resolution": "720p", "duration": 5}, {"video_prices": {"default": 0.1}}, "for a second or for a"),
        (
            {"resolution": "720p", "duration": 5, "video_urls": VIDEO},
            {"video_prices": {"720p_video_ref": 0.1}},
            "for a second or for a video",
        ),
        ({"resolution": "720p"}, a_clip("720p_5s=.4"), "length of the video"),
        ({"resolution": "720p", "duration": 6}, a_clip("720p_5s=.4"), "for 720p, 6 s"),
        (
            {"resolution": "720p", "duration": 5, "generate_audio": True},
            a_second("720p_5s=.4 720p_sound=.1"),
            "for a second or for a video",
        ),
        (
            {"resolution": "720p", "duration": 5, "generate_audio": True},
            {"base": 0.4, "sound": 0.1},
            "second or",
        ),
        (
            {"resolution": "720p", "duration": 5, "generate_audio": True},
            a_second("720p_5s=.4 720p_sound=.4"),
            "for a second or for a video",
        ),
        ({"resolution": "720p", "duration": 5}, a_second("720p_5s=.4 720p_sound=.4"), "depends on the sound"),
        (
            {"resolution": "720p", "action": "edit", "duration": 5},
            a_second("720p=.1 edit_1080p=.2"),
            "edit_720p",
        ),
        (
            {"resolution": "720p", "video_urls": VIDEO},
            a_second("720p=.1", input_video_replaces_output=True),
            "720p_video_input_second",
        ),
        (
            {"resolution": "720p", "duration": 5, "image_urls": "https://a.example/1.png"},
            a_second("720p=.1 ref_image=.1"),
            "reference images",
        ),
        (
            {"resolution": "720p", "duration": 5, "image_with_roles": (5,)},
            a_second("720p=.1 ref_image=.1"),
            "reference images",
        ),
    ],
)
def test_a_request_that_does_not_determine_the_price(
    values: dict[str, Any], config: object, reason: str
) -> None:
    """A missing or unreadable value is never replaced by a guess, and the reason names it."""
    assert reason in unknown(values, config)


@pytest.mark.parametrize("length", [None, float("nan"), float("inf"), -3.0, "six", True])
def test_an_input_video_of_no_known_length(length: Any) -> None:
    """A length that is no length is not known, and neither is the price."""
    values = {"resolution": "720p", "duration": 5, "video_urls": VIDEO}
    assert "input video" in unknown(values, INPUT, input_lengths=(length,))


@pytest.mark.parametrize(
    ("model", "values", "config"),
    [
        (
            "happyhorse-1.0",
            {"resolution": "720p", "video_urls": VIDEO, "action": "edit"},
            CONFIGS["happyhorse-1.0"],
        ),
        ("wan3.0-video-prime", {"resolution": "720p", "duration": 5}, CONFIGS["wan3.0-video-prime"]),
        ("flux-3-video", {"resolution": "hd", "duration": 5}, CONFIGS["flux-3-video"]),
        ("wan2.6", {"resolution": "720p", "duration": 5}, CONFIGS["wan2.6"]),
        ("omni-flash-ext", {"resolution": "4k", "duration": 4}, CONFIGS["omni-flash-ext"]),
        # The documentation does not say what these models do without a duration.
        (
            "wan2.7-videoedit",
            {"resolution": "720p", "video_urls": VIDEO, "action": "edit"},
            CONFIGS["wan2.7-videoedit"],
        ),
        ("omni-flash-ext", {"resolution": "360p"}, CONFIGS["omni-flash-ext"]),
        ("pixverse-v6", {"resolution": "540p", "duration": 5}, CONFIGS["pixverse-v6"]),
        ("wan2.6-i2v-flash", {"resolution": "720p", "duration": 5}, CONFIGS["wan2.6-i2v-flash"]),
        (
            "grok-imagine-video",
            {"duration": 0, "video_urls": VIDEO, "action": "edit"},
            a_second("edit_480p=.1 edit_720p=.2"),
        ),
        (
            "kling-v3-motion-control",
            {"resolution": "720p", "duration": 0},
            CONFIGS["kling-v3-motion-control"],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_the_documentation_leaves_open(model: str, values: dict[str, Any], config: object) -> None:
    """A price that is not listed, and a default that is not documented, are not made up."""
    assert unknown(values, config, model, input_lengths=(6.0,) if "video_urls" in values else ())


@pytest.mark.parametrize(
    ("model", "action"), [("minimax-h3-regeneration", "regenerate"), ("flux-3-video", "finalize")]
)
def test_a_price_that_follows_from_an_earlier_task(model: str, action: str) -> None:
    """Without the earlier task, or without its length, the price is not known."""
    values = {"action": action, "resolution": "hd" if model == "flux-3-video" else None}
    config = a_second("hd=.1 2k=.1")
    assert "earlier task" in unknown(values, config, model)
    assert "length" in unknown(values, config, model, source=Source({"resolution": "768p"}))


def test_no_request_raises_anything_else() -> None:
    """Values that no request may have give an unknown price from the whole calculation, too."""
    request = VideoRequest(
        model="any-model",
        prompt="A koi",
        resolution=5,  # type: ignore[arg-type]
        duration="abc",  # type: ignore[arg-type]
        video_urls=5,
        image_with_roles=(5,),  # type: ignore[arg-type]
        generate_audio="yes",  # type: ignore[arg-type]
    )
    price = computed_price(request, INPUT, MODELS)
    assert (price.is_known, bool(price.reason)) == (False, True)
    assert str(price).startswith("not known: ")


# ---------------------------------------------------------------------- properties


def amount(config: object, duration: int) -> Decimal:
    """Return the price of a video of 720p."""
    values = {"resolution": "720p", "duration": duration}
    return amount_of(read_rates(config), billing_of("2026-11", "any-model", "generate"), values).usd


@given(
    rate=st.decimals(min_value=0, max_value=100, places=6),
    first=st.integers(1, 10_000),
    second=st.integers(1, 10_000),
)
def test_a_price_is_linear_in_the_duration(rate: Decimal, first: int, second: int) -> None:
    """Two videos cost exactly as much as one that is as long as both, and a longer one never less."""
    config = {"per_second": True, "video_prices": {"720p": str(rate)}}
    assert amount(config, first) + amount(config, second) == amount(config, first + second)
    assert amount(config, first) <= amount(config, first + 1)


@given(usd=st.decimals(min_value="0.000001", max_value=1_000_000, places=9))
def test_quota_is_truncated(usd: Decimal) -> None:
    """The quota is less than one unit below the amount, never above it, and at least 1."""
    quota = quota_of(usd, 500_000)
    assert quota == 1 or quota <= usd * 500_000 < quota + 1
    assert quota >= 1


@given(price=st.floats(min_value=0, max_value=1000, allow_subnormal=False), seconds=st.integers(1, 30))
def test_a_float_is_read_as_it_is_written(price: float, seconds: int) -> None:
    """The amount is the number in the text of the price list, not the nearest binary fraction."""
    written = repr(price)
    if "e-" in written and len(written.partition("e-")[2]) > 2:
        return  # smaller than any amount of money
    assert amount({"per_second": True, "720p": price}, seconds) == Decimal(written) * seconds


def test_the_notebooks_own_precision_changes_no_price() -> None:
    """A user who computes with three digits in the notebook gets the same price."""
    example = REQUESTS[6]
    with localcontext() as context:
        context.prec = 3
        assert getcontext().prec == 3
        price = priced(example)
    assert (str(price.usd), price.quota) == ("1.06227", 531_135)


def test_free_is_free() -> None:
    """A price of 0 is known, and costs nothing; only an amount above 0 is at least one unit."""
    assert amount(a_second("720p=0"), 5) == 0
    assert (quota_of(Decimal(0), 500_000), quota_of(Decimal("1e-9"), 500_000)) == (0, 1)
