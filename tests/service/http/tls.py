"""Certificates from OpenSSL, and a server that shows one of them."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

__all__ = ["certificate", "tls_server"]

_CA = """
[ca]
default_ca = only
[only]
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
x509_extensions = ends
[any]
commonName = supplied
[ends]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
subjectAltName = DNS:{name}
"""


def certificate(folder: Path, name: str = "localhost", *, begin: str = "2020", end: str = "2120") -> Path:
    """Write a self-signed certificate and its key into one file, and return that.

    Args:
        folder: an empty folder for this certificate.
        name: the host name in the certificate.
        begin: the year from whose first day on it is valid.
        end: the year until whose first day it is valid.
    """
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the certificates, is not installed")
    folder.mkdir()
    (folder / "ca.cnf").write_text(_CA.replace("{name}", name), encoding="utf-8")
    (folder / "index.txt").write_bytes(b"")
    (folder / "serial").write_text("01\n", encoding="utf-8")
    new_key = "req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out csr.pem"
    sign = "ca -batch -notext -selfsign -keyfile key.pem -in csr.pem -out cert.pem"
    dates = f"-startdate {begin}0101000000Z -enddate {end}0101000000Z"
    for command in (f"{new_key} -subj /CN={name}", f"{sign} {dates}"):
        subprocess.run(
            ["openssl", *command.split(), "-config", "ca.cnf"], cwd=folder, check=True, capture_output=True
        )
    both = folder / "both.pem"
    both.write_bytes((folder / "key.pem").read_bytes() + (folder / "cert.pem").read_bytes())
    return both


@contextlib.contextmanager
def tls_server(pem: Path, *, newest: ssl.TLSVersion | None = None) -> Iterator[str]:
    """Yield the URL of a server that shows a certificate and ends each connection after the handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    if newest is not None:
        context.minimum_version, context.maximum_version = newest, newest
        context.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, context), daemon=True)
        thread.start()
        yield f"https://localhost:{listener.getsockname()[1]}/v1"
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def _serve(listener: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection, contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True):
            pass
