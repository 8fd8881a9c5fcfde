"""Images of a form are shown and checked without blocking it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from qingbo_widgets.i18n import set_locale
from qingbo_widgets.library.library import Library
from qingbo_widgets.sandbox import Sandbox
from qingbo_widgets.service.client import Client
from qingbo_widgets.service.contract.values import DynamicMask
from qingbo_widgets.service.http.image_probe import ImageReport, Size
from qingbo_widgets.tasks.background.image_checks import image_reports
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.widgets.base import sync as binding
from qingbo_widgets.widgets.form import preview
from qingbo_widgets.widgets.form.request_form import RequestForm
from qingbo_widgets.widgets.studio.video_studio import VideoStudio
from tests.faults.server import FaultServer, Step, answer, close
from tests.widgets.page import below, html_of

URL = "https://example.com/koi.png"
Finds = Callable[..., threading.Event]
Until = Callable[[Callable[[], object]], None]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the delay after typing."""
    monkeypatch.setattr(preview, "_TYPED", 0.0)
    monkeypatch.setattr(binding.refresher, "interval", 0.02)


@pytest.fixture
def form() -> Iterator[RequestForm]:
    """Yield a form that lacks only an image."""
    form = RequestForm(prompt="A koi")
    yield form
    form.close()


@pytest.fixture
def finds(monkeypatch: pytest.MonkeyPatch) -> Finds:
    """Return a function that sets the probe's result; probes block while its event is cleared."""

    def find(size: Size | None = None, problem: str = "", **facts: Any) -> threading.Event:
        may_look = threading.Event()
        may_look.set()

        def look(url: str, *_: object, **__: object) -> ImageReport:
            assert may_look.wait(30)
            return ImageReport(url, size, problem, **facts)

        monkeypatch.setattr(image_reports, "_probe", look)
        return may_look

    return find


@pytest.fixture
def local(server: Sandbox, workdir: Path) -> Iterator[TaskManager]:
    """Yield a manager whose service is a local sandbox that outlives it."""
    manager = TaskManager(Client(server.api_key, server.base_url), Library("qingbo_videos"))
    manager.sandbox = server
    yield manager
    manager.sandbox = None
    manager.close()


def shown(form: RequestForm, field: str = "image_urls") -> str:
    """Return the HTML in the preview of a field."""
    return html_of(form.slots[field].editor)


def note(form: RequestForm) -> str:
    """Return the note below the field for images."""
    return html_of(below(form, form.controls["image_urls"]))


def picture(path: Path, width: int = 640, height: int = 360) -> Path:
    """Write an image file and return its path."""
    Image.new("RGB", (width, height), "teal").save(path)
    return path


def test_a_form_without_images_probes_none(form: RequestForm) -> None:
    """A form without images probes none and creates no preview."""
    assert form.slots["image_urls"].layout.display == "none"
    assert form.slots["image_urls"].children == ()


def test_the_image_is_shown_with_the_shape_of_the_video(
    form: RequestForm, finds: Finds, until: Until
) -> None:
    """The image is shown with the video's shape and without a referrer."""
    looking = finds(Size("JPEG", 1200, 800))
    looking.clear()
    form.controls["image_urls"].value = URL
    assert "Checking" in shown(form)
    looking.set()
    until(lambda: "<img" in shown(form))
    assert f'src="{URL}"' in shown(form)
    assert 'referrerpolicy="no-referrer"' in shown(form)
    assert "JPEG, 1200 × 800 pixels. The video will be 3:2." in shown(form)
    form.image_urls = ()
    assert form.slots["image_urls"].layout.display == "none"


def test_an_image_that_cannot_be_used_is_a_problem(form: RequestForm, finds: Finds, until: Until) -> None:
    """An unusable image is shown as a problem and blocks Generate until it is replaced."""
    looking = finds(None, "This is not a JPEG, PNG or WebP image.")
    looking.clear()
    form.image_urls = URL
    assert form.problems == (), "the form does not wait for the look"
    looking.set()
    until(lambda: form.problems)
    assert [problem.field for problem in form.problems] == ["image_urls"]  # type: ignore[var-annotated]  # mypy misses that they have changed
    assert "This is not a JPEG" in note(form)
    assert "<img" not in shown(form)
    assert "Image URL" in form.obstacle
    finds(Size("PNG", 640, 360))
    form.image_urls = "https://example.com/other.png"
    assert form.problems == ()


def test_klings_limits_are_hints(form: RequestForm, finds: Finds, until: Until) -> None:
    """Images beyond Kling's limits give a hint, and the task can be submitted."""
    finds(Size("PNG", 200, 200))
    form.image_urls = URL
    until(lambda: "at least 300" in note(form))
    assert form.problems == ()
    assert "qingbo-hint" in note(form)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    "step",
    [answer(b"no hotlinks", 403), answer(b"", 401), answer(b"", 429), answer(b"", 503), close],
    ids=["403", "401", "429", "503", "hangs up"],
)
def test_an_image_host_that_refuses_this_machine(
    local: TaskManager, step: Step, language: str, until: Until
) -> None:
    """The user is warned in orange beside the field, and can press Generate."""
    set_locale(language)
    words = {"en": "could not be checked", "zh": "无法检查此图片"}[language]
    with FaultServer(otherwise=step) as host:
        studio = VideoStudio(local, prompt="A koi", image_urls=[f"{host.url}/koi.png"])
        until(lambda: words in note(studio.form))
        assert "qingbo-hint" in note(studio.form)
        assert "qingbo-alarm" not in note(studio.form)
        assert studio.form.problems == ()
        assert not studio.generate_button.disabled
        studio.close()


