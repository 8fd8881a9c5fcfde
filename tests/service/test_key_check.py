"""The check of a key: every answer of the service, at no cost, and without the key in any text."""

from __future__ import annotations

import pytest

from qingbo_widgets.sandbox import Sandbox
from qingbo_widgets.service.client import Client
from qingbo_widgets.service.key_check import NO_TASK, Verdict
from tests.faults.server import FaultServer, Step, answer, close, html, redirect
from tests.service.conftest import KEY

#: The answer of a service, and the verdict on the key.
ANSWERS: dict[str, tuple[Step, Verdict]] = {
    "unknown key": (answer({"error": {"message": "no such key", "code": "auth"}}, 401), Verdict.refused),
    "without a code": (answer({"error": {"message": "missing token identity"}}, 401), Verdict.refused),
    "a page with 401": (html("<p>Unauthorized</p>", 401), Verdict.refused),
    "forbidden": (answer({"error": {"message": "disabled", "code": "key_disabled"}}, 403), Verdict.refused),
    "no such task": (answer({"error": {"message": "no", "code": "task_not_found"}}, 404), Verdict.known),
    "no such task, by another status": (
        answer({"error": {"message": "no", "code": "task_not_exist"}}, 400),
        Verdict.known,
    ),
    "no such task, in an envelope": (
        answer({"success": False, "code": "task_not_exist", "message": "任务不存在"}),
        Verdict.known,
    ),
    "no such path": (answer({"detail": "Not Found"}, 404), Verdict.unclear),
    "a firewall's page": (html("<p>Blocked</p>", 403), Verdict.unclear),
    "a gateway's own key": (
        answer({"success": False, "code": "invalid_api_key", "message": "bad"}),
        Verdict.unclear,
    ),
    "a bad request": (answer({"error": {"message": "odd", "code": "bad"}}, 400), Verdict.unclear),
    "too many": (answer({"error": {"message": "slow down", "code": "rate"}}, 429), Verdict.unclear),
    "a fault": (html("<p>Bad gateway</p>", 502), Verdict.unclear),
    "a redirect": (redirect("https://elsewhere.example/"), Verdict.unclear),
    "another task": (answer({"task_id": "task-1", "status": "queued"}), Verdict.unclear),
}


@pytest.mark.parametrize(("step", "verdict"), ANSWERS.values(), ids=ANSWERS)
def test_every_answer_has_a_verdict(
    server: FaultServer, client: Client, step: Step, verdict: Verdict
) -> None:
    """One GET of a task that cannot exist decides; nothing is submitted."""
    server.then(step)
    result = client.check_key()
    assert result.verdict is verdict, f"a user would read {result.message!r}"
    assert [(one.method, one.path) for one in server.requests] == [("GET", f"/v1/tasks/{NO_TASK}")]
    assert bool(result.message) == (verdict is not Verdict.known)


def test_the_message_quotes_the_service_and_hides_the_key(server: FaultServer, client: Client) -> None:
    """A service may echo the key in its refusal."""
    server.then(answer({"error": {"message": f"no key {KEY}", "code": KEY}}, 401))
    assert client.check_key().message == (
        'The service does not accept this key. Its response: "no key <hidden>"'
    )
    assert KEY not in client.key_refusal


def test_a_service_that_does_not_answer_leaves_the_key_unclear(server: FaultServer, client: Client) -> None:
    """Network trouble says nothing about the key."""
    server.then(close, close)
    result = client.check_key()
    assert result.verdict is Verdict.unclear
    assert result.message.startswith("The key could not be checked. ")


@pytest.mark.parametrize("contract", ["2026-04", "2026-11"])
@pytest.mark.parametrize(("is_right", "verdict"), [(True, Verdict.known), (False, Verdict.refused)])
def test_both_contracts_of_the_sandbox(contract: str, is_right: bool, verdict: Verdict) -> None:
    """The sandbox answers as each contract documents: 404 to its own key, 401 to any other."""
    with Sandbox(contract=contract) as sandbox:
        client = Client(sandbox.api_key if is_right else KEY, sandbox.base_url, contract=contract)
        assert client.check_key().verdict is verdict
        client.close()


def test_a_good_answer_takes_the_refusal_back(server: FaultServer, client: Client) -> None:
    """A machine of the service that starts may not have the keys yet."""
    server.then(*(ANSWERS[name][0] for name in ("unknown key", "no such task")))
    client.check_key()
    assert client.key_refusal == "no such key"
    client.check_key()
    assert client.key_refusal == ""


def test_another_key_goes_to_the_same_place(server: FaultServer, client: Client) -> None:
    """Only the key differs."""
    client.connect_arguments = ("library='videos'",)
    other = client.with_key("sk-another-0123456789")
    assert (other.base_url, other.contract, other.connect_arguments) == (
        client.base_url,
        client.contract,
        client.connect_arguments,
    )
    server.then(ANSWERS["no such task"][0])
    assert other.check_key().verdict is Verdict.known
    assert server.requests[0].headers["authorization"] == "Bearer sk-another-0123456789"
    other.close()


@pytest.mark.parametrize(
    ("given", "variable", "source"),
    [
        (KEY, "", "The current key was passed in code."),
        (None, "QINGBO_API_KEY", "The current key is in the environment variable QINGBO_API_KEY."),
        (None, "WAVE_API_KEY", "The current key is in the environment variable WAVE_API_KEY."),
    ],
)
def test_the_place_of_the_key_is_named(
    monkeypatch: pytest.MonkeyPatch, given: str | None, variable: str, source: str
) -> None:
    """The place is named, and never the key."""
    if variable:
        monkeypatch.setenv(variable, KEY)
    assert Client(given).key_source == source
