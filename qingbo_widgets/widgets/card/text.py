"""The texts of a task, plain and as HTML. Pure functions of the task, without state."""

from __future__ import annotations

import json
import math
import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ...exceptions import AuthenticationFailed, InvalidRequest, LinkExpired, TaskNotFound
from ...i18n import N_, sentences, tr
from ...service.contract.callbacks import callback_note
from ...service.contract.quota import quota_text
from ...service.contract.snapshot import TaskStatus
from ...service.contract.status_names import status_label
from ...service.contract.terms import terms_of
from ...service.credentials import find_base_url, find_contract
from ...system.notebook import notebook_folder, relative_path
from ...system.times import local_time
from ...tasks.clocks import on_our_clock
from ..base import html as markup
from ..base.html import Markup
from ..base.player import embed_html, files_html, saved_html, video_html
from ..base.settings import cost_text, prompt_of, settings_of

if TYPE_CHECKING:
    from ...tasks.task import Owner, Task

__all__ = [
    "about",
    "advice",
    "can_cancel",
    "clock",
    "connect_line",
    "ended",
    "ends_with_kernel",
    "goes_on",
    "headline",
    "is_over",
    "is_resumable",
    "is_settled",
    "is_unfollowed",
    "left_text",
    "link",
    "percent",
    "progress",
    "resume_label",
    "resume_line",
    "saved_status",
    "static_copy",
    "status",
    "time_left",
    "took",
]

_CANCELLABLE = (TaskStatus.submitting, TaskStatus.queued)

_SAVE_AGAIN = N_("The task is finished and paid for; saving it again costs nothing.")
_LINK_EXPIRED = N_("Finished videos stay at the service for {time} only.")
_KEY_REFUSED = N_("Connect with a key that works, and the task is followed again.")
_NOT_FOUND = N_(
    "The service took this task, so it may have been charged: its dashboard says. Following it again costs "
    "nothing."
)
_KEPT_FOR = N_("the service keeps it for {left} more")
#: Seconds below which an estimate of the time that remains is not shown as a number.
ALMOST_DONE = 5.0
#: The shortest time that is shown in days.
_LONG_TIME = timedelta(days=2)
_KEPT_UNTIL = N_("the service keeps it until {end}")
_AS_STORED = N_("when the notebook was saved; submitted {when}")
_GOES_ON = N_("This task goes on at the service without this kernel, and nothing is lost. To take it up:")
_ENDED = N_("The sandbox ends with its kernel, and this task with it. Nothing was charged.")
_IS_KEPT = N_("The video is finished at the service, and not saved yet. To save it:")
_RESUME = N_("To follow it again in a new kernel:")
_NO_ID_YET = N_("Its id is not known yet. To see what became of it, in a new kernel:")
_WILL_PLAY = N_("As soon as the video is saved, in whatever kernel, it plays here:")


def is_over(task: Task) -> bool:
    """Return whether the task has stopped; unlike ``is_done``, already true in the change that stops it."""
    return task.is_done or task.error is not None or task.video_path is not None


def is_settled(task: Task) -> bool:
    """Return whether the task is over and no button could change that."""
    if task.video_path is not None or task.status == TaskStatus.cancelled:
        return not task.saves_others
    return task.status == TaskStatus.failed and bool(task.task_id)


def can_cancel(task: Task) -> bool:
    """Return whether the service could still cancel the task: it cancels queued tasks only."""
    return task.status in _CANCELLABLE and not is_over(task)


def is_unfollowed(task: Task) -> bool:
    """Return whether the service may still work on the task, but it is no longer polled."""
    ended = task.status.is_ended or task.status == TaskStatus.unconfirmed
    return task.is_done and not ended and task.video_path is None


def percent(task: Task) -> int:
    """Return the current progress in percent: of the generation, then of the download."""
    return int(task.shown_progress) if task.download is None else round(100 * task.download)


def link(task: Task) -> str:
    """Return the service's URL of the video; empty if there is none or it has expired."""
    end = on_our_clock(task, task.expires_at)
    is_there = bool(task.video_urls) and (end is None or end > datetime.now(UTC))
    return str(task.video_urls[0]) if is_there else ""


