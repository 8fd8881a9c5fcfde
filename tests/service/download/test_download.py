"""Tests of downloads over broken connections, from lying servers, to full disks."""

from __future__ import annotations

import errno
import gzip
import json
import os
import re
import shutil
import threading
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import FileIO
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from qingbo_widgets.exceptions import DownloadFailed, LinkExpired
from qingbo_widgets.service.download import leftovers
from qingbo_widgets.service.download import partial as parts
from qingbo_widgets.service.download.download import Download
from qingbo_widgets.service.http.transport import Transport
from tests.faults.film import CONTAINERS, ebml, film
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
OLD, OLDER = "Wed, 01 Apr 2026 00:00:00 GMT", "Wed, 01 Apr 2026 00:00:01 GMT"


class Line:
    """A download to its own folder, with the progress and the pauses that it recorded."""

    def __init__(self, transport: Transport, server: FaultServer, folder: Path) -> None:
        self.transport, self.server = transport, server
        self.path = folder / "clip.mp4"
        self.link = "/clip.mp4?sig=hidden"
        self.on_progress: Callable[[int, int | None], object] = self.note_progress
        self.progress: list[tuple[int, int | None]] = []
        self.pauses: list[float] = []

    def fetch(self, *script: Step, max_bytes: int = 10**9, film: str | None = None) -> Path:
        """Download from a server with this script."""
        self.server.then(*script)
        return Download(
            self.transport,
            self.server.url + self.link,
            self.path,
            self.on_progress,
            max_bytes=max_bytes,
            film=film,
            sleep=self.pauses.append,
        ).run()

    def note_progress(self, received: int, total: int | None) -> None:
        """Record the progress."""
        self.progress.append((received, total))

    def break_off(self, content: bytes = VIDEO, **marks: Any) -> None:
        """Leave the folder as a kernel does that dies in the middle of a download."""
        folder, copy = self.path.parent, self.path.parent.parent / "at that moment"

        def die(received: int, total: int | None) -> None:
            if not copy.exists():
                shutil.copytree(folder, copy)

        self.on_progress = die
        self.fetch(file(content, cut_at=100_000, **marks), file(content, **marks))
        self.on_progress = self.note_progress
        shutil.rmtree(folder)
        copy.rename(folder)
        self.server.requests.clear()
        assert not self.path.exists()
        assert 0 < self.part.stat().st_size <= 100_000

    @property
    def part(self) -> Path:
        """The part of the video."""
        (part,) = self.path.parent.glob("clip.mp4.*.part")
        return part

    @property
    def note(self) -> Path:
        """The note that identifies the part's video."""
        return self.part.with_suffix(".etag")

    def refuses(
        self, *script: Step, kind: type[DownloadFailed] = DownloadFailed, **options: Any
    ) -> DownloadFailed:
        """Return the error of a download that must fail; check that it leaves no file behind."""
        with pytest.raises(DownloadFailed) as caught:
            self.fetch(*script, **options)
        assert type(caught.value) is kind
        assert caught.value.url == self.server.url + "/clip.mp4?sig=hidden"
        assert "hidden" not in str(caught.value)
        assert list(self.path.parent.iterdir()) == []
        return caught.value


@pytest.fixture
def line(transport: Transport, server: FaultServer, tmp_path: Path) -> Line:
    """Return a line to the scripted server."""
    folder = tmp_path / "videos"
    folder.mkdir()
    return Line(transport, server, folder)


def ranges(server: FaultServer) -> list[str | None]:
    """Return the ``Range`` of each request that the server received."""
    return [request.headers.get("range") for request in server.requests]


def rest(size: int) -> str:
    """Return the ``Range`` of a resumed download: it starts ``OVERLAP`` before the end of the part."""
    return f"bytes={max(0, size - parts.OVERLAP)}-"


def test_a_whole_video(line: Line) -> None:
    """A completed video is the only file in its folder, and the progress ends at its length."""
    assert line.fetch(file(VIDEO)) == line.path
    assert line.path.read_bytes() == VIDEO
    assert list(line.path.parent.iterdir()) == [line.path]
    assert line.progress[-1] == (len(VIDEO), len(VIDEO))
    assert all(before[0] < after[0] for before, after in pairwise(line.progress))
    assert "authorization" not in line.server.requests[0].headers


def test_an_earlier_file_is_replaced(line: Line) -> None:
    """An earlier file is replaced as a whole by the new video."""
    line.path.write_bytes(b"earlier")
    (line.path.parent / "clip.mp4.part").write_bytes(b"left by a crash" * 99999)
    line.fetch(file(VIDEO))
    assert line.path.read_bytes() == VIDEO


@pytest.mark.parametrize("proof", [{"ETag": '"1"'}, {"Last_Modified": "Wed, 01 Apr 2026 00:00:00 GMT"}])
def test_a_download_resumes_where_it_stopped(line: Line, proof: dict[str, Any]) -> None:
    """After a break only the missing bytes are requested, if the file is provably the same."""
    line.fetch(
        file(VIDEO, cut_at=100_000, **proof), file(VIDEO, cut_at=200_000, **proof), file(VIDEO, **proof)
    )
    assert line.path.read_bytes() == VIDEO
    assert ranges(line.server) == [None, rest(100_000), rest(200_000)]
    assert line.pauses == [0.5, 0.5]


