"""Print the section of CHANGELOG.md for a tag, which is the text of its release.

    python tools/changelog.py v0.1.0

Fails where the tag is not the version of the package, or its section still says "unreleased": a release that
disagrees with its changelog stops here, before anything is built.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHANGELOG = ROOT / "CHANGELOG.md"
VERSION_FILE = ROOT / "qingbo_widgets" / "version.py"

_HEADING = re.compile(r"^## \[(?P<version>[^\]]+)\] - (?P<date>.+?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Section:
    """One version's part of the changelog."""

    version: str
    date: str
    """As written: ``2026-12-24``, or ``unreleased``."""

    text: str

    @property
    def is_released(self) -> bool:
        """``True`` if the heading has a date."""
        return re.fullmatch(r"\d{4}-\d{2}-\d{2}", self.date) is not None


def sections(changelog: str) -> list[Section]:
    """Return the sections of a changelog, in its order: the newest first."""
    headings = list(_HEADING.finditer(changelog))
    ends = [*(heading.start() for heading in headings[1:]), len(changelog)]
    return [
        Section(heading["version"], heading["date"], changelog[heading.end() : end].strip())
        for heading, end in zip(headings, ends, strict=True)
    ]


def written_version() -> str:
    """Return the version that the package states, read as text: a release builds before it installs."""
    found = re.search(r'^__version__ = "(.+)"$', VERSION_FILE.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise SystemExit(f'{VERSION_FILE} has no line __version__ = "…".')
    return found[1]


def release_text(tag: str, version: str, changelog: str) -> str:
    """Return the release's text.

    Raises:
        SystemExit: if tag, version and changelog disagree.
    """
    if tag != f"v{version}":
        raise SystemExit(
            f"The tag is {tag}, but the package's version is {version}: tag v{version}, "
            "or change __version__ in qingbo_widgets/version.py."
        )
    section = next((section for section in sections(changelog) if section.version == version), None)
    if section is None:
        raise SystemExit(f"CHANGELOG.md has no section '## [{version}] - date'. Write it, then tag again.")
    if not section.is_released:
        raise SystemExit(
            f"CHANGELOG.md calls {version} {section.date!r}: put the date there (2026-12-24), then tag again."
        )
    return section.text


def main() -> None:
    """Print the text for the tag on the command line."""
    if len(sys.argv) != 2:
        raise SystemExit("Usage: python tools/changelog.py v0.1.0")
    # The runner's console may not be UTF-8; the file that this is redirected to is.
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    print(release_text(sys.argv[1], written_version(), CHANGELOG.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
