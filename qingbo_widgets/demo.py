"""``python -m qingbo_widgets demo``: run the quickstart notebook from top to bottom, then open it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import nbformat
import zmq
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete, CellExecutionError, DeadKernelError
from nbformat import NotebookNode
from nbformat.sign import NotebookNotary
from tqdm import tqdm

from qingbo_widgets.exceptions import MissingApiKey
from qingbo_widgets.i18n import N_, tr
from qingbo_widgets.library.library import Library
from qingbo_widgets.service.contract.snapshot import TaskStatus
from qingbo_widgets.service.credentials import API_KEY_VARIABLES, CONTRACT_VARIABLE, find_api_key
from qingbo_widgets.system.files import replace

__all__ = ["execute", "main", "notebooks_folder"]

VIDEOS = "qingbo_videos"
"""The folder beside the notebook in which the library keeps the videos."""

CELL_SECONDS = 600
"""The time limit of a cell, in seconds; a cell that takes longer is stuck."""

QUIET_SECONDS = 1.0
"""Seconds of silence after the last cell that show that the kernel has no more output."""

SETTLE_SECONDS = 20.0
"""The longest wait for that silence, in seconds."""

WITHOUT_KEY = dict.fromkeys(API_KEY_VARIABLES, "") | {
    "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"
}
"""Environment variables that hide every API key of the user, wherever it is stored."""

_NO_KEY = N_("no API key is configured: the notebook runs on the sandbox, on this machine, free of charge.")
_TEST_VIDEOS = N_("It draws simple test videos. With QINGBO_API_KEY set, the service makes real ones.")
_KEY = N_(
    "an API key is configured. The notebook generates several videos, and the service charges for them."
)
_KEY_UNUSED = N_(
    "the API key is not used: the notebook runs on the sandbox, on this machine, free of charge."
)


def notebooks_folder() -> Path:
    """Return the notebooks' folder: inside the package when installed, beside it in a checkout."""
    package = Path(__file__).parent
    installed = package / "notebooks"
    return installed if installed.is_dir() else package.parent / "notebooks"


class _ThisPython(KernelSpecManager):
    """A kernel spec manager with one kernel, this Python.

    An installed kernel of the same name may belong to a Python with other packages.
    """

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:  # noqa: ARG002 - there is only one
        return KernelSpec(**get_kernel_dict())


class _Notebook(NotebookClient):
    """A notebook client that handles output from threads whose cell has ended, as a browser does.

    nbclient drops every message that does not belong to the running cell, including the progress and the
    finished video that the background thread writes to the display of an earlier cell.
    """

    def create_kernel_manager(self) -> AsyncKernelManager:
        self.km = AsyncKernelManager(kernel_spec_manager=_ThisPython())
        if self.km.has_trait("transport_encryption") and zmq.has("curve"):
            self.km.transport_encryption = "auto"  # otherwise recent kernels warn about unencrypted traffic
        return self.km

    async def _async_poll_output_msg(self, parent_msg_id: str, cell: NotebookNode, cell_index: int) -> None:
        while True:
            message = await self._next_message()
            if message["parent_header"].get("msg_id") != parent_msg_id:
                self._process_late_message(message, cell)
                continue
            try:
                self.process_message(message, cell, cell_index)
            except CellExecutionComplete:
                return

    async def _next_message(self) -> dict[str, Any]:
        assert self.kc is not None
        message: dict[str, Any] = await self.kc.iopub_channel.get_msg(timeout=None)
        return message

    def _process_late_message(self, message: dict[str, Any], cell: NotebookNode) -> None:
        kind = message["msg_type"]
        if kind.startswith("comm"):
            self.handle_comm_msg(cell.outputs, message, -1)
        elif kind == "update_display_data":
            self._update_display_id(message["content"]["transient"]["display_id"], message)

    async def settle(self, cell: NotebookNode) -> None:
        """Process messages until the kernel is silent."""
        end = time.monotonic() + SETTLE_SECONDS
        with contextlib.suppress(TimeoutError):
            while time.monotonic() < end:
                self._process_late_message(await asyncio.wait_for(self._next_message(), QUIET_SECONDS), cell)


