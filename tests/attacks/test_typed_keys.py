"""An attack that types and pastes keys into every text field of a real kernel, with every logger at DEBUG.

There are two keys: the key in use, and a key that the package does not know. Neither may appear in the
kernel's messages, logs, files, or the stored notebook.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from tests.faults.server import FaultServer
from tests.faults.service import Service
from tests.kernel.test_secrets import Listener, contents, send
from tests.service.keyed_texts import READABLE, UNREADABLE

IN_USE = "sk-sentinel-3e1f9c7a5b2d"
UNKNOWN = "Zk91mmQpo2Lw7"
#: Parts of the keys that no other text contains; they are also found in a truncated key.
TRACES = (IN_USE[3:15], IN_USE[-12:], UNKNOWN[:9], UNKNOWN[-9:])

SETUP = """
import json, logging, os, time
log = logging.FileHandler("debug.log", encoding="utf-8")
logging.basicConfig(level=logging.DEBUG, force=True, handlers=[log])
import ipywidgets
import qingbo_widgets as qw
for name in (*logging.root.manager.loggerDict, "Comm", "IPKernelApp"):
    logging.getLogger(name).setLevel(logging.DEBUG)
logging.getLogger("asyncio").setLevel(logging.WARNING)
%load_ext qingbo_widgets
"""

STUDIO = """
parent = get_ipython().get_parent()
parent["metadata"]["cellId"] = "a-cell"  # as a page sends it, so that the form has a draft
studio = qw.VideoStudio(prompt="A koi")
del parent["metadata"]["cellId"]
form = studio.form
for name in ("more", "masks", "presets", "sent"):
    form.panels.buttons[name].value = True
shots = qw.RequestForm(shots=[("One", 5), ("Two", 5)])
from qingbo_widgets.widgets.base.key_field import KeyField
field = KeyField()
display(studio, shots, field)
while not studio._is_ready:
    time.sleep(0.01)
"""

IDS = """
names = ("prompt", "image_urls", "last_frame", "callback_url")
texts = {f"form {name}": form.controls[name] for name in names}
texts["preset"] = form.panels.editor("presets").name
texts["static mask"] = form.panels.editor("masks").static
texts["shot"] = shots.slots["prompt"].editor.prompts[0]
sent = form.panels.editor("sent")
buttons = {"save": form.panels.editor("presets").save_button, "fill": sent._fill}
_, box = studio._invisible
def note(change):
    # The state that a page would store if it saved the notebook now.
    with open("stored.txt", "a", encoding="utf-8") as file:
        print(change, change["owner"].get_state(), change["owner"]._trait_values, sent._note.value, file=file)
for text in (*texts.values(), sent._paste):
    text.observe(note, "value")
print(json.dumps({
    "texts": {name: text.model_id for name, text in texts.items()},
    "buttons": {name: button.model_id for name, button in buttons.items()},
    "paste": sent._paste.model_id, "key": field.model_id, "shortcut": box.children[0].model_id,
}))
"""

#: Code that writes the state that ipywidgets would store now, and every trait of every widget.
STORED = """
from ipywidgets.widgets import widget as module
alive = module._instances if hasattr(module, "_instances") else ipywidgets.Widget.widgets
def traits():
    return [repr(w._trait_values) + repr(vars(w)) for w in list(alive.values())]
with open("stored.txt", "a", encoding="utf-8") as file:
    print(json.dumps(ipywidgets.Widget.get_manager_state(), default=repr), *traits(), file=file)
    print(form.prompt, form.request, studio, sent._note.value, file=file)
"""

MAGICS = (
    "%%qingbo -o film\nA koi, {qw.connect.__globals__[os].environ[QINGBO_API_KEY]}, 4k",
    "%%qingbo -n '{os.environ[QINGBO_API_KEY]}'\nA koi",
    "%qingbo -s '{os.environ}:5' -s 'A koi:5'",
    "secret = os.environ['QINGBO_API_KEY']",
    "%%qingbo -o film\nA koi, {secret}, 4k",
    "%qingbo resume $secret",
    "qw.sweep([secret, 'A koi'], skip_invalid=True, name=secret)",
    "studio.form.load({'prompt': secret, 'seed': secret, 'duration': secret})",
)

LAST = """
form.prompt = "A fox"
studio.generate_button.click()
studio.cards[0].task.wait(30)
studio._draft.write_now()
from qingbo_widgets.library.presets import Presets
print(Presets(studio.manager.library.folder).names())
studio.manager.close()
"""


def update(client: NotebookClient, widget: str, value: str) -> None:
    """Send the page's message of a text that the user typed or pasted."""
    send(client, widget, method="update", state={"value": value}, buffer_paths=[])


