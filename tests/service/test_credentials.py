"""The lookup of the key, which is never shown."""

from __future__ import annotations

import copy
import pickle
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from qingbo_widgets.exceptions import InvalidRequest, MissingApiKey
from qingbo_widgets.sandbox import Sandbox
from qingbo_widgets.service.client import Client, models
from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.service.credentials import base_url_problem, find_api_key, find_base_url, find_contract
from qingbo_widgets.service.secrets import key_ring
from qingbo_widgets.service.secrets.secret import Secret
from tests.service.leaks import shown_by
from tests.waiting import until

KEY = "sk-sentinel"


def test_the_order_of_the_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """The argument precedes our variable, which precedes those of the service's documentation."""
    monkeypatch.setenv("WAVEAPI_API_KEY", "third")
    assert find_api_key().reveal() == "third"
    monkeypatch.setenv("WAVE_API_KEY", "second")
    assert find_api_key().reveal() == "second"
    monkeypatch.setenv("QINGBO_API_KEY", " first\n")
    assert find_api_key().reveal() == "first"
    assert find_api_key("given").reveal() == "given"
    assert find_api_key(Secret("given")).reveal() == "given"
    assert find_api_key("  ").reveal() == "first"


def test_no_key_anywhere() -> None:
    """The error for a missing key lists every way to set one."""
    with pytest.raises(MissingApiKey) as caught:
        find_api_key()
    for way in ("QINGBO_API_KEY", "https://", "qw.VideoStudio()", "qw.connect(sandbox=True)"):
        assert way in str(caught.value)


@pytest.fixture
def keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Return a function that installs a package ``keyring`` whose ``get_password`` runs some lines."""

    def install(lines: str, first: str = "") -> None:
        (tmp_path / "keyring.py").write_text(
            f"{first}\ndef get_password(service, name):\n"
            "    assert (service, name) == ('qingbo_widgets', 'api_key')\n"
            f"    {lines}\n"
        )

    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "keyring", raising=False)
    monkeypatch.setattr(key_ring, "_pending", None)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield install
    sys.modules.pop("keyring", None)  # monkeypatch would restore this fake for later tests


@pytest.mark.parametrize("answer", [f"return '{KEY}'", f"return ' {KEY}\\n'", f"import time; return '{KEY}'"])
def test_the_keyring_is_asked_last(answer: str, keyring: Callable[[str], None]) -> None:
    """The key in the keyring is found, without the blanks around it."""
    keyring(answer)
    assert find_api_key().reveal() == KEY


@pytest.mark.parametrize(
    ("answer", "first"),
    [
        ("return None", ""),
        ("return ''", ""),
        ("return '  '", ""),
        (f"return b'{KEY}'", ""),
        (f"return ['{KEY}']", ""),
        ("return object()", ""),
        ("return 7", ""),
        ("raise RuntimeError('locked')", ""),
        ("raise SystemExit(1)", ""),
        ("raise KeyboardInterrupt", ""),
        ("return None", "raise ImportError('no backend')"),
        ("return None", "raise SystemExit"),
        ("return None", "raise OSError"),
        ("return None", "del get_password"),
    ],
)
def test_a_keyring_without_a_key(
    answer: str, first: str, keyring: Callable[[str, str], None], capfd: pytest.CaptureFixture[str]
) -> None:
    """A missing, empty, locked or broken keyring, or one with anything but text, is no error of its own."""
    keyring(answer, first)
    with pytest.raises(
        MissingApiKey, match=r"^No API key was found\. Enter a key in qw\.VideoStudio"
    ) as caught:
        find_api_key()
    assert KEY not in shown_by(caught.value)
    assert capfd.readouterr() == ("", ""), "a thread's traceback appeared in the notebook"


def test_a_keyring_that_waits_to_be_unlocked(
    keyring: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked once, waited for once, and named; its late answer is used by the next call."""
    monkeypatch.setattr(key_ring, "PATIENCE", 0.05)
    keyring(
        f"calls.append(1); gate.wait(); return '{KEY}'",
        "import threading\ngate, calls = threading.Event(), []",
    )
    with pytest.raises(MissingApiKey, match=r"the keyring does not answer.*VideoStudio.*QINGBO_API_KEY"):
        find_api_key()
    monkeypatch.setattr(key_ring, "PATIENCE", 600.0)
    lookup = key_ring._pending
    assert lookup is not None
    monkeypatch.setattr(lookup, "_began", time.monotonic() - 600.0)
    with pytest.raises(MissingApiKey, match="the keyring does not answer"):
        find_api_key()  # at once
    assert find_api_key("given").reveal() == "given"
    fake = sys.modules["keyring"]
    fake.gate.set()  # the user unlocks it
    assert lookup.is_done.wait(20.0)
    assert find_api_key().reveal() == KEY
    assert fake.calls == [1], "the user would have been asked to unlock the keyring more than once"


