"""A ranking from pairwise preferences: the Bradley-Terry model, fitted by choix (``[judging]``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..i18n import N_, tr
from .worth import Worth

__all__ = ["Ranked", "rank"]

#: Precision of the prior that all videos are equal: strengths differ by about two. It keeps the strength of a
#: video that has won every comparison finite.
_PRIOR_PRECISION = 0.25
_NO_CHOIX = N_('A ranking needs choix: pip install "qingbo_widgets[judging]"')


@dataclass(frozen=True)
class Ranked:
    """One video in a ranking.

    Attributes:
        key: the task's key.
        strength: the odds that a is better than b are ``exp(a.strength - b.strength)``; 0 on average.
        error: the standard deviation of the strength.
        wins: pairs in which the video was better.
        losses: pairs in which the video was worse.
        worth: what the video has cost; ``None`` if that is not known.
    """

    key: str
    strength: float
    error: float
    wins: int
    losses: int
    worth: Worth | None = None


def rank(keys: Sequence[str], preferences: Sequence[tuple[str, str]]) -> list[Ranked]:
    """Rank videos by pairwise preferences, best first.

    Args:
        keys: the keys of the videos' tasks.
        preferences: ``(better, worse)`` pairs, as ``Judgements.preferences(keys)`` returns them.

    Raises:
        ImportError: choix is not installed; the message has the command that installs it.
    """
    keys = list(dict.fromkeys(keys))
    if not keys:
        return []
    try:
        from choix import ep_pairwise
    except ImportError:
        raise ImportError(tr(_NO_CHOIX)) from None
    index = {key: number for number, key in enumerate(keys)}
    pairs = [(index[better], index[worse]) for better, worse in preferences]
    mean, covariance = ep_pairwise(len(keys), pairs, _PRIOR_PRECISION, model="logit")
    # Only differences are observed: a shift of all strengths is not an uncertainty of the ranking.
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
        for key, number in index.items()
    ]
    return sorted(ranked, key=lambda item: -item.strength)
