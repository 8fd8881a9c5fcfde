"""``PriceFinder`` at a real server: the order of the sources, how long a price is kept, and failures."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from qingbo_widgets.exceptions import BadRequest, InvalidRequest, QingboError, ServiceError
from qingbo_widgets.service.client import Client
from qingbo_widgets.service.contract.pricing.price import Price, PriceSource
from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.service.prices import KEPT, PriceFinder
from tests.faults.server import Exchange, FaultServer, Step, answer, close, html, silence

KEY = "sk-sentinel-0123456789"
REQUEST = VideoRequest(model="kling-v3", prompt="A koi", resolution="720p", duration=5)
VIDEO = VideoRequest(
    model="kling-v3-omni", prompt="A koi", duration=5, video_urls=["https://videos.example/1.mp4"]
)
QUOTE, TOOLS, LIST = "/waveapi/quote", "/v1/mcp", "/v1/models"
MODELS = [
    {
        "id": "kling-v3",
        "price_config": {"per_second": True, "video_prices": {"720p": 0.0756, "1080p": 0.1008}},
    },
    {
        "id": "kling-v3-omni",
        "price_config": {
            "per_second": True,
            "720p": 0.0756,
            "720p_video_ref": 0.1134,
            "720p_video_input_second": 0.01,
        },
    },
]
QUOTED = answer(
    {"code": 0, "message": "", "data": {"total_usd": 0.37, "unit": "second", "billed_quantity": 5}}
)
ESTIMATED = answer({"jsonrpc": "2.0", "id": 1, "result": {"structuredContent": {"estimated_cost_usd": 0.38}}})
LISTED = answer({"object": "list", "data": MODELS})
ABSENT = answer({"error": {"message": "no such route"}}, 404)


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Return a clock that the test moves."""
    return Clock()


@pytest.fixture
def routes(server: FaultServer) -> dict[str, Step]:
    """Return the answer of each path, which the test changes; at first, every source answers."""
    steps: dict[str, Step] = {QUOTE: QUOTED, TOOLS: ESTIMATED, LIST: LISTED}
    server.otherwise = lambda exchange: steps[exchange.request.path](exchange)
    return steps


@pytest.fixture
def finder(server: FaultServer, routes: dict[str, Step], clock: Clock) -> Iterator[PriceFinder]:
    """Yield a finder of the server."""
    with Client(KEY, server.url + "/v1", contract="2026-11", timeout=(20.0, 20.0)) as client:
        yield PriceFinder(client, clock)


def asked(server: FaultServer) -> list[str]:
    """Return the paths of the requests since the last call."""
    paths = [request.path for request in server.requests]
    server.requests.clear()
    return paths


def amounts(price: Price) -> tuple[str, int | None, PriceSource]:
    """Return what a price says."""
    return str(price.usd), price.quota, price.source


# ---------------------------------------------------------------------- the sources


def test_the_quote_comes_first_and_gets_no_key(finder: PriceFinder, server: FaultServer) -> None:
    """The quote is of the body that would be submitted; the key is not sent, neither as a header nor else."""
    price = finder.find(REQUEST)
    assert amounts(price) == ("0.37", 185_000, PriceSource.quote)
    assert price.as_of is not None
    (request,) = server.requests
    assert (request.method, request.path, request.json) == ("POST", QUOTE, finder.client.payload(REQUEST))
    assert "authorization" not in request.headers
    assert KEY not in f"{request.headers} {request.body!r}"
    assert str(price) == "$0.37", "a quote is the exact price"


def test_the_estimate_comes_second(finder: PriceFinder, server: FaultServer, routes: dict[str, Step]) -> None:
    """Without a quote, the tools endpoint is asked, with the key and with the parts of the body."""
    routes[QUOTE] = ABSENT
    price = finder.find(REQUEST)
    assert amounts(price) == ("0.38", 190_000, PriceSource.estimate)
    request = server.requests[-1]
    assert request.path == TOOLS
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["mcp-protocol-version"] == "2025-06-18"
    body = finder.client.payload(REQUEST)
    assert (request.json["method"], request.json["params"]["name"]) == ("tools/call", "estimate_cost")
    assert request.json["params"]["arguments"] == {"model": body.pop("model"), "input": body}


