"""Periodic renewal of this kernel's holds, which shows other kernels that it is alive."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from ..background.writer import URGENT

if TYPE_CHECKING:
    from ...library.library import Library
    from ..background.loop import TaskMonitor

__all__ = ["renew"]

logger = logging.getLogger("qingbo_widgets")


async def renew(monitor: TaskMonitor, library: Library, holder: str, seconds: float) -> None:
    """Renew the holds of this kernel for ever; has no reference to the manager, which can be collected."""
    while True:
        await asyncio.sleep(seconds / 3)
        if library.journal.read_only:
            continue  # it may become writable again
        try:
            await monitor.journal(library.renew, holder, seconds, due=URGENT)
        except Exception:
            logger.warning("The journal in %s cannot be written", library.folder, exc_info=True)
