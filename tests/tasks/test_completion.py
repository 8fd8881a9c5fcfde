"""Completion of the fields of a request: the place of the cursor, and a real kernel."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from queue import Empty
from typing import Any

import IPython
import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager, start_new_kernel

from qingbo_widgets.service.contract.models import models_of
from qingbo_widgets.tasks.completion import cursor_in, suggestions

#: The code before the cursor, the keyword whose value it is in, what is typed, and the model.
CURSORS = {
    "qw.generate(": ("", "", ""),
    "qw.generate(mo": ("", "mo", ""),
    'qw.generate(model="kling-v1", mo': ("", "mo", "kling-v1"),
    "qw.generate(\"a, koi (red)\", model='kling-v1', mo": ("", "mo", "kling-v1"),
    "qw.generate(  # model=\"kling-v1\"\n    prompt='''a \"koi\",\n(''', mo": ("", "mo", ""),
    'qw.generate(mode="p': ("mode", "p", ""),
    'qw.generate(aspect_ratio="16:': ("aspect_ratio", "16:", ""),
    "qw.generate(mode = 'p": ("mode", "p", ""),
    "qw.generate(duration=1": ("duration", "1", ""),
    'qw.generate(shots=[("a", 3), ("b", 4)], mo': ("", "mo", ""),
    'print(qw.generate(model="kling-v1", ': ("", "", "kling-v1"),
}
#: Code at whose end no field is completed.
ELSEWHERE = (
    "",
    "qw.generate",
    "qw.generate()",
    "(1, ",
    "qw.generate([",
    "qw.generate({'a': ",
    'qw.generate("a koi',
    'qw.generate(prompt + "a koi',
    "qw.generate(a.b",
    "qw.generate(mode=str(",
    "# qw.generate(",
    'x = """qw.generate(',
)


@pytest.mark.parametrize(("code", "expected"), CURSORS.items(), ids=list(CURSORS))
def test_the_place_of_the_cursor(code: str, expected: tuple[str, str, str]) -> None:
    """Strings, comments, brackets and several lines do not confuse it."""
    cursor = cursor_in(code, len(code))
    assert cursor is not None
    assert cursor.callee == "qw.generate"
    assert (cursor.keyword, cursor.typed, cursor.model) == expected


@pytest.mark.parametrize("code", ELSEWHERE)
def test_elsewhere_nothing_is_completed(code: str) -> None:
    """A prompt, a list, another call or an expression is not a field of the call."""
    cursor = cursor_in(code, len(code))
    names = [] if cursor is None else suggestions(cursor, models_of())
    assert cursor is None or cursor.callee != "qw.generate" or not names, names


def test_the_model_may_follow_the_cursor() -> None:
    """A field is often added before the model."""
    code = 'qw.generate("a koi", , model="kling-v1-6")'
    cursor = cursor_in(code, code.index(", ,") + 2)
    assert cursor is not None
    assert cursor.model == "kling-v1-6"
    assert "camera_control=" in suggestions(cursor, models_of(), ("prompt",))
    assert "prompt=" not in suggestions(cursor, models_of(), ("prompt",)), "the prompt is there by position"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('f(model="', ["kling-v3", "kling-v2-master", "kling-v1-6", "kling-v1"]),
        ("f(mode=", ['"std"', '"pro"']),
        ('f(model="kling-v1", duration=', ["5", "10"]),
        ('f(model="kling-v3", duration=1', ["10", "11", "12", "13", "14", "15"]),
        ("f(enable_audio=", ["True", "False"]),
        ("f(enable_audio=F", ["False"]),
        ('f(duration="', []),
        ('f(model="kling-v1-6", camera_control="d', ["down_back"]),
        ("f(nonsense=", []),
    ],
)
def test_the_values_of_the_chosen_model(code: str, expected: list[str]) -> None:
    """The values are those that this model takes, written as the place needs them."""
    cursor = cursor_in(code, len(code))
    assert cursor is not None
    assert suggestions(cursor, models_of()) == expected


