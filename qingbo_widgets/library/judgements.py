"""What a person thinks of the videos: ratings, tags, notes, and which of two is better.

Kept in the journal's database, in tables of their own, so that the journal of a library from before them is
as good as a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from ..i18n import tr
from ..service.secrets.known_keys import hide
from .journal.journal import Journal
from .journal.rows import text_of
from .journal.tables import judgements, preferences, tags

__all__ = ["RATINGS", "Judgement", "Judgements", "tags_in"]

RATINGS = range(6)
_LONGEST_TAG = 60
_AT_ONCE = 500


@dataclass(frozen=True)
class Judgement:
    """What is thought of one video.

    Attributes:
        rating: 0..5, ``None`` while it is not rated.
        tags: in the order of the alphabet.
        note: any text.
    """

    rating: int | None = None
    tags: tuple[str, ...] = ()
    note: str = ""


class Judgements:
    """The judgements of one library.

    Args:
        journal: keeps them.
        on_change: called with the key of a task and its new judgement.
    """

    def __init__(self, journal: Journal, on_change: Callable[[str, Judgement], None] | None = None) -> None:
        self._journal, self._on_change = journal, on_change

    def of(self, key: str) -> Judgement:
        """The judgement of a task; an empty one where nobody has judged it."""
        return self.of_all([key])[key]

    def of_all(self, keys: Collection[str]) -> dict[str, Judgement]:
        """The judgements of these tasks, by their keys; empty ones where nobody has judged."""
        rated: dict[str, tuple[int | None, str]] = {}
        tagged: dict[str, list[str]] = {}
        with self.connected() as connection:
            for part in _parts(keys) if connection is not None else ():
                assert connection is not None
                query = sa.select(judgements.c.key, judgements.c.rating, judgements.c.note)
                for key, rating, note in connection.execute(query.where(judgements.c.key.in_(part))):
                    rated[key] = rating if rating in RATINGS else None, text_of(note)
                for key, tag in connection.execute(
                    sa.select(tags).where(tags.c.key.in_(part)).order_by(tags.c.tag)
                ):
                    tagged.setdefault(key, []).append(text_of(tag))
        return {
            key: Judgement(
                rated.get(key, (None, ""))[0], tuple(tagged.get(key, ())), rated.get(key, (None, ""))[1]
            )
            for key in keys
        }

    def rate(self, key: str, rating: int | None) -> None:
        """Rate a video 0..5; ``None`` takes the rating back.

        Raises:
            ValueError: it is no such number.
        """
        if rating is not None and rating not in RATINGS:
            told = tr("A rating is a whole number from 0 to 5, not {rating!r}.")
            raise ValueError(told.format(rating=rating))
        self._judge(key, rating=rating)
        self._changed(key)

    def note(self, key: str, note: str) -> None:
        """Write a note on a video, in the place of the one before."""
        self._judge(key, note=hide(note.strip()))
        self._changed(key)

    def tag(self, key: str, names: Iterable[str]) -> None:
        """Give a video these tags, in the place of those before."""
        rows = [{"key": key, "tag": tag} for tag in _tidy(names)]
        with self.connected() as connection:
            if connection is None:
                return
            connection.execute(tags.delete().where(tags.c.key == key))
            if rows:
                connection.execute(tags.insert(), rows)
        self._changed(key)

    def prefer(self, better: str, worse: str) -> None:
        """One task's video is better than another's. The same pair may be judged again and again.

        Raises:
            ValueError: a video is compared with itself.
        """
        if better == worse:
            raise ValueError(tr("A video is not better than itself."))
        with self.connected() as connection:
            if connection is not None:
                row = {"better": better, "worse": worse, "judged_at": datetime.now(UTC)}
                connection.execute(preferences.insert().values(row))

    def preferences(self, among: Collection[str] | None = None) -> list[tuple[str, str]]:
        """Every ``(better, worse)``, oldest first.

        Args:
            among: only pairs of which both are among these keys.
        """
        with self.connected() as connection:
            if connection is None:
                return []
            query = sa.select(preferences.c.better, preferences.c.worse).order_by(preferences.c.id)
            pairs = [(better, worse) for better, worse in connection.execute(query)]
        if among is None:
            return pairs
        keys = set(among)
        return [(better, worse) for better, worse in pairs if better in keys and worse in keys]

    @contextmanager
    def connected(self) -> Iterator[sa.Connection | None]:
        """Yield a connection in a transaction on the journal; ``None`` where there is no journal."""
        if not self._journal.exists:
            yield None
            return
        with self._journal.begin() as connection:
            yield connection

    def _changed(self, key: str) -> None:
        if self._on_change is not None:
            self._on_change(key, self.of(key))

    def _judge(self, key: str, **columns: object) -> None:
        columns["judged_at"] = datetime.now(UTC)
        change = judgements.update().where(judgements.c.key == key).values(columns)
        with self.connected() as connection:
            if connection is None or connection.execute(change).rowcount:
                return
            try:
                with connection.begin_nested():
                    connection.execute(judgements.insert().values(key=key, **columns))
            except IntegrityError:  # another kernel was quicker
                connection.execute(change)


def tags_in(text: str) -> tuple[str, ...]:
    """The tags that a person wrote, with commas between them."""
    return _tidy(text.replace("，", ",").replace("、", ",").split(","))


def _tidy(names: Iterable[str]) -> tuple[str, ...]:
    tidy = {hide(" ".join(name.split()))[:_LONGEST_TAG].strip() for name in names}
    return tuple(sorted(tag for tag in tidy if tag))


def _parts(keys: Collection[str]) -> Iterator[list[str]]:
    """A database takes only so many values in one question."""
    listed = list(keys)
    for start in range(0, len(listed), _AT_ONCE):
        yield listed[start : start + _AT_ONCE]
