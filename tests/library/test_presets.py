"""Forms on disk: saved, loaded again, and independent of each other."""

from __future__ import annotations

import json
import os
import unicodedata
from pathlib import Path

import pytest

from qingbo_widgets.library.presets import DRAFTS, PRESETS, Draft, DraftOwner, Presets

FIELDS = {"model": "kling-v3", "prompt": "一条锦鲤", "image_urls": ["https://example.com/a.png"]}


def form_of(cell: str, notebook: str = "../a.ipynb", number: int = 1, file_id: str = "7-1") -> DraftOwner:
    """Return the owner of the draft of a form."""
    return DraftOwner(notebook, cell, number, file_id)


@pytest.fixture
def presets(tmp_path: Path) -> Presets:
    """Return the presets of a library that has no folder yet."""
    return Presets(tmp_path / "videos")


def test_reading_creates_nothing(presets: Presets) -> None:
    """Reading and removing presets creates no folder."""
    assert presets.names() == []
    assert presets.draft(form_of("cell")) is None
    with pytest.raises(KeyError):
        presets.load("koi")
    presets.remove("koi")
    assert not presets.folder.exists()


@pytest.mark.parametrize(
    "name", ["koi", "锦鲤 1", "../../etc/passwd", "a/b\\c:d*e?", "CON", ".", "x" * 80, "🐟"]
)
def test_a_preset_is_found_again_under_its_name(presets: Presets, name: str) -> None:
    """A preset of any name is found again, and its file stays in the folder."""
    presets.save(name, FIELDS)
    assert presets.names() == [name]
    assert presets.load(name) == FIELDS
    (file,) = (presets.folder / PRESETS).iterdir()
    assert file.suffix == ".json"
    presets.remove(name)
    assert presets.names() == []


def test_similar_names_are_different_presets(presets: Presets) -> None:
    """Names that differ in case or dashes are different presets, even on file systems that equate them."""
    for number, name in enumerate(("koi", "Koi", "ko i", "ko-i")):
        presets.save(name, {"prompt": str(number)})
    assert sorted(presets.names()) == ["Koi", "ko i", "ko-i", "koi"]
    assert presets.load("Koi") == {"prompt": "1"}


def test_the_same_name_again_replaces(presets: Presets) -> None:
    """Saving under an existing name replaces the preset; surrounding blanks are ignored."""
    presets.save("koi", {"prompt": "old"})
    assert presets.save("  koi ", FIELDS) == "koi"
    assert presets.names() == ["koi"]
    assert presets.load("koi") == FIELDS


@pytest.mark.parametrize("name", ["", "   ", "a\0b", "x" * 81])
def test_an_invalid_name_is_rejected(presets: Presets, name: str) -> None:
    """An invalid name is rejected before anything is written."""
    with pytest.raises(ValueError, match="name"):
        presets.save(name, FIELDS)
    assert not presets.folder.exists()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"name": 7}', '{"name": "koi", "fields": []}', "[" * 100_000]
)
def test_a_damaged_file_harms_no_other(presets: Presets, text: str) -> None:
    """A damaged file is ignored or cannot be loaded, and the other presets work."""
    presets.save("good", FIELDS)
    (presets.folder / PRESETS / "bad.json").write_text(text, encoding="utf-8")
    assert "good" in presets.names()
    assert presets.load("good") == FIELDS


def test_half_a_character_does_not_lose_the_rest(presets: Presets) -> None:
    """Half of an emoji, which a browser can produce, does not lose the rest of the text."""
    presets.save("koi", {"prompt": "A \ud83d koi"})
    assert presets.load("koi")["prompt"].endswith(" koi")


def test_a_draft_is_found_again(presets: Presets) -> None:
    """A draft is loaded with the initial fields that the code passed to the form."""
    draft = Draft(FIELDS, {"prompt": "A koi"}, {"2026-11": {"values": {"multi_shot": True}, "images": {}}})
    presets.save_draft(form_of("cell 1"), draft)
    assert presets.draft(form_of("cell 1")) == draft
    assert presets.draft(form_of("cell 2")) is None


@pytest.mark.parametrize(
    ("other", "is_found"),
    [
        (form_of("cell", number=2), False),
        (form_of("cell", "../copy.ipynb", file_id="7-2"), False),
        (form_of("cell", "../copy.ipynb", file_id=""), False),
        (form_of("cell", "../renamed.ipynb"), True),
        (form_of("cell", "../renamed.ipynb", 2), False),
        (form_of("cell 2", "../renamed.ipynb"), False),
        (form_of("cell", file_id="8-9"), True),
        (form_of("cell", file_id=""), True),
    ],
)
def test_a_draft_belongs_to_a_form_of_a_notebook(presets: Presets, other: DraftOwner, is_found: bool) -> None:
    """A copy of a notebook has its cell ids and no draft; a renamed notebook has its drafts."""
    first, second = Draft({"prompt": "first"}), Draft({"prompt": "second"})
    presets.save_draft(form_of("cell"), first)
    assert presets.draft(other) == (first if is_found else None)
    presets.save_draft(other, second)
    assert presets.draft(other) == second
    if not is_found:
        assert presets.draft(form_of("cell")) == first
    assert len(list((presets.folder / DRAFTS).glob("*.json"))) == (1 if is_found else 2)


