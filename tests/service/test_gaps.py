"""The client works with a service that has made either choice where the documentation of 2026-11 is open.

Each test runs a real client against a real sandbox once for every choice of one gap.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

import qingbo_widgets as qw
from qingbo_widgets.sandbox import Faults, Sandbox
from qingbo_widgets.sandbox.gaps import Gaps
from qingbo_widgets.service.prices import PriceFinder
from tests.waiting import until

pytestmark = pytest.mark.slow

KOI = qw.VideoRequest("kling-v3", "A koi", duration=3)
FAILING = Faults(fail="upstream_unavailable")
ROBOT = {
    "name": "robot",
    "description": "a red robot",
    "element_input_urls": [f"https://a.example/{n}.png" for n in range(4)],
}


def choices(name: str) -> tuple[Any, ...]:
    """Return the choices of a gap."""
    return get_args(get_type_hints(Gaps)[name])


def every(name: str) -> pytest.MarkDecorator:
    """Return a mark that runs a test with each choice of a gap."""
    return pytest.mark.parametrize(name, choices(name))


@contextmanager
def service(faults: Faults | None = None, **gaps: Any) -> Iterator[qw.Client]:
    """Yield a client of a fast sandbox that has made these choices."""
    with (
        Sandbox(speed=200, draft=True, contract="2026-11", faults=faults, gaps=Gaps(**gaps)) as sandbox,
        qw.Client(sandbox.api_key, sandbox.base_url, contract="2026-11") as client,
    ):
        yield client


def ended(client: qw.Client, request: qw.VideoRequest = KOI) -> qw.TaskSnapshot:
    """Submit a request, and return the last snapshot of its task."""
    task_id = client.submit(request).task_id
    until(lambda: client.status(task_id).status.is_ended)
    return client.status(task_id)


@every("times")
def test_units_of_times(times: str) -> None:
    """Times are right in either unit, and a link is valid for seven days after the end."""
    with service(times=times) as client:
        snapshot = ended(client)
    now = datetime.now(UTC)
    assert snapshot.created_at is not None
    assert snapshot.completed_at is not None
    assert abs(now - snapshot.created_at) < timedelta(minutes=1)
    (video,) = snapshot.videos
    assert video.expires_at is not None
    assert abs(video.expires_at - snapshot.completed_at - timedelta(days=7)) <= timedelta(seconds=1)


@every("submit_progress")
def test_progress_of_a_submit(submit_progress: str) -> None:
    """A new task is at 0 %."""
    with service(FAILING, submit_progress=submit_progress) as client:
        snapshot = client.submit(KOI)
    assert (snapshot.status, snapshot.progress) == ("queued", 0)
    assert snapshot.frozen == 3 * 37_800


@every("cancelled_progress")
def test_progress_of_a_cancelled_task(cancelled_progress: str) -> None:
    """A cancelled task has ended, and costs nothing, whatever its progress says."""
    with Sandbox(contract="2026-11", gaps=Gaps(cancelled_progress=cancelled_progress)) as sandbox:  # type: ignore[arg-type]  # one of the choices
        client = qw.Client(sandbox.api_key, sandbox.base_url, contract="2026-11")
        task_id = client.submit(KOI).task_id
        assert client.cancel(task_id).status == "cancelled"
        snapshot = client.status(task_id)
        client.close()
    assert snapshot.status.is_ended
    assert (snapshot.status, snapshot.cost) == ("cancelled", 0)


@every("error_fields")
def test_fields_of_errors(error_fields: str) -> None:
    """Each error is of its class, with its code."""
    with service(error_fields=error_fields) as client:
        with pytest.raises(qw.TaskNotFound) as missing:
            client.status("task-unknown")
        with pytest.raises(qw.BadRequest) as refused:
            client.submit(qw.VideoRequest("kling-v9", "A koi"))
    assert missing.value.code == "task_not_found"
    assert (refused.value.status, refused.value.code) == (404, "model_not_found")
    assert "Nothing was charged" in str(refused.value)


@every("unauthorized")
def test_bodies_of_401(unauthorized: str) -> None:
    """A wrong key is reported as such, and nothing counts as submitted."""
    with service(unauthorized=unauthorized) as client:
        stranger = qw.Client("sk-wrong-key", client.base_url, contract="2026-11")
        with pytest.raises(qw.AuthenticationFailed, match="key is wrong, not active, or"):
            stranger.submit(KOI)
        stranger.close()


@every("balance_code")
def test_codes_of_402(balance_code: str) -> None:
    """An empty account is reported as such."""
    with (
        service(Faults(no_balance=True), balance_code=balance_code) as client,
        pytest.raises(qw.InsufficientBalance, match="Top up"),
    ):
        client.submit(KOI)


@every("several_errors")
def test_several_errors_at_once(several_errors: str) -> None:
    """A refusal for several reasons is a refusal, and quotes them."""
    body = {"model": "kling-v3", "prompt": "A koi", "duration": 99, "resolution": "8k"}
    with service(several_errors=several_errors) as client, pytest.raises(qw.BadRequest) as refused:
        client._transport.call("POST", "/tasks", json=body)
    named = [name in refused.value.message for name in ("duration", "resolution")]
    assert sum(named) == (2 if several_errors == "joined" else 1)


@every("model_case")
def test_case_of_a_model(model_case: str) -> None:
    """A model in other letters is sent as the user wrote it, and the service decides."""
    request = qw.VideoRequest("Kling-V3", "A koi", duration=3)
    with service(FAILING, model_case=model_case) as client:
        if model_case == "ignored":
            assert client.submit(request).status == "queued"
        else:
            with pytest.raises(qw.BadRequest, match="Kling-V3"):
                client.submit(request)


@every("completed_event")
def test_words_of_callback_events(completed_event: str) -> None:
    """The user can name a completed task in the service's word, whichever it is."""
    url = "http://127.0.0.1:9/hook"
    with service(FAILING, completed_event=completed_event) as client:
        for word in choices("completed_event"):
            request = KOI.replace(callback_url=url, callback_events=[word])
            if word == completed_event:
                assert client.submit(request).status == "queued"
            else:
                with pytest.raises(qw.BadRequest, match="callback_events"):
                    client.submit(request)