def test_the_price_list_comes_third(
    finder: PriceFinder, server: FaultServer, routes: dict[str, Step]
) -> None:
    """Without both, the price is computed from the model list, which is requested once for all models."""
    routes |= {QUOTE: ABSENT, TOOLS: ABSENT}
    price = finder.find(REQUEST)
    assert amounts(price) == ("0.3780", 189_000, PriceSource.price_list)
    assert str(price) == "about $0.378"
    assert finder.find(REQUEST.replace(resolution="1080p")).usd == Decimal("0.504")
    video = finder.find(VIDEO, [6.4])
    assert (video.usd, video.is_exact) == (5 * Decimal("0.1134") + 6 * Decimal("0.01"), True)
    assert asked(server) == [QUOTE, TOOLS, LIST]


@pytest.mark.parametrize(
    "silent",
    [
        *(ABSENT, html("not here", 200), html("bad gateway", 502), close, answer({}), answer({"data": None})),
        answer({"error": {"message": "key?"}}, 401),
        answer({"data": {"total_usd": -1}, "result": {"structuredContent": {"cost_usd": "free"}}}),
        answer({"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "no such method"}}),
    ],
)
@pytest.mark.parametrize("source", [QUOTE, TOOLS])
def test_a_source_that_gives_no_amount_is_left_out_for_an_hour(
    finder: PriceFinder, server: FaultServer, routes: dict[str, Step], clock: Clock, source: str, silent: Step
) -> None:
    """It is asked once, then not for an hour, then once more; the next source has the price."""
    if source == TOOLS:
        routes[QUOTE] = ABSENT
    routes[source] = silent
    expected = PriceSource.estimate if source == QUOTE else PriceSource.price_list
    assert finder.find(REQUEST).source is expected
    assert source in asked(server)
    clock.now += 3599
    assert finder.find(REQUEST.replace(duration=6)).source is expected
    assert source not in asked(server)
    clock.now += 1
    finder.find(REQUEST.replace(duration=7))
    assert source in asked(server)


def test_a_key_that_the_quote_refuses_is_not_refused(finder: PriceFinder, routes: dict[str, Step]) -> None:
    """A refusal of a request without a key says nothing about the key."""
    routes[QUOTE] = answer({"error": {"message": "Invalid token"}}, 401)
    routes[TOOLS] = ABSENT
    finder.find(REQUEST)
    assert finder.client.key_refusal == ""


@pytest.mark.parametrize("status", [200, 400, 500])
def test_the_quote_refuses_the_task(
    finder: PriceFinder, server: FaultServer, routes: dict[str, Step], status: int
) -> None:
    """A task that the service would refuse has no price, with the service's reason; the quote goes on."""
    refusal = {"errorKey": "input_video_duration_unknown", "message": "the video cannot be read"}
    routes[QUOTE] = answer(refusal, status)
    price = finder.find(VIDEO)
    assert (price.is_known, price.reason) == (False, "the video cannot be read")
    assert asked(server) == [QUOTE]
    routes[QUOTE] = QUOTED
    assert finder.find(REQUEST).source is PriceSource.quote


@pytest.mark.parametrize("source", [QUOTE, TOOLS])
def test_a_source_that_refuses_one_request(
    finder: PriceFinder, server: FaultServer, routes: dict[str, Step], source: str
) -> None:
    """It may not read this body: the next source is asked, and the first again for another request."""
    routes[QUOTE] = answer({"errorKey": "invalid_body", "message": "no"}, 400)
    if source == TOOLS:
        content = [{"type": "text", "text": "no"}]
        routes[TOOLS] = answer({"jsonrpc": "2.0", "id": 1, "result": {"isError": True, "content": content}})
    assert finder.find(REQUEST).is_known
    asked(server)
    routes |= {QUOTE: QUOTED if source == QUOTE else ABSENT, TOOLS: ESTIMATED}
    expected = PriceSource.quote if source == QUOTE else PriceSource.estimate
    assert finder.find(REQUEST.replace(duration=6)).source is expected


def test_a_request_that_cannot_be_sent_yet(
    finder: PriceFinder, server: FaultServer, routes: dict[str, Step]
) -> None:
    """A file that has no URL yet is priced from the list alone, and both others stay in use."""
    assert finder.find(VIDEO, [6.4], is_sendable=False).source is PriceSource.price_list
    assert asked(server) == [LIST]
    assert finder.find(VIDEO, [6.4]).source is PriceSource.quote


def test_what_may_settle_lower_is_a_maximum(finder: PriceFinder) -> None:
    """A quote is a maximum if the service freezes more than it may take in the end."""
    request = VideoRequest(model="wan3.0-video", prompt="A koi", resolution="720p")
    price = finder.find(request)
    assert (price.source, price.is_exact, str(price)) == (PriceSource.quote, False, "at most $0.37")


# ---------------------------------------------------------------------- how long a price is kept


def test_a_price_is_kept_for_some_minutes(finder: PriceFinder, server: FaultServer, clock: Clock) -> None:
    """The same request is asked about once; another prompt is the same, another duration is not."""
    first = finder.find(REQUEST)
    clock.now += KEPT - 1
    assert finder.find(REQUEST) is first
    assert finder.find(REQUEST.replace(prompt="A heron", negative_prompt="rain")) is first
    assert asked(server) == [QUOTE]
    finder.find(REQUEST.replace(duration=6))
    assert asked(server) == [QUOTE]
    clock.now += 1
    assert finder.find(REQUEST) is not first
    assert asked(server) == [QUOTE]


def test_the_list_is_kept_for_some_minutes(
    finder: PriceFinder, server: FaultServer, routes: dict[str, Step], clock: Clock
) -> None:
    """A new price counts once the list is older than that, or is forgotten."""
    routes |= {QUOTE: ABSENT, TOOLS: ABSENT}
    assert finder.listed(REQUEST) is None
    assert finder.find(REQUEST).quota == 189_000
    raised = {"id": "kling-v3", "price_config": {"per_second": True, "720p": 0.1}}
    routes[LIST] = answer({"data": [raised]})
    known = finder.listed(REQUEST)
    assert known is not None
    assert known.quota == 189_000
    clock.now += KEPT
    assert finder.find(REQUEST).quota == 250_000
    routes[LIST] = answer({"data": [{**raised, "price_config": {"base": 0.2}}]})
    assert finder.find(REQUEST).quota == 250_000
    finder.forget()
    assert finder.find(REQUEST).quota == 100_000
    assert asked(server) == [QUOTE, TOOLS, LIST, LIST, LIST]


def test_threads_ask_once_about_the_same_request(
    finder: PriceFinder, server: FaultServer, routes: dict[str, Step]
) -> None:
    """A form and a sweep that want the same price at the same time make one request."""
    together = threading.Barrier(4)

    def slow(exchange: Exchange) -> bool:
        exchange.stopped.wait(0.1)
        return QUOTED(exchange)

    def find(_: int) -> Price:
        together.wait(20)
        return finder.find(REQUEST)

    routes[QUOTE] = slow
    with ThreadPoolExecutor(4) as threads:
        prices = list(threads.map(find, range(4)))
    assert len({id(price) for price in prices}) == 1
    assert asked(server) == [QUOTE]


# ---------------------------------------------------------------------- failures


@pytest.mark.parametrize(
    "failure",
    [close, html("<p>maintenance</p>", 503), answer({"error": {"message": "try later"}}, 429), answer([1])],
)
def test_a_service_that_fails(
    finder: PriceFinder, clock: Clock, routes: dict[str, Step], failure: Step
) -> None:
    """The price is not known, the reason is a sentence, and a call soon after asks again."""
    routes |= {QUOTE: failure, TOOLS: failure, LIST: failure}
    price = finder.find(REQUEST)
    assert (price.is_known, price.usd, price.source) == (False, None, PriceSource.none)
    assert price.reason
    assert KEY not in price.reason
    routes[LIST] = LISTED
    clock.now += 30
    assert finder.find(REQUEST).quota == 189_000, "the failure of a moment is kept as the price"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"data": []}, "no price of kling-v3"),
        ({"data": None}, "no price of kling-v3"),
        ({"data": [{"id": "kling-v3", "price_config": {"720p_hdr": 1}}]}, "does not know (720p_hdr)"),
        ({"data": [{"id": "kling-v3", "price_config": "0.1"}]}, "no price of this model"),
        ({"data": [{"id": "kling-v3", "price_config": {"per_second": True, "4k": 1}}]}, "for 720p"),
    ],
)
def test_a_list_without_the_price(
    finder: PriceFinder, routes: dict[str, Step], content: dict[str, Any], reason: str
) -> None:
    """A model or a key that is not in the list, or not known, gives no guess."""
    routes |= {QUOTE: ABSENT, TOOLS: ABSENT, LIST: answer(content)}
    price = finder.find(REQUEST)
    assert not price.is_known
    assert reason in price.reason


