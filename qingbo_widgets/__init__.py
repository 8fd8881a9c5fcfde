"""AI video generation inside a Jupyter notebook.

>>> import qingbo_widgets as qw
>>> qw.connect(sandbox=True)          # no key, no cost; qw.connect() speaks to the service
>>> qw.VideoStudio()                  # a form and its videos
>>> task = qw.generate("一条锦鲤在清澈的池塘中游动，水面波光粼粼", model="kling-v2-master")
>>> task                              # the live card; task.wait() blocks, await task does not

Importing the package starts nothing: each name is loaded on its first use.
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .exceptions import (
        AuthenticationFailed,
        BadRequest,
        ConnectionFailed,
        DownloadFailed,
        InsufficientBalance,
        InvalidRequest,
        LinkExpired,
        MissingApiKey,
        QingboError,
        RateLimited,
        ServerFault,
        ServiceError,
        SubmissionUnconfirmed,
        TaskCancelled,
        TaskFailed,
        TaskNotFound,
        WaitTimeout,
    )
    from .i18n import set_locale
    from .library.library import Library
    from .sandbox import Sandbox
    from .service.client import Client, models
    from .service.contract.problem import Problem
    from .service.contract.request import CameraControl, DynamicMask, Shot, VideoRequest
    from .service.contract.snapshot import TaskSnapshot, TaskStatus
    from .tasks.connection import connect, generate
    from .tasks.manager import TaskManager
    from .tasks.sweep.make import sweep
    from .tasks.sweep.sweep import Sweep
    from .tasks.task import Task
    from .version import __version__ as __version__
    from .widgets.card.task_card import TaskCard
    from .widgets.form.request_form import RequestForm
    from .widgets.review.comparison import Comparison
    from .widgets.review.gallery import Gallery
    from .widgets.review.pairwise import Pairwise
    from .widgets.studio.frame_picker import FramePicker
    from .widgets.studio.video_studio import VideoStudio

__all__ = [
    "AuthenticationFailed",
    "BadRequest",
    "CameraControl",
    "Client",
    "Comparison",
    "ConnectionFailed",
    "DownloadFailed",
    "DynamicMask",
    "FramePicker",
    "Gallery",
    "InsufficientBalance",
    "InvalidRequest",
    "Library",
    "LinkExpired",
    "MissingApiKey",
    "Pairwise",
    "Problem",
    "QingboError",
    "RateLimited",
    "RequestForm",
    "Sandbox",
    "ServerFault",
    "ServiceError",
    "Shot",
    "SubmissionUnconfirmed",
    "Sweep",
    "Task",
    "TaskCancelled",
    "TaskCard",
    "TaskFailed",
    "TaskManager",
    "TaskNotFound",
    "TaskSnapshot",
    "TaskStatus",
    "VideoRequest",
    "VideoStudio",
    "WaitTimeout",
    "connect",
    "generate",
    "models",
    "set_locale",
    "sweep",
]

# What happens is told to whoever asks for it; a notebook's cells stay free of it.
logging.getLogger(__name__).addHandler(logging.NullHandler())

_HOMES = {
    "i18n": ("set_locale",),
    "service.contract.problem": ("Problem",),
    "service.client": ("Client", "models"),
    "service.contract.request": ("CameraControl", "DynamicMask", "Shot", "VideoRequest"),
    "service.contract.snapshot": ("TaskSnapshot", "TaskStatus"),
    "library.library": ("Library",),
    "tasks.connection": ("connect", "generate"),
    "tasks.manager": ("TaskManager",),
    "tasks.sweep.make": ("sweep",),
    "tasks.sweep.sweep": ("Sweep",),
    "tasks.task": ("Task",),
    "version": ("__version__",),
    "widgets.card.task_card": ("TaskCard",),
    "widgets.review.comparison": ("Comparison",),
    "widgets.form.request_form": ("RequestForm",),
    "widgets.studio.frame_picker": ("FramePicker",),
    "widgets.review.gallery": ("Gallery",),
    "widgets.review.pairwise": ("Pairwise",),
    "widgets.studio.video_studio": ("VideoStudio",),
    "sandbox": ("Sandbox",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


if not TYPE_CHECKING:  # or any name would pass for one of ours

    def __getattr__(name: str) -> Any:
        if name not in __all__ and name not in _HOME_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f".{_HOME_OF.get(name, 'exceptions')}", __name__), name)
        globals()[name] = value
        return value


def load_ipython_extension(ipython: Any) -> None:
    """What ``%load_ext qingbo_widgets`` calls: ``%%qingbo`` and ``%qingbo`` are there from then on."""
    importlib.import_module(".magics", __name__).load(ipython)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
