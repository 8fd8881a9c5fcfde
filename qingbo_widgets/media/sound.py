"""A copy of a video with MP3 sound, for VS Code, which decodes no AAC.

Its documentation of webviews lists WAV, MP3, Ogg and FLAC, and advises MP3 in an MP4. Its build of FFmpeg has
no Opus either. The pictures are copied as they are, and the paid video stays as it is.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..exceptions import QingboError
from ..i18n import N_, tr
from ..system.folder import Folder, open_inside
from ..system.sound_copies import MARK, contents_of, is_sound_copy, sound_copy, sound_copy_path
from .decoding import not_decoded
from .film import open_container, pictures_in

__all__ = ["has_aac", "make_sound_copy"]

_NEEDED = N_('A copy with MP3 sound needs av and Pillow: pip install "qingbo_widgets[frames]"')
_NO_AAC = N_("{file} has no AAC sound, so it needs no copy with MP3 sound.")
_NO_ENCODER = N_("This build of av has no MP3 encoder. PyPI's has one: pip install --force-reinstall av")
_TAKEN = N_("{file} is another video. Rename it, so that the copy with MP3 sound can have its name.")
_NO_SOUND = N_("none of its sound can be decoded")

#: Bits of sound per second, at which MP3 sounds like its source.
_BIT_RATE = 192_000
#: Samples per second that MP3 may have; another rate is converted to the last.
_RATES = (32_000, 44_100, 48_000)
#: The boxes around the description of a track's samples, and its bytes before the first entry.
_DESCRIPTION, _FIELDS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"), 8
#: The tag of a decoder's configuration in an ``esds``, and the bytes that follow its length: those of MPEG-4
#: and MPEG-2 AAC, then the kind of stream, which is sound.
_DECODER, _AAC_TYPES, _AUDIO = b"\x04", (b"\x40", b"\x66", b"\x67", b"\x68"), (b"\x14", b"\x15")


def has_aac(video: Path) -> bool:
    """Return whether a video certainly has AAC sound. Needs no extra."""
    try:
        info = video.stat()
    except OSError:
        return False
    return _has_aac(video, (info.st_size, info.st_mtime_ns))


def make_sound_copy(video: Path) -> Path:
    """Make a copy of a video with MP3 sound beside it, unless there is one; return its path.

    Raises:
        QingboError: the video has no AAC sound, cannot be decoded, or another file has the name of the copy.
        OSError: the copy cannot be written.
        ImportError: the extra ``[frames]`` is not installed.
    """
    if (copy := sound_copy(video)) is not None:
        return copy
    target = sound_copy_path(video)
    if os.path.lexists(target) and not is_sound_copy(target):
        raise QingboError(tr(_TAKEN).format(file=target.name))
    with tempfile.TemporaryDirectory() as folder, open_container(video, "aac", tr(_NEEDED)) as source:
        made = Path(folder) / "copy.mp4"
        _write(video, source, made)
        with made.open("rb", buffering=0) as file:
            Folder(video.parent).write(target.name, file)
    return target


def _write(video: Path, source: Any, target: Path) -> None:
    """Write the copy of an open video file."""
    import av

    pictures = pictures_in(video, source)
    sound = next((one for one in source.streams.audio if one.codec_context is not None), None)
    if sound is None or sound.codec_context.name != "aac":
        raise QingboError(tr(_NO_AAC).format(file=video.name))
    # The index before the pictures: a player begins before it has the whole file.
    with av.open(str(target), "w", format="mp4", options={"movflags": "faststart"}) as copy:
        copy.metadata["comment"] = MARK
        rate = sound.rate if sound.rate in _RATES else _RATES[-1]
        layout = "mono" if sound.codec_context.channels == 1 else "stereo"
        try:
            heard: Any = copy.add_stream("libmp3lame", rate=rate, layout=layout, bit_rate=_BIT_RATE)
        except (ValueError, av.FFmpegError):
            raise QingboError(tr(_NO_ENCODER)) from None
        shown = copy.add_stream_from_template(pictures)
        resampler, has_sound = av.AudioResampler("fltp", layout, rate), False
        for packet in source.demux(pictures, sound):
            if packet.stream is pictures:
                if packet.dts is not None:  # the last one has no content
                    packet.stream = shown
                    copy.mux(packet)
                continue
            for frame in _decoded(packet):
                for part in resampler.resample(frame):
                    has_sound = True
                    copy.mux(heard.encode(part))
        if not has_sound:
            raise not_decoded(video, tr(_NO_SOUND))
        for part in resampler.resample(None):
            copy.mux(heard.encode(part))
        copy.mux(heard.encode(None))


def _decoded(packet: Any) -> Iterator[Any]:
    """Yield the sound in a packet; nothing of a damaged one, after which others often can be decoded."""
    import av

    try:
        yield from packet.decode()
    except (av.FFmpegError, OSError, ValueError):
        return


@lru_cache(1024)
def _has_aac(video: Path, _version: tuple[int, int]) -> bool:
    """Return whether this version of a video has AAC sound."""
    try:
        with open_inside(video) as file:
            return any(_is_aac(description) for description in contents_of(file, *_DESCRIPTION))
    except OSError:
        return False


def _is_aac(description: bytes) -> bool:
    """Return whether the samples of a track are AAC."""
    if description[_FIELDS + 4 : _FIELDS + 8] != b"mp4a" or (at := description.find(b"esds")) < 0:
        return False
    # The fields of an esds are tags with lengths of one to four bytes, of which only the last has no top bit.
    at = description.find(_DECODER, at + 8)
    while 0 <= at < len(description) - 3:
        after = at + 1
        while after < at + 4 and description[after] & 0x80:
            after += 1
        kind, stream = description[after + 1 : after + 2], description[after + 2 : after + 3]
        if kind in _AAC_TYPES and stream in _AUDIO:
            return True
        at = description.find(_DECODER, at + 1)
    return False
