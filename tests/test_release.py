"""The release's files agree with each other: version, changelog, citation, Pythons, workflows, sdist."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import changelog
import dist
import hatchling.build
import pytest
import yaml
from hatchling.metadata.core import ProjectMetadata
from hatchling.plugin.manager import PluginManager

import qingbo_widgets as qw

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SECTIONS = changelog.sections((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))


def load(path: Path) -> Any:
    """Return the content of a YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


CITATION = load(ROOT / "CITATION.cff")


def strings(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield each text in a YAML value, with its key."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from strings(part, str(name))
    elif isinstance(value, list):
        for part in value:
            yield from strings(part, key)
    elif isinstance(value, str):
        yield key, value


def commands() -> list[str]:
    """Return every command that the workflows, the pre-commit hooks and the READMEs name."""
    files = [*WORKFLOWS, ROOT / ".pre-commit-config.yaml"]
    found = [
        text for path in files for key, text in strings(load(path)) if key in ("run", "entry", "arguments")
    ]
    for name in ("README.md", "README.zh.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        found += re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return [line.partition(" #")[0].strip() for text in found for line in text.splitlines()]


def makefile() -> str:
    """Return the text of the Makefile."""
    return (ROOT / "Makefile").read_text(encoding="utf-8")


def minors(versions: list[str]) -> list[str]:
    """Return the feature versions of Python, such as ``3.11``, in order."""
    return sorted(
        {text for text in versions if re.fullmatch(r"3\.\d+", text)}, key=lambda text: int(text[2:])
    )


def test_the_version_is_that_of_the_package() -> None:
    """The build reads the version from the package; an installed wheel has the same version."""
    assert "version" not in PYPROJECT["project"]
    if (ROOT / "qingbo_widgets").is_dir():
        built = ProjectMetadata(str(ROOT), PluginManager()).version
    else:
        built = importlib.metadata.version("qingbo_widgets")
    assert built == qw.__version__


def test_changelog_and_citation_have_the_version() -> None:
    """The newest section is the version's; the citation has the same version, and the same date if any."""
    newest = SECTIONS[0]
    assert newest.version == qw.__version__
    assert newest.text
    assert newest.is_released or newest.date == "unreleased"
    assert str(CITATION["version"]) == qw.__version__
    assert str(CITATION.get("date-released", "unreleased")) == newest.date
    assert CITATION["license"] == PYPROJECT["project"]["license"]


TEXT = "# Changelog\n\n## [0.2.0] - 2026-12-24\n\n### Added\n\n- Two.\n\n## [0.1.0] - unreleased\n\n- One.\n"


def test_a_release_has_the_text_of_its_section() -> None:
    """The text of a release is its section, without the heading and the next section."""
    assert changelog.release_text("v0.2.0", "0.2.0", TEXT) == "### Added\n\n- Two."


@pytest.mark.parametrize(
    ("tag", "version", "said"),
    [
        ("v0.3.0", "0.2.0", "tag v0.2.0"),
        ("0.2.0", "0.2.0", "tag v0.2.0"),
        ("v0.3.0", "0.3.0", "no section"),
        ("v0.1.0", "0.1.0", "unreleased"),
    ],
)
def test_a_release_stops_where_the_files_disagree(tag: str, version: str, said: str) -> None:
    """A release fails for a tag of another version, a version without a section, an undated section."""
    with pytest.raises(SystemExit, match=said):
        changelog.release_text(tag, version, TEXT)


@pytest.mark.skipif(not (ROOT / "qingbo_widgets").is_dir(), reason="the tests run against an installed wheel")
def test_a_tag_is_checked_without_installing() -> None:
    """The release's first step runs in a bare Python and reads this checkout's version."""
    assert changelog.written_version() == qw.__version__
    command = [sys.executable, "-I", str(ROOT / "tools" / "changelog.py"), "v99.0.0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"tag v{qw.__version__}" in done.stderr


def test_the_pythons_are_the_same_everywhere() -> None:
    """Classifiers, the least version, ruff's target and CI's matrix name the same versions of Python."""
    classifiers = minors([text.rpartition(" :: ")[2] for text in PYPROJECT["project"]["classifiers"]])
    numbers = [int(text[2:]) for text in classifiers]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert PYPROJECT["project"]["requires-python"] == f">={classifiers[0]}"
    assert PYPROJECT["tool"]["ruff"]["target-version"] == f"py{classifiers[0].replace('.', '')}"
    jobs = load(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]
    assert minors(jobs["test"]["strategy"]["matrix"]["python"]) == classifiers
    for path in WORKFLOWS:
        used = minors([text for key, text in strings(load(path)) if key in ("python", "python-version")])
        assert used, path
        assert set(used) <= set(classifiers), path


def test_ci_passes_only_with_all_jobs() -> None:
    """The one check that a branch requires waits for every other job."""
    jobs = load(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]
    assert set(jobs["passed"]["needs"]) == set(jobs) - {"passed"}


def test_every_command_named_exists() -> None:
    """Each target and variable of make, and each script that a workflow, hook or README names, is there."""
    named = commands()
    targets = {target for line in named for target in re.findall(r"(?:^|&& )make ([a-z][\w-]*)", line)}
    variables = {name for line in named for name in re.findall(r"\b([A-Z]+)=1\b", line)}
    scripts = {script for line in named for script in re.findall(r"\btools/\w+\.\w+", line)}
    assert {"test", "lint"} <= targets
    assert {"tools/dist.py", "tools/dev.py"} <= scripts
    short = re.search(r"^COMMANDS := (.*)$", makefile(), re.MULTILINE)
    assert short is not None
    assert targets - set(short[1].split()) == set()
    # make silently accepts an unknown variable and would then test something else.
    rules = [line for line in makefile().splitlines() if not line.lstrip().startswith(("#", "@echo"))]
    assert variables - set(re.findall(r"\b[A-Z]+\b", "\n".join(rules))) == set()
    assert {script for script in scripts if not (ROOT / script).is_file()} == set()


def test_the_bug_report_prints_versions_and_no_key() -> None:
    """The line that a reporter runs is one line, works, and shows no setting."""
    form = load(ROOT / ".github" / "ISSUE_TEMPLATE" / "bug_report.yml")
    (field,) = [part for part in form["body"] if part.get("id") == "versions"]
    (line,) = re.findall(r"```python\n(.*)\n```", field["attributes"]["description"])
    environment = {**os.environ, "QINGBO_API_KEY": "sk-secret"}
    done = subprocess.run(
        [sys.executable, "-c", line], env=environment, capture_output=True, text=True, check=True
    )
    assert re.search(r"^qingbo_widgets \d", done.stdout, re.MULTILINE)
    assert re.search(r"^anywidget \d", done.stdout, re.MULTILINE)
    assert "sk-secret" not in done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.skipif(
    not (ROOT / ".git").exists(), reason="not a git checkout: nothing to compare the sdist with"
)
def test_the_sdist_holds_what_git_tracks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sdist has every tracked file, so that its tests run, and no others except new, untracked ones."""
    monkeypatch.chdir(ROOT)
    sdist = tmp_path / hatchling.build.build_sdist(str(tmp_path))
    packed = dist.packed(sdist) - dist.ADDED
    tracked = {name for name in dist.tracked(ROOT) - dist.NOT_PACKED if (ROOT / name).is_file()}
    new = dist.tracked(ROOT, "--others", "--exclude-standard") & packed
    assert dist.difference(tracked | new, packed) == ""
