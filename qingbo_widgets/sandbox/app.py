"""The routes of the service, on Starlette; the contract of the backend gives the answers their form."""

from __future__ import annotations

import asyncio
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

from . import request_body
from .backend import Backend, NotCancellable
from .contracts.contract import Json, KeyPlaces
from .contracts.refusal import Refusal
from .estimates import Estimates
from .faults import falls_on
from .input_length import seconds_of

SUBMIT = "/v1/tasks"
HEADER_ALONE = KeyPlaces()
#: Seconds between two looks at a task whose submit waits for its end.
_GLANCE = 0.05

_GATEWAY_PAGE = (
    "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
)

Endpoint = Callable[[Request], Awaitable[Response]]


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
        Route("/models", endpoints.guarded(endpoints.models, backend.contract.model_list_key)),
        Route("/models/{name}", endpoints.guarded(endpoints.model)),
    ]
    if backend.contract.has_account:
        service.append(Route("/dashboard/billing/{name}", endpoints.guarded(endpoints.billing)))
    files = [
        Route("/videos/{link}.mp4", endpoints.video),
        Route("/pictures/{name}", endpoints.published),
    ]
    quotes = []
    if (answers := backend.contract.price_answers) is not None:
        estimates = Estimates(backend, answers)
        service.append(Route("/mcp", endpoints.guarded(estimates.tools), methods=["POST"]))
        places = None if backend.gaps.quote == "public" else HEADER_ALONE
        if backend.gaps.quote != "absent":
            quote = endpoints.guarded(estimates.quote, places)
            quotes.append(Route("/waveapi/quote", quote, methods=["POST"]))
    return Starlette(
        routes=[Mount("/v1", routes=service), *files, *quotes],
        # A page of another site can make its name resolve to this machine, but cannot change this header.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]"])],
        exception_handlers={Refusal: endpoints.refused, HTTPException: endpoints.no_such_route},
    )


class _Endpoints:
    """The endpoints of the service."""

    def __init__(self, backend: Backend, api_key: str) -> None:
        self._backend = backend
        self._key = api_key
        self._count = 0

    def guarded(self, endpoint: Endpoint, places: KeyPlaces | None = HEADER_ALONE) -> Endpoint:
        """Return the endpoint with a check of the key and the current faults.

        Args:
            endpoint: the endpoint.
            places: where its requests may carry the key, besides the header ``Authorization``; ``None`` if
                they need none.
        """

        async def answer(request: Request) -> Response:
            if places is not None and not self._has_key(request, places):
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

    def _has_key(self, request: Request, places: KeyPlaces) -> bool:
        """Return whether the key stands in one of its places; each comparison takes constant time."""
        headers, query, key = request.headers, request.query_params, self._key.encode()
        sent = [(headers.get("authorization", "").encode("latin-1"), b"Bearer " + key)]
        sent += [(headers.get(name, "").encode("latin-1"), key) for name in places.headers]
        sent += [(query.get(name, "").encode(), key) for name in places.query]
        return any(secrets.compare_digest(given, right) for given, right in sent)

    async def submit(self, request: Request) -> Response:
        backend, contract = self._backend, self._backend.contract
        body = request_body.decoded(await request_body.read(request))
        key = request.headers.get("idempotency-key", "")
        wait = contract.wait_seconds(",".join(request.headers.getlist("prefer")))
        task_id = backend.keys.task_id(key, body, backend.clock())
        is_new = task_id is None
        try:
            task_id = await self._accept(body, key)
        except Refusal as refusal:
            backend.keys.refused(key, body, backend.clock(), refusal)
            raise
        if wait:
            return await self._waited(task_id, wait)
        if is_new or backend.gaps.resubmitted == "as_submitted":
            return JSONResponse(contract.submitted(backend.state(task_id, backend.tasks[task_id].created)))
        return JSONResponse(contract.resubmitted(backend.state(task_id)))

    async def _accept(self, body: Any, key: str) -> str:
        """Return the id of the task of a submit, which an earlier submit with its key may have created.

        Raises:
            Refusal: the submit is refused.
        """
        backend, contract = self._backend, self._backend.contract
        request_body.check(body, contract, backend.gaps)
        backend.refuse_by_fault()
        video = contract.input_video(body)
        if video is None or backend.keys.task_id(key, body, backend.clock()) is not None:
            return backend.submit(body, key).task_id
        return backend.submit(body, key, await seconds_of(video, backend.gaps)).task_id

    async def _waited(self, task_id: str, seconds: int) -> Response:
        """Return the answer to a submit once its task has ended, or after some seconds."""
        backend, loop = self._backend, asyncio.get_running_loop()
        until = loop.time() + seconds
        while (state := backend.state(task_id)).ended is None and loop.time() < until:
            await asyncio.sleep(_GLANCE)
        status = 200 if state.ended is not None else backend.gaps.unfinished_status
        return JSONResponse(backend.contract.resubmitted(state), status)

    async def status(self, request: Request) -> Response:
        task_id = request.path_params["task_id"]
        try:
            return JSONResponse(self._backend.contract.status(self._backend.state(task_id)))
        except KeyError:
            _no_such_task(task_id)

    async def cancel(self, request: Request) -> Response:
        task_id = request.path_params["task_id"]
        try:
            return JSONResponse(self._backend.contract.cancelled(self._backend.cancel(task_id)))
        except KeyError:
            _no_such_task(task_id)
        except NotCancellable:
            raise Refusal(400, "task_not_cancellable", "only a queued task can be cancelled") from None

    async def models(self, _: Request) -> Response:
        return JSONResponse({"object": "list", "data": list(self._models().values())})

    async def model(self, request: Request) -> Response:
        name, models = request.path_params["name"], self._models()
        if name not in models:
            raise Refusal(404, "model_not_found", f"no such model: {name}")
        return JSONResponse(models[name])

    def _models(self) -> dict[str, Json]:
        return self._backend.contract.models(self._backend.prices)

    async def billing(self, request: Request) -> Response:
        backend = self._backend
        pages = backend.contract.billing(backend.granted, backend.charged(), backend.clock())
        if (page := pages.get(request.path_params["name"])) is None:
            raise Refusal(404, "not_found", "Not Found")
        return JSONResponse(page)

    async def video(self, request: Request) -> Response:
        try:
            path = self._backend.video(request.path_params["link"])
        except KeyError:
            raise Refusal(404, "not_found", "no such video") from None
        if path is None:
            raise Refusal(410, "link_expired", "this link has expired and the video is gone")
        return FileResponse(path, media_type="video/mp4")

    async def published(self, request: Request) -> Response:
        try:
            path, media_type = self._backend.published.file(request.path_params["name"])
        except KeyError:
            raise Refusal(404, "not_found", "no such picture or video") from None
        return FileResponse(path, media_type=media_type)

    async def refused(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, Refusal)
        is_submit = (request.method, request.url.path) == ("POST", SUBMIT)
        body = self._backend.contract.error(error, is_submit=is_submit)
        return JSONResponse(body, error.status, error.headers)

    async def no_such_route(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        code = "method_not_allowed" if error.status_code == 405 else "not_found"
        return await self.refused(request, Refusal(error.status_code, code, error.detail))


def _no_such_task(task_id: str) -> NoReturn:
    raise Refusal(404, "task_not_found", f"no such task: {task_id}") from None
