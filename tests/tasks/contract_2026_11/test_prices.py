"""``manager.price``, ``qw.price``, ``request.price`` and the balance, at real servers."""

from __future__ import annotations

import gc
import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Context, Decimal, localcontext
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from IPython.lib.pretty import pretty
from PIL import Image

import qingbo_widgets as qw
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.service.contract.quota import quota_text
from qingbo_widgets.tasks.prices import Prices
from tests.faults.server import FaultServer, answer
from tests.waiting import until

KEY = "sk-sentinel-0123456789"
KOI: dict[str, Any] = {"model": "kling-v3", "prompt": "A koi", "resolution": "720p", "duration": 5}
URL = "https://videos.example/1.mp4"


@pytest.fixture
def april(workdir: Path) -> Iterator[qw.TaskManager]:
    """Yield a manager of contract 2026-04, whose service must not be asked."""
    with (
        FaultServer() as service,
        qw.TaskManager(qw.Client(KEY, service.url + "/v1"), qw.Library(workdir / "videos")) as manager,
    ):
        yield manager
        assert service.requests == []


@pytest.fixture
def scripted(workdir: Path, no_proxy: None) -> Iterator[tuple[FaultServer, qw.TaskManager]]:
    """Yield a server that answers every request about prices, and a manager of it."""
    listed = {"id": "kling-v3", "price_config": {"per_second": True, "720p": 0.1}}
    content = {
        "/waveapi/quote": {"data": {"total_usd": 0.37}},
        "/v1/models": {"data": [listed, {**listed, "id": "kling-v3-omni"}]},
        "/v1/dashboard/billing/balance": {"total_available_usd": 16.517086},
    }
    with FaultServer(otherwise=lambda exchange: answer(content[exchange.request.path])(exchange)) as service:
        client = qw.Client(KEY, service.url + "/v1", contract="2026-11")
        with qw.TaskManager(client, qw.Library(workdir / "videos")) as manager:
            yield service, manager


def film(path: Path, frames: int) -> Path:
    """Write a video of 25 frames a second, and return its path."""
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 32, "yuv420p"
        for _ in range(frames):
            file.mux(
                stream.encode(av.VideoFrame.from_ndarray(np.zeros((32, 64, 3), np.uint8), format="rgb24"))
            )
        file.mux(stream.encode(None))
    return path


# ---------------------------------------------------------------------- contract 2026-11


@pytest.mark.parametrize(
    ("fields", "usd"),
    [
        ({}, "0.378"),
        ({"resolution": "1080p", "duration": 10, "generate_audio": True}, "1.512"),
        ({"mode": "pro", "resolution": None}, "0.504"),
        ({"model": "kling-3.0-turbo", "duration": 3}, "0.3861"),
        (
            {
                "prompt": "A story",
                "multi_shot": True,
                "shot_type": "customize",
                "multi_prompt": [("A", 4), ("B", 3)],
                "duration": None,
            },
            "0.5292",
        ),
    ],
)
def test_the_price_is_what_the_service_freezes(
    manager: qw.TaskManager, server: qw.Sandbox, fields: dict[str, Any], usd: str
) -> None:
    """Each way to ask gives the amount that the service reserves then; asking submits nothing."""
    request = qw.VideoRequest(**{**KOI, **fields})
    before = len(server.requests)
    prices = [
        manager.price(request),
        manager.price(**{**KOI, **fields}),
        request.price(),
        qw.price(**{**KOI, **fields}),
    ]
    assert {(price.usd, price.is_exact) for price in prices} == {(Decimal(usd), True)}
    assert all(price.as_of is not None for price in prices)
    assert (len(server.requests), manager.tasks, manager.library.entries()) == (before, (), [])
    submitted = request.replace(prompt="A koi")
    assert manager.client.submit(submitted).frozen == prices[0].quota


def test_a_form_without_a_prompt_has_a_price(manager: qw.TaskManager) -> None:
    """No price depends on the words, so ``qw.price`` needs none."""
    assert qw.price(model="kling-v3", resolution="720p", duration=5).quota == 189_000
    with pytest.raises(qw.InvalidRequest, match="prompt"):
        qw.VideoRequest(model="kling-v3").price()


def test_a_local_video_counts_its_whole_seconds(manager: qw.TaskManager, workdir: Path) -> None:
    """A file of 5.96 s is billed as 5 s, as the service reads it; the file is not uploaded."""
    path = film(workdir / "fish.mp4", 149)
    price = manager.price(model="kling-v3-omni", prompt="make it snow", action="edit", video_urls=[str(path)])
    assert (price.usd, price.quota, price.is_exact) == (5 * Decimal("0.1134"), 283_500, True)


