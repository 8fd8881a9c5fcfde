"""Fixtures shared by all tests."""

from __future__ import annotations

import gc
import gettext
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.descriptions import described  # noqa: F401 - a fixture
from tests.drafts import shared_drafts  # noqa: F401 - a fixture
from tests.managers import make_manager, manager, server  # noqa: F401 - fixtures
from tests.places import start_kernel  # noqa: F401 - a fixture
from tests.postgresql import postgresql_server, postgresql_url  # noqa: F401 - fixtures
from tests.stores.s3 import flaky_s3, s3, s3_server  # noqa: F401 - fixtures
from tests.windows_rules import keeping_the_rules

# Otherwise jsonschema, which nbformat needs too, spends more than a second on a grammar for IRIs when it is
# imported; no schema here has that format.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

# The duration of an example depends on the load of the machine, not on the code.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("here")

# Examples are created while their module is collected, before a fixture could set the language.
os.environ["LANGUAGE"] = "en"

# Containers often set it: every worker would rewrite the assertions of every module anew, and every kernel
# and sandbox compile the package.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

BROWSER, HOSTS = (Path(__file__).parent / name for name in ("browser", "hosts"))

# In memory, a commit to a journal takes a hundredth of the time. A run leaves some 100 MB; containers offer
# 64 MB by default, from which no program may be started.
MEMORY = Path("/dev/shm")
ROOM = 2 << 30


def _is_usable(folder: Path) -> bool:
    if sys.platform != "linux" or not os.access(folder, os.W_OK):
        return False
    return shutil.disk_usage(folder).free >= ROOM and not os.statvfs(folder).f_flag & os.ST_NOEXEC


if "TMPDIR" not in os.environ and _is_usable(MEMORY):
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)

if TYPE_CHECKING:
    from qingbo_widgets.sandbox import Sandbox


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return more workers than cores: a test that waits for a kernel or a task leaves its core idle."""
    more = 1 if "not slow" in config.option.markexpr else 2
    return int(os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS") or (os.cpu_count() or 1) + more)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Spare every worker the browser tests and Playwright where ``-m`` leaves them all out."""
    marks = config.option.markexpr
    leaves_out = {BROWSER: ("not slow", "not browser"), HOSTS: ("not slow",)}
    return True if any(words in marks for words in leaves_out.get(collection_path, ())) else None


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Let pytest-rerunfailures ask the main process at once; by default TCP holds each question for 40 ms."""
    connection = getattr(getattr(config, "failures_db", None), "sock", None)
    if connection is not None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def pytest_collection_finish() -> None:
    """Spare the garbage collector every module and test: going through them takes it a third of a second."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print why a test was rerun; pytest itself prints the reason of the last run only."""
    for report in terminalreporter.stats.get("rerun", []):
        terminalreporter.section(f"first run of {report.nodeid}")
        terminalreporter.write_line(report.longreprtext)


@pytest.fixture(autouse=True)
def fresh_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the user's key, address and Jupyter settings from every test."""
    for name in list(os.environ):
        if name.startswith(("QINGBO_", "WAVE_", "WAVEAPI_", "JUPYTER_", "JPY_", "IPYTHON")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setenv("LANGUAGE", "en")


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the machine's proxy settings."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


class _Unmarked(gettext.NullTranslations):
    """A catalogue that records the texts that the real catalogue lacks."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def gettext(self, message: str) -> str:
        self.texts.append(message)
        return message


class _English(gettext.NullTranslations):
    """A catalogue that returns each text unchanged, after looking it up in the Chinese catalogue."""

    def __init__(self, chinese: gettext.NullTranslations) -> None:
        super().__init__()
        self._chinese = chinese

    def gettext(self, message: str) -> str:
        self._chinese.gettext(message)
        return message


@pytest.fixture(autouse=True)
def every_text_is_marked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test that passes a text to ``tr`` without an entry in the catalogue (not marked with ``N_``)."""
    from qingbo_widgets import i18n

    monkeypatch.setattr(i18n, "_chosen", None)  # a language that a test chooses ends with the test
    unmarked = _Unmarked()
    chinese = gettext.translation("qingbo_widgets", i18n.CATALOGUES, ["zh"])  # a new copy each time
    chinese.add_fallback(unmarked)
    catalogues = {"en": _English(chinese), "zh": chinese}
    monkeypatch.setattr(i18n, "_catalogue", catalogues.__getitem__)
    yield
    assert unmarked.texts == [], (
        "these texts were passed to tr() and have no entry; mark each with N_ where it is defined"
    )


@pytest.fixture(autouse=True)
def no_default_manager() -> Iterator[None]:
    """Close and reset the default manager after each test."""
    yield
    module = sys.modules.get("qingbo_widgets.tasks.connection")
    default = getattr(module, "_default", None)
    if default is not None:
        default.close()
        module._default = None


@pytest.fixture(autouse=True)
def rules_of_windows(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that renames or removes an open file, or uses a file name that Windows forbids.

    A test without a folder of its own gets none here: making one takes longer than most tests.
    """
    keeps = "tmp_path" in request.fixturenames and "rules_of_posix" not in request.fixturenames
    with keeping_the_rules(request.getfixturevalue("tmp_path")) if keeps else nullcontext():
        yield


@pytest.fixture
def rules_of_posix() -> None:
    """Turn off the rules of Windows, for a test that is skipped there."""


@pytest.fixture
def workdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty current directory, like the folder of a new notebook."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Yield a real sandbox over HTTP, fifty times as fast as the service, with small videos."""
    from qingbo_widgets.sandbox import Sandbox

    with Sandbox(speed=50, draft=True) as sandbox:
        yield sandbox
