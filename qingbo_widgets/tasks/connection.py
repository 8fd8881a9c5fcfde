"""``connect`` and ``generate``: the default manager of a notebook."""

from __future__ import annotations

import json
import threading
import weakref
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from ..exceptions import InvalidRequest, QingboError
from ..i18n import N_, tr
from ..library.budget import Budget
from ..library.library import Library
from ..service.client import Client
from ..service.contract.contracts import Contract
from ..service.contract.frames import IMAGE
from ..service.contract.misspelt import check_names
from ..service.contract.models import dated
from ..service.contract.offered import offers_fields
from ..service.contract.problem import Problem, listed
from ..service.contract.service_names import normalised
from ..service.contract.terms import contract_at
from ..service.credentials import find_contract
from ..service.secrets.secret import Secret, as_secret
from ..system.forks import run_in_children
from ..system.host import warn
from ..system.threads import check_threads
from . import completion
from .library_notes import library_note
from .manager import TaskManager
from .task import Owner, Task

if TYPE_CHECKING:
    from ..sandbox import Sandbox
    from ..service.contract.fields import FieldsAndModel
    from .uploading.choice import Upload

__all__ = ["connect", "current", "current_contract", "default", "generate", "reconnect"]

_CLOSED = N_(
    "The manager of the last connect() is closed, so nothing was sent. Call connect() again with the same "
    "arguments; without arguments it connects to the service, which charges for tasks."
)
_OTHER_HOST = N_(
    "{service} documents contract {usual}; you chose {contract}. The key is sent to this address only."
)
_UNUSED = N_("Connected to the sandbox: free test videos. Not used: {names}.")

_USUAL_FOLDER = "qingbo_videos"

_default: TaskManager | None = None
#: Managers by service, contract, folder and database, while anything references them.
_managers: weakref.WeakValueDictionary[tuple[str, str, Path, str | None], TaskManager]
_managers = weakref.WeakValueDictionary()
#: The sandboxes of this process by their contract, created on first use.
_own_sandboxes: dict[str, Sandbox] = {}
#: Makes two threads that connect at the same time get the same manager.
_connecting = threading.RLock()


def _renew_in_child() -> None:
    """Make a forked child open its own connections.

    The default manager remains the parent's and refuses the child: if the parent uses the sandbox, an
    automatic connection could spend money at the service.
    """
    global _managers, _own_sandboxes, _connecting
    _managers, _own_sandboxes, _connecting = weakref.WeakValueDictionary(), {}, threading.RLock()


run_in_children(_renew_in_child)


def connect(
    api_key: str | Secret | None = None,
    *,
    sandbox: bool | Sandbox = False,
    library: str | Path | Library = _USUAL_FOLDER,
    base_url: str | Secret | None = None,
    contract: str | None = None,
    budget: Budget | float | Decimal | str | None = None,
    upload: Upload | None = None,
    embed: bool | None = None,
) -> TaskManager:
    """Connect to the service or the sandbox, and resume the unfinished tasks of the library.

    The manager becomes the default one. Connecting again to the same service, contract and library returns
    the same manager with its tasks, so that a cell can be run twice; a new key replaces the old one.

    Args:
        api_key: the key; by default from the environment (``QINGBO_API_KEY``) or the keyring.
        sandbox: ``True`` to start the sandbox on this machine (no key, no cost, no AI), or a sandbox of
            your own. ``api_key`` and ``base_url`` are not used then, which a warning says.
        library: the folder for videos and journal, relative to the notebook, whatever the working directory.
        base_url: the service's URL, by default ``QINGBO_BASE_URL``, else that of the contract.
        contract: the date of the service's contract, such as ``"2026-11"``; by default
            ``c.TaskManager.contract``, ``QINGBO_CONTRACT``, that of the host of ``base_url``, or 2026-04.
        budget: the limit on what the tasks of this connection may cost, in US dollars, such as 5. One
            that would exceed it is refused with ``BudgetExceeded`` before anything is sent. ``None`` leaves
            the setting of the manager, at first that of ``c.TaskManager.budget``. ``Library.budget`` is the
            limit for all kernels of a folder.
        upload: where pictures and videos of this machine are uploaded, because the service reads public
            URLs only: an address such as ``"s3://bucket/folder"``, a ``Storage``, or a function that takes a
            path and returns a URL. The sandbox needs none.
        embed: whether all players, such as those of cards, galleries and sweeps, embed their videos in the
            notebook: up to 20 MB each and 100 MB in all. ``None`` leaves the setting of the manager, at first
            that of ``c.TaskManager.embed``, or to embed where the page gets no files, as in Colab.

    Raises:
        MissingApiKey: no key was passed and none was found.
        InvalidRequest: the key must not be sent to ``base_url``, or the contract is unknown or not that of
            the sandbox.
        QingboError: nothing can be saved in the library's folder; or its journal is damaged, or was created
            by another program; or this Python has no threads.
        TypeError: ``api_key`` is not a string, ``sandbox`` is one, or ``embed`` is none of its values.
        ImportError: the sandbox is not installed; the message explains how to install it.
    """
    # Rebind them, so that no later traceback can print the key, even one passed as base_url by mistake.
    api_key, base_url, contract = as_secret(api_key), as_secret(base_url), dated(contract)
    check_threads()
    if embed is not None and not isinstance(embed, bool):
        embed = None  # keep the value out of tracebacks, too
        raise TypeError(tr("embed must be True, False or None."))
    if isinstance(sandbox, str | Secret):
        sandbox = True  # keep the text out of tracebacks: it may be a key
        raise TypeError(tr("sandbox must be True or a Sandbox, not a string; the key is the first argument."))
    limit = Budget.of(budget)
    arguments = (*_library_arguments(library), *([] if embed is None else [f"embed={embed}"]))
    chosen, library = library, library if isinstance(library, Library) else Library(library)
    with _connecting:
        server = _server(sandbox, contract)
        if server is not None:
            given = {"api_key": api_key, "base_url": base_url}
            if unused := [name for name, value in given.items() if value]:
                warn(tr(_UNUSED).format(names=listed(unused)))
            client = Client(server.api_key, server.base_url, contract=server.contract)
        else:
            client = Client(api_key, base_url, contract=contract or TaskManager.configured_contract())
        client.connect_arguments = arguments
        manager = _connect(client, server, library, upload, embed)
        if limit is not None:
            manager.budget = limit
    if not isinstance(chosen, Library) and (note := library_note(chosen, library)):
        warn(note)
    return manager


