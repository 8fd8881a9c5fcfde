"""Downloads over lines that break, from servers that lie, onto disks that are full."""

from __future__ import annotations

import errno
import os
import re
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import pytest

from qingbo_widgets.exceptions import DownloadFailed, LinkExpired
from qingbo_widgets.service import partial as parts
from qingbo_widgets.service.download import Download
from qingbo_widgets.service.transport import Transport
from tests.faults.film import film
from tests.faults.server import (
    Exchange,
    FaultServer,
    Step,
    answer,
    close,
    file,
    html,
    partial,
    redirect,
    silence,
    unannounced,
)
from tests.windows_rules import needs_the_rules

VIDEO = film(os.urandom(300_000))
OTHER = film(os.urandom(300_000))


class Line:
    """A download to a folder of its own, and what happened on the way."""

    def __init__(self, transport: Transport, server: FaultServer, folder: Path) -> None:
        self.transport, self.server = transport, server
        self.path = folder / "clip.mp4"
        self.link = "/clip.mp4?sig=hidden"
        self.progress: list[tuple[int, int | None]] = []
        self.pauses: list[float] = []

    def fetch(self, *script: Step, max_bytes: int = 10**9) -> Path:
        """Downloads from a server with this script."""
        self.server.then(*script)
        return Download(
            self.transport,
            self.server.url + self.link,
            self.path,
            self.hear,
            max_bytes=max_bytes,
            sleep=self.pauses.append,
        ).run()

    def hear(self, received: int, total: int | None) -> None:
        """Is told of the progress."""
        self.progress.append((received, total))

    def break_off(self, content: bytes = VIDEO, **marks: str) -> None:
        """A kernel dies in the middle of a download: the folder is then as it was at that moment."""
        folder, copy = self.path.parent, self.path.parent.parent / "at that moment"

        def die(received: int, total: int | None) -> None:
            if not copy.exists():
                shutil.copytree(folder, copy)

        self.hear = die
        self.fetch(file(content, cut_at=100_000, **marks), file(content, **marks))
        del self.hear
        shutil.rmtree(folder)
        copy.rename(folder)
        self.server.requests.clear()
        assert not self.path.exists()
        assert 0 < self.part.stat().st_size <= 100_000

    @property
    def part(self) -> Path:
        """Where it is meanwhile."""
        return self.path.with_name("clip.mp4.part")

    def refuses(
        self, *script: Step, kind: type[DownloadFailed] = DownloadFailed, **options: int
    ) -> DownloadFailed:
        """Downloads in vain: the error, with nothing left behind."""
        with pytest.raises(DownloadFailed) as caught:
            self.fetch(*script, **options)
        assert type(caught.value) is kind
        assert caught.value.url == self.server.url + "/clip.mp4?sig=hidden"
        assert "hidden" not in str(caught.value)
        assert list(self.path.parent.iterdir()) == []
        return caught.value


@pytest.fixture
def line(transport: Transport, server: FaultServer, tmp_path: Path) -> Line:
    """A line to the scripted server."""
    folder = tmp_path / "videos"
    folder.mkdir()
    return Line(transport, server, folder)


def ranges(server: FaultServer) -> list[str | None]:
    """The ``Range`` of each request that came."""
    return [request.headers.get("range") for request in server.requests]


def test_a_whole_video(line: Line) -> None:
    """It is there, alone, and the progress ended at its length."""
    assert line.fetch(file(VIDEO)) == line.path
    assert line.path.read_bytes() == VIDEO
    assert list(line.path.parent.iterdir()) == [line.path]
    assert line.progress[-1] == (len(VIDEO), len(VIDEO))
    assert all(before[0] < after[0] for before, after in pairwise(line.progress))
    assert "authorization" not in line.server.requests[0].headers


def test_an_earlier_file_is_replaced(line: Line) -> None:
    """Whole, and only once the new one is."""
    line.path.write_bytes(b"earlier")
    (line.path.parent / "clip.mp4.part").write_bytes(b"left by a crash" * 99999)
    line.fetch(file(VIDEO))
    assert line.path.read_bytes() == VIDEO


@pytest.mark.parametrize("proof", [{"ETag": '"1"'}, {"Last_Modified": "Wed, 01 Apr 2026 00:00:00 GMT"}])
def test_it_goes_on_where_it_stopped(line: Line, proof: dict[str, str]) -> None:
    """After a break only what is missing is asked for, if it is provably the same file."""
    line.fetch(
        file(VIDEO, cut_at=100_000, **proof), file(VIDEO, cut_at=200_000, **proof), file(VIDEO, **proof)
    )
    assert line.path.read_bytes() == VIDEO
    assert ranges(line.server) == [None, "bytes=100000-", "bytes=200000-"]
    assert line.pauses == [0.5, 0.5]