@every("other_body")
def test_a_key_with_another_body(other_body: str) -> None:
    """A key that returns with another body makes no second task."""
    with service(FAILING, other_body=other_body) as client:
        first = client.submit(KOI, idempotency_key="one")
        other = KOI.replace(prompt="A heron")
        if other_body == "refused":
            with pytest.raises(qw.BadRequest):
                client.submit(other, idempotency_key="one")
        else:
            assert client.submit(other, idempotency_key="one").task_id == first.task_id


@every("resubmitted")
def test_state_of_a_resubmitted_task(resubmitted: str) -> None:
    """A task that is submitted again with its key is the same one; its status tells how far it is."""
    with service(FAILING, resubmitted=resubmitted) as client:
        first = client.submit(KOI, idempotency_key="one")
        until(lambda: client.status(first.task_id).status.is_ended)
        again = client.submit(KOI, idempotency_key="one")
        assert again.task_id == first.task_id
        assert client.status(first.task_id).status == "failed"


@every("refused_key")
def test_the_key_of_a_refused_submit(refused_key: str) -> None:
    """A corrected request gets a key of its own, so it is accepted even if the first key is used up."""
    with service(FAILING, refused_key=refused_key) as client:
        with pytest.raises(qw.BadRequest):
            client.submit(qw.VideoRequest("kling-v9", "A koi"), idempotency_key="one")
        assert client.submit(KOI, idempotency_key="two").status == "queued"


@every("long_wait")
def test_a_long_wait(long_wait: str) -> None:
    """A wait of more than 60 s is refused before it is sent, so the service's choice does not matter."""
    with service(FAILING, long_wait=long_wait) as client, pytest.raises(qw.InvalidRequest, match="60"):
        client.submit(KOI, wait=90)


@every("unfinished_status")
def test_a_wait_that_is_too_short(unfinished_status: int) -> None:
    """A submit that waited in vain returns the task's state, whatever the HTTP status."""
    with Sandbox(contract="2026-11", gaps=Gaps(unfinished_status=unfinished_status)) as sandbox:  # type: ignore[arg-type]  # one of the choices
        client = qw.Client(sandbox.api_key, sandbox.base_url, contract="2026-11")
        snapshot = client.submit(KOI, wait=1)
        client.close()
    assert not snapshot.status.is_ended
    assert snapshot.frozen == 3 * 37_800


@every("billing_status")
def test_billing_status(billing_status: str) -> None:
    """The billing status is what the service sends, or empty."""
    with service(billing_status=billing_status) as client:
        snapshot = ended(client)
    assert snapshot.billing_status == ("" if billing_status == "never" else "settled")
    assert snapshot.cost == 3 * 37_800


@every("expires_at")
def test_expiry_of_a_link(expires_at: str) -> None:
    """The time at which a link expires is read from the newest response."""
    with service(expires_at=expires_at) as client:
        first = ended(client)
        second = client.status(first.task_id)
    assert first.completed_at is not None
    for snapshot in (first, second):
        expiry = snapshot.videos[0].expires_at
        assert expiry is not None
        assert expiry - first.completed_at >= timedelta(days=7) - timedelta(seconds=1)


@every("reset_at")
@every("window_fields")
def test_the_end_of_a_spending_window(reset_at: str, window_fields: str) -> None:
    """The time at which a spending window ends is read in every unit and from both places."""
    faults = Faults(quota_window=1200)
    with (
        service(faults, reset_at=reset_at, window_fields=window_fields) as client,
        pytest.raises(qw.RateLimited) as refused,
    ):
        client.submit(KOI)
    assert refused.value.code == "quota_window_exceeded"
    assert refused.value.reset_at is not None
    seconds = (refused.value.reset_at - datetime.now(UTC)).total_seconds()
    assert 1100 < seconds < 1202
    assert refused.value.retry_after == pytest.approx(seconds, abs=60)


