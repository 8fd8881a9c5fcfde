"""Tests of file names on file systems that take short ones only."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from qingbo_widgets.library import file_names
from qingbo_widgets.library.file_names import fitting_path, given_name, readable_name

END = "-0123abcd.mp4"


@pytest.mark.parametrize("title", ["koi", readable_name("锦" * 99), "k" * 32])
def test_a_name_that_fits_is_not_shortened(title: str, tmp_path: Path) -> None:
    """A usual folder takes every readable name in full, also before it exists."""
    assert fitting_path(tmp_path, title, END) == tmp_path / f"{title}{END}"
    assert fitting_path(tmp_path / "later", title, END) == tmp_path / "later" / f"{title}{END}"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/home/u/qingbo_videos/inputs/锦鲤-pond-0123456789abcdef-fedcba9876543210.jpg", "锦鲤-pond.jpg"),
        ("C:\\videos\\chosen\\koi-0123456789abcdef.png", "koi.png"),
        ("chosen/koi-0123456789abcdef", "koi"),
        ("/home/u/koi-0123456789abcdef.png", "koi-0123456789abcdef.png"),
        ("https://example.com/a/koi.png", "koi.png"),
        ("koi pond.png", "koi pond.png"),
    ],
)
def test_a_saved_picture_has_the_name_that_the_user_knows(path: str, name: str) -> None:
    """The hash that the library has added is left out; a file elsewhere keeps its name."""
    assert given_name(path) == name


@pytest.mark.parametrize("most", [143, 64, 40])
def test_a_name_is_shortened_by_its_bytes(most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder that takes fewer bytes, the title becomes shorter, and the key and the suffix stay."""
    real = os.lstat

    def lstat(path: Any, **options: Any) -> os.stat_result:
        if len(Path(path).name.encode()) > most:
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
        return real(path, **options)

    monkeypatch.setattr(Path, "lstat", lstat)
    path = fitting_path(tmp_path, readable_name("锦" * 99), END)
    assert path.name.startswith("锦")
    assert path.name.endswith(END)
    assert len(path.name.encode()) + len(".01234567.part") <= most


def test_a_name_that_no_folder_takes(tmp_path: Path) -> None:
    """In a folder whose own path is too long, one letter of the title is left, and saving says why."""
    folder = tmp_path.joinpath(*["k" * 250] * 17)
    assert fitting_path(folder, "koi", END).name == f"k{END}"


def test_a_path_that_windows_does_not_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows limits the whole path, so a long folder leaves less for the name."""

    class Windows:
        name = "nt"

    monkeypatch.setattr(file_names, "os", Windows)
    folder = tmp_path / ("k" * (210 - len(str(tmp_path))))
    path = fitting_path(folder, "t" * 32, END)
    assert len(str(path)) + len(".01234567.part") <= 259
    assert path.name.startswith("ttt")


def test_a_folder_that_is_no_path() -> None:
    """A null character in a path is an error only when the file is written."""
    assert fitting_path(Path("a\0b"), "koi", END).name == f"koi{END}"