def test_a_line_that_breaks_again_and_again(line: Line) -> None:
    """The video comes piece by piece: only tries that bring nothing count, and only those in a row."""
    sixth, nothing = len(VIDEO) // 6 + 1, [close, answer(b"", 503), close]
    script = [
        step
        for number in range(1, 6)
        for step in (file(VIDEO, cut_at=number * sixth, ETag='"1"'), *(nothing if number > 1 else ()))
    ]
    line.fetch(*script, file(VIDEO, ETag='"1"'))
    assert line.path.read_bytes() == VIDEO
    assert list(line.path.parent.iterdir()) == [line.path]
    assert line.pauses == [0.5, *[0.5, 0.5, 1.0, 2.0] * 4]


def test_the_next_kernel_goes_on(line: Line) -> None:
    """After kill -9 what was here is kept, and the progress begins with it."""
    line.break_off(ETag='"1"')
    kept = line.part.stat().st_size
    line.link = "/clip.mp4?sig=renewed"
    line.fetch(file(VIDEO, ETag='"1"'))
    assert line.path.read_bytes() == VIDEO
    assert ranges(line.server) == [f"bytes={kept}-"]
    assert line.progress[0][0] > kept
    assert list(line.path.parent.iterdir()) == [line.path]


def test_the_next_kernel_goes_on_when_only_the_name_is_missing(line: Line) -> None:
    """All bytes had come; one of them is asked for again, as a proof of the others."""
    line.break_off(ETag='"1"')
    line.part.write_bytes(VIDEO)
    line.fetch(file(VIDEO, ETag='"1"'))
    assert line.path.read_bytes() == VIDEO
    assert ranges(line.server) == [f"bytes={len(VIDEO) - 1}-"]


def cut_note(line: Line) -> None:
    """The kernel died while it wrote."""
    note = line.path.with_name("clip.mp4.etag")
    note.write_bytes(note.read_bytes()[:20])


def power_cut(line: Line) -> None:
    """The file was written before this machine was started."""
    os.utime(line.part, (0, 0))


@pytest.mark.parametrize(
    "spoil",
    [
        cut_note,
        power_cut,
        lambda line: line.path.with_name("clip.mp4.etag").unlink(),
        lambda line: line.path.with_name("clip.mp4.etag").write_text("[]", encoding="utf-8"),
        lambda line: line.part.write_bytes(VIDEO + b"more"),
        lambda line: setattr(line, "link", "/other.mp4"),
    ],
    ids=["half a note", "power cut", "no note", "another note", "too long", "another link"],
)
def test_what_was_left_is_not_trusted_without_proof(line: Line, spoil: Callable[[Line], object]) -> None:
    """Then it begins from the start."""
    line.break_off(ETag='"1"')
    spoil(line)
    line.fetch(file(OTHER, ETag='"1"'))
    assert line.path.read_bytes() == OTHER
    assert ranges(line.server) == [None]
    assert list(line.path.parent.iterdir()) == [line.path]


def test_the_next_kernel_finds_another_file(line: Line) -> None:
    """The server has made it anew meanwhile."""
    line.break_off(ETag='"1"')
    line.fetch(file(OTHER, ETag='"2"'))
    assert line.path.read_bytes() == OTHER


def test_a_server_that_fails_to_go_on_is_asked_for_all(line: Line) -> None:
    """A part that is never taken up does not stand in the way for ever."""
    line.break_off(ETag='"1"')
    with pytest.raises(DownloadFailed) as caught:
        line.fetch(*[answer(b"", 500)] * 4)
    assert caught.value.transient
    assert list(line.path.parent.iterdir()) == []
    line.fetch(file(VIDEO, ETag='"1"'))
    assert line.path.read_bytes() == VIDEO


def test_a_line_that_is_down_takes_nothing_away(line: Line) -> None:
    """Nor does a server that wants to be left alone."""
    line.break_off(ETag='"1"')
    for script in ([close] * 4, [answer(b"", 503, Retry_After="600")]):
        with pytest.raises(DownloadFailed):
            line.fetch(*script)
    line.server.requests.clear()
    line.fetch(file(VIDEO, ETag='"1"'))
    assert line.path.read_bytes() == VIDEO
    assert ranges(line.server) != [None]


