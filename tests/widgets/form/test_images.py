"""Images of a form are shown and checked without blocking it."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from qingbo_widgets.exceptions import InvalidRequest
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
from tests.widgets.page import below, html_of, text_of

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
    client = Client(server.api_key, server.base_url)
    manager = TaskManager(client, Library("qingbo_videos"), sandbox=server)
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
    assert "Image" in form.obstacle
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
    monkeypatch.setattr(preview, "_TYPED", 1.5)  # longer than a busy machine takes for a letter
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


def test_a_file_is_shown_as_it_will_be_sent(local: TaskManager, workdir: Path, until: Until) -> None:
    """The form keeps the path; it shows the picture, its size, what is changed in it, and where it goes."""
    Image.new("RGBA", (640, 360), "teal").save(workdir / "koi.png")
    form = RequestForm(local, prompt="A koi", model="kling-v1-6")
    form.controls["image_urls"].value = "koi.png"
    assert form.image_urls == ("koi.png",)
    assert form.controls["image_urls"].value == "koi.png", "what was typed is changed"
    until(lambda: "<img" in shown(form))
    assert 'src="data:image/png;base64,' in shown(form)
    assert "koi.png: PNG, 640 × 360 pixels. The video will be 16:9." in shown(form)
    assert "The sandbox reads it on this machine." in shown(form)
    assert form.problems == ()
    form.static_mask = str(workdir / "koi.png")
    form.dynamic_masks = DynamicMask("koi.png", ((1, 2), (3, 4)))
    assert form.problems == ()
    task = form.submit()
    assert task.request is not None
    inputs = local.library.folder / "inputs"
    assert all((inputs / Path(place).name).is_file() for place in task.request.image_urls)
    form.close()


def test_a_file_from_the_page_is_shown(local: TaskManager, workdir: Path, until: Until) -> None:
    """The file that the page has sent has the same name as the copy that is made of it for the service."""
    folder = workdir / "qingbo_videos" / "chosen"
    folder.mkdir(parents=True)
    content = picture(workdir / "koi.png").read_bytes()
    chosen = folder / f"koi-{hashlib.sha256(content).hexdigest()[:16]}.png"
    chosen.write_bytes(content)
    form = RequestForm(local, prompt="A koi")
    form.controls["image_urls"].put(chosen)
    until(lambda: "koi.png: PNG, 640 × 360 pixels." in shown(form))
    form.close()


def test_a_picture_is_made_as_the_service_takes_it_and_the_form_says_so(
    local: TaskManager, workdir: Path, until: Until
) -> None:
    """A picture that is too small or has transparent parts is changed, with a note beside the field."""
    picture(workdir / "small.png", 200, 150)
    form = RequestForm(local, prompt="A koi", image_urls="small.png")
    until(lambda: "400 × 300" in shown(form))
    until(lambda: "qingbo-hint" in note(form))
    assert form.problems == ()
    form.close()


def test_a_large_picture_is_sent_to_the_page_as_a_small_one(
    local: TaskManager, workdir: Path, until: Until
) -> None:
    """A photograph of megabytes would fill the notebook's page, and the file that it is saved in."""
    Image.effect_noise((2000, 1500), 60).convert("RGB").save(workdir / "photo.jpg", quality=95)
    assert (workdir / "photo.jpg").stat().st_size > 1_000_000
    form = RequestForm(local, prompt="A koi", image_urls="photo.jpg")
    until(lambda: "<img" in shown(form))
    assert len(shown(form)) < 400_000
    assert "JPEG, 2000 × 1500" in shown(form)
    form.close()


def test_a_file_that_is_replaced_is_shown_anew(local: TaskManager, workdir: Path, until: Until) -> None:
    """The report is on the file as it is now, not as it was when its path was typed."""
    picture(workdir / "koi.png", 640, 360)
    form = RequestForm(local, prompt="A koi", image_urls="koi.png")
    until(lambda: "640 × 360" in shown(form))
    picture(workdir / "koi.png", 720, 720)
    form.image_urls = ()
    form.image_urls = "koi.png"
    until(lambda: "720 × 720" in shown(form))
    form.close()


def test_a_form_that_gets_a_manager_later_then_takes_files(
    local: TaskManager, workdir: Path, until: Until
) -> None:
    """File paths work as soon as the form gets a manager with a sandbox, as in a studio."""
    picture(workdir / "koi.png")
    form = RequestForm(prompt="A koi", image_urls="koi.png")
    assert "is a file on this machine, but the service needs a public URL" in note(form)
    form.manager = local
    assert form.problems == ()
    until(lambda: "<img" in shown(form))
    form.close()


