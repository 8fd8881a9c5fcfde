"""``places``: how many tasks an account takes at once, learned from its 429s on a simulated clock."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from qingbo_widgets.tasks.sweep.places import FIRST_PAUSE, LONGEST_PAUSE, Places


@dataclass
class Account:
    """A sweep on an account, second by second; every task takes ``seconds``.

    Attributes:
        answer: returns the ``Retry-After`` of a refusal, ``None`` for one without, or "accepted"; from the
            second and the number of running tasks.
        width: the ``max_running`` of the sweep.
    """

    answer: Callable[[int, int], object]
    seconds: int = 180
    width: int = 4
    now: int = 0
    refused: list[int] = field(default_factory=list)
    accepted: list[int] = field(default_factory=list)
    running: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.places = Places(lambda: float(self.now))

    def run(self, until: int) -> Account:
        """Let the time pass; submissions are answered at once, up to three in a second."""
        while self.now < until:
            for _ in [begun for begun in self.running if self.now - begun >= self.seconds]:
                self.running.pop(0)
                self.places.free()
            for _ in range(3):
                room = self.places.room(0)
                if len(self.running) < self.width and (room is None or room > 0):
                    self._submit()
            self.now += 1
        return self

    def _submit(self) -> None:
        answer = self.answer(self.now, len(self.running))
        if answer == "accepted":
            self.accepted.append(self.now)
            self.running.append(self.now)
            self.places.accept(len(self.running))
        else:
            assert answer is None or isinstance(answer, float)
            self.refused.append(self.now)
            self.places.refuse(len(self.running), answer)


def places(count: int) -> Callable[[int, int], object]:
    """Return the answers of an account with this number of places."""
    return lambda _, running: "accepted" if running < count else None


def test_an_account_without_a_limit() -> None:
    """Nothing holds submissions back before a 429."""
    account = Account(lambda *_: "accepted")
    assert account.places.room(3) is None
    account.run(2)
    assert len(account.running) == 4
    assert account.places.limit is None


def test_a_sweep_keeps_the_places_of_the_account_full() -> None:
    """With two places, tasks of three minutes follow each other, and refusals become rare."""
    account = Account(places(2)).run(3600)
    assert account.places.limit == 2
    assert len(account.accepted) >= 2 * 3600 // 180 - 2, "a place remained free for long"
    assert len(account.refused) <= 40, "the service was hammered"
    first = [second for second in account.refused if second < 180]
    gaps = [later - earlier for earlier, later in itertools.pairwise(first)]
    assert gaps == sorted(gaps)
    assert gaps[0] == FIRST_PAUSE
    assert gaps[-1] >= 8 * FIRST_PAUSE


def test_places_that_get_free_elsewhere_are_found() -> None:
    """Another kernel's tasks end while ours run: the others go on then, and not only after ours."""
    account = Account(lambda now, running: "accepted" if running < (1 if now < 60 else 4) else None)
    account.run(59)
    assert (len(account.running), account.places.limit) == (1, 1)
    account.run(160)
    assert len(account.running) == 4, "free places were not found within 100 s"


def test_places_that_are_taken_elsewhere() -> None:
    """Another kernel takes a place: the sweep goes on in those that are left."""
    account = Account(lambda now, running: "accepted" if running < (3 if now < 200 else 1) else None)
    account.run(3600)
    assert account.places.limit == 1
    assert len([second for second in account.accepted if second > 600]) >= 3000 // 180 - 2


def test_a_full_account_is_not_given_up() -> None:
    """While others have all places for two hours, the pauses grow; then the sweep goes on by itself."""
    account = Account(lambda now, running: "accepted" if now > 7200 and running < 2 else None).run(9000)
    gaps = [later - earlier for earlier, later in itertools.pairwise(account.refused)]
    assert gaps[:7] == [5, 10, 20, 40, 80, 160, 300]
    assert account.accepted[0] <= 7200 + LONGEST_PAUSE + 1


@pytest.mark.parametrize("seconds", [1.0, 30.0, 600.0])
def test_the_requested_pause_is_kept(seconds: float) -> None:
    """Nothing is sent before the end of ``Retry-After``, even if a task ends, and a place is not a limit."""
    account = Account(lambda now, running: "accepted" if running < 2 or now > 3000 else seconds, seconds=100)
    account.run(2900)
    assert account.places.limit is None
    gaps = [later - earlier for earlier, later in itertools.pairwise(account.refused)]
    assert min(gaps) >= max(seconds, FIRST_PAUSE)
    assert len(account.refused) <= 2900 / 15, "a Retry-After of a second is no invitation to ask each second"
    account.run(4000)
    assert len(account.running) == 4


def test_a_limit_of_requests_per_time() -> None:
    """With one submission in 30 s, all are sent one after the other while the earlier ones run."""
    last = [-100]

    def answer(now: int, _: int) -> object:
        if now - last[0] < 30:
            return None
        last[0] = now
        return "accepted"

    account = Account(answer, seconds=10_000, width=6).run(600)
    assert len(account.running) == 6
    assert len(account.refused) <= 30


def test_refusals_of_one_moment_count_once() -> None:
    """Three that were in flight together are refused: that is one refusal, with one pause."""
    places = Places(lambda: 0.0)
    for running in (2, 1, 0):
        places.refuse(running, None)
    assert places.pause == FIRST_PAUSE
