"""The paths searched for a browser on other systems."""

from __future__ import annotations

from pathlib import PurePosixPath

from ensure_browser import usual_places


def test_places_of_windows() -> None:
    """Windows has Chrome and Edge, for all users, then for one; an unset variable gives no path."""
    found = usual_places("win32", {"PROGRAMFILES": "C:/Program Files", "LOCALAPPDATA": "C:/Users/me/Local"})
    names = [PurePosixPath(place.as_posix()) for place in found]
    assert names == [
        PurePosixPath(folder, name)
        for name in ("Chromium/Application/chrome.exe", "Google/Chrome/Application/chrome.exe",
                     "Microsoft/Edge/Application/msedge.exe")
        for folder in ("C:/Program Files", "C:/Users/me/Local")
    ]  # fmt: skip


def test_places_of_macos() -> None:
    """The paths of macOS include the applications of all users and of the current one."""
    found = [place.as_posix() for place in usual_places("darwin", {"HOME": "/Users/me"})]
    assert "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" in found
    assert "/Users/me/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge" in found


def test_elsewhere_path_is_enough() -> None:
    """Elsewhere no paths are searched: Linux packages put the browser on PATH."""
    assert list(usual_places("linux", {"HOME": "/home/me"})) == []
