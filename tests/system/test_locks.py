"""The locked packages: complete, the same for every purpose, and independent of an index."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "requirements"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PURPOSES = ("demo", "test", "bench")
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
PLATFORMS = {
    "linux": ("Linux", "posix"),
    "darwin": ("Darwin", "posix"),
    "win32": ("Windows", "nt"),
}


def locked(name: str) -> list[tuple[Requirement, list[str]]]:
    """Return the pins of a file, each with its hashes."""
    text = (FOLDER / name).read_text(encoding="utf-8").replace("\\\n", " ")
    pins = []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            pin, *hashes = re.split(r"\s+--hash=", line.strip())
            pins.append((Requirement(pin), hashes))
    return pins


def requirements_of(purpose: str) -> Iterator[Requirement]:
    """Yield the requirements of the package, of one extra and of the extras that it names."""
    extras = [purpose]
    for extra in extras:
        for text in PROJECT["optional-dependencies"][extra]:
            requirement = Requirement(text)
            if canonicalize_name(requirement.name) == "qingbo-widgets":
                extras += sorted(requirement.extras)
            else:
                yield requirement
    for text in (*PROJECT["dependencies"], *(FOLDER / "build.in").read_text(encoding="utf-8").splitlines()):
        if not text.startswith("#"):
            yield Requirement(text)


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("purpose", PURPOSES)
def test_every_requirement_is_locked(purpose: str, python: str, platform: str) -> None:
    """Every requirement is locked to an allowed version for every Python and platform (``make lock``)."""
    system, name = PLATFORMS[platform]
    environment: dict[str, Any] = {
        **default_environment(),
        "python_version": python,
        "python_full_version": f"{python}.0",
        "implementation_version": f"{python}.0",
        "sys_platform": platform,
        "platform_system": system,
        "os_name": name,
    }
    pins: dict[str, list[str]] = {}
    for pin, _ in locked(f"{purpose}.txt"):
        if pin.marker is None or pin.marker.evaluate(environment):
            ((operator, version),) = [(part.operator, part.version) for part in pin.specifier]
            assert operator == "=="
            pins.setdefault(canonicalize_name(pin.name), []).append(version)
    assert {key: found for key, found in pins.items() if len(found) > 1} == {}
    for requirement in requirements_of(purpose):
        if requirement.marker is None or requirement.marker.evaluate(environment):
            found = pins.get(canonicalize_name(requirement.name), [])
            assert found, f"{requirement} is not in requirements/{purpose}.txt: run make lock"
            assert requirement.specifier.contains(Version(found[0])), (
                f"{requirement}: {found[0]}, run make lock"
            )


def test_every_pin_has_hashes_and_no_index() -> None:
    """Every pin has hashes and no index, so users install the tested files from their own index."""
    for path in FOLDER.glob("*.txt"):
        assert locked(path.name)
        for pin, hashes in locked(path.name):
            assert pin.url is None
            assert hashes, pin
            assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest) for digest in hashes), pin
        assert not re.search(r"://|^--?[a-z]", path.read_text(encoding="utf-8"), re.MULTILINE), path.name


def test_the_purposes_agree() -> None:
    """A package has the same version for every purpose, because one environment serves several."""
    versions_by_package: dict[str, set[str]] = {}
    for purpose in PURPOSES:
        for pin, _ in locked(f"{purpose}.txt"):
            versions_by_package.setdefault(f"{pin.name} ; {pin.marker}", set()).add(str(pin.specifier))
    assert {name: versions for name, versions in versions_by_package.items() if len(versions) > 1} == {}
