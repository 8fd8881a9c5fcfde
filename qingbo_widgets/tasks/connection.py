"""``connect`` and ``generate``: the manager that a notebook uses without naming it."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..exceptions import QingboError
from ..i18n import N_, tr
from ..library.library import Library
from ..service.client import Client
from ..service.contract.service_names import normalised
from ..service.secrets.secret import Secret, hidden
from ..system.forks import in_child
from .manager import TaskManager
from .task import Task

if TYPE_CHECKING:
    from ..sandbox import Sandbox

__all__ = ["connect", "current", "default", "generate"]

_CLOSED = N_(
    "The manager of the last connect() is closed, so nothing was sent. Call connect() again with the same "
    "arguments; without arguments it connects to the service, which charges for tasks."
)

_default: TaskManager | None = None
#: By service, folder and database, as long as anything uses them.
_managers: weakref.WeakValueDictionary[tuple[str, Path, str | None], TaskManager]
_managers = weakref.WeakValueDictionary()
#: The sandbox of this process, made when it is first asked for.
_own_sandbox: Sandbox | None = None
#: Two threads that connect at once get the same manager.
_connecting = threading.RLock()


def _renew_in_child() -> None:
    """Have a forked child connect for itself.

    The default manager stays the parent's, which refuses the child: where the parent uses the sandbox,
    connecting unasked could spend money at the service.
    """
    global _managers, _own_sandbox, _connecting
    _managers, _own_sandbox, _connecting = weakref.WeakValueDictionary(), None, threading.RLock()


in_child(_renew_in_child)


def connect(
    api_key: str | Secret | None = None,
    *,
    sandbox: bool | Sandbox = False,
    library: str | Path | Library = "qingbo_videos",
    base_url: str | Secret | None = None,
    upload: Callable[[Path], str] | None = None,
) -> TaskManager:
    """Connect to the service, or to the sandbox, and go on with what the library has unfinished.

    The manager is the default one from then on. Connecting again to the same service and library gives the
    same manager with its tasks, so a cell can be run twice; a new key takes the place of the old one.

    Args:
        api_key: by default from the environment (``QINGBO_API_KEY``), or the keyring.
        sandbox: ``True`` starts the sandbox on this machine: no key, no cost, not the AI. Or one of yours.
        library: the folder for videos and journal, relative to the notebook.
        base_url: the service's address, by default ``QINGBO_BASE_URL``, else the documented one.
        upload: uploads a picture of this machine and returns its public URL, for going on from a frame. The
            sandbox needs none.

    Raises:
        MissingApiKey: no key was given and none was found.
        InvalidRequest: the key must not be sent to ``base_url``.
        TypeError: ``api_key`` is no text, or ``sandbox`` is one.
        ImportError: the sandbox is not installed; the message says how.
    """
    # Rebound, so that no traceback from here on can print the key, even where base_url should be.
    api_key, base_url = hidden(api_key), hidden(base_url)
    if isinstance(sandbox, str | Secret):
        sandbox = True  # no traceback shows it: it may be a key
        raise TypeError(tr("sandbox is True or a Sandbox, not a text; a key is the first argument."))
    library = library if isinstance(library, Library) else Library(library)
    with _connecting:
        return _connect(api_key, base_url, sandbox, library, upload)


def _connect(
    api_key: Secret | None,
    base_url: Secret | None,
    sandbox: bool | Sandbox,
    library: Library,
    upload: Callable[[Path], str] | None,
) -> TaskManager:
    global _default
    server = _server(sandbox)
    client = Client(server.api_key, server.base_url) if server is not None else Client(api_key, base_url)
    manager = _managers.get(name := (normalised(client.base_url), library.folder, library.journal.database))
    if manager is None or manager.is_closed or manager.sandbox is not server:
        manager = TaskManager(client, library, sandbox=server)
        _managers[name] = manager
    else:
        manager.client = client
    manager.upload = upload or manager.upload
    _default = manager
    manager.recover_soon()
    return manager


def _server(sandbox: bool | Sandbox) -> Sandbox | None:
    global _own_sandbox
    if sandbox is False:
        return None
    if sandbox is not True:
        return sandbox.start()
    if _own_sandbox is None:
        from ..sandbox import Sandbox as Server

        _own_sandbox = Server()
    return _own_sandbox.start()


def default() -> TaskManager | None:
    """Return the default manager, closed or not; ``None`` where nothing has connected. Connects nothing."""
    return _default


def current() -> TaskManager:
    """Return the default manager; connect with the key from the environment where nothing has connected yet.

    A closed one stays the default. It may be that of the sandbox, and what is submitted next must not go to
    the service, and be charged, for that reason alone.

    Raises:
        MissingApiKey: nothing has connected, and there is no key.
        QingboError: the default manager is closed.
    """
    if _default is None:
        return connect()
    if _default.is_closed:
        raise QingboError(tr(_CLOSED))
    return _default


def generate(prompt: str = "", **fields: Any) -> Task:
    """Submit a task on the default manager. Returns at once; at the end of a cell the task shows its card.

    Args:
        prompt: what the video shows, in any language, at most 2500 characters.
        **fields: as in ``VideoRequest``.

    Raises:
        InvalidRequest: the service would refuse it; nothing was sent.
        MissingApiKey: nobody has connected, and there is no key.
    """
    return current().submit(prompt=prompt, **fields)
