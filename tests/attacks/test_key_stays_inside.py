"""Attacks by a service that echoes the key in every spelling, with every log and debug print on."""

from __future__ import annotations

import base64
import html
import http.client
import http.cookiejar
import logging
import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import quote, unquote

import pytest

from qingbo_widgets.exceptions import QingboError
from qingbo_widgets.i18n import set_locale
from qingbo_widgets.library.library import Library
from qingbo_widgets.service.client import Client
from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.tasks.manager import TaskManager
from tests.faults.server import Exchange, FaultServer, Step, answer
from tests.faults.service import Service
from tests.service.leaks import shown_by

KEY = "sk-sentinel-3e1f9c7a5b2d"
HALF = len(KEY) // 2

SPELLINGS = {
    "as it is": KEY,
    "upper case": KEY.upper(),
    "zero-width spaces": "\u200b".join(KEY),
    "soft hyphens": "\u00ad".join(KEY),
    "combining joiners": "\u034f".join(KEY),
    "fullwidth": "".join(chr(ord(letter) + 0xFEE0) for letter in KEY),
    "two lines": f"{KEY[:HALF]}\r\n {KEY[HALF:]}",
    "quoted-printable": f"{KEY[:HALF]}=\r\n{KEY[HALF:]}",
    "percent": "".join(f"%{ord(letter):02x}" for letter in KEY),
    "percent twice": quote("".join(f"%{ord(letter):02X}" for letter in KEY)),
    "percent between": "%E2%80%8B".join(KEY),
    "unicode escapes": "".join(f"\\u{ord(letter):04x}" for letter in KEY),
    "byte escapes": "".join(f"\\x{ord(letter):02x}" for letter in KEY),
    "escaped line break": f"{KEY[:HALF]}\\n{KEY[HALF:]}",
    "decimal entities": "".join(f"&#{ord(letter)};" for letter in KEY),
    "hexadecimal entities": "".join(f"&#x{ord(letter):x};" for letter in KEY),
    "entities between": "&shy;".join(KEY),
    "basic": base64.b64encode(f"user:{KEY}".encode()).decode(),
    "bearer": base64.b64encode(f"Bearer {KEY}".encode()).decode(),
    "hexadecimal": KEY.encode().hex(),
    "percent u": "".join(f"%u{ord(letter):04x}" for letter in KEY),
    "quoted-printable letters": "".join(f"={ord(letter):02X}" for letter in KEY),
    "entities, percent": quote("".join(f"&#{ord(letter)};" for letter in KEY)),
    "tags between": "<wbr>".join(KEY),
    "base64 twice": base64.b64encode(base64.b64encode(f"Bearer {KEY}".encode())).decode(),
    "backwards": KEY[::-1],
}


#: The files of the stack frames of a request.
PLACES = re.compile(r"qingbo_widgets/service/|/(requests|urllib3)/|/(http/client|ssl|socket)\.py$")


def unobfuscated(text: str) -> str:
    """Undo everything that escapes, encodes or separates the letters of a text, as a reader could."""
    for _ in range(3):
        text = re.sub(r"(?:\\+u00|\\+x|%u00|=)([0-9a-fA-F]{2})", lambda match: chr(int(match[1], 16)), text)
        text = re.sub(r"<\w+>", "", html.unescape(unquote(text)).replace("\\n", ""))
    coded = decoded(text)
    coded += [decoded_twice for once in coded for decoded_twice in decoded(once)]
    coded += [
        bytes.fromhex(match[0]).decode("latin-1") for match in re.finditer(r"(?:[0-9a-f]{2}){20,}", text)
    ]
    text = "".join(chr(ord(letter) - 0xFEE0) if "！" <= letter <= "～" else letter for letter in text)
    return re.sub(r"[^!-~]|=(?=\W)", "", "\n".join([text, text[::-1], *coded]).replace("=\r\n", "")).lower()


def decoded(text: str) -> list[str]:
    """Return the decoded content of each piece of a text that could be base64."""
    return [
        base64.b64decode(match[0] + "=" * (-len(match[0]) % 4)).decode("latin-1")
        for match in re.finditer(r"[A-Za-z0-9+/]{24,}", text)
        if len(match[0]) % 4 != 1
    ]


def raw(*lines: str, body: str = "") -> Step:
    """Return a step that sends a head of these lines, unchanged, and closes the connection."""

    def step(exchange: Exchange) -> bool:
        content = body.encode()
        head = "\r\n".join((*lines, f"Content-Length: {len(content)}", "", ""))
        exchange.socket.sendall(head.encode("latin-1", "replace") + content)
        return False

    return step


