"""Every text is marked in the source, is in the catalogue, and has a Chinese translation."""

from __future__ import annotations

import ast
import gettext
import io
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
import translations
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo

from qingbo_widgets import VideoRequest

pytestmark = pytest.mark.slow
ROOT = translations.PACKAGE
FIELDS = VideoRequest.field_names()
MOST_WORDS = 30


def test_every_text_has_its_chinese() -> None:
    """Every text has a Chinese translation; else run ``make translations`` and complete the .po file."""
    catalog = translations.content(translations.updated())
    assert len(catalog) > 500
    assert [text for text, (chinese, _) in catalog.items() if not chinese] == []
    assert translations.content(translations.translated()) == catalog, "run: make translations"


def test_the_compiled_catalogue_is_that_of_the_text() -> None:
    """The .mo file contains exactly the translations of the .po file."""
    compiled = translations.PO.with_suffix(".mo").read_bytes()
    read = gettext.GNUTranslations(io.BytesIO(compiled))
    chinese = {
        text: translation
        for text, (translation, _) in translations.content(translations.translated()).items()
    }
    assert {text: read.gettext(text) for text in chinese} == chinese, "run: make translations"
    assert read.info()["language"] == "zh"
    entries = {message.id: message.string for message in read_mo(io.BytesIO(compiled)) if message.id}
    assert entries == chinese, "run: make translations"


def test_both_files_are_written_and_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Quotes, backslashes, newlines and placeholders survive the .po and the .mo file."""
    texts = {'say "it"\\n': "说“它”\\n", "two\nlines\n": "两\n行\n", "{a} of {b} " * 20: "{b} 中的 {a} " * 20}
    catalog = Catalog(locale="zh", charset="utf-8")
    for text, chinese in texts.items():
        catalog.add(text, chinese, locations=[("here.py", 1)])
    monkeypatch.setattr(translations, "PO", tmp_path / "catalogue.po")
    translations.PO.write_bytes(translations.po_bytes(catalog))
    assert {
        text: translation
        for text, (translation, _) in translations.content(translations.translated()).items()
    } == texts
    compiled = gettext.GNUTranslations(io.BytesIO(translations.mo_bytes(texts)))
    assert {text: compiled.gettext(text) for text in texts} == texts
    assert compiled.gettext("unknown") == "unknown"


def placeholders(message: str) -> set[str]:
    """Return the placeholders of a text."""
    return {name for _, name, _, _ in string.Formatter().parse(message) if name is not None}


def test_a_translation_fits_its_text() -> None:
    """A translation has the same placeholders and the same leading field name, which the form needs."""
    for message in translations.translated():
        source, chinese = str(message.id), str(message.string or "")
        if source:
            assert placeholders(chinese) == placeholders(source), source
            field = re.match(rf"(?:{'|'.join(FIELDS)}|{{where}}|{{field}}): ", source)
            assert field is None or chinese.startswith(field[0]), source


def test_a_blank_stands_between_chinese_and_latin() -> None:
    """Chinese and Latin letters or digits do not touch, as in Chinese texts about software."""
    touching = re.compile("[\u4e00-\u9fff][A-Za-z0-9]|[A-Za-z0-9][\u4e00-\u9fff]")
    texts = [str(message.string or "") for message in translations.translated()]
    assert [chinese for chinese in texts if touching.search(chinese)] == []


def test_a_text_is_short() -> None:
    """A text says what, why and what next in at most 30 words; the help of a magic has several paragraphs."""
    texts = [str(message.id) for message in translations.translated()]
    too_long = [text for text in texts if len(text.split()) > MOST_WORDS and "\n\n" not in text]
    assert not too_long, "\n".join(too_long)


def test_a_chinese_label_has_a_full_width_colon() -> None:
    """The ASCII colon follows the name of a field, which is code; what the form shows has Chinese labels."""
    field = rf"(?:{'|'.join(FIELDS)}|{{where}}|{{field}}|{{names}}|[a-z_]+): "
    texts = [str(message.string or "") for message in translations.translated()]
    wrong = [text for text in texts if re.search("[\u4e00-\u9fff}）”]: ", re.sub(f"^{field}", "", text))]
    assert not wrong, "\n".join(wrong)


# ---------------------------------------------------------------- every text is marked in the source


Trees = list[tuple[str, ast.Module]]


@pytest.fixture(scope="module")
def trees() -> Trees:
    """Return the syntax tree of every module of the package."""
    paths = sorted(ROOT.rglob("*.py"))
    return [(str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))) for path in paths]


def test_a_mark_is_a_call_with_one_text(trees: Trees) -> None:
    """``N_`` takes a literal; ``tr`` takes a literal or a value from a named table."""
    wrong = []
    for file, tree in trees:
        marks = list(translations.calls(tree))
        called = {id(call.func) for call in marks}
        for call in marks:
            (argument,) = call.args
            text = translations.literal(argument)
            read = ast.unparse(call.func) == "tr" and all(_roots(argument))
            if call.keywords or not (read if text is None else text):
                wrong.append(f"{file}:{call.lineno}: {ast.unparse(call)}")
        for node in ast.walk(tree):
            name = getattr(node, "id", getattr(node, "attr", None))
            renamed = isinstance(node, ast.alias) and node.name in translations.MARKS and node.asname
            if renamed or (name in translations.MARKS and id(node) not in called):
                line = getattr(node, "lineno", 0)
                wrong.append(f"{file}:{line}: tr or N_, but no call by this name")
    assert wrong == []


def test_what_is_translated_later_is_marked_where_it_is_written(trees: Trees) -> None:
    """The constants used in ``tr`` contain marked texts; an unmarked text in a table is found."""
    constants = {file: dict(_constants(tree)) for file, tree in trees}
    marked = {
        (file, name)
        for file, values in constants.items()
        for name, value in values.items()
        if any(mark for _, _, mark in _strings(value))
    }
    wrong = []
    for file, tree in trees:
        for call in translations.calls(tree):
            for name in _roots(call.args[0]):
                candidates = (
                    [file] if name in constants[file] else [f for f in constants if name in constants[f]]
                )
                if name.strip("_").isupper() and not any(
                    (candidate, name) in marked for candidate in candidates
                ):
                    wrong.append(f"{file}:{call.lineno}: {name} holds no text that is marked")
        for name, value in constants[file].items():
            strings = list(_strings(value))
            columns = {place for place, _, mark in strings if mark}
            wrong += [
                f"{file}: {name} holds {text!r}, without N_"
                for place, text, mark in strings
                if place in columns and not mark
            ]
    assert wrong == []


def test_the_search_sees_a_text_that_is_not_marked() -> None:
    """The search covers dicts, tuple columns and keywords, but not a table's keys and other columns."""
    table = 'T = {"a": ("css", N_("A"), Row(label=N_("B"))), "b": ("css", "C", Row(label="D", name="E"))}'
    ((_, value),) = _constants(ast.parse(table))
    strings = list(_strings(value))
    columns = {place for place, _, mark in strings if mark}
    assert [text for place, text, mark in strings if place in columns and not mark] == ["C", "D"]
    (call,) = translations.calls(ast.parse('tr(HELP["shots"] if a else "b")'))
    assert (translations.literal(call.args[0]), list(_roots(call.args[0]))) == (None, ["HELP", ""])


