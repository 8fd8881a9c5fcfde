"""Every text for the user exists in English and in Chinese."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import qingbo_widgets
from qingbo_widgets import VideoRequest, i18n
from qingbo_widgets import sandbox as sandbox_package
from qingbo_widgets.i18n import N_, joined, locale, sentences, set_locale, tr
from tests.waiting import until

ROOT = Path(qingbo_widgets.__file__).parent
#: The modules with texts for the user. The contracts of the sandbox respond in English, as the service does;
#: the command line's help goes through argparse, errors in a model description are for its author, and the
#: sandbox looks for the words of ``mood.py`` in prompts.
TRANSLATED = sorted(
    path
    for path in ROOT.rglob("*.py")
    if path.parent.name not in ("v2026_04", "v2026_11")
    and path.name not in ("__main__.py", "validation.py", "mood.py")
)
#: Calls whose sentences need no translation: what cannot happen, responses of the sandbox, and log messages.
UNTRANSLATED = {
    "AssertionError",
    "Refusal",
    "debug",
    "info",
    "warning",
    "exception",
    "error",
}
FIELDS = VideoRequest.field_names()
#: Sentences that are not for the user: reasons caught within their own module, a repr, code.
NOT_FOR_USERS = {
    # Of modules and descriptions, for their authors.
    " has no attribute ",
    ": not described",
    " is not a parameter of it",
    "this pool is closed",
    # Responses of the sandbox.
    "the quota of this spending window is used up; submit again after reset_at",
    "the task costs ",
    " quota, but only ",
    " s; it must last ",
    "the answer is too long",
    "method not allowed",
    "the answer took too long",
    r"Tunnel connection failed: (\d{3})",
    " tasks, videos in ",
    " is fixed in this form, to ",
    "import qingbo_widgets as qw\nqw.connect(",
    'pip install "qingbo_widgets[keyring]"; keyring set qingbo_widgets api_key',
    r"argument (?P<option>[^:]+): expected one argument",
    r"argument (?P<option>[^:]+): ignored explicit argument .*",
    r"ambiguous option: (?P<option>\S+) could match (?P<matches>.*)",
    "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index'",
    # Of a page that sends no file or no mask, in the log.
    " is no size of a file, or ",
    " no name",
    " files are on their way already",
    "a piece of ",
    " bytes at ",
    "a form without a manager paints no masks",
    " pixels are no size of an image",
    " bytes are too many",
    "a run is longer than the image",
    "the runs have ",
    " pixels, but the image ",
}
#: What a raised error says, in two words or more.
PHRASE = re.compile(r"[A-Za-z]{2,}[,;:]? [A-Za-z]{2,}")
SENTENCE = re.compile(r"[A-Za-z]{2,}[,;:]? [a-z]{2,}[,;:.]? [a-z]{2,}")


@pytest.fixture(autouse=True)
def language_of_the_environment() -> Iterator[None]:
    """Reset the language after each test."""
    yield
    set_locale(None)


@pytest.mark.slow
def test_no_sentence_goes_untranslated() -> None:
    """Every sentence in the source is in ``tr`` or ``N_``, unless it is for programmers or logs only."""
    found = []
    for path in TRANSLATED:
        for line, text in _bare(ast.parse(path.read_text(encoding="utf-8"))):
            found.append(f"{path.relative_to(ROOT)}:{line}: {text[:90]}")
    assert found == []


def _bare(tree: ast.AST, pattern: re.Pattern[str] = SENTENCE) -> Iterator[tuple[int, str]]:
    """Yield the texts that are neither translated nor in a place where users do not read them."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue  # a docstring
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in UNTRANSLATED or name in ("tr", "N_"):
                continue
        if isinstance(node, ast.keyword) and node.arg == "help":
            continue  # of a trait, for readers of the class
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            # Style sheets and scripts have braces and semicolons.
            style = re.search(r"[;{]\s*[\w-]+:|=>", node.value)
            if pattern.search(node.value) and not style and node.value not in NOT_FOR_USERS:
                yield node.lineno, node.value
            continue
        yield from _bare(node, PHRASE if isinstance(node, ast.Raise) else pattern)


