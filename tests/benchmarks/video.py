"""The time from noticing that a task has ended to watching its video of 10 MB.

``python -m tests.benchmarks.video``. The server sends the video at 20 Mbit/s, at 100 Mbit/s and without a
limit, over all connections together. The first run uses a kernel alone, the second a page in JupyterLab.
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
from .kernels import Kernel, Message, start_kernels
from .pages import PANEL, VISIBLE, NotebookPage, opened, pages
from .parts import print_results

__all__ = ["run"]

ROUNDS = 3
#: Bandwidths in Mbit/s, ``None`` for no limit.
BANDWIDTHS: tuple[float | None, ...] = (None, 100.0, 20.0)
LOW, HIGH = 3.0, 4.0
#: Frames per second, number of frames, width and height, bits per second: 10 s of 1080p in 10 MB.
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

#: JavaScript that checks a cell's output for a video at every frame of the page and plays it once it has
#: data.
WATCH_FOR_VIDEO = f"""index => {{
    {VISIBLE}
    const seen = window.qingboSeen = {{}};
    const check = () => {{
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
        requestAnimationFrame(check);
    }};
    check();
}}"""


def run() -> Iterator[dict[str, Any]]:
    """Yield seconds, as medians of the rounds."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        film = _film(folder / "film.mp4")
        yield {"bytes of the video": film.stat().st_size}
        results: dict[str, Any] = {}
        for number, bandwidth in enumerate(BANDWIDTHS):
            subfolder = folder / str(number)
            subfolder.mkdir()
            with _serving(film, bandwidth) as base:
                results[_label(bandwidth)] = _in_a_kernel(subfolder, base)
            yield {"seconds from noticed, in the kernel": results}
        seen: dict[str, Any] = {}
        with pages() as (lab, browser):
            for number, bandwidth in enumerate(BANDWIDTHS):
                with _serving(film, bandwidth) as base:
                    cells = [CONNECT.format(base=base) + OBSERVED, STUDIO, ""]
                    with opened(lab, browser, f"{number}/video.ipynb", cells) as page:
                        seen[_label(bandwidth)] = _on_a_page(page)
                yield {"seconds from noticed, in JupyterLab": seen}


def _film(path: Path) -> Path:
    """Write a video of moving noise, which no encoder compresses below the requested rate."""
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
def _serving(film: Path, bandwidth: float | None) -> Iterator[str]:
    with server.running(LOW, HIGH, video=film, rate=(bandwidth or 0.0) * 1e6 / 8) as base:
        yield base


def _label(bandwidth: float | None) -> str:
    return "no limit" if bandwidth is None else f"{bandwidth:g} Mbit/s"


def _in_a_kernel(folder: Path, base: str) -> dict[str, Any]:
    """Time the saved file, and the message that gives the page a player with a source."""
    rounds = []
    with start_kernels(folder) as (kernel,):
        kernel.run(CONNECT.format(base=base) + OBSERVED)
        for number in range(ROUNDS):
            kernel.run(STUDIO, cell="studio")
            kernel.run(CLICK.format(number=number))
            moments = _moments(kernel.folder / f"moments-{number}.json")
            time.sleep(1.0)
            shown = _first_player(kernel, moments["noticed"])
            rounds.append({"saved": moments["saved"], "shown": shown, "noticed": moments["noticed"]})
    return _summary(rounds, ("saved", "shown"))


def _first_player(kernel: Kernel, noticed: float) -> float | None:
    """Return when the page first received a player; static copies that wait for their file do not count."""

    def shows_player(message: Message) -> bool:
        text = json.dumps(message.content, ensure_ascii=False)
        if message.kind == "comm_msg":
            return "<video" in text or "/video.mp4" in text
        return "<video" in text and "qingbo-keep" not in text

    moments = (
        message.moment
        for message in kernel.ui_messages(noticed)
        if message.kind != "comm_open" and shows_player(message)
    )
    return next(moments, None)


def _on_a_page(page: NotebookPage) -> dict[str, Any]:
    """Time the first visible player, its first picture, and the start of playback."""
    rounds: list[dict[str, Any]] = []
    page.run(0)
    for number in range(ROUNDS):
        page.run(1)
        page.page.evaluate(WATCH_FOR_VIDEO, 1)
        page.write(2, CLICK.format(number=number)).run(2)
        page.page.wait_for_function("() => window.qingboSeen.playing", timeout=60_000)
        moments = _moments(page.path.parent / f"moments-{number}.json")
        rounds.append(moments | page.page.evaluate("window.qingboSeen"))
    results = _summary(rounds, ("saved", "shown", "playable", "playing"))
    links = sum("/video.mp4" in times["source"] for times in rounds)
    return results | {"rounds in which it played from the link": links}


def _moments(file: Path, seconds: float = 60.0) -> dict[str, float]:
    """Wait for the moments that the task's observers recorded, and return them."""
    deadline = time.monotonic() + seconds
    while not file.is_file():
        if time.monotonic() > deadline:
            raise TimeoutError(f"no {file.name} after {seconds:g} s")
        time.sleep(0.05)
    moments: dict[str, float] = json.loads(file.read_text(encoding="utf-8"))
    return moments


def _summary(rounds: list[dict[str, Any]], names: tuple[str, ...]) -> dict[str, Any]:
    """Return median and maximum of each, in seconds after the end was noticed."""
    results: dict[str, Any] = {}
    for name in names:
        times = [moments[name] - moments["noticed"] for moments in rounds if moments.get(name) is not None]
        results[name] = statistics.median(times) if times else None
        results[f"{name}, most"] = max(times, default=None)
    return results


if __name__ == "__main__":
    print_results(run())
