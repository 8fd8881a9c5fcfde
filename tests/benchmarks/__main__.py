"""The ``make bench`` command: run all benchmarks, print tables and a summary, and write ``bench.json``.

``python -m tests.benchmarks [PART ...]`` runs only the given parts (``schedule``, ``imports``, ``kernel``,
``card``, ``paint``, ``video``, ``library``, ``many``, ``clients``) and keeps the results of the others in
the file. ``ROUNDS=n`` sets the number of rounds in the client comparison (default 3). ``BENCH_JSON`` sets the
path of the file. ``python -m tests.benchmarks.summary`` prints the summary of the file again.

All traffic stays on this machine. Three rounds take about half an hour, most of it waiting for tasks to end.
If a part fails, its name is printed, the other parts still run, and the exit status is 1.
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

from .parts import PARTS, ROUNDS, PartFailed, part_results
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
    """Run the given parts, all by default, and return the exit status: 1 if a part failed."""
    path = Path(os.environ.get("BENCH_JSON") or "bench.json")
    chosen = sys.argv[1:] or list(PARTS)
    if unknown := set(chosen) - set(PARTS):
        print(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    bench: dict[str, Any] = {}
    if sys.argv[1:] and path.is_file():
        bench = json.loads(path.read_text(encoding="utf-8"))
    bench |= _environment()
    print(f"{bench['date']}, {bench['machine']}", flush=True)
    began, failed = time.monotonic(), []
    for name in chosen:
        if not _run(name, bench, path):
            failed.append(name)
    print_summary(bench, chosen)
    print(f"\n{time.monotonic() - began:.0f} s; the results are in {path}")
    if failed:
        print(f"These parts failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _run(name: str, bench: dict[str, Any], path: Path) -> bool:
    """Run a part, write the file after each result, and return whether the part finished."""
    results: dict[str, Any] = {}
    began = time.monotonic()
    details: dict[str, Any] = {"date": bench["date"], "load before": os.getloadavg()[0]}
    bench[name], bench.setdefault("parts", {})[name] = results, details
    if name == "clients":
        details["rounds"] = ROUNDS
    print(f"\n── {name}", flush=True)
    try:
        for result in part_results(PARTS[name]):
            results |= result
            _write(bench, path)
    except PartFailed as error:
        details["failed"] = str(error)
        print(f"The part {name} failed: {error}", file=sys.stderr)
    details["seconds"] = round(time.monotonic() - began, 1)
    _write(bench, path)
    print_details(results)
    return "failed" not in details


def _write(bench: dict[str, Any], path: Path) -> None:
    """Replace the file atomically, so that an interrupt leaves the previous version."""
    draft = path.with_name(path.name + ".part")
    draft.write_text(json.dumps(bench, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    draft.replace(path)


def _environment() -> dict[str, Any]:
    """Return the date, the machine and the package versions."""
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
