"""Typesetting: line breaks, punctuation at line ends, and characters that no typeface has."""

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
    """No line is too long, begins with a closing mark or ends with an opening one; no text is lost."""
    face = Face(20)
    lines = wrap(CHINESE, face, width, 99)
    assert "".join(lines) == CHINESE
    assert all(face.width(line) <= width for line in lines)
    assert not any(line[0] in "，。」？" or line[-1] in "「" for line in lines)


def test_latin_breaks_between_words() -> None:
    """Only a word longer than a line is split; a quotation mark stays with its word."""
    face = Face(20)
    text = 'Light on "clear water" at dawn, a slow camera'
    lines = wrap(text, face, 150, 99)
    assert " ".join(lines) == text
    assert wrap("x" * 100, face, 150, 99)[0] != "x" * 100
    assert "".join(wrap("x" * 100, face, 150, 99)) == "x" * 100


def test_lines_are_about_equally_long() -> None:
    """The last line of a title is about as long as the others."""
    face = Face(20)
    widths = [face.width(line) for line in wrap("清" * 21, face, 405, 99)]
    assert len(widths) == 2
    assert min(widths) > 0.8 * max(widths)


def test_text_that_does_not_fit_becomes_an_ellipsis() -> None:
    """A prompt of any length is cut to the maximum number of lines."""
    lines = wrap(CHINESE * 50, Face(20), 300, 4)
    assert len(lines) == 4
    assert lines[-1].endswith("…")
    assert all(Face(20).width(line) <= 300 for line in lines)


def test_the_bundled_typeface_draws_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chinese, kana, accents and typographic marks are drawn on a machine without any typeface."""
    spec = importlib.util.find_spec(typeface.__name__)
    assert spec is not None
    assert spec.loader is not None
    bare = importlib.util.module_from_spec(spec)  # a separate module with empty caches
    spec.loader.exec_module(bare)
    monkeypatch.setattr(bare, "_SYSTEM", ())
    writable = bare.writable
    text = CHINESE + "“é”—…かなЖ→“Straße”"
    assert writable(text) == text
    assert writable("鑫\u3000淼") == "鑫 淼"
    assert writable("a 🎬 b\ud800\n\x07c") == "a b\nc"
    assert writable("ﬁn") == "fin"
    assert writable("ก") == "·"


def test_the_typeface_carries_its_licence() -> None:
    """The font file has the right name, is small, and lies beside its licence."""
    folder = Path(typeface.__file__).parent / "fonts"
    (file,) = folder.glob("*.otf")
    assert file.stat().st_size < 3_000_000
    assert ImageFont.truetype(str(file), 20).getname() == ("Noto Sans CJK SC", "Regular")
    assert "SIL OPEN FONT LICENSE" in (folder / "OFL.txt").read_text(encoding="utf-8")
