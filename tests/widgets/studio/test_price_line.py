"""``PriceLine``: the price beside Generate, at real servers."""

from __future__ import annotations

import html
import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import qingbo_widgets as qw
from qingbo_widgets.i18n import set_locale
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.sandbox import Gaps
from qingbo_widgets.service.contract.snapshot import TaskStatus
from qingbo_widgets.widgets.base.sync import update
from qingbo_widgets.widgets.studio.follow_up import FollowUp
from qingbo_widgets.widgets.studio.video_studio import VideoStudio
from tests.faults.server import Exchange, FaultServer, answer, close
from tests.waiting import until
from tests.widgets.page import box_of, html_of, read, text_of

KEY = "sk-sentinel-0123456789"
QUOTE = "/waveapi/quote"
ABSENT = answer({"error": {"message": "no such route"}}, 404)
#: What the price costs in a second, as the scripted service has it.
A_SECOND = 0.1


class Service:
    """A scripted service of contract 2026-11 that quotes every request, at once or when the test lets it."""

    def __init__(self, server: FaultServer) -> None:
        self.server = server
        self.per_second = A_SECOND
        self.is_open = threading.Event()
        self.is_open.set()
        server.otherwise = self.respond

    def respond(self, exchange: Exchange) -> bool:
        if exchange.request.path != QUOTE:
            return ABSENT(exchange)
        body, per_second = exchange.request.json, self.per_second
        while not self.is_open.wait(0.01):
            if exchange.stopped.is_set():
                return False
        return answer({"data": {"total_usd": round(per_second * body["duration"], 4)}})(exchange)

    @property
    def quoted(self) -> list[Any]:
        """The bodies for which a quote was requested."""
        return [request.json for request in self.server.requests if request.path == QUOTE]


@pytest.fixture
def service(no_proxy: None) -> Iterator[Service]:
    """Yield a scripted service."""
    with FaultServer() as server:
        yield Service(server)


@pytest.fixture
def november(service: Service, workdir: Path) -> Iterator[qw.TaskManager]:
    """Yield a manager of the scripted service, in contract 2026-11."""
    client = qw.Client(KEY, service.server.url + "/v1", contract="2026-11")
    with qw.TaskManager(client, qw.Library(workdir / "videos")) as manager:
        yield manager


@pytest.fixture(scope="module")
def play_money() -> Iterator[qw.Sandbox]:
    """Yield a fast sandbox of contract 2026-11."""
    with qw.Sandbox(speed=200, draft=True, contract="2026-11") as sandbox:
        yield sandbox


def shown(studio: VideoStudio | FollowUp) -> str:
    """Return what a user reads beside Generate."""
    return text_of(box_of(studio, studio.generate_button))


def shows(studio: VideoStudio | FollowUp, text: str) -> None:
    """Wait until a user reads this text beside Generate."""
    try:
        until(lambda: shown(studio) == text, 30)
    except AssertionError:
        raise AssertionError(f"beside Generate a user reads {shown(studio)!r}, not {text!r}") from None


def titles(studio: VideoStudio | FollowUp) -> list[str]:
    """Return the tooltips of the texts beside Generate."""
    found = re.findall(r'title="([^"]*)"', html_of(box_of(studio, studio.generate_button)))
    return [html.unescape(title) for title in found]


def rest(studio: VideoStudio) -> None:
    """Wait until a question that was not asked yet is over."""
    until(lambda: not studio._actions.price_line._awaited)


# ---------------------------------------------------------------------- a price


def test_the_price_with_its_source(november: qw.TaskManager, service: Service) -> None:
    """The price appears by itself, and its tooltip has the source and the local date."""
    service.is_open.clear()
    studio = VideoStudio(november, model="kling-v3", prompt="A koi", duration=5)
    assert shown(studio) == "Price: …", "the form does not wait for the service"
    service.is_open.set()
    shows(studio, "$0.50")
    (title,) = titles(studio)
    assert re.fullmatch(r"Quoted by the service, 20\d\d-\d\d-\d\d \d\d:\d\d UTC.*\.", title)
    assert 'data-text="Price: $0.50"' in html_of(studio), "a screen reader announces the change"
    assert not studio.cards, "nothing is submitted"


