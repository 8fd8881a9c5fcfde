"""``models`` and ``schema``: the model descriptions, from which everything else is derived."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from enum import IntEnum, StrEnum
from typing import Any

import pytest

import qingbo_widgets as qw
from qingbo_widgets.service.contract.kinds import KINDS
from qingbo_widgets.service.contract.models import declared, models_of
from qingbo_widgets.service.contract.pasted import read_body
from qingbo_widgets.service.contract.request import VideoRequest
from qingbo_widgets.service.contract.v2026_04 import Contract202604
from qingbo_widgets.service.contract.validation import RESERVED
from qingbo_widgets.service.contract.values import CameraControl, DynamicMask, Shot
from tests.descriptions import INVENTED


def test_the_models_are_those_of_the_contract() -> None:
    """The models are those of the documentation, in its order."""
    assert list(models_of("2026-04")) == ["kling-v3", "kling-v2-master", "kling-v1-6", "kling-v1"]


def test_every_parameter_is_of_a_known_type_and_explained() -> None:
    """Every parameter has a known type, a label and a help text, used by forms and documentation."""
    for name, parameter in models_of("2026-04").parameters.items():
        assert parameter.type in KINDS, name
        assert parameter.label, name
        assert parameter.help, name
        assert set(parameter.labels) <= set(parameter.choices) or parameter.type == "camera", name


@pytest.mark.parametrize(
    ("model", "field", "expected"),
    [
        ("kling-v3", "shots", True),
        ("kling-v3", "negative_prompt", False),
        ("kling-v2-master", "cfg_scale", False),
        ("kling-v1", "camera_control", False),
        ("kling-v1-6", "camera_control", True),
        ("kling-v1", "mode", True),
        ("kling-v9", "dynamic_masks", True),
        (None, "shots", True),
    ],
)
def test_takes(model: object, field: str, expected: bool) -> None:
    """A model's parameters determine the controls of a form; an unlisted model may take any."""
    assert (field in models_of().of(model).parameters) is expected


@pytest.mark.parametrize(
    ("contract", "typed", "meant"),
    [
        ("2026-04", "kling_v3", ["kling-v3"]),
        ("2026-04", "Kling-V1.6", ["kling-v1-6"]),
        ("2026-04", "sora", []),
        ("2026-04", "锦鲤", []),
        ("2026-11", "kling-3.0", ["kling-3.0-turbo", "kling-v3"]),
        ("2026-11", "kling-2.6", ["kling-v2-6"]),
        ("2026-11", "klingv3", ["kling-v3"]),
        ("2026-11", "turbo", ["kling-3.0-turbo"]),
        ("2026-11", "kling-o1", ["kling-video-o1", "kling-v3"]),
        ("2026-11", "kling-v3 omni", ["kling-v3-omni"]),
    ],
)
def test_similar_models(contract: str, typed: str, meant: list[str]) -> None:
    """A misspelt or incomplete name has suggestions, the likeliest first; an unrelated one has none."""
    assert list(models_of(contract).similar(typed)) == meant


def test_an_invented_model_and_an_invented_parameter(described: Callable[[str], None]) -> None:
    """Checks, defaults, the body and its inverse follow from the description alone."""
    described(INVENTED)
    request = VideoRequest("kling-v9", "a koi", grain="coarse", duration=12)  # type: ignore[call-arg]  # the test's own field
    assert request.problems() == ()
    assert request.grain == "coarse"  # type: ignore[attr-defined]  # the test's own field
    assert VideoRequest("kling-v9").grain == "fine", "the default of the description"  # type: ignore[attr-defined]  # the test's own field
    body = Contract202604().encode(request)
    assert body["extra"] == {"mode": "std", "film": {"grain": "coarse"}}
    assert read_body(json.loads(json.dumps(body))).request == request
    (problem,) = request.replace(grain="soft").problems()  # type: ignore[call-arg]  # the test's own field
    assert str(problem) == "grain: 'soft' is not one of fine, coarse; try 'fine'."
    (problem,) = VideoRequest("kling-v1", "a koi", grain="fine").problems()  # type: ignore[call-arg]  # the test's own field
    assert "kling-v1 does not take it; leave grain out. Models that take it: kling-v9." in str(problem)
    assert VideoRequest.from_dict(json.loads(json.dumps(request.as_dict()))) == request
    assert "kling-v9" in models_of().similar("kling-v8")


