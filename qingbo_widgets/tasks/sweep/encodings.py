"""The encoding of a table: the text as it was written, or an error, and never other characters.

Each prompt is a paid video, and a byte means a letter in one code page and half of a Chinese character in
another. So only UTF-8, UTF-16 and the GB 18030 of a Chinese Excel are read without a question, and the last
only if it reads as everyday Chinese and as nothing else. Statistics need more text than a prompt has; what is
known instead is which characters of each encoding everyday text consists of.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Callable, Mapping
from math import inf
from types import MappingProxyType

from .everyday import CHINESE, HANGUL, KANJI, evidence

__all__ = ["codec_of", "decode", "readings"]

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: The superset that programs write under the name of a smaller encoding.
_SUPERSETS = MappingProxyType(
    {
        "utf-8": "utf-8-sig",
        "ascii": "utf-8-sig",
        "gb2312": "gb18030",
        "gbk": "gb18030",
        "big5": "cp950",
        "shift_jis": "cp932",
        "euc_kr": "cp949",
        "iso8859-1": "cp1252",
    }
)
#: Encodings of one byte a character, the commonest first.
_SINGLE_BYTE = (
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp874",
    "koi8-r", "iso8859-5", "mac-roman", "cp437", "cp850", "cp852", "cp866",
)  # fmt: skip
#: Encodings of 7 bits, by the bytes that switch the characters.
_SWITCHING = MappingProxyType({b"\x1b$": ("iso2022_jp_2", "iso2022_kr"), b"~{": ("hz",)})
#: Characters of text besides letters and digits that everyday text has in any language.
_MARKS = frozenset("\u00a0«»‹›“”„‘’‚…–—•·°§©®™€£¥¿¡²³×′″№،؟؛׳״\u200e\u200f")
_CYRILLIC = re.compile(r"[Ѐ-џґҐ]")
_EAST_ASIAN = re.compile(r"[々぀-ヿ一-鿿가-힣]")
_LETTERS = re.compile(r"[^\W\d_]+")
#: Words with the vowels and accents that follow their letters.
_WORDS = re.compile(r"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f\u05b0-\u05c7\u0e31\u0e34-\u0e3a\u0e47-\u0e4e])*")
_ASCII = re.compile(r"[A-Za-z]")
#: A letter with an accent beside one without, as in any word but "à" or "é".
_ACCENTED = re.compile(r"[a-z][À-ɏ]|[À-ɏ][a-z]")
_CELLS = re.compile(r"[^,;\t\r\n\"]+")
_HEBREW = re.compile(r"[א-ת׳״]+")
#: A vowel before or marks after a consonant, as Thai is written.
_THAI = re.compile(r"(?:[เ-ไ]?[ก-ฮ][\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]*[ะาำๅ]?ๆ?)+")
#: A single Chinese character in the midst of a word, where there is really a letter with an accent.
_IN_WORD = re.compile(r"(?<=[A-Za-z])[㐀-鿿](?=[a-z])")
#: Parts of emoji besides symbols.
_EMOJI = ("Mn", "Cf")
#: Share of the Chinese characters that may be outside of GB 2312, which has those of everyday text.
_RARE = 0.1
#: Share of the Chinese characters that may be of the rarer half of GB 2312; real text has one in twenty.
_LEVEL_2 = 0.35
#: Characters up to which a text may be valid UTF-8 by chance.
_BY_CHANCE = 8
#: How much likelier text must be Chinese than a text of another language that the bytes may be, too, as a
#: logarithm: the spelling of Thai is checked, and that of other alphabets less so.
_MARGIN = {"cp874": 6.0, "big5": 4.0, "shift_jis": 3.0, "euc_kr": 5.0, "euc_jp": 5.0}
_USUAL_MARGIN = 3.0
#: The least evidence for Chinese if the bytes are nothing else: three everyday characters in seven.
_LEAST = -1.0


def codec_of(encoding: str) -> str:
    """Return the name of Python's codec for an encoding, with the characters of its usual superset.

    Raises:
        LookupError: there is no such encoding of text.
    """
    name = codecs.lookup(encoding).name
    "a".encode(name)  # a LookupError for a codec of bytes, such as "hex"
    return _SUPERSETS.get(name, name)


def decode(content: bytes) -> str | None:
    """Return the text of a file, ``None`` if its encoding is not certain."""
    for bom, name in _BOMS:
        if content.startswith(bom):
            return _strict(content, name)
    if b"\0" in content:
        return _utf16(content)
    if any(switch in content for switch in _SWITCHING) and _switched(content):
        return None
    text, chinese = _strict(content, "utf-8"), _strict(content, "gb18030")
    is_chinese = chinese is not None and _is_chinese(chinese)
    if text is not None and (not is_chinese or _is_utf8(text, is_chinese=True)):
        return text if is_chinese or _is_utf8(text, is_chinese=False) else None
    if chinese is None or not is_chinese:
        return None
    found = evidence(chinese, CHINESE)
    rivals = {name: of(content) for name, of in _RIVALS.items()}
    if text is not None:
        rivals["utf-8"] = 0.0
    margins = {name: _MARGIN.get(name, _USUAL_MARGIN) for name in rivals}
    is_clear = all(found - rival >= margins[name] for name, rival in rivals.items() if rival is not None)
    return chinese if found >= _LEAST and is_clear else None


def readings(content: bytes) -> Mapping[str, str]:
    """Return how a file reads in each encoding that is plausible, by its name, the likeliest first."""
    found: dict[str, str] = {}
    if any(switch in content for switch in _SWITCHING):
        found |= _switched(content)
    if (text := _strict(content, "utf-8")) is not None:
        found["utf-8"] = text
    chinese = _strict(content, "gb18030")
    if chinese is not None and _is_chinese(chinese):
        found["gb18030"] = chinese
    found |= {name: content.decode(codec_of(name)) for name, of in _RIVALS.items() if of(content) is not None}
    if not found:
        names = ("gb18030", "big5", "shift_jis", "euc_kr", "cp1252", "utf-16")
        found = {name: text for name in names if (text := _strict(content, codec_of(name))) is not None}
    distinct: dict[str, str] = {}
    for name, text in found.items():
        if text not in distinct.values():
            distinct[name] = text
    return distinct


def _strict(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except UnicodeError:
        return None


def _utf16(content: bytes) -> str | None:
    """Return the text of a UTF-16 file without a byte order mark, which has a zero beside each ASCII byte."""
    odd, even = content[1::2].count(0), content[::2].count(0)
    is_little = odd > even
    if max(odd, even) < 4 * min(odd, even):
        return None
    text = _strict(content, "utf-16-le" if is_little else "utf-16-be")
    return text if text is not None and all(map(_is_assigned, text)) else None


def _switched(content: bytes) -> dict[str, str]:
    names = [name for switch, names in _SWITCHING.items() if switch in content for name in names]
    texts = {name: _strict(content, name) for name in names}
    return {name: text for name, text in texts.items() if text is not None and not text.isascii()}


def _is_assigned(character: str) -> bool:
    return character in "\t\r\n" or unicodedata.category(character) not in ("Cc", "Cn", "Co", "Cs")


# ---------------------------------------------------------------------- Chinese


def _is_chinese(text: str) -> bool:
    """Return True if a text that was read as GB 18030 is everyday Chinese."""
    common = second = rare = 0
    for character in text:
        if character.isascii():
            continue
        code, category = character.encode("gb18030"), unicodedata.category(character)
        if len(code) == 1 or not _is_assigned(character):
            return False
        if 0xB0 <= code[0] <= 0xF7 and code[1] >= 0xA1 and len(code) == 2:
            common += 1
            second += code[0] >= 0xD8
        elif "㐀" <= character <= "鿿":
            rare += 1
        elif code[0] not in (0xA1, 0xA2, 0xA3, 0xA6) and category[0] not in "PS" and category not in _EMOJI:
            return False
    is_usual = rare <= _RARE * (common + rare) and second <= _LEVEL_2 * common
    return common > 0 and is_usual and _IN_WORD.search(text) is None


def _all_within(
    encoding: str, everyday: frozenset[str], is_usual: Callable[[bytes, str], bool]
) -> Callable[[bytes], float | None]:
    """Return a function that returns the evidence that a file is text of an East Asian encoding.

    It returns ``None`` if the file has other characters than usual text in that encoding.
    """

    def evidence_in(content: bytes) -> float | None:
        text = _strict(content, encoding)
        if text is None:
            return None
        others = [character for character in text if not character.isascii()]
        letters = [character for character in others if unicodedata.category(character)[0] not in "PZ"]
        if not letters or not all(is_usual(letter.encode(encoding), letter) for letter in letters):
            return None
        return inf if any(map(_is_kana, letters)) else evidence(text, everyday)

    return evidence_in


# ---------------------------------------------------------------------- other languages


def _is_utf8(text: str, *, is_chinese: bool) -> bool:
    """Return True if valid UTF-8 is that, although the bytes may be of another encoding."""
    others = [character for character in text if not character.isascii()]
    if not all(map(_is_assigned, text)):
        return False
    if len(others) > _BY_CHANCE or any(map(_is_emoji, others)):
        return True
    words = [word for word in _LETTERS.findall(text) if not word.isascii()]
    scripts = {_script(character) for word in words for character in word} | {
        _script(character) for character in others if unicodedata.category(character) in ("Mn", "Mc")
    }
    if "CJK" in scripts:
        return True
    has_latin = any(
        not word.isascii() and _script(word[0]) != "LATIN" and _ASCII.search(word) for word in words
    )
    shortest = min((len(word) for word in words if "LATIN" not in map(_script, word)), default=2)
    is_odd = (
        (scripts and not words)
        or has_latin
        or "" in scripts
        or len(scripts) > 1
        or any("⠀" <= mark <= "⣿" for mark in others)
    )
    return not is_odd and not (is_chinese and (shortest < 2 or _may_be_characters(text)))


def _is_emoji(character: str) -> bool:
    return character > "\uffff" and unicodedata.category(character) in ("So", "Sk")


def _may_be_characters(text: str) -> bool:
    """Return True if accents and signs in valid UTF-8 may be Chinese characters: those of "è" are "猫"."""
    if _ACCENTED.search(text):
        return False
    cells = [cell for cell in _CELLS.findall(text) if not cell.isascii()]
    is_alone = any(not _ASCII.search(cell) and not re.search(r"\d", cell) for cell in cells)
    letters = "".join(character for character in text if character.isalpha() and not character.isascii())
    return is_alone or evidence(letters.encode().decode("gb18030", "replace"), CHINESE) > 0


def _is_written(text: str) -> bool:
    """Return True if all that is not ASCII is words of one everyday alphabet, and the marks between them."""
    words = [word for word in _WORDS.findall(text) if not word.isascii()]
    rest = _WORDS.sub("", text)
    scripts = {_script(letter) for word in words for letter in word if not letter.isascii()}
    is_all = all(character.isascii() or character in _MARKS for character in rest)
    if not is_all or len(scripts) > 1:
        return False
    return all(script in _SPELLED and all(map(_SPELLED[script], words)) for script in scripts)


def _is_latin(word: str) -> bool:
    """Return True for a word with letters of ASCII, too, or a short one in lower case, such as "żółć"."""
    ascii_letters = len(_ASCII.findall(word))
    return 2 * ascii_letters >= len(word) or (word.islower() and len(word) <= 4)


def _is_cased(word: str) -> bool:
    """Return True for a word in lower case, capitals, or a capital and lower case."""
    is_name = word[0].isupper() and word[1:].islower()
    return _ASCII.search(word) is None and (word.islower() or word.isupper() or is_name)


def _script(letter: str) -> str:
    """Return the alphabet of a letter; empty for a letter that everyday text does not have."""
    if _EAST_ASIAN.match(letter):
        return "CJK"
    name = unicodedata.name(letter, "").split(" ")[0]
    if name in ("MODIFIER", "COMBINING"):
        return "LATIN"
    if name == "CYRILLIC":
        return name if _CYRILLIC.match(letter) else ""
    return "" if name in ("CJK", "YI") else name


#: How a word of each alphabet is spelled.
_SPELLED: Mapping[str, Callable[[str], bool]] = MappingProxyType(
    {
        "LATIN": _is_latin,
        "CYRILLIC": _is_cased,
        "GREEK": _is_cased,
        "HEBREW": lambda word: _HEBREW.fullmatch(word) is not None,
        "ARABIC": lambda word: word.isalpha() and _ASCII.search(word) is None,
        "THAI": lambda word: _THAI.fullmatch(word) is not None,
    }
)


def _single_byte(encoding: str) -> Callable[[bytes], float | None]:
    def evidence_in(content: bytes) -> float | None:
        text = _strict(content, encoding)
        return 0.0 if text is not None and _is_written(text) else None

    return evidence_in


def _is_kana(character: str) -> bool:
    return "぀" <= character <= "ヿ"


#: The encodings besides UTF-8 and GB 18030: each returns the evidence that a file is text in it, or ``None``.
_RIVALS: Mapping[str, Callable[[bytes], float | None]] = MappingProxyType(
    {
        "big5": _all_within("cp950", KANJI, lambda code, _: 0xA4 <= code[0] <= 0xC6),
        "shift_jis": _all_within(
            "cp932", KANJI, lambda code, char: _is_kana(char) or (len(code) == 2 and 0x88 <= code[0] <= 0x98)
        ),
        "euc_kr": _all_within("cp949", HANGUL, lambda _, char: "가" <= char <= "힣"),
        "euc_jp": _all_within("euc_jp", KANJI, lambda code, char: _is_kana(char) or 0xB0 <= code[0] <= 0xCF),
        **{name: _single_byte(name) for name in _SINGLE_BYTE},
    }
)