def test_a_missing_prompt_does_not_matter(november: qw.TaskManager, service: Service) -> None:
    """A form without a prompt has a price; the service never gets what the user is typing."""
    studio = VideoStudio(november, duration=5)
    shows(studio, "$0.50\nWrite a prompt: what the video shows.")
    for text in ("A", "A secret", "A secret plan"):
        studio.form.prompt = text
        assert shown(studio) == "$0.50"
    studio.form.switch.value = True
    shows(studio, "$0.50\nFix first: Shot 2.")
    assert "secret" not in str(service.quoted)


def test_one_question_for_each_kind(november: qw.TaskManager, service: Service) -> None:
    """Clicks in quick succession ask for the last value only, and a known price is shown at once."""
    studio = VideoStudio(november, prompt="A koi", duration=5)
    shows(studio, "$0.50")
    with update():  # nothing is requested meanwhile, however slow this machine is
        for seconds in (6, 7, 8, 9, 10):
            studio.form.duration = seconds
            assert shown(studio) == "Price: …"
    shows(studio, "$1.00")
    studio.form.duration = 5
    assert shown(studio) == "$0.50"
    other = VideoStudio(november, prompt="A heron", duration=10)
    assert shown(other) == "$1.00", "another form of the same connection knows the price"
    rest(other)
    assert [body["duration"] for body in service.quoted] == [5, 10]


def test_a_quote_has_nothing_that_is_private(november: qw.TaskManager, service: Service) -> None:
    """Before the click, the service gets neither a text nor the address that a task would call back."""
    studio = VideoStudio(november)
    secrets: dict[str, Any] = {"prompt": "private", "negative_prompt": "private"}
    secrets["callback_url"] = "https://example.com/private"
    studio.form.load(qw.VideoRequest("kling-v3", resolution="720p", duration=5, **secrets))
    shows(studio, "$0.50")
    sent = [request.body for request in service.server.requests]
    assert service.quoted
    assert not [body for body in sent if b"private" in body]


def test_variations_cost_their_sum(november: qw.TaskManager) -> None:
    """Several variations have the sum, and the price of each."""
    studio = VideoStudio(november, prompt="A koi", duration=5)
    shows(studio, "$0.50")
    studio.variations.value = 3
    assert shown(studio) == "$1.50 for 3 ($0.50 each)"
    assert titles(studio)[0].endswith(" ($0.50 each)")
    studio.variations.value = 1
    assert shown(studio) == "$0.50"


def test_an_invalid_request_has_no_price(november: qw.TaskManager, service: Service) -> None:
    """Beside an error there is no price, and the service is not asked for one."""
    studio = VideoStudio(november, prompt="A koi", duration=5)
    shows(studio, "$0.50")
    studio.form.image_urls = ("not a URL",)
    assert "$" not in shown(studio)
    rest(studio)
    assert len(service.quoted) == 1
    studio.form.image_urls = ()
    assert shown(studio) == "$0.50"


# ---------------------------------------------------------------------- a service that is slow, or fails


def test_the_form_does_not_wait(november: qw.TaskManager, service: Service) -> None:
    """While the service does not answer, the form can be used, and shows no price of other values."""
    service.is_open.clear()
    studio = VideoStudio(november, prompt="A koi", duration=5)
    until(lambda: len(service.quoted) == 1)
    studio.form.duration = 10
    studio.form.prompt = "A heron"
    assert shown(studio) == "Price: …"
    assert not studio.generate_button.disabled
    service.is_open.set()
    shows(studio, "$1.00")


def test_a_late_answer_is_not_shown_for_another_request(november: qw.TaskManager, service: Service) -> None:
    """The answer for five seconds comes when the form has ten: it is kept for later, not shown."""
    service.is_open.clear()
    studio = VideoStudio(november, prompt="A koi", duration=5)
    until(lambda: service.quoted)
    texts: list[str] = []
    studio._actions.price_line.html.observe(lambda change: texts.append(read(change["new"])), "value")
    studio.form.duration = 10
    service.is_open.set()
    shows(studio, "$1.00")
    assert "$0.50" not in " ".join(texts), texts
    studio.form.duration = 5
    assert shown(studio) == "$0.50"


