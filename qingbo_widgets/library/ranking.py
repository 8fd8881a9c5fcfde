"""A ranking out of pairs: the Bradley-Terry model, fitted by choix (``[judging]``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..i18n import N_, tr

__all__ = ["Ranked", "rank"]

#: How sure the model is beforehand that all are alike: strengths differ by about two. It keeps a video that
#: has won every time at a finite strength.
_PRIOR_PRECISION = 0.25
_NO_CHOIX = N_('A ranking needs choix: pip install "qingbo_widgets[judging]"')


@dataclass(frozen=True)
class Ranked:
    """One video in a ranking.

    Attributes:
        key: of its task.
        strength: of two videos, the odds that a is better are ``exp(a.strength - b.strength)``; 0 on average.
        error: the standard deviation of the strength.
        wins: pairs in which it was better.
        losses: pairs in which it was worse.
    """

    key: str
    strength: float
    error: float
    wins: int
    losses: int


def rank(keys: Sequence[str], preferences: Sequence[tuple[str, str]]) -> list[Ranked]:
    """Rank videos by which of two was better, the best first.

    Args:
        keys: the videos' tasks.
        preferences: ``(better, worse)``, as ``Judgements.preferences(keys)`` tells them.

    Raises:
        ImportError: choix is not installed; the message says how.
    """
    keys = list(dict.fromkeys(keys))
    if not keys:
        return []
    try:
        from choix import ep_pairwise
    except ImportError:
        raise ImportError(tr(_NO_CHOIX)) from None
    place = {key: number for number, key in enumerate(keys)}
    pairs = [(place[better], place[worse]) for better, worse in preferences]
    mean, covariance = ep_pairwise(len(keys), pairs, _PRIOR_PRECISION, model="logit")
    # Only differences are observed: what all strengths have in common is no uncertainty of a ranking.
    mean = mean - mean.mean()
    rows = covariance.mean(axis=0)
    covariance = covariance - rows - rows[:, None] + covariance.mean()
    ranked = [
        Ranked(
            key,
            float(mean[number]),
            float(covariance[number, number]) ** 0.5,
            sum(better == number for better, _ in pairs),
            sum(worse == number for _, worse in pairs),
        )
        for key, number in place.items()
    ]
    return sorted(ranked, key=lambda one: -one.strength)
