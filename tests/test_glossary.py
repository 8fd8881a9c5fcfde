"""One word for one thing: the texts of the interface and the documents keep to docs/glossary.md."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import translations

ROOT = Path(__file__).resolve().parent.parent
GLOSSARY = ROOT / "docs" / "glossary.md"
#: These describe earlier words.
HISTORY = ("CHANGELOG.md", "glossary.md")

pytestmark = pytest.mark.skipif(not GLOSSARY.is_file(), reason="the glossary is in the source tree")


def rows() -> list[list[str]]:
    """Return the cells of each term: English, Chinese, meaning, and what is not used of either."""
    lines = re.findall(r"^\|(.+)\|$", GLOSSARY.read_text(encoding="utf-8"), re.MULTILINE)
    cells = [[cell.strip() for cell in line.split("|")] for line in lines]
    return [row for row in cells if row[0] != "English" and not set(row[0]) <= {"-"}]


def avoided() -> Iterator[tuple[str, str, str]]:
    """Yield each word that is not used, the word to use, and the language."""
    for english, chinese, _, not_english, not_chinese in rows():
        yield from ((word, english, "en") for word in filter(None, not_english.split("; ")))
        yield from ((word, chinese, "zh") for word in filter(None, not_chinese.split("; ")))


def texts() -> Iterator[tuple[str, str]]:
    """Yield every text that users read, with its place: the interface, documents, notebooks."""
    for message in translations.translated():
        if message.id:
            yield f"text {str(message.id)[:60]!r}", f"{message.id}\n{message.string}"
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")):
        if path.name not in HISTORY:
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        yield path.relative_to(ROOT).as_posix(), "\n".join("".join(cell["source"]) for cell in cells)


def test_the_glossary_has_terms() -> None:
    """Every term has its word in both languages and a meaning; no word is both used and not used."""
    terms = rows()
    assert len(terms) > 30
    assert [row for row in terms if len(row) != 5 or not all(row[:3])] == []
    used = {word for row in terms for word in (*row[0].split(", "), *row[1].split("、"))}
    assert used.isdisjoint(word for word, _, _ in avoided())


def test_every_text_keeps_to_the_glossary() -> None:
    """No text uses a second word for a thing of the glossary."""
    patterns = [
        (re.compile(rf"(?<![A-Za-z]){re.escape(word)}(?![A-Za-z])" if language == "en" else word), word, use)
        for word, use, language in avoided()
    ]
    wrong = [
        f"{place}: {word!r} should be {use!r}"
        for place, text in texts()
        for pattern, word, use in patterns
        # A word may be a part of the right one.
        if pattern.search(text.replace(use, "") if word in use else text)
    ]
    assert not wrong, "\n".join(wrong)


def labels() -> set[str]:
    """Return every text of the interface that may be a label."""
    return {str(message.id).strip("‹› ") for message in translations.translated() if message.id}


def test_a_message_names_labels_that_exist() -> None:
    """A message that quotes the name of a control in “…” or **…** uses a label of the interface."""
    quoted = re.compile(r"“([A-Z][^”{}]*)”|\*\*([^*{}]+)\*\*")
    known = labels()
    wrong = [
        f"{place} names {name!r}"
        for place, text in texts()
        if place.startswith("text ")
        for name in ("".join(found) for found in quoted.findall(text.split("\n")[0]))
        if name not in known
    ]
    assert not wrong, "\n".join(wrong)