def test_a_misspelt_field_is_an_error() -> None:
    """A field that no model takes raises an error that lists the fields of the contract in use."""
    with pytest.raises(TypeError, match=r"no parameter grain. It takes model, action, prompt"):
        VideoRequest(grain="coarse")  # type: ignore[call-arg]  # the test's own field


#: For each type without further attributes: a valid value, its JSON, and an invalid value.
BARE: dict[str, tuple[Any, Any, Any]] = {
    "name": ("classic", "classic", " "),
    "text": ("a pond", "a pond", 5),
    "choice": (720, 720, 900),
    "seconds": (4, 4, 0),
    "integer": (7, 7, 7.5),
    "number": (0.25, 0.25, "much"),
    "boolean": (False, False, "no"),
    "url": ("https://a.example/1.png", "https://a.example/1.png", "1.png"),
    "urls": (("https://a.example/1.png",), ["https://a.example/1.png"], ("1.png",)),
    "camera": (CameraControl("orbit"), {"type": "orbit"}, 5),
    "masks": (
        (DynamicMask("https://a.example/m.png", ((1, 2), (3, 4))),),
        [{"mask_url": "https://a.example/m.png", "trajectories": [{"x": 1, "y": 2}, {"x": 3, "y": 4}]}],
        ("m.png",),
    ),
    "shots": (
        (Shot("One", 5), Shot("Two", 6)),
        [{"prompt": "One", "duration": 5}, {"prompt": "Two", "duration": 6}],
        (Shot("", 5),),
    ),
    "choices": (("b", "a"), ["b", "a"], ("c",)),
    "objects": (({"url": "https://a.example/1.png"},), [{"url": "https://a.example/1.png"}], ({"url": 5},)),
}
#: What a type needs beyond its name.
NEEDS = {
    "choice": "choices = [720, 1080]",
    "choices": 'choices = ["a", "b"]',
    "camera": 'choices = ["orbit"]',
    "objects": 'members = { url = { type = "url" } }',
}


def test_every_type_has_its_example() -> None:
    """Every type has an example, so that a new type is tested below."""
    assert set(BARE) == set(KINDS)


@pytest.mark.parametrize("kind", BARE)
def test_a_parameter_of_any_type_needs_no_more_than_its_type(
    described: Callable[[str], None], kind: str
) -> None:
    """A parameter with only a type is checked, sent and read back, and does not affect other models."""
    described(
        f"""
        [parameters.grain]
        type = "{kind}"
        place = "extra.grain"
        required = true
        {NEEDS.get(kind, "")}

        [models.kling-v9]
        takes = ["grain"]
        """
    )
    good, written, bad = BARE[kind]
    request = VideoRequest("kling-v9", "a koi", grain=good)  # type: ignore[call-arg]  # the test's own field
    assert request.problems() == ()
    assert request.warnings() == ()
    body = json.loads(json.dumps(Contract202604().encode(request)))
    assert body["extra"] == {"mode": "std", "grain": written}
    assert read_body(body).request == VideoRequest.from_body(body) == request
    wrong = request.replace(grain=bad).problems()  # type: ignore[call-arg]  # the test's own field
    assert wrong, "the service would receive a request that it refuses"
    assert all(problem.field == "grain" and "try None" not in str(problem) for problem in wrong)
    assert all(str(problem).startswith("grain") for problem in wrong)
    other = VideoRequest("kling-v1", "a koi")
    assert other.problems() == ()
    assert "grain" not in Contract202604().encode(other)["extra"]
    assert "grain" not in Contract202604().encode(VideoRequest("unlisted", "a koi"))["extra"]


@pytest.mark.parametrize("kind", [kind for kind, known in KINDS.items() if known.parts])
def test_a_list_whose_parts_stand_apart(described: Callable[[str], None], kind: str) -> None:
    """Each part of a list has a numbered place, like the shots of contract 2026-04."""
    described(
        f"""
        [parameters.grain]
        type = "{kind}"
        place = "extra.grain_{{number}}_{{key}}"

        [models.kling-v9]
        takes = ["grain"]
        """
    )
    good, written, _ = BARE[kind]
    request = VideoRequest("kling-v9", "a koi", grain=good)  # type: ignore[call-arg]  # the test's own field
    body = json.loads(json.dumps(Contract202604().encode(request)))
    parts = {
        f"grain_{number}_{key}": value
        for number, part in enumerate(written, 1)
        for key, value in part.items()
    }
    assert body["extra"] == {"mode": "std", **parts}
    assert read_body(body).request == request


