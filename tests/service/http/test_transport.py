"""HTTP as it goes wrong, on a real socket."""

from __future__ import annotations

import gzip
import logging
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

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
ASKED = {"model": "kling-v3", "prompt": "锦鲤"}


def post(transport: Transport) -> dict[str, object]:
    """Submits something."""
    return transport.call("POST", "/tasks", json=ASKED, unclear="UNCLEAR")


def test_what_is_sent(transport: Transport, server: FaultServer) -> None:
    """The key as a bearer token, JSON both ways, and the headers asked for."""
    server.then(answer({"task_id": "t"}))
    assert transport.call("POST", "/tasks", json=ASKED, headers={"Idempotency-Key": "k"}) == {"task_id": "t"}
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/v1/tasks")
    assert request.json == ASKED
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["content-type"] == request.headers["accept"] == "application/json"
    assert request.headers["idempotency-key"] == "k"


def test_the_connection_is_kept(transport: Transport, server: FaultServer) -> None:
    """Twenty polls are one connection, an error in between does not end it."""
    server.then(*[answer({})] * 10, answer({"error": "busy"}, 503), *[answer({})] * 10)
    for _ in range(10):
        transport.call("GET", "/tasks/t")
    with pytest.raises(ServerFault):
        transport.call("GET", "/tasks/t")
    for _ in range(10):
        transport.call("GET", "/tasks/t")
    assert {request.connection for request in server.requests} == {1}


def test_each_thread_has_its_own_connection(transport: Transport, server: FaultServer) -> None:
    """Two requests at the same time do not wait for each other."""
    both = threading.Barrier(2)

    def meet(exchange: object) -> bool:
        both.wait(5)
        return answer({})(exchange)

    server.then(meet, meet)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda _: post(transport), range(2))) == [{}, {}]
    assert {request.connection for request in server.requests} == {1, 2}


def test_closing_is_not_the_end(transport: Transport, server: FaultServer) -> None:
    """After close() a call connects anew."""
    server.then(answer({}), answer({}))
    post(transport)
    transport.close()
    post(transport)
    assert {request.connection for request in server.requests} == {1, 2}


