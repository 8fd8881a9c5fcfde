"""Static tests of the types in the public API; this file never runs, mypy checks it in ``make lint``.

Each ``assert_type`` is a promise to users, whose editors complete names from the same types. The lines with a
``type: ignore`` are wrong calls: mypy reports an unused ignore, so each line proves that mypy finds the
mistake. ``test_api.py`` fails for a public name that is missing here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, assert_type

from PIL.Image import Image

import qingbo_widgets as qw
from qingbo_widgets.exceptions import FieldProblem
from qingbo_widgets.library.entry import Entry
from qingbo_widgets.library.judgements import Judgements
from qingbo_widgets.library.ranking import Ranked
from qingbo_widgets.sandbox import Callback, Faults
from qingbo_widgets.service.contract.pricing.total import Total
from qingbo_widgets.service.contract.schema import Model, Models, Parameter
from qingbo_widgets.service.contract.snapshot import ServiceFailure, Video
from qingbo_widgets.tasks.sweep.cell import Cell, CellState
from qingbo_widgets.tasks.sweep.grid import Skipped
from qingbo_widgets.tasks.task import Owner


def connections() -> None:
    """Check ``connect``, the manager, ``generate`` and ``set_locale``."""
    manager = assert_type(qw.connect(sandbox=True), qw.TaskManager)
    assert_type(qw.connect("key", library=Path("films"), upload=str), qw.TaskManager)
    storage = assert_type(qw.Storage("s3://bucket/pictures", lifetime=24, remove=True), qw.Storage)
    assert_type(qw.connect("key", upload=storage), qw.TaskManager)
    assert_type(qw.connect("key", upload="s3://bucket"), qw.TaskManager)
    assert_type(manager.submit(prompt="A koi", model="kling-v3", duration=5), qw.Task)
    assert_type(manager.submit(qw.VideoRequest(), mode="pro"), qw.Task)
    assert_type(manager.resume("task-1"), qw.Task)
    assert_type(manager.recover(), list[qw.Task])
    assert_type(manager.tasks, tuple[qw.Task, ...])
    assert_type(manager.client, qw.Client)
    assert_type(manager.library, qw.Library)
    assert_type(manager.sandbox, qw.Sandbox | None)
    assert_type(manager.is_closed, bool)
    assert_type(manager.poll_interval, float)
    assert_type(manager.max_requests_per_second, float | None)
    assert_type(manager.max_video_bytes, int)
    manager.poll_interval = 3
    with qw.TaskManager(qw.Client("key"), qw.Library("films"), poll_interval=3.0) as other:
        assert_type(other, qw.TaskManager)
    assert_type(qw.generate("A koi"), qw.Task)
    assert_type(qw.generate("A koi", shots=[("It swims", 5), qw.Shot("It leaps", 5)]), qw.Task)
    assert_type(qw.set_locale("zh"), None)
    assert_type(qw.set_locale(None), None)


def money(request: qw.VideoRequest, client: qw.Client) -> None:
    """Check prices, budgets, the balance and what was spent."""
    manager = assert_type(qw.connect(budget=5), qw.TaskManager)
    qw.connect(budget=qw.Budget("2.50", per="day", unknown="allow"))
    qw.Budget(5, per="week")  # type: ignore[arg-type]
    price = assert_type(qw.price("A koi", model="kling-v3"), qw.Price)
    assert_type(request.price(), qw.Price)
    assert_type(manager.price(request), qw.Price)
    assert_type(client.quote(request), qw.Price)
    assert_type(price.usd, Decimal | None)
    assert_type(price.quota, int | None)
    assert_type(price.source, qw.PriceSource)
    assert_type(qw.balance(), qw.Balance)
    assert_type(client.balance().available, Decimal)
    manager.library.budget = 5
    assert_type(manager.library.budget, qw.Budget | None)
    assert_type([row.spent for row in qw.spending(by="model")], list[Decimal])
    assert_type(qw.BudgetExceeded("").left, Decimal)


async def tasks(task: qw.Task) -> None:
    """Check a task: its traits, waiting, and the methods for its video."""
    assert_type(task.task_id, str)
    assert_type(task.model, str)
    assert_type(task.status, qw.TaskStatus)
    assert_type(task.status.is_ended, bool)
    assert_type(task.progress, int)
    assert_type(task.created_at, datetime | None)
    assert_type(task.completed_at, datetime | None)
    assert_type(task.submitted_at, datetime)
    assert_type(task.video_urls, tuple[str, ...])
    assert_type(task.expires_at, datetime | None)
    assert_type(task.video_path, Path | None)
    assert_type(task.download, float | None)
    assert_type(task.error, qw.QingboError | None)
    assert_type(task.eta, float | None)
    assert_type(task.message, str)
    assert_type(task.key, str)
    assert_type(task.request, qw.VideoRequest | None)
    assert_type(task.is_done, bool)
    assert_type(task.seconds_left, float | None)

    assert_type(task.wait(), qw.Task)
    assert_type(task.wait(timeout=60), qw.Task)
    assert_type(await task, qw.Task)
    task.on_end(lambda ended: ended.save("films"))
    task.observe(lambda change: change["new"], "progress")
    assert_type(task.save("koi.mp4"), Path)
    assert_type(task.frame(2.5), Image)
    assert_type(task.frame(number=-1), Image)
    assert_type(task.frames(9, columns=3), Image)
    assert_type(task.continue_from_last_frame("It leaps", mode="pro"), qw.Task)
    assert_type(task.export_html("koi.html"), Path)


def requests() -> None:
    """Check a request, its parts, its problems, and the models."""
    request = assert_type(qw.VideoRequest("kling-v3", "A koi", duration=5, mode="pro"), qw.VideoRequest)
    assert_type(request.model, str)
    assert_type(request.prompt, str)
    assert_type(request.duration, int)
    assert_type(request.mode, str)
    assert_type(request.negative_prompt, str | None)
    assert_type(request.image_urls, tuple[str, ...])
    assert_type(request.cfg_scale, float | None)
    assert_type(request.enable_audio, bool | None)
    assert_type(request.camera_control, qw.CameraControl | None)
    assert_type(request.dynamic_masks, tuple[qw.DynamicMask, ...])
    assert_type(request.shots, tuple[qw.Shot, ...])
    assert_type(request.problems(), tuple[qw.Problem, ...])
    assert_type(request.warnings("2026-04"), tuple[qw.Problem, ...])
    assert_type(request.replace(prompt="A pike"), qw.VideoRequest)
    assert_type(request.as_dict(), dict[str, Any])
    assert_type(qw.VideoRequest.from_dict({"prompt": "A koi"}), qw.VideoRequest)
    assert_type(qw.VideoRequest.from_body({"prompt": "A koi"}), qw.VideoRequest)
    assert_type(request.problems()[0].field, str)
    assert_type(request.problems()[0].message, str)

    assert_type(qw.Shot("It swims", 5).duration, int)
    assert_type(qw.CameraControl("simple", {"zoom": 5}).config, Mapping[str, float] | None)
    assert_type(qw.DynamicMask("https://…", [(1, 2), [3, 4]]).trajectories, tuple[tuple[float, float], ...])
    qw.VideoRequest(camera_control="down_back", image_urls="https://…", shots=[{"prompt": "", "duration": 5}])

    models = assert_type(qw.models(), Models)
    assert_type(models["kling-v3"], Model)
    assert_type(models["kling-v3"].parameters["mode"], Parameter)
    assert_type(list(models), list[str])


def clients() -> None:
    """Check a client and the service's responses."""
    with qw.Client("key", "https://…", timeout=(5, 30)) as client:
        assert_type(client, qw.Client)
        snapshot = assert_type(client.submit(qw.VideoRequest(), idempotency_key="k"), qw.TaskSnapshot)
        assert_type(client.submit(qw.VideoRequest(), wait=30), qw.TaskSnapshot)
        assert_type(client.with_contract("2026-11"), qw.Client)
        assert_type(client.status("task-1"), qw.TaskSnapshot)
        assert_type(client.cancel("task-1"), qw.TaskSnapshot)
        assert_type(client.payload(qw.VideoRequest()), dict[str, Any])
        assert_type(client.download("https://…", "koi.mp4"), Path)
    assert_type(snapshot.task_id, str)
    assert_type(snapshot.status, qw.TaskStatus)
    assert_type(snapshot.progress, int)
    assert_type(snapshot.created_at, datetime | None)
    assert_type(snapshot.videos, tuple[Video, ...])
    assert_type(snapshot.videos[0].url, str)
    assert_type(snapshot.error, ServiceFailure | None)
    assert_type(snapshot.cost, int | None)
    assert_type(snapshot.frozen, int | None)
    assert_type(snapshot.billing_status, str)
    assert_type(snapshot.raw, Mapping[str, Any])