def test_a_line_that_breaks_again_and_again(line: Line) -> None:
    """A download fails only after consecutive tries without progress, so the video arrives piece by piece."""
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


def test_the_next_kernel_resumes(line: Line) -> None:
    """After kill -9 the next kernel resumes from the part, and its progress begins there."""
    line.break_off(ETag='"1"')
    before = line.part.stat().st_size
    line.link = "/clip.mp4?sig=renewed"
    line.fetch(file(VIDEO, ETag='"1"'))
    assert line.path.read_bytes() == VIDEO
    assert ranges(line.server) == [rest(before)]
    assert line.progress[0][0] > before
    assert list(line.path.parent.iterdir()) == [line.path]


def test_the_next_kernel_gives_a_whole_film_its_name(line: Line) -> None:
    """A part that was complete when its kernel died is renamed without a request to its old link."""
    line.break_off(ETag='"1"')
    line.part.write_bytes(VIDEO)
    line.fetch()
    assert line.path.read_bytes() == VIDEO
    assert ranges(line.server) == []


def cut_note(line: Line) -> None:
    """Truncate the note, as a kernel does that dies while it writes."""
    line.note.write_bytes(line.note.read_bytes()[:20])


def power_cut(line: Line) -> None:
    """Date the part to before this machine was started."""
    os.utime(line.part, (0, 0))


@pytest.mark.parametrize(
    "spoil",
    [
        cut_note,
        power_cut,
        lambda line: line.note.unlink(),
        lambda line: line.note.write_text("[]", encoding="utf-8"),
        lambda line: line.part.write_bytes(VIDEO + b"more"),
        lambda line: setattr(line, "link", "/other.mp4"),
    ],
    ids=["half a note", "power cut", "no note", "another note", "too long", "another link"],
)
def test_a_part_is_not_trusted_without_proof(line: Line, spoil: Callable[[Line], object]) -> None:
    """The download starts over if the part cannot be proven to be the same file."""
    line.break_off(ETag='"1"')
    spoil(line)
    line.fetch(file(OTHER, ETag='"1"'))
    assert line.path.read_bytes() == OTHER
    assert ranges(line.server) == [None]
    assert list(line.path.parent.iterdir()) == [line.path]


def test_the_next_kernel_finds_another_file(line: Line) -> None:
    """The next kernel starts over if the server's file has changed."""
    line.break_off(ETag='"1"')
    line.fetch(file(OTHER, ETag='"2"'))
    assert line.path.read_bytes() == OTHER


def test_a_server_that_fails_to_resume_is_asked_for_all(line: Line) -> None:
    """A part that the server fails to resume is kept, and does not prevent a download from the start."""
    line.break_off(ETag='"1"')
    before = line.part.read_bytes()
    with pytest.raises(DownloadFailed) as caught:
        line.fetch(*[answer(b"", 500)] * 4)
    assert caught.value.transient
    assert ranges(line.server) == [*[rest(len(before))] * 3, None]
    assert line.part.read_bytes() == before
    line.fetch(*[answer(b"", 500)] * 3, file(VIDEO, ranges=False))
    assert line.path.read_bytes() == VIDEO
    assert list(line.path.parent.iterdir()) == [line.path]


def test_a_line_that_is_down_takes_nothing_away(line: Line) -> None:
    """The part is kept through a broken connection, and through a server that requires a long pause."""
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
    """A download starts over if the file has changed, so that two halves of two files are never joined."""
    line.fetch(file(VIDEO, cut_at=100_000, ETag='"1"'), second)
    assert line.path.read_bytes() == OTHER


def careless(content: bytes, **marks: str) -> Step:
    """Return a server that sends any requested range and ignores ``If-Range``."""
    headers = {name.replace("_", "-"): value for name, value in marks.items()}

    def step(exchange: Exchange) -> bool:
        requested = re.fullmatch(r"bytes=(\d+)-", exchange.request.headers.get("range", ""))
        start = int(requested[1]) if requested else 0
        if requested:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        length = {"Content-Length": str(len(content) - start)}
        exchange.send(206 if requested else 200, headers | length, content[start:])
        return True

    return step


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"ETag": '"1"'}, {"ETag": '"2"'}),
        ({"ETag": '"1"'}, {}),
        ({"ETag": '"1"'}, {"ETag": 'W/"1"'}),
        ({"Last_Modified": OLD}, {"Last_Modified": OLDER}),
        ({"Last_Modified": OLD}, {"ETag": '"1"'}),
        ({"ETag": '"1"'}, {"ETag": '"1"', "Content_Encoding": "gzip"}),
        ({"ETag": '"1"'}, {"ETag": '"1"'}),
    ],
    ids=["another tag", "no tag", "weak", "another date", "no date", "compressed", "a tag that lies"],
)
def test_a_server_that_heeds_no_condition(line: Line, first: dict[str, Any], second: dict[str, Any]) -> None:
    """The remainder of a different file that begins like the first one is not accepted."""
    alike = OTHER if first == second else VIDEO[:150_000] + OTHER[150_000:]
    line.fetch(file(VIDEO, cut_at=100_000, **first), careless(alike, **second), file(OTHER))
    assert line.path.read_bytes() == OTHER
    assert list(line.path.parent.iterdir()) == [line.path]