def test_a_model_may_have_its_own_default_and_place(described: Callable[[str], None]) -> None:
    """An unset field takes the model's default; a set field keeps its value, even if it equals a default."""
    described(
        """
        [models.kling-v9]
        takes = []
        mode = { default = "pro", place = "quality" }
        duration = { choices = [7, 12], default = 7 }
        """
    )
    request = VideoRequest("kling-v9", "a koi")
    body = Contract202604().encode(request)
    assert (body["quality"], body["duration"], "extra" in body) == ("pro", 7, False)
    assert read_body(body).request == request
    chosen = VideoRequest("kling-v9", "a koi", mode="pro", duration=7)
    assert VideoRequest.from_dict(chosen.as_dict()).replace(model="kling-v1").mode == "pro"
    assert "mode='pro'" not in repr(chosen)


def test_a_forbidden_parameter_may_have_a_default(described: Callable[[str], None]) -> None:
    """A forbidden parameter at its default is not sent and is not a problem."""
    described('[[constraints]]\nwhen = { negative_prompt = "*" }\nforbid = ["mode"]')
    request = VideoRequest("kling-v1", "a koi", negative_prompt="blur")
    assert request.problems() == ()
    assert "extra" not in Contract202604().encode(request)
    (problem,) = request.replace(mode="pro").problems()
    assert str(problem) == "mode: 'pro' cannot be combined with negative_prompt; try 'std'."


def test_a_constraint_of_two_conditions_gives_one_problem(described: Callable[[str], None]) -> None:
    """A constraint with two conditions gives one problem, at the first of them."""
    described(
        """
        [[constraints]]
        when = { negative_prompt = "*", cfg_scale = "*" }
        require = "image_urls"
        avoid = ["callback_url"]
        note = "camera_control: Kling does not combine camera control with {field}."
        """
    )
    request = VideoRequest("kling-v1", "a koi", negative_prompt="blur", cfg_scale=0.5)
    (problem,) = request.problems()
    assert str(problem).startswith(
        "negative_prompt: 'blur' needs image_urls too; set it (for example image_urls='https://example.com/"
    )
    image = request.replace(image_urls="https://a.example/1.png", callback_url="https://a.example/")
    assert [str(one) for one in image.warnings()] == [
        "camera_control: Kling does not combine camera control with callback_url."
    ]


@pytest.mark.parametrize(
    ("kind", "default"),
    [
        ("camera", '"orbit"\nchoices = ["orbit"]'),
        ("shots", '[{ prompt = "One", duration = 5 }]'),
        ("masks", '[{ mask_url = "https://a.example/m.png", trajectories = [[1, 2], [3, 4]] }]'),
    ],
)
def test_a_default_may_be_written_as_the_service_writes_it(
    described: Callable[[str], None], kind: str, default: str
) -> None:
    """A default in the service's JSON form is read like any other value."""
    described(
        f'[parameters.grain]\ntype = "{kind}"\ndefault = {default}\n[models.kling-v9]\ntakes = ["grain"]'
    )
    assert VideoRequest("kling-v9", "a koi").problems() == ()


def test_a_member_of_an_enum_counts_as_its_value() -> None:
    """A ``StrEnum`` member counts as its text; a boolean is not one of the choices."""

    class Mode(StrEnum):
        pro = "pro"

    class Length(IntEnum):
        usual = 5

    request = VideoRequest("kling-v1", "a koi", mode=Mode.pro, duration=Length.usual)
    assert request.problems() == ()
    assert json.loads(json.dumps(Contract202604().encode(request)))["extra"]["mode"] == "pro"
    assert VideoRequest(shots=[("a", 5), ("b", 5)], duration=Length.usual).warnings() == ()
    assert VideoRequest("kling-v1", "a koi", mode=True).problems() != ()  # type: ignore[arg-type]  # the mistake


def test_an_unknown_contract_is_refused() -> None:
    """An unknown contract raises, and no file outside the folder is read."""
    with pytest.raises(ValueError, match=r"'<hidden>' does not exist; choose one of 2026-04"):
        VideoRequest(prompt="a koi").problems("../x")


