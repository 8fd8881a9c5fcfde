"""The process of the S3 server: every server of OpenStack Swift, and a clock that the tests set.

Run it with ``python swift_process.py FOLDER``; the first line of its input is the secret. It prints its port.
Each further line is the number of seconds by which its clock is ahead from now on, and is repeated when it is
set. When the input ends, that is when the tests end in any way, the process removes the folder and ends.
"""
# ruff: noqa: E402 - the clock and the sockets are replaced before anything keeps a reference to them

from __future__ import annotations

import time

_true_time = time.time
_seconds_ahead = 0.0
time.time = lambda: _true_time() + _seconds_ahead

import eventlet

eventlet.monkey_patch()

import logging
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from swift.common import utils
from swift.common.ring import RingBuilder
from swift.common.wsgi import SwiftHttpProtocol, loadapp

STORAGE = ("account", "container", "object")
PROXY = "proxy"
DEVICE = "disk"

_SWIFT = """
[swift-hash]
swift_hash_path_prefix = tests

[storage-policy:0]
name = one-copy
default = yes
"""
_STORAGE = """
[DEFAULT]
swift_dir = {folder}
devices = {folder}/devices
mount_check = false
disable_fallocate = true

[pipeline:main]
pipeline = {kind}-server

[app:{kind}-server]
use = egg:swift#{kind}
"""
_PROXY = """
[DEFAULT]
swift_dir = {folder}

[pipeline:main]
pipeline = catch_errors gatekeeper listing_formats s3api tempauth copy dlo slo versioned_writes proxy-server

[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true

[filter:catch_errors]
use = egg:swift#catch_errors

[filter:gatekeeper]
use = egg:swift#gatekeeper

[filter:listing_formats]
use = egg:swift#listing_formats

[filter:s3api]
use = egg:swift#s3api

[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = {secret} .admin
user_test_guest = {secret}

[filter:copy]
use = egg:swift#copy

[filter:dlo]
use = egg:swift#dlo

[filter:slo]
use = egg:swift#slo

[filter:versioned_writes]
use = egg:swift#versioned_writes
"""


def serve(folder: Path) -> None:
    """Serve until the input ends."""
    global _seconds_ahead
    lines = _lines_of_input()
    secret = next(lines, "")
    _log_to_stderr()
    (folder / "devices" / DEVICE).mkdir(parents=True)
    (folder / "swift.conf").write_text(_SWIFT, encoding="utf-8")
    utils.set_swift_dir(str(folder))
    listeners = {kind: eventlet.listen(("127.0.0.1", 0)) for kind in (*STORAGE, PROXY)}
    ports = {kind: int(listener.getsockname()[1]) for kind, listener in listeners.items()}
    for kind in STORAGE:
        _write_ring(folder, kind, ports[kind])
    for kind, listener in listeners.items():
        settings = folder / f"{kind}-server.conf"
        template = _PROXY if kind == PROXY else _STORAGE
        settings.write_text(template.format(folder=folder, kind=kind, secret=secret), encoding="utf-8")
        # As swift.common.wsgi.run_server, which would replace the event loop for each server.
        eventlet.spawn(
            eventlet.wsgi.server, listener, loadapp(str(settings)), utils.NullLogger(),
            protocol=SwiftHttpProtocol, capitalize_response_headers=False,
        )  # fmt: skip
    print(ports[PROXY], flush=True)
    for line in lines:
        _seconds_ahead = float(line)
        print(line, flush=True)


def _write_ring(folder: Path, kind: str, port: int) -> None:
    """Write the file that says where data of a kind are: all of them on the one device."""
    builder = RingBuilder(part_power=1, replicas=1, min_part_hours=0)
    device = {"ip": "127.0.0.1", "port": port, "device": DEVICE, "region": 1, "zone": 1, "weight": 1}
    builder.add_dev({"id": 0, **device})
    builder.rebalance()
    builder.get_ring().save(str(folder / f"{kind}.ring.gz"))


def _log_to_stderr() -> None:
    """Keep the log out of the machine's own."""
    utils.logs.ThreadSafeSysLogHandler = lambda **_: logging.NullHandler()
    utils.logs.get_swift_logger.console_handler4logger = {}


def _lines_of_input() -> Iterator[str]:
    """Yield the lines of the input, during whose wait the servers run."""
    number, pending = sys.stdin.fileno(), b""
    while True:
        eventlet.hubs.trampoline(number, read=True)
        received = os.read(number, 4096)
        if not received:
            return
        *lines, pending = (pending + received).split(b"\n")
        yield from (line.decode() for line in lines)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
    shutil.rmtree(sys.argv[1], ignore_errors=True)