def clock(seconds: float) -> str:
    """Return a time span as text: 0:07, 12:30, 1:00:00."""
    whole = max(int(seconds), 0)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def status(task: Task) -> str:
    """Return the status as text."""
    if task.status == TaskStatus.completed and task.video_path is None:
        if task.download is not None:
            return tr("Finished, saving the video: {percent:.0f} %").format(percent=percent(task))
        return tr("Finished, the video is not saved") if is_over(task) else tr("Finished, saving the video")
    if is_unfollowed(task):
        is_lost = isinstance(task.error, TaskNotFound)
        return tr("Not found at the service") if is_lost else tr("Not followed any more")
    return status_label(task.status)


def headline(task: Task, now: datetime | None = None, shown: int | None = None) -> Markup:
    """Return the line above the bar, as HTML: status, percent, time, time left.

    Args:
        task: the task.
        now: the current time, UTC.
        shown: the percent that the bar shows; the current progress by default.
    """
    facts = [markup.span(status(task), "qingbo-status")]
    over, now = is_over(task), now or datetime.now(UTC)
    if not over and not task.status.is_ended and task.status != TaskStatus.submitting:
        facts.append(progress(percent(task) if shown is None else shown, status(task)))
    facts += [markup.span(part, "qingbo-dim") for part in (_elapsed(task, now), time_left(task)) if part]
    if (left := _retention(task, now, over)) is not None:
        facts.append(markup.span(left, "qingbo-dim"))
    return markup.tag("div", markup.join(facts, " "), class_="qingbo-head")


def progress(shown: int, name: str) -> Markup:
    """Return the percent as HTML, as the progress bar of screen readers: the bar on screen has no role.

    Args:
        shown: the percent.
        name: the name of what progresses.
    """
    value = str(shown)
    return markup.tag(
        "span",
        markup.text(f"{value} %"),
        role="progressbar",
        aria_label=name,
        aria_valuemin="0",
        aria_valuemax="100",
        aria_valuenow=value,
    )


def took(task: Task) -> str:
    """Return how long an ended task took, such as "20 s"; empty if that is unknown or no time at all.

    The time ends when the task was seen to end, if that was later, because the clock on screen ran till then.
    """
    ends = [end for end in (on_our_clock(task, task.completed_at), task.end_seen_at) if end is not None]
    seconds = (max(ends) - task.submitted_at).total_seconds() if ends and task.task_id else 0.0
    if seconds < 1:
        return ""
    return tr("{seconds} s").format(seconds=int(seconds)) if seconds < 60 else clock(seconds)


def time_left(task: Task) -> str:
    """Return the estimate of the time that remains; empty if there is none.

    Its last seconds are not counted: how long the service takes to store a video is not known.
    """
    seconds = None if is_over(task) or task.status.is_ended else task.seconds_left
    return "" if seconds is None else left_text(seconds)


def left_text(seconds: float) -> str:
    """Return an estimate of the seconds that remain, as text."""
    if seconds < ALMOST_DONE:
        return tr("almost done")
    return tr("about {left} left").format(left=clock(seconds))


def about(task: Task, *, folds_id: bool = True) -> Markup:
    """Return the request as HTML: the prompt and the main settings.

    Args:
        task: the task.
        folds_id: whether the id is folded; not in details that are folded themselves.
    """
    details = _details(task) if folds_id else _id(task, "qingbo-dim qingbo-details")
    request = task.request
    if request is None:
        return markup.tag("div", markup.chips(task.model, _price(task))) + details
    prompt = prompt_of(request)
    shots = tr("{count} shots").format(count=len(request.prompts)) if request.is_multi_shot else ""
    sent = settings_of(request, task.contract)
    facts = markup.chips(task.model, sent.length, sent.resolution, shots, sent.shape, _price(task))
    callback = callback_note(request)
    return (
        markup.user_text(markup.shorten(prompt, 240), class_="qingbo-prompt")
        + markup.tag("div", facts)
        + (markup.note(callback) if callback else Markup())
        + details
    )