def test_the_overlap_is_no_progress(line: Line) -> None:
    """A download whose connection always breaks within the overlap fails."""
    begun, again = file(VIDEO, cut_at=100_000, ETag='"1"'), file(VIDEO, cut_at=95_000, ETag='"1"')
    with pytest.raises(DownloadFailed, match="4 tries"):
        line.fetch(begun, *[again] * 9)
    assert len(line.server.requests) == 4


def test_a_date_of_this_very_second_proves_nothing(line: Line) -> None:
    """A ``Last-Modified`` in the second of the answer is no validator: the file may still change."""
    marks: dict[str, Any] = {"Last_Modified": OLD, "Date": OLD}
    line.fetch(file(VIDEO, cut_at=100_000, **marks), file(OTHER, **marks))
    assert line.path.read_bytes() == OTHER
    assert ranges(line.server) == [None, None]


def test_a_part_stays_until_the_new_video_is_complete(line: Line) -> None:
    """A part can still be resumed after failed downloads of a different file under the same link."""
    line.break_off(ETag='"1"')
    before = line.part.read_bytes()
    unmarked = file(OTHER, cut_at=50_000)
    with pytest.raises(DownloadFailed):
        line.fetch(*[unmarked] * 4)
    assert line.part.read_bytes() == before
    line.server.requests.clear()
    line.fetch(file(VIDEO, ETag='"1"'))
    assert ranges(line.server) == [rest(len(before))]
    assert line.path.read_bytes() == VIDEO


def test_failed_tries_do_not_fill_the_disk(line: Line) -> None:
    """Only two parts of ever changing files are kept: the latest, and the largest of the others."""
    for number in range(5):
        tag = f'"{number}"'
        cut = [file(film(os.urandom(300_000)), cut_at=100_000, ETag=tag), *[close] * 3]
        with pytest.raises(DownloadFailed):
            line.fetch(*cut)
    assert len(list(line.path.parent.glob("*.part"))) == 2
    line.fetch(file(VIDEO))
    assert list(line.path.parent.iterdir()) == [line.path]