def _library_arguments(library: str | Path | Library) -> tuple[str, ...]:
    """Return the code that passes the library to ``connect``; nothing for the usual one."""
    folder = str(library.folder if isinstance(library, Library) else library)
    return () if folder == _USUAL_FOLDER else (f"library={json.dumps(folder, ensure_ascii=False)}",)


def reconnect(manager: Owner, contract: str) -> TaskManager:
    """Connect with the key, address and library of a manager, in another contract. Submits nothing.

    The manager stays open, because it may follow tasks; the new one becomes the default.

    Raises:
        InvalidRequest: there is no contract with that date.
    """
    library = Library(manager.library.folder, database=manager.library.journal.database)
    with _connecting:
        new = _connect(
            manager.client.with_contract(contract),
            manager.sandbox,
            library,
            manager.inputs.upload,
            manager.embed,
        )
        new.budget = manager.budget
        return new


def _connect(
    client: Client,
    server: Sandbox | None,
    library: Library,
    upload: Upload | None,
    embed: bool | None,
) -> TaskManager:
    global _default
    if not library.journal.exists and (reason := library.read_only) is not None:
        raise QingboError(reason)
    service, contract = normalised(client.base_url), client.contract.name
    folder = library.folder.resolve()  # a folder and a link to it are the same library
    manager = _managers.get(name := (service, contract, folder, library.journal.database))
    if manager is None or manager.is_closed or manager.sandbox is not server:
        manager = TaskManager(client, library, sandbox=server)
        _managers[name] = manager
    else:
        manager.change_client(client)
    if upload is not None:
        manager.upload = upload
    if embed is not None:
        manager.embed = embed
    _default = manager
    if (usual := contract_at(client.base_url)) not in (None, contract):
        warn(tr(_OTHER_HOST).format(service=client.base_url, usual=usual, contract=contract))
    manager.recover_soon()
    completion.install()
    return manager


def _server(sandbox: bool | Sandbox, contract: str | None) -> Sandbox | None:
    """Return the running sandbox to connect to; ``None`` for the service."""
    if sandbox is False:
        return None
    if sandbox is not True:
        if contract not in (None, own := sandbox.contract):
            text = tr(
                "contract: this sandbox uses {own}, not {contract!r:.40}. Choose it with Sandbox(contract=…)."
            )
            raise InvalidRequest((Problem("contract", text.format(own=own, contract=contract)),))
        return _started(sandbox)
    # No address implies the contract: QINGBO_BASE_URL is not the sandbox's.
    name = find_contract(contract or TaskManager.configured_contract(), base_url="").name
    if name not in _own_sandboxes:
        from ..sandbox import Sandbox as Server

        _own_sandboxes[name] = Server(contract=name)
    return _started(_own_sandboxes[name])


def _started(sandbox: Sandbox) -> Sandbox:
    try:
        return sandbox.start()
    except RuntimeError as error:  # no thread is left for it
        raise QingboError(str(error)) from None


def default() -> TaskManager | None:
    """Return the default manager, open or closed, or ``None`` before the first connection. Never connects."""
    return _default


def current_contract(manager: TaskManager | None = None) -> Contract:
    """Return the contract of a manager; by default that which the next task uses. Never connect.

    Raises:
        InvalidRequest: there is no manager, and ``QINGBO_CONTRACT`` is not the date of a contract.
    """
    manager = manager or _default
    return find_contract(TaskManager.configured_contract()) if manager is None else manager.client.contract


def current() -> TaskManager:
    """Return the default manager; before the first connection, connect with the key from the environment.

    A closed manager remains the default: it may belong to the sandbox, and the next submission must not go
    to the service and be charged just because it was closed.

    Raises:
        MissingApiKey: there is no connection and no key.
        QingboError: the default manager is closed.
    """
    if _default is None:
        return connect()
    if _default.is_closed:
        raise QingboError(tr(_CLOSED))
    return _default


@offers_fields()
def generate(prompt: str = "", **fields: Unpack[FieldsAndModel]) -> Task:
    """Submit a task on the default manager and return at once; at the end of a cell the task shows its card.

    Args:
        prompt: a description of the video in any language, at most 2500 characters.
        **fields: as in ``VideoRequest``.

    Raises:
        InvalidRequest: the service would refuse it; nothing was sent.
        MissingApiKey: there is no connection and no key.
    """
    check_names("generate()", fields, own=(IMAGE,))
    return current().submit(prompt=prompt, **fields)