def _details(task: Task) -> Markup:
    """Return what only a support case needs, folded: the id, which can be selected and copied."""
    if not task.task_id:
        return Markup() if is_over(task) else markup.tag("div", Markup(), class_="qingbo-details-space")
    summary = markup.tag("summary", markup.text(tr("Details")))
    return markup.tag("details", summary, _id(task), class_="qingbo-dim qingbo-details")


def _id(task: Task, class_: str | None = None) -> Markup:
    if not task.task_id:
        return Markup()
    code = markup.tag("code", markup.escape(task.task_id))
    line = markup.text(tr("Task id:")) + " " + code
    return markup.tag("div", line, class_=class_)


def advice(task: Task, problem: str = "", news: str = "", now: datetime | None = None) -> Markup:
    """Return the message and the error of the task, with the remedy, as HTML.

    Args:
        task: the task.
        problem: the error of a button, shown as well.
        news: what a button has done, shown as well.
        now: the current time, UTC, for a view that counts the seconds until the next try.
    """
    lines = []
    if task.message:
        lines.append(markup.note(_message(task, now), "dim" if is_over(task) else "hint"))
    if task.error is not None and not _is_plain_cancellation(task):
        lines.append(markup.note(task.error, "alarm"))
        if more := _remedy(task):
            lines.append(markup.note(more))
    if problem:
        lines.append(markup.note(problem, "alarm"))
    if news:
        lines.append(markup.note(news, "hint"))
    return markup.join(lines)


def _message(task: Task, now: datetime | None) -> str:
    """Return the message; a time span in it would stand still, so it is counted, or left out."""
    if (wait := task.next_try) is None:
        return task.message
    if now is None:
        return wait.reason
    seconds = math.ceil((wait.at - now).total_seconds())
    again = tr("Next try in {seconds} s.").format(seconds=seconds) if seconds > 0 else tr("Trying now …")
    return sentences(wait.reason, again)


def _is_plain_cancellation(task: Task) -> bool:
    """Return whether the status says it all: the error of a cancelled task may have a cost that remains."""
    if task.status != TaskStatus.cancelled:
        return False
    return str(task.error) in (tr("The task was cancelled."), tr("Cancelled before anything was sent."))


def ended(task: Task, *, embed: bool | None = None) -> Markup:
    """Return an ended task as pure HTML, which needs no kernel.

    Args:
        task: the task.
        embed: whether to embed the video; by default where the page gets no files from the kernel's machine.
    """
    return markup.block(*_ended_parts(task, embed), class_="qingbo-card")


def _ended_parts(task: Task, embed: bool | None = None) -> list[Markup]:
    parts = [headline(task)]
    if task.video_path is not None:
        play = saved_html if embed is None else embed_html if embed else video_html
        parts.append(play(task.video_path))
    if task.other_video_paths:
        parts.append(files_html(task.other_video_paths))
    return [*parts, about(task), advice(task)]


def static_copy(task: Task, *hidden_by: str, in_studio: bool = False) -> Markup:
    """Return the static copy of a running task: its request, and the code that resumes it.

    The path of its future video is known, so the copy has a player already, which plays as soon as any kernel
    has saved the file. The progress is left out, so that the copy changes when the task has an id, and when
    it ends.

    Args:
        task: the task.
        *hidden_by: a CSS class by which the live view hides the copy while it is alive.
        in_studio: whether it is below the studio's code that resumes all tasks.
    """
    classes = " ".join(["qingbo-keep", *hidden_by])
    if task.video_path is not None:  # its other videos are still being saved
        return markup.block(*_ended_parts(task), class_=classes)
    when = local_time(task.submitted_at)
    parts = [
        markup.tag(
            "div",
            markup.span(saved_status(task), "qingbo-status"),
            markup.Markup(" "),
            markup.span(tr(_AS_STORED).format(when=when), "qingbo-dim"),
            class_="qingbo-head",
        ),
        about(task),
        advice(task),
    ]
    if is_resumable(task) and not (in_studio and goes_on(task)):
        parts.append(markup.tag("div", markup.span(resume_label(task))))
        if not ends_with_kernel(task):
            parts.append(markup.code_block(resume_line(task)))
    is_planned = task.status not in (TaskStatus.failed, TaskStatus.unconfirmed)
    if task.request is not None and is_planned and not task.manager.is_sandbox:
        parts += [markup.note(tr(_WILL_PLAY)), video_html(task.planned_path)]
    return markup.block(*parts, class_=classes)