def click(client: NotebookClient, button: str) -> None:
    """Send the page's message of a click."""
    send(client, button, method="custom", content={"event": "click"})


async def run(folder: Path, server: FaultServer) -> tuple[nbformat.NotebookNode, list[Any]]:
    """Run the notebook, typing and pasting between its cells.

    Returns:
        The stored notebook, and all messages of the kernel.
    """
    environment = {"QINGBO_BASE_URL": f"{server.url}/v1", "QINGBO_API_KEY": IN_USE, "LANGUAGE": "en"}
    (folder / "executed.ipynb").write_text("{}", encoding="utf-8")
    environment["JPY_SESSION_NAME"] = str(folder / "executed.ipynb")
    own = {name: str(folder.parent / name.lower()) for name in ("HOME", "IPYTHONDIR", "JUPYTER_RUNTIME_DIR")}
    sources = [SETUP, STUDIO, IDS, *[STORED] * 3, *MAGICS, STORED, LAST]
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    for cell in notebook.cells:
        if cell.source in MAGICS:
            cell.metadata["tags"] = ["raises-exception"]
    client = NotebookClient(
        notebook, timeout=120, store_widget_state=True, resources={"metadata": {"path": folder}}
    )
    pasted = [*READABLE.values(), *UNREADABLE.values()]
    # The connection file exists only once the kernel runs, hence the nesting.
    async with client.async_setup_kernel(env={**os.environ, **environment, **own}):  # noqa: SIM117
        async with Listener(client.km.connection_file) as listener:

            async def run_cells(count: int) -> None:
                for _ in range(count):
                    await client.async_execute_cell(notebook.cells[done[0]], done[0])
                    done[0] += 1

            done = [0]
            await run_cells(3)
            ids = json.loads(notebook.cells[2].outputs[0].text)
            for text in pasted:
                update(client, ids["paste"], text.replace("KEY", IN_USE))
                update(client, ids["paste"], text.replace("KEY", UNKNOWN))
                label = {"label": "Fill in from JSON", "text": text.replace("KEY", UNKNOWN)}
                send(client, ids["shortcut"], method="custom", content=label)
                click(client, ids["buttons"]["fill"])
            await run_cells(1)
            for widget in ids["texts"].values():
                for typed in (IN_USE, IN_USE, f"A koi {IN_USE}", f"{IN_USE[:9]}\u200b{IN_USE[9:]}"):
                    update(client, widget, typed)
            click(client, ids["buttons"]["save"])
            send(
                client,
                ids["shortcut"],
                method="custom",
                content={"label": "Prompt", "text": f"A koi {IN_USE}"},
            )
            await run_cells(1)
            update(client, ids["key"], UNKNOWN)
            await run_cells(1)
            update(client, ids["texts"]["form image_urls"], "")
            update(client, ids["texts"]["form last_frame"], "")
            update(client, ids["texts"]["form callback_url"], "")
            update(client, ids["texts"]["static mask"], "")
            await run_cells(len(notebook.cells) - done[0])
            client.set_widgets_metadata()
    nbformat.write(notebook, folder / "executed.ipynb")
    return notebook, listener.messages


@pytest.mark.slow
def test_no_typed_key_is_stored_anywhere(tmp_path: Path, no_proxy: None) -> None:
    """A typed key is in no log, trait, stored widget, notebook, draft, preset, journal or request."""
    folder = tmp_path / "notebook"
    folder.mkdir()
    service = Service()
    with FaultServer(otherwise=service) as server:
        service.url = server.url
        notebook, messages = asyncio.run(run(folder, server))
    bodies = [request.path.encode() + request.body for request in server.requests]
    everything = dict(contents(folder)) | {
        "messages": json.dumps(messages, default=str).encode(),
        "requests": b"\n".join(bodies),
    }
    leaks = {
        (name, trace)
        for name, content in everything.items()
        for trace in TRACES
        if trace in name or trace.encode() in content
    }
    assert not leaks

    # Check that there was something to find; otherwise the test would prove nothing.
    assert b"handle_msg" in everything["debug.log"], "Jupyter did not log messages"
    assert b"A fox" in everything["stored.txt"] + everything["executed.ipynb"]
    assert len(everything["stored.txt"]) > 100_000
    prompts = [json.loads(r.body)["prompt"] for r in server.requests if r.method == "POST"]
    assert prompts == ["A fox"], "only the last request should be submitted, and no refused one"
    assert any("presets" in name for name in everything)
    assert any("drafts" in name for name in everything)
    refused = [
        cell.source for cell in notebook.cells if re.search("UsageError|InvalidRequest", str(cell.outputs))
    ]
    assert set(MAGICS) - set(refused) == {MAGICS[3], MAGICS[-1]}
