"""The documents of the repository name files, links and make targets that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "qingbo_widgets"
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
)
#: A user's file, a MIME type, a folder that the browser's tests create.
NOT_HERE = ("ipython_config.py", "text/html", "tests/artifacts")


def prose(name: str) -> str:
    """Return a document without its blocks of code."""
    return re.sub(
        r"^```.*?^```", "", (ROOT / name).read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )


def test_there_are_documents() -> None:
    """The tests below would pass on an empty list."""
    assert {"README.md", "CONTRIBUTING.md", "docs/architecture.md"} <= set(DOCUMENTS)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_leads_to_a_file(name: str) -> None:
    """A reader who follows a relative link finds a file."""
    targets = re.findall(r"\]\((?![a-z]+:)([^)#\s]+)", prose(name))
    broken = [target for target in targets if not (ROOT / name).parent.joinpath(target).exists()]
    assert broken == [], f"{name} links to files that do not exist"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_to_a_heading_leads_there(name: str) -> None:
    """A reader who follows a link to a heading of the same document finds it."""
    text = prose(name)
    headings = {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if name != "CHANGELOG.md"])
def test_every_module_that_is_named_exists(name: str) -> None:
    """A reader who looks for a module or folder that a document names finds it.

    The names are relative to the repository, to the package, or bare names of modules.
    """
    known = {path.name for path in (*PACKAGE.rglob("*"), *(ROOT / "tests").rglob("*"))}
    missing = []
    for named in re.findall(r"`([\w./-]+\.(?:py|toml|js|css|md)|[\w-]+(?:/[\w-]+)+/?)`", prose(name)):
        if named in NOT_HERE or "YYYY" in named:
            continue
        is_there = any((folder / named).exists() for folder in (ROOT, PACKAGE))
        if not is_there and ("/" in named or named not in known):
            missing.append(named)
    assert missing == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_command_of_make_exists(name: str) -> None:
    """A reader who types a ``make`` command of a document runs something."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    listed = re.search(r"^COMMANDS := (.+)$", makefile, re.MULTILINE)
    assert listed is not None
    commands = set(re.findall(r"`make ([a-z]+)", prose(name)))
    assert commands <= set(listed[1].split()), "a document names a command that make does not have"
