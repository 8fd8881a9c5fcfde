"""``Order``: the description of one video to draw, the same for every contract."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

__all__ = ["Element", "Order", "Shot", "SourceUse"]

SourceUse = Literal["reference", "edit", "motion"]


@dataclass(frozen=True)
class Shot:
    """One shot: its prompt and its length in seconds."""

    prompt: str
    seconds: int


@dataclass(frozen=True)
class Element:
    """A subject that the prompt names as ``@name``, with its pictures, the first one frontal."""

    name: str
    urls: tuple[str, ...]


@dataclass(frozen=True)
class Order:
    """The description of one video to draw. Pictures and videos are http(s) URLs.

    Attributes:
        shots: one shot or more.
        short_side: pixels of the shorter side: 720, 1080, 2160.
        aspect_ratio: width:height; with a first frame, or a source video that is edited, that one decides.
            Empty for the shape of the first reference or, without one, of the source video.
        has_sound: whether the model makes sound.
        first_frame: the picture with which the video begins; empty for none.
        last_frame: the picture with which it ends; empty for none.
        references: pictures of things that appear in the video.
        elements: subjects that appear in the video.
        source_video: a video that the result follows; empty for none.
        source_use: ``reference``: it appears beside the scene; ``edit``: the result shows it, changed;
            ``motion``: the first frame moves as it does.
        keeps_source_sound: whether the sound of the source video is kept.
        camera_control: a camera movement of contract 2026-04.
        static_mask: the area of the first frame that stays still; empty for none.
        dynamic_masks: areas of the first frame that move: a ``mask_url`` and ``trajectories`` each.
        facts: short texts for the caption, such as the model and the resolution.
        negative_prompt: the content to avoid; empty for none.
        has_watermark: whether a watermark is drawn.
        seed: a number that decides the scenery.
        variation: a number that decides light, clouds and the boat's place within that scenery; 0 for the
            usual ones. Two tasks of one request differ only in it.
    """

    shots: tuple[Shot, ...]
    short_side: int = 720
    aspect_ratio: str = "16:9"
    has_sound: bool = False
    first_frame: str = ""
    last_frame: str = ""
    references: tuple[str, ...] = ()
    elements: tuple[Element, ...] = ()
    source_video: str = ""
    source_use: SourceUse | None = None
    keeps_source_sound: bool = False
    camera_control: Mapping[str, Any] | None = None
    static_mask: str = ""
    dynamic_masks: tuple[Mapping[str, Any], ...] = ()
    facts: tuple[str, ...] = ()
    negative_prompt: str = ""
    has_watermark: bool = False
    seed: int = 0
    variation: int = 0

    @property
    def seconds(self) -> int:
        """The length of the whole video in seconds."""
        return sum(shot.seconds for shot in self.shots)

    @property
    def urls(self) -> tuple[str, ...]:
        """The URLs of all pictures and videos, whose content may change from one drawing to the next."""
        urls = (
            self.first_frame,
            self.last_frame,
            *self.references,
            *(url for element in self.elements for url in element.urls),
            self.source_video,
            self.static_mask,
            *(mask["mask_url"] for mask in self.dynamic_masks),
        )
        return tuple(filter(None, urls))

    def as_dict(self) -> dict[str, Any]:
        """Return the order as JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the order from the output of ``as_dict``."""
        return cls(
            **{
                **data,
                "shots": tuple(Shot(**shot) for shot in data["shots"]),
                "references": tuple(data["references"]),
                "elements": tuple(
                    Element(element["name"], tuple(element["urls"])) for element in data["elements"]
                ),
                "dynamic_masks": tuple(data["dynamic_masks"]),
                "facts": tuple(data["facts"]),
            }
        )