def test_a_video_of_unknown_length_has_a_maximum(scripted: tuple[FaultServer, qw.TaskManager]) -> None:
    """A file that cannot be read is priced for the longest video that the model takes."""
    _, manager = scripted
    broken = manager.library.folder.parent / "broken.mp4"
    broken.write_bytes(b"\x00\x00\x00\x18ftypisom" + b"?" * 500)
    price = manager.price(model="kling-v3-omni", prompt="snow", action="edit", video_urls=[str(broken)])
    assert (price.usd, price.is_exact) == (10 * Decimal("0.1"), False)
    assert str(price) == "at most $1.00"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*Enlarged to")
def test_a_finished_video_as_the_input(manager: qw.TaskManager) -> None:
    """The length of a video of this manager is read from its file."""
    source = manager.submit(**{**KOI, "duration": 3})
    source.wait(60)
    fields: dict[str, Any] = {"model": "kling-v3-omni", "prompt": "make it snow", "action": "edit"}
    price = manager.price(**fields, video_urls=list(source.video_urls))
    assert (price.usd, price.is_exact) == (3 * Decimal("0.1134"), True)


def test_a_picture_without_a_url(scripted: tuple[FaultServer, qw.TaskManager]) -> None:
    """With a picture of the notebook, the price is from the list; the quote is not left out later."""
    service, manager = scripted
    picture = Image.new("RGB", (400, 400))
    assert manager.price(**{**KOI, "image_urls": [picture]}).usd == Decimal("0.5")
    assert [request.path for request in service.requests] == ["/v1/models"]
    assert manager.price(**KOI).usd == Decimal("0.37")


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"duration": 99}, "duration"), ({"prompt": ""}, "prompt"), ({"resolution": "8k"}, "resolution")],
)
def test_an_invalid_request_has_no_price(
    scripted: tuple[FaultServer, qw.TaskManager], fields: dict[str, Any], field: str
) -> None:
    """A request that the service would refuse is refused here, and nothing is sent."""
    service, manager = scripted
    with pytest.raises(qw.InvalidRequest) as error:
        manager.price(**{**KOI, **fields})
    assert [problem.field for problem in error.value.problems] == [field]
    assert service.requests == []


def test_what_is_no_request(manager: qw.TaskManager) -> None:
    """A text, an unknown name and a closed manager are errors of the caller."""
    with pytest.raises(TypeError, match="VideoRequest"):
        manager.price("A koi")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="colour"):
        manager.price(colour="red")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="colour"):
        qw.price(colour="red")  # type: ignore[call-arg]
    manager.close()
    for call in (lambda: manager.price(**KOI), manager.balance):
        with pytest.raises(qw.QingboError, match="closed"):
            call()


def test_the_balance(scripted: tuple[FaultServer, qw.TaskManager], monkeypatch: pytest.MonkeyPatch) -> None:
    """The balance is the account's, of the manager and of the notebook's default one."""
    _, manager = scripted
    monkeypatch.setattr("qingbo_widgets.tasks.connection._default", manager)
    assert str(manager.balance()) == "$16.517086 left"
    assert qw.balance() == manager.balance()


# ---------------------------------------------------------------------- contract 2026-04

_AT = datetime(2026, 4, 30, 12, tzinfo=UTC)
APRIL = qw.VideoRequest(model="kling-v1", prompt="A koi", duration=5)


def test_amounts_in_a_notebook_with_another_precision(
    scripted: tuple[FaultServer, qw.TaskManager],
) -> None:
    """The context of the decimal module in the caller's notebook rounds no amount."""
    _, manager = scripted
    with localcontext(Context(prec=2)):
        assert (str(manager.price(**KOI)), str(manager.balance())) == ("$0.37", "$16.517086 left")
        assert quota_text(189_001, "2026-11") == "$0.378002"


def test_a_difference_of_rounding_keeps_the_prices(scripted: tuple[FaultServer, qw.TaskManager]) -> None:
    """A reserved amount that differs by one unit of quota is the same price: nothing is asked again."""
    server, manager = scripted
    price = manager.price(**KOI)
    assert price.quota is not None
    asked = len(server.requests)
    manager.prices.compare(price, price.quota - 1)
    manager.price(**KOI)
    assert len(server.requests) == asked
    manager.prices.compare(price, price.quota - 2)
    manager.price(**KOI)
    assert len(server.requests) == asked + 1