def test_a_price_that_is_not_known_says_why(november: qw.TaskManager, service: Service) -> None:
    """Without an answer, the line says so; the reason can be opened with the keyboard and by touch."""
    service.server.otherwise = close
    studio = VideoStudio(november, prompt="A koi", duration=5)
    until(lambda: "Price not known" in shown(studio))
    found = html_of(box_of(studio, studio.generate_button))
    (title,) = titles(studio)
    assert "127.0.0.1" in title
    assert "<details" in found
    assert title in read(found)
    assert "qingbo-alarm" not in found, "a missing price is no warning"
    assert not studio.generate_button.disabled


def test_a_service_with_the_list_only(workdir: Path) -> None:
    """Without a quote and an estimate the price is from the list, and is marked as such."""
    gaps = Gaps(quote="absent")
    with (
        qw.Sandbox(contract="2026-11", draft=True, gaps=gaps) as sandbox,
        qw.connect(sandbox=sandbox) as manager,
    ):
        studio = VideoStudio(manager, model="kling-v3", prompt="A koi", duration=5)
        shows(studio, "about $0.378, not charged")
        assert titles(studio)[0].startswith("Estimated by the service, ")


# ---------------------------------------------------------------------- prices that change


def test_another_amount_than_the_price(play_money: qw.Sandbox, workdir: Path) -> None:
    """The service reserves another amount than the form has shown: the new price is requested by itself."""
    with qw.connect(sandbox=play_money) as manager:
        studio = VideoStudio(manager, model="kling-v3", prompt="A koi", duration=5)
        shows(studio, "$0.378, not charged")
        play_money.prices = {"kling-v3": {"per_second": True, "video_prices": {"720p": 0.1}}}
        try:
            studio.generate_button.click()
            shows(studio, "$0.50, not charged")
        finally:
            play_money.prices = {}
        assert studio.cards[0].task.frozen == 250_000


