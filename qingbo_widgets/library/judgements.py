"""The user's judgements of videos: ratings, tags, notes and pairwise preferences.

They are stored in separate tables of the journal's database, so that an older library's journal works as well
as a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from ..exceptions import QingboError
from ..i18n import N_, tr
from ..service.secrets.known_keys import hide
from .journal.journal import Journal
from .journal.rows import text_of
from .journal.tables import judgements, preferences, tags

__all__ = ["RATINGS", "Judgement", "Judgements", "judgements_of", "parse_tags"]

RATINGS = range(6)
_LONGEST_TAG = 60
_NO_JOURNAL = N_(
    "Nothing was saved: there is no journal {path}. If its folder was moved, use connect(library=…) "
    "with the new place."
)
_BATCH_SIZE, _MOST_CHOSEN = 500, 5_000


@dataclass(frozen=True)
class Judgement:
    """The user's judgement of one video.

    Attributes:
        rating: 0..5; ``None`` if not rated.
        tags: in alphabetical order.
        note: any text.
    """

    rating: int | None = None
    tags: tuple[str, ...] = ()
    note: str = ""


class Judgements:
    """The judgements of one library.

    Args:
        journal: the database that stores them.
        on_change: called with a task's key and its new judgement.
    """

    def __init__(self, journal: Journal, on_change: Callable[[str, Judgement], None] | None = None) -> None:
        self._journal, self._on_change = journal, on_change

    def of(self, key: str) -> Judgement:
        """Return the judgement of a task; an empty one if there is none."""
        return self.of_all([key])[key]

    def of_all(self, keys: Collection[str]) -> dict[str, Judgement]:
        """Return the judgements of these tasks by key; empty ones for tasks without a judgement."""
        with self.connected() as connection:
            return judgements_of(connection, keys)

    def columns(self, keys: Collection[str]) -> tuple[list[int | None], list[tuple[str, ...]], list[str]]:
        """Return the ratings, the tags and the notes of these tasks, as in ``Judgement``."""
        with self.connected() as connection:
            rated, tagged = _stored(connection, keys)
        unrated: tuple[int | None, str] = None, ""
        each = [rated.get(key, unrated) for key in keys]
        every_tag = {key: tuple(names) for key, names in tagged.items()}
        return (
            [rating for rating, _ in each],
            [every_tag.get(key, ()) for key in keys],
            [note for _, note in each],
        )

    def rate(self, key: str, rating: int | None) -> None:
        """Rate a video 0..5; ``None`` removes the rating.

        Raises:
            QingboError: the journal is missing or cannot be written; so for every change below.
            ValueError: the rating is not a whole number from 0 to 5.
        """
        if rating is not None and rating not in RATINGS:
            message = tr("A rating is a whole number from 0 to 5, not {rating}.")
            raise ValueError(message.format(rating=hide(repr(rating))))
        self._judge(key, rating=rating)
        self._changed(key)

    def note(self, key: str, note: str) -> None:
        """Set the note of a video, replacing the previous one."""
        self._judge(key, note=hide(note.strip()))
        self._changed(key)

    def tag(self, key: str, names: Iterable[str]) -> None:
        """Set the tags of a video, replacing the previous ones."""
        rows = [{"key": key, "tag": tag} for tag in _tidy(names)]
        with self._writing() as connection:
            connection.execute(tags.delete().where(tags.c.key == key))
            if rows:
                connection.execute(tags.insert(), rows)
        self._changed(key)

    def prefer(self, better: str, worse: str) -> None:
        """Record that one task's video is better than another's. A pair may be judged repeatedly.

        Raises:
            ValueError: a video is compared with itself.
        """
        if better == worse:
            raise ValueError(tr("A video is not better than itself."))
        with self._writing() as connection:
            row = {"better": better, "worse": worse, "judged_at": datetime.now(UTC)}
            connection.execute(preferences.insert().values(row))

    def preferences(self, among: Collection[str] | None = None) -> list[tuple[str, str]]:
        """Return every ``(better, worse)`` pair, oldest first.

        Args:
            among: only pairs whose keys are both among these.
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
        """Yield a connection in a transaction on the journal; ``None`` if there is no journal."""
        if not self._journal.exists:
            yield None
            return
        with self._journal.begin() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """Yield a connection as ``connected`` does, and raise if there is no journal."""
        with self.connected() as connection:
            if connection is None:
                raise QingboError(tr(_NO_JOURNAL).format(path=self._journal.place))
            yield connection

    def _changed(self, key: str) -> None:
        if self._on_change is not None:
            self._on_change(key, self.of(key))

    def _judge(self, key: str, **columns: object) -> None:
        columns["judged_at"] = datetime.now(UTC)
        change = judgements.update().where(judgements.c.key == key).values(columns)
        with self._writing() as connection:
            if connection.execute(change).rowcount:
                return
            try:
                with connection.begin_nested():
                    connection.execute(judgements.insert().values(key=key, **columns))
            except IntegrityError:  # another kernel inserted the row first
                connection.execute(change)


def judgements_of(connection: sa.Connection | None, keys: Collection[str]) -> dict[str, Judgement]:
    """Return the judgements of these tasks by key; empty ones for tasks without a judgement.

    Args:
        connection: a connection to the journal; ``None`` if there is no journal.
        keys: the tasks' keys.
    """
    rated, tagged = _stored(connection, keys)
    judged = {
        key: Judgement(rating, tuple(tagged.pop(key, ())), note) for key, (rating, note) in rated.items()
    }
    judged |= {key: Judgement(tags=tuple(names)) for key, names in tagged.items()}
    nothing = Judgement()
    return {key: judged.get(key, nothing) for key in keys}


def _stored(
    connection: sa.Connection | None, keys: Collection[str]
) -> tuple[dict[str, tuple[int | None, str]], dict[str, list[str]]]:
    """Return the rating and the note of each rated task, and the tags of each tagged one."""
    rated: dict[str, tuple[int | None, str]] = {}
    tagged: dict[str, list[str]] = {}
    if connection is None:
        return rated, tagged
    for chosen in _among(keys):
        query = sa.select(judgements.c.key, judgements.c.rating, judgements.c.note)
        for key, rating, note in connection.execute(query.where(chosen(judgements.c.key))).all():
            rated[key] = rating if rating in RATINGS else None, text_of(note)
        query_tags = sa.select(tags.c.key, tags.c.tag).where(chosen(tags.c.key)).order_by(tags.c.tag)
        for key, tag in connection.execute(query_tags).all():
            tagged.setdefault(key, []).append(text_of(tag))
    return rated, tagged


def parse_tags(text: str) -> tuple[str, ...]:
    """Return the tags in a text that separates them by commas, Western or Chinese."""
    return _tidy(text.replace("，", ",").replace("、", ",").split(","))


def _tidy(names: Iterable[str]) -> tuple[str, ...]:
    tidy = {hide(" ".join(name.split()))[:_LONGEST_TAG].strip() for name in names}
    return tuple(sorted(tag for tag in tidy if tag))


def _among(keys: Collection[str]) -> Iterator[Callable[[sa.Column[str]], sa.ColumnElement[bool]]]:
    """Yield the conditions that together select these keys, because a database limits the values in a query.

    For very many keys, reading every row is faster.
    """
    if len(keys) > _MOST_CHOSEN:
        yield lambda _: sa.true()
        return
    ordered = list(keys)
    for start in range(0, len(ordered), _BATCH_SIZE):
        batch = ordered[start : start + _BATCH_SIZE]
        yield lambda column, batch=batch: column.in_(batch)  # type: ignore[misc]