def test_a_full_disk_keeps_what_is_proven(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part is kept on a full disk, and the download resumes from it once there is room."""
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full on this system")
    line.break_off(ETag='"1"')
    before = line.part.read_bytes()
    with monkeypatch.context() as full:

        def fill(part: parts.Partial) -> None:
            part.file.flush()
            os.dup2(os.open("/dev/full", os.O_WRONLY), part.file.fileno())

        real = parts.Partial.resume
        full.setattr(parts.Partial, "resume", lambda part: (real(part), fill(part)))
        with pytest.raises(DownloadFailed, match="the disk is full"):
            line.fetch(file(VIDEO, ETag='"1"'))
    assert line.part.read_bytes() == before
    line.fetch(file(VIDEO, ETag='"1"'))
    assert line.path.read_bytes() == VIDEO


def test_a_video_that_is_compressed_on_the_way(line: Line) -> None:
    """A compressed video is saved decompressed, and unchanged if only the header declares it compressed."""
    line.fetch(answer(gzip.compress(VIDEO), Content_Encoding="gzip", ETag='"1"'))
    assert line.path.read_bytes() == VIDEO
    line.fetch(answer(OTHER, Content_Encoding="gzip"))
    assert line.path.read_bytes() == OTHER


@pytest.mark.parametrize(
    "spoil",
    [lambda body: body[:-50], lambda body: body[:-4], lambda body: body[:90_000] + bytes(99) + body[90_099:]],
)
def test_a_compressed_video_that_is_damaged(line: Line, spoil: Callable[[bytes], bytes]) -> None:
    """A damaged compressed video is not saved, and the error is transient."""
    damaged = unannounced(spoil(gzip.compress(VIDEO)), Content_Encoding="gzip")
    assert line.refuses(*[damaged] * 4).transient


def test_a_bomb_is_stopped_at_the_limit(line: Line) -> None:
    """A decompression bomb is stopped at the size limit."""
    bomb = gzip.compress(film(bytes(50_000_000)))
    assert "the limit is" in str(line.refuses(answer(bomb, Content_Encoding="gzip"), max_bytes=10**6))


@pytest.mark.parametrize("mark", [{}, {"ETag": 'W/"1"'}], ids=["unmarked", "weak"])
def test_without_proof_nothing_is_resumed(line: Line, mark: dict[str, Any]) -> None:
    """Without a strong validator the whole file is requested again."""
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
    """A download starts over after a wrong range."""
    line.fetch(file(VIDEO, cut_at=100_000, ETag='"1"'), lie, file(OTHER, ETag='"1"'))
    assert line.path.read_bytes() == OTHER
    assert ranges(line.server) == [None, rest(100_000), None]
    assert list(line.path.parent.iterdir()) == [line.path]


@pytest.mark.parametrize("fault", [close, answer(b"", 503), answer(b"", 500), partial(VIDEO, 0), answer(b"")])
def test_a_passing_fault_is_waited_through(line: Line, fault: Step) -> None:
    """A download is retried automatically after a transient fault, because it costs nothing."""
    line.fetch(fault, file(VIDEO))
    assert line.path.read_bytes() == VIDEO


def test_retry_after_is_honoured(line: Line) -> None:
    """A download waits for the seconds in ``Retry-After``."""
    line.fetch(answer(b"", 429, Retry_After="3"), answer(b"", 503, Retry_After="0"), file(VIDEO))
    assert line.pauses == [3.0, 1.0]


def test_a_long_pause_is_left_to_the_caller(line: Line) -> None:
    """A download fails without a retry if the server requires ten minutes, and the error says so."""
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
    """Closing the transport ends a download at once, at every stage."""

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
    """A download fails after four tries, with a transient error."""
    error = line.refuses(*[file(VIDEO, cut_at=100_000)] * 9)
    assert len(line.server.requests) == 4
    assert error.transient
    assert "costs nothing" in str(error)


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_link_that_has_ended(line: Line, status: int) -> None:
    """An expired link raises ``LinkExpired`` and is not retried."""
    error = line.refuses(answer(b"gone", status), kind=LinkExpired)
    assert "limited time" in str(error)
    assert error.transient == (status != 410)  # only 410 is permanent
    assert len(line.server.requests) == 1


PAGE = b"<!doctype html><h1>Log in</h1>"


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (html(PAGE.decode(), 200), "a web page instead of a video"),
        (answer(b"\xef\xbb\xbf\r\n" + PAGE), "a web page instead of a video"),
        (answer({"error": "no"}), "does not lead to a video"),
        (answer(b"GIF89"), "does not lead to a video"),
        (answer(b"\x89PNG\r\n\x1a\n" + bytes(99)), "does not lead to a video"),
        (answer(b"\0\0\0\x1cftypavif" + bytes(99)), "does not lead to a video"),
        (answer(PAGE, Content_Type="video/mp4"), "a web page instead of a video"),
        (answer(bytes(99), Content_Encoding="br"), "compressed"),
        (answer(bytes(99), Content_Encoding="deflate"), "compressed"),
        (answer(gzip.compress(PAGE), Content_Encoding="gzip"), "a web page instead of a video"),
        (answer(VIDEO, 206, Content_Range=f"bytes 5-{len(VIDEO) + 4}/{len(VIDEO) + 5}"), "answered 206"),
        (answer(b"", 204), "answered 204"),
        (answer(b"", 451), "answered 451"),
    ],
)
def test_an_answer_that_is_no_video(line: Line, step: Step, words: str) -> None:
    """An answer that is no video is not saved. The video may be there later, but not for ever."""
    error = line.refuses(step)
    assert words in str(error)
    assert error.transient
    assert error.patience == 600
    assert len(line.server.requests) == 1


def test_a_large_first_box_is_no_compression(line: Line) -> None:
    """The length of a first box of 136 MB has the bytes of zlib; the video is received as it is."""
    error = line.refuses(*[unannounced(b"\x08\x1d\0\0mdat" + bytes(99))] * 4)
    assert "incomplete: it ends after 107 bytes" in str(error)


def test_a_redirect_to_a_file_of_this_machine(line: Line) -> None:
    """A redirect to another scheme than http(s) is refused for good."""
    error = line.refuses(redirect("file:///etc/passwd"))
    assert "does not lead to an http" in str(error)
    assert not error.transient


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("aws-chunked", VIDEO),
        ("", VIDEO),
        ("Identity", VIDEO),
        ("utf-8", VIDEO),
        ("binary", VIDEO),
        ("gzip", VIDEO),
        ("deflate", VIDEO),
        ("br", VIDEO),
        ("gzip", gzip.compress(VIDEO)),
        ("x-gzip", gzip.compress(VIDEO[:150_000]) + gzip.compress(VIDEO[150_000:])),
        ("gzip", gzip.compress(VIDEO) + b"\0" * 99),
        ("deflate", zlib.compress(VIDEO)),
        ("deflate", zlib.compress(VIDEO)[2:-4]),
        ("aws-chunked", gzip.compress(VIDEO)),
        ("", gzip.compress(VIDEO)),
    ],
    ids=[
        *("aws-chunked", "empty", "Identity", "utf-8", "binary", "gzip, not applied"),
        *("deflate, not applied", "br, not applied", "gzip", "gzip in two members", "gzip, filled up"),
        *("deflate", "deflate without its header", "gzip, called something else", "gzip, unsaid"),
    ],
)
def test_a_content_encoding(line: Line, encoding: str, body: bytes) -> None:
    """The video's own bytes decide whether it is compressed, not the header."""
    line.fetch(answer(body, Content_Encoding=encoding))
    assert line.path.read_bytes() == VIDEO
    assert len(line.server.requests) == 1


def test_an_encoding_that_is_none_does_not_prevent_resuming(line: Line) -> None:
    """A download resumes although the server's object store keeps a useless ``Content-Encoding``."""
    marks: dict[str, Any] = {"ETag": '"1"', "Content_Encoding": "aws-chunked"}
    line.fetch(file(VIDEO, cut_at=100_000, **marks), careless(VIDEO, **marks))
    assert line.path.read_bytes() == VIDEO
    assert ranges(line.server) == [None, rest(100_000)]


WHOLE_RANGE = f"bytes 0-{len(VIDEO) - 1}/{len(VIDEO)}"


@pytest.mark.parametrize(
    "step",
    [
        answer(VIDEO, 203),
        answer(VIDEO, 206, Content_Range=WHOLE_RANGE),
        answer(VIDEO, 206, Content_Range=f"bytes 0-{len(VIDEO) - 1}/*"),
        answer(VIDEO, 206),
        answer(VIDEO, 206, Content_Range="bytes"),
        answer(VIDEO, 200, Content_Range=WHOLE_RANGE),
        answer(VIDEO, Content_Type="text/html; charset=utf-8"),
        answer(VIDEO, Content_Type="application/json"),
    ],
    ids=[
        *("203", "206", "206 of unknown length", "206 without a range", "206 with half a range"),
        *("200 with a range", "called a page", "called JSON"),
    ],
)
def test_a_whole_video_under_an_odd_head(line: Line, step: Step) -> None:
    """A whole video is saved, whatever status, range and type the server gives it."""
    line.fetch(step)
    assert line.path.read_bytes() == VIDEO
    assert len(line.server.requests) == 1


def in_ranges(content: bytes, size: int, **marks: str) -> Step:
    """Return a server that sends at most ``size`` bytes at a time, whatever is requested."""
    headers = {name.replace("_", "-"): value for name, value in marks.items()}

    def step(exchange: Exchange) -> bool:
        requested = re.fullmatch(r"bytes=(\d+)-", exchange.request.headers.get("range", ""))
        start = int(requested[1]) if requested else 0
        piece = content[start : start + size]
        last = start + len(piece) - 1
        content_range = {"Content-Range": f"bytes {start}-{last}/{len(content)}"}
        exchange.send(206, headers | content_range | {"Content-Length": str(len(piece))}, piece)
        return True

    return step


@pytest.mark.parametrize(
    "marks", [{}, {"ETag": '"1"'}, {"ETag": 'W/"1"'}], ids=["unmarked", "strong", "weak"]
)
def test_a_server_that_sends_only_ranges(line: Line, marks: dict[str, str]) -> None:
    """A video that a server hands out in ranges only is put together, without pauses."""
    line.fetch(*[in_ranges(VIDEO, 100_000, **marks)] * 4)
    assert line.path.read_bytes() == VIDEO
    assert line.pauses == []
    assert len(line.server.requests) == 4


def test_ranges_of_two_videos_are_not_put_together(line: Line) -> None:
    """The ranges of a video that is replaced meanwhile are fetched again."""
    line.fetch(in_ranges(VIDEO, 100_000), *[in_ranges(OTHER, 100_000)] * 5)
    assert line.path.read_bytes() == OTHER


@pytest.mark.parametrize("status", [416, 408, 425, 429])
def test_a_status_that_passes(line: Line, status: int) -> None:
    """A download is tried again after a status that may pass, even one about a range it never requested."""
    line.fetch(answer(b"", status), file(VIDEO))
    assert line.path.read_bytes() == VIDEO


def announcing(length: int, body: bytes, *, closes: bool = True) -> Step:
    """Return a server that announces a wrong length."""

    def step(exchange: Exchange) -> bool:
        exchange.send(200, {"Content-Length": str(length)}, body)
        return not closes and "close" not in exchange.request.headers.get("connection", "")

    return step


@pytest.mark.parametrize("closes", [True, False])
def test_a_length_that_is_too_small(line: Line, closes: bool) -> None:
    """A video that is longer than announced is read until the server closes the connection."""
    line.fetch(*[announcing(200_000, VIDEO, closes=closes)] * 2)
    assert line.path.read_bytes() == VIDEO


def test_a_length_that_is_too_large(line: Line) -> None:
    """A video that is shorter than announced is saved when it ends at the same byte again."""
    line.fetch(*[announcing(len(VIDEO) + 5000, VIDEO)] * 2)
    assert line.path.read_bytes() == VIDEO
    assert len(line.server.requests) == 2


def test_the_length_of_the_uncompressed_video(line: Line) -> None:
    """A compressed video under the length of the uncompressed one is saved at once."""
    body = gzip.compress(film(bytes(300_000)))

    def step(exchange: Exchange) -> bool:
        exchange.send(200, {"Content-Length": "300040", "Content-Encoding": "gzip"}, body)
        return False

    assert line.fetch(step).read_bytes() == film(bytes(300_000))


TAIL = b"\r\n<!-- edge-7 -->"


@pytest.mark.parametrize(
    ("step", "tries"), [(answer, 1), (unannounced, 2)], ids=["announced", "not announced"]
)
def test_bytes_behind_the_last_box_are_kept(line: Line, step: Callable[..., Step], tries: int) -> None:
    """A video with other bytes behind it is saved with them, once they cannot be half of a box."""
    line.fetch(*[step(VIDEO + TAIL)] * tries)
    assert line.path.read_bytes() == VIDEO + TAIL
    assert len(line.server.requests) == tries


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_status_of_an_expired_link(line: Line, status: int) -> None:
    """The statuses with which object stores answer to an expired signature ask for a fresh link."""
    assert line.refuses(answer(b"<Error>ExpiredToken</Error>", status), kind=LinkExpired).transient


def test_webm_is_a_video_too(line: Line) -> None:
    """A WebM of unknown length is saved, even if it arrives byte by byte."""
    webm = ebml(b"webm", None)

    def pieces(exchange: Exchange) -> bool:
        exchange.send(200, {"Transfer-Encoding": "chunked"}, b"")
        for byte in webm:
            exchange.socket.sendall(b"1\r\n" + bytes((byte,)) + b"\r\n")
        exchange.socket.sendall(b"0\r\n\r\n")
        return True

    assert line.fetch(pieces).read_bytes() == webm
    assert line.progress[-1] == (len(webm), None)


@pytest.mark.parametrize("name", CONTAINERS)
def test_every_container_is_saved(line: Line, name: str) -> None:
    """A video in another container than mp4 is saved as it is."""
    line.fetch(answer(CONTAINERS[name]))
    assert line.path.read_bytes() == CONTAINERS[name]


def test_a_chunked_video_that_breaks_off(line: Line) -> None:
    """A chunked video without its last chunk is incomplete and is requested again."""

    def broken(exchange: Exchange) -> bool:
        exchange.send(200, {"Transfer-Encoding": "chunked"}, b"10\r\n" + VIDEO[:16] + b"\r\n")
        return False

    line.fetch(broken, file(VIDEO))
    assert line.path.read_bytes() == VIDEO


@pytest.mark.parametrize("end", [20, 25, 31, 32, 39, 40, 200_000, len(VIDEO) - 1])
@pytest.mark.parametrize("server_of", [unannounced, answer], ids=["no length", "a wrong length"])
def test_a_video_that_ends_in_the_middle(line: Line, server_of: Callable[[bytes], Step], end: int) -> None:
    """A video truncated at any byte is not saved as complete."""
    line.fetch(server_of(VIDEO[:end]), unannounced(VIDEO))
    assert line.path.read_bytes() == VIDEO
    assert ranges(line.server) == [None, None]
    assert list(line.path.parent.iterdir()) == [line.path]


def test_a_video_that_always_ends_in_the_middle(line: Line) -> None:
    """A video that is always truncated raises a transient error: the server may still be writing it."""
    error = line.refuses(*[unannounced(VIDEO[:200_000])] * 4)
    assert "it ends after 200000 bytes" in str(error)
    assert error.transient


def test_a_video_that_is_too_large_is_refused_early(line: Line) -> None:
    """A video that is too large is refused by its announced length, or else by the bytes that arrive."""
    assert "0.3 MB or more; the limit is 0.1 MB" in str(line.refuses(answer(VIDEO), max_bytes=100_000))
    assert line.progress == []
    assert "the limit is" in str(line.refuses(unannounced(VIDEO), max_bytes=100_000))


@pytest.mark.parametrize("length", ["-5", "1e3", "9" * 5000])
def test_a_length_that_is_none(line: Line, length: str) -> None:
    """An invalid ``Content-Length`` is ignored: the video ends with the connection."""

    def until_it_closes(exchange: Exchange) -> bool:
        exchange.send(200, {"Content-Length": length}, VIDEO)
        return False

    line.fetch(until_it_closes)
    assert line.path.read_bytes() == VIDEO
    assert line.progress[-1] == (len(VIDEO), None)


def test_an_unreachable_server(line: Line) -> None:
    """The error contains the reason."""
    line.server.__exit__()
    assert "cannot be reached" in str(line.refuses())


def test_no_such_folder(line: Line) -> None:
    """A missing folder raises the system's error before any request."""
    line.path = line.path.parent / "missing" / "clip.mp4"
    with pytest.raises(DownloadFailed, match=rf"missing.*{re.escape(os.strerror(errno.ENOENT))}"):
        line.fetch(file(VIDEO))
    assert line.server.requests == []


@pytest.mark.parametrize("seconds", [0.1, pytest.param(0.6, marks=pytest.mark.slow)])
def test_a_video_whose_name_is_held_for_a_moment(line: Line, seconds: float) -> None:
    """The rename is retried while another program has the earlier file open (Windows)."""
    line.path.write_bytes(b"earlier")
    player = line.path.open("rb")
    threading.Timer(seconds, player.close).start()
    assert line.fetch(file(VIDEO)) == line.path
    assert line.path.read_bytes() == VIDEO
    assert list(line.path.parent.iterdir()) == [line.path]
    assert len(line.server.requests) == 1


@needs_the_rules
def test_a_complete_video_is_kept_if_it_cannot_be_renamed(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A video that cannot be renamed is kept; the error names it, and the next try needs no link."""
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
def test_only_a_complete_part_is_renamed_later(
    line: Line, change: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A complete part that was changed or removed since is downloaded again."""
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
    """A part that another program has open is kept, and renamed by the next try."""
    monkeypatch.setattr(parts, "PATIENCE", 0.1)
    readers: list[BinaryIO] = []
    line.on_progress = lambda *_: readers or readers.append(line.part.open("rb"))
    with pytest.raises(DownloadFailed, match="is complete"):
        line.fetch(file(VIDEO))
    readers[0].close()
    assert line.fetch() == line.path
    assert line.path.read_bytes() == VIDEO


def test_two_downloads_of_one_file_do_not_interfere(line: Line) -> None:
    """Two downloads of one file have separate parts, and both return the saved video."""
    second = Line(line.transport, line.server, line.path.parent)

    def overtake(received: int, total: int | None) -> None:
        if not second.progress:
            second.fetch(file(VIDEO, ETag='"1"'))

    line.on_progress = overtake
    line.server.then(file(VIDEO, ETag='"1"'))
    line.fetch()
    assert line.path.read_bytes() == VIDEO
    assert ranges(line.server) == [None, None]
    assert list(line.path.parent.iterdir()) == [line.path]


def test_the_part_of_a_running_download_is_not_taken_over(line: Line) -> None:
    """A suspended download keeps its part, and after it resumes it finds the video saved."""
    sleeper = parts.Partial(line.path, line.server.url + "/clip.mp4")
    sleeper.open()
    sleeper.begin(len(VIDEO), '"1"')
    sleeper.write(VIDEO[:150_000])
    line.fetch(file(VIDEO, ETag='"1"'))
    assert ranges(line.server) == [None]
    assert line.path.read_bytes() == VIDEO
    sleeper.write(VIDEO[150_000:])
    assert sleeper.is_intact()
    sleeper.finish()
    sleeper.close()
    assert line.path.read_bytes() == VIDEO
    assert list(line.path.parent.iterdir()) == [line.path]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_process_keeps_no_part_locked(line: Line) -> None:
    """A process that was forked during a download, and lives on, does not keep its parent from resuming."""
    first = parts.Partial(line.path, line.server.url + "/clip.mp4")
    first.open()
    first.begin(len(VIDEO), '"1"')
    first.write(VIDEO[:150_000])
    ends, end = os.pipe()
    child = os.fork()
    if not child:
        os.close(end)
        os.read(ends, 1)  # until the parent closes the other end
        os._exit(0)
    try:
        first.close()
        line.fetch(file(VIDEO, ETag='"1"'))
    finally:
        os.close(end)
        os.close(ends)
        os.waitpid(child, 0)
    assert ranges(line.server) == [rest(150_000)], "the video was downloaded from its first byte again"
    assert line.path.read_bytes() == VIDEO
    assert list(line.path.parent.iterdir()) == [line.path]


def test_a_proxy_that_refuses_is_named(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """A 407 is the proxy's answer, not the video server's: the message names it and its variable."""
    monkeypatch.setenv("HTTP_PROXY", line.server.url.replace("://", "://me:hush-hush@"))
    line.server.then(answer(b"who are you", 407), file(VIDEO))
    url = "http://videos.example/clip.mp4"
    download = Download(line.transport, url, line.path, max_bytes=10**9, sleep=line.pauses.append)
    with pytest.raises(DownloadFailed, match="does not accept the user name and the password") as caught:
        download.run()
    assert ("HTTP_PROXY" in str(caught.value), "hush" in str(caught.value)) == (True, False)
    assert caught.value.transient, "the user may correct the variable while the link lives"
    again = Download(line.transport, url, line.path, max_bytes=10**9, sleep=line.pauses.append)
    assert again.run().read_bytes() == VIDEO


def test_bytes_of_another_program_are_not_saved(line: Line) -> None:
    """A part that another program has changed, because the lock was lost say, is downloaded again."""
    changed: list[Path] = []

    def meddle(received: int, total: int | None) -> None:
        if received > 100_000 and not changed:
            changed.append(line.part)
            with line.part.open("r+b") as other:
                other.seek(50_000)
                other.write(b"not of this film")

    line.on_progress = meddle
    line.fetch(file(VIDEO, ETag='"1"'), file(VIDEO, ETag='"1"'))
    assert changed
    assert line.path.read_bytes() == VIDEO
    assert list(line.path.parent.iterdir()) == [line.path]


@pytest.mark.usefixtures("rules_of_posix")
@pytest.mark.skipif(os.name == "nt", reason="Windows removes no open file")
def test_a_part_that_was_removed_is_fetched_again(line: Line) -> None:
    """A part that another program removes raises a transient error that names no missing file."""
    line.on_progress = lambda *_: [part.unlink() for part in line.path.parent.glob("*.part")]
    with pytest.raises(DownloadFailed, match="could not be written") as caught:
        line.fetch(file(VIDEO))
    assert caught.value.transient
    assert caught.value.part is None


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_a_stranger_s_link_is_no_part(line: Line, tmp_path: Path) -> None:
    """A link to a user's file, in place of a part or its note, is neither read nor written."""
    mine = tmp_path / "thesis.txt"
    mine.write_bytes(VIDEO[:1000])
    for name in ("clip.mp4.part", "clip.mp4.12345678.part"):
        part = line.path.parent / name
        part.symlink_to(mine)
        note = {"link": line.server.url + "/clip.mp4", "validator": '"1"', "total": len(VIDEO)}
        part.with_suffix(".etag").write_text(json.dumps(note), encoding="utf-8")
    hard = line.path.parent / "clip.mp4.abcdefab.part"
    hard.hardlink_to(mine)
    hard.with_suffix(".etag").symlink_to(mine)
    line.fetch(file(VIDEO, ETag='"1"'))
    assert line.path.read_bytes() == VIDEO
    assert mine.read_bytes() == VIDEO[:1000]


def test_a_film_is_found_again_under_another_link(line: Line) -> None:
    """A part is resumed from a new link with another path, if both belong to the same video."""
    with pytest.raises(DownloadFailed):
        line.fetch(file(VIDEO, cut_at=100_000, ETag='"1"'), *[close] * 4, film="task")
    line.link = "/elsewhere/c.mp4"
    line.fetch(file(VIDEO, ETag='"1"'), film="task")
    assert line.path.read_bytes() == VIDEO
    assert ranges(line.server)[-1] == rest(100_000)


@needs_the_rules
def test_a_whole_film_without_a_validator_outlives_a_full_disk(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A complete part that can be neither renamed nor noted is still saved by the next kernel."""
    monkeypatch.setattr(parts, "PATIENCE", 0.1)
    line.path.write_bytes(b"earlier")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    # The first note is written while there is room.
    line.on_progress = lambda *_: monkeypatch.setattr(leftovers, "write_note", full)
    with line.path.open("rb"), pytest.raises(DownloadFailed, match="is complete"):
        line.fetch(file(VIDEO))
    line.server.requests.clear()
    line.fetch()
    assert line.server.requests == []
    assert line.path.read_bytes() == VIDEO
    assert list(line.path.parent.iterdir()) == [line.path]


@pytest.mark.parametrize("name", ["锦" * 83 + ".mp4", "a" * 251 + ".mp4"], ids=["Chinese", "Latin"])
def test_a_name_as_long_as_can_be(line: Line, name: str) -> None:
    """A video with the longest possible name is saved, and its part is found again."""
    line.path = line.path.with_name(name)
    with pytest.raises(DownloadFailed):
        line.fetch(*[file(VIDEO, cut_at=100_000, ETag='"1"'), *[close] * 4])
    line.fetch(file(VIDEO, ETag='"1"'))
    assert line.server.requests[-1].headers["range"].startswith("bytes=")
    assert line.path.read_bytes() == VIDEO
    assert list(line.path.parent.iterdir()) == [line.path]


def test_a_disk_with_room_for_one_film(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """The part of an earlier version of the file is removed if the disk has no room for both."""
    folder = line.path.parent

    class Small(FileIO):
        """A file on a disk that holds one film, and a little more."""

        def write(self, data: Any) -> int:
            room = len(VIDEO) + 50_000 - sum(path.stat().st_size for path in folder.iterdir())
            if room <= 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().write(memoryview(data)[:room])

    monkeypatch.setattr(leftovers, "FileIO", Small)
    line.fetch(file(OTHER, cut_at=200_000, ETag='"old"'), file(VIDEO, ETag='"new"'))
    assert line.path.read_bytes() == VIDEO
    assert list(folder.iterdir()) == [line.path]


def test_a_disk_without_room_keeps_what_is_here(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """A download fails on a disk without room, and a later one resumes from its bytes."""
    write = FileIO.write

    class Full(FileIO):
        """A file on a disk that is full after 100,000 bytes."""

        def write(self, data: Any) -> int:
            if self.tell() >= 100_000:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return write(self, memoryview(data)[: 100_000 - self.tell()])

    with monkeypatch.context() as patch:
        patch.setattr(leftovers, "FileIO", Full)
        with pytest.raises(DownloadFailed, match="the disk is full"):
            line.fetch(file(VIDEO, ETag='"1"'))
    assert line.part.stat().st_size == 100_000
    line.fetch(file(VIDEO, ETag='"1"'))
    assert line.server.requests[-1].headers["range"].startswith("bytes=")
    assert line.path.read_bytes() == VIDEO


@pytest.fixture
def whole(tmp_path: Path) -> parts.Partial:
    """Return a complete part, beside an earlier file at its target path."""
    (tmp_path / "clip.mp4").write_bytes(b"earlier")
    part = parts.Partial(tmp_path / "clip.mp4", "https://example.com/clip.mp4")
    part.open()
    part.begin(len(VIDEO), None)
    part.write(VIDEO)
    return part


@pytest.mark.usefixtures("rules_of_posix")
@pytest.mark.skipif(os.name == "nt", reason="Windows renames no open file")
def test_another_kernel_gives_the_video_its_name(whole: parts.Partial, tmp_path: Path) -> None:
    """A part that another kernel has renamed counts as saved, because the content is the same."""
    whole.path.replace(tmp_path / "clip.mp4")
    whole.finish()
    whole.close()
    assert (tmp_path / "clip.mp4").read_bytes() == VIDEO


@pytest.mark.usefixtures("rules_of_posix")
@pytest.mark.skipif(os.name == "nt", reason="Windows removes no open file")
def test_an_earlier_file_of_that_name_is_not_taken_for_it(whole: parts.Partial) -> None:
    """A removed part does not count as saved, even if an earlier file is at the target path."""
    whole.path.unlink()
    with pytest.raises(FileNotFoundError):
        whole.finish()
    whole.close()


def test_the_disk_is_full(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says that the disk is full. The part is the device that is always full."""
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full on this system")
    monkeypatch.setattr(leftovers, "create", lambda path: (path, FileIO("/dev/full", "r+")))
    assert "the disk is full" in str(line.refuses(file(VIDEO)))


@pytest.mark.parametrize(
    "interruption", [KeyboardInterrupt, OSError(errno.EPIPE, "print failed"), ValueError]
)
def test_a_callback_that_raises(
    transport: Transport, server: FaultServer, tmp_path: Path, interruption: BaseException
) -> None:
    """A callback's error ends the download, which leaves no file behind."""

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
