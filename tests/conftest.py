"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.postgresql import postgresql_server, postgresql_url  # noqa: F401 - fixtures

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("here")

if TYPE_CHECKING:
    from qingbo_widgets.sandbox import Sandbox


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: a test that waits for a kernel or a task leaves its core to others."""
    return int(os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS") or (os.cpu_count() or 1) + 1)


@pytest.fixture(autouse=True)
def fresh_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the key, the address or the Jupyter settings of whoever runs it."""
    for name in list(os.environ):
        if name.startswith(("QINGBO_", "WAVE_", "WAVEAPI_", "JUPYTER_", "IPYTHON")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setenv("LANGUAGE", "en")


@pytest.fixture(autouse=True)
def no_default_manager() -> Iterator[None]:
    """The default manager of one test is closed before the next, and is never its default."""
    yield
    module = sys.modules.get("qingbo_widgets.tasks.connection")
    manager = getattr(module, "_default", None)
    if manager is not None:
        manager.close()
        module._default = None


@pytest.fixture
def workdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current directory, as a new notebook's folder is."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A real sandbox over real HTTP, fifty times as fast as the service, drawing small."""
    from qingbo_widgets.sandbox import Sandbox

    with Sandbox(speed=50, draft=True) as sandbox:
        yield sandbox
