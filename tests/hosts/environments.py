"""The programs that show notebooks, as they are installed for the tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from environment import host_environment

from tests.missing import skip_without

__all__ = ["python_of", "variables_of", "versions_of"]

_VERSIONS = """
import importlib.metadata, json, platform, sys
print(json.dumps({name: platform.python_version() if name == "python" else importlib.metadata.version(name)
                  for name in sys.argv[1:]}))
"""
#: Variables of the tests that a user's host does not have.
_OURS = ("QINGBO_", "WAVE", "JUPYTER", "JPY_", "PYTEST", "COLAB_", "SERVER_SOFTWARE", "COVERAGE")


def python_of(name: str | None = None) -> Path:
    """Return the interpreter of a host; skip the test if its environment has not been made.

    Args:
        name: that of ``requirements/hosts/NAME.in``; ``None`` for the environment of the tests themselves.
    """
    if name is None:
        return Path(sys.executable)
    environment = host_environment(name)
    if not environment.python.exists():
        skip_without(f"The environment of the host {name} is not installed", "make hosts")
    return environment.python


def variables_of(folder: Path) -> dict[str, str]:
    """Return environment variables for a host with settings and kernels of its own, inside ``folder``."""
    names = ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    own = {name: str(folder / name.lower()) for name in names}
    for path in own.values():
        Path(path).mkdir(parents=True, exist_ok=True)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return {**inherited, **own, "JUPYTER_PREFER_ENV_PATH": "1", "LANGUAGE": "en"}


def versions_of(packages: Sequence[str], name: str | None = None) -> dict[str, str]:
    """Return the installed versions of packages of a host, and that of ``python`` if it is among them."""
    command = [str(python_of(name)), "-c", _VERSIONS, *packages]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    versions: dict[str, str] = json.loads(done.stdout)
    return versions