def libraries() -> None:
    """Check a library and its entries."""
    library = assert_type(qw.Library("films"), qw.Library)
    assert_type(library.folder, Path)
    assert_type(library.entries(status="completed", limit=10), list[Entry])
    assert_type(library.get("key"), Entry | None)
    assert_type(library.judgements, Judgements)
    assert_type(qw.Library.import_("films"), qw.Library)
    for entry in library.entries():
        assert_type(entry.prompt, str)
        assert_type(entry.submitted_at, datetime)
        assert_type(entry.cost, int | None)
        assert_type(library.video_of(entry), Path | None)


async def sweeps() -> None:
    """Check a sweep, its cells and its tasks."""
    sweep = assert_type(qw.sweep(prompt=["A koi", "A pike"], mode="pro", repeat=2), qw.Sweep)
    assert_type(qw.sweep([{"prompt": "A koi"}], name="fish"), qw.Sweep)
    assert_type(qw.Sweep.load("fish"), qw.Sweep)
    assert_type(sweep.price(), Total)
    assert_type(sweep.promote(top=2, resolution="1080p"), qw.Sweep)
    assert_type(sweep.start(), qw.Sweep)
    assert_type(sweep.wait(timeout=60), qw.Sweep)
    assert_type(await sweep, qw.Sweep)
    assert_type(sweep.state, str)
    assert_type(sweep.reason, str)
    assert_type(sweep.max_running, int)
    assert_type(sweep.counts, Counter[CellState])
    assert_type(sweep.cells, tuple[Cell, ...])
    assert_type(sweep.cells[0].task, qw.Task | None)
    assert_type(sweep.cells[0].state, CellState)
    assert_type(sweep.skipped, tuple[Skipped, ...])
    assert_type(sweep.rows(), list[dict[str, Any]])
    assert_type(sweep.export_html("fish"), Path)
    assert_type(len(sweep), int)
    for task in sweep:
        assert_type(task, qw.Task)
    async for task in sweep:
        assert_type(task, qw.Task)


