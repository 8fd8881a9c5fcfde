"""Bring the catalogue of Chinese texts up to date with the source, and compile it.

Every text in ``tr("…")`` or ``N_("…")``, or in a description of models, gets its entry in
``qingbo_widgets/locale/zh``, those that are gone lose theirs, and texts without Chinese are listed: add the
Chinese to the ``.po`` file and run this again. ``--check`` only says whether the catalogue is up to date.

The texts are extracted from Python's own syntax tree, and the ``.mo`` file is written here: the output of
libraries that do both differs from version to version, and they put their name and the date into the file.
"""

from __future__ import annotations

import ast
import io
import struct
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

import qingbo_widgets
from qingbo_widgets.system.console import accept_any_text

PACKAGE = Path(qingbo_widgets.__file__).parent
PO = PACKAGE / "locale" / "zh" / "LC_MESSAGES" / "qingbo_widgets.po"
MARKS = ("tr", "N_")
#: The words of a description whose values are texts.
DESCRIBED = ("label", "labels", "help", "placeholder", "description", "refusal", "note", "instead")
HEADER = "Language: zh\nContent-Type: text/plain; charset=UTF-8\n"


def literal(node: ast.AST) -> str | None:
    """Return the value of a string literal, or None for any other node."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    """Yield every call of ``tr`` and ``N_``.

    In the order of the tree, as the positions inside of an f-string differ from one Python to the next.
    """
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS:
            yield node
        yield from calls(node)


def described(words: object, key: str = "") -> Iterator[str]:
    """Yield every text in the description of a contract's models: labels, meanings, sentences."""
    if isinstance(words, dict):
        if words.get("type") == "text" and " " not in words.get("example", " "):
            yield words["example"]  # a text of one word
        for name, value in words.items():
            yield from described(value, "labels" if key == "labels" else name)
    elif isinstance(words, list):
        for value in words:
            yield from described(value)
    elif isinstance(words, str) and (key in DESCRIBED or (key == "example" and " " in words)):
        yield words  # an example in words, not the name of a file or a choice


def texts_in(path: Path) -> Iterator[str]:
    """Yield every translatable text of a file."""
    content = path.read_text(encoding="utf-8")
    if path.suffix == ".toml":
        yield from described(tomllib.loads(content))
        return
    for call in calls(ast.parse(content)):
        # What is no literal is read out of a table, where N_ marks it; a test sees to that.
        if (text := literal(call.args[0])) is not None:
            yield text


def source() -> dict[str, list[str]]:
    """Return every translatable text of the package, with the files that contain it."""
    texts: dict[str, list[str]] = {}
    for path in sorted((*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.toml"))):
        file = path.relative_to(PACKAGE).as_posix()
        for text in texts_in(path):
            if file not in texts.setdefault(text, []):
                texts[text].append(file)
    return texts


def translated() -> Catalog:
    """Return the catalogue in the file."""
    with PO.open("rb") as file:
        return read_po(file, locale="zh")


def updated() -> Catalog:
    """Return the catalogue with one entry for each text of the source, and no other."""
    old = translated() if PO.exists() else Catalog(locale="zh")
    new = Catalog(locale="zh", domain="qingbo_widgets", charset="utf-8")
    for text, files in source().items():
        known = old.get(text)
        # A catalogue may leave out the line, whatever Babel's types say.
        places: list[Any] = [(file, None) for file in files]
        message = new.add(text, known.string if known else "", locations=places)
        # Babel's own flags differ from version to version.
        message.flags = {"python-brace-format"} if "{" in text else set()
    return new


def po_bytes(catalog: Catalog) -> bytes:
    """Return the ``.po`` file without dates and line numbers, so that it changes only if a text does."""
    lines = "".join(f'"{line}\\n"\n' for line in HEADER.splitlines())
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=110, omit_header=True, sort_by_file=True, include_lineno=False)
    return f'msgid ""\nmsgstr ""\n{lines}\n'.encode() + buffer.getvalue()


def mo_bytes(chinese: Mapping[str, str]) -> bytes:
    """Return the ``.mo`` file that gettext reads, as the manual of GNU gettext describes it.

    Its seven words: a magic number, the version, how many texts, where the index of the texts and that of the
    translations begin, and an empty hash table. Texts are sorted and, like the translations, end with a zero.
    """
    pairs = sorted((text.encode(), said.encode()) for text, said in {"": HEADER, **chinese}.items())
    texts, translations = zip(*pairs, strict=True)
    start = 7 * 4
    places, at = b"", start + 2 * 8 * len(pairs)
    for string in (*texts, *translations):
        places += struct.pack("<2I", len(string), at)
        at += len(string) + 1
    index = struct.pack("<7I", 0x950412DE, 0, len(pairs), start, start + 8 * len(pairs), 0, at)
    return index + places + b"".join(string + b"\0" for string in (*texts, *translations))


def content(catalog: Catalog) -> dict[str, tuple[str, set[str]]]:
    """Return each text's translation and source files, independent of the catalogue's formatting."""
    return {
        str(message.id): (str(message.string or ""), {file for file, _ in message.locations})
        for message in catalog
        if message.id
    }


def check() -> int:
    """Say whether the catalogue has the texts of the source; the exit status is 1 if it has others."""
    if content(translated()) == content(updated()):
        return 0
    print("The Chinese texts are not up to date; run: make translations", file=sys.stderr)
    return 1


def main(arguments: list[str]) -> int:
    """Update both files; the exit status is 1 if a text has no Chinese."""
    accept_any_text()
    if arguments == ["--check"]:
        return check()
    catalog = updated()
    chinese = {str(message.id): str(message.string or "") for message in catalog if message.id}
    PO.parent.mkdir(parents=True, exist_ok=True)
    PO.write_bytes(po_bytes(catalog))
    PO.with_suffix(".mo").write_bytes(mo_bytes({text: said for text, said in chinese.items() if said}))
    missing = [text for text, said in chinese.items() if not said]
    print(f"── {len(chinese)} texts, {len(missing)} without Chinese: {PO.relative_to(PACKAGE.parent)}")
    for text in missing:
        print("  ", text)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
