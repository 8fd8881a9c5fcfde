"""Sees to it that a browser is there for the tests that need one.

Order: the environment variable ``CHROMIUM``; a Chromium or Chrome on ``PATH``; the one that Playwright
installed earlier; Playwright's own, installed now; Debian's package, where we may install it.

Without a browser the tests that need one are skipped, with the reason; where ``CI`` is set, it is a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def find_browser() -> str | None:
    """Returns the path of a browser that is on this machine already, ``None`` where there is none."""
    configured = os.environ.get("CHROMIUM")
    if configured:
        return shutil.which(configured)
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


def _attempt(*command: str, timeout: float) -> bool:
    """Runs a command; says what it was, and the end of what it said where it failed."""
    print("──", " ".join(command), flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        print(error, file=sys.stderr)
        return False
    if done.returncode:
        print(*(done.stdout + done.stderr).splitlines()[-3:], sep="\n", file=sys.stderr)
    return done.returncode == 0


def install_browser() -> str | None:
    """Installs a browser, by Playwright or else by Debian's packages; returns its path if that worked."""
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
    """Finds or installs a browser; the exit status is 1 where CI demands one and there is none."""
    browser = find_browser() or install_browser()
    if browser:
        print("── browser:", browser)
        return 0
    print("── no browser: the tests that need one are skipped. Set CHROMIUM=/path/to/chromium to run them.")
    return 1 if os.environ.get("CI") else 0


if __name__ == "__main__":
    sys.exit(main())
