"""``statuses``: the ends of a task in the words of other services, and the words that are no end."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest

from qingbo_widgets.service.contract.snapshot import TaskStatus
from qingbo_widgets.service.contract.statuses import status_of

NOTHING = {"is_dated": False, "is_full": False, "has_videos": False, "has_error": False}
SPELLINGS: tuple[Callable[[str], str], ...] = (
    *(str, str.upper, str.title, "  {}\n".format),
    *("TASK_STATUS_{}".format, "job_state_{}".format),
)


def in_every_spelling(*words: str) -> list[str]:
    """Return the words in capitals, with blanks and with the prefixes that services use."""
    return [spelled(word) for word, spelled in product(words, SPELLINGS)]


@pytest.mark.parametrize("word", in_every_spelling("failed", "failure", "fail", "expired", "rejected"))
def test_words_for_a_failure(word: str) -> None:
    """These words end the task, also without a reason."""
    assert status_of(word, **NOTHING) is TaskStatus.failed


@pytest.mark.parametrize("word", in_every_spelling("cancelled", "canceled"))
def test_words_for_a_cancellation(word: str) -> None:
    """Both spellings end the task."""
    assert status_of(word, **NOTHING) is TaskStatus.cancelled


@pytest.mark.parametrize("word", in_every_spelling("succeeded", "success", "succeed", "done", "finished"))
@pytest.mark.parametrize("sign", ["has_videos", "is_dated", "is_full"])
def test_words_for_a_success_with_a_sign_of_it(word: str, sign: str) -> None:
    """With a video, the time of the end or 100 %, these words complete the task."""
    assert status_of(word, **NOTHING | {sign: True}) is TaskStatus.completed


@pytest.mark.parametrize("word", ["success", "ok", "succeeded", "SUCCESS"])
def test_words_for_a_success_alone(word: str) -> None:
    """Alone they may be about the request, so the task is followed on."""
    status = status_of(word, **NOTHING)
    assert (status, status.is_ended) == (word, False)


@pytest.mark.parametrize("word", in_every_spelling("error", "timeout", "timed_out", "timed-out", "aborted"))
def test_words_that_may_be_about_an_attempt(word: str) -> None:
    """With a reason or the time of the end the task has failed; without, it is followed on."""
    assert status_of(word, **NOTHING | {"has_error": True}) is TaskStatus.failed
    assert status_of(word, **NOTHING | {"is_dated": True}) is TaskStatus.failed
    assert not status_of(word, **NOTHING).is_ended
    assert not status_of(word, **NOTHING | {"is_full": True}).is_ended


@pytest.mark.parametrize("word", ["NOT_START", "IN_PROGRESS", "排队中", "moderating", "retrying"])
@pytest.mark.parametrize("sign", ["is_full", "has_error"])
def test_words_that_are_no_end(word: str, sign: str) -> None:
    """An unknown word is shown as it is and followed, also beside an error."""
    status = status_of(word, **NOTHING | {sign: True})
    assert (status, status.is_ended) == (word, False)


@pytest.mark.parametrize("word", ["TASK_STATUS_PROCESSING", "job_state_queued"])
def test_a_known_word_behind_a_prefix(word: str) -> None:
    """The service's own words are known behind a prefix, too."""
    assert status_of(word, **NOTHING) is TaskStatus[word.rpartition("_")[2].lower()]


@pytest.mark.parametrize("word", ["submitting", "unconfirmed"])
def test_our_own_names_are_not_the_services(word: str) -> None:
    """A task that the service calls so has an id, so it is in its queue."""
    assert status_of(word, **NOTHING) is TaskStatus.queued


def test_a_dated_video_under_a_running_status() -> None:
    """A video beside the time of the end completes a task that is still called "processing"."""
    ended = NOTHING | {"has_videos": True, "is_dated": True}
    assert status_of("processing", **ended) is TaskStatus.completed
    assert status_of("failed", **ended) is TaskStatus.failed
