"""The sound of a film: surf, and a quiet chord for each shot."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from .film import SAMPLE_RATE, Floats

# Chords of a pentatonic scale, in semitones above the root: none of them clashes with another.
_CHORDS = ((0, 7, 12, 16, 21), (-3, 4, 9, 16, 19), (-7, 0, 9, 12, 16), (-5, 2, 7, 14, 19))
_ROOT = 146.83  # D3, in hertz
_AAC_FRAME = 1024


def sample_count(seconds: int) -> int:
    """Return the number of samples for a film of this length.

    It is a whole number of AAC frames and no longer than the pictures, or the sound would lengthen the film.
    """
    return seconds * SAMPLE_RATE // _AAC_FRAME * _AAC_FRAME


def ambience(shots: Sequence[int], seed: int) -> Floats:
    """Return samples of shape (2, length) at ``SAMPLE_RATE``.

    Args:
        shots: the seconds of each shot.
        seed: equal seeds give equal sounds.
    """
    length = sample_count(sum(shots))
    time = np.arange(length, dtype=np.float32) / np.float32(SAMPLE_RATE)
    rng = np.random.default_rng((seed, 2))
    sound = _surf(time, rng)
    start = 0
    for number, seconds in enumerate(shots):
        chord = _CHORDS[(seed + number) % len(_CHORDS)]
        stop = min(start + seconds * SAMPLE_RATE, length)
        sound[:, start:stop] += _pad(time[: stop - start], seconds, chord)
        start = stop
    sound *= np.clip(np.minimum(time / 0.6, time[-1] - time), 0, 1)
    return np.asarray(0.5 * sound / np.abs(sound).max(), np.float32)


def _pad(time: Floats, seconds: float, chord: Sequence[int]) -> Floats:
    """Return a chord that swells and fades; each note is slightly detuned between the channels."""
    swell = np.sin(np.clip(time / seconds, 0, 1) * math.pi) ** 0.7
    sides = np.zeros((2, len(time)), np.float32)
    for index, semitones in enumerate(chord):
        pitch = _ROOT * 2 ** (semitones / 12)
        breath = 1 + 0.3 * np.sin(2 * math.pi * (0.11 + 0.05 * index) * time + index)
        for side in range(2):
            angle = 2 * math.pi * pitch * (1 + 0.0011 * (2 * side - 1)) * time
            tone = np.sin(angle) + 0.22 * np.sin(2 * angle) + 0.06 * np.sin(3 * angle)
            sides[side] += tone * breath * swell * (0.16 / (1 + 0.35 * index))
    return sides


def _surf(time: Floats, rng: np.random.Generator) -> Floats:
    """Return noise without harsh frequencies that rises and falls like waves on a beach."""
    length = len(time)
    frequency = np.fft.rfftfreq(length, 1 / SAMPLE_RATE)
    tint = 1 / np.maximum(frequency, 90) ** 0.75 / (1 + (frequency / 2600) ** 2)
    sides = []
    for side in range(2):
        spectrum = tint * np.exp(2j * math.pi * rng.random(len(frequency)))
        noise = np.fft.irfft(spectrum, length)
        tide = 0.35 + 0.65 * (0.5 - 0.5 * np.cos(2 * math.pi * time / 4.6 + 0.7 * side)) ** 2
        sides.append(0.07 * noise / noise.std() * tide)
    return np.stack(sides).astype(np.float32)
