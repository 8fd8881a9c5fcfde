"""``table``: CSV files as spreadsheets write them are understood, or refused by row and field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qingbo_widgets import InvalidRequest, VideoRequest
from qingbo_widgets.tasks.sweep.grid import make_grid
from qingbo_widgets.tasks.sweep.table import read_table


@pytest.fixture
def write(tmp_path: Path) -> Any:
    """Return a function that writes a CSV file."""

    def write(text: str | bytes, encoding: str = "utf-8") -> Path:
        path = tmp_path / "prompts.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return write


def rows(path: Path, **settings: Any) -> list[dict[str, Any]]:
    """Return the fields of each row."""
    return [dict(row.values) for row in read_table(path, **settings)]


@pytest.mark.parametrize(
    "text",
    [
        "prompt,duration\nkoi,5\ncrane,10\n",
        "prompt,duration\r\nkoi,5\r\ncrane,10\r\n",
        "prompt,duration\rkoi,5\rcrane,10\r",
        "prompt;duration\nkoi;5\ncrane;10\n",
        "prompt\tduration\nkoi\t5\ncrane\t10\n",
        "sep=;\r\nprompt;duration\r\nkoi;5\r\ncrane;10\r\n",
        '"sep=,"\nprompt,duration\nkoi,5\ncrane,10\n',
        "SEP=\t\nprompt\tduration\nkoi\t5\ncrane\t10\n",
        "sep=|\nprompt|duration\nkoi|5\ncrane|10\n",
        "\ufeffprompt,duration\nkoi,5\ncrane,10\n",
        " Prompt , DURATION \nkoi,5\ncrane,10\n",
        '"prompt","duration"\n"koi","5"\n"crane","10"\n',
        "prompt,duration,,\nkoi,5,,\ncrane,10,,\n",
        "prompt,duration\nkoi,5,,\ncrane,10,,,,\n",
        "prompt,duration\n,\nkoi,5\n\n , \ncrane,10\n,,,\n",
        "\n\nprompt,duration\nkoi,5\ncrane,10\n",
        "prompt,duration\nkoi,5.0\ncrane,10.00\n",
        'prompt,duration\nkoi,"5,0"\ncrane,"10,00"\n',
        "duration,prompt\n 5 ,koi\n10,crane\n",
        "prompt,duration,mode\nkoi,5\ncrane,10,\n",
    ],
)
def test_spellings_of_one_table(write: Any, text: str) -> None:
    """Separators, line ends, marks, blanks, empty rows and columns, and decimals of spreadsheets."""
    assert rows(write(text)) == [{"prompt": "koi", "duration": 5}, {"prompt": "crane", "duration": 10}]


@pytest.mark.parametrize(
    ("name", "cell", "value"),
    [
        ("enable_audio", "TRUE", True), ("enable_audio", "FALSE", False), ("enable_audio", "False", False),
        ("duration", "5.0", 5), ("duration", "5,0", 5), ("n", "1.0", 1),
        ("cfg_scale", "0,5", 0.5), ("cfg_scale", "0.5", 0.5), ("cfg_scale", ",25", 0.25), ("cfg_scale",
        "1,0", 1.0),
        ("cfg_scale", "0,125", 0.125),
        ("aspect_ratio", "16:09", "16:9"), ("aspect_ratio", "09:16", "9:16"), ("aspect_ratio", "09:16:00",
        "9:16"),
        ("aspect_ratio", "1:01", "1:1"), ("aspect_ratio", "16:9", "16:9"), ("mode", "PRO", "pro"),
        ("duration", "'5", 5), ("duration", "5\u200b", 5), ("duration", "\ufeff5", 5),
        ("duration", '="5"', 5), ("duration", "５", 5), ("aspect_ratio", "16：9", "16:9"),
        ("prompt", '="a ""red"" koi"', 'a "red" koi'), ("prompt", "\ufeffa \ufeffkoi", "a koi"),
        ("prompt", "'tis night", "'tis night"), ("prompt", "#koi!", "#koi!"), ("prompt", "CAFÉ…”", "CAFÉ…”"),
        ("prompt", "what????", "what????"), ("prompt", "fatigué…”", "fatigué…”"),
        ("prompt", "Ção Â", "Ção Â"),
        ("prompt", " koi ", " koi "), ("prompt", "5.0", "5.0"), ("prompt", "TRUE", "TRUE"), ("prompt", "0,5",
        "0,5"),
        ("prompt", "two\r\nlines", "two\r\nlines"), ("prompt", 'a "koi"', 'a "koi"'), ("prompt", "16:09",
        "16:09"),
    ],
)  # fmt: skip
def test_values_as_spreadsheets_write_them(write: Any, name: str, cell: str, value: Any) -> None:
    """A value is understood where it can only be meant so; a prompt is never changed."""
    quoted = cell.replace('"', '""')
    (row,) = rows(write(f'{name},model\r\n"{quoted}",kling-v1\r\n'))
    assert row == {name: value, "model": "kling-v1"}


@pytest.mark.parametrize(
    ("name", "cell", "works"),
    [
        ("duration", "five", "5"), ("duration", "5.5", "5"), ("duration", "1,500", "5"),
        ("cfg_scale", "1,500", "0.5"), ("cfg_scale", "half", "0.5"), ("enable_audio", "WAHR", "True"),
        ("mode", "best", "std"), ("aspect_ratio", "17:09", "16:9"),
    ],
)  # fmt: skip
def test_other_values_are_refused_by_row_and_field(write: Any, name: str, cell: str, works: str) -> None:
    """The message has the row as the spreadsheet shows it, the field, the text and a value that works."""
    model = "kling-v1" if name == "cfg_scale" else "kling-v3"
    path = write(f'prompt,model,{name}\nkoi,{model},\n\n"a\nb",{model},"{cell}"\n')
    with pytest.raises(InvalidRequest) as caught:
        make_grid(path)
    for part in ("row 4", name, cell, works):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prompt,mode\nkoi,pro\nA koi, swimming,pro\n", "row 3 has more cells than columns: 'pro'"),
        ("prompt,\nkoi,5\n", "row 2: the cell '5' is in a column without a name"),
        ("prompt,Prompt\nkoi,crane\n", "two columns are named 'prompt'"),
        ('prompt\n"koi\ncrane\n', "is not a table"),
        *(
            (f"prompt\n{text}\n", "was damaged when it was saved")
            for text in (
                "k\ufffdi",
                "Ein JÃ¤ger",
                "itâ€™s a koi",
                "25 Â°C",
                "é”¦é²¤é‡‘é±¼",
                "锟斤拷",
                "????",
            )
        ),
        *(
            (f"prompt,duration\nkoi,5\n{text},5\n", "row 3: the cell .* is an error of the spreadsheet")
            for text in ("#NAME?", "#REF!", "#N/A", "#DIV/0!", "#VALUE!", "########", "Err:502")
        ),
        ("prompt,duration\nkoi,#VALUE!\n", "row 2: the cell '#VALUE!' is an error of the spreadsheet"),
        *(
            (text, "is a workbook or another file, not CSV")
            for text in ("PK\3\4xl/workbook.xml", "%PDF-1.7", "\ufeff <html><table>")
        ),
        ("", "the table is empty"),
        ("prompt,duration\n", "the table is empty"),
        (",,\n,,\n", "the table is empty"),
    ],
)
def test_tables_that_are_refused(write: Any, text: str, message: str) -> None:
    """Each names the row or the column, so that it is found in the spreadsheet."""
    with pytest.raises(ValueError, match=message):
        make_grid(write(text))


def test_an_uncertain_encoding_is_shown_and_can_be_named(write: Any) -> None:
    """The error shows how the first prompt reads in each encoding, and the argument is what it says."""
    path = write('prompt,duration\r\n"Ein Jäger für München",5\r\n', "cp1252")
    with pytest.raises(ValueError, match="the encoding is not certain") as caught:
        make_grid(path)
    message = str(caught.value)
    for part in ("'Ein Jäger für München' (cp1252)", "sweep('prompts.csv', encoding='cp1252')", "CSV UTF-8"):
        assert part in message
    assert make_grid(path, encoding="cp1252").combinations[0].request == VideoRequest(
        prompt="Ein Jäger für München", duration=5
    )


@pytest.mark.parametrize(
    ("encoding", "prompt"),
    [
        ("big5", "一條錦鯉"), ("Big5", "一條錦鯉"), ("shift_jis", "①の鯉"), ("euc-kr", "연못의 잉어"),
        ("gb2312", "朱镕基"), ("gbk", "锦鲤"), ("utf-8", "锦鲤"), ("utf8", "锦鲤"), ("utf-16", "锦鲤"),
        ("latin-1", "25 €"), ("ascii", "koi"),
    ],
)  # fmt: skip
def test_an_encoding_by_name(write: Any, encoding: str, prompt: str) -> None:
    """The name of a small encoding stands for the superset that programs write under it."""
    written = {"shift_jis": "cp932", "gb2312": "gbk", "latin-1": "cp1252"}.get(encoding, encoding)
    assert rows(write(f"prompt\n{prompt}\n", written), encoding=encoding) == [{"prompt": prompt}]
    if encoding.startswith("utf"):
        assert rows(write(f"\ufeffprompt\n{prompt}\n", encoding), encoding=encoding) == [{"prompt": prompt}]


@pytest.mark.parametrize("encoding", ["klingon", "hex", "rot13", "", "utf-8\0"])
def test_an_unknown_encoding_is_refused(write: Any, encoding: str) -> None:
    """It is no encoding of text."""
    with pytest.raises(ValueError, match="is not the name of an encoding"):
        read_table(write("prompt\nkoi\n"), encoding)


def test_a_wrong_encoding_is_refused(write: Any) -> None:
    """The bytes are no text in it."""
    with pytest.raises(ValueError, match="not text in the encoding 'utf-8'"):
        read_table(write("prompt\n锦鲤\n", "gbk"), "utf-8")
