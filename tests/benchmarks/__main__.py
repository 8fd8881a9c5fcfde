"""``make bench``: measure, print the tables, the summary last, and write ``bench.json``.

``python -m tests.benchmarks [PART ...]`` runs parts of it (``schedule``, ``imports``, ``kernel``, ``card``,
``paint``, ``video``, ``many``, ``clients``); what the file holds of other parts stays. ``ROUNDS=n`` says how
often the clients are compared, three times when left out. ``BENCH_JSON`` names another file.
``python -m tests.benchmarks.summary`` prints the summary of the file again.

All traffic stays on this machine. With three rounds it takes about half an hour, most of it waiting for tasks
to end. A part that fails is named, the others go on, and the exit status is 1.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .parts import PARTS, ROUNDS, PartFailed, findings
from .summary import print_summary
from .tables import print_details

PACKAGES = (
    "ipywidgets",
    "ipykernel",
    "jupyterlab",
    "requests",
    "traitlets",
    "fal_client",
    "openai",
    "replicate",
    "runwayml",
)


def main() -> int:
    """Run the parts that are named, all by default; the exit status is 1 where one failed."""
    path = Path(os.environ.get("BENCH_JSON") or "bench.json")
    chosen = sys.argv[1:] or list(PARTS)
    if unknown := set(chosen) - set(PARTS):
        print(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    bench: dict[str, Any] = {}
    if sys.argv[1:] and path.is_file():
        bench = json.loads(path.read_text(encoding="utf-8"))
    bench |= _here()
    print(f"{bench['date']}, {bench['machine']}", flush=True)
    began, failed = time.monotonic(), []
    for name in chosen:
        if not _run(name, bench, path):
            failed.append(name)
    print_summary(bench, chosen)
    print(f"\n{time.monotonic() - began:.0f} s; the figures are in {path}")
    if failed:
        print(f"These parts failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _run(name: str, bench: dict[str, Any], path: Path) -> bool:
    """Run a part and write the file after each finding; whether it came to its end."""
    found: dict[str, Any] = {}
    began = time.monotonic()
    told: dict[str, Any] = {"date": bench["date"], "load before": os.getloadavg()[0]}
    bench[name], bench.setdefault("parts", {})[name] = found, told
    if name == "clients":
        told["rounds"] = ROUNDS
    print(f"\n── {name}", flush=True)
    try:
        for one in findings(PARTS[name]):
            found |= one
            _write(bench, path)
    except PartFailed as error:
        told["failed"] = str(error)
        print(f"The part {name} failed: {error}", file=sys.stderr)
    told["seconds"] = round(time.monotonic() - began, 1)
    _write(bench, path)
    print_details(found)
    return "failed" not in told


def _write(bench: dict[str, Any], path: Path) -> None:
    """Put the file in its place whole, so that an interrupt leaves the last one."""
    draft = path.with_name(path.name + ".part")
    draft.write_text(json.dumps(bench, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    draft.replace(path)


def _here() -> dict[str, Any]:
    """Date, machine and versions."""
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    machine += f", Python {platform.python_version()}"
    packages = {}
    for name in PACKAGES:
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            continue
    return {"date": f"{datetime.now(UTC):%Y-%m-%d}", "machine": machine, "packages": packages}


if __name__ == "__main__":
    sys.exit(main())
