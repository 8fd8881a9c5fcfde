"""``find_task``: the id and the object of the task in a response, also if a gateway has wrapped it.

The service's own response is the task itself, with ``task_id`` at its root. Gateways and the services behind
them put the task into ``data`` or ``output``, call its id ``id``, or send it as a number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .reasons import refuses

__all__ = ["TASK_IDS", "find_task", "first_of", "has_id", "layers_of", "status_word"]

#: Members that hold the task, or the rest of its fields.
_WRAPPERS = ("data", "task", "output", "result", "response", "content")
_MOST_LAYERS, _DEEPEST = 16, 3
#: Members that are the id of a task, and of nothing else.
TASK_IDS = ("task_id", "taskId")
_STATUSES = ("status", "task_status", "state")
#: Status words of an envelope: they say that the request was answered, not how the task is.
_ENVELOPE_WORDS = frozenset({"success", "ok"})
#: Words for a request that was refused, as well as for a task that failed.
_REFUSED_WORDS = frozenset({"error", "errored", "fail", "failed", "failure"})
#: The statuses of the service. Other words may be about something else than a task.
_DOCUMENTED_WORDS = frozenset({"queued", "processing", "completed", "failed", "cancelled"})
#: Members that only a task has, and those that only a task that may have ended has.
_SIGNS = ("progress", "created_at", "completed_at", "model", "result", "cost", "billing_status", "urls")
_SIGNS_OF_AN_END = ("progress", "completed_at", "cost", "billing_status")
_LONGEST_ID = 256
#: What programs write in place of a missing id.
_NO_IDS = frozenset({"0", "nil", "none", "null", "undefined"})
#: Tasks of a list among which the requested one is searched.
_MOST_LISTED = 1000


def layers_of(body: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """Return an object and those wrapped in it, the outermost first."""
    found, edge = [body], [body]
    for _ in range(_DEEPEST):
        inside = [
            inner
            for layer in edge
            for name in _WRAPPERS
            if (inner := _object_in(layer.get(name))) is not None
        ]
        found, edge = found + inside, inside
    return tuple(found[:_MOST_LAYERS])


def find_task(
    body: Mapping[str, Any], asked: str = "", *, is_error: bool = False
) -> tuple[str, Mapping[str, Any]] | None:
    """Return the id and the object of the task that a response is about; ``None`` if there is none.

    Args:
        body: the response.
        asked: the id that was asked for, if any. Unless the response itself has a ``task_id``, the object
            with that id comes first, also in a list of tasks: a gateway may add the id at the service behind
            it. A response without any id is about that task if it has the status of one; one about another
            task is returned with its own id.
        is_error: whether the HTTP status says that the request failed.
    """
    layers = layers_of(body)
    if task_id := _id_of(body, TASK_IDS):
        return task_id, body
    if asked and (own := _object_of(asked, layers)) is not None:
        return asked, own
    for layer in layers:
        if task_id := _id_of(layer, TASK_IDS):
            return task_id, layer
    named = [(task_id, layer) for layer in layers if (task_id := _id_of(layer, ("id",)))]
    # ``id`` may be that of the request: it counts beside a status, or in an answer that reports no error.
    running = [one for one in named if status_word((one[1],)) and not _is_refused(one[1])]
    if running:
        return next((one for one in running if not _is_envelope(one[1])), running[0])
    if named and not is_error and not refuses(*layers) and not _is_refused(named[0][1]):
        return named[0]
    if asked and not named:
        return next(((asked, layer) for layer in layers if _is_about_a_task(layer)), None)
    return None


def has_id(layer: Mapping[str, Any], task_id: str) -> bool:
    """Return whether an object is the one of this task."""
    return task_id in (_id_of(layer, TASK_IDS), _id_of(layer, ("id",)))


def status_word(layers: Sequence[Mapping[str, Any]]) -> str:
    """Return the status in the first object that has one; that inside an envelope's "success"."""
    words = [
        word
        for layer in layers
        for name in _STATUSES
        if isinstance(word := layer.get(name), str) and word.strip()
    ]
    is_envelope = len(words) > 1 and words[0].strip().lower() in _ENVELOPE_WORDS
    return words[is_envelope] if words else ""


def first_of(layers: Sequence[Mapping[str, Any]], *names: str) -> Any:
    """Return the first value with one of these names that is not ``None``, from the outermost object on."""
    values = (layer.get(name) for layer in layers for name in names)
    return next((value for value in values if value is not None), None)


def _object_in(value: object) -> Mapping[str, Any] | None:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, Mapping) else None


def _object_of(task_id: str, layers: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the object with this id, among these and in the lists of tasks that they hold."""
    lists = (value for layer in layers for name in _WRAPPERS if isinstance(value := layer.get(name), list))
    entries = [entry for value in lists for entry in value[:_MOST_LISTED] if isinstance(entry, Mapping)]
    # ``id`` comes last: it may be that of the request.
    candidates = ((one, names) for names in (TASK_IDS, ("id",)) for one in (*layers, *entries))
    return next((one for one, names in candidates if _id_of(one, names) == task_id), None)


def _id_of(layer: Mapping[str, Any], names: Sequence[str]) -> str:
    """Return a usable id of these names; empty if there is none."""
    for name in names:
        value = layer.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**_LONGEST_ID:
            return str(value)
        if isinstance(value, str) and len(value) <= _LONGEST_ID and _may_be_id(value):
            return value
    return ""


def _may_be_id(text: str) -> bool:
    return text.isprintable() and text.strip().lower() not in ("", *_NO_IDS)


def _is_refused(layer: Mapping[str, Any]) -> bool:
    return status_word((layer,)).strip().lower() in _REFUSED_WORDS


def _is_envelope(layer: Mapping[str, Any]) -> bool:
    return status_word((layer,)).strip().lower() in _ENVELOPE_WORDS


def _is_about_a_task(layer: Mapping[str, Any]) -> bool:
    """Return whether an object without an id is a task: "failed" alone may be about the request."""
    word = status_word((layer,)).strip().lower()
    if word in _DOCUMENTED_WORDS - _REFUSED_WORDS:
        return True
    if word in _REFUSED_WORDS:  # a counter that has not begun is no sign of an end
        return any(map(layer.get, _SIGNS_OF_AN_END))
    return word != "" and any(layer.get(name) not in (None, "", {}, []) for name in _SIGNS)