def sandboxes() -> None:
    """Check the sandbox and its faults."""
    with qw.Sandbox(speed=10, faults=Faults(rate_limit_every=3)) as sandbox:
        assert_type(sandbox, qw.Sandbox)
        assert_type(sandbox.api_key, str)
        assert_type(sandbox.base_url, str)
        assert_type(sandbox.faults, Faults)
        assert_type(sandbox.prices, dict[str, dict[str, Any]])
        assert_type(sandbox.callbacks, tuple[Callback, ...])
        assert_type(sandbox.publish("koi.png"), str)
        assert_type(qw.connect(sandbox=sandbox), qw.TaskManager)
    assert_type(qw.Sandbox().start(), qw.Sandbox)
    assert_type(qw.Storage("s3://bucket/prefix", lifetime=24, key="k", secret="s").lifetime, timedelta | None)


def widgets(task: qw.Task) -> None:
    """Check the widgets, as far as possible without types in ipywidgets."""
    form = assert_type(qw.RequestForm(prompt="A koi", hide=["action"], fixed={"mode": "pro"}), qw.RequestForm)
    assert_type(form.model, str)
    assert_type(form.mode, str)
    assert_type(form.duration, int)
    assert_type(form.negative_prompt, str | None)
    assert_type(form.cfg_scale, float | None)
    assert_type(form.image_urls, tuple[str, ...])
    assert_type(form.camera_control, qw.CameraControl | None)
    assert_type(form.shots, tuple[qw.Shot, ...])
    form.image_urls = "https://…"
    form.camera_control = "down_back"
    form.shots = [("It swims", 5), ("It leaps", 5)]
    assert_type(form.request, qw.VideoRequest)
    assert_type(form.problems, tuple[qw.Problem, ...])
    assert_type(form.manager, Owner | None)
    assert_type(form.submit(), qw.Task)
    form.load(task)
    form.layout.width = "50%"
    form.observe(lambda change: change["new"], "problems")

    studio = assert_type(qw.VideoStudio(qw.connect(), locale="zh", mode="pro"), qw.VideoStudio)
    assert_type(studio.form, qw.RequestForm)
    assert_type(studio.cards, tuple[qw.TaskCard, ...])
    assert_type(studio.close(), None)
    assert_type(qw.TaskCard(task).task, qw.Task)

    gallery = assert_type(qw.Gallery(page_size=48, blind=True), qw.Gallery)
    assert_type(gallery.library, qw.Library)
    assert_type(gallery.entries, tuple[Entry, ...])
    assert_type(qw.Comparison([task, "koi.mp4", Path("pike.mp4")]).is_blind, bool)
    assert_type(
        qw.Comparison([task, task], labels=["a", "b"]).videos, tuple[qw.Task | Entry | str | Path, ...]
    )
    assert_type(qw.Pairwise([task, task]).ranking(), list[Ranked])
    assert_type(qw.Pairwise([task, task]).pair, tuple[Any, Any] | None)
    assert_type(qw.FramePicker(task).form, qw.RequestForm | None)