def execute(
    notebook: NotebookNode,
    folder: Path,
    *,
    environment: Mapping[str, str] | None = None,
    on_cell: Callable[[int], None] | None = None,
    on_tick: Callable[[], None] | None = None,
) -> NotebookNode:
    """Run a notebook from top to bottom, with this Python as its kernel.

    Args:
        notebook: the notebook; its outputs and its widget state are written into it.
        folder: the kernel's working directory.
        environment: the kernel's environment variables; those of this process by default.
        on_cell: called after each code cell with the number of code cells run so far.
        on_tick: called twice a second while the notebook runs.

    Returns:
        The same notebook.

    Raises:
        nbclient.exceptions.CellExecutionError: when a cell raises.
    """
    last = max((i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"), default=-1)

    async def executed(cell: NotebookNode, cell_index: int, **_: object) -> None:
        if on_cell is not None:
            on_cell(client.code_cells_executed)
        if cell_index == last:
            await client.settle(cell)

    async def tick() -> None:
        while on_tick is not None:
            on_tick()
            await asyncio.sleep(0.5)

    async def run() -> None:
        ticking = asyncio.create_task(tick())
        try:
            await client.async_execute(env=variables)
        finally:
            ticking.cancel()

    variables = dict(os.environ if environment is None else environment)
    variables.pop("JPY_SESSION_NAME", None)  # set if we run in a notebook, and names that one
    client = _Notebook(
        notebook,
        resources={"metadata": {"path": str(folder)}},
        timeout=CELL_SECONDS,
        on_cell_executed=executed,
    )
    # The default loop on Windows cannot wait for ZeroMQ sockets; elsewhere this loop is the default.
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(run())
    return notebook


class _Progress:
    """A progress bar in a terminal, or one line per cell elsewhere; the bar also shows running videos."""

    def __init__(self, cells: int, library: Path) -> None:
        self.cells = cells
        self.folder = library
        self.is_terminal = sys.stderr.isatty()
        counted = _counted("{n_fmt}", "{total_fmt}")
        self.bar = tqdm(
            total=cells,
            disable=not self.is_terminal,
            bar_format="{desc} {bar:30} " + counted + ", {elapsed}{postfix}",
            desc="  ",
        )

    def cell(self, done: int) -> None:
        self.bar.update(done - self.bar.n)
        if not self.is_terminal:
            print("  ", _counted(done, self.cells), flush=True)

    def tick(self) -> None:
        if not self.is_terminal:
            return
        entries = Library(self.folder).entries()
        running = [entry.progress for entry in entries if not TaskStatus(entry.status).is_ended]
        texts = [tr("video {percent} %").format(percent=percent) for percent in running]
        self.bar.set_postfix_str(", ".join(texts))


def _counted(done: object, cells: object) -> str:
    return tr("cell {done} of {cells}").format(done=done, cells=cells)


def _print(text: str) -> None:
    print("──", text, flush=True)


def _same_code(one: Path, other: Path) -> bool:
    """Return whether two notebooks have the same cells, regardless of their outputs."""
    try:
        first, second = (nbformat.read(path, as_version=4) for path in (one, other))
    except (OSError, ValueError, nbformat.ValidationError):
        return False
    return [cell.source for cell in first.cells] == [cell.source for cell in second.cells]


def _place(folder: Path) -> Path:
    """Copy the notebooks to the user's folder; return the path of the quickstart.

    A notebook that the user has changed is kept under another name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for source in sorted(notebooks_folder().glob("*.ipynb")):
        target = folder / source.name
        if target.exists():
            if _same_code(source, target):
                continue
            backup = target.with_stem(f"{target.stem}-{time.strftime('%Y%m%d-%H%M%S')}")
            replace(target, backup)
            _print(tr("{file} was changed; it is kept as {kept}").format(file=target, kept=backup))
        shutil.copyfile(source, target)
    return folder / "quickstart.ipynb"


def _environment(may_prompt: bool) -> dict[str, str]:
    """Return the kernel's environment, and print which service it uses.

    The key is used, and money spent, only if the user answers yes.
    """
    try:
        find_api_key()
    except MissingApiKey:
        _print(tr(_NO_KEY))
        print("  ", tr(_TEST_VIDEOS))
        return dict(os.environ)
    if may_prompt:
        _print(tr(_KEY))
        if input(f"   {tr('Use the key? [y/N]')} ").strip().lower() in ("y", "yes"):
            return dict(os.environ)
    _print(tr(_KEY_UNUSED))
    return {**os.environ, **WITHOUT_KEY}


def _run_notebook(path: Path, environment: Mapping[str, str]) -> bool:
    """Run the notebook in place; return whether it ran without an error."""
    notebook = nbformat.read(path, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell in cells:
        cell.outputs, cell.execution_count = [], None  # of an earlier run, in case this one stops early
    progress = _Progress(len(cells), path.parent / VIDEOS)
    try:
        with progress.bar:
            execute(
                notebook, path.parent, environment=environment, on_cell=progress.cell, on_tick=progress.tick
            )
    except (CellExecutionError, DeadKernelError) as error:
        print(tr("The notebook stopped with an error:") + "\n", file=sys.stderr)
        # Some Windows consoles do not support colours.
        is_coloured = sys.stderr.isatty() and os.name != "nt"
        print(str(error) if is_coloured else re.sub(r"\x1b\[[\d;]*m", "", str(error)), file=sys.stderr)
        return False
    finally:
        nbformat.write(notebook, path)
    # The user started this run, so Jupyter may trust its outputs like those of a run in the browser.
    NotebookNotary().sign(notebook)
    return True


def _open_lab(path: Path, environment: Mapping[str, str]) -> int:
    """Run JupyterLab in the foreground, open on the notebook, until the user stops it."""
    # Unlike a file argument, this is part of the URL that Lab prints, for when no browser opens.
    command = [sys.executable, "-m", "jupyterlab", f"--LabApp.default_url=/lab/tree/{path.name}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # otherwise Lab refuses to run as root
    _print(tr("opening JupyterLab; press Ctrl-C to stop it"))
    lab = subprocess.Popen(command, cwd=path.parent, env={**environment, "JUPYTER_PREFER_ENV_PATH": "1"})
    while True:
        try:
            return lab.wait()
        except KeyboardInterrupt:  # Lab received it too, and prompts the user
            continue


def main(*, once: bool = False, folder: str | Path = "demo", contract: str | None = None) -> int:
    """Run the demo.

    Args:
        once: stop after the notebook has run; implied when no terminal is attached.
        folder: the folder for the notebooks and the videos.
        contract: the date of the service's contract; by default ``QINGBO_CONTRACT``, or 2026-04.

    Returns:
        The exit status: 0 if the notebook ran without an error and a video was saved.
    """
    interactive = not once and sys.stdin.isatty() and sys.stdout.isatty()
    path = _place(Path(folder).resolve())
    environment = _environment(may_prompt=interactive)
    if contract is not None:
        environment[CONTRACT_VARIABLE] = contract
    _print(tr("running {path}").format(path=path))
    if not _run_notebook(path, environment):
        print(tr("The outputs up to the error are in {path}").format(path=path), file=sys.stderr)
        return 1
    library = Library(path.parent / VIDEOS)
    videos = [video for entry in library.entries() if (video := library.video_of(entry))]
    if not videos:
        print(tr("The notebook ran, but no video was saved; see {path}").format(path=path), file=sys.stderr)
        return 1
    more = (
        "   " + tr("(and {count} more in the same folder)").format(count=len(videos) - 1)
        if videos[1:]
        else ""
    )
    _print(tr("video:    {path}").format(path=videos[0]) + more)
    _print(tr("notebook: {path}").format(path=path))
    return _open_lab(path, environment) if interactive else 0