def test_refused(transport: Transport) -> None:
    """A port on which nothing listens: nothing was sent, which is said of a submission only."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and never listens
        unheard = Transport(Secret(KEY), f"http://127.0.0.1:{taken.getsockname()[1]}")
        for method, body, hint in (("POST", ASKED, "Nothing was sent."), ("GET", None, "UNCLEAR")):
            with pytest.raises(ConnectionFailed, match=r"127.0.0.1 refused") as caught:
                unheard.call(method, "/tasks", json=body, unclear="UNCLEAR")
            assert caught.value.sent is False
            assert str(caught.value).endswith(hint), (
                "of a question about a paid task, too, something was sent"
            )


def test_an_unknown_name() -> None:
    """No such host: certainly nothing was sent."""
    lost = Transport(Secret(KEY), "https://qingbo.invalid/v1", (2.0, 2.0))
    with pytest.raises(ConnectionFailed, match=r"qingbo.invalid was not found.*online") as caught:
        post(lost)
    assert caught.value.sent is False


def test_no_encryption_where_it_is_expected(server: FaultServer) -> None:
    """A handshake that fails comes before the request: nothing was sent."""
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
        (answer(b"not gzip", Content_Encoding="gzip"), "cannot be read"),
        (answer(b"x" * (4 * 1024**2 + 1)), "cannot be read"),
    ],
    ids=["close", "reset", "partial", "encoding", "endless"],
)
def test_a_submission_without_an_answer_is_sent_once(
    transport: Transport, server: FaultServer, fault: object, words: str
) -> None:
    """It may have been billed, so it is not repeated, and the error says so."""
    server.then(fault, answer({"task_id": "second"}))
    with pytest.raises(ConnectionFailed, match=f"{words}.* UNCLEAR") as caught:
        post(transport)
    assert caught.value.sent is True
    assert len(server.requests) == 1


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("fault", [silence, drip(b" " * 1000, 0.02)], ids=["silence", "drip"])
def test_an_answer_that_takes_too_long(
    hurried: Transport, server: FaultServer, fault: object, method: str
) -> None:
    """Neither silence nor single bytes without end hold a thread for long, and it is not waited for twice."""
    server.then(fault, answer({}))
    with pytest.raises(ConnectionFailed, match="did not answer in time") as caught:
        hurried.call(method, "/tasks", json=ASKED if method == "POST" else None)
    assert caught.value.sent is True
    assert len(server.requests) == 1
    assert KEY not in shown_by(caught.value)


@pytest.mark.parametrize("fault", [close, reset], ids=["close", "reset"])
def test_a_dead_connection_that_was_kept(transport: Transport, server: FaultServer, fault: object) -> None:
    """Asking for a status goes on with a new connection; submitting does not, for it may have arrived."""
    server.then(answer({}), fault, answer({"status": "queued"}))
    post(transport)
    assert transport.call("GET", "/tasks/t") == {"status": "queued"}
    assert [request.connection for request in server.requests] == [1, 1, 2]
    server.then(fault, answer({}))
    with pytest.raises(ConnectionFailed) as caught:
        post(transport)
    assert caught.value.sent is True


def test_a_status_call_gives_up(transport: Transport, server: FaultServer) -> None:
    """A second break is an error."""
    server.then(close, close, answer({}))
    with pytest.raises(ConnectionFailed):
        transport.call("GET", "/tasks/t")
    assert len(server.requests) == 2


def test_a_compressed_answer(transport: Transport, server: FaultServer) -> None:
    """Is read all the same."""
    server.then(answer(gzip.compress(b'{"a": 1}'), Content_Encoding="gzip"))
    assert transport.call("GET", "/") == {"a": 1}


def test_an_answer_that_grows_when_unpacked(transport: Transport, server: FaultServer) -> None:
    """Is given up before it fills the memory."""
    server.then(answer(gzip.compress(b" " * 64 * 1024**2), Content_Encoding="gzip"))
    with pytest.raises(ConnectionFailed, match="cannot be read"):
        transport.call("GET", "/")


def test_errors_come_from_the_tree(transport: Transport, server: FaultServer) -> None:
    """A status outside 2xx, a page, a redirect: each its error, the redirect not followed."""
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
    for words in ("502: .*Bad Gateway. UNCLEAR", "200: .*Welcome", "200: ", "302: it points to .*/elsewhere"):
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
    """Neither its text nor a variable in its traceback nor the log does; nothing foreign hangs on it."""
    caplog.set_level(logging.DEBUG)
    server.then(*FAULTS[fault])
    with pytest.raises(Exception, match=r"\w") as caught:
        post(transport)
    assert KEY in server.requests[0].headers["authorization"]
    assert KEY not in shown_by(caught.value)
    assert KEY not in caplog.text
    assert [type(link).__module__ for link in chain_of(caught.value)] == ["qingbo_widgets.exceptions"]


def test_an_interrupt_does_not_show_the_key(transport: Transport, server: FaultServer) -> None:
    """Kernel, Interrupt during a request: the traceback holds no frame that knows the key."""

    def interrupt(frame: object, event: str, _: object) -> None:
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
    """The address is refused before anything is sent, and shown without what may be a password."""
    with pytest.raises(InvalidRequest, match="base_url") as caught:
        Transport(Secret(KEY), address)
    assert "hidden" not in str(caught.value)
    assert isinstance(caught.value, ValueError)


def test_a_proxy_is_not_asked_for_this_machine(
    transport: Transport, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy in the environment would see the key, and could not reach our loopback."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server.then(answer({}), answer(b"v"))
    assert transport.call("GET", "/") == {}
    with transport.stream(server.url, {}) as stream:
        assert b"".join(stream.chunks()) == b"v"


def test_a_proxy_is_asked_for_the_world(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxies of the environment are honoured."""
    monkeypatch.setenv("http_proxy", server.url)
    server.then(answer(b"through the proxy"))
    with Transport(Secret(KEY), "https://qingbo.dev").stream("http://cdn.example/v.mp4", {}) as stream:
        assert b"".join(stream.chunks()) == b"through the proxy"
    assert server.requests[0].path == "http://cdn.example/v.mp4"


