"""The documents of the repository name files, links and commands that exist."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import translations

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "qingbo_widgets"

pytestmark = pytest.mark.skipif(not PACKAGE.is_dir(), reason="documents describe the source tree")
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


def headings(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub forms them."""
    found = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in found}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_to_a_heading_leads_there(name: str) -> None:
    """A reader who follows a link to a heading, of this document or another one, finds it."""
    links = re.findall(r"\]\((?![a-z]+:)([^)#\s]*)#([^)]+)\)", prose(name))
    broken = [
        f"{target}#{anchor}"
        for target, anchor in links
        if anchor not in headings((ROOT / name).parent / target if target else ROOT / name)
    ]
    assert broken == []


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
def test_every_command_exists(name: str) -> None:
    """A reader who types a command of a document runs something."""
    text = (ROOT / name).read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    listed = re.search(r"^COMMANDS := (.+)$", makefile, re.MULTILINE)
    assert listed is not None
    named = re.findall(r"(?:^|`|&& )make ([a-z]+)((?: [A-Z]+=\S+)*)", text, re.MULTILINE)
    assert {command for command, _ in named} <= set(listed[1].split()), "make does not have this command"
    options = {option.partition("=")[0] for _, given in named for option in given.split()}
    assert options <= set(re.findall(r"^#   ([A-Z]+)=", makefile, re.MULTILINE)), "make has no such option"
    scripts = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["scripts"]
    assert set(re.findall(r"npm run ([a-z]+)", text)) <= set(scripts)


@pytest.mark.parametrize("name", ["docs/pictures.md", "docs/pictures.zh.md"])
def test_every_message_of_a_table_of_errors_exists(name: str) -> None:
    """A user who searches the page for the message on the screen finds it."""
    texts = [
        re.sub(r"\{[^}]*\}", "…", str(message.string if ".zh." in name else message.id))
        for message in translations.translated()
    ]
    text = (ROOT / name).read_text(encoding="utf-8")
    named = re.findall(r'["“]([^"“”]+)["”]', "".join(re.findall(r'^\|( ["“][^|]+)\|', text, re.MULTILINE)))
    assert len(named) > 8
    parts = {part.strip(" …，,") for each in named for part in each.split("…")} - {""}
    assert [part for part in parts if not any(part in each for each in texts)] == []
