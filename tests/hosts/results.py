"""The outcomes of the tests in each host: ``docs/hosts.json``, of which the tables are made."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Literal

__all__ = ["COLUMNS", "RESULTS", "Outcome", "record"]

RESULTS = Path(__file__).parents[2] / "docs" / "hosts.json"
#: What is looked at, in the order of the tables.
COLUMNS = ("form", "card", "video", "reload", "kernel_gone", "review")
Outcome = Literal["yes", "partly", "no"]


def record(host: str, versions: Mapping[str, str], **outcomes: Outcome) -> None:
    """Write what a test has seen work in a host; do nothing unless ``make hosts`` runs it.

    Call it after the assertions: a line of the tables must be a test that passed. Several tests may add to
    the line of a host.

    Args:
        host: its key in ``docs/hosts.toml``.
        versions: the versions of the packages that make the host.
        **outcomes: by column.
    """
    if unknown := outcomes.keys() - {*COLUMNS}:
        raise ValueError(f"unknown columns: {', '.join(sorted(unknown))}")
    if not os.environ.get("RECORD_HOSTS"):  # tests hide every variable that begins with QINGBO_
        return
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    line = results.setdefault(host, {})
    line.update(outcomes)
    line["versions"] = {**line.get("versions", {}), **versions}
    line["date"] = date.today().isoformat()
    text = json.dumps(results, indent=1, sort_keys=True, ensure_ascii=False)
    RESULTS.write_text(text + "\n", encoding="utf-8")
