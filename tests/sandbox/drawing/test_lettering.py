"""Setting type: lines, marks at their ends, and characters that no typeface has."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from PIL import ImageFont

from qingbo_widgets.sandbox.drawing import typeface
from qingbo_widgets.sandbox.drawing.lettering import wrap
from qingbo_widgets.sandbox.drawing.typeface import Face

CHINESE = "一条锦鲤在清澈的池塘中游动，水面波光粼粼。「清波」是什么？清澈的水波，轻轻地荡漾着。"


@pytest.mark.parametrize("width", range(60, 500, 20))
def test_marks_keep_their_places(width: int) -> None:
    """No line is too long, begins with a closing mark, or ends with an opening one; nothing gets lost."""
    face = Face(20)
    lines = wrap(CHINESE, face, width, 99)
    assert "".join(lines) == CHINESE
    assert all(face.width(line) <= width for line in lines)
    assert not any(line[0] in "，。」？" or line[-1] in "「" for line in lines)


def test_latin_breaks_between_words() -> None:
    """A word is cut only when it is longer than a line; a quotation mark stays with its word."""
    face = Face(20)
    text = 'Light on "clear water" at dawn, a slow camera'
    lines = wrap(text, face, 150, 99)
    assert " ".join(lines) == text
    assert wrap("x" * 100, face, 150, 99)[0] != "x" * 100
    assert "".join(wrap("x" * 100, face, 150, 99)) == "x" * 100


def test_lines_are_about_equally_long() -> None:
    """The last line of a title is no orphan."""
    face = Face(20)
    widths = [face.width(line) for line in wrap("清" * 21, face, 405, 99)]
    assert len(widths) == 2
    assert min(widths) > 0.8 * max(widths)


def test_what_finds_no_room_becomes_an_ellipsis() -> None:
    """A prompt of any length keeps to its lines."""
    lines = wrap(CHINESE * 50, Face(20), 300, 4)
    assert len(lines) == 4
    assert lines[-1].endswith("…")
    assert all(Face(20).width(line) <= 300 for line in lines)


def test_the_typeface_that_comes_along_writes_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine without any typeface, Chinese, kana, accents and typographic marks are written."""
    found = importlib.util.find_spec(typeface.__name__)
    assert found is not None
    assert found.loader is not None
    bare = importlib.util.module_from_spec(found)  # one of its own, which has looked for nothing yet
    found.loader.exec_module(bare)
    monkeypatch.setattr(bare, "_SYSTEM", ())
    writable = bare.writable
    text = CHINESE + "“é”—…かなЖ→“Straße”"
    assert writable(text) == text
    assert writable("鑫\u3000淼") == "鑫 淼"
    assert writable("a 🎬 b\ud800\n\x07c") == "a b\nc"
    assert writable("ﬁn") == "fin"
    assert writable("ก") == "·"


def test_the_typeface_carries_its_licence() -> None:
    """The file is what it says it is, is small, and stands beside its licence."""
    folder = Path(typeface.__file__).parent / "fonts"
    (file,) = folder.glob("*.otf")
    assert file.stat().st_size < 3_000_000
    assert ImageFont.truetype(str(file), 20).getname() == ("Noto Sans CJK SC", "Regular")
    assert "SIL OPEN FONT LICENSE" in (folder / "OFL.txt").read_text(encoding="utf-8")
