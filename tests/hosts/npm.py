"""Packages of npm that hosts need: kept beside the environments of the hosts."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from environment import host_environment

from tests.missing import skip_without

__all__ = ["npm_package"]


def npm_package(name: str, version: str) -> Path:
    """Return the folder of an npm package; fetch it once, or skip the test if npm cannot.

    Args:
        name: the name of the package, such as ``@scope/name``.
        version: its exact version.
    """
    cache = host_environment("npm").home
    folder = cache / f"{name}@{version}"
    if folder.exists():
        return folder
    npm = shutil.which("npm")
    if npm is None:
        skip_without("npm is not installed", "install Node.js")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as unpacked:
        command = [npm, "pack", f"{name}@{version}", "--pack-destination", unpacked]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            skip_without(f"npm cannot fetch {name} {version}", " ".join(command[:3]))
        (archive,) = Path(unpacked).glob("*.tgz")
        with tarfile.open(archive) as packed:
            packed.extractall(unpacked, filter="data")
        (Path(unpacked) / "package").rename(folder)
    return folder