def _constants(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Yield the names that a module and its classes assign, with their values."""
    for node in tree.body:
        for one in node.body if isinstance(node, ast.ClassDef) else [node]:
            match one:
                case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                    yield from zip((ast.unparse(name) for name in names), values, strict=True)
                case ast.Assign(targets=[name]) | ast.AnnAssign(target=name) if one.value is not None:
                    yield ast.unparse(name), one.value


def _strings(node: ast.AST, place: tuple[object, ...] = ()) -> Iterator[tuple[tuple[object, ...], str, bool]]:
    """Yield each string of a table with its column and whether it is marked. Similar rows share columns."""
    match node:
        case ast.Constant(value=str(text)):
            yield place, text, False
        case ast.Call(func=ast.Name(id="N_"), args=[ast.Constant(value=str(text))]):
            yield place, text, True
        case ast.Dict():
            for value in node.values:
                yield from _strings(value, (*place, "value"))
        case ast.List() | ast.Set() | ast.Tuple():
            is_row = bool(place) and isinstance(node, ast.Tuple)
            for index, element in enumerate(node.elts):
                yield from _strings(element, (*place, index if is_row else "element"))
        case ast.Call():
            arguments = [*enumerate(node.args), *((keyword.arg, keyword.value) for keyword in node.keywords)]
            for key, argument in arguments:
                yield from _strings(argument, (*place, ast.unparse(node.func), key))
        case ast.BinOp():  # one dict | another
            yield from _strings(node.left, place)
            yield from _strings(node.right, place)


def _roots(node: ast.expr) -> Iterator[str]:
    """Yield the root names of an expression: ``_AXES`` of ``_AXES[axis].more``; empty for other nodes."""
    match node:
        case ast.Name():
            yield node.id
        case ast.Attribute() | ast.Subscript():
            yield from _roots(node.value)
        case ast.IfExp():
            yield from _roots(node.body)
            yield from _roots(node.orelse)
        case _:
            yield ""