class Kernel:
    """A kernel that answers as long as it lives: it may take a minute on a busy machine.

    At the first completion, jedi reads the whole package.
    """

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self._manager, self._client = manager, client

    def run(self, code: str) -> None:
        """Run a cell."""
        reply = self._reply(self._client.execute(code))
        assert reply["status"] == "ok", reply

    def complete(self, code: str) -> list[str]:
        """Return what Tab makes of some code."""
        content = self._reply(self._client.complete(code, len(code)))
        return [code[: content["cursor_start"]] + match for match in content["matches"]]

    def inspect(self, code: str) -> str:
        """Return what Shift-Tab shows."""
        return str(self._reply(self._client.inspect(code))["data"]["text/plain"])

    def _reply(self, request: str) -> dict[str, Any]:
        while True:
            try:
                reply: dict[str, Any] = self._client.get_shell_msg(timeout=1)
            except Empty:
                assert self._manager.is_alive(), "the kernel has died"
                continue
            if reply["parent_header"]["msg_id"] == request:
                content: dict[str, Any] = reply["content"]
                return content


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """Yield a kernel that has imported the package and connected to nothing."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    folder = str(tmp_path_factory.mktemp("notebook"))
    manager, client = start_new_kernel(kernel_name="python3", cwd=folder, env=environment)
    kernel = Kernel(manager, client)
    kernel.run("import qingbo_widgets as qw")
    yield kernel
    client.stop_channels()
    manager.shutdown_kernel(now=True)


CALLS = ("qw.generate", "qw.VideoRequest", "qw.sweep", "qw.VideoStudio", "qw.RequestForm")


@pytest.mark.slow
@pytest.mark.parametrize("call", CALLS)
def test_every_call_offers_its_fields(kernel: Kernel, call: str) -> None:
    """Tab completes the names even before a connection; Shift-Tab shows values, defaults and meanings."""
    assert kernel.complete(f"{call}(aspe") == [f"{call}(aspect_ratio="]
    shown = kernel.inspect(call)
    assert "cfg_scale" in shown
    assert "aspect_ratio: 16:9, 9:16, 1:1; default 16:9" in shown
    assert "duration: 3 to 15; default 5" in shown
    assert "The shape of the picture." in shown


@pytest.mark.slow
@pytest.mark.skipif(IPython.version_info < (8, 6), reason="IPython before 8.6 has no matchers")
def test_a_connection_adds_the_fields_and_values_of_the_model(kernel: Kernel) -> None:
    """After ``connect()``, the chosen model decides, on several lines and for a manager of any contract."""
    kernel.run(
        'april = qw.connect(sandbox=True)\nnovember = qw.connect(sandbox=True, contract="2026-11")\n'
        "april = qw.connect(sandbox=True)"
    )
    complete = kernel.complete
    start = 'qw.generate(\n    "a koi",\n    model="kling-v1",\n    '
    names = [line.removeprefix(start) for line in complete(start)]
    fields = models_of()["kling-v1"].parameters
    assert names == [f"{name}=" for name in fields if name not in ("model", "prompt")]
    assert complete('qw.generate(aspect_ratio="1') == [
        'qw.generate(aspect_ratio="16:9',
        'qw.generate(aspect_ratio="1:1',
    ]
    assert complete('qw.generate(aspect_ratio="16:') == ['qw.generate(aspect_ratio="16:9']
    assert not [line for line in complete('april.submit(resolution="') if "720p" in line]
    assert complete('november.submit(resolution="7') == ['november.submit(resolution="720p']
    assert complete('qw.sweep(prompt="a", rep') == ['qw.sweep(prompt="a", repeat=']


def test_a_cell_with_a_large_table() -> None:
    """Tab answers at once in a cell with thousands of brackets; the time grows with the length alone."""
    code = f"data = [{'(1, 2), ' * 15_000}]\nqw.generate("
    began = time.perf_counter()
    cursor = cursor_in(code, len(code))
    assert time.perf_counter() - began < 5, "the kernel is blocked at each Tab"
    assert cursor is not None
    assert cursor.callee == "qw.generate"
