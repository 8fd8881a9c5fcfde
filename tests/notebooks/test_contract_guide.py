"""docs/contract-2026-11.md: every row of its table of changes is what the package does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import av
import pytest

import qingbo_widgets as qw
from qingbo_widgets.sandbox import Faults, Sandbox
from qingbo_widgets.service.contract.terms import terms_of

ROOT = Path(__file__).resolve().parents[2]
FIRST, LAST = "https://e.com/first.png", "https://e.com/last.png"
SHOTS = [qw.Shot("A cup", 3), qw.Shot("The café", 4)]


def body(contract: str, **fields: Any) -> dict[str, Any]:
    """Return the JSON that a request would be sent as."""
    client = qw.Client("sk-never-sent", contract=contract)
    request = qw.VideoRequest(**{"model": "kling-v3", "prompt": "A koi", **fields})
    sent: dict[str, Any] = json.loads(json.dumps(client.payload(request)))
    return sent


def problems(contract: str, **fields: Any) -> str:
    """Return what a contract refuses in a request."""
    request = qw.VideoRequest(**{"model": "kling-v3", "prompt": "A koi", **fields})
    return "\n".join(map(str, request.problems(contract)))


def has_sound(path: Path | None) -> bool:
    """Return whether a video has a sound track."""
    assert path is not None
    with av.open(str(path)) as film:
        return bool(film.streams.audio)


@pytest.mark.slow
def test_sound(workdir: Path) -> None:
    """``kling-v3`` makes sound by itself in 2026-04; in 2026-11 only on request, in both spellings."""
    made = {}
    for contract in ("2026-04", "2026-11"):
        with (
            Sandbox(contract=contract, draft=True, speed=1000) as sandbox,
            qw.connect(sandbox=sandbox) as manager,
        ):
            for audio in (None, True, False):
                task = manager.submit(model="kling-v3", prompt="A koi", duration=3, enable_audio=audio)
                task.wait(timeout=60)
                made[contract, audio] = has_sound(task.video_path)
    assert made == {
        ("2026-04", None): True,
        ("2026-04", True): True,
        ("2026-04", False): False,
        ("2026-11", None): False,
        ("2026-11", True): True,
        ("2026-11", False): False,
    }
    assert "generate_audio" not in body("2026-11")
    assert body("2026-11", enable_audio=True) == body("2026-11", generate_audio=True)
    assert body("2026-11", generate_audio=True)["generate_audio"] is True


def test_names_of_2026_04_in_2026_11() -> None:
    """Each name of April is sent as the right column says, and as the same request in today's names."""
    assert body("2026-11", mode="std")["resolution"] == "720p"
    assert body("2026-11", mode="pro") == body("2026-11", resolution="1080p")
    assert body("2026-11", resolution="4k")["resolution"] == "4k"
    frames = body("2026-11", image_urls=[FIRST], last_frame=LAST)
    assert frames == body("2026-11", image_urls=[FIRST, LAST])
    roles = body("2026-11", model="kling-v3-omni", image_urls=[FIRST], last_frame=LAST)["image_with_roles"]
    assert roles == [{"url": FIRST, "role": "first_frame"}, {"url": LAST, "role": "last_frame"}]
    sent = body("2026-11", prompt="", shots=SHOTS)
    members = [{"prompt": shot.prompt, "duration": shot.duration} for shot in SHOTS]
    assert sent == body(
        "2026-11", prompt="A cup The café", multi_shot=True, shot_type="customize", multi_prompt=members
    )
    assert sent["duration"] == 7


