"""Brings the catalogue of Chinese texts up to date with the source, and compiles it.

Every text in ``tr("…")`` or ``N_("…")`` gets its entry in ``qingbo_widgets/locale/zh``, those that are gone
lose theirs, and what has no Chinese yet is listed: write it into the ``.po`` file and run this once more.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from qingbo_widgets.console import take_any_text

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "qingbo_widgets"
PO = PACKAGE / "locale" / "zh" / "LC_MESSAGES" / "qingbo_widgets.po"
MARKS = {"tr": None, "N_": None}


def source() -> Catalog:
    """Every text of the package that is to be translated, with the files that it stands in."""
    catalog = Catalog()
    for file, line, message, comments, _ in extract_from_dir(
        PACKAGE, method_map=[("**.py", "python")], keywords=MARKS
    ):
        catalog.add(message, locations=[(file, line)], user_comments=comments)
    return catalog


def translated() -> Catalog:
    """The catalogue as it stands in the file."""
    with PO.open("rb") as file:
        return read_po(file, locale="zh")


def updated() -> Catalog:
    """The catalogue with an entry for each text of the source and for no other."""
    old = translated() if PO.exists() else Catalog(locale="zh")
    new = Catalog(locale="zh", domain="qingbo_widgets", charset="utf-8")
    for message in source():
        if message.id:
            known = old.get(message.id)
            files = sorted({(file, None) for file, _ in message.locations})
            new.add(message.id, known.string if known else "", locations=files)
    return new


def po_bytes(catalog: Catalog) -> bytes:
    """The ``.po`` file: without dates and line numbers, so that it changes only where a text does."""
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=110, omit_header=True, sort_by_file=True, include_lineno=False)
    header = 'msgid ""\nmsgstr ""\n"Language: zh\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    return header.encode() + buffer.getvalue()


def mo_bytes(catalog: Catalog) -> bytes:
    """The ``.mo`` file that gettext reads."""
    plain = Catalog(locale="zh", charset="utf-8")
    plain.mime_headers = [("Content-Type", "text/plain; charset=UTF-8")]
    for message in catalog:
        if message.id and message.string:
            plain.add(message.id, message.string)
    buffer = io.BytesIO()
    write_mo(buffer, plain)
    return buffer.getvalue()


def main() -> int:
    """Updates both files; the exit status is 1 as long as a text has no Chinese."""
    take_any_text()
    catalog = updated()
    PO.parent.mkdir(parents=True, exist_ok=True)
    PO.write_bytes(po_bytes(catalog))
    PO.with_suffix(".mo").write_bytes(mo_bytes(catalog))
    missing = [message.id for message in catalog if message.id and not message.string]
    print(f"── {len(catalog)} texts, {len(missing)} without Chinese: {PO.relative_to(ROOT).as_posix()}")
    for text in missing:
        print("  ", text)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
