"""A manager at the end of a cell: where it is connected, and the running tasks from before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...i18n import N_, tr
from ...system.notebook import shown_path
from ..base import html as markup
from ..base.html import Markup
from ..base.output import bundle, display_html
from . import shown

if TYPE_CHECKING:
    from ...tasks.manager import TaskManager
    from ...tasks.task import Owner, Task

__all__ = ["mimebundle", "show", "state_text"]

#: The maximum of cards that are shown.
MOST = 3

_SANDBOX = N_("Sandbox: free, no key. Placeholder videos, not AI.")
_CONNECTED = N_("Connected to {service}")
_REFUSED = N_("Not connected to {service}")
_CLOSED = N_("Closed: tasks are no longer followed.")
_ONE_GOES_ON = N_("1 earlier task is still running.")
_GO_ON = N_("{count} earlier tasks are still running.")
_UNFINISHED = N_("Unfinished earlier tasks: {count}")
_MORE = N_("and {count} more")


def show(manager: TaskManager) -> None:
    """Show a manager in the running cell, with the cards of the newest tasks that have not ended."""
    running = _running(manager)
    display_html(_line(manager, len(running)), _text(manager, len(running)))
    for task in running[:MOST]:
        shown.show(task)
    if (more := len(running) - MOST) > 0:
        text = tr(_MORE).format(count=more)
        display_html(markup.block(markup.note(text)), text)


def mimebundle(manager: TaskManager) -> dict[str, Any]:
    """Return a manager for hosts without widgets, as HTML and plain text."""
    count = len(_running(manager))
    return bundle(_line(manager, count), _text(manager, count))


def _running(manager: TaskManager) -> list[Task]:
    """Return the tasks that are followed, newest first."""
    return [task for task in reversed(manager.tasks) if not task.is_done]


def _line(manager: TaskManager, count: int) -> Markup:
    state, *facts = _facts(manager)
    head = markup.tag(
        "div",
        markup.span(state, "qingbo-status"),
        *(markup.span(fact, "qingbo-dim") for fact in facts),
        class_="qingbo-head",
    )
    return markup.block(head, markup.note(_count_text(manager, count))) if count else markup.block(head)


def _text(manager: TaskManager, count: int) -> str:
    line = " · ".join(map(markup.plain_line, _facts(manager)))
    return f"{line}\n{_count_text(manager, count)}" if count else line


def state_text(manager: Owner) -> str:
    """Return whether a manager is connected, and to what."""
    if manager.is_closed:
        return tr(_CLOSED)
    if manager.is_sandbox:
        return tr(_SANDBOX)
    text = _REFUSED if manager.client.key_refusal else _CONNECTED
    return tr(text).format(service=manager.client.base_url)


def _facts(manager: TaskManager) -> list[str]:
    folder = manager.library.folder
    return [
        state_text(manager),
        tr("contract {contract}").format(contract=manager.client.contract.name),
        tr("videos are saved in {folder}").format(folder=shown_path(folder)),
    ]


def _count_text(manager: TaskManager, count: int) -> str:
    if manager.is_sandbox:  # which may not have them: it ends with its kernel
        return tr(_UNFINISHED).format(count=count)
    return tr(_ONE_GOES_ON) if count == 1 else tr(_GO_ON).format(count=count)
