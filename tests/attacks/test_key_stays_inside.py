"""A service that echoes the key in every spelling, and a user who lets everything be logged and printed."""

from __future__ import annotations

import base64
import html
import http.client
import http.cookiejar
import logging
import re
import sys
import threading
from pathlib import Path
from types import FrameType
from urllib.parse import quote, unquote

import pytest

from qingbo_widgets.exceptions import QingboError
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


#: The files whose frames a request has on the stack.
PLACES = re.compile(r"qingbo_widgets/service/|/(requests|urllib3)/|/(http/client|ssl|socket)\.py$")


def seen_by_a_reader(text: str) -> str:
    """Return what is left of a text when all that escapes, encodes and separates its letters is undone."""
    for _ in range(3):
        text = re.sub(r"(?:\\+u00|\\+x|%u00|=)([0-9a-fA-F]{2})", lambda found: chr(int(found[1], 16)), text)
        text = re.sub(r"<\w+>", "", html.unescape(unquote(text)).replace("\\n", ""))
    coded = decoded(text)
    coded += [decoded_twice for once in coded for decoded_twice in decoded(once)]
    coded += [
        bytes.fromhex(found[0]).decode("latin-1") for found in re.finditer(r"(?:[0-9a-f]{2}){20,}", text)
    ]
    text = "".join(chr(ord(letter) - 0xFEE0) if "！" <= letter <= "～" else letter for letter in text)
    return re.sub(r"[^!-~]|=(?=\W)", "", "\n".join([text, text[::-1], *coded]).replace("=\r\n", "")).lower()


def decoded(text: str) -> list[str]:
    """Return what the pieces of a text that could be base64 say."""
    return [
        base64.b64decode(found[0] + "=" * (-len(found[0]) % 4)).decode("latin-1")
        for found in re.finditer(r"[A-Za-z0-9+/]{24,}", text)
        if len(found[0]) % 4 != 1
    ]


def raw(*lines: str, body: str = "") -> Step:
    """Answer with a head of these lines, as they are, and hang up."""

    def step(exchange: Exchange) -> bool:
        content = body.encode()
        head = "\r\n".join((*lines, f"Content-Length: {len(content)}", "", ""))
        exchange.socket.sendall(head.encode("latin-1", "replace") + content)
        return False

    return step


def echoes(spelling: str) -> dict[str, Step]:
    """Return the places in which an answer can echo a text."""
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
def everything_is_printed(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Every log at its finest, and the debug prints of Python's own HTTP."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    monkeypatch.setattr(http.cookiejar, "debug", True)
    logger = logging.getLogger("http.cookiejar")
    monkeypatch.setattr(http.cookiejar, "logger", logger)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_the_reader_reads_all_spellings(spelling: str) -> None:
    """Else the tests below would prove nothing."""
    assert KEY in seen_by_a_reader(f"key {SPELLINGS[spelling]} end")


@pytest.mark.usefixtures("everything_is_printed")
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_an_echo_goes_nowhere(
    spelling: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Not into a log, nor the cell's output, nor the text, traceback or fields of an error or answer."""
    assert KEY in seen_by_a_reader(f"x {SPELLINGS[spelling]} y"), "the test could not see it"
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
        leaks += [f"{place}: {text[:300]!r}" for text in (*shown, logged) if KEY in seen_by_a_reader(text)]
    assert leaks == []


@pytest.mark.slow
@pytest.mark.usefixtures("everything_is_printed")
def test_nothing_prints_the_key_while_a_task_is_made(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """With ``debuglevel`` and every log at their finest: submitted, followed, saved."""
    service = Service()
    with FaultServer(otherwise=service) as server:
        service.url = server.url
        client = Client(KEY, server.url + "/v1")
        with TaskManager(client, Library(tmp_path / "videos"), poll_interval=0.05) as manager:
            manager.submit(prompt="x").wait(20)
        assert KEY in server.requests[0].headers["authorization"]
    assert KEY not in "\n".join((caplog.text, *capfd.readouterr()))
    assert "urllib3" in caplog.text, "nothing was logged at all"


def test_no_frame_holds_the_key_while_a_request_waits() -> None:
    """Neither a debugger nor a dump of all threads finds it in a local variable, or in what one holds."""
    found: list[str] = []

    def look(exchange: Exchange) -> bool:
        frame: FrameType | None = sys._current_frames()[threading.main_thread().ident or 0]
        while frame is not None:
            if PLACES.search(frame.f_code.co_filename):
                for name, value in frame.f_locals.items():
                    held = f"{value!r} {getattr(value, '__dict__', '')!r} {getattr(value, 'headers', '')!r}"
                    found.extend([f"{frame.f_code.co_qualname}: {name}"] if KEY in held else [])
            frame = frame.f_back
        return answer({"task_id": "task-1"})(exchange)

    with FaultServer(look, look) as server, Client(KEY, server.url + "/v1") as client:
        client.submit(VideoRequest(prompt="x"))
        client.status("task-1")
    assert found == []
