"""The settings of a manager, for a call or for Jupyter's configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import traitlets
from traitlets import Bool, Float, Int, Unicode, validate
from traitlets.config import Configurable

from ..library.budget import Budget
from ..system.host import shell

__all__ = ["ManagerSettings"]


class ManagerSettings(Configurable):
    """The settings of a manager as traits: ``c.TaskManager.poll_interval = 5`` in ``ipython_config.py``."""

    poll_interval = Float(
        2.0, min=0.05, help="Minimum seconds between two polls of one task; the service requires 2."
    ).tag(config=True)
    max_requests_per_second: float | None = Float(  # type: ignore[assignment]  # traitlets types it as an int
        None,
        allow_none=True,
        min=0.01,
        help="Maximum requests per second for all tasks; None for as many as the service answers.",
    ).tag(config=True)
    submit_patience = Float(
        15.0, min=0.0, help="Seconds for which a submission is retried while the service is unreachable."
    ).tag(config=True)
    max_video_bytes = Int(2 * 1024**3, min=1, help="Maximum size of a saved video, in bytes.").tag(
        config=True
    )
    hold_seconds = Float(
        30.0, min=0.5, help="Seconds without a heartbeat after which other kernels take over our tasks."
    ).tag(config=True)
    ask_above = Int(
        12, min=0, help="A sweep of more tasks than this is submitted only after the user confirms."
    ).tag(config=True)
    contract = Unicode(
        "",
        help="The date of the service's contract, such as 2026-11, where no argument chooses one; by default "
        "that of the environment, of the host of the base URL, or 2026-04.",
    ).tag(config=True)
    embed: bool | None = Bool(  # type: ignore[assignment]  # traitlets knows no None in a Bool
        None,
        allow_none=True,
        help="Whether players embed their videos in the notebook, up to 20 MB each and 100 MB in all; None "
        "for where the page gets no files, as in Colab.",
    ).tag(config=True)

    budget: Any = traitlets.Any(
        None,
        allow_none=True,
        help="The limit on what the tasks of this connection may cost, in US dollars; None for none.",
    ).tag(config=True)

    @validate("budget")
    def _read_budget(self, proposal: Mapping[str, Any]) -> Budget | None:
        return Budget.of(proposal["value"])

    def __init__(self, **settings: Any) -> None:
        parent = shell()  # that of some hosts, such as Solara, has no configuration
        super().__init__(**{"parent": parent if isinstance(parent, Configurable) else None, **settings})

    @classmethod
    def configured_contract(cls) -> str:
        """Return ``c.TaskManager.contract`` of the running IPython; empty if it is not set."""
        section = getattr(shell(), "config", {}).get(cls.__name__, {})
        return str(section.get("contract", ""))

    @classmethod
    def configured_embed(cls) -> bool | None:
        """Return ``c.TaskManager.embed`` of the running IPython; ``None`` if it is not set."""
        section = getattr(shell(), "config", {}).get(cls.__name__, {})
        value = section.get("embed")
        return value if isinstance(value, bool) else None

    @classmethod
    def lacking(cls, names: set[str]) -> list[str]:
        """Return those of the names that are no setting."""
        return sorted(names - {*cls.class_trait_names(), "parent", "config", "log"})
