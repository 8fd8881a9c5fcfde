"""Drafts restore form input when the cell runs again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from qingbo_widgets.library.presets import Draft, Presets
from qingbo_widgets.sandbox import Sandbox
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.widgets.base import sync as binding
from qingbo_widgets.widgets.form import drafts
from qingbo_widgets.widgets.form.drafts import DraftKeeper, cell_key
from qingbo_widgets.widgets.form.request_form import RequestForm
from qingbo_widgets.widgets.studio.video_studio import VideoStudio


class Shell:
    """A substitute for Jupyter's shell that reports the running cell."""

    def __init__(self, parent: object) -> None:
        self.parent = parent

    def get_parent(self) -> object:
        return self.parent


@pytest.fixture
def run_in(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that sets the running cell; drafts are written immediately."""
    monkeypatch.setattr(drafts, "PAUSE", 0.0)
    monkeypatch.setattr(binding.refresher, "interval", 0.02)

    def run(cell: str) -> None:
        monkeypatch.setattr(drafts, "get_ipython", lambda: Shell({"metadata": {"cellId": cell}}))

    return run


@pytest.fixture
def forget(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that restarts the kernel: drafts that are not on disk are lost."""
    monkeypatch.setattr(drafts, "_remembered", {})
    return lambda: monkeypatch.setattr(drafts, "_remembered", {})


@pytest.fixture
def presets(tmp_path: Path) -> Presets:
    """Return the presets of a library."""
    return Presets(tmp_path / "videos")


@pytest.fixture
def make(presets: Presets) -> Iterator[Any]:
    """Yield a function that creates a form with its draft, as the code of a cell does."""
    made: list[tuple[RequestForm, DraftKeeper]] = []

    def make_form(key: str = "cell", **initial: Any) -> RequestForm:
        form = RequestForm(**initial)
        made.append((form, DraftKeeper(form, presets, key)))
        return form

    yield make_form
    for form, keeper in made:
        keeper.close()
        form.close()


@pytest.mark.parametrize(
    ("shell", "key"),
    [
        (None, None),
        (object(), None),
        (Shell(None), None),
        (Shell({}), "notebook"),
        (Shell({"metadata": {}}), "notebook"),
        (Shell({"metadata": {"cellId": "4e1"}}), "4e1"),
    ],
)
def test_the_cell_that_runs(monkeypatch: pytest.MonkeyPatch, shell: object, key: str | None) -> None:
    """The key is the cell id if the front end sends one; a program has no cells and no drafts."""
    monkeypatch.setattr(drafts, "get_ipython", lambda: shell)
    assert cell_key() == key


def test_running_the_cell_again_keeps_what_was_typed(make: Any) -> None:
    """The draft is restored in the same kernel before it is on disk."""
    make(prompt="A koi").controls["prompt"].value = "A fox"
    assert make(prompt="A koi").prompt == "A fox"


def test_each_cell_has_its_own(make: Any) -> None:
    """Forms in different cells have separate drafts."""
    make("one").prompt = "A koi"
    assert make("two").prompt == ""
    assert make("one").prompt == "A koi"


def test_another_kernel_finds_it(make: Any, forget: Any, presets: Presets, until: Any, run_in: Any) -> None:
    """Another kernel restores the draft from disk, including fields that the model does not take."""
    form = make(model="kling-v1")
    form.prompt, form.negative_prompt, form.model = "A koi", "blur", "kling-v3"
    until(lambda: presets.draft("cell") and presets.draft("cell").fields.get("model", "") == "kling-v3")
    forget()
    again = make(model="kling-v1")
    assert (again.prompt, again.negative_prompt, again.model) == ("A koi", "blur", "kling-v3")


def test_a_change_in_the_code_overrides_the_draft(make: Any) -> None:
    """A field changed in the code takes the code's value; the rest of the draft stays."""
    form = make(prompt="A koi", mode="std")
    form.prompt, form.duration = "A fox", 9
    again = make(prompt="A carp", mode="std")
    assert (again.prompt, again.duration) == ("A carp", 9)
    once_more = make(mode="std")
    assert (once_more.prompt, once_more.duration) == ("", 9)


def test_another_model_in_the_code_brings_its_defaults(make: Any, described: Callable[[str], None]) -> None:
    """A new model in the code brings its defaults, but fields chosen in the form stay."""
    described("[models.kling-v9]\ntakes = []\nmode = { default = 'pro' }\naspect_ratio = { default = '1:1' }")
    make(prompt="A koi").aspect_ratio = "9:16"
    again = make(prompt="A koi", model="kling-v9")
    assert (again.mode, again.aspect_ratio) == ("pro", "9:16")
    again.mode = "std"
    assert make(prompt="A koi", model="kling-v9").mode == "std"


def test_start_afresh_is_remembered_too(make: Any) -> None:
    """A form that was reset stays reset."""
    form = make(prompt="A koi")
    form.prompt = "A fox"
    form.start_afresh()
    assert make(prompt="A koi").prompt == "A koi"


def test_not_every_letter_is_written(
    make: Any, presets: Presets, monkeypatch: pytest.MonkeyPatch, until: Any
) -> None:
    """A draft is written once per pause, not for every letter."""
    monkeypatch.setattr(binding.refresher, "interval", 0.02)
    monkeypatch.setattr(drafts, "PAUSE", 0.3)
    written: list[str] = []
    keep = Presets.save_draft
    monkeypatch.setattr(
        Presets, "save_draft", lambda self, key, draft: (written.append(key), keep(self, key, draft))
    )
    form = make()
    for length in range(1, 30):
        form.controls["prompt"].value = "A koi in a clear pond" * length
    until(lambda: written)
    assert len(written) == 1


def test_what_is_not_written_yet_is_written_at_the_end(make: Any, presets: Presets, workdir: Path) -> None:
    """Closing the form writes a pending draft."""
    form = RequestForm()
    keeper = DraftKeeper(form, presets, "cell")
    form.prompt = "A koi"
    keeper.close()
    draft = presets.draft("cell")
    assert draft is not None
    assert draft.fields["prompt"] == "A koi"
    form.close()


def test_a_folder_that_cannot_be_written_harms_nothing(
    make: Any, presets: Presets, until: Any, caplog: pytest.LogCaptureFixture, run_in: Any
) -> None:
    """A folder that cannot be written is logged, and the draft stays in this kernel."""
    presets.folder.write_text("a file where the folder should be", encoding="utf-8")
    form = make()
    form.prompt = "A koi"
    until(lambda: "cannot be written" in caplog.text)
    assert make().prompt == "A koi"


def test_a_studio_keeps_the_draft_of_its_cell(
    manager: TaskManager, server: Sandbox, run_in: Any, forget: Any
) -> None:
    """A studio writes its draft to its library's folder, without any API key."""
    run_in("cell 1")
    studio = VideoStudio(manager, prompt="A koi")
    studio.form.controls["prompt"].value = "A fox"
    run_in("cell 2")
    other = VideoStudio(manager, prompt="A koi")
    assert other.form.prompt == "A koi"
    other.close()
    run_in("cell 1")
    again = VideoStudio(manager, prompt="A koi")
    assert again.form.prompt == "A fox"
    again.close()
    studio.close()
    (file,) = (manager.library.folder / "drafts").iterdir()
    kept = file.read_text(encoding="utf-8")
    assert json.loads(kept)["fields"]["prompt"] == "A fox"
    assert server.api_key not in kept


def test_a_program_without_cells_keeps_no_draft(manager: TaskManager, forget: Any) -> None:
    """A program without cells writes no draft."""
    studio = VideoStudio(manager, prompt="A koi")
    studio.form.prompt = "A fox"
    studio.close()
    assert not (manager.library.folder / "drafts").exists()


def test_a_draft_of_version_0_1_keeps_what_was_typed(make: Any, presets: Presets, run_in: Any) -> None:
    """A 0.1 draft, which omits defaults, is restored; its defaults do not count as changes in the code."""
    presets.save_draft("cell", Draft({"model": "kling-v1", "mode": "pro"}, {"model": "kling-v3"}))
    form = make()
    assert (form.model, form.mode, form.duration) == ("kling-v1", "pro", 5)
