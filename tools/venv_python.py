"""Run the Python of ``.venv`` with the arguments given, on any system.

    python tools/venv_python.py -m ruff check

The pre-commit hooks start ruff and mypy through it: they are then those of ``make lint``, in the same
versions, also where git is started outside the environment.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

VENV = Path(__file__).resolve().parent.parent / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def main() -> int:
    """Return the exit status of the command."""
    if not PYTHON.exists():
        print(f"There is no {PYTHON}: run `make lint` once, which makes it.", file=sys.stderr)
        return 1
    return subprocess.run([str(PYTHON), *sys.argv[1:]], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