def test_a_host_that_answers_again(form: RequestForm, finds: Finds, until: Until, monkeypatch: Any) -> None:
    """A warning stays until the image was checked again, which the next change of the form begins."""
    now = [0.0]
    monkeypatch.setattr(image_reports, "_clock", lambda: now[0])
    finds(doubt="The image could not be checked.", is_transient=True)
    form.image_urls = URL
    until(lambda: "could not be checked" in note(form))
    now[0] += 60.0
    looking = finds(Size("PNG", 1280, 720))
    looking.clear()
    form.prompt = "Two koi"
    assert "could not be checked" in note(form)
    assert "Checking the image" not in shown(form)
    looking.set()
    until(lambda: "<img" in shown(form) and "could not be checked" not in note(form))


def test_the_last_frame_is_probed_too(form: RequestForm, finds: Finds, until: Until) -> None:
    """The last frame is probed when its panel is open, and the panel's button shows the problem."""
    finds(None, "This is not a JPEG, PNG or WebP image.")
    form.image_urls, form.last_frame = URL, "https://example.com/z.png"
    form.panels.buttons["more"].value = True
    until(lambda: {problem.field for problem in form.problems} == {"image_urls", "last_frame"})
    until(lambda: "1 error" in form.panels.buttons["more"].description)


def test_only_the_last_address_typed_is_fetched(
    form: RequestForm, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the final URL is fetched, once, and not one URL for each letter."""
    monkeypatch.setattr(preview, "_TYPED", 0.2)
    asked: list[str] = []

    def look(url: str, *_: object, **__: object) -> ImageReport:
        asked.append(url)
        return ImageReport(url, Size("PNG", 640, 360))

    monkeypatch.setattr(image_reports, "_probe", look)
    for length in range(len("https://example.com/"), len(URL) + 1):
        form.controls["image_urls"].value = URL[:length]
    until(lambda: "<img" in shown(form))
    form.image_urls = ()
    form.image_urls = URL
    assert "<img" in shown(form)
    assert asked == [URL]


def test_a_slow_image_holds_up_nothing(
    form: RequestForm, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow probe does not block the form, and its result is dropped if the form is closed."""
    door, looking = threading.Event(), threading.Event()

    def look(url: str, *_: object, **__: object) -> ImageReport:
        looking.set()
        assert door.wait(20)
        return ImageReport(url, None, "This is not a JPEG, PNG or WebP image.")

    monkeypatch.setattr(image_reports, "_probe", look)
    other = RequestForm(prompt="A koi", image_urls=URL)
    form.image_urls = URL
    assert looking.wait(20)
    form.controls["prompt"].value = "A fox"
    assert form.request.prompt == "A fox"
    other.close()
    door.set()
    until(lambda: form.problems)
    assert form.prompt == "A fox"


def test_a_file_is_served_by_the_sandbox(local: TaskManager, workdir: Path, until: Until) -> None:
    """The path of a file becomes a URL of the sandbox, and the image is shown from the kernel's memory."""
    picture(workdir / "my koi.png", 640, 360)
    form = RequestForm(local, prompt="A koi", model="kling-v1-6")
    form.controls["image_urls"].value = "my koi.png"
    (url,) = form.image_urls
    assert url.startswith("http://127.0.0.1:")
    assert form.controls["image_urls"].value == url
    until(lambda: "<img" in shown(form))
    assert 'src="data:image/png;base64,' in shown(form)
    assert "my koi.png" in shown(form)
    assert "needs a public URL" in shown(form)
    assert form.problems == ()
    form.static_mask = str(workdir / "my koi.png")
    form.dynamic_masks = DynamicMask("my koi.png", ((1, 2), (3, 4)))
    assert form.static_mask.startswith("http://127.0.0.1:")
    assert form.dynamic_masks[0].mask_url.startswith("http://127.0.0.1:")
    form.close()


def test_a_form_that_gets_a_sandbox_later_then_takes_files(local: TaskManager, workdir: Path) -> None:
    """File paths work as soon as the form gets a manager with a sandbox, as in a studio."""
    picture(workdir / "koi.png")
    form = RequestForm(prompt="A koi", image_urls="koi.png")
    assert "needs a public URL" in note(form)
    form.manager = local
    assert form.image_urls[0].startswith("http://127.0.0.1:")
    form.close()


def test_the_service_takes_no_files(manager: TaskManager, workdir: Path) -> None:
    """A file path for the real service is explained below the field."""
    picture(workdir / "koi.png")
    form = RequestForm(manager, prompt="A koi", image_urls="koi.png")
    assert form.image_urls == ("koi.png",)
    assert "is a file on this machine, but the service needs a public URL" in note(form)
    form.close()


def test_a_file_that_is_not_an_image_is_not_served(local: TaskManager, workdir: Path) -> None:
    """A file that is not an image keeps its path and is shown as a problem."""
    (workdir / "koi.txt").write_text("A koi", encoding="utf-8")
    form = RequestForm(local, prompt="A koi", image_urls="koi.txt")
    assert form.image_urls == ("koi.txt",)
    assert form.problems
    form.close()


def test_an_address_never_becomes_markup(form: RequestForm, finds: Finds, until: Until) -> None:
    """A hostile URL never becomes markup."""
    finds(Size("PNG", 640, 360))
    form.image_urls = 'https://example.com/"onload="alert(1)'
    until(lambda: "<img" in shown(form))
    assert '"onload' not in shown(form)


@pytest.mark.slow
def test_a_hundred_previews_leave_nothing(
    finds: Finds, live_widgets: Callable[[], int], until: Until
) -> None:
    """Previews are closed with their form, whether probed or not."""
    finds(Size("PNG", 640, 360))
    before = live_widgets()
    for _ in range(100):
        RequestForm(image_urls=URL).close()
    assert live_widgets() == before
