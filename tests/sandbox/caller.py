"""A client of the sandbox and a listener for its callbacks, for tests over a real socket."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import requests

from qingbo_widgets.sandbox import Sandbox
from tests.waiting import until

REQUEST: dict[str, Any] = {"model": "kling-v1", "prompt": "a pond"}
ENDED = ("completed", "failed", "cancelled")


class Caller:
    """A client that calls a sandbox with its key.

    Args:
        sandbox: the running sandbox.
        request: the body that ``submit`` sends, with changed fields.
    """

    def __init__(self, sandbox: Sandbox, request: Mapping[str, Any] = REQUEST) -> None:
        self.sandbox, self.request = sandbox, request
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {sandbox.api_key}"

    def __call__(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.session.request(method, f"{self.sandbox.base_url}{path}", timeout=30, **options)

    def submit(self, **fields: Any) -> str:
        answer = self("POST", "/tasks", json={**self.request, **fields})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["task_id"])

    def ended(self, task_id: str) -> dict[str, Any]:
        """Wait until a task has ended, and return its status."""

        def status() -> dict[str, Any]:
            body: dict[str, Any] = self("GET", f"/tasks/{task_id}").json()
            return body if body["status"] in ENDED else {}

        ended: dict[str, Any] = until(status)
        return ended


class hook:  # noqa: N801 - used like a function
    """A loopback listener for callbacks that answers with a redirect, which must not be followed."""

    def __enter__(self) -> tuple[str, list[tuple[str, dict[str, Any]]]]:
        received: list[tuple[str, dict[str, Any]]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received.append((self.path, json.loads(body)))
                self.send_response(302)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()
        return f"http://localhost:{self.server.server_port}/hook?a=1", received

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
