"""The routes of contract 2026-04, on Starlette."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route

from .backend import Backend, NotCancellable
from .faults import falls_on
from .rules import MODELS, violations

MAX_BODY = 1_000_000
"""Largest submit body in bytes."""

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    429: "rate_limit_error",
}
_GATEWAY_PAGE = (
    "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
)

Endpoint = Callable[[Request], Awaitable[Response]]


class Refusal(Exception):
    """A request that is answered with the service's error body."""

    def __init__(
        self, status: int, code: str, message: str, param: str = "", retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.param = status, code, message, param
        self.headers = None if retry_after is None else {"Retry-After": str(retry_after)}

    def response(self) -> Response:
        """Return the documented error body: ``{"error": {"message", "code", "type", "param"?}}``."""
        error = {"message": self.message, "code": self.code, "type": _TYPES.get(self.status, "api_error")}
        if self.param:
            error["param"] = self.param
        return JSONResponse({"error": error}, self.status, self.headers)


def create_app(backend: Backend, api_key: str) -> Starlette:
    """Return the sandbox as an ASGI application.

    Args:
        backend: the tasks and their videos.
        api_key: the only key that is accepted.
    """
    endpoints = _Endpoints(backend, api_key)
    service = [
        Route("/tasks", endpoints.guarded(endpoints.submit), methods=["POST"]),
        Route("/tasks/{task_id}", endpoints.guarded(endpoints.status)),
        Route("/tasks/{task_id}/cancel", endpoints.guarded(endpoints.cancel), methods=["POST"]),
        Route("/models", endpoints.guarded(endpoints.models)),
        Route("/models/{name}", endpoints.guarded(endpoints.model)),
    ]
    return Starlette(
        routes=[
            Mount("/v1", routes=service),
            Route("/videos/{link}.mp4", endpoints.video),
            Route("/pictures/{name}", endpoints.picture),
        ],
        # A page of another site can make its name resolve to this machine, but cannot change this header.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]"])],
        exception_handlers={Refusal: _refused, HTTPException: _no_such_route},
    )


class _Endpoints:
    """The endpoints of the service."""

    def __init__(self, backend: Backend, api_key: str) -> None:
        self._backend = backend
        self._bearer = f"Bearer {api_key}".encode()
        self._count = 0

    def guarded(self, endpoint: Endpoint) -> Endpoint:
        """Return the endpoint with a check of the key and the current faults."""

        async def answer(request: Request) -> Response:
            sent = request.headers.get("authorization", "").encode("latin-1")
            if not secrets.compare_digest(sent, self._bearer):
                raise Refusal(401, "invalid_api_key", "the API key is missing or wrong")
            self._count += 1
            count, faults = self._count, self._backend.faults
            await asyncio.sleep(faults.latency)
            if falls_on(faults.rate_limit_every, count):
                raise Refusal(429, "rate_limit_exceeded", "too many requests", retry_after=faults.retry_after)
            if falls_on(faults.server_error_every, count):
                raise Refusal(500, "internal_error", "internal error, try again later")
            if falls_on(faults.html_every, count):
                await endpoint(request)
                return HTMLResponse(_GATEWAY_PAGE, 502)
            return await endpoint(request)

        return answer

    async def submit(self, request: Request) -> Response:
        body = _decoded(await _read(request))
        for violation in violations(body):
            raise Refusal(400, "invalid_parameter", violation.message, violation.param)
        if self._backend.faults.no_balance:
            raise Refusal(402, "insufficient_balance", "the balance does not cover this task")
        return JSONResponse(self._backend.submit(body, request.headers.get("idempotency-key", "")))

    async def status(self, request: Request) -> Response:
        task_id = request.path_params["task_id"]
        try:
            return JSONResponse(self._backend.status(task_id))
        except KeyError:
            _no_such_task(task_id)

    async def cancel(self, request: Request) -> Response:
        task_id = request.path_params["task_id"]
        try:
            return JSONResponse(self._backend.cancel(task_id))
        except KeyError:
            _no_such_task(task_id)
        except NotCancellable:
            raise Refusal(400, "task_not_cancellable", "only a queued task can be cancelled") from None

    async def models(self, _: Request) -> Response:
        return JSONResponse({"object": "list", "data": [_model(name) for name in MODELS]})

    async def model(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in MODELS:
            raise Refusal(404, "model_not_found", f"there is no model {name}")
        return JSONResponse(_model(name))

    async def video(self, request: Request) -> Response:
        try:
            path = self._backend.video(request.path_params["link"])
        except KeyError:
            raise Refusal(404, "not_found", "there is no video here") from None
        if path is None:
            raise Refusal(410, "link_expired", "this link has expired and the video is gone")
        return FileResponse(path, media_type="video/mp4")

    async def picture(self, request: Request) -> Response:
        try:
            return FileResponse(self._backend.picture(request.path_params["name"]))
        except KeyError:
            raise Refusal(404, "not_found", "there is no picture here") from None


async def _read(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise Refusal(413, "request_too_large", f"the body is larger than {MAX_BODY} bytes")
    return body


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body, parse_constant=_reject_constant)
    except (ValueError, RecursionError):
        raise Refusal(400, "invalid_json", "the body is not JSON") from None


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(name)  # Python reads NaN and Infinity; JSON has neither


def _no_such_task(task_id: str) -> NoReturn:
    raise Refusal(404, "task_not_found", f"there is no task {task_id}") from None


def _model(name: str) -> dict[str, str]:
    return {"id": name, "object": "model"}


def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return error.response()


def _no_such_route(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = "method_not_allowed" if error.status_code == 405 else "not_found"
    return Refusal(error.status_code, code, error.detail).response()
