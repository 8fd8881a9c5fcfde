"""Videos that an order names by URL: their measures, and the refusal of everything else."""

from __future__ import annotations

import inspect
import io
import socket

import av
import numpy as np
import pytest
from PIL import Image

from qingbo_widgets.sandbox.drawing import source
from qingbo_widgets.sandbox.drawing.source import Clip, Source, UnreachableVideo, UnusableVideo, fetch, probe
from qingbo_widgets.service.client import Client
from tests.faults.server import FaultServer, answer, drip, file, redirect
from tests.sandbox.drawing.clips import clip, plain

BLUE = plain((20, 40, 200))


def probed(content: bytes) -> Source:
    """Return the measures of a video that a server sends."""
    with FaultServer(file(content)) as server:
        return probe(f"{server.url}/clip")


@pytest.mark.parametrize(("kind", "codec_rate"), [("mp4", 44_100), ("mov", 44_100), ("webm", 48_000)])
def test_the_measures_of_each_format(kind: str, codec_rate: int) -> None:
    """Length, size and sound are read from mp4, mov and webm."""
    found = probed(clip(BLUE, 1.5, tone=440, kind=kind, sample_rate=codec_rate))
    assert found.seconds == pytest.approx(1.5, abs=0.1)
    assert (found.width, found.height, found.has_sound) == (160, 90, True)
    assert not probed(clip(BLUE, kind=kind)).has_sound


def test_a_redirect_is_followed() -> None:
    """A link that leads to the video elsewhere works."""
    with FaultServer(file(clip(BLUE))) as there, FaultServer(redirect(f"{there.url}/clip.mp4")) as here:
        assert probe(here.url).width == 160


def test_a_redirect_away_from_the_web_is_not_followed() -> None:
    """A link cannot lead the sandbox to another protocol."""
    with (
        FaultServer(redirect("ftp://127.0.0.1/clip.mp4")) as server,
        pytest.raises(UnusableVideo, match="not on the web"),
    ):
        probe(server.url)


def png() -> bytes:
    """Return a small PNG."""
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG")
    return out.getvalue()


def playlist() -> bytes:
    """Return a playlist, with which FFmpeg would open other addresses."""
    return b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n"


@pytest.mark.parametrize("content", [b"", b"<html></html>", png(), playlist(), clip(BLUE)[:900]])
def test_content_that_is_no_video(content: bytes) -> None:
    """A page, a picture, a playlist and half a video are refused, naming the URL."""
    with (
        FaultServer(file(content)) as server,
        pytest.raises(UnusableVideo, match="is not a readable") as caught,
    ):
        probe(f"{server.url}/clip.mp4")
    assert f"{server.url}/clip.mp4" in str(caught.value)
    assert not isinstance(caught.value, UnreachableVideo)


def test_sound_alone_is_no_video() -> None:
    """A file that has only sound is refused."""
    silent = io.BytesIO()
    with av.open(silent, "w", format="mp4") as film:
        film.add_stream("aac", rate=44_100, layout="mono")
        film.start_encoding()
    with (
        FaultServer(file(silent.getvalue())) as server,
        pytest.raises(UnusableVideo, match="is not a readable"),
    ):
        probe(server.url)


def test_an_error_of_the_server() -> None:
    """The status with which a server refuses the video is named."""
    with FaultServer(answer(status=403)) as server, pytest.raises(UnusableVideo, match="answered 403"):
        probe(server.url)


def test_a_video_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """The download ends at the limit."""
    monkeypatch.setattr(source, "MAX_BYTES", 1000)
    with FaultServer(file(clip(BLUE))) as server, pytest.raises(UnusableVideo, match="is over"):
        probe(server.url)


def test_a_video_of_too_many_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """A video whose frames need too much memory is refused before any is decoded."""
    monkeypatch.setattr(source, "MAX_PIXELS", 160 * 90 - 1)
    with FaultServer(file(clip(BLUE))) as server, pytest.raises(UnusableVideo, match="million pixels"):
        probe(server.url)


def test_a_video_that_arrives_too_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that sends a byte now and then does not block the sandbox forever."""
    monkeypatch.setattr(source, "PATIENCE", 0.2)
    slow = drip(clip(BLUE) * 1000, 0.05)
    with FaultServer(slow) as server, pytest.raises(UnusableVideo, match="too long"), fetch(server.url):
        pass


def test_a_submit_does_not_outlast_its_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow video is given up before the client gives up the submit, which would then be in doubt."""
    _, pause = inspect.signature(Client).parameters["timeout"].default
    assert pause - 5 >= source.PROBE_PATIENCE
    monkeypatch.setattr(source, "PROBE_PATIENCE", 0.2)
    slow = drip(clip(BLUE) * 1000, 0.05)
    with FaultServer(slow) as server, pytest.raises(UnusableVideo, match="too long"):
        probe(server.url)


def test_a_server_that_cannot_be_reached(no_proxy: None) -> None:
    """A refused connection and an unknown name differ from a video that is unusable."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}/clip.mp4", "http://nothing.invalid/clip.mp4"):
        with pytest.raises(UnreachableVideo, match="cannot be fetched"):
            probe(url)


def test_the_sound_of_a_video() -> None:
    """The sound becomes 48 kHz stereo; it is cut, or continued by silence, to the wanted length."""
    video = Clip(io.BytesIO(clip(BLUE, 1.0, tone=500, sample_rate=22_050)), "clip")
    short, long = video.sound(24_000), video.sound(96_000)
    assert short is not None
    assert long is not None
    assert (short.shape, long.shape) == ((2, 24_000), (2, 96_000))
    assert (long[:, :24_000] == short).all()
    assert (long[0] == long[1]).all()
    assert np.abs(np.fft.rfft(long[0, 4000:20_000])).argmax() * 3 == pytest.approx(500, abs=6)
    assert np.abs(long[:, 60_000:]).max() == 0
    assert Clip(io.BytesIO(clip(BLUE)), "clip").sound(100) is None