@pytest.mark.parametrize(
    "second",
    [
        file(OTHER, ETag='"2"'),
        file(OTHER, ETag='"2"', ranges=False),
        file(OTHER, ETag='W/"1"'),
        file(OTHER),
    ],
    ids=["changed", "no ranges", "weak", "unmarked"],
)
def test_it_starts_over_when_the_file_is_another(line: Line, second: Step) -> None:
    """Two halves of two files never make one."""
    line.fetch(file(VIDEO, cut_at=100_000, ETag='"1"'), second)
    assert line.path.read_bytes() == OTHER


@pytest.mark.parametrize("mark", [{}, {"ETag": 'W/"1"'}], ids=["unmarked", "weak"])
def test_without_proof_nothing_is_resumed(line: Line, mark: dict[str, str]) -> None:
    """A server that does not mark its files is asked for all of it."""
    line.fetch(file(VIDEO, cut_at=100_000, **mark), file(OTHER))
    assert ranges(line.server) == [None, None]
    assert line.path.read_bytes() == OTHER


@pytest.mark.parametrize(
    "lie",
    [
        answer(OTHER[5:], 206, Content_Range=f"bytes 5-{len(OTHER) - 1}/{len(OTHER)}"),
        answer(OTHER, 206),
        answer(b"", 416, Content_Range=f"bytes */{len(VIDEO)}"),
    ],
    ids=["another part", "no range said", "416"],
)
def test_a_wrong_part_is_thrown_away(line: Line, lie: Step) -> None:
    """Then it begins again from the start."""
    line.fetch(file(VIDEO, cut_at=100_000, ETag='"1"'), lie, file(OTHER, ETag='"1"'))
    assert line.path.read_bytes() == OTHER
    assert ranges(line.server) == [None, "bytes=100000-", None]


@pytest.mark.parametrize("fault", [close, answer(b"", 503), answer(b"", 500), partial(VIDEO, 0), answer(b"")])
def test_a_passing_fault_is_waited_through(line: Line, fault: Step) -> None:
    """Downloads cost nothing, so they are tried again by themselves."""
    line.fetch(fault, file(VIDEO))
    assert line.path.read_bytes() == VIDEO


def test_it_waits_as_long_as_it_is_told(line: Line) -> None:
    """Retry-After is obeyed."""
    line.fetch(answer(b"", 429, Retry_After="3"), answer(b"", 503, Retry_After="0"), file(VIDEO))
    assert line.pauses == [3.0, 1.0]


def test_a_long_pause_is_for_whoever_asked(line: Line) -> None:
    """A server that wants ten minutes gets them: nobody knocks before, and the error says how long."""
    error = line.refuses(answer(b"", 503, Retry_After="600"))
    assert error.retry_after == 600
    assert error.transient
    assert "600 s" in str(error)
    assert line.pauses == []


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["waiting for an answer", "in the middle", "between two tries"])
def test_closing_ends_it_at_once(
    transport: Transport, server: FaultServer, tmp_path: Path, moment: str
) -> None:
    """A kernel that ends, or connects anew, leaves no download running behind its back."""

    def half(exchange: Exchange) -> bool:
        exchange.send(200, {"Content-Length": str(len(VIDEO))}, VIDEO[:100_000])
        return silence(exchange)

    faults = {"waiting for an answer": silence, "in the middle": half, "between two tries": answer(b"", 500)}
    server.then(faults[moment], *[answer(b"", 503, Retry_After="9")] * 3)
    download = Download(transport, server.url, tmp_path / "clip.mp4", max_bytes=10**9)
    with ThreadPoolExecutor() as pool:
        running = pool.submit(download.run)
        while len(server.requests) < (2 if moment == "between two tries" else 1):
            assert not running.done()
        transport.close()
        with pytest.raises(DownloadFailed, match="closed"):
            running.result(5)
    assert list(tmp_path.iterdir()) == []


def test_it_gives_up(line: Line) -> None:
    """Four tries; whoever asks knows that another time may do better."""
    error = line.refuses(*[file(VIDEO, cut_at=100_000)] * 9)
    assert len(line.server.requests) == 4
    assert error.transient
    assert "costs nothing" in str(error)


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_link_that_has_ended(line: Line, status: int) -> None:
    """Said as such, and not tried again."""
    error = line.refuses(answer(b"gone", status), kind=LinkExpired)
    assert "24 hours" in str(error)
    assert error.transient == (status != 410)  # which alone says that it is so for good
    assert len(line.server.requests) == 1


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (html("<!doctype html><h1>Log in</h1>", 200), "a web page instead of a video"),
        (answer({"error": "no"}), "something else instead of a video"),
        (answer(b"GIF89a"), "something else"),
        (answer(VIDEO, Content_Encoding="gzip"), "compressed"),
        (answer(VIDEO, 206, Content_Range=f"bytes 0-{len(VIDEO) - 1}/{len(VIDEO)}"), "answered 206"),
        (answer(b"", 204), "answered 204"),
        (answer(b"", 401), "answered 401"),
        (redirect("file:///etc/passwd"), "does not lead to an http"),
    ],
)
def test_what_is_no_video(line: Line, step: Step, words: str) -> None:
    """It is not saved under a video's name, and not asked for again."""
    error = line.refuses(step)
    assert words in str(error)
    assert not error.transient
    assert len(line.server.requests) == 1