def _open(server: FaultServer) -> int:
    """Return the number of open connections."""
    return sum(connection.fileno() != -1 for connection in server.sockets)


def test_prices_leave_no_connection_and_no_thread(scripted: tuple[FaultServer, qw.TaskManager]) -> None:
    """The connections of a former key are closed at once, those of a manager with it; then threads end."""
    server, manager = scripted
    request, before = qw.VideoRequest(**KOI), set(threading.enumerate())
    prices = Prices(manager.inputs, manager.library, manager.service, lambda: manager.client, lambda: ())
    for number in range(3):
        manager.change_client(qw.Client(f"{KEY}-{number}", server.url + "/v1", contract="2026-11"))
        answered = threading.Event()
        prices.ask(request, answered.set)
        assert answered.wait(30)
    threads = [thread for thread in threading.enumerate() if thread not in before]
    until(lambda: _open(server) == 1, 30)
    prices.close()
    until(lambda: not _open(server), 30)
    del prices
    gc.collect()
    until(lambda: not any(thread.is_alive() for thread in threads if thread.name == "qingbo-price"), 30)


def put(manager: qw.TaskManager, key: str, **changes: Any) -> None:
    """Put a finished task with the cost of 75,000 units into the library."""
    row = {
        "key": key * 32,
        "service": manager.service,
        "task_id": f"task-{key}",
        "status": qw.TaskStatus.completed.value,
        "model": "kling-v1",
        "request": APRIL.as_dict(),
        "cost": 75_000,
        "created_at": _AT,
        "completed_at": _AT,
        **changes,
    }
    manager.library.put(Entry(**row))


def test_april_has_the_cost_of_an_equal_task(april: qw.TaskManager) -> None:
    """Under a contract without prices, the latest equal task says what a video costs, in units."""
    put(april, "a")
    price = april.price(APRIL)
    assert (price.usd, price.quota, price.source.value, price.as_of) == (None, 75_000, "earlier task", _AT)
    assert str(price) == "about 75,000 units of quota"
    assert april.price(APRIL.replace(prompt="A heron")).quota == 75_000, "no price depends on the words"
    assert april.tasks == ()


@pytest.mark.parametrize(
    "different",
    [{"duration": 10}, {"mode": "pro"}, {"model": "kling-v1-6"}, {"image_urls": ["https://a.example/1.png"]}],
)
def test_april_has_no_price_of_another_request(april: qw.TaskManager, different: dict[str, Any]) -> None:
    """A task with other parameters says nothing about this one."""
    put(april, "a")
    price = april.price(APRIL.replace(**different))
    assert not price.is_known
    assert "contract 2026-04 states no prices" in price.reason


@pytest.mark.parametrize(
    "different",
    [
        {"status": "failed"},
        {"cost": None},
        {"cost": 0},
        {"contract": "2026-11"},
        {"service": "https://other.example/v1"},
        {"request": None},
        {"request": {"model": "kling-v1", "prompt": 5}},
    ],
    ids=str,
)
def test_a_task_that_says_no_price(april: qw.TaskManager, different: dict[str, Any]) -> None:
    """A failed, refunded, foreign or unreadable task is not taken for a price."""
    put(april, "a", **different)
    assert not april.price(APRIL).is_known


def test_the_latest_equal_task_counts(april: qw.TaskManager) -> None:
    """Prices change: of two equal tasks, the later one counts."""
    put(april, "a", submitted_at=_AT, cost=50_000)
    put(april, "b", submitted_at=_AT.replace(day=29), cost=60_000)
    assert april.price(APRIL).quota == 50_000


def test_invalid_in_april(april: qw.TaskManager) -> None:
    """A value that contract 2026-04 does not take is refused, not priced."""
    with pytest.raises(qw.InvalidRequest, match="duration"):
        april.price(APRIL.replace(duration=7))
    calls: list[Callable[[], object]] = [april.balance, april.client.price_list]
    for call in calls:
        with pytest.raises(qw.QingboError, match="2026-04 states no prices"):
            call()


def test_a_cell_shows_amounts_as_text(manager: qw.TaskManager) -> None:
    """The last line of a cell may be a price or the balance; its repr has the fields."""
    shown = [pretty(value) for value in (manager.price(**KOI), manager.balance())]
    assert shown[0] == "$0.378"
    assert re.fullmatch(r"\$[\d.]+ left", shown[1])
    assert "quota=189000" in repr(manager.price(**KOI))