def test_names_of_a_request_are_reserved() -> None:
    """Names of methods and traits are reserved, so that no parameter hides one or is hidden by one."""
    ours = [kind for kind in qw.RequestForm.__mro__ if kind.__module__.startswith("qingbo_widgets")]
    own = {name for kind in (VideoRequest, *ours) for name in vars(kind) if not name.startswith("_")}
    beside = {
        name
        for call in (qw.sweep, qw.RequestForm.__init__, qw.VideoStudio.__init__, qw.TaskManager.submit)
        for name, one in inspect.signature(call).parameters.items()
        if one.kind is not inspect.Parameter.VAR_KEYWORD
    }
    assert (own | beside) - set(declared()) - {"self"} <= RESERVED


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ('[models.kling-v9]\ntakes = ["grian"]', "grian: not described"),
        ("[models.kling-v9]\ntakes = []\ndurations = { choices = [5] }", "durations is not a parameter"),
        ('[parameters.grain]\ntype = "choice"\nchoises = ["fine"]', "choises"),
        ('[[constraints]]\nwhen = { shots = "*" }\nforbids = ["prompt"]', "forbids"),
        ('[[constraints]]\nwhen = { grain = "*" }\nomit = ["prompt"]', "a constraint refers to grain"),
        ('[[constraints]]\nwhen = { shots = "*" }\nrequire = "grain"', "a constraint refers to grain"),
        ('[parameters.grain]\ntype = "rough"', "grain: there is no type rough; the types are name, text"),
        ('[parameters.grain]\ntype = "choice"', "grain: a choice needs choices"),
        ('[parameters.grain]\ntype = "integer"\nrange = [5, 1]', "grain: range is"),
        ('[parameters.grain]\ntype = "url"\nmedia = "film"', "grain: there is no medium film"),
        ('[parameters.problems]\ntype = "text"', "problems: the name is reserved"),
        ('[parameters.class]\ntype = "text"', "class: the name is reserved"),
        ('[parameters.Grain]\ntype = "text"', "Grain: a name consists of lowercase letters"),
        (
            '[parameters.grain]\ntype = "text"\noptions = ["-m"]',
            "-m: this option is already in use",
        ),
        (
            '[parameters.grain]\ntype = "text"\nplace = "extra.mode"',
            "several parameters have the place extra.mode",
        ),
        ('[parameters.grain]\ntype = "text"\nplace = "extra"', "grain has the place extra, and"),
        ('[parameters.grain]\ntype = "text"\nplace = "grain_{number}"', "and a text has none"),
        (
            '[parameters.grain]\ntype = "text"\nplace = "grain_{zz}"',
            "place grain_{zz} is not a path of names",
        ),
        ('[parameters.grain]\ntype = "shots"\nplace = "g_{number}"', "needs both {number} and {key}"),
        (
            '[parameters.grain]\ntype = "text"\nalways = true',
            "a parameter that is always sent must have a default",
        ),
        (
            '[parameters.grain]\ntype = "camera"\nchoices = ["a"]\neditor = "camera"',
            "does not edit this parameter",
        ),
        ('[parameters.grain]\ntype = "number"\nrange = ["a", "b"]', "grain: range is"),
        ('[parameters.grain]\ntype = "text"\nmost = "9"', "grain: most is '9'"),
        ('[parameters.grain]\ntype = "text"\nlabel = 5', "grain: label is 5, not a text"),
        ('[parameters.grain]\ntype = "seconds"\nchoices = ["a"]', "not whole seconds"),
        ('[parameters.grain]\ntype = "text"\noptions = ["-o"]', "-o: this option is already in use"),
        ('[parameters.image]\ntype = "text"', "--image: this option is already in use"),
        ('[parameters.no_audio]\ntype = "text"', "--no-audio: this option is already in use"),
        ('[parameters.cost]\ntype = "text"', "cost: the name is reserved"),
        ('[models.kling-v9]\ntakes = []\nmode = { default = "ultra" }', "the default of mode is refused"),
        ('[models.kling-v9]\ntakes = ["cfg_scale"]\ncfg_scale = { unless_given = 2 }', "unless_given of cfg"),
        ('[models.kling-v9]\ntakes = []\nmode = { unless_given = "pro" }', "unless_given has no effect"),
        (
            '[parameters.multi_prompt]\ntype = "text"\n[models.kling-v9]\ntakes = ["multi_prompt"]\n'
            'duration = { derived = "length_of_shots" }',
            "duration follows from multi_prompt, which needs the rule shots_add_up",
        ),
        ('[models.kling-v9]\ntakes = []\nmode = { type = "zz" }', "kling-v9: mode: there is no type zz"),
        ("[models.kling-v9]\ntakes = []\nmode = { choices = [] }", "mode: a choice needs choices"),
    ],
)
def test_a_wrong_description_is_an_error(described: Callable[[str], None], words: str, error: str) -> None:
    """A mistake in a description raises an error that names its place; else a rule would be ignored."""
    with pytest.raises((TypeError, KeyError, ValueError), match=re.escape(error)):
        described(words)