@every("unreadable_video")
def test_an_unreadable_input_video(unreadable_video: str, tmp_path: Path) -> None:
    """A video without a readable length is refused with the advice to use another file, or accepted."""
    with service(FAILING, unreadable_video=unreadable_video) as client:
        url = client.base_url.removesuffix("/v1") + "/videos/none.mp4"
        request = qw.VideoRequest("kling-v3-omni", "A koi", action="edit", video_urls=url)
        if unreadable_video == "billed":
            assert client.submit(request).status == "queued"
        else:
            with pytest.raises(qw.BadRequest, match="length of the input video") as refused:
                client.submit(request)
            assert refused.value.code == "input_video_duration_unknown"


@every("unreachable_video")
def test_an_unreachable_input_video(unreachable_video: str) -> None:
    """A video on a host that the sandbox cannot reach is accepted or refused, as chosen."""
    request = qw.VideoRequest("kling-v3-omni", "A koi", action="edit", video_urls="http://127.0.0.1:9/a.mp4")
    with service(FAILING, unreachable_video=unreachable_video) as client:
        if unreachable_video == "assumed":
            assert client.submit(request).status == "queued"
        else:
            with pytest.raises(qw.BadRequest, match="input_video_duration_unknown"):
                client.submit(request)


@every("intelligence_shots")
def test_shots_that_the_model_chooses(intelligence_shots: str) -> None:
    """Shots beside ``intelligence`` are sent as the user wrote them, and the service decides."""
    request = KOI.replace(
        multi_shot=True, shot_type="intelligence", multi_prompt=[{"prompt": "A koi", "duration": 3}]
    )
    with service(FAILING, intelligence_shots=intelligence_shots) as client:
        if intelligence_shots == "allowed":
            assert client.submit(request).status == "queued"
        else:
            with pytest.raises(qw.BadRequest, match="multi_prompt"):
                client.submit(request)


@every("elements")
def test_pictures_of_elements(elements: str) -> None:
    """Three elements of four pictures are three entries to the client; a service may count the pictures."""
    request = qw.VideoRequest("kling-v3-omni", "@robot dances", element_list=[ROBOT] * 3)
    with service(FAILING, elements=elements) as client:
        if elements == "entries":
            assert client.submit(request).status == "queued"
        else:
            with pytest.raises(qw.BadRequest, match="element_list"):
                client.submit(request)


@every("quote")
def test_access_to_the_quote(quote: str) -> None:
    """A quote that answers is the price; otherwise the estimate is, and the key stays away."""
    with service(quote=quote) as client:
        price = PriceFinder(client).find(KOI)
    assert price.quota == 3 * 37_800
    assert price.source is (qw.PriceSource.quote if quote == "public" else qw.PriceSource.estimate)


@every("quote_code")
def test_codes_of_a_quote(quote_code: int | str) -> None:
    """Each code of success is read as one."""
    with service(quote_code=quote_code) as client:
        assert client.quote(KOI).quota == 3 * 37_800


@every("quote_status")
def test_statuses_of_a_refused_quote(quote_status: str) -> None:
    """A refusal is no price, whatever its status."""
    with service(Faults(price_missing=True), quote_status=quote_status) as client:
        try:
            price = client.quote(KOI)
        except qw.ServiceError:
            return
    assert not price.is_known
    assert price.reason


@every("estimate_field")
def test_fields_of_an_estimate(estimate_field: str) -> None:
    """The amount is found in either field."""
    with service(estimate_field=estimate_field) as client:
        assert client.estimate(KOI).quota == 3 * 37_800


def test_every_gap_is_tested() -> None:
    """No gap of the documentation is left out here."""
    marks = [
        mark.args[0]
        for _, test in inspect.getmembers(sys.modules[__name__], inspect.isfunction)
        for mark in getattr(test, "pytestmark", [])
        if mark.name == "parametrize"
    ]
    assert set(marks) == {field.name for field in fields(Gaps)}


def test_a_task_from_the_form_to_the_file(tmp_path: Path) -> None:
    """A task of 2026-11 is followed to the saved file, with its cost in the library."""
    with Sandbox(speed=200, draft=True, contract="2026-11") as sandbox:
        client = qw.Client(sandbox.api_key, sandbox.base_url, contract="2026-11")
        with qw.TaskManager(client, qw.Library(tmp_path), poll_interval=0.1) as manager:
            task = manager.submit(KOI, mode="pro")
            assert task.wait(30) is task
            assert task.cost == 3 * 50_400
            assert task.video_path is not None
            assert task.video_path.stat().st_size > 1000
            (entry,) = manager.library.entries()
    assert (entry.cost, entry.contract, entry.billing_status) == (3 * 50_400, "2026-11", "settled")