def is_resumable(task: Task) -> bool:
    """Return whether a new kernel can follow the task."""
    return not is_settled(task) and bool(task.task_id or task.status != TaskStatus.failed)


def goes_on(task: Task) -> bool:
    """Return whether the service works on the task, or has its video, and a new kernel takes it up."""
    return bool(task.task_id) and not is_settled(task) and not is_over(task)


def ends_with_kernel(task: Task) -> bool:
    """Return whether no other kernel can follow the task, because its sandbox is in this one."""
    return task.manager.is_sandbox and goes_on(task)


def resume_label(task: Task) -> str:
    """Return the line above ``resume_line``."""
    if not task.task_id:
        return tr(_NO_ID_YET)
    if ends_with_kernel(task):
        return tr(_ENDED)
    if task.status == TaskStatus.completed:
        return tr(_IS_KEPT)
    return tr(_GOES_ON) if goes_on(task) else tr(_RESUME)


def saved_status(task: Task) -> str:
    """Return the status in a saved notebook, without the progress."""
    if task.status == TaskStatus.completed and not is_over(task):
        return status_label(TaskStatus.completed)
    return tr("Generating") if goes_on(task) else status(task)


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
    return f"import qingbo_widgets as qw\nqw.connect({', '.join(arguments)})"


def _usual_contract(manager: Owner, address: str | None) -> str:
    """Return the contract of a connection that names none; empty if ``QINGBO_CONTRACT`` is misspelt."""
    try:
        return find_contract(manager.configured_contract(), address).name
    except InvalidRequest:
        return ""


def _elapsed(task: Task, now: datetime) -> str:
    if task.status.is_ended:
        time = took(task)
        return tr("took {time}").format(time=time) if time else ""
    if is_over(task):
        return ""
    return tr("{time} elapsed").format(time=clock((now - task.submitted_at).total_seconds()))


def _price(task: Task) -> str:
    """Return what the task cost, or the reserved amount while it is running; empty if that is unknown."""
    if not terms_of(task.contract).quota_per_dollar:
        return ""
    if task.cost is not None:
        return cost_text(task.cost, task.contract, task.manager.service)
    if task.frozen is None or task.status.is_ended:
        return ""
    if task.manager.is_sandbox:
        return cost_text(task.frozen, task.contract, task.manager.service)
    return tr("{amount} reserved").format(amount=quota_text(task.frozen, task.contract))


def _retention(task: Task, now: datetime, over: bool) -> str | None:
    """Return how long the service keeps a video that is not saved here yet."""
    end = on_our_clock(task, task.expires_at)
    if task.video_path is not None or task.status != TaskStatus.completed or end is None or end <= now:
        return None
    if over:  # nothing is redrawn any more, so a time span would soon be wrong
        return tr(_KEPT_UNTIL).format(end=local_time(end))
    left = end - now
    return tr(_KEPT_FOR).format(left=_long_time(left) if left >= _LONG_TIME else clock(left.total_seconds()))


def _long_time(span: timedelta) -> str:
    """Return a time span in whole days, or in hours if it is shorter than two days."""
    if span >= _LONG_TIME:
        return tr("{days} days").format(days=span.days)
    return tr("{hours} hours").format(hours=int(span.total_seconds() // 3600))


def _remedy(task: Task) -> str:
    """Return the advice that depends on the task, which its error cannot contain."""
    error = task.error
    if task.status == TaskStatus.completed:
        if not isinstance(error, LinkExpired):
            return tr(_SAVE_AGAIN)
        return tr(_LINK_EXPIRED).format(time=_long_time(terms_of(task.contract).link_lifetime))
    if isinstance(error, AuthenticationFailed) and task.task_id:
        return tr(_KEY_REFUSED)
    return tr(_NOT_FOUND) if isinstance(error, TaskNotFound) and is_unfollowed(task) else ""
