"""Drafts restore form input when the cell runs again."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from qingbo_widgets.library.library import Library
from qingbo_widgets.library.presets import Draft, DraftOwner, Presets
from qingbo_widgets.sandbox import Sandbox
from qingbo_widgets.service.client import Client
from qingbo_widgets.service.contract.frames import Frames
from qingbo_widgets.tasks.manager import TaskManager
from qingbo_widgets.widgets.base import sync as binding
from qingbo_widgets.widgets.form import drafts
from qingbo_widgets.widgets.form.drafts import DraftKeeper, owner_of_new_form
from qingbo_widgets.widgets.form.names import Unsent
from qingbo_widgets.widgets.form.request_form import RequestForm
from qingbo_widgets.widgets.studio.video_studio import VideoStudio
from tests.places import Shell, StartKernel


@pytest.fixture
def notebook(workdir: Path) -> Path:
    """Return a notebook, beside which its library is."""
    path = workdir / "a.ipynb"
    path.write_text("{}", encoding="utf-8")
    return path


@pytest.fixture
def run_in(monkeypatch: pytest.MonkeyPatch, start_kernel: StartKernel, notebook: Path) -> Any:
    """Return a function that runs a cell of a notebook; drafts are written immediately."""
    monkeypatch.setattr(drafts, "PAUSE", 0.0)
    monkeypatch.setattr(binding.refresher, "interval", 0.02)
    monkeypatch.setattr(drafts, "_forms", {})
    runs = itertools.count()

    def run(cell: str, session: Path | None = notebook) -> Shell:
        shell = start_kernel(notebook.parent, session, cell=cell)
        shell.parent["header"]["msg_id"] = f"run {next(runs)}"
        return shell

    return run


@pytest.fixture
def forget(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that restarts the kernel: drafts that are not on disk are lost."""
    monkeypatch.setattr(drafts, "_remembered", {})
    return lambda: monkeypatch.setattr(drafts, "_remembered", {})


@pytest.fixture
def presets(tmp_path: Path) -> Presets:
    """Return the presets of a library."""
    return Presets(tmp_path / "qingbo_videos")


@pytest.fixture
def stored(presets: Presets) -> Any:
    """Return a function that returns the draft of a cell on disk, as an empty one if there is none."""
    return lambda cell="cell", name="a.ipynb": presets.draft(DraftOwner(f"../{name}", cell)) or Draft()


@pytest.fixture
def make(presets: Presets) -> Iterator[Any]:
    """Yield a function that creates a form with its draft, as the code of a cell does."""
    made: list[tuple[RequestForm, DraftKeeper]] = []

    def make_form(key: str = "cell", **initial: Any) -> RequestForm:
        form = RequestForm(**initial)
        owner = DraftOwner(str(presets.folder.parent / "a.ipynb"), key)
        made.append((form, DraftKeeper(form, presets, owner)))
        return form

    yield make_form
    for form, keeper in made:
        keeper.close()
        form.close()


@pytest.mark.parametrize("cell", ["4e1", ""])
def test_a_form_belongs_to_its_notebook_and_cell(run_in: Any, notebook: Path, cell: str) -> None:
    """A program that runs a notebook, such as papermill, sends no cell id: its forms have no draft."""
    run_in(cell)
    owner = owner_of_new_form()
    if cell:
        assert owner is not None
        assert (owner.notebook, owner.cell, owner.number) == (str(notebook), cell, 1)
        assert owner.file_id
    else:
        assert owner is None


def test_a_script_has_no_cells() -> None:
    """Outside a notebook, a form belongs to nothing."""
    assert owner_of_new_form() is None


def test_two_forms_of_a_cell_are_two(run_in: Any, notebook: Path) -> None:
    """The forms of a cell are numbered in each run, so that each finds its draft again."""
    for _ in range(2):
        run_in("cell")
        assert [getattr(owner_of_new_form(), "number", None) for _ in range(3)] == [1, 2, 3]
        other = "another cell"
    run_in(other)
    assert getattr(owner_of_new_form(), "number", None) == 1


def test_running_the_cell_again_keeps_what_was_typed(make: Any) -> None:
    """The draft is restored in the same kernel before it is on disk."""
    make(prompt="A koi").controls["prompt"].value = "A fox"
    assert make(prompt="A koi").prompt == "A fox"


