"""Docstrings name their subject: the imperative for functions, nouns for everything else."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import qingbo_widgets

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path(qingbo_widgets.__file__).resolve().parent  # elsewhere when the installed wheel is tested
FILES = sorted(
    path
    for folder in (PACKAGE, ROOT / "tests", ROOT / "tools")
    for path in (folder).rglob("*.py")
    if "journals" not in path.parts  # written for version 0.1.0
)
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
#: A clause in place of a noun: "What the service knows" for "The state at the service". A sentence may begin
#: with "When" or "Where".
QUESTIONS = {"What", "Whatever", "Whether", "Which", "Who", "Whoever", "Why", "How"}
#: The text says user, caller, kernel or service instead.
PERSONS = re.compile(r"\b(some|any|no)body\b|\bsomeone\b|\bwhoever\b", re.IGNORECASE)
FIRST_WORD = re.compile(r"\w+")


@pytest.fixture(scope="module")
def docstrings() -> list[tuple[str, str]]:
    """Return the place and the text of every docstring."""
    return [
        (f"{path.parent.name}/{path.name}:{getattr(node, 'lineno', 1)}", text)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, DOCUMENTED) and (text := ast.get_docstring(node))
    ]


def test_there_are_docstrings(docstrings: list[tuple[str, str]]) -> None:
    """The tests below would pass on an empty list."""
    assert len(docstrings) > 3000


def test_no_docstring_begins_with_a_question(docstrings: list[tuple[str, str]]) -> None:
    """A reader learns in the first word whether something is done or described."""
    assert [
        f"{place} {text[:60]}" for place, text in docstrings if FIRST_WORD.findall(text)[0] in QUESTIONS
    ] == []


def test_docstrings_name_who_acts(docstrings: list[tuple[str, str]]) -> None:
    """A docstring says whether the user, the caller, a kernel or the service acts."""
    assert [f"{place} {found[0]}" for place, text in docstrings if (found := PERSONS.search(text))] == []