def test_netrc_neither_replaces_the_key_nor_follows_a_download(
    transport: Transport, server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests would send a password from there along."""
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
    """No gateway recognises us by one."""
    server.then(answer({}, Set_Cookie="a=b; Path=/"), answer({}))
    transport.call("GET", "/")
    transport.call("GET", "/")
    assert "cookie" not in server.requests[1].headers


def test_a_download_follows_links(transport: Transport, server: FaultServer) -> None:
    """Relative ones too, with the headers asked for, and never with the key."""
    server.then(redirect("/a"), redirect(server.url + "/b", 307), answer(b"video"))
    with transport.stream(server.url + "/start", {"Range": "bytes=1-"}) as stream:
        assert (stream.status, b"".join(stream.chunks())) == (200, b"video")
    assert [request.path for request in server.requests] == ["/start", "/a", "/b"]
    assert all(request.headers["range"] == "bytes=1-" for request in server.requests)
    assert all(request.headers["accept-encoding"] == "identity" for request in server.requests)
    assert not any("authorization" in request.headers for request in server.requests)


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://a.example/v", "javascript:0", "http://["])
def test_a_download_does_not_leave_the_web(transport: Transport, server: FaultServer, target: str) -> None:
    """Neither by the link nor by a redirect."""
    server.then(redirect(target))
    for link in (target, server.url):
        with pytest.raises(DownloadFailed, match="does not lead to an http"), transport.stream(link, {}):
            pass


@pytest.mark.parametrize(
    "link", ["http://127.0.0.1:8888/api", "http://localhost/", "http://192.168.0.1/", "http://[::1]/"]
)
def test_a_service_out_there_does_not_point_in_here(link: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody outside makes this machine knock at its own doors, a Jupyter server's for one."""
    transport = Transport(Secret(KEY), "https://qingbo.dev/v1")
    monkeypatch.setattr(transport, "_sessions", None)  # nothing is to be opened
    with pytest.raises(DownloadFailed, match="no business"), transport.stream(link, {}):
        pass


def test_closing_cuts_what_waits(transport: Transport, server: FaultServer) -> None:
    """A thread that waits for a silent service is freed at once, and asks no second time."""
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
    assert transport.call("GET", "/tasks/1") == {"again": 1}


def test_what_hangs_on_a_redirect_is_not_read(transport: Transport, server: FaultServer) -> None:
    """Its body may be endless."""

    def endless(exchange: Exchange) -> bool:
        exchange.send(302, {"Location": "/v.mp4", "Content-Length": "9999999999"}, b"x" * 1000)
        return silence(exchange)

    server.then(endless, answer(b"video"), endless)
    with transport.stream(server.url, {}) as stream:
        assert b"".join(stream.chunks()) == b"video"


def test_a_download_does_not_run_in_circles(transport: Transport, server: FaultServer) -> None:
    """After five redirects it is enough."""
    server.then(*[redirect("/again")] * 9)
    with pytest.raises(DownloadFailed, match="points on and on"), transport.stream(server.url, {}):
        pass
    assert len(server.requests) == 6


def test_a_download_that_breaks_off(transport: Transport, server: FaultServer) -> None:
    """What came is given out, then the error."""
    server.then(partial(b"0123456789", 4))
    with transport.stream(server.url, {}) as stream:
        chunks = stream.chunks()
        assert next(chunks) == b"0123"
        with pytest.raises(ConnectionFailed, match="before its answer was whole"):
            next(chunks)