def test_an_old_price_is_requested_again(
    november: qw.TaskManager, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After ten minutes, the next use of the form requests the price again; it is shown meanwhile."""
    now = [0.0]
    monkeypatch.setattr(november.prices, "_clock", lambda: now[0])
    monkeypatch.setattr(november.prices._finder[1], "_clock", lambda: now[0])
    studio = VideoStudio(november, prompt="A koi", duration=5)
    shows(studio, "$0.50")
    service.per_second, now[0] = 0.2, 599.0
    studio.form.prompt = "A heron"
    rest(studio)
    assert len(service.quoted) == 1, "the price of nine minutes ago is good"
    now[0] = 601.0
    with update():
        studio.form.prompt = "A frog"
        assert shown(studio) == "$0.50"
    shows(studio, "$1.00")


def test_another_connection_has_its_own_prices(
    november: qw.TaskManager, play_money: qw.Sandbox, workdir: Path
) -> None:
    """A studio that connects anew shows the prices of the new connection, never those of the former one."""
    studio = VideoStudio(november, model="kling-v3", prompt="A koi", duration=5)
    shows(studio, "$0.50")
    with qw.connect(sandbox=play_money) as manager:
        studio._on_connect(manager)
        assert "$0.50" not in shown(studio)
        shows(studio, "$0.378, not charged")


def test_another_key_has_its_own_prices(november: qw.TaskManager, service: Service) -> None:
    """Another key of the same connection may have a discount, so its price is requested."""
    studio = VideoStudio(november, prompt="A koi", duration=5)
    shows(studio, "$0.50")
    service.per_second = 0.05
    november.change_client(november.client.with_key("sk-another-0123456789"))
    with update():
        studio.form.prompt = "A heron"
        assert shown(studio) == "Price: …"
    shows(studio, "$0.25")


def test_a_closed_connection_has_no_price(november: qw.TaskManager) -> None:
    """A closed connection submits nothing, so nothing has a price."""
    studio = VideoStudio(november, prompt="A koi", duration=5)
    shows(studio, "$0.50")
    november.close()
    until(lambda: "The connection is closed" in shown(studio))
    assert "$" not in shown(studio)


def test_a_closed_studio(
    november: qw.TaskManager,
    service: Service,
    live_widgets: Callable[[], int],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An answer that comes after the studio is closed draws nothing, and leaves no widget."""
    before = live_widgets()
    service.is_open.clear()
    studio = VideoStudio(november, prompt="A koi", duration=5)
    until(lambda: service.quoted)
    studio.close()
    service.is_open.set()
    until(lambda: november.prices.latest(qw.VideoRequest("kling-v3", "…", duration=5, resolution="720p")))
    assert live_widgets() == before
    assert not [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")]


# ---------------------------------------------------------------------- contract 2026-04


@pytest.fixture
def april(workdir: Path, no_proxy: None) -> Iterator[qw.TaskManager]:
    """Yield a manager of contract 2026-04, whose service must not be asked."""
    with (
        FaultServer() as server,
        qw.TaskManager(qw.Client(KEY, server.url + "/v1"), qw.Library(workdir / "videos")) as manager,
    ):
        yield manager
        paths = [request.path for request in server.requests]
        assert not [path for path in paths if "task" not in path], paths


def test_april_does_not_know_the_price(april: qw.TaskManager) -> None:
    """Contract 2026-04 states no prices: one quiet phrase, with the reason."""
    studio = VideoStudio(april, prompt="A koi")
    until(lambda: "Price not known" in shown(studio))
    assert titles(studio) == ["The documentation of contract 2026-04 states no prices and no balance."]
    assert "qingbo-alarm" not in html_of(box_of(studio, studio.generate_button))


def test_april_has_the_cost_of_the_latest_equal_task(april: qw.TaskManager) -> None:
    """The cost of the latest equal task is shown as about that, with its date."""
    request = qw.VideoRequest(model="kling-v1", prompt="A koi", duration=5)
    at = datetime(2026, 4, 30, 12, tzinfo=UTC)
    april.library.put(
        Entry(
            key="a" * 32,
            service=april.service,
            task_id="task-a",
            status=TaskStatus.completed.value,
            model="kling-v1",
            request=request.as_dict(),
            cost=75_000,
            created_at=at,
            completed_at=at,
        )
    )
    studio = VideoStudio(april, model="kling-v1", prompt="A heron", duration=5)
    shows(studio, "about 75,000 units of quota")
    assert titles(studio)[0].startswith("The cost of the latest task with these settings, 2026-0")
    studio.variations.value = 2
    assert shown(studio) == "about 150,000 units of quota for 2 (75,000 units of quota each)"
    studio.form.duration = 10
    until(lambda: "Price not known" in shown(studio))


# ---------------------------------------------------------------------- elsewhere


def test_the_form_of_the_next_video(november: qw.TaskManager, live_widgets: Callable[[], int]) -> None:
    """The form below a video has the same line, and a closed form leaves nothing behind."""
    follow_up = FollowUp(november)
    before = live_widgets()
    follow_up.offer(qw.VideoRequest("kling-v3", "A koi", duration=5))
    shows(follow_up, "$0.50")
    with update():
        follow_up.form.duration = 10
        assert shown(follow_up) == "Price: …"
    shows(follow_up, "$1.00")
    follow_up.clear()
    assert live_widgets() == before
    follow_up.offer(qw.VideoRequest("kling-v3", "A koi", duration=5))
    assert shown(follow_up) == "$0.50"
    follow_up.close()


def test_in_chinese(november: qw.TaskManager) -> None:
    """The line is in the language of the interface."""
    set_locale("zh")
    studio = VideoStudio(november, prompt="一条锦鲤", duration=5)
    shows(studio, "$0.50")
    studio.variations.value = 3
    assert shown(studio) == "$1.50，共 3 个 每个 $0.50"
    assert titles(studio)[0].startswith("服务的报价，20")
