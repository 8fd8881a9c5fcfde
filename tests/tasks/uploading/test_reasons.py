"""Refusals of stores in plain words, from answers as the stores document them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import qingbo_widgets as qw

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_proxy")]

#: The status and the code of S3's answer, and a part of the sentence.
ANSWERS = [
    (403, "InvalidAccessKeyId", "does not know this access key"),
    (403, "SignatureDoesNotMatch", "the secret does not belong to the access key"),
    (400, "ExpiredToken", "temporary credentials have expired. Log in again"),
    (400, "InvalidToken", "temporary credentials have expired"),
    (404, "NoSuchBucket", "has no bucket pictures"),
    (403, "AccessDenied", "access was denied.*need these rights in pictures: s3:PutObject"),
    (403, "AllAccessDisabled", "access was denied"),
    (403, "QuotaExceeded", "is full, or its quota is used up"),
    (507, "XMinioStorageFull", "is full, or its quota is used up"),
    (400, "EntityTooLarge", "larger than the store allows"),
    (503, "SlowDown", "overloaded or out of order .SlowDown."),
    (500, "InternalError", "overloaded or out of order"),
    (400, "AuthorizationHeaderMalformed", "another region.*'region_name': 'eu-central-1'"),
    (400, "MalformedXML", "refused the request: MalformedXML: the message at https://pictures.example/x$"),
]
TRANSIENT = {"SlowDown", "InternalError"}


class _Answers(BaseHTTPRequestHandler):
    """A store that refuses every upload with the same answer."""

    status, code, date = 403, "AccessDenied", ""
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        """Answer that there is no such object, without a reason, as S3 does."""
        self.send_response(403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_PUT(self) -> None:
        """Refuse an upload."""
        self.rfile.read(int(self.headers["Content-Length"]))
        body = (
            f"<?xml version='1.0'?><Error><Code>{self.code}</Code><Message>the message at https://pictures.example"
            f"/x?X-Amz-Signature=0123abcd</Message><Region>eu-central-1</Region><RequestId>1</RequestId></Error>"
        ).encode()
        self.send_response_only(self.status)
        self.send_header("Date", self.date or self.date_time_string())
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


Refuse = Callable[..., qw.UploadFailed]


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Refuse]:
    """Yield a function that returns the error of an upload which a store refuses with a status and a code."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    (file := tmp_path / "koi.jpg").write_bytes(b"koi")

    def refuse(status: int, code: str, date: str = "") -> qw.UploadFailed:
        monkeypatch.setattr(_Answers, "status", status)
        monkeypatch.setattr(_Answers, "code", code)
        monkeypatch.setattr(_Answers, "date", date)
        url = f"http://127.0.0.1:{server.server_port}"
        store = qw.Storage("s3://pictures/2026", key="k", secret="s" * 12, endpoint_url=url)
        with pytest.raises(qw.UploadFailed) as raised:
            store.publish(file, lambda *_: None)
        return raised.value

    yield refuse
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("status", "code", "sentence"), ANSWERS)
def test_a_refusal_is_put_into_words(refused: Refuse, status: int, code: str, sentence: str) -> None:
    """Each refusal names the reason and the next step, and never a signature."""
    error = refused(status, code)
    with pytest.raises(qw.UploadFailed, match=sentence):
        raise error
    assert str(error).startswith("s3://pictures/2026 (127.0.0.1:")
    assert "0123abcd" not in str(error)
    assert error.transient == (code in TRANSIENT)


def test_a_wrong_clock_is_named_with_its_offset(refused: Refuse) -> None:
    """The error says which time the store has, and how far this machine's clock is off."""
    theirs = datetime.now(UTC) + timedelta(minutes=25)
    error = refused(403, "RequestTimeTooSkewed", format_datetime(theirs, usegmt=True))
    assert f"the store's shows {theirs:%Y-%m-%d %H:%M} UTC, 25 min away from it" in str(error)


def test_a_page_of_a_gateway_is_cut(refused: Refuse) -> None:
    """A long text from something in between does not fill the notebook."""
    assert len(str(refused(400, "X" * 5000))) < 600