def test_without_an_uploader_the_form_says_so_before_anything_is_typed(
    manager: TaskManager, workdir: Path
) -> None:
    """The line to add is below the first field for files, once; a path that is typed is a problem there."""
    picture(workdir / "koi.png")
    form = RequestForm(manager, prompt="A koi")
    form.panels.buttons["more"].value = True
    line = "connect(upload="
    assert text_of(form).count(line) == 1
    assert line in text_of(below(form, form.controls["image_urls"]))
    assert "alarm" not in note(form), "nothing is wrong yet"
    form.controls["image_urls"].value = "koi.png"
    assert form.image_urls == ("koi.png",)
    assert "koi.png is on this machine, but the service reads public URLs only" in note(form)
    assert text_of(form).count(line) == 1, "the same advice stands there twice"
    assert form.obstacle == "Fix first: Image."
    manager.upload = lambda file: f"https://example.com/{file.name}"
    form.refresh()
    assert form.problems == ()
    assert line not in text_of(form)
    form.close()


def test_a_form_with_an_uploader_says_where_files_go(
    manager: TaskManager, workdir: Path, until: Until
) -> None:
    """Below the picture stands its destination, and who can see it, before it is uploaded."""
    picture(workdir / "koi.png")
    manager.upload = lambda file: f"https://example.com/{file.name}"
    form = RequestForm(manager, prompt="A koi", image_urls="koi.png")
    until(lambda: "<img" in shown(form))
    assert manager.inputs.notice
    assert manager.inputs.notice in text_of(form.slots["image_urls"].editor)
    form.close()


def test_a_file_that_is_not_an_image_is_a_problem(local: TaskManager, workdir: Path, until: Until) -> None:
    """A file that is not an image keeps its path; the reason stands beside the field, before Generate."""
    (workdir / "koi.txt").write_text("A koi", encoding="utf-8")
    form = RequestForm(local, prompt="A koi", image_urls="koi.txt")
    assert form.image_urls == ("koi.txt",)
    until(lambda: form.problems)
    assert "not a picture" in note(form)
    assert text_of(form.slots["image_urls"].editor) == "", "it is said where a file goes that goes nowhere"
    with pytest.raises(InvalidRequest, match="not a picture"):
        form.submit()
    form.close()


def test_a_picture_of_the_code_is_saved_and_shown(local: TaskManager, until: Until) -> None:
    """``image=`` is the first frame of any model, as in ``generate``; a reset brings it back."""
    form = RequestForm(local, prompt="A koi", image=Image.new("RGB", (640, 360), "teal"))
    (path,) = form.image_urls
    assert Path(path).parent == local.library.folder / "inputs"
    until(lambda: "<img" in shown(form))
    assert form.problems == ()
    form.image_urls = ()
    form.reset()
    assert list(form.image_urls) == [path]
    assert form.problems == (), "the picture of the code waits for a click"
    form.close()


def test_a_picture_of_the_code_waits_for_the_manager() -> None:
    """A form without a manager says what is missing; text and picture are there once it has one."""
    form = RequestForm(prompt="A koi", image=Image.new("RGB", (640, 360)))
    (problem,) = form.problems
    assert "has no URL" in problem.message
    form.close()


def test_a_studio_takes_a_picture_of_the_code(local: TaskManager) -> None:
    """The form of a studio exists before its connection; the picture is saved once it is there."""
    frames = [Image.new("RGB", (640, 360)), Image.new("RGB", (640, 360), "teal")]
    studio = VideoStudio(local, prompt="A koi", image=frames)
    (path,) = studio.form.image_urls
    assert studio.form.last_frame is not None
    assert {Path(path).parent, Path(studio.form.last_frame).parent} == {local.library.folder / "inputs"}
    assert path != studio.form.last_frame
    assert studio.form.problems == ()
    studio.form.image_urls = ()
    studio.form.reset()
    assert list(studio.form.image_urls) == [path]
    studio.close()


def test_a_picture_of_the_code_that_cannot_be_used_is_named(local: TaskManager) -> None:
    """The form says why, instead of Generate."""
    form = RequestForm(local, prompt="A koi", model="kling-v1-6", image=b"no picture", static_mask=b"none")
    assert [problem.field for problem in form.problems] == ["image_urls", "static_mask"]
    assert "picture" in note(form)
    with pytest.raises(InvalidRequest):
        form.submit()
    form.close()


def test_the_first_frame_has_one_name() -> None:
    """``image`` and the field that it stands for exclude each other, also where the field is fixed."""
    with pytest.raises(TypeError, match="image and image_urls"):
        RequestForm(image=URL, image_urls=URL)
    with pytest.raises(TypeError, match="image and image_urls"):
        RequestForm(image=URL, fixed={"image_urls": URL})


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
