"""The sentences about a failed request: each names the setting that is wrong, and what to do next."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import NewConnectionError

from qingbo_widgets.exceptions import ConnectionFailed
from qingbo_widgets.i18n import set_locale
from qingbo_widgets.service.client import Client
from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.service.http.proxies import proxy_failure, proxy_of
from qingbo_widgets.service.http.transport import Transport
from qingbo_widgets.service.secrets.secret import Secret
from tests.faults.server import FaultServer, Step, answer, close, silence
from tests.service.http.tls import certificate, tls_server
from tests.service.leaks import shown_by

KEY = "sk-sentinel-0123456789"
PASSWORD = "hush-hush-123"
SERVICE = "https://service.example/v1"


@pytest.fixture(autouse=True)
def usual_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust the certificates that come with requests."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def closed_port() -> Iterator[int]:
    """Yield a port that refuses every connection."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and never listens
        yield taken.getsockname()[1]


def refusal(base_url: str = SERVICE, timeout: float = 20.0) -> str:
    """Submit a task, and return the text of the error, which must say that nothing was sent."""
    with Client(KEY, base_url, timeout=(timeout, timeout)) as client:
        with pytest.raises(ConnectionFailed) as caught:
            client.submit(VideoRequest(prompt="koi"))
        assert not caught.value.sent, "a user would look for a task that cannot exist"
        assert str(caught.value).endswith("Nothing was sent."), str(caught.value)
        everything = shown_by(caught.value)
        assert KEY not in everything
        assert PASSWORD not in str(caught.value)
        return str(caught.value)


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize(
    "value",
    [
        "http://127.0.0.1:port",
        "http://",
        "http://:8080",
        "localhost:8080",
        "http://127.0.0.1:99999",
        "http://[::1",
        " ",
        f"http://me:{PASSWORD}@:8080",
        f"http://me:{PASSWORD}@127.0.0.1:port",
        f"http://me:12/{PASSWORD}@127.0.0.1:7890",
        f"http://me:12#{PASSWORD}@127.0.0.1:7890",
        f"socks5://me:12?{PASSWORD}@127.0.0.1:7890",
    ],
)
def test_a_proxy_that_is_no_address(variable: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the variable, and gives an address that is one; no part of a password is shown."""
    monkeypatch.setenv(variable, value)
    shown = refusal().casefold()
    assert shown.startswith(f"{variable} is not the address of a proxy, such as http".casefold())
    assert "me:" not in shown


@pytest.mark.parametrize(
    ("value", "example"),
    [
        (f"ftp://me:{PASSWORD}@127.0.0.1:7890", "http://127.0.0.1:7890"),
        ("socks://127.0.0.1:7890", "socks5h://127.0.0.1:7890"),
    ],
)
def test_a_proxy_of_an_unknown_kind(value: str, example: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the variable, the kind, and the same address with a kind that works."""
    monkeypatch.setenv("HTTPS_PROXY", value)
    scheme = value.partition(":")[0]
    text = f"HTTPS_PROXY sets a {scheme}:// proxy, which does not work here; try {example}."
    assert text in refusal()


@pytest.mark.skipif(find_spec("socks") is not None, reason="PySocks is installed, so nothing is missing")
@pytest.mark.parametrize("scheme", ["socks4", "socks4a", "socks5", "SOCKS5", "socks5h", "socks"])
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY"])
def test_a_socks_proxy_without_its_package(
    variable: str, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the variable and the package to install, in both languages, and no password."""
    monkeypatch.setenv(variable, f"{scheme}://me:{PASSWORD}@127.0.0.1:7890")
    message = refusal()
    assert f"{variable} sets a SOCKS proxy" in message
    assert '%pip install "requests[socks]"' in message
    set_locale("zh")
    with (
        Client(KEY, SERVICE) as client,
        pytest.raises(ConnectionFailed, match=r"SOCKS 代理.*requests\[socks\]"),
    ):
        client.submit(VideoRequest(prompt="koi"))


@pytest.mark.parametrize(
    ("scheme", "advised"), [("socks5", "socks5h"), ("socks4", "socks4a"), ("socks5h", ""), ("socks4a", "")]
)
def test_a_socks_proxy_that_does_not_connect(
    scheme: str, advised: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its package, the proxy is named, and where this machine looks names up, how the proxy would."""
    monkeypatch.setenv("ALL_PROXY", f"{scheme}://me:{PASSWORD}@127.0.0.1:7890")
    proxy, cause = proxy_of(SERVICE), NewConnectionError(HTTPSConnection("service.example"), "refused")
    assert proxy is not None
    message = proxy_failure(cause, "service.example", proxy)
    assert f"the proxy {scheme}://127.0.0.1:7890 (set in ALL_PROXY) did not connect" in message
    assert PASSWORD not in message
    lookup = f" With {advised}://127.0.0.1:7890, the proxy resolves the name instead of this machine."
    assert message.endswith(lookup if advised else "correct or unset ALL_PROXY.")


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "all_proxy"])
def test_a_proxy_that_is_not_running(
    variable: str, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the host, the proxy, its variable and what to do."""
    monkeypatch.setenv(variable, f"http://me:{PASSWORD}@127.0.0.1:{closed_port}")
    assert refusal() == (
        f"service.example was not reached: the proxy http://127.0.0.1:{closed_port} (set in {variable}) "
        f"refused the connection or cannot be reached. Start the proxy, or correct or unset {variable}. "
        "Nothing was sent."
    )


def test_a_proxy_whose_name_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy without an address in DNS is not taken for a service without one."""
    monkeypatch.setenv("HTTPS_PROXY", "proxy.invalid:3128")
    assert "the name of the proxy http://proxy.invalid:3128 (set in HTTPS_PROXY)" in refusal()


@pytest.mark.parametrize(
    ("login", "step", "words"),
    [
        ("", answer(b"who?", 407), "requires a user name and a password (407)"),
        (f"me:{PASSWORD}@", answer(b"who?", 407), "does not accept the user name and the password"),
        ("", answer(b"<html>no", 403), "answered 403 instead of connecting. Correct or unset HTTPS_PROXY."),
        ("", answer(b"", 302, Location="http://login.example"), "answered 302 instead of connecting"),
        ("", answer(b"<html>please log in", 200), "goes through the proxy"),
        ("", close, "goes through the proxy"),
        ("", silence, "did not answer in time"),
    ],
    ids=["407", "407 with a login", "403", "302", "page", "hangs up", "silent"],
)
def test_a_proxy_that_does_not_connect(
    server: FaultServer, login: str, step: Step, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the proxy's answer, the proxy and its variable; the proxy never gets the request."""
    monkeypatch.setenv("HTTPS_PROXY", server.url.replace("://", f"://{login}"))
    server.then(step)
    message = refusal(timeout=0.3 if step is silence else 20.0)
    assert words in message
    assert f"{server.url} (set in HTTPS_PROXY)" in message
    assert [request.method for request in server.requests] == ["CONNECT"]
    assert not any(KEY in f"{request.headers}{request.body!r}" for request in server.requests)


def test_a_proxy_with_tls_that_speaks_none(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The usual slip, https:// for a proxy without TLS, is named."""
    monkeypatch.setenv("HTTPS_PROXY", server.url.replace("http:", "https:"))
    assert "its address begins with http://, not https://" in refusal()


def test_a_status_request_of_a_running_task(closed_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failure of the proxy, a status request says that the task continues."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{closed_port}")
    with Client(KEY, SERVICE) as client, pytest.raises(ConnectionFailed) as caught:
        client.status("task-1")
    assert str(caught.value).endswith("or unset HTTPS_PROXY. The task continues at the service.")
    assert not caught.value.sent


@pytest.mark.parametrize(
    "no_proxy", ["[::1", "*.x/99", "http://x", "a,,b;;", "10.0.0.0/99", "%", "::1/128", "\\", "."]
)
def test_a_malformed_list_of_exceptions(
    no_proxy: str, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ``NO_PROXY`` of any shape breaks no request: the proxy is used."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{closed_port}")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert "(set in HTTPS_PROXY)" in refusal()


def test_the_proxy_that_requests_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable for the URL's scheme precedes ``ALL_PROXY``; loopback and exceptions have no proxy."""
    monkeypatch.setenv("ALL_PROXY", "http://all.example:1")
    monkeypatch.setenv("https_proxy", f"http://me:{PASSWORD}@https.example")
    monkeypatch.setenv("NO_PROXY", "direct.example")
    assert str(proxy_of(SERVICE)) == "http://https.example (set in https_proxy)"
    assert str(proxy_of("http://a.example/x")) == "http://all.example:1 (set in ALL_PROXY)"
    assert proxy_of("https://direct.example") is proxy_of("http://127.0.0.1:1") is None
    assert PASSWORD not in repr(proxy_of(SERVICE))


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
@pytest.mark.parametrize("content", [None, b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nx\n"])
def test_trusted_certificates_that_cannot_be_read(
    server: FaultServer, variable: str, content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing, empty or damaged file of certificates is named with its variable."""
    path = tmp_path / "company.pem"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv(variable, str(path))
    why = "this file does not exist" if content is None else "no certificates can be read from it"
    assert refusal(server.url.replace("http:", "https:")) == (
        f"{variable} sets {path} as the file of trusted certificates, but {why}. Correct or unset "
        f"{variable}. Nothing was sent."
    )
    assert server.requests == []


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_settings_that_requests_does_not_read(
    server: FaultServer, variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing file in a variable of other programs is not blamed for a failure."""
    monkeypatch.setenv(variable, str(tmp_path / "missing"))
    assert variable not in refusal(server.url.replace("http:", "https:"))


@pytest.mark.slow
def test_certificates_that_are_not_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown issuer, another name, an expired and a future certificate have a sentence each."""
    good, other = certificate(tmp_path / "good"), certificate(tmp_path / "other", "other.example")
    old = certificate(tmp_path / "old", end="2021")
    future = certificate(tmp_path / "future", begin="2110")
    with tls_server(good) as url:
        assert "set REQUESTS_CA_BUNDLE to the file of its certificates" in refusal(url)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(old))
        assert "not in the file that REQUESTS_CA_BUNDLE names" in refusal(url)
        (empty := tmp_path / "empty").mkdir()
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(empty))
        assert "not in the file that REQUESTS_CA_BUNDLE names" in refusal(url)
    for pem, words in (
        (other, "localhost showed a certificate (TLS) for another name"),
        (old, "has expired or is not valid yet. Check this machine's clock, which says 2"),
        (future, "has expired or is not valid yet. Check this machine's clock, which says 2"),
    ):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(pem))
        with tls_server(pem) as url:
            assert words in refusal(url)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*TLSv1.*:DeprecationWarning")
def test_no_common_version_of_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server of 2005 has a sentence of its own."""
    pem = certificate(tmp_path / "good")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(pem))
    with tls_server(pem, newest=ssl.TLSVersion.TLSv1) as url:
        assert "no common version of the encryption (TLS)" in refusal(url)


def test_plain_http_behind_https(server: FaultServer) -> None:
    """A server that answers a handshake with HTTP, as a plain one does, is named as such."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        message = refusal(f"https://127.0.0.1:{listener.getsockname()[1]}/v1")
        thread.join()
    assert "127.0.0.1 answered without encryption (TLS), but the address says https" in message


@pytest.mark.parametrize("content", [None, "default login me password", "\0\0", "machine ["])
def test_a_netrc_of_any_shape_is_never_read(
    server: FaultServer, content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A .netrc that is malformed, or a folder, neither breaks a request nor replaces the key."""
    path = tmp_path / "netrc"
    path.mkdir() if content is None else path.write_text(content, encoding="utf-8")
    monkeypatch.setenv("NETRC", str(path))
    server.then(answer({}), answer(b"v"))
    transport = Transport(Secret(KEY), server.url)
    assert transport.call("GET", "/").content == {}
    with transport.stream(server.url, {}) as stream:
        assert b"".join(stream.chunks()) == b"v"
    transport.close()
    assert [request.headers.get("authorization") for request in server.requests] == [f"Bearer {KEY}", None]
