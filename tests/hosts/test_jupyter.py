"""JupyterLab, Notebook 7, nbclassic and the classic Notebook: every step of the walk, in each of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.hosts.environments import versions_of
from tests.hosts.results import COLUMNS, Outcome, record
from tests.hosts.walk import CLASSIC, JUPYTERLAB, Frontend, Server, Walk

#: A walk takes less than a minute on an idle machine, and hosts are walked through on busy ones.
pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

LAB = ("--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly")
NOTEBOOK_7 = ("--JupyterNotebookApp.expose_app_in_browser=True",)


@dataclass(frozen=True)
class Host:
    """A host as users start it, and what they see there.

    Attributes:
        key: its key in ``docs/hosts.toml``.
        module: what is run with ``python -m``.
        packages: those whose versions make the host.
        environment: that of ``requirements/hosts/NAME.in``; ``None`` for that of the tests.
        kernel: the environment in which the notebook runs; ``None`` for the server's.
        application: the class that has the server's options.
        base: the server's base URL.
        notebook: the notebook's path below the server's root.
        expected: the columns that are less than "yes".
    """

    key: str
    module: str
    frontend: Frontend
    packages: tuple[str, ...]
    options: tuple[str, ...] = ()
    environment: str | None = None
    kernel: str | None = None
    application: str = "ServerApp"
    base: str = "/"
    notebook: str = "walk.ipynb"
    expected: dict[str, Outcome] = field(default_factory=dict)


def walk_through(host: Host, folder: Path, browser: Browser) -> None:
    """Walk through a host, compare with what is expected there, and record it."""
    server = Server(
        folder,
        host.module,
        host=host.environment,
        kernel=host.kernel,
        options=host.options,
        application=host.application,
        base=host.base,
    )
    with server:
        walk = Walk(server, host.frontend, browser, host.notebook)
        outcomes = walk.run()
    expected = {**dict.fromkeys(COLUMNS, "yes"), **host.expected}
    lines = [f"{column}: {line}" for column, lines in walk.seen.items() for line in lines]
    assert outcomes == expected, f"a user of {host.key} sees:\n" + "\n".join(lines)
    versions = versions_of(host.packages, host.environment)
    if host.kernel is not None:
        versions |= versions_of(WIDGETS, host.kernel)
    record(host.key, versions, **outcomes)


WIDGETS = ("ipywidgets", "anywidget", "ipykernel")
#: The one of the usual runs; tests/browser has more of JupyterLab.
NBCLASSIC = Host("nbclassic", "nbclassic", CLASSIC.at("nbclassic/notebooks/"), ("nbclassic", *WIDGETS))
OTHERS = [
    Host("notebook", "notebook", JUPYTERLAB.at("notebooks/"), ("notebook", *WIDGETS), NOTEBOOK_7),
    Host("jupyterlab", "jupyterlab", JUPYTERLAB, ("jupyterlab", *WIDGETS), LAB),
    Host(
        "hub",
        "jupyterlab",
        JUPYTERLAB,
        ("jupyterlab", *WIDGETS),
        LAB,
        base="/user/amy/",
        notebook="课程 one/第 2 周/walk.ipynb",
    ),
    Host("lab-ipykernel6", "jupyterlab", JUPYTERLAB, ("jupyterlab",), LAB, kernel="ipykernel6"),
    Host(
        "collaboration",
        "jupyterlab",
        JUPYTERLAB,
        ("jupyter-collaboration", "jupyterlab", *WIDGETS),
        LAB,
        environment="collaboration",
    ),
    Host(
        "classic",
        "notebook",
        CLASSIC,
        ("notebook", *WIDGETS),
        environment="classic",
        application="NotebookApp",
    ),
    Host(
        "lab-ipywidgets7",
        "jupyterlab",
        JUPYTERLAB,
        ("jupyterlab", *WIDGETS),
        LAB,
        environment="lab-ipywidgets7",
    ),
]


def test_the_walk(tmp_path: Path, browser: Browser) -> None:
    """Form, card, videos, gallery and comparison work, also after a reload and without the kernel."""
    walk_through(NBCLASSIC, tmp_path / "host", browser)


@pytest.mark.host
@pytest.mark.parametrize("host", OTHERS, ids=lambda host: host.key)
def test_the_walk_in_more_hosts(host: Host, tmp_path: Path, browser: Browser) -> None:
    """The same in hosts that no usual run of the tests includes."""
    walk_through(host, tmp_path / "host", browser)
