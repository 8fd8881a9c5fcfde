"""A finished video of 10 MB: from the moment at which its end is noticed to where it can be watched.

``python -m tests.benchmarks.video``. The server sends it at 20 and at 100 Mbit/s and as fast as it can, all
connections together. First a real kernel alone is heard, then a person looks on in JupyterLab.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np

from . import server
from .card import CONNECT
from .kernels import Kernel, Message, started
from .pages import PANEL, VISIBLE, NotebookPage, opened, pages
from .parts import tell

__all__ = ["run"]

ROUNDS = 3
#: Mbit/s of the line, ``None`` for one without a limit.
LINES: tuple[float | None, ...] = (None, 100.0, 20.0)
LOW, HIGH = 3.0, 4.0
#: Frames, a second and in all; width and height; bits a second: 10 s of 1080p in 10 MB.
FPS, FRAMES, SIZE, RATE = 24, 240, (1920, 1080), 7_700_000

OBSERVED = """
import json, pathlib, time
def observe(task, name):
    moments = {}
    def note(change):
        if change['name'] == 'status' and change['new'] == 'completed':
            moments['noticed'] = time.time()
        elif change['name'] == 'video_path' and change['new']:
            moments['saved'] = time.time()
    task.observe(note, ['status', 'video_path'])
    def end(task):
        draft = pathlib.Path(name + '.part')
        draft.write_text(json.dumps(moments))
        draft.replace(name)
    task.on_end(end)
"""
STUDIO = "studio = qw.VideoStudio(prompt='雨')\nstudio"
CLICK = "studio.generate_button.click()\nobserve(studio.cards[0].task, 'moments-{number}.json')"

#: Looks at every frame of the page for a video in a cell's output, and has it played once it shows a picture.
LOOK = f"""index => {{
    {VISIBLE}
    const seen = window.qingboSeen = {{}};
    const look = () => {{
        if (window.qingboSeen !== seen) return;
        const cell = {PANEL}.content.widgets[index].node;
        const videos = [...cell.querySelectorAll('.jp-Cell-outputArea video')];
        const video = videos.find(v => v.readyState >= 2 && visible(v)) || videos.find(visible);
        if (video && !seen.shown) seen.shown = Date.now() / 1000;
        if (video && video.readyState >= 2 && !seen.playable) {{
            seen.playable = Date.now() / 1000;
            seen.source = video.currentSrc;
            video.muted = true;
            video.play();
        }}
        if (videos.some(v => v.currentTime > 0)) {{
            seen.playing = Date.now() / 1000;
            return;
        }}
        requestAnimationFrame(look);
    }};
    look();
}}"""


def run() -> Iterator[dict[str, Any]]:
    """Seconds, medians of the rounds."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        film = _film(folder / "film.mp4")
        yield {"bytes of the video": film.stat().st_size}
        told: dict[str, Any] = {}
        for number, line in enumerate(LINES):
            place = folder / str(number)
            place.mkdir()
            with _serving(film, line) as base:
                told[_name(line)] = _in_a_kernel(place, base)
            yield {"seconds from noticed, in the kernel": told}
        seen: dict[str, Any] = {}
        with pages() as (lab, browser):
            for number, line in enumerate(LINES):
                with _serving(film, line) as base:
                    cells = [CONNECT.format(base=base) + OBSERVED, STUDIO, ""]
                    with opened(lab, browser, f"{number}/video.ipynb", cells) as page:
                        seen[_name(line)] = _on_a_page(page)
                yield {"seconds from noticed, in JupyterLab": seen}


def _film(path: Path) -> Path:
    """Noise that moves, which no encoder makes smaller than it is asked to."""
    width, height = SIZE
    noise = np.random.default_rng(6).integers(0, 256, (height, width + FRAMES, 3), dtype=np.uint8)
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as film:
        stream = film.add_stream("libx264", rate=FPS, options={"preset": "ultrafast"})
        stream.width, stream.height = SIZE
        stream.pix_fmt, stream.bit_rate = "yuv420p", RATE
        for number in range(FRAMES):
            picture = np.ascontiguousarray(noise[:, number : number + width])
            film.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        film.mux(stream.encode(None))
    return path


@contextmanager
def _serving(film: Path, line: float | None) -> Iterator[str]:
    with server.running(LOW, HIGH, video=film, rate=(line or 0.0) * 1e6 / 8) as base:
        yield base


def _name(line: float | None) -> str:
    return "no limit" if line is None else f"{line:g} Mbit/s"


def _in_a_kernel(folder: Path, base: str) -> dict[str, Any]:
    """To the saved file, and to the message that shows the page a player with something to play."""
    rounds = []
    with started(folder) as (kernel,):
        kernel.run(CONNECT.format(base=base) + OBSERVED)
        for number in range(ROUNDS):
            kernel.run(STUDIO, cell="studio")
            kernel.run(CLICK.format(number=number))
            moments = _moments(kernel.folder / f"moments-{number}.json")
            time.sleep(1.0)
            shown = _first_player(kernel, moments["noticed"])
            rounds.append({"saved": moments["saved"], "shown": shown, "noticed": moments["noticed"]})
    return _summed(rounds, ("saved", "shown"))


def _first_player(kernel: Kernel, noticed: float) -> float | None:
    """When the page was first told of a player; the static copies that wait for their file do not count."""

    def shows(message: Message) -> bool:
        text = json.dumps(message.content, ensure_ascii=False)
        if message.kind == "comm_msg":
            return "<video" in text or "/video.mp4" in text
        return "<video" in text and "qingbo-keep" not in text

    found = (one.moment for one in kernel.drawn(noticed) if one.kind != "comm_open" and shows(one))
    return next(found, None)


def _on_a_page(page: NotebookPage) -> dict[str, Any]:
    """To the first visible player, to its first picture, and to where it plays."""
    rounds: list[dict[str, Any]] = []
    page.run(0)
    for number in range(ROUNDS):
        page.run(1)
        page.page.evaluate(LOOK, 1)
        page.write(2, CLICK.format(number=number)).run(2)
        page.page.wait_for_function("() => window.qingboSeen.playing", timeout=60_000)
        moments = _moments(page.path.parent / f"moments-{number}.json")
        rounds.append(moments | page.page.evaluate("window.qingboSeen"))
    told = _summed(rounds, ("saved", "shown", "playable", "playing"))
    links = sum("/video.mp4" in one["source"] for one in rounds)
    return told | {"rounds in which it played from the link": links}


def _moments(file: Path, seconds: float = 60.0) -> dict[str, float]:
    """What the task's observers noted, once it is done."""
    deadline = time.monotonic() + seconds
    while not file.is_file():
        if time.monotonic() > deadline:
            raise TimeoutError(f"no {file.name} after {seconds:g} s")
        time.sleep(0.05)
    moments: dict[str, float] = json.loads(file.read_text(encoding="utf-8"))
    return moments


def _summed(rounds: list[dict[str, Any]], names: tuple[str, ...]) -> dict[str, Any]:
    """The median and the most of each, in seconds after the end was noticed."""
    told: dict[str, Any] = {}
    for name in names:
        times = [one[name] - one["noticed"] for one in rounds if one.get(name) is not None]
        told[name] = statistics.median(times) if times else None
        told[f"{name}, most"] = max(times, default=None)
    return told


if __name__ == "__main__":
    tell(run())
