"""Tests of the transport against HTTP failures on a real socket."""

from __future__ import annotations

import gzip
import logging
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType

import pytest

from qingbo_widgets.exceptions import (
    ConnectionFailed,
    DownloadFailed,
    InvalidRequest,
    RateLimited,
    ServerFault,
)
from qingbo_widgets.service.http.transport import Transport
from qingbo_widgets.service.secrets.secret import Secret
from tests.faults.server import (
    Exchange,
    FaultServer,
    Step,
    answer,
    close,
    drip,
    html,
    partial,
    redirect,
    reset,
    silence,
)
from tests.service.leaks import chain_of, shown_by

KEY = "sk-sentinel-0123456789"
BODY = {"model": "kling-v3", "prompt": "锦鲤"}


def post(transport: Transport) -> dict[str, object]:
    """Submit a request."""
    return transport.call("POST", "/tasks", json=BODY, unclear="UNCLEAR").content


def test_what_is_sent(transport: Transport, server: FaultServer) -> None:
    """A request carries the key as a bearer token, a JSON body, and the headers that were passed."""
    server.then(answer({"task_id": "t"}))
    answered = transport.call("POST", "/tasks", json=BODY, headers={"Idempotency-Key": "k"})
    assert answered.content == {"task_id": "t"}
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/v1/tasks")
    assert request.json == BODY
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["content-type"] == request.headers["accept"] == "application/json"
    assert request.headers["idempotency-key"] == "k"


def test_the_connection_is_kept(transport: Transport, server: FaultServer) -> None:
    """Twenty polls use one connection, and an error in between does not end it."""
    server.then(*[answer({})] * 10, answer({"error": "busy"}, 503), *[answer({})] * 10)
    for _ in range(10):
        transport.call("GET", "/tasks/t")
    with pytest.raises(ServerFault):
        transport.call("GET", "/tasks/t")
    for _ in range(10):
        transport.call("GET", "/tasks/t")
    assert {request.connection for request in server.requests} == {1}


def test_each_thread_has_its_own_connection(transport: Transport, server: FaultServer) -> None:
    """Two simultaneous requests do not wait for each other."""
    both = threading.Barrier(2)

    def meet(exchange: Exchange) -> bool:
        both.wait(5)
        return answer({})(exchange)

    server.then(meet, meet)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda _: post(transport), range(2))) == [{}, {}]
    assert {request.connection for request in server.requests} == {1, 2}


def test_closing_is_not_the_end(transport: Transport, server: FaultServer) -> None:
    """A call after ``close()`` opens a new connection."""
    server.then(answer({}), answer({}))
    post(transport)
    transport.close()
    post(transport)
    assert {request.connection for request in server.requests} == {1, 2}


