"""The ranking from pairwise preferences."""

from __future__ import annotations

import math
import random
import sys

import pytest

from qingbo_widgets.library.ranking import rank


@pytest.mark.slow
def test_winners_rank_higher_and_the_error_shrinks() -> None:
    """The order follows the wins, the strengths match the odds, and more pairs reduce the error."""
    pytest.importorskip("choix", reason="choix is not installed")
    rng = random.Random(1)
    truth = {"a": 1.5, "b": 0.0, "c": -1.5}

    def pairs(number: int) -> list[tuple[str, str]]:
        results = []
        for _ in range(number):
            one, other = rng.sample("abc", 2)
            odds = math.exp(truth[one] - truth[other])
            results.append((one, other) if rng.random() < odds / (1 + odds) else (other, one))
        return results

    few, many = rank("abc", pairs(10)), rank("abc", pairs(600))
    assert [one.key for one in many] == ["a", "b", "c"]
    for one in many:
        assert abs(one.strength - truth[one.key]) < 4 * one.error + 0.1
    assert max(one.error for one in many) < 0.5 * min(one.error for one in few)
    assert sum(one.wins for one in many) == sum(one.losses for one in many) == 600


@pytest.mark.slow
def test_always_better_is_not_infinitely_better() -> None:
    """A video that never lost has a finite strength; one without comparisons has the largest error."""
    pytest.importorskip("choix", reason="choix is not installed")
    ranked = rank(["a", "b", "unseen"], [("a", "b")] * 5)
    assert [one.key for one in ranked] == ["a", "unseen", "b"]
    assert 0 < ranked[0].strength < 10
    assert ranked[1].error > max(ranked[0].error, ranked[2].error)
    assert rank([], []) == []


def test_without_choix_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error without choix names the extra to install."""
    monkeypatch.setitem(sys.modules, "choix", None)
    with pytest.raises(ImportError, match=r"qingbo_widgets\[judging\]"):
        rank(["a", "b"], [])
