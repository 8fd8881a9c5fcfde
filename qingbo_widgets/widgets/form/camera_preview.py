"""SVG images of camera movements: a small icon for each preset, and an animated landscape.

They need no script and no request: the movement is a CSS animation, and each layer has its own end position.
With ``prefers-reduced-motion``, the landscape is shown at the end of the movement without animation.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..base import html as markup

__all__ = ["CSS", "PRESETS", "icon", "landscape"]

#: Each preset as values of the service's axes; ``forward`` is a movement that no single axis can express.
PRESETS: Mapping[str, Mapping[str, float]] = {
    "down_back": {"vertical": -6, "forward": -7},
    "forward_up": {"vertical": 6, "forward": 7},
    "right_turn_forward": {"tilt": 6, "forward": 7},
    "left_turn_forward": {"tilt": -6, "forward": 7},
}

CSS = markup.read_css(__file__, "camera_preview.css")

#: The layers of the landscape, far to near: the share of the camera's movement that applies, and the shapes.
#: All extend far beyond the frame of 160 x 90, so that no movement shows an edge.
_LAYERS = (
    (
        0.04,
        '<rect x="-300" y="-300" width="760" height="690" fill="#8ecae6"/>'
        '<rect x="-300" y="20" width="760" height="60" fill="#cfe8f3"/>'
        '<circle cx="118" cy="18" r="9" fill="#ffd166"/>',
    ),
    (
        0.15,
        '<path d="M-300 60 L-210 26 -150 50 -90 22 -30 48 22 20 62 44 96 28 138 50 190 24 250 48 320 26 '
        '460 60 V400 H-300Z" fill="#6d8fa8"/>'
        '<path d="M10 27 L22 20 34 27 27 26 22 30 17 26Z M88 32 96 28 106 33 97 32Z" fill="#f4f8fb"/>',
    ),
    (
        0.4,
        '<path d="M-300 62 Q-220 44 -140 60 T20 58 T180 60 T340 56 T460 62 V400 H-300Z" fill="#5b8c5a"/>'
        '<path d="M58 52 h14 v9 h-14z" fill="#b5533c"/><path d="M56 52 l9 -6 9 6z" fill="#7a3325"/>'
        '<path d="M63 56 h4 v5 h-4z" fill="#f4e3c1"/>',
    ),
    (
        1.0,
        '<path d="M-300 78 Q-200 66 -100 76 T80 76 T260 74 T460 78 V400 H-300Z" fill="#3d6b43"/>'
        '<path d="M22 78 v-17 h3 v17z M124 78 v-21 h3.4 v21z M-70 78 v-19 h3 v19z M226 78 v-18 h3 v18z" '
        'fill="#5a3a22"/>'
        '<g fill="#24502f"><circle cx="23.500" cy="55" r="9"/><circle cx="125.700" cy="50" r="11"/>'
        '<circle cx="-68.500" cy="53" r="10"/><circle cx="227.500" cy="54" r="10"/></g>',
    ),
)

#: The frame at the end of the movement in each icon (x, y, width, height), inside 64 x 36.
_ENDS: Mapping[str, tuple[float, float, float, float]] = {
    "down_back": (3, 4, 58, 31),
    "forward_up": (22, 6, 20, 11),
    "right_turn_forward": (38, 12, 20, 11),
    "left_turn_forward": (6, 12, 20, 11),
}
_START = (16.0, 9.0, 32.0, 18.0)


def landscape(axes: Mapping[str, float], label: str) -> str:
    """Return a landscape as the camera sees it during this movement, repeated endlessly.

    Args:
        axes: the service's axes and ``forward``, each from -10 to 10.
        label: the text alternative, for screen readers.
    """
    part = {axis: min(max(float(value), -10.0), 10.0) / 10 for axis, value in axes.items()}
    layers = []
    for depth, shapes in _LAYERS:
        # The picture moves opposite to the camera. Translation shifts near layers more than far ones;
        # rotation shifts all layers equally.
        x = -58 * depth * part.get("horizontal", 0.0) - 44 * part.get("tilt", 0.0)
        y = 30 * depth * part.get("vertical", 0.0) + 26 * part.get("pan", 0.0)
        nearer = 1 + part.get("forward", 0.0) * (0.12 + 0.55 * depth) * (
            1 if part.get("forward", 0) > 0 else 0.6
        )
        # The sign is the service's: a longer focal length, which magnifies the picture, is below zero.
        zoom = 1.9 ** -part.get("zoom", 0.0)
        to = (
            f"rotate({-22 * part.get('roll', 0.0):.2f}deg) scale({zoom:.3f}) "
            f"translate({x:.2f}px, {y:.2f}px) scale({nearer:.3f})"
        )
        layers.append(f'<g class="qingbo-layer" style="--qingbo-to: {to}">{shapes}</g>')
    return (
        f'<svg class="qingbo-landscape" viewBox="0 0 160 90" role="img" aria-label="{markup.escape(label)}">'
        f'<g class="qingbo-scene">{"".join(layers)}</g></svg>'
    )


def icon(kind: str | None) -> str:
    """Return the icon of a preset: the frame at the beginning and, dashed, at the end.

    Args:
        kind: the preset, ``simple``, or ``None`` for a camera that is not set.
    """
    lines = ['<path d="M0 27 L14 17 24 24 38 14 52 24 64 18" opacity="0.45"/>', _rectangle(_START)]
    if kind == "simple":
        lines.append(
            '<path class="qingbo-to" d="M20 18 H44 M32 11 V25 M23 15.500 20 18 23 20.500 M41 15.500 44 18 41 '
            '20.500 M29.500 13.500 32 11 34.500 13.500 M29.500 22.500 32 25 34.500 22.500"/>'
        )
    elif kind is not None and kind in _ENDS:
        end = _ENDS[kind]
        lines.append(_rectangle(end, 'class="qingbo-to" stroke-dasharray="3 2"'))
        for right, low in ((0, 0), (1, 0), (0, 1), (1, 1)):
            (x, y), (u, v) = ((box[0] + right * box[2], box[1] + low * box[3]) for box in (_START, end))
            lines.append(f'<path class="qingbo-to" opacity="0.6" d="M{x:g} {y:g} L{u:g} {v:g}"/>')
    return (
        '<svg class="qingbo-icon" viewBox="0 0 64 36" fill="none" stroke="currentColor" stroke-width="1.3" '
        f'aria-hidden="true">{"".join(lines)}</svg>'
    )


def _rectangle(box: tuple[float, float, float, float], attributes: str = "") -> str:
    x, y, width, height = box
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="1.5" {attributes}/>'
