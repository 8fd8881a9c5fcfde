"""The code that follows a task again in a new kernel, and the line above it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from ...exceptions import InvalidRequest
from ...i18n import N_, tr
from ...service.contract.snapshot import TaskStatus
from ...service.credentials import find_base_url, find_contract
from ...system.notebook import notebook_folder, relative_path
from .states import ends_with_kernel, goes_on

if TYPE_CHECKING:
    from ...tasks.task import Owner, Task

__all__ = ["connect_line", "resume_label", "resume_line"]

_RUNNING = N_("This task continues at the service without this kernel; nothing is lost. To follow it again:")
_ENDED = N_("The sandbox ends with its kernel, and this task with it. Nothing was charged.")
_IS_KEPT = N_("The video is finished at the service, and not saved yet. To save it:")
_RESUME = N_("To follow it again in a new kernel:")
_NO_ID_YET = N_("Its id is not known yet. To look for it in a new kernel:")


def resume_label(task: Task) -> str:
    """Return the line above ``resume_line``."""
    if not task.task_id:
        return tr(_NO_ID_YET)
    if ends_with_kernel(task):
        return tr(_ENDED)
    if task.status == TaskStatus.completed:
        return tr(_IS_KEPT)
    return tr(_RUNNING) if goes_on(task) else tr(_RESUME)


def resume_line(task: Task) -> str:
    """Return the Python code that follows the task again in a new kernel."""
    resume = f".resume({json.dumps(task.task_id)})" if task.task_id else ".tasks"
    return connect_line(task.manager) + resume


def connect_line(manager: Owner) -> str:
    """Return the Python code that connects a new kernel like this one."""
    arguments, client, address = [], manager.client, ""
    if manager.is_sandbox:
        arguments.append("sandbox=True")
    elif client.base_url != find_base_url(client.contract):
        address = client.base_url
        arguments.append(f"base_url={json.dumps(address)}")
    if client.contract.name != _usual_contract(manager, address if manager.is_sandbox or address else None):
        arguments.append(f"contract={json.dumps(client.contract.name)}")
    folder = manager.library.folder
    if os.path.realpath(folder) != os.path.realpath(notebook_folder() / "qingbo_videos"):
        shown = relative_path(folder) or folder.as_posix()
        arguments.append(f"library={json.dumps(shown, ensure_ascii=False)}")
    if manager.embed is not None and manager.embed != manager.configured_embed():
        arguments.append(f"embed={manager.embed}")
    return f"import qingbo_widgets as qw\nqw.connect({', '.join(arguments)})"


def _usual_contract(manager: Owner, address: str | None) -> str:
    """Return the contract of a connection that names none; empty if ``QINGBO_CONTRACT`` is misspelt."""
    try:
        return find_contract(manager.configured_contract(), address).name
    except InvalidRequest:
        return ""
