"""The texts of a download's errors."""

from __future__ import annotations

from ...i18n import N_

__all__ = [
    "CHANGED",
    "CLOSED",
    "COMPRESSED",
    "EXPIRED",
    "NOTHING",
    "NOT_NAMED",
    "NOT_RESUMED",
    "NOT_WHOLE",
    "NOT_WRITTEN",
    "NO_VIDEO",
    "REFUSED",
    "STOPPED",
    "TOO_LARGE",
    "TO_WAIT",
    "TRIED",
    "WEB_PAGE",
]

CLOSED = N_("The client was closed before the video was complete; downloading again costs nothing.")
TO_WAIT = N_("{reason} Retry in {seconds:.0f} s; downloading again costs nothing.")
TRIED = N_("{reason} {count} tries failed; downloading again costs nothing.")
EXPIRED = N_(
    "The link to the video has expired ({status}, {link}): the service keeps videos for a limited time. The "
    "task's status may have a new link."
)
REFUSED = N_("The video server answered {status}.")
COMPRESSED = N_("The video server sent compressed data that cannot be decompressed.")
NOT_RESUMED = N_("The video server did not resume where the download stopped.")
NOTHING = N_("The video server sent nothing.")
STOPPED = N_("The video server stopped after {received} of {total} bytes.")
WEB_PAGE = N_("The link leads to a web page instead of a video ({link}).")
NO_VIDEO = N_("The link does not lead to a video ({link}).")
TOO_LARGE = N_("The video has {size:.1f} MB or more; the limit is {limit:.1f} MB.")
NOT_WRITTEN = N_("The video could not be written to {path}: {reason}.")
NOT_NAMED = N_(
    "The video is complete, as {part}, but could not be renamed to {path}: {reason}. Saving it again costs "
    "nothing."
)
CHANGED = N_("Another program changed {part} during the download.")
NOT_WHOLE = N_("The downloaded video is incomplete: it ends after {received} bytes.")
