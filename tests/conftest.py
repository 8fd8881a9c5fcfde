"""Fixtures that every room's tests share."""

from __future__ import annotations

import gettext
import os
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.descriptions import described  # noqa: F401 - a fixture
from tests.managers import make_manager, manager, server  # noqa: F401 - fixtures
from tests.postgresql import postgresql_server, postgresql_url  # noqa: F401 - fixtures
from tests.windows_rules import keeping_the_rules

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("here")

# Examples are made while their module is collected, before a fixture could choose the language.
os.environ["LANGUAGE"] = "en"

if TYPE_CHECKING:
    from qingbo_widgets.sandbox import Sandbox


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: a test that waits for a kernel or a task leaves its core to others."""
    return int(os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS") or (os.cpu_count() or 1) + 1)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say why a test was run once more; by itself, pytest says it of the last run only."""
    for report in terminalreporter.stats.get("rerun", []):
        terminalreporter.section(f"first run of {report.nodeid}")
        terminalreporter.write_line(report.longreprtext)


@pytest.fixture(autouse=True)
def fresh_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the key, the address or the Jupyter settings of whoever runs it."""
    for name in list(os.environ):
        if name.startswith(("QINGBO_", "WAVE_", "WAVEAPI_", "JUPYTER_", "IPYTHON")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setenv("LANGUAGE", "en")


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxies of the machine stay out of a test."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


class _Unmarked(gettext.NullTranslations):
    """Keeps the texts that are asked for and not in the catalogue."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def gettext(self, message: str) -> str:
        self.texts.append(message)
        return message


class _English(gettext.NullTranslations):
    """Says each text as it is, after a look into the Chinese catalogue."""

    def __init__(self, chinese: gettext.NullTranslations) -> None:
        super().__init__()
        self._chinese = chinese

    def gettext(self, message: str) -> str:
        self._chinese.gettext(message)
        return message


@pytest.fixture(autouse=True)
def every_text_is_marked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every text that a test passes to ``tr`` has an entry in the catalogue: it is marked with ``N_``."""
    from qingbo_widgets import i18n

    unmarked = _Unmarked()
    chinese = gettext.translation("qingbo_widgets", i18n.CATALOGUES, ["zh"])  # a copy, each time
    chinese.add_fallback(unmarked)
    catalogues = {"en": _English(chinese), "zh": chinese}
    monkeypatch.setattr(i18n, "_catalogue", catalogues.__getitem__)
    yield
    assert unmarked.texts == [], (
        "these went through tr() and have no entry; mark each with N_ where it stands"
    )


@pytest.fixture(autouse=True)
def no_default_manager() -> Iterator[None]:
    """The default manager of one test is closed before the next, and is never its default."""
    yield
    module = sys.modules.get("qingbo_widgets.tasks.connection")
    default = getattr(module, "_default", None)
    if default is not None:
        default.close()
        module._default = None


@pytest.fixture(autouse=True)
def rules_of_windows(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    """No test renames or removes an open file, or gives one a name that Windows does not allow."""
    with nullcontext() if "rules_of_posix" in request.fixturenames else keeping_the_rules(tmp_path):
        yield


@pytest.fixture
def rules_of_posix() -> None:
    """For a test that is left out on Windows, and does what can be done elsewhere only."""


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
