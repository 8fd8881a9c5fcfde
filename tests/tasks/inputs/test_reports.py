"""Reports on local files for a form: made in the background, once for each state of a file."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import pytest
from PIL import Image

from qingbo_widgets.library.inputs import InputFiles
from qingbo_widgets.media.previews import picture_preview
from qingbo_widgets.media.unusable import UnusableMedia
from qingbo_widgets.service.contract.media import Medium
from qingbo_widgets.service.contract.models import models_of
from qingbo_widgets.tasks.inputs import reports as reports_module
from qingbo_widgets.tasks.inputs.reports import InputReport, InputReports
from qingbo_widgets.tasks.inputs.saving import InputSaver
from tests.films import RATE, written

IMAGE = models_of("2026-11").parameters["image_urls"]
MOTION = models_of("2026-11").of("kling-v3-motion-control").parameters["video_urls"]
OMNI = models_of("2026-11").of("kling-v3-omni").parameters["video_urls"]


@pytest.fixture
def reports(tmp_path: Path) -> InputReports:
    """Return the reports of a library."""
    return InputReports(InputSaver(InputFiles(tmp_path / "videos")))


def report_on(reports: InputReports, medium: Medium) -> InputReport:
    """Return the report on a file, once it is there."""
    is_there = threading.Event()
    reports.check(medium, is_there.set)
    assert is_there.wait(30), "the form would say for ever that it checks the file"
    report = reports.get(medium)
    assert report is not None
    return report


def test_a_report_has_the_picture_as_it_will_be_sent(reports: InputReports, tmp_path: Path) -> None:
    """A picture that is too small is reported in the size in which it is sent."""
    Image.new("RGB", (200, 150)).save(tmp_path / "koi.png")
    report = report_on(reports, Medium(IMAGE, str(tmp_path / "koi.png")))
    assert report.size is not None
    assert (report.size.width, report.size.height) == (400, 300)
    with Image.open(io.BytesIO(report.content)) as shown:
        assert shown.size == (400, 300)


def test_a_file_that_changes_is_another_one(reports: InputReports, tmp_path: Path) -> None:
    """No report on a file outlives a change of it."""
    path = tmp_path / "koi.png"
    Image.new("RGB", (640, 360)).save(path)
    medium = Medium(IMAGE, str(path))
    report_on(reports, medium)
    Image.new("RGB", (720, 720)).save(path)
    os.utime(path, (1, 1))
    assert reports.get(medium) is None
    report = report_on(reports, medium)
    assert report.size is not None
    assert report.size.width == 720


@pytest.mark.parametrize("content", [b"", b"A koi", b"\x89PNG\r\n\x1a\n broken"])
def test_a_file_that_is_no_picture_has_a_problem(
    reports: InputReports, tmp_path: Path, content: bytes
) -> None:
    """The reason is the report; it is made once, and no thread dies of it."""
    (tmp_path / "koi.png").write_bytes(content)
    report = report_on(reports, Medium(IMAGE, str(tmp_path / "koi.png")))
    assert report.problem
    assert report.size is None


def test_the_length_of_a_video_is_reported_and_checked(reports: InputReports, tmp_path: Path) -> None:
    """The same video can be too long for one model, and right for another."""
    pytest.importorskip("av")
    path = written(tmp_path / "koi.mp4", 12 * RATE)
    fits, too_long = Medium(MOTION, str(path)), Medium(OMNI, str(path))
    report = report_on(reports, fits)
    assert report.problem == ""
    assert report.seconds == pytest.approx(12, abs=0.2)
    assert report.content, "the form has nothing to show of it"
    assert reports.get(too_long) is None
    assert "10" in report_on(reports, too_long).problem


def test_a_video_that_cannot_be_shown_can_be_sent(
    reports: InputReports, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the extra that decodes it, the report has a warning, which keeps nothing from being sent."""

    def missing(_: Path) -> None:
        raise ImportError("pip install qingbo_widgets[frames]")

    pytest.importorskip("av")
    path = written(tmp_path / "koi.mp4", 5 * RATE)
    monkeypatch.setattr(reports_module, "video_preview", missing)
    report = report_on(reports, Medium(MOTION, str(path)))
    assert report.problem == ""
    assert "pip install" in report.warning


def test_a_huge_picture_of_a_library_from_elsewhere_is_not_decoded(tmp_path: Path) -> None:
    """A file that was not made here may have any size: neither kernel nor page decodes it."""
    bomb = Image.new("1", (20_000, 20_000))
    bomb.save(tmp_path / "koi-0123456789abcdef.png")
    with pytest.raises(UnusableMedia, match="20000 × 20000"):
        picture_preview(tmp_path / "koi-0123456789abcdef.png")
