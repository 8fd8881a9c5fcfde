"""AI video generation inside a Jupyter notebook.

>>> import qingbo_widgets as qw
>>> qw.connect(sandbox=True)          # no key, no cost; qw.connect() uses the real service
>>> qw.VideoStudio()                  # a form and the videos it makes
>>> task = qw.generate("一条锦鲤在清澈的池塘中游动，水面波光粼粼", model="kling-v2-master")
>>> task                              # the live card; task.wait() blocks, await task does not

Importing the package starts nothing; each name is loaded on first use.
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .exceptions import (
        AuthenticationFailed,
        BadRequest,
        BudgetExceeded,
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
        UploadFailed,
        WaitTimeout,
    )
    from .i18n import set_locale
    from .library.budget import Budget
    from .library.library import Library
    from .sandbox import Sandbox
    from .service.client import Client, models
    from .service.contract.pricing.answers import Balance
    from .service.contract.pricing.price import Price, PriceSource
    from .service.contract.problem import Problem
    from .service.contract.request import CameraControl, DynamicMask, Shot, VideoRequest
    from .service.contract.snapshot import TaskSnapshot, TaskStatus
    from .tasks.account import balance, price, spending
    from .tasks.connection import connect, generate
    from .tasks.manager import TaskManager
    from .tasks.sweep.make import sweep
    from .tasks.sweep.sweep import Sweep
    from .tasks.task import Task
    from .tasks.uploading.storage import Storage
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
    "Balance",
    "Budget",
    "BudgetExceeded",
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
    "Price",
    "PriceSource",
    "Problem",
    "QingboError",
    "RateLimited",
    "RequestForm",
    "Sandbox",
    "ServerFault",
    "ServiceError",
    "Shot",
    "Storage",
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
    "UploadFailed",
    "VideoRequest",
    "VideoStudio",
    "WaitTimeout",
    "balance",
    "connect",
    "generate",
    "models",
    "price",
    "set_locale",
    "spending",
    "sweep",
]

# Silent unless the user configures logging, so that log lines do not clutter the cells of a notebook.
logging.getLogger(__name__).addHandler(logging.NullHandler())

_NAMES_BY_MODULE = {
    "i18n": ("set_locale",),
    "service.contract.pricing.answers": ("Balance",),
    "service.contract.pricing.price": ("Price", "PriceSource"),
    "service.contract.problem": ("Problem",),
    "service.client": ("Client", "models"),
    "service.contract.request": ("CameraControl", "DynamicMask", "Shot", "VideoRequest"),
    "service.contract.snapshot": ("TaskSnapshot", "TaskStatus"),
    "library.budget": ("Budget",),
    "library.library": ("Library",),
    "tasks.connection": ("connect", "generate"),
    "tasks.manager": ("TaskManager",),
    "tasks.account": ("balance", "price", "spending"),
    "tasks.sweep.make": ("sweep",),
    "tasks.sweep.sweep": ("Sweep",),
    "tasks.task": ("Task",),
    "tasks.uploading.storage": ("Storage",),
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
_MODULE_OF = {name: module for module, names in _NAMES_BY_MODULE.items() for name in names}


if not TYPE_CHECKING:  # with it, type checkers would accept any name

    def __getattr__(name: str) -> Any:
        if name not in __all__ and name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f".{_MODULE_OF.get(name, 'exceptions')}", __name__), name)
        globals()[name] = value
        return value


def load_ipython_extension(ipython: Any) -> None:
    """Register the ``%%qingbo`` and ``%qingbo`` magics; called by ``%load_ext qingbo_widgets``."""
    importlib.import_module(".magics", __name__).load(ipython)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