def test_refused(transport: Transport) -> None:
    """After a refused connection, only the error of a submission says that nothing was sent."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and never listens
        unreachable = Transport(Secret(KEY), f"http://127.0.0.1:{taken.getsockname()[1]}")
        for method, body, hint in (("POST", BODY, "Nothing was sent."), ("GET", None, "UNCLEAR")):
            with pytest.raises(ConnectionFailed, match=r"127.0.0.1 refused") as caught:
                unreachable.call(method, "/tasks", json=body, unclear="UNCLEAR")
            assert caught.value.sent is False
            assert str(caught.value).endswith(hint), (
                "a status request about a paid task must not say that nothing was sent"
            )


def test_an_unknown_name() -> None:
    """An unknown host name means that nothing was sent."""
    lost = Transport(Secret(KEY), "https://qingbo.invalid/v1", (2.0, 2.0))
    with pytest.raises(ConnectionFailed, match=r"qingbo.invalid was not found.*online") as caught:
        post(lost)
    assert caught.value.sent is False


def test_no_encryption_where_it_is_expected(server: FaultServer) -> None:
    """A failed TLS handshake means that nothing was sent, because it precedes the request."""
    with pytest.raises(ConnectionFailed, match="TLS") as caught:
        post(Transport(Secret(KEY), server.url.replace("http:", "https:")))
    assert caught.value.sent is False
    assert server.requests == []


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (close, "closed the connection"),
        (reset, "closed the connection"),
        (partial(b'{"task_id": "t"}', 5), "closed the connection"),
        (answer(b"not gzip", Content_Encoding="gzip"), "malformed"),
        (answer(b"x" * (4 * 1024**2 + 1)), "malformed"),
    ],
    ids=["close", "reset", "partial", "encoding", "endless"],
)
def test_a_submission_without_an_answer_is_sent_once(
    transport: Transport, server: FaultServer, fault: Step, words: str
) -> None:
    """A submission that may have been billed is not repeated, and the error says so."""
    server.then(fault, answer({"task_id": "second"}))
    with pytest.raises(ConnectionFailed, match=f"{words}.* UNCLEAR") as caught:
        post(transport)
    assert caught.value.sent is True
    assert len(server.requests) == 1


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("fault", [silence, drip(b" " * 1000, 0.02)], ids=["silence", "drip"])
def test_an_answer_that_takes_too_long(
    hurried: Transport, server: FaultServer, fault: Step, method: str
) -> None:
    """Neither silence nor an endless drip of bytes blocks a thread for long, and there is no second try."""
    server.then(fault, answer({}))
    with pytest.raises(ConnectionFailed, match="did not answer in time") as caught:
        hurried.call(method, "/tasks", json=BODY if method == "POST" else None)
    assert caught.value.sent is True
    assert len(server.requests) == 1
    assert KEY not in shown_by(caught.value)


@pytest.mark.parametrize("fault", [close, reset], ids=["close", "reset"])
def test_a_dead_connection_that_was_kept(transport: Transport, server: FaultServer, fault: Step) -> None:
    """A status request is repeated on a new connection; a submission is not, because it may have arrived."""
    server.then(answer({}), fault, answer({"status": "queued"}))
    post(transport)
    assert transport.call("GET", "/tasks/t").content == {"status": "queued"}
    assert [request.connection for request in server.requests] == [1, 1, 2]
    server.then(fault, answer({}))
    with pytest.raises(ConnectionFailed) as caught:
        post(transport)
    assert caught.value.sent is True


def test_a_status_call_gives_up(transport: Transport, server: FaultServer) -> None:
    """A status request whose connection breaks twice raises an error."""
    server.then(close, close, answer({}))
    with pytest.raises(ConnectionFailed):
        transport.call("GET", "/tasks/t")
    assert len(server.requests) == 2


def test_a_compressed_answer(transport: Transport, server: FaultServer) -> None:
    """A compressed answer is decompressed."""
    server.then(answer(gzip.compress(b'{"a": 1}'), Content_Encoding="gzip"))
    assert transport.call("GET", "/").content == {"a": 1}


def test_an_answer_that_grows_when_unpacked(transport: Transport, server: FaultServer) -> None:
    """A decompression bomb raises an error before it fills the memory."""
    server.then(answer(gzip.compress(b" " * 64 * 1024**2), Content_Encoding="gzip"))
    with pytest.raises(ConnectionFailed, match="malformed"):
        transport.call("GET", "/")


def test_errors_come_from_the_tree(transport: Transport, server: FaultServer) -> None:
    """A status outside 2xx, a page and a redirect each raise their error; the redirect is not followed."""
    server.then(
        answer({"error": {"message": "slow down"}}, 429, Retry_After="7"),
        html("<h1>Bad Gateway</h1>"),
        html("<h1>Welcome</h1>", 200),
        answer([]),
        redirect(server.url + "/elsewhere"),
    )
    with pytest.raises(RateLimited) as limited:
        post(transport)
    assert limited.value.retry_after == 7
    for words in (
        "502: .*Bad Gateway. UNCLEAR",
        "200: .*Welcome",
        "200: ",
        "302: it redirects to .*/elsewhere",
    ):
        with pytest.raises(ServerFault, match=words):
            post(transport)
    assert len(server.requests) == 5


FAULTS = {
    "close": (close,),
    "encoding": (answer(b"x", Content_Encoding="gzip"),),
    "echo": (answer({"error": {"message": f"bad {KEY}", "code": KEY, "param": KEY}}, 401),),
    "page": (html(f"<p>Authorization: Bearer {KEY}</p>"),),
    "redirect": (redirect(f"https://b.example/{KEY}"),),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_no_error_shows_the_key(
    transport: Transport, server: FaultServer, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The key is in no error's text, traceback or log, and no error of a library is chained to ours."""
    caplog.set_level(logging.DEBUG)
    server.then(*FAULTS[fault])
    with pytest.raises(Exception, match=r"\w") as caught:
        post(transport)
    assert KEY in server.requests[0].headers["authorization"]
    assert KEY not in shown_by(caught.value)
    assert KEY not in caplog.text
    assert [type(link).__module__ for link in chain_of(caught.value)] == ["qingbo_widgets.exceptions"]


