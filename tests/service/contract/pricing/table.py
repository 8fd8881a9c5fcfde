"""The service's prices of October 2026, as its model list may have them, and requests with their prices.

Each price is a product of amounts of the documentation, written out by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from qingbo_widgets.service.contract.pricing.arithmetic import Source

__all__ = ["CONFIGS", "REQUESTS", "Priced", "a_clip", "a_second"]

#: An amount of the documentation in US dollars, as it is written there.
D = Decimal


def _prices(text: str) -> dict[str, float]:
    """Return the prices in ``"720p=.1 1080p=.2"``, as ``json.loads`` returns numbers."""
    return {key: float(value) for key, value in (part.split("=") for part in text.split())}


def a_second(text: str, **beside: Any) -> dict[str, Any]:
    """Return a ``price_config`` of prices for each second."""
    return {"per_second": True, "video_prices": _prices(text), **beside}


def a_clip(text: str, **beside: Any) -> dict[str, Any]:
    """Return a ``price_config`` of prices for each video."""
    return {"per_second": False, "video_prices": _prices(text), **beside}


_WAN_2_7 = (
    "720p=.09 1080p=.135 720p_video_ref=.09 1080p_video_ref=.135"
    " 720p_video_input_second=.09 1080p_video_input_second=.135"
)

#: The price table by model. Prices that the documentation does not list are left out.
CONFIGS: Mapping[str, Mapping[str, Any]] = {
    "kling-3.0-turbo": a_second("720p=.1287 1080p=.1611"),
    "kling-v2-6": a_second("720p=.0378 1080p=.063 1080p_sound=.126"),
    "kling-v3": a_second(
        "720p=.0756 1080p=.1008 4k=.48213 720p_sound=.1134 1080p_sound=.1512 4k_sound=.48213"
    ),
    "kling-v3-omni": a_second(
        "720p=.0756 1080p=.1008 4k=.48213 720p_sound=.1008 1080p_sound=.126 4k_sound=.48213"
        " 720p_video_ref=.1134 1080p_video_ref=.1512 4k_video_ref=.48213"
        " 720p_video_input_second=0 1080p_video_input_second=0 4k_video_input_second=0 ref_image=0"
    ),
    "kling-video-o1": a_second(
        "720p=.0756 1080p=.1008 720p_video_ref=.1134 1080p_video_ref=.1512"
        " 720p_video_input_second=0 1080p_video_input_second=0"
    ),
    "kling-v2-6-motion-control": a_second(
        "720p=.063 1080p=.1008 720p_video_input_second=0 1080p_video_input_second=0"
    ),
    "kling-v3-motion-control": a_second(
        "720p=.1134 1080p=.1512 720p_video_input_second=0 1080p_video_input_second=0"
    ),
    "veo3.1-fast": a_second("720p=.072 1080p=.09 4k=.225 720p_sound=.09 1080p_sound=.108 4k_sound=.27"),
    "veo3.1-quality": a_second("720p=.18 1080p=.18 4k=.36 720p_sound=.36 1080p_sound=.36 4k_sound=.54"),
    "veo3.1-lite": a_clip("720p=.07875 1080p=.07875 4k=.64125"),
    "veo3.1-fast-rev": a_clip("720p=.1575 1080p=.1575 4k=.72"),
    "veo3.1-quality-rev": a_clip("720p=1.125 1080p=1.125 4k=1.6875"),
    "seedance-1.0-pro": a_second("480p=.02187 720p=.046332 1080p=.11016"),
    "seedance-1.0-pro-fast": a_second("480p=.0099 720p=.0225 1080p=.044064"),
    "seedance-1.5-pro": a_second(
        "480p=.021695 720p=.046656 1080p=.1215 480p_sound=.021695 720p_sound=.046656 1080p_sound=.1215"
    ),
    "seedance-2.0": a_second(
        "480p=.07425 720p=.15975 1080p=.3987 4k=.81225"
        " 480p_sound=.07425 720p_sound=.15975 1080p_sound=.3987 4k_sound=.81225"
        " 480p_video_ref=.045 720p_video_ref=.09657 1080p_video_ref=.24264 4k_video_ref=.49986"
        " 480p_video_input_second=.045 720p_video_input_second=.09657"
        " 1080p_video_input_second=.24264 4k_video_input_second=.49986 ref_image=0"
    ),
    "seedance-2.0-fast": a_second(
        "480p=.050622 720p=.108864 480p_video_ref=.029831 720p_video_ref=.064152"
        " 480p_video_input_second=.029831 720p_video_input_second=.064152"
    ),
    "seedance-2.0-mini": a_second(
        "480p=.031639 720p=.06804 480p_video_ref=.018983 720p_video_ref=.040824"
        " 480p_video_input_second=.018983 720p_video_input_second=.040824"
    ),
    "seedance-2.5": a_second(
        "480p=.10809 720p=.243 1080p=.511758"
        " 480p_video_ref=.0648 720p_video_ref=.1458 1080p_video_ref=.30618"
        " 480p_video_input_second=.0648 720p_video_input_second=.1458 1080p_video_input_second=.30618"
    ),
    "minimax-hailuo-02": a_clip("512p_5s=.09 512p_10s=.135 768p_5s=.252 768p_10s=.504 1080p_5s=.441"),
    "minimax-hailuo-2.3": a_clip("768p_6s=.3294 768p_10s=.504 1080p_6s=.441"),
    "minimax-hailuo-2.3-fast": a_clip("768p_6s=.171 768p_10s=.288 1080p_6s=.297"),
    "minimax-h3": a_second(
        "768p=.072 2k=.117 768p_video_input_second=.072 2k_video_input_second=.117",
        video_input_image_price=0.036,
        video_input_image_free_count=5,
    ),
    "minimax-h3-max": a_second(
        "480p=.045 768p=.072 1080p=.144"
        " 480p_video_input_second=.04977 768p_video_input_second=.1287 1080p_video_input_second=.13428",
        video_input_image_price=0.0666,
        video_input_image_free_count=2,
    ),
    "minimax-h3-regeneration": a_second(
        "2k=.045 2k_video_input_second=.045",
        video_input_image_price=0.0225,
        video_input_image_free_count=5,
    ),
    "vidu-q3": a_second("540p=.045 720p=.09 1080p=.1125"),
    "vidu-q3-mix": a_second("720p=.108 1080p=.1305"),
    "vidu-q3-pro": a_second(
        "540p=.063 720p=.135 1080p=.144 540p_sound=.063 720p_sound=.135 1080p_sound=.144"
    ),
    "vidu-q3-turbo": a_second("540p=.036 720p=.0495 1080p=.0585"),
    "vidu-q4-preview": a_second("540p=.0504 720p=.1026 1080p=.108 2k=.171 4k=.351 ref_image=0"),
    "wan2.5-preview": a_second("480p=.0378 720p=.0747 1080p=.1233"),
    "wan2.6": a_second("1080p=.0945"),
    "wan2.6-i2v": a_second("720p=.0747 1080p=.1233"),
    "wan2.6-i2v-flash": a_second("720p=.0225 1080p=.03375 720p_sound=.045 1080p_sound=.0675"),
    "wan2.7": a_second(_WAN_2_7),
    "wan2.7-r2v": a_second(_WAN_2_7),
    "wan2.7-videoedit": a_second(
        "720p=.09 1080p=.135 720p_video_input_second=.09 1080p_video_input_second=.135"
    ),
    "wan3.0-video": a_second(
        "480p=.045 720p=.09 1080p=.18"
        " 480p_video_input_second=.045 720p_video_input_second=.09 1080p_video_input_second=.18"
    ),
    "wan3.0-video-prime": a_second(
        "480p_video_input_second=.0612 720p_video_input_second=.126 1080p_video_input_second=.252"
    ),
    "happyhorse-1.0": a_second("720p=.14625 1080p=.25875"),
    "happyhorse-1.1": a_second("720p=.14625 1080p=.1935"),
    "flux-3-video": a_second("hd_video_ref=.369 fhd_video_ref=.477 hd_video_input_second=0"),
    "flux-3-video-draft": a_second("hd=.054 hd_video_ref=.108 hd_video_input_second=0"),
    "skyreels-v4-fast": a_second(
        "480p=.072 720p=.099 1080p=.2475 480p_video_ref=.135 720p_video_ref=.18 1080p_video_ref=.45"
        " 480p_video_input_second=0 720p_video_input_second=0 1080p_video_input_second=0"
    ),
    "skyreels-v4-std": a_second(
        "480p=.099 720p=.126 1080p=.315 480p_video_ref=.162 720p_video_ref=.225 1080p_video_ref=.5625"
    ),
    "grok-imagine-video": a_second(
        "480p=.045 720p=.063 edit_720p=.063 720p_video_input_second=.009 ref_image=.0018"
    ),
    "grok-imagine-video-1.5": a_second("480p=.072 720p=.126 1080p=.225 ref_image=.009"),
    "grok-imagine-video-1.5-rev": a_second("480p=.01148 720p=.02151 ref_image=0"),
    "pixverse-v6": a_second(
        "360p=.0225 540p=.0315 720p=.0405 1080p=.081"
        " 360p_sound=.0315 540p_sound=.0405 720p_sound=.054 1080p_sound=.1035"
    ),
    "omni-flash-ext": a_clip(
        "360p_4s=.16875 360p_6s=.19687 360p_8s=.225 360p_10s=.25312"
        " 720p_4s=.28125 720p_6s=.3375 720p_8s=.39375 720p_10s=.45"
        " 360p_video_input_second=.045 720p_video_input_second=.09"
        " 1080p_video_input_second=.09 4k_video_input_second=.27 ref_image=0",
        input_video_replaces_output=True,
    ),
    "gemini-omni-1.1-flash": a_second(
        "360p=.0333 720p=.099 1080p=.1485 4k=.297 720p_video_input_second=0 ref_image=0",
        settlement={"basis": "upstream_cost"},
    ),
}


@dataclass(frozen=True)
class Priced:
    """A request and its price in US dollars.

    Attributes:
        model: its model.
        values: the parameters of its body.
        usd: the price.
        at_most: whether it is a maximum.
        lengths: the length of each input video.
        source: the earlier task from which the price follows.
        config: the prices of the model; by default those in ``CONFIGS``.
    """

    model: str
    values: Mapping[str, Any]
    usd: D
    at_most: bool = False
    lengths: tuple[float | None, ...] = ()
    source: Source | None = None
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def quota(self) -> int:
        """The price in quota: 500,000 for a dollar, truncated, at least 1."""
        return max(int(self.usd * 500_000), 1)

    @property
    def prices(self) -> Mapping[str, Any]:
        """The ``price_config`` of the model."""
        return self.config or CONFIGS[self.model]

    def __str__(self) -> str:
        """Return the request as the id of a test."""
        values = [
            f"{name}={value}" for name, value in self.values.items() if not name.endswith(("_urls", "_roles"))
        ]
        inputs = [f"inputs={list(self.lengths)}"] if self.lengths else []
        images = len(self.values.get("image_urls", ()))
        return " ".join([self.model, *values, *inputs, *([f"images={images}"] if images else [])])


def _body(
    resolution: str | None,
    duration: int | None,
    audio: bool | None,
    videos: int,
    images: int,
    others: Mapping[str, Any],
) -> dict[str, Any]:
    values = {"resolution": resolution, "duration": duration, "generate_audio": audio, **others}
    values["video_urls"] = tuple(f"https://a.example/{number}.mp4" for number in range(videos))
    values["image_urls"] = tuple(f"https://a.example/{number}.png" for number in range(images))
    return {name: value for name, value in values.items() if value not in (None, ())}


def _of(
    model: str,
    resolution: str | None,
    duration: int | None,
    usd: D,
    *,
    at_most: bool = False,
    audio: bool | None = None,
    inputs: tuple[float | None, ...] = (),
    images: int = 0,
    source: Source | None = None,
    config: Mapping[str, Any] | None = None,
    **others: Any,
) -> Priced:
    body = _body(resolution, duration, audio, len(inputs), images, others)
    return Priced(model, body, usd, at_most, inputs, source, config or {})


def _earlier(
    duration: int | None,
    resolution: str,
    inputs: tuple[float, ...] = (),
    images: int = 0,
    audio: bool | None = None,
) -> Source:
    return Source(_body(resolution, duration, audio, len(inputs), images, {}), inputs)


def _roles(*roles: str) -> dict[str, Any]:
    return {"image_with_roles": tuple({"url": "https://a.example/r.png", "role": role} for role in roles)}


_EDIT: Mapping[str, Any] = {"action": "edit"}
_EXTEND: Mapping[str, Any] = {"action": "extend"}
_REGENERATE: Mapping[str, Any] = {"action": "regenerate", "ref_task_id": "task-1"}
_FINALIZE: Mapping[str, Any] = {"action": "finalize", "ref_task_id": "task-1"}
_HORSE_EDIT = a_second("720p=.14625 1080p=.25875 edit_720p=.2025 edit_1080p=.3555")
_FLUX = a_second("hd=.1845 fhd=.2385 hd_video_ref=.369 fhd_video_ref=.477 hd_video_input_second=0")
_PRIME = a_second("480p=.0612 720p=.126 1080p=.252 720p_video_input_second=.126")
_ODD = a_second(
    "720p=.1 720p_sound=.2 720p_video_ref=.3 720p_video_input_second=.7 720p_ref_image=.01 ref_image=.05"
)

REQUESTS: tuple[Priced, ...] = (
    # ------------------------------------------------------------------ the worked examples
    _of("kling-v3", "720p", 5, D(".378"), audio=False),
    _of("kling-v3", "1080p", 10, D("1.512"), audio=True),
    _of("kling-v3-omni", "720p", 5, D(".567"), inputs=(8.0,), audio=False),
    _of("veo3.1-fast", "720p", 8, D(".576"), audio=False),
    _of("happyhorse-1.1", "1080p", 5, D(".9675")),
    _of("vidu-q4-preview", "540p", 3, D(".1512"), images=1),
    _of("seedance-2.0", "720p", 5, D("1.06227"), inputs=(6.4,), audio=True),
    _of("minimax-hailuo-2.3", "768p", 10, D(".504")),
    # ------------------------------------------------------------------ costs on the pages of the models
    _of("minimax-h3", "768p", 4, D(".288")),
    _of("vidu-q3-pro", "540p", 1, D(".063")),
    _of("wan2.7", "720p", 5, D(".45")),
    _of("flux-3-video-draft", "hd", 5, D(".27")),
    _of("grok-imagine-video-1.5-rev", "720p", 6, D(".12906")),
    _of("pixverse-v6", "360p", 2, D(".045"), audio=False),
    # ------------------------------------------------------------------ Kling
    _of("kling-3.0-turbo", "720p", 3, 3 * D(".1287")),
    _of("kling-3.0-turbo", "1080p", 15, 15 * D(".1611"), images=1),
    _of("kling-v2-6", "720p", 10, 10 * D(".0378"), audio=False),
    _of("kling-v2-6", "1080p", 5, 5 * D(".126"), audio=True),
    _of("kling-v2-6", "1080p", 5, 5 * D(".063"), audio=False, images=2),
    _of("kling-v3", "720p", 7, 7 * D(".1134"), audio=True),
    _of("kling-v3", "4k", 5, 5 * D(".48213"), audio=False),
    _of("kling-v3", "4k", 5, 5 * D(".48213"), audio=True),
    _of("kling-v3-omni", "1080p", 4, 4 * D(".126"), audio=True),
    _of("kling-v3-omni", "720p", 5, 5 * D(".0756"), audio=False, images=7),
    _of("kling-v3-omni", "4k", 3, 3 * D(".48213"), inputs=(9.9,), audio=False),
    _of("kling-v3-omni", "1080p", 0, 7 * D(".1512"), inputs=(7.99,), audio=False, **_EDIT),
    _of("kling-v3-omni", "720p", 0, 10 * D(".1134"), inputs=(None,), at_most=True, audio=False, **_EDIT),
    _of("kling-video-o1", "1080p", 10, 10 * D(".1512"), inputs=(3.2,)),
    _of("kling-video-o1", "720p", 5, 5 * D(".0756")),
    _of("kling-v2-6-motion-control", "720p", 0, 29 * D(".063"), inputs=(29.97,)),
    _of("kling-v3-motion-control", "1080p", 0, 3 * D(".1512"), inputs=(3.0,)),
    # At 4k, a Kling model has one price whatever the other keys say.
    _of(
        "kling-v3-omni",
        "4k",
        3,
        3 * D(".5"),
        audio=True,
        config=a_second("4k=.5 4k_sound=.9 4k_video_ref=.7"),
    ),
    _of(
        "kling-v3-omni",
        "4k",
        3,
        3 * D(".5"),
        inputs=(5.0,),
        audio=False,
        config=a_second("4k=.5 4k_sound=.9 4k_video_ref=.7"),
    ),
    _of("veo3.1-fast", "4k", 8, 8 * D(".9"), audio=True, config=a_second("4k=.5 4k_sound=.9")),
    # ------------------------------------------------------------------ Veo
    _of("veo3.1-fast", "1080p", 8, 8 * D(".108"), audio=True),
    _of("veo3.1-fast", "4k", 8, 8 * D(".225"), audio=False),
    _of("veo3.1-quality", "720p", 4, 4 * D(".36"), audio=True),
    _of("veo3.1-quality", "4k", 8, 8 * D(".54"), audio=True),
    _of("veo3.1-quality", "1080p", 8, 8 * D(".18"), audio=False),
    _of("veo3.1-lite", "720p", 8, D(".07875")),
    _of("veo3.1-lite", "4k", 8, D(".64125")),
    _of("veo3.1-fast-rev", "1080p", 8, D(".1575")),
    _of("veo3.1-quality-rev", "4k", 8, D("1.6875")),
    _of("veo3.1-quality-rev", "720p", None, D("1.125"), **_EXTEND),
    # ------------------------------------------------------------------ Seedance
    _of("seedance-1.0-pro", "480p", 2, 2 * D(".02187")),
    _of("seedance-1.0-pro", "1080p", 12, 12 * D(".11016")),
    _of("seedance-1.0-pro-fast", "1080p", 7, 7 * D(".044064")),
    _of("seedance-1.5-pro", "480p", 5, 5 * D(".021695"), audio=True),
    _of("seedance-1.5-pro", "720p", 11, 11 * D(".046656")),
    _of("seedance-2.0", "4k", 15, 15 * D(".81225"), audio=True),
    _of("seedance-2.0", "480p", 4, 4 * D(".07425"), images=9),
    _of("seedance-2.0", "1080p", 5, (5 + 2 + 3 + 4) * D(".24264"), inputs=(2.9, 3.9, 4.9)),
    _of("seedance-2.0", "720p", 5, (5 + 15) * D(".09657"), inputs=(None,), at_most=True),
    _of("seedance-2.0", "720p", 5, (5 + 15) * D(".09657"), inputs=(4.0, None), at_most=True),
    _of("seedance-2.0-fast", "480p", 5, 5 * D(".050622")),
    _of("seedance-2.0-fast", "720p", 4, (4 + 2) * D(".064152"), inputs=(2.0,)),
    _of("seedance-2.0-mini", "480p", 5, (5 + 9) * D(".018983"), inputs=(9.99,)),
    _of("seedance-2.0-mini", "720p", 9, 9 * D(".06804")),
    _of("seedance-2.5", "720p", 30, 30 * D(".243")),
    # The billed input is at least three quarters of the output, rounded up: 7.5 s are 8, 15 s are 12.
    _of("seedance-2.5", "720p", 10, (10 + 8) * D(".1458"), inputs=(2.5,)),
    _of("seedance-2.5", "1080p", 20, (20 + 15) * D(".30618"), inputs=(4.0, 5.0)),
    _of("seedance-2.5", "480p", 4, (4 + 4) * D(".0648"), inputs=(4.2,)),
    _of("seedance-2.5", "480p", 5, (5 + 4) * D(".0648"), inputs=(3.9,)),
    _of("seedance-2.5", "1080p", 0, 30 * D(".511758"), at_most=True),
    _of("seedance-2.5", "720p", 0, (30 + 23) * D(".1458"), inputs=(12.0,), at_most=True),
    _of("seedance-2.5", "720p", 0, (12 + 12) * D(".1458"), inputs=(12.7,), **_EDIT),
    _of("seedance-2.5", "720p", 6, (6 + 8) * D(".1458"), inputs=(8.8,), **_EXTEND),
    _of("seedance-2.5", "720p", 5, (5 + 30) * D(".1458"), inputs=(None,), at_most=True),
    # ------------------------------------------------------------------ Hailuo
    _of("minimax-hailuo-02", "512p", 10, D(".135")),
    _of("minimax-hailuo-02", "768p", 5, D(".252")),
    _of("minimax-hailuo-02", "1080p", 5, D(".441")),
    _of("minimax-hailuo-2.3", "768p", 6, D(".3294")),
    _of("minimax-hailuo-2.3", "1080p", 6, D(".441")),
    _of("minimax-hailuo-2.3-fast", "768p", 6, D(".171")),
    _of("minimax-hailuo-2.3-fast", "1080p", 6, D(".297")),
    # ------------------------------------------------------------------ MiniMax H3
    _of("minimax-h3", "2k", 15, 15 * D(".117"), images=5),
    _of("minimax-h3", "2k", 6, 6 * D(".117") + 4 * D(".036"), images=9),
    _of("minimax-h3", "768p", 5, (5 + 6) * D(".072") + D(".036"), inputs=(3.5, 3.99), images=6),
    _of("minimax-h3", "2k", 5, (5 + 15) * D(".117"), inputs=(None,), at_most=True),
    _of("minimax-h3-max", "768p", 5, 5 * D(".072") + 4 * D(".1287"), inputs=(4.9,)),
    _of("minimax-h3-max", "480p", 5, 5 * D(".045") + 2 * D(".04977") + D(".0666"), inputs=(2.0,), images=3),
    _of("minimax-h3-max", "1080p", 15, 15 * D(".144") + 7 * D(".0666"), images=9),
    _of("minimax-h3-max", "1080p", 5, 5 * D(".144"), **_roles("first_frame", "last_frame")),
    _of("minimax-h3-max", "1080p", 5, 5 * D(".144"), **_roles("reference_image", "reference_image")),
    _of("minimax-h3-regeneration", None, None, 4 * D(".045"), source=_earlier(4, "768p"), **_REGENERATE),
    _of(
        "minimax-h3-regeneration",
        None,
        None,
        (10 + 6) * D(".045") + 2 * D(".0225"),
        source=_earlier(10, "768p", (6.9,), images=7),
        **_REGENERATE,
    ),
    # ------------------------------------------------------------------ Vidu
    _of("vidu-q3", "540p", 16, 16 * D(".045"), images=1),
    _of("vidu-q3", "1080p", 3, 3 * D(".1125"), images=7),
    _of("vidu-q3-mix", "720p", 1, D(".108"), images=2),
    _of("vidu-q3-mix", "1080p", 7, 7 * D(".1305"), images=2),
    _of("vidu-q3-pro", "1080p", 5, 5 * D(".144"), audio=True),
    _of("vidu-q3-turbo", "720p", 5, 5 * D(".0495")),
    _of("vidu-q3-turbo", "1080p", 9, 9 * D(".0585")),
    _of("vidu-q4-preview", "4k", 16, 16 * D(".351"), images=15),
    _of("vidu-q4-preview", "2k", 7, 7 * D(".171")),
    # ------------------------------------------------------------------ Wan
    _of("wan2.5-preview", "480p", 5, 5 * D(".0378")),
    _of("wan2.5-preview", "1080p", 10, 10 * D(".1233")),
    _of("wan2.6", "1080p", 15, 15 * D(".0945")),
    _of("wan2.6-i2v", "720p", 2, 2 * D(".0747"), images=1),
    _of("wan2.6-i2v-flash", "1080p", 5, 5 * D(".0675"), images=1, audio=True),
    _of("wan2.6-i2v-flash", "720p", 5, 5 * D(".0225"), images=1, audio=False),
    _of("wan2.7", "1080p", 10, (10 + 9) * D(".135"), inputs=(9.5,)),
    _of("wan2.7-r2v", "720p", 5, (5 + 5) * D(".09"), inputs=(12.0,)),
    _of("wan2.7-r2v", "720p", 5, (5 + 4) * D(".09"), inputs=(1.5, 3.9)),
    _of("wan2.7-r2v", "1080p", 10, (10 + 5) * D(".135"), inputs=(2.0, 2.0, 2.0)),
    _of("wan2.7-r2v", "1080p", 10, (10 + 5) * D(".135"), inputs=(None,), at_most=True),
    _of("wan2.7-r2v", "1080p", 15, 15 * D(".135"), images=5),
    _of("wan2.7-videoedit", "720p", 0, (7 + 7) * D(".09"), inputs=(7.3,), **_EDIT),
    _of("wan2.7-videoedit", "1080p", 4, (4 + 10) * D(".135"), inputs=(10.0,), **_EDIT),
    _of("wan3.0-video", "480p", 2, 2 * D(".045")),
    _of("wan3.0-video", "720p", 0, 30 * D(".09"), at_most=True),
    _of("wan3.0-video", "1080p", None, 30 * D(".18"), at_most=True),
    _of("wan3.0-video", "720p", 15, (15 + 1) * D(".09"), inputs=(0.4,)),
    _of("wan3.0-video-prime", "720p", 5, (5 + 4) * D(".126"), inputs=(4.5,), config=_PRIME),
    # ------------------------------------------------------------------ HappyHorse
    _of("happyhorse-1.0", "720p", 15, 15 * D(".14625")),
    _of("happyhorse-1.0", "1080p", 3, 3 * D(".25875")),
    _of("happyhorse-1.0", "720p", 5, 14 * D(".2025"), inputs=(14.99,), config=_HORSE_EDIT, **_EDIT),
    _of("happyhorse-1.0", "1080p", None, 6 * D(".3555"), inputs=(6.0,), config=_HORSE_EDIT, **_EDIT),
    # ------------------------------------------------------------------ FLUX
    _of("flux-3-video", "hd", 20, 20 * D(".369"), inputs=(20.0,)),
    _of("flux-3-video", "fhd", 5, 5 * D(".477"), inputs=(3.0,), audio=True),
    _of("flux-3-video-draft", "hd", 7, 7 * D(".108"), inputs=(3.0,)),
    _of("flux-3-video", "fhd", None, 8 * D(".2385"), source=_earlier(8, "hd"), config=_FLUX, **_FINALIZE),
    _of(
        "flux-3-video", "hd", None, 6 * D(".369"), source=_earlier(6, "hd", (4.0,)), config=_FLUX, **_FINALIZE
    ),
    # ------------------------------------------------------------------ SkyReels
    _of("skyreels-v4-fast", "480p", 3, 3 * D(".072")),
    _of("skyreels-v4-fast", "1080p", 15, 15 * D(".2475")),
    _of("skyreels-v4-fast", "720p", 12, 7 * D(".18"), inputs=(7.7,)),
    _of("skyreels-v4-std", "1080p", 5, 3 * D(".5625"), inputs=(1.2,)),
    _of("skyreels-v4-std", "720p", None, 10 * D(".225"), inputs=(12.0,)),
    _of("skyreels-v4-std", "480p", 8, 8 * D(".162"), inputs=(14.0,), **_EXTEND),
    _of("skyreels-v4-fast", "720p", 4, 4 * D(".18"), inputs=(None,), **_EXTEND),
    # ------------------------------------------------------------------ Grok
    _of("grok-imagine-video", "480p", 1, D(".045")),
    _of("grok-imagine-video", "720p", 15, 15 * D(".063") + 3 * D(".0018"), images=3),
    _of(
        "grok-imagine-video",
        None,
        0,
        D("8.7") * D(".063") + 8 * D(".009"),
        inputs=(8.7,),
        at_most=True,
        **_EDIT,
    ),
    _of(
        "grok-imagine-video",
        "480p",
        None,
        D("8.7") * D(".063") + D(".009"),
        inputs=(1.9,),
        at_most=True,
        **_EDIT,
    ),
    _of("grok-imagine-video-1.5", "1080p", 7, 7 * D(".225") + 2 * D(".009"), images=2),
    _of("grok-imagine-video-1.5-rev", "480p", 15, 15 * D(".01148"), images=7),
    # ------------------------------------------------------------------ PixVerse
    _of("pixverse-v6", "540p", 8, 8 * D(".0405"), audio=True),
    _of("pixverse-v6", "1080p", 15, 15 * D(".1035"), audio=True),
    _of("pixverse-v6", "720p", 5, 5 * D(".0405"), audio=False),
    # ------------------------------------------------------------------ Omni
    _of("omni-flash-ext", "360p", 6, D(".19687"), at_most=True),
    _of("omni-flash-ext", "720p", 10, D(".45"), at_most=True, images=3),
    _of("omni-flash-ext", "360p", None, 9 * D(".045"), inputs=(9.9,), at_most=True),
    _of("omni-flash-ext", "4k", None, 3 * D(".27"), inputs=(3.0,), images=1, at_most=True),
    _of("gemini-omni-1.1-flash", "360p", 0, 10 * D(".0333"), at_most=True),
    _of("gemini-omni-1.1-flash", "4k", None, 10 * D(".297"), at_most=True),
    _of("gemini-omni-1.1-flash", "720p", None, 10 * D(".099"), inputs=(6.0,), at_most=True),
    # ------------------------------------------------------------------ keys that no model of the table needs
    _of("any-model", "480p", 7, 7 * D(".31"), config=a_second("720p=.1 default=.31")),
    _of("any-model", None, 7, 7 * D(".31"), config=a_second("default=.31")),
    _of(
        "any-model",
        None,
        7,
        7 * D(".4") + D(".1"),
        audio=True,
        images=1,
        config=a_second("default=.31 sound=.4 ref_image=.1"),
    ),
    _of("any-model", "720p", 7, D(".5"), config=a_clip("720p_5s=.4 base=.5")),
    _of("any-model", "720p", 7, 7 * D(".2"), config=a_second("720p_5s=.4 default=.2")),
    _of("any-model", "720p", 7, D(".7"), audio=True, config=a_clip("base=.5 sound=.7")),
    _of("any-model", "480p", 7, D(".5"), config=a_clip("base=.5")),
    _of("any-model", "480p", 7, D(".5"), config={"base": "0.5"}),
    _of("any-model", "480p", 7, D(".25"), config=a_clip("720p=.1 default=.25")),
    _of("any-model", "720p", 4, 4 * D(".2"), audio=True, config=a_second("720p=.1 sound=.2")),
    _of("any-model", "720p", 4, 4 * D(".1"), audio=False, config=a_second("720p=.1 sound=.2")),
    _of("any-model", "720p", 4, 4 * D(".3"), audio=True, config=a_second("720p=.1 720p_sound=.3 sound=.2")),
    _of("any-model", "720p", 4, D(".3"), audio=True, config=a_clip("720p=.1 720p_sound=.3")),
    _of("any-model", "720p", 4, D(".4"), inputs=(5.0,), config=a_clip("720p=.1 720p_video_ref=.4")),
    _of("any-model", "720p", 4, 4 * D(".1"), inputs=(None,), config=a_second("720p=.1")),
    _of(
        "any-model",
        "720p",
        4,
        4 * D(".2"),
        inputs=(5.0,),
        audio=True,
        config=a_second("720p=.1 720p_sound=.2"),
    ),
    _of("any-model", "720p", 4, 4 * D(".3") + 5 * D(".7"), inputs=(5.9,), audio=True, config=_ODD),
    _of("any-model", "720p", 4, 4 * D(".1") + 2 * D(".01"), audio=False, images=2, config=_ODD),
    _of(
        "any-model",
        "720p",
        4,
        4 * D(".1") + D(".05"),
        audio=False,
        images=1,
        config=a_second("720p=.1 ref_image=.05"),
    ),
    _of(
        "any-model",
        "720p",
        4,
        4 * D(".1") + D(".05"),
        **_roles("first_frame", "reference"),
        config=a_second("720p=.1 ref_image=.05"),
    ),
    _of(
        "any-model",
        "720p",
        4,
        D(".3") + 2 * D(".7"),
        inputs=(2.0,),
        config=a_clip("720p=.3 720p_video_input_second=.7"),
    ),
    _of("any-model", "720P", 4, 4 * D(".1"), config=a_second("720p=.1")),
    _of(
        "any-model",
        "720p",
        4,
        4 * D(".1"),
        at_most=True,
        config=a_second("720p=.1", settlement={"basis": "upstream_cost"}),
    ),
    _of("any-model", "720p", 3, 3 * D(".9"), inputs=(5.0,), config=a_second("720p=.1 edit_720p=.9"), **_EDIT),
    _of("any-model", "720p", 5, D(".4"), config=a_second("720p=.1 720p_5s=.4")),
    _of("any-model", "720p", 7, 7 * D(".1"), config=a_second("720p=.1 720p_5s=.4")),
    _of(
        "any-model",
        "720p",
        2,
        D(0) + 3 * D(".1"),
        inputs=(1.0, 2.9),
        config={"input_video_replaces_output": True, "video_prices": {"720p_video_input_second": 0.1}},
    ),
    # ------------------------------------------------------------------ rounding, and floats
    _of("any-model", "720p", 3, D(".3"), config=a_second("720p=.1")),  # 3 × 0.1 is 0.30000000000000004
    _of(
        "any-model", "720p", 1, D(".3"), inputs=(2.0,), config=a_second("720p=.1 720p_video_input_second=.1")
    ),
    _of(
        "any-model", "720p", 1, D(".0000019"), config=a_second("720p=.0000019")
    ),  # 0.95 of a unit: at least 1
    _of(
        "any-model", "720p", 1, D(".0000039"), config=a_second("720p=.0000039")
    ),  # 1.95 units: truncated to 1
    _of(
        "any-model", "720p", 29, 29 * D(".01"), config=a_second("720p=.01")
    ),  # 29 × 0.01 is 0.29000000000000004
    _of("any-model", "720p", 1, D("1.1"), config={"per_second": True, "720p": "1.10"}),
    _of("any-model", "720p", 1, D("1e-5"), config=a_second("720p=1e-5")),
)