def test_threads_wait_for_one_lookup(keyring: Callable[[str, str], None]) -> None:
    """Of two threads that need the key at once, the second waits for the first one's lookup."""
    keyring(
        f"calls.append(1); gate.wait(20); return '{KEY}'",
        "import threading\ngate, calls = threading.Event(), []",
    )
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(find_api_key)
        until(lambda: getattr(sys.modules.get("keyring"), "calls", []))
        second = pool.submit(find_api_key)
        sys.modules["keyring"].gate.set()
        assert {first.result(20).reveal(), second.result(20).reveal()} == {KEY}


@pytest.mark.parametrize("broken", [f"{KEY} {KEY}", f"{KEY}\r\nX: 1", f"{KEY}，", f"{KEY}\x7f", f"“{KEY}”"])
def test_a_key_that_cannot_be_one(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A malformed key is refused before it is used in a header, and no traceback shows it."""
    monkeypatch.setenv("WAVE_API_KEY", broken)
    with pytest.raises(MissingApiKey, match="in WAVE_API_KEY") as caught:
        find_api_key()
    assert KEY not in shown_by(caught.value)
    with pytest.raises(MissingApiKey, match="API key passed in code") as caught:
        find_api_key(broken)
    assert KEY not in shown_by(caught.value)


def test_a_secret_does_not_show() -> None:
    """Printing, formatting, listing, copying and pickling do not reveal a secret."""
    secret = Secret(f" {KEY} ")
    assert secret.reveal() == KEY
    for text in (repr(secret), str(secret), f"{secret}", f"{[secret]}", str(dir(secret))):
        assert KEY not in text
    for write in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            write(secret)
    with pytest.raises(TypeError):
        vars(secret)


@pytest.mark.parametrize("value", [KEY.encode(), [KEY], bytearray(KEY.encode()), 7])
def test_a_key_that_is_no_text(value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that is not text raises, instead of counting as missing, and is not shown."""
    monkeypatch.setenv("QINGBO_API_KEY", "another-key")
    with pytest.raises(TypeError, match="api_key") as caught:
        find_api_key(value)
    assert KEY not in shown_by(caught.value)


def test_an_address_is_shown_where_it_is_one() -> None:
    """A problem shows the base URL only if it is a URL, and without a password or a signature."""
    problems = {
        address: str(base_url_problem(Secret(address)))
        for address in (KEY, "http://qingbo.dev/v1", f"https://me:{KEY}@qingbo.dev/v1?k={KEY}")
    }
    assert problems[KEY].startswith("base_url: the given value is not an http(s) URL")
    assert problems["http://qingbo.dev/v1"].startswith("base_url: http://qingbo.dev/v1 is not https")
    assert not any(KEY in text for text in problems.values())
    assert base_url_problem(Secret("https://qingbo.dev/v1")) is None


def test_a_secret_hides_itself_in_a_text() -> None:
    """A secret is hidden in a text; an empty secret hides nothing."""
    assert Secret(KEY).hide_in(f"bad key {KEY}!") == "bad key <hidden>!"
    assert Secret("").hide_in("abc") == "abc"


def test_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """The base URL is the contract's, unless the environment overrides it."""
    assert find_base_url() == "https://qingbo.dev/v1"
    monkeypatch.setenv("QINGBO_BASE_URL", "https://b.example/v1")
    assert find_base_url() == "https://b.example/v1"


@pytest.mark.parametrize(
    ("explicit", "variable", "base_url", "chosen"),
    [
        (None, "", None, "2026-04"),
        (None, "", "https://api.qingbo.ai/v1", "2026-11"),
        (None, "", "https://API.qingbo.ai./v1", "2026-11"),
        (None, "", "https://www.qingbo.dev/v1", "2026-04"),
        (None, "", "https://relay.example/v1", "2026-04"),
        (None, "", "https://api.qingbo.ai.example/v1", "2026-04"),
        (None, "", "https://[", "2026-04"),
        (None, "2026-11", "https://qingbo.dev/v1", "2026-11"),
        ("2026-04", "2026-11", "https://api.qingbo.ai/v1", "2026-04"),
    ],
)
def test_the_contract_is_chosen(
    explicit: str | None,
    variable: str,
    base_url: str | None,
    chosen: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The argument precedes the variable, which precedes the host; the first contract is the default."""
    monkeypatch.setenv("QINGBO_CONTRACT", variable)
    assert find_contract(explicit, base_url).name == chosen
    if base_url is not None:
        monkeypatch.setenv("QINGBO_BASE_URL", base_url)
        assert find_contract(explicit).name == chosen


def test_a_chosen_contract_has_an_address_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A contract without an address uses its own, but the key never leaves the one in the environment."""
    assert Client(KEY, contract="2026-11").base_url == "https://api.qingbo.ai/v1"
    assert Client(KEY, contract="2026-04").base_url == "https://qingbo.dev/v1"
    monkeypatch.setenv("QINGBO_BASE_URL", "https://qingbo.dev/v1")
    assert Client(KEY, contract="2026-11").base_url == "https://qingbo.dev/v1"
    assert Client(KEY, "https://relay.example/v1", contract="2026-11").base_url == "https://relay.example/v1"


def test_an_unknown_contract_is_refused() -> None:
    """The error for an unknown date lists the known ones."""
    with pytest.raises(InvalidRequest, match=r"2025-01.*2026-04.*2026-11"):
        find_contract("2025-01")


def test_a_misspelt_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the variable and its value, which is too short for a key and has no letters."""
    monkeypatch.setenv("QINGBO_CONTRACT", "2026-1")
    with pytest.raises(InvalidRequest, match=r"^QINGBO_CONTRACT: '2026-1' is not .*2026-04, 2026-11"):
        find_contract()


@pytest.mark.parametrize("given", [KEY, [KEY], {KEY: 1}, KEY.encode(), 202611])
@pytest.mark.parametrize(
    "call",
    [
        lambda contract: Client("sk-another-key", contract=contract),
        lambda contract: models(contract),
        lambda contract: find_contract(contract),
    ],
)
def test_a_key_given_as_contract_is_not_shown(call: Callable[[Any], object], given: object) -> None:
    """Anything but a date in the contract's place is refused; neither error nor traceback shows it."""
    with pytest.raises(InvalidRequest, match="is not a contract of the service") as caught:
        call(given)
    assert KEY not in shown_by(caught.value)
    assert "202611" not in str(caught.value)


def test_a_key_in_the_contracts_variable_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that was set as ``QINGBO_CONTRACT`` is not shown."""
    monkeypatch.setenv("QINGBO_CONTRACT", KEY)
    with pytest.raises(InvalidRequest, match="is not a contract of the service") as caught:
        find_contract()
    assert KEY not in shown_by(caught.value)


@pytest.mark.parametrize("given", [KEY, [KEY]])
def test_no_error_about_a_contract_shows_a_key(given: Any) -> None:
    """A request and a sandbox refuse what is no date without showing it."""
    request = VideoRequest("kling-v3", "a koi")
    calls: tuple[Callable[[Any], object], ...] = (
        request.problems,
        request.translated,
        lambda contract: Sandbox(contract=contract),
    )
    for call in calls:
        with pytest.raises(ValueError, match=r"[Cc]ontract") as caught:
            call(given)
        assert KEY not in str(caught.value)