def test_webm_is_a_video_too(line: Line) -> None:
    """As is one that comes in the smallest pieces, of unknown length."""

    def pieces(exchange: object) -> bool:
        exchange.send(200, {"Transfer-Encoding": "chunked"}, b"")
        for byte in b"\x1aE\xdf\xa3" + b"webm" * 5:
            exchange.socket.sendall(b"1\r\n" + bytes((byte,)) + b"\r\n")
        exchange.socket.sendall(b"0\r\n\r\n")
        return True

    assert line.fetch(pieces).stat().st_size == 24
    assert line.progress[-1] == (24, None)


def test_a_chunked_video_that_breaks_off(line: Line) -> None:
    """Without a length, the missing last chunk tells."""

    def broken(exchange: object) -> bool:
        exchange.send(200, {"Transfer-Encoding": "chunked"}, b"10\r\n" + VIDEO[:16] + b"\r\n")
        return False

    line.fetch(broken, file(VIDEO))
    assert line.path.read_bytes() == VIDEO


@pytest.mark.parametrize("end", [20, 25, 31, 32, 39, 40, 200_000, len(VIDEO) - 1])
@pytest.mark.parametrize("server_of", [unannounced, answer], ids=["no length", "a wrong length"])
def test_a_video_that_ends_in_the_middle(line: Line, server_of: Callable[[bytes], Step], end: int) -> None:
    """Half of it is not saved as if it were whole, wherever it was cut."""
    line.fetch(server_of(VIDEO[:end]), unannounced(VIDEO))
    assert line.path.read_bytes() == VIDEO
    assert ranges(line.server) == [None, None]
    assert list(line.path.parent.iterdir()) == [line.path]


def test_a_video_that_always_ends_in_the_middle(line: Line) -> None:
    """It is said, and whoever asks may try again later: perhaps it is still being written."""
    error = line.refuses(*[unannounced(VIDEO[:200_000])] * 4)
    assert "ends in the middle, after 200000 bytes" in str(error)
    assert error.transient


def test_too_large_is_refused_before_it_comes(line: Line) -> None:
    """By the announced length, or, where there is none or it lies, by what arrives."""
    assert "0.3 MB or more, and 0.1 MB" in str(line.refuses(answer(VIDEO), max_bytes=100_000))
    assert line.progress == []
    assert "are accepted" in str(line.refuses(unannounced(VIDEO), max_bytes=100_000))


@pytest.mark.parametrize("length", ["-5", "1e3", "9" * 5000])
def test_a_length_that_is_none(line: Line, length: str) -> None:
    """A header full of nonsense is as none: the end of the connection is the end of the video."""
    line.fetch(lambda exchange: exchange.send(200, {"Content-Length": length}, VIDEO))
    assert line.path.read_bytes() == VIDEO
    assert line.progress[-1] == (len(VIDEO), None)


def test_nobody_listens(line: Line) -> None:
    """The reason stands in the error."""
    line.server.__exit__()
    assert "cannot be reached" in str(line.refuses())


def test_no_such_folder(line: Line) -> None:
    """The system's words, before anything is asked for."""
    line.path = line.path.parent / "missing" / "clip.mp4"
    with pytest.raises(DownloadFailed, match=rf"missing.*{re.escape(os.strerror(errno.ENOENT))}"):
        line.fetch(file(VIDEO))
    assert line.server.requests == []


@pytest.mark.parametrize("seconds", [0.1, 0.6])
def test_a_video_whose_name_is_held_for_a_moment(line: Line, seconds: float) -> None:
    """Windows: a player or a virus scanner has the earlier file open. Nothing is downloaded twice."""
    line.path.write_bytes(b"earlier")
    player = line.path.open("rb")
    threading.Timer(seconds, player.close).start()
    assert line.fetch(file(VIDEO)) == line.path
    assert line.path.read_bytes() == VIDEO
    assert list(line.path.parent.iterdir()) == [line.path]
    assert len(line.server.requests) == 1