@pytest.mark.parametrize("notebook", ["../a.ipynb", "../copy.ipynb"])
def test_a_draft_of_version_0_1_goes_to_the_first_notebook(presets: Presets, notebook: str) -> None:
    """A draft of version 0.1 has the cell id only: the first notebook that has the cell takes it over."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Presets, "_file_of", lambda self, owner: self._file(DRAFTS, owner.cell))
        presets.save_draft(form_of("cell"), Draft({"prompt": "old"}))
    (file,) = (presets.folder / DRAFTS).glob("*.json")
    content = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({name: content[name] for name in ("fields", "given")}), encoding="utf-8")
    assert presets.draft(form_of("cell", notebook, 2)) is None
    found = presets.draft(form_of("cell", notebook))
    assert found == Draft({"prompt": "old"})
    presets.save_draft(form_of("cell", notebook), found)
    assert presets.draft(form_of("cell", "../third.ipynb", file_id="7-3")) is None
    assert not file.exists()


@pytest.mark.parametrize(
    "damage",
    [{"owner": 7}, {"owner": {}}, {"unsent": 7}, {"unsent": {"2026-11": 7}}, {"fields": []}, {"given": 7}],
)
def test_a_damaged_draft_harms_nothing(presets: Presets, damage: dict[str, object]) -> None:
    """A draft that was edited by hand is read as far as it is one."""
    presets.save_draft(form_of("cell"), Draft({"prompt": "A koi"}))
    (file,) = (presets.folder / DRAFTS).glob("*.json")
    file.write_text(json.dumps({**json.loads(file.read_text(encoding="utf-8")), **damage}), encoding="utf-8")
    found = presets.draft(form_of("cell"))
    assert found == (None if {"fields", "given"} & damage.keys() else Draft({"prompt": "A koi"}))
    assert presets.draft(form_of("cell", "../renamed.ipynb")) in (None, found)


def test_the_oldest_drafts_are_removed(presets: Presets) -> None:
    """The oldest drafts are removed, so that deleted cells do not fill up the folder."""
    for number in range(55):
        presets.save_draft(form_of(f"cell {number}"), Draft({"prompt": str(number)}))
        for file in (presets.folder / DRAFTS).glob(f"cell-{number}-*.json"):
            os.utime(file, (number, number))
    assert len(list((presets.folder / DRAFTS).glob("*.json"))) == 50
    assert presets.draft(form_of("cell 54")) is not None


def test_the_draft_just_written_stays_on_a_coarse_clock(presets: Presets) -> None:
    """A draft stays even if all times are equal: FAT has steps of 2 s, Windows' clock of 15.6 ms."""
    for number in range(60):
        presets.save_draft(form_of(f"cell {number}"), Draft({"prompt": str(number)}))
        assert presets.draft(form_of(f"cell {number}")) is not None
        for file in (presets.folder / DRAFTS).glob("*.json"):
            os.utime(file, (1, 1))
    assert len(list((presets.folder / DRAFTS).glob("*.json"))) == 50


def test_a_preset_that_an_editor_has_saved(presets: Presets) -> None:
    """A preset with Notepad's byte order mark and Windows line ends is loaded."""
    presets.save("koi", FIELDS)
    (file,) = (presets.folder / PRESETS).iterdir()
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    assert presets.names() == ["koi"]
    assert presets.load("koi") == FIELDS


def test_names_that_a_file_system_equates(presets: Presets) -> None:
    """Koi and koi, or two spellings of é, are one file on Windows and macOS, but four presets are saved."""
    names = ["Koi", "koi", "caf\u00e9", "cafe\u0301"]
    for name in names:
        presets.save(name, {"prompt": name})
    files = {
        unicodedata.normalize("NFC", file.name).casefold() for file in (presets.folder / PRESETS).iterdir()
    }
    assert len(files) == 4
    assert [presets.load(name)["prompt"] for name in names] == names


def test_nothing_is_left_of_a_write_that_fails(presets: Presets, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that fails leaves the old preset intact, and no other file."""
    presets.save("koi", FIELDS)

    def full(*_: object, **__: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="full"):
        presets.save("koi", {})
    assert presets.load("koi") == FIELDS
    assert len(list((presets.folder / PRESETS).iterdir())) == 1