def test_each_cell_has_its_own(make: Any) -> None:
    """Forms in different cells have separate drafts."""
    make("one").prompt = "A koi"
    assert make("two").prompt == ""
    assert make("one").prompt == "A koi"


def test_another_kernel_finds_it(make: Any, forget: Any, stored: Any, until: Any, run_in: Any) -> None:
    """Another kernel restores the draft from disk, including fields that the model does not take."""
    form = make(model="kling-v1")
    form.prompt, form.negative_prompt, form.model = "A koi", "blur", "kling-v3"
    until(lambda: stored().fields.get("model", "") == "kling-v3")
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


def test_reset_is_remembered_too(make: Any) -> None:
    """A form that was reset stays reset."""
    form = make(prompt="A koi")
    form.prompt = "A fox"
    form.reset()
    assert make(prompt="A koi").prompt == "A koi"


def test_not_every_letter_is_written(
    make: Any, presets: Presets, stored: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A draft is written once per pause, not for every letter, and then with the last one."""
    alarms: list[tuple[float, Callable[[], object]]] = []
    monkeypatch.setattr(binding.refresher, "later", lambda *alarm: alarms.append(alarm))
    form = make()
    for length in range(1, 30):
        form.controls["prompt"].value = "A koi" * length
    writes = [(seconds, call) for seconds, call in alarms if getattr(call, "__name__", "") == "write_now"]
    assert [seconds for seconds, _ in writes] == [drafts.PAUSE]
    assert stored() == Draft()
    writes[0][1]()
    assert stored().fields["prompt"] == "A koi" * 29
    form.controls["prompt"].value = "A fox"
    assert sum(getattr(call, "__name__", "") == "write_now" for _, call in alarms) == 2


def test_what_is_not_written_yet_is_written_at_the_end(presets: Presets, stored: Any, workdir: Path) -> None:
    """Closing the form writes a pending draft."""
    form = RequestForm()
    keeper = DraftKeeper(form, presets, DraftOwner(str(workdir / "a.ipynb"), "cell"))
    form.prompt = "A koi"
    keeper.close()
    assert stored().fields["prompt"] == "A koi"
    form.close()


def test_a_process_that_ends_writes_what_was_typed_last(presets: Presets, stored: Any) -> None:
    """A kernel that is restarted within a second of the last letter has the draft on disk."""
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from qingbo_widgets.library.presets import DraftOwner, Presets\n"
        "from qingbo_widgets.widgets.form import drafts, request_form\n"
        "drafts.PAUSE, folder = 3600, Path(sys.argv[1])\n"
        "form, owner = request_form.RequestForm(), DraftOwner(str(folder.parent / 'a.ipynb'), 'cell')\n"
        "keeper = drafts.DraftKeeper(form, Presets(folder), owner)\n"
        "form.prompt = 'typed a moment ago'\n"
    )
    subprocess.run([sys.executable, "-c", program, str(presets.folder)], check=True)
    assert stored().fields.get("prompt") == "typed a moment ago"


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
    (file,) = (manager.library.folder / "drafts").glob("*.json")
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
    old = Draft({"model": "kling-v1", "mode": "pro"}, {"model": "kling-v3"})
    presets.save_draft(DraftOwner("../a.ipynb", "cell"), old)
    form = make()
    assert (form.model, form.mode, form.duration) == ("kling-v1", "pro", 5)


def studio_in(manager: TaskManager, run_in: Any, cell: str = "cell", **where: Any) -> VideoStudio:
    """Return the studio that a run of a cell creates."""
    run_in(cell, **where)
    return VideoStudio(manager)


def test_a_copy_of_a_notebook_has_drafts_of_its_own(
    manager: TaskManager, run_in: Any, forget: Any, notebook: Path
) -> None:
    """A copy has the cell ids of the original: it begins afresh, and leaves the original's draft as it is."""
    first = studio_in(manager, run_in)
    first.form.controls["prompt"].value = "the original's"
    first.close()
    copy = notebook.with_name("copy.ipynb")
    copy.write_bytes(notebook.read_bytes())
    forget()
    second = studio_in(manager, run_in, session=copy)
    assert second.form.prompt == ""
    second.form.controls["prompt"].value = "the copy's"
    second.close()
    for session, prompt in ((notebook, "the original's"), (copy, "the copy's")):
        forget()
        again = studio_in(manager, run_in, session=session)
        assert again.form.prompt == prompt
        again.close()


def test_a_renamed_notebook_keeps_its_drafts(
    manager: TaskManager, run_in: Any, forget: Any, notebook: Path
) -> None:
    """A notebook that was renamed, with a copy under its old name, still has its draft; the copy has none."""
    first = studio_in(manager, run_in)
    first.form.controls["prompt"].value = "A koi"
    first.close()
    notebook.rename(notebook.with_name("renamed.ipynb"))
    forget()
    again = studio_in(manager, run_in, session=notebook.with_name("renamed.ipynb"))
    assert again.form.prompt == "A koi"
    again.form.controls["prompt"].value = "A fox"
    again.close()
    notebook.write_text("{}", encoding="utf-8")
    forget()
    copy = studio_in(manager, run_in)
    assert copy.form.prompt == ""
    copy.close()


@pytest.mark.parametrize("copy_first", [True, False])
def test_a_copy_under_the_old_name_is_a_copy(
    manager: TaskManager, run_in: Any, forget: Any, notebook: Path, copy_first: bool
) -> None:
    """The original, renamed as a backup, keeps its draft; its copy, which has got its name, has none."""
    first = studio_in(manager, run_in)
    first.form.controls["prompt"].value = "the original's"
    first.close()
    backup = notebook.rename(notebook.with_name("backup.ipynb"))
    notebook.write_bytes(backup.read_bytes())
    for session, prompt in sorted(
        ((notebook, ""), (backup, "the original's")),
        key=lambda pair: pair[0] == backup,
        reverse=not copy_first,
    ):
        forget()
        studio = studio_in(manager, run_in, session=session)
        assert studio.form.prompt == prompt
        studio.form.controls["prompt"].value = f"{prompt} later"
        studio.close()
    for session, prompt in ((notebook, " later"), (backup, "the original's later")):
        forget()
        studio = studio_in(manager, run_in, session=session)
        assert studio.form.prompt == prompt
        studio.close()


def test_a_notebook_without_a_page_begins_afresh(manager: TaskManager, run_in: Any, forget: Any) -> None:
    """Without a cell id nothing is kept: neither for the next run, nor for the same cell in this one."""
    for _ in range(2):
        studio = studio_in(manager, run_in, cell="")
        assert studio.form.prompt == ""
        studio.form.controls["prompt"].value = "A koi"
        studio.close()
    assert not (manager.library.folder / "drafts").exists()


def test_a_notebook_of_unknown_name_keeps_its_drafts_in_the_kernel(
    manager: TaskManager, run_in: Any, forget: Any
) -> None:
    """A draft that could not be distinguished from that of a copy lasts as long as the kernel."""
    first = studio_in(manager, run_in, session=None)
    first.form.controls["prompt"].value = "A koi"
    first.close()
    again = studio_in(manager, run_in, session=None)
    assert again.form.prompt == "A koi"
    again.close()
    assert not (manager.library.folder / "drafts").exists()
    forget()
    later = studio_in(manager, run_in, session=None)
    assert later.form.prompt == ""
    later.close()


@pytest.mark.parametrize("is_moved", [False, True])
def test_a_cell_id_of_vs_code_counts_with_its_source(
    manager: TaskManager, run_in: Any, forget: Any, notebook: Path, is_moved: bool
) -> None:
    """VS Code's id is a number of the session: after an insertion above, another cell has this one's."""
    cell = f"vscode-notebook-cell:{notebook.as_posix()}#W2sZmlsZQ%3D%3D"

    def studio_of(source: str) -> VideoStudio:
        shell = run_in(cell)
        shell.parent["content"] = {"code": source}
        return VideoStudio(manager)

    first = studio_of("qw.VideoStudio()")
    first.form.controls["prompt"].value = "A koi"
    first.close()
    forget()
    again = studio_of("qw.VideoStudio(mode='pro')" if is_moved else "qw.VideoStudio()")
    assert again.form.prompt == ("" if is_moved else "A koi")
    again.form.controls["prompt"].value = "A fox"
    again.close()
    edited = studio_of("qw.VideoStudio() # edited in this session")
    assert edited.form.prompt == "A fox", "within a session, the id is that of the cell"
    edited.close()


def test_two_studios_of_a_cell_keep_apart(manager: TaskManager, run_in: Any, forget: Any) -> None:
    """Each of two forms in one cell finds its own draft in the next kernel."""
    for prompts in (("", ""), ("one", "two")):
        forget()
        run_in("cell")
        studios = VideoStudio(manager), VideoStudio(manager)
        assert tuple(studio.form.prompt for studio in studios) == prompts
        for studio, prompt in zip(studios, ("one", "two"), strict=True):
            studio.form.controls["prompt"].value = prompt
            studio.close()


SHOTS = ({"index": 1, "prompt": "A koi", "duration": 2}, {"index": 2, "prompt": "A fox", "duration": 3})
REFERENCE = ({"url": "https://a.example/koi.png", "role": "reference"},)


@pytest.fixture
def managers(tmp_path: Path) -> Iterator[dict[str, TaskManager]]:
    """Yield a manager of each contract, by its date."""
    made = {
        date: TaskManager(Client("sk-test", "http://127.0.0.1:9/v1", contract=date), Library(tmp_path / "x"))
        for date in ("2026-04", "2026-11")
    }
    yield made
    for manager in made.values():
        manager.close()


@pytest.fixture
def waiting(
    managers: dict[str, TaskManager], presets: Presets, forget: Any
) -> Iterator[Callable[[], RequestForm]]:
    """Yield a function that opens a form in 2026-04, whose draft has shots of 2026-11 that were off."""
    owner = DraftOwner(str(presets.folder.parent / "a.ipynb"), "cell")
    form = RequestForm(managers["2026-11"], model="kling-v3-omni")
    keeper = DraftKeeper(form, presets, owner)
    form.multi_shot, form.multi_prompt, form.image_with_roles = True, SHOTS, REFERENCE
    form.multi_shot, form.model = False, "kling-v3"
    form.manager = managers["2026-04"]
    form.prompt = "A crane"
    keeper.close()
    opened = [form]

    def open_form() -> RequestForm:
        forget()
        form = RequestForm(managers["2026-04"], model="kling-v3-omni")
        DraftKeeper(form, presets, owner).close()
        opened.append(form)
        return form

    yield open_form
    for form in opened:
        form.close()


def test_what_waits_for_another_contract_is_kept(
    waiting: Callable[[], RequestForm], managers: dict[str, TaskManager]
) -> None:
    """A new kernel still has what the contract before did not send, does not send it, and names it."""
    form = waiting()
    assert (form.request.prompt, form.request.given.get("shots")) == ("A crane", None)
    assert REFERENCE[0]["url"] in form.unapproved, "an image of a draft is fetched only on a click"
    form.manager = managers["2026-11"]
    assert (form.request.prompt, form.request.multi_shot) == ("A crane", False)
    assert form.multi_prompt == SHOTS


@pytest.mark.parametrize(
    "part", [{}, {"values": 7, "images": 7}, {"values": {"shots": {"a": 7}, "x": 1, "duration": []}}]
)
def test_a_damaged_record_of_it_harms_nothing(
    waiting: Callable[[], RequestForm], presets: Presets, part: dict[str, object]
) -> None:
    """Of a draft that was edited, what is a field is kept, and the rest of the draft is there."""
    (file,) = (presets.folder / "drafts").glob("*.json")
    content = json.loads(file.read_text(encoding="utf-8"))
    part = {"images": {"first": 7, "references": [7, "https://a.example/b.png"]}, **part}
    file.write_text(json.dumps({**content, "unsent": {"2026-11": part, "": part}}), encoding="utf-8")
    assert waiting().prompt == "A crane"


def test_what_waits_has_no_key(waiting: Callable[[], RequestForm], presets: Presets) -> None:
    """A key that becomes known after it was typed into a field that is not sent is not written either."""
    key = "sk-sentinel-5d41402abc4b"
    form = waiting()
    form.unsent = {"2026-11": Unsent({"multi_prompt": ({"index": 1, "prompt": key},)}, Frames(first=key))}
    keeper = DraftKeeper(form, presets, DraftOwner(str(presets.folder.parent / "a.ipynb"), "another"))
    form.unsent = {"2026-11": Unsent({"multi_prompt": ({"index": 1, "prompt": key},)}, Frames(first=key))}
    client = Client(key, "http://127.0.0.1:9/v1")  # the key is known as long as the client is in use
    form.prompt = "A fox"
    keeper.close()
    client.close()
    written = [file.read_text(encoding="utf-8") for file in (presets.folder / "drafts").glob("*.json")]
    assert any("A fox" in text for text in written)
    assert all(key not in text for text in written)