@needs_the_rules
def test_a_whole_video_outlives_the_want_of_its_name(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is paid for. It stays, the error says where, and the next try needs no link, which may have died."""
    monkeypatch.setattr(parts, "PATIENCE", 0.1)
    line.path.write_bytes(b"earlier")
    for script in ([file(VIDEO)], []):  # the second time too
        with line.path.open("rb"), pytest.raises(DownloadFailed) as caught:
            line.fetch(*script)
        assert caught.value.transient
        assert str(line.part) in str(caught.value)
        assert "another program has it open" in str(caught.value)
        assert line.part.read_bytes() == VIDEO
        assert line.path.read_bytes() == b"earlier"
    line.server.requests.clear()
    assert line.fetch() == line.path
    assert line.server.requests == []
    assert line.path.read_bytes() == VIDEO
    assert list(line.path.parent.iterdir()) == [line.path]


@needs_the_rules
@pytest.mark.parametrize("change", [lambda part: part.write_bytes(b"ftyp"), lambda part: part.unlink()])
def test_only_what_is_whole_still_gets_its_name(
    line: Line, change: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part that was changed or removed in the meantime is downloaded again."""
    monkeypatch.setattr(parts, "PATIENCE", 0.1)
    line.path.write_bytes(b"earlier")
    with line.path.open("rb"), pytest.raises(DownloadFailed):
        line.fetch(file(VIDEO))
    change(line.part)
    line.fetch(file(VIDEO))
    assert line.path.read_bytes() == VIDEO
    assert list(line.path.parent.iterdir()) == [line.path]


@needs_the_rules
def test_a_part_that_another_program_has_open(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """The search index reads the .part itself: the same."""
    monkeypatch.setattr(parts, "PATIENCE", 0.1)
    readers: list[BinaryIO] = []
    line.hear = lambda *_: readers or readers.append(line.part.open("rb"))
    with pytest.raises(DownloadFailed, match="is whole"):
        line.fetch(file(VIDEO))
    readers[0].close()
    assert line.fetch() == line.path
    assert line.path.read_bytes() == VIDEO


@pytest.fixture
def whole(tmp_path: Path) -> parts.Partial:
    """A part with all its bytes, beside an earlier file of the name that it is to have."""
    (tmp_path / "clip.mp4").write_bytes(b"earlier")
    part = parts.Partial(tmp_path / "clip.mp4", "https://example.com/clip.mp4")
    part.open()
    part.begin(len(VIDEO), None)
    part.write(VIDEO)
    return part


@pytest.mark.usefixtures("rules_of_posix")
@pytest.mark.skipif(os.name == "nt", reason="Windows renames no open file")
def test_another_kernel_gives_the_video_its_name(whole: parts.Partial, tmp_path: Path) -> None:
    """It was the same file, so it is saved."""
    whole.path.replace(tmp_path / "clip.mp4")
    whole.finish()
    whole.close()
    assert (tmp_path / "clip.mp4").read_bytes() == VIDEO


@pytest.mark.usefixtures("rules_of_posix")
@pytest.mark.skipif(os.name == "nt", reason="Windows removes no open file")
def test_an_earlier_file_of_that_name_is_not_taken_for_it(whole: parts.Partial) -> None:
    """The part was removed under us: the video is not saved, whatever lies there."""
    whole.path.unlink()
    with pytest.raises(FileNotFoundError):
        whole.finish()
    whole.close()


def test_the_disk_is_full(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said plainly. The .part is the device that is always full."""
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full on this system")
    monkeypatch.setattr(parts, "_creating", lambda _, flags: os.open("/dev/full", flags))
    error = line.refuses(file(VIDEO))
    assert "the disk is full" in str(error)


@pytest.mark.parametrize(
    "interruption", [KeyboardInterrupt, OSError(errno.EPIPE, "print failed"), ValueError]
)
def test_a_callback_that_raises(
    transport: Transport, server: FaultServer, tmp_path: Path, interruption: BaseException
) -> None:
    """Ends the download with its own error, and nothing is left behind."""

    def stop(received: int, total: int | None) -> None:
        raise interruption

    server.then(file(VIDEO))
    expected: type[BaseException] = interruption if isinstance(interruption, type) else type(interruption)
    run: Callable[[], Path] = Download(
        transport, server.url, tmp_path / "clip.mp4", stop, max_bytes=10**9
    ).run
    with pytest.raises(expected):
        run()
    assert list(tmp_path.iterdir()) == []
