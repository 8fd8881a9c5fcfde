"""Find or install a browser for the tests that need one.

Order: the environment variable ``CHROMIUM``; a Chromium or Chrome on ``PATH``; one where Windows and macOS
keep their programs, Edge among them; the one that Playwright installed earlier; Playwright's own, installed
now; Debian's package, where we may install it.

Without a browser the tests that need one are skipped, with the reason; where ``CI`` is set, it is a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from qingbo_widgets.system.console import accept_any_text

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


#: Below a folder of programs.
_ON_MACOS = tuple(
    f"{name}.app/Contents/MacOS/{name}" for name in ("Chromium", "Google Chrome", "Microsoft Edge")
)
_ON_WINDOWS = (
    "Chromium/Application/chrome.exe",
    "Google/Chrome/Application/chrome.exe",
    "Microsoft/Edge/Application/msedge.exe",
)


def usual_places(platform: str, environment: Mapping[str, str]) -> Iterator[Path]:
    """Yield the paths of browsers on systems that put none on ``PATH``.

    Args:
        platform: as ``sys.platform``.
        environment: as ``os.environ``, which on Windows finds a name in any case of letters.
    """
    if platform == "darwin":
        folders, names = ["/Applications", f"{environment.get('HOME', '')}/Applications"], _ON_MACOS
    elif platform == "win32":
        variables = ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")
        folders, names = [environment.get(variable, "") for variable in variables], _ON_WINDOWS
    else:
        folders, names = [], ()
    for name in names:
        yield from (Path(folder, name) for folder in folders if folder)


def find_browser() -> str | None:
    """Return the path of an installed browser; ``None`` if there is none."""
    configured = os.environ.get("CHROMIUM")
    if configured:
        return shutil.which(configured)
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return found
    for place in usual_places(sys.platform, os.environ):
        if place.is_file():
            return str(place)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


def _attempt(*command: str, timeout: float) -> bool:
    """Run a command and print it; if it fails, print the end of its output too."""
    print("──", " ".join(command), flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        print(error, file=sys.stderr)
        return False
    if done.returncode:
        print(*(done.stdout + done.stderr).splitlines()[-3:], sep="\n", file=sys.stderr)
    return done.returncode == 0


def install_browser() -> str | None:
    """Install a browser with Playwright, or else from Debian's packages; return its path if that worked."""
    if os.environ.get("CHROMIUM"):
        print(f"CHROMIUM={os.environ['CHROMIUM']} is not a program.", file=sys.stderr)
        return None
    if _attempt(sys.executable, "-m", "playwright", "install", "chromium", timeout=300) and (
        found := find_browser()
    ):
        return found
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        _attempt("apt-get", "update", "-qq", timeout=300)
        if _attempt("apt-get", "install", "-y", "-qq", "chromium", timeout=600):
            return find_browser()
    return None


def main() -> int:
    """Find or install a browser; the exit status is 1 if CI requires one and there is none."""
    accept_any_text()
    browser = find_browser() or install_browser()
    if browser:
        print("── browser:", browser)
        return 0
    print("── no browser: the tests that need one are skipped. Set CHROMIUM=/path/to/chromium to run them.")
    return 1 if os.environ.get("CI") else 0


if __name__ == "__main__":
    sys.exit(main())
