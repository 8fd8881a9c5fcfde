"""The hour and the weather of a landscape: palettes, and the words in a prompt that select one."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Mood:
    """A palette, with the particles in its air.

    Attributes:
        words: the words in a prompt that select the mood.
        zenith, middle, horizon: the colours of the sky, from top to bottom.
        light: the colour of the sun or the moon.
        far, near: the colours of the hills at the back and the wave in front; layers between blend the two.
        rim: the colour of the light on the crests.
        air: the particles: ``motes``, ``petals``, ``snow``, ``rain`` or ``stars``.
    """

    words: str
    zenith: Colour
    middle: Colour
    horizon: Colour
    light: Colour
    far: Colour
    near: Colour
    rim: Colour
    air: str


def _mood(air: str, palette: str, words: str) -> Mood:
    colours = [(*bytes.fromhex(colour),) for colour in palette.split()]
    zenith, middle, horizon, light, far, near, rim = ((r, g, b) for r, g, b in colours)
    return Mood(words, zenith, middle, horizon, light, far, near, rim, air)


# fmt: off
MOODS = (
    _mood("petals", "7080be e8b2b8 ffe4c4 fff6de c09cba 2c3668 ffd8c4",
          "花 樱 春 晨 早 粉 flower blossom spring morning dawn pink rose love"),
    _mood("motes", "266cb6 7cbce2 eaf4ee fffdec 92bcd4 083a68 d6f8ff",
          "海 洋 夏 蓝 天空 云 sea ocean summer blue sky beach cloud"),
    _mood("motes", "362662 cc566a ffb66c ffe6a8 a45278 1e1236 ffac7c",
          "日落 夕 黄昏 晚霞 秋 火 咖啡 sunset dusk evening autumn fire warm coffee"),
    _mood("stars", "070c28 162e60 48749c eef3ff 2e4c7a 050c22 96caf0",
          "夜 月 星 梦 宇宙 night moon star dream space galaxy city neon"),
    _mood("motes", "80b2ac c4dac8 f6f4de fff0d0 90b8ae 0a3a42 eafae6",
          "森 林 竹 山 茶 鱼 鲤 池 绿 forest bamboo mountain tea fish koi pond green garden"),
    _mood("snow", "7690bc bccce2 faeeec fffbf4 acbcd4 263c68 ffffff",
          "雪 冬 冰 白 snow winter ice white cold"),
    _mood("rain", "3e4e64 7a8e9e c4d0d0 e2e8e4 748a98 122234 c8dee4",
          "雨 雷 雾 风 rain storm fog mist wind umbrella"),
)
# fmt: on


def moods_of(prompts: Sequence[str], seed: int) -> list[Mood]:
    """Return the mood that each prompt selects, otherwise a random one; consecutive shots differ.

    Args:
        prompts: the prompt of each shot.
        seed: the seed of the random choice.
    """
    rng = random.Random(seed)
    moods: list[Mood] = []
    for prompt in prompts:
        scores = [_score(prompt.lower(), mood) for mood in MOODS]
        choice = scores.index(max(scores)) if any(scores) else rng.randrange(len(MOODS))
        if moods and moods[-1] is MOODS[choice]:
            choice = (choice + 1) % len(MOODS)
        moods.append(MOODS[choice])
    return moods


def _score(text: str, mood: Mood) -> int:
    """Return the match of a text with a mood. Chinese is not split into words; a longer match counts more."""
    latin = set(re.findall(r"[a-z]+", text))
    latin |= {re.sub("(ing|y|s)$", "", word) for word in latin}  # raining, rainy, rains
    matches = (word for word in mood.words.split() if word in (latin if word.isascii() else text))
    return sum(2 if word.isascii() else len(word) for word in matches)


def mix(
    first: Colour | NDArray[np.floating],
    second: Colour | NDArray[np.floating],
    part: float | NDArray[np.floating],
) -> NDArray[np.floating]:
    """Return a blend of two colours: the first where ``part`` is 0, the second where it is 1."""
    start = np.asarray(first, np.float64)
    return start + (np.asarray(second, np.float64) - start) * part