def test_a_server_that_never_answers(server: FaultServer, routes: dict[str, Step], clock: Clock) -> None:
    """A quote that takes longer than the timeout is left out like one that is absent."""
    routes[QUOTE] = silence
    with Client(KEY, server.url + "/v1", contract="2026-11", timeout=(20.0, 0.2)) as client:
        finder = PriceFinder(client, clock)
        assert finder.find(REQUEST).source is PriceSource.estimate


def test_a_contract_without_prices(server: FaultServer) -> None:
    """Contract 2026-04 documents none: nothing is asked, and the reason says so."""
    with Client(KEY, server.url + "/v1") as client:
        price = PriceFinder(client).find(VideoRequest(model="kling-v1", prompt="A koi"))
        calls: list[Callable[[], object]] = [
            client.balance,
            client.price_list,
            lambda: client.quote(REQUEST),
            lambda: client.estimate(REQUEST),
        ]
        for call in calls:
            with pytest.raises(QingboError, match="2026-04 states no prices"):
                call()
    assert "2026-04 states no prices" in price.reason
    assert server.requests == []


# ---------------------------------------------------------------------- the client


def test_an_invalid_request_is_not_priced(finder: PriceFinder, server: FaultServer) -> None:
    """The client sends nothing that the service would refuse."""
    for ask in (finder.client.quote, finder.client.estimate):
        with pytest.raises(InvalidRequest, match="duration"):
            ask(REQUEST.replace(duration=99))
    assert server.requests == []


def test_the_error_of_the_tool_shows_no_key(finder: PriceFinder, routes: dict[str, Step]) -> None:
    """A message that repeats the key shows it nowhere."""
    content = [{"type": "text", "text": f"model not allowed for {KEY}"}]
    routes[TOOLS] = answer({"jsonrpc": "2.0", "id": 1, "result": {"isError": True, "content": content}})
    with pytest.raises(BadRequest, match="not allowed") as error:
        finder.client.estimate(REQUEST)
    assert KEY not in str(error.value)


def test_the_balance(finder: PriceFinder, server: FaultServer, routes: dict[str, Step]) -> None:
    """The balance is read from its own route, with the key; an answer without an amount is an error."""
    path = "/v1/dashboard/billing/balance"
    routes[path] = answer({"total_granted_usd": 20, "total_used_usd": 3.482914, "as_of": 1788681600})
    assert finder.client.balance().available == Decimal("16.517086")
    assert (server.requests[0].method, server.requests[0].path) == ("GET", path)
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    routes[path] = answer({"object": "credit_summary"})
    with pytest.raises(ServiceError, match="no amount"):
        finder.client.balance()