def echoes(spelling: str) -> dict[str, Step]:
    """Return a step for each place of an answer that can echo a text."""
    page = f"<h1>Bad request</h1><p>Authorization: Bearer {spelling}</p>"
    return {
        "status line": raw(f"HTTP/1.1 500 no {spelling}"),
        "no status line": raw(f"Bearer {spelling}"),
        "header": raw("HTTP/1.1 500 No", f"X-Echo: {spelling}", f"Set-Cookie: k={spelling}"),
        "line that is no header": raw("HTTP/1.1 500 No", f"Bearer {spelling}"),
        "name of a header": raw("HTTP/1.1 500 No", f"{spelling}: 1"),
        "redirect": raw("HTTP/1.1 302 There", f"Location: https://b.example/{spelling}?{spelling}"),
        "page": raw("HTTP/1.1 500 No", body=page),
        "page behind styles": raw("HTTP/1.1 500 No", body=f"<style>{'x' * 65490}</style>{page}"),
        "error": answer({"error": {"message": spelling, "code": spelling, "param": spelling}}, 400),
        "text": raw("HTTP/1.1 500 No", body=spelling),
        "success": answer(
            {"task_id": f"task-{spelling}", "status": spelling, "error": {"message": spelling}}
        ),
    }


@pytest.fixture
def full_logging(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Set every log to DEBUG, and turn on the debug prints of Python's HTTP client."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    monkeypatch.setattr(http.cookiejar, "debug", True)
    logger = logging.getLogger("http.cookiejar")
    monkeypatch.setattr(http.cookiejar, "logger", logger)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_the_search_finds_all_spellings(spelling: str) -> None:
    """The search finds the key in every spelling; otherwise the tests below would prove nothing."""
    assert KEY in unobfuscated(f"key {SPELLINGS[spelling]} end")


@pytest.mark.slow
@pytest.mark.usefixtures("full_logging")
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_an_echoed_key_appears_nowhere(
    spelling: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """An echoed key is in no log, cell output, answer, or text, traceback or field of an error."""
    assert KEY in unobfuscated(f"x {SPELLINGS[spelling]} y"), "the search does not find this spelling"
    leaks = []
    for place, step in echoes(SPELLINGS[spelling]).items():
        with FaultServer(step, step, step) as server, Client(KEY, server.url + "/v1") as client:
            shown = []
            for call in (
                lambda client=client: client.submit(VideoRequest(prompt="x")),
                lambda client=client: client.status("task-1"),
            ):
                try:
                    shown.append(str(call().raw))
                except QingboError as error:
                    shown.append(f"{error}\n{shown_by(error)}")
        logged = "\n".join((caplog.text, *capfd.readouterr()))
        caplog.clear()
        leaks += [f"{place}: {text[:300]!r}" for text in (*shown, logged) if KEY in unobfuscated(text)]
    assert leaks == []


@pytest.mark.slow
@pytest.mark.usefixtures("full_logging")
def test_nothing_prints_the_key_of_a_successful_task(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Submitting, following and saving a task print no key, with ``debuglevel`` and every log at DEBUG."""
    service = Service()
    with FaultServer(otherwise=service) as server:
        service.url = server.url
        client = Client(KEY, server.url + "/v1")
        with TaskManager(client, Library(tmp_path / "videos"), poll_interval=0.05) as manager:
            manager.submit(prompt="x").wait(20)
        assert KEY in server.requests[0].headers["authorization"]
    assert KEY not in "\n".join((caplog.text, *capfd.readouterr()))
    assert "urllib3" in caplog.text, "nothing was logged"


def test_no_frame_holds_the_key_while_a_request_waits() -> None:
    """No local variable of a waiting request, nor an attribute of one, shows the key to a debugger."""
    leaks: list[str] = []

    def inspect_frames(exchange: Exchange) -> bool:
        frame: FrameType | None = sys._current_frames()[threading.main_thread().ident or 0]
        while frame is not None:
            if PLACES.search(frame.f_code.co_filename):
                for name, value in frame.f_locals.items():
                    held = f"{value!r} {getattr(value, '__dict__', '')!r} {getattr(value, 'headers', '')!r}"
                    leaks.extend([f"{frame.f_code.co_qualname}: {name}"] if KEY in held else [])
            frame = frame.f_back
        return answer({"task_id": "task-1"})(exchange)

    with FaultServer(inspect_frames, inspect_frames) as server, Client(KEY, server.url + "/v1") as client:
        client.submit(VideoRequest(prompt="x"))
        client.status("task-1")
    assert leaks == []


WRONG: dict[str, Any] = {KEY: 1}
MISPLACED: dict[str, Callable[[TaskManager], object]] = {
    "a setting": lambda manager: TaskManager(manager.client, manager.library, **WRONG),
    "a language": lambda _: set_locale(KEY),
    "a rating": lambda manager: manager.library.judgements.rate("a", KEY),  # type: ignore[arg-type]
    "a field": lambda manager: manager.submit(**WRONG),
}


@pytest.mark.parametrize("call", MISPLACED.values(), ids=MISPLACED)
def test_a_key_in_the_wrong_place_is_not_repeated(
    call: Callable[[TaskManager], object], tmp_path: Path
) -> None:
    """An error about a value that is the key of a client does not show it."""
    with TaskManager(Client(KEY, "http://127.0.0.1:9/v1"), Library(tmp_path)) as manager:
        with pytest.raises((TypeError, ValueError)) as caught:
            call(manager)
        assert KEY not in str(caught.value), "the notebook would be saved with the key"