def test_how_many_shots() -> None:
    """Two to six shots in 2026-04, one to six in 2026-11."""
    accepted = {
        contract: [
            count
            for count in range(1, 8)
            if not problems(
                contract, prompt="", shots=[qw.Shot("A koi", 15 // count if count < 6 else 2)] * count
            )
        ]
        for contract in ("2026-04", "2026-11")
    }
    assert accepted == {"2026-04": [2, 3, 4, 5, 6], "2026-11": [1, 2, 3, 4, 5, 6]}


def test_aspect_ratio() -> None:
    """The default is sent in 2026-04 only; with an image, 2026-11 sends the ratio, except for turbo."""
    assert body("2026-04")["aspect_ratio"] == "16:9"
    assert "aspect_ratio" not in body("2026-11")
    with_image = {"image_urls": [FIRST], "aspect_ratio": "9:16"}
    assert "aspect_ratio" not in body("2026-04", **with_image)
    takers = qw.models("2026-11").taking("aspect_ratio")
    refused = [model for model in takers if problems("2026-11", model=model, **with_image)]
    assert refused == ["kling-3.0-turbo"]
    assert body("2026-11", **with_image)["aspect_ratio"] == "9:16"


def test_negative_prompt_and_length_of_a_prompt() -> None:
    """The models with a negative prompt, and the limit of a prompt."""
    assert set(qw.models("2026-04").taking("negative_prompt")) == {"kling-v1-6", "kling-v1"}
    assert set(qw.models("2026-11").taking("negative_prompt")) == {"kling-v2-6", "kling-v3", "kling-v3-omni"}
    assert "at most 2500" in problems("2026-04", prompt="k" * 2501)
    assert problems("2026-11", prompt="k" * 2501) == ""


def test_what_is_gone() -> None:
    """The models and parameters that 2026-11 no longer has are refused, with those that can do the same."""
    old = set(qw.models("2026-04")) - set(qw.models("2026-11"))
    assert old == {"kling-v2-master", "kling-v1-6", "kling-v1"}
    for model in old:
        assert "kling-v3, kling-3.0-turbo" in problems("2026-11", model=model)
    mask = qw.DynamicMask("https://e.com/mask.png", [(0, 0), (1, 1)])
    values: dict[str, Any] = {
        "cfg_scale": 0.5,
        "camera_control": "forward_up",
        "static_mask": "https://e.com/mask.png",
        "dynamic_masks": [mask],
    }
    for name, value in values.items():
        message = problems("2026-11", **{name: value})
        assert f"{name}: " in message
        assert "is a parameter of contract 2026-04" in message


def test_names_of_2026_11_in_2026_04() -> None:
    """Today's names are refused in 2026-04, with the name that it has for the same, if there is one."""
    for fields, instead in (
        ({"resolution": "720p"}, "use mode='std' instead"),
        ({"generate_audio": True}, "use enable_audio=True instead"),
        ({"multi_shot": True}, "leave multi_shot out"),
    ):
        message = problems("2026-04", **fields)
        assert "is a parameter of contract 2026-11" in message
        assert instead in message


def test_addresses_and_lifetimes() -> None:
    """The addresses, the lifetime of a video, and the time for which a submission is charged once."""
    april, november = terms_of("2026-04"), terms_of("2026-11")
    assert (qw.models("2026-04").base_url, qw.models("2026-11").base_url) == (
        "https://qingbo.dev/v1",
        "https://api.qingbo.ai/v1",
    )
    assert (april.link_lifetime.total_seconds(), november.link_lifetime.days) == (24 * 3600, 7)
    assert april.remembers_keys is None
    assert november.remembers_keys is not None
    assert november.remembers_keys.total_seconds() == 24 * 3600


@pytest.mark.slow
def test_what_a_task_costs(workdir: Path) -> None:
    """The cost is None until the task has ended, and 0 if it failed."""
    with (
        Sandbox(contract="2026-11", draft=True, speed=1000) as sandbox,
        qw.connect(sandbox=sandbox) as manager,
    ):
        task = manager.submit(model="kling-v3", prompt="A koi", duration=5)
        assert (task.cost, task.frozen) == (None, None)
        task.wait(timeout=60)
        assert (task.cost, task.frozen) == (189_000, 189_000)
        assert task.cost == pytest.approx(5 * 0.0756 * 500_000)
        sandbox.faults = Faults(fail="task_failed")
        task = manager.submit(model="kling-v3", prompt="A koi", duration=5)
        with pytest.raises(qw.TaskFailed):
            task.wait(timeout=60)
        assert (task.cost, task.frozen) == (0, 189_000)


def test_a_path_is_refused() -> None:
    """A path in code is refused, with the reason."""
    assert "enter a public http(s) URL" in problems("2026-11", image_urls=["first.png"])


@pytest.mark.parametrize("suffix", ["", ".zh"])
def test_both_languages_have_the_same_rows(suffix: str) -> None:
    """The table has the same names in the same rows in both languages."""
    text = (ROOT / f"docs/contract-2026-11{suffix}.md").read_text(encoding="utf-8")
    rows = [re.findall(r"`([^`]+)`", line) for line in text.splitlines() if line.startswith("| ")]
    english = (ROOT / "docs/contract-2026-11.md").read_text(encoding="utf-8")
    originals = [re.findall(r"`([^`]+)`", line) for line in english.splitlines() if line.startswith("| ")]
    assert len(rows) > 10
    assert [sorted(row) for row in rows] == [sorted(row) for row in originals]