def errors(task: qw.Task) -> None:
    """Check the attributes of each error, and that a handler for its base class catches it."""
    try:
        task.wait(timeout=60)
    except qw.MissingApiKey as error:
        assert_type(error, qw.MissingApiKey)
    except qw.InvalidRequest as error:
        assert_type(error.problems, tuple[FieldProblem, ...])
        assert_type(error.problems[0].message, str)
    except qw.ConnectionFailed as error:
        assert_type(error.sent, bool)
    except qw.SubmissionUnconfirmed as error:
        assert_type(error.idempotency_key, str | None)
    except qw.LinkExpired as error:
        assert_type(error.url, str | None)
    except qw.UploadFailed as error:
        assert_type(error.transient, bool)
    except qw.DownloadFailed as error:
        assert_type(error.transient, bool)
        assert_type(error.retry_after, float | None)
        assert_type(error.part, Path | None)
    except qw.TaskFailed as error:
        assert_type(error.task_id, str)
        assert_type(error.code, str | None)
    except qw.TaskCancelled as error:
        assert_type(error.task_id, str)
    except qw.WaitTimeout as error:
        assert_type(error.task_id, str)
    except (qw.BadRequest, qw.AuthenticationFailed, qw.InsufficientBalance, qw.TaskNotFound) as error:
        assert_type(error.message, str)
    except (qw.RateLimited, qw.ServerFault) as error:
        assert_type(error.retry_after, float | None)
    except qw.ServiceError as error:
        assert_type(error.status, int)
        assert_type(error.code, str | None)
        assert_type(error.param, str | None)
    except qw.QingboError as error:
        assert_type(error, qw.QingboError)


def mistakes(task: qw.Task, form: qw.RequestForm, sweep: qw.Sweep) -> None:
    """Check mistakes that a type checker reports before anything is sent."""
    qw.VideoStudioo()  # type: ignore[attr-defined]
    qw.generate(prompt=3)  # type: ignore[arg-type]
    qw.generate("A koi", durration=5)  # type: ignore[call-arg]
    qw.generate("A koi", duration="5")  # type: ignore[arg-type]
    qw.sweep(promt=["A koi"])  # type: ignore[call-arg]
    qw.connect(sandbox="key")  # type: ignore[arg-type]
    qw.connect().submit("A koi")  # type: ignore[arg-type]
    qw.VideoRequest(promt="A koi")  # type: ignore[call-arg]
    qw.VideoRequest().replace(promt="A koi")  # type: ignore[call-arg]
    qw.VideoRequest().promt  # type: ignore[attr-defined]
    qw.RequestForm(promt="A koi")  # type: ignore[call-arg]
    qw.VideoStudio(duration="5")  # type: ignore[arg-type]
    qw.Shot("It swims")  # type: ignore[call-arg]
    task.progess  # type: ignore[attr-defined]
    task.wait("60")  # type: ignore[arg-type]
    task.video_path.name  # type: ignore[union-attr]
    form.promt = "A koi"  # type: ignore[attr-defined]
    form.duration = "5"  # type: ignore[assignment]
    form.image_urls = 3  # type: ignore[assignment]
    sweep.states  # type: ignore[attr-defined]
