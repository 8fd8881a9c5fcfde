"""The endpoints that give the price of a request and create no task: the quote, and the tools endpoint.

The tools endpoint follows the Model Context Protocol (JSON-RPC 2.0) as far as the service's own client uses
it: ``tools/call`` without a session, answered with plain JSON. Of the tools, the sandbox has
``estimate_cost`` alone.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from . import request_body
from .backend import Backend
from .contracts.contract import QUOTA, Json, Price, PriceAnswers
from .contracts.refusal import Refusal
from .input_length import seconds_of

TOOL = "estimate_cost"
"""The only tool of the sandbox."""

# The codes of errors in JSON-RPC 2.0.
_NOT_JSON = -32_700
_NO_REQUEST = -32_600
_NO_METHOD = -32_601
_WRONG_PARAMETERS = -32_602


class Estimates:
    """The two endpoints.

    Args:
        backend: the tasks and prices of the sandbox.
        answers: the form of the answers.
    """

    def __init__(self, backend: Backend, answers: PriceAnswers) -> None:
        self._backend, self._answers = backend, answers

    async def quote(self, request: Request) -> Response:
        """Answer ``POST /waveapi/quote``."""
        if self._backend.gaps.quote == "portal_only":
            raise Refusal(401, "invalid_api_key", "the quote takes no API key")
        try:
            _require_json(request)
            price = await self._price(request_body.decoded(await request_body.read(request)))
        except Refusal as refusal:
            content, status = self._answers.refused_quote(refusal)
            return JSONResponse(content, status)
        return JSONResponse(self._answers.quote(price))

    async def tools(self, request: Request) -> Response:
        """Answer ``POST /v1/mcp``."""
        body = await request_body.read(request)
        try:
            call = request_body.decoded(body)
        except Refusal as refusal:
            return error(None, _NOT_JSON, refusal.message, 400)
        if not isinstance(call, dict) or call.get("jsonrpc") != "2.0" or "method" not in call:
            return error(None, _NO_REQUEST, "the body is not a request of JSON-RPC 2.0", 400)
        if "id" not in call:
            return Response(status_code=202)  # a notification, which has no answer
        if call["method"] != "tools/call":
            return error(call["id"], _NO_METHOD, f"the sandbox has only tools/call of {TOOL}")
        params = call.get("params")
        if not isinstance(params, dict) or params.get("name") != TOOL:
            return error(call["id"], _WRONG_PARAMETERS, f"the sandbox has only the tool {TOOL}")
        result = await self._estimate(params.get("arguments"))
        return JSONResponse({"jsonrpc": "2.0", "id": call["id"], "result": result})

    async def _estimate(self, arguments: Any) -> Json:
        """Return the result of the tool: the price, or the error of a request that cannot be submitted."""
        try:
            body = _submit_body(arguments)
            price = await self._price(body)
        except Refusal as refusal:
            return _result(refusal.message, self._answers.refused_estimate(refusal), is_error=True)
        text = f"{body['model']}: {price.quota} quota, {price.quota / QUOTA:.6f} USD"
        return _result(text, self._answers.estimate(body["model"], price))

    async def _price(self, body: Any) -> Price:
        """Return the price of a submit body at present.

        Raises:
            Refusal: a submit would refuse the body.
        """
        backend = self._backend
        request_body.check(body, backend.contract, backend.gaps)
        video = backend.contract.input_video(body)
        return backend.price(body, 0 if video is None else await seconds_of(video, backend.gaps))


def _require_json(request: Request) -> None:
    """Refuse a body of another type than JSON.

    Without it, a page of another site could let the sandbox read input videos: the quote needs no key, and
    browsers send other types to any address without asking it first.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refusal(415, "unsupported_media_type", "the content type must be application/json")


def _submit_body(arguments: Any) -> Json:
    """Return the submit body of the tool's arguments.

    Raises:
        Refusal: the arguments are not ``model`` and ``input``, the submit body without the model.
    """
    arguments = {"input": {}, **arguments} if isinstance(arguments, dict) else {}
    if not isinstance(arguments.get("model"), str):
        raise Refusal(400, "invalid_request", "model must be the name of a model", "model")
    if not isinstance(arguments["input"], dict):
        raise Refusal(400, "invalid_request", "input must be an object", "input")
    if "model" in arguments["input"]:
        raise Refusal(400, "invalid_request", "input must not repeat the model", "input.model")
    return {"model": arguments["model"], **arguments["input"]}


def _result(text: str, content: Json, *, is_error: bool = False) -> Json:
    return {"content": [{"type": "text", "text": text}], "structuredContent": content, "isError": is_error}


def error(identifier: Any, code: int, message: str, status: int = 200) -> JSONResponse:
    """Return the answer to a call that reaches no tool."""
    content = {"code": code, "message": message}
    return JSONResponse({"jsonrpc": "2.0", "id": identifier, "error": content}, status)