def test_the_environment_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    """LANGUAGE precedes LC_ALL, LC_MESSAGES and LANG, as in gettext; unknown languages become English."""
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(i18n, "_language_of_windows", lambda: "")
    assert locale() == "en"
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert locale() == "zh"
    assert tr("Generate") == "生成"
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert locale() == "en"
    monkeypatch.setenv("LANGUAGE", "fr:zh_TW:en")
    assert locale() == "zh"


@pytest.mark.parametrize(("menus", "spoken"), [("zh_CN", "zh"), ("zh_TW", "zh"), ("de_DE", "en"), ("", "en")])
def test_windows_chooses_by_its_menus(monkeypatch: pytest.MonkeyPatch, menus: str, spoken: str) -> None:
    """Windows sets none of the variables, so its display language is used, unless the user sets one."""
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(i18n, "_language_of_windows", lambda: menus)
    assert locale() == spoken
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    assert locale() == "en"


@pytest.mark.parametrize("name", ["zh", "zh_CN", "zh-Hans", "ZH_cn.UTF-8"])
def test_a_language_is_chosen(name: str) -> None:
    """``set_locale`` accepts every spelling of a language; ``None`` returns to the environment's."""
    set_locale(name)
    assert (locale(), tr(N_("Cancel"))) == ("zh", "取消")
    set_locale(None)
    assert tr("Cancel") == "Cancel"


def test_an_unknown_language_is_refused() -> None:
    """The error for an unknown language lists the supported ones."""
    with pytest.raises(ValueError, match=r"'fr' is not one of en, zh"):
        set_locale("fr")


@pytest.mark.parametrize(
    ("language", "texts", "whole"),
    [
        ("en", ("A koi.", "", "It leaps!", "It is gone"), "A koi. It leaps! It is gone"),
        ("en", ("a koi", "It leaps."), "a koi. It leaps."),
        ("zh", ("一条锦鲤。", "跃起！", "不见了"), "一条锦鲤。跃起！不见了"),
        ("zh", ("boom", "再试一次。"), "boom。再试一次。"),
        ("zh", ("", ""), ""),
    ],
)
def test_sentences_follow_each_other_as_the_language_writes_them(
    language: str, texts: tuple[str, ...], whole: str
) -> None:
    """A blank is between sentences in English, and none behind a full-width mark."""
    set_locale(language)
    assert sentences(*texts) == whole


@pytest.mark.parametrize(
    ("service", "shown"),
    [("沙盒", "已连接沙盒"), ("api.example.com", "已连接 api.example.com"), ("", "已连接 ")],
)
def test_a_chinese_value_has_no_blanks_around_it(service: str, shown: str) -> None:
    """Blanks stand around Latin words only, whatever takes the place of a placeholder."""
    set_locale("zh")
    assert tr("Connected to {service}").format(service=service) == shown


def test_blanks_inside_of_a_value_stay() -> None:
    """A prompt is shown as it was typed, and two braces stay one."""
    assert joined(["不能与 ", "静态 蒙版", " 和 ", "sound", " 同用"]) == "不能与静态 蒙版和 sound 同用"
    set_locale("zh")
    text = tr("{reason}. {{name}} inserts a variable, {{{{ a brace.").format(reason="错误")
    assert text == "错误。{name} 代表变量，{{ 代表一个花括号。"


@pytest.mark.parametrize("given", ["speed", "fail", "module"])
def test_the_sandbox_speaks_the_language_of_the_notebook(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its errors, and the reason of a simulated failure, are in Chinese in a Chinese notebook."""
    set_locale("zh")
    if given == "speed":
        with pytest.raises(ValueError, match="speed 必须大于 0"):
            qingbo_widgets.Sandbox(speed=0)
    elif given == "module":
        monkeypatch.setitem(sys.modules, "qingbo_widgets.sandbox.server", None)
        with pytest.raises(ImportError, match=r"沙盒需要 .*，但它尚未安装"):
            _ = sandbox_package.__getattr__("Sandbox")
    else:
        faults = sandbox_package.Faults(fail="task_failed")
        with qingbo_widgets.Sandbox(draft=True, speed=1000, faults=faults) as server:
            client = qingbo_widgets.Client(server.api_key, server.base_url)
            task = client.submit(VideoRequest(prompt="一条锦鲤"))
            failure = until(lambda: client.status(task.task_id).error)
            assert "这是模拟的失败" in failure.message