def test_an_interrupt_does_not_show_the_key(transport: Transport, server: FaultServer) -> None:
    """The traceback of an interrupted request has no frame that holds the key."""

    def interrupt(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_name == "getresponse":  # the request is out
            sys.setprofile(None)
            raise KeyboardInterrupt

    server.then(answer({}))
    sys.setprofile(interrupt)
    try:
        with pytest.raises(KeyboardInterrupt) as caught:
            post(transport)
    finally:
        sys.setprofile(None)
    assert KEY not in shown_by(caught.value)
    assert len(list(chain_of(caught.value))) == 1


@pytest.mark.parametrize(
    "address", ["http://qingbo.dev/v1", "https://me:hidden@qingbo.dev", "ftp://a.example", "qingbo.dev", ""]
)
def test_where_the_key_does_not_go(address: str) -> None:
    """An unsafe base URL is rejected before anything is sent, and shown without a possible password."""
    with pytest.raises(InvalidRequest, match="base_url") as caught:
        Transport(Secret(KEY), address)
    assert "hidden" not in str(caught.value)
    assert isinstance(caught.value, ValueError)


def test_a_proxy_is_not_asked_for_this_machine(
    transport: Transport, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests to this machine bypass the environment's proxy, which would see the key and not reach it."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server.then(answer({}), answer(b"v"))
    assert transport.call("GET", "/").content == {}
    with transport.stream(server.url, {}) as stream:
        assert b"".join(stream.chunks()) == b"v"


def test_a_proxy_is_asked_for_the_world(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests to other hosts use the environment's proxy."""
    monkeypatch.setenv("http_proxy", server.url)
    server.then(answer(b"through the proxy"))
    with Transport(Secret(KEY), "https://qingbo.dev").stream("http://cdn.example/v.mp4", {}) as stream:
        assert b"".join(stream.chunks()) == b"through the proxy"
    assert server.requests[0].path == "http://cdn.example/v.mp4"


def test_netrc_neither_replaces_the_key_nor_follows_a_download(
    transport: Transport, server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No password from .netrc is sent, although requests would do so."""
    (tmp_path / "netrc").write_text("default login me password secret\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server.then(answer({}), redirect("/v.mp4"), answer(b"v"))
    transport.call("GET", "/")
    with transport.stream(server.url, {}):
        pass
    assert [request.headers.get("authorization") for request in server.requests] == [
        f"Bearer {KEY}",
        None,
        None,
    ]


def test_cookies_are_not_kept(transport: Transport, server: FaultServer) -> None:
    """A cookie is not sent back."""
    server.then(answer({}, Set_Cookie="a=b; Path=/"), answer({}))
    transport.call("GET", "/")
    transport.call("GET", "/")
    assert "cookie" not in server.requests[1].headers


def test_a_download_follows_links(transport: Transport, server: FaultServer) -> None:
    """A download follows redirects, relative ones too, with the given headers and never with the key."""
    server.then(redirect("/a"), redirect(server.url + "/b", 307), answer(b"video"))
    with transport.stream(server.url + "/start", {"Range": "bytes=1-"}) as stream:
        assert (stream.status, b"".join(stream.chunks())) == (200, b"video")
    assert [request.path for request in server.requests] == ["/start", "/a", "/b"]
    assert all(request.headers["range"] == "bytes=1-" for request in server.requests)
    assert all(request.headers["accept-encoding"] == "identity" for request in server.requests)
    assert not any("authorization" in request.headers for request in server.requests)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("/v.mp4?sig=%7E%2b%2F+a", "/v.mp4?sig=%7E%2b%2F+a"),
        ("/%7euser/a%2fb;v=1/[1]{2}|3^`\\.mp4", "/%7euser/a%2fb;v=1/[1]{2}|3^`\\.mp4"),
        ("/a/./b/../c.mp4", "/a/./b/../c.mp4"),
        ("//a//b.mp4?", "//a//b.mp4?"),
        ("/v.mp4?q=a?b&c='d'\"<e>", "/v.mp4?q=a?b&c='d'\"<e>"),
        ("/100%.mp4?x=%zz", "/100%.mp4?x=%zz"),
        ("?sig=1", "/?sig=1"),
        ("/v.mp4#t=5", "/v.mp4"),
        ("/my koi.mp4", "/my%20koi.mp4"),
        ("/锦鲤.mp4?标=%E9%94%A6", "/%E9%94%A6%E9%B2%A4.mp4?%E6%A0%87=%E9%94%A6"),
    ],
)
@pytest.mark.parametrize("way", ["link", "redirect", "relative redirect"])
def test_a_link_is_sent_as_it_was_given(
    transport: Transport, server: FaultServer, given: str, sent: str, way: str
) -> None:
    """A signature may cover the spelling of a link: only what no request line can contain is encoded."""
    given = given if way == "relative redirect" and given.startswith("/") else server.url + given
    given = f"{server.url[5:]}{given}" if given.startswith("//") else given
    link = given
    if way != "link":
        server.then(redirect(given.encode().decode("latin-1")))  # UTF-8 on the wire
        link = f"{server.url}/start"
    server.then(answer(b"v"))
    with transport.stream(link, {}) as stream:
        assert stream.status == 200
    assert server.requests[-1].path == sent
    assert server.requests[-1].headers["host"] == server.url[7:]
    assert not any("qingbo" in name for name in server.requests[-1].headers)


def test_a_link_through_a_proxy_is_sent_as_it_was_given(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy gets the whole URL, with the same spelling."""
    monkeypatch.setenv("http_proxy", server.url)
    transport = Transport(Secret(KEY), "http://127.0.0.1:1/v1", (20.0, 20.0))
    server.then(answer(b"v"))
    with transport.stream("http://films.example/a%2fb c.mp4?s=%7E", {}) as stream:
        assert stream.status == 200
    assert server.requests[0].path == "http://films.example/a%2fb%20c.mp4?s=%7E"


@pytest.mark.parametrize(
    "around", ["{}\n", "\r\n\t {} ", "\ufeff{}\u200b", "\u3000{}\u00a0", "{}#t=1"], ids=ascii
)
def test_blanks_around_a_link(transport: Transport, server: FaultServer, around: str) -> None:
    """Blanks, line ends and invisible characters around a link are not sent."""
    server.then(answer(b"v"))
    with transport.stream(around.format(f"{server.url}/v.mp4"), {}):
        pass
    assert server.requests[0].path == "/v.mp4"


def test_a_redirect_in_another_encoding(transport: Transport, server: FaultServer) -> None:
    """The bytes of a ``Location`` that is not UTF-8 reach the server unchanged."""
    server.then(redirect("/für.mp4"), answer(b"v"))  # the test server writes Latin-1
    with transport.stream(server.url, {}):
        pass
    assert server.requests[1].path == "/f%FCr.mp4"


def test_a_cookie_that_a_redirect_requires(transport: Transport, server: FaultServer) -> None:
    """A cookie set along the way is sent on to the same host, forgotten afterwards, and sent to no other."""
    elsewhere = server.url.replace("127.0.0.1", "localhost")
    gate = answer(b"", 302, Location="/v.mp4", Set_Cookie="pass=1; Path=/; HttpOnly")
    leave = answer(b"", 302, Location=f"{elsewhere}/v.mp4", Set_Cookie="pass=1; Path=/")
    server.then(gate, answer(b"v"), answer(b"v"), leave, answer(b"v"))
    for _ in range(3):
        with transport.stream(f"{server.url}/gate", {}) as stream:
            assert stream.status == 200
    cookies = [request.headers.get("cookie") for request in server.requests]
    assert cookies == [None, "pass=1", None, None, None]
    assert not any("authorization" in request.headers for request in server.requests)


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://a.example/v", "javascript:0", "http://["])
def test_a_download_does_not_leave_the_web(transport: Transport, server: FaultServer, target: str) -> None:
    """Neither a link nor a redirect may leave http and https."""
    server.then(redirect(target))
    for link in (target, server.url):
        with pytest.raises(DownloadFailed, match="does not lead to an http"), transport.stream(link, {}):
            pass


@pytest.mark.parametrize(
    "link", ["http://127.0.0.1:8888/api", "http://localhost/", "http://192.168.0.1/", "http://[::1]/"]
)
def test_a_public_service_does_not_link_to_this_network(link: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A public service cannot make this machine connect to itself, for example to a Jupyter server."""
    transport = Transport(Secret(KEY), "https://qingbo.dev/v1")
    monkeypatch.setattr(transport, "_sessions", None)  # nothing is to be opened
    with pytest.raises(DownloadFailed, match="your own network"), transport.stream(link, {}):
        pass


def test_closing_ends_waiting_requests(transport: Transport, server: FaultServer) -> None:
    """A thread that waits for a silent service returns at once, and does not send its request again."""
    server.then(silence)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(transport.call, "GET", "/tasks/1")
        while not server.requests:
            assert not waiting.done()
        transport.close()
        with pytest.raises(ConnectionFailed):
            waiting.result(5)
    assert len(server.requests) == 1
    server.then(answer({"again": 1}))
    assert transport.call("GET", "/tasks/1").content == {"again": 1}


def test_the_body_of_a_redirect_is_not_read(transport: Transport, server: FaultServer) -> None:
    """The body of a redirect, which may be endless, is not read."""

    def endless(exchange: Exchange) -> bool:
        exchange.send(302, {"Location": "/v.mp4", "Content-Length": "9999999999"}, b"x" * 1000)
        return silence(exchange)

    server.then(endless, answer(b"video"), endless)
    with transport.stream(server.url, {}) as stream:
        assert b"".join(stream.chunks()) == b"video"


def test_a_download_does_not_run_in_circles(transport: Transport, server: FaultServer) -> None:
    """A download fails after five redirects."""
    server.then(*[redirect("/again")] * 9)
    with pytest.raises(DownloadFailed, match="redirects too many times"), transport.stream(server.url, {}):
        pass
    assert len(server.requests) == 6


def test_a_download_that_breaks_off(transport: Transport, server: FaultServer) -> None:
    """The bytes that arrived are yielded before the error is raised."""
    server.then(partial(b"0123456789", 4))
    with transport.stream(server.url, {}) as stream:
        chunks = stream.chunks()
        assert next(chunks) == b"0123"
        with pytest.raises(ConnectionFailed, match="before its response was complete"):
            next(chunks)
