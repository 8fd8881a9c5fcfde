"""``encodings``: a table is read as it was written, or refused; never as other characters."""

from __future__ import annotations

import pytest
from babel import Locale

from qingbo_widgets.tasks.sweep.encodings import decode, readings

#: Prompts as users write them, and the encodings in which spreadsheets and editors of their language save.
PROMPTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Traditional Chinese": (
        ("一條錦鯉在池塘中游動", "池塘", "貓", "夜晚的城市街道", "少女撐傘走過石橋", "龍在雲中穿行，閃電",
        "雪山", "咖啡"),
        ("big5", "cp950", "big5hkscs"),
    ),
    "Japanese": (
        ("池の鯉が泳ぐ", "桜", "桜吹雪", "東京夜景", "猫が窓辺で眠る", "富士山", "ドローンで撮影した海",
        "カメラがゆっくり進む"),
        ("shift_jis", "cp932", "euc_jp", "iso2022_jp"),
    ),
    "Korean": (
        ("연못의 잉어", "고양이", "눈", "벚꽃이 흩날리는 거리", "우주를 걷는 로봇", "바다 위의 노을",
        "가을 숲"),
        ("euc_kr", "cp949"),
    ),
    "Russian": (
        ("Рыба в пруду", "кот", "Ночной город", "Дракон летит над горами", "СНЕГ", "ёлка"),
        ("cp1251", "koi8-r", "cp866", "iso8859-5"),
    ),
    "Greek": (("Ψάρι στη λίμνη", "γάτα", "Νύχτα στην πόλη"), ("cp1253", "iso8859-7")),
    "Hebrew": (("דג בבריכה", "חתול", "עיר בלילה"), ("cp1255", "iso8859-8")),
    "Arabic": (("سمكة في البركة", "قطة", "مدينة في الليل"), ("cp1256",)),
    "Thai": (("ปลาในบ่อ", "แมว", "เมืองยามค่ำคืน"), ("cp874",)),
    "German": (("Ein Jäger für München", "Käse", "süß", "Größe – 5 m", "ÜBER", "„Märchen“"), ("cp1252",
    "cp850", "mac-roman")),
    "French": (("Un été à l’étang", "forêt", "Noël", "cœur", "25 °C"), ("cp1252", "mac-roman")),
    "Spanish": (("¿Dónde está el niño?", "montaña"), ("cp1252", "cp850")),
    "Czech": (("Rybář v údolí", "kůň", "žluťoučký kůň"), ("cp1250", "cp852", "iso8859-2")),
    "Polish": (("żółć", "łódź na jeziorze", "Święto"), ("cp1250", "iso8859-2")),
    "Hungarian": (("tűz", "árvíztűrő tükörfúrógép"), ("cp1250",)),
    "Turkish": (("göl kenarında balık", "ışık", "İstanbul"), ("cp1254",)),
    "Lithuanian": (("žuvis ežere", "šuo"), ("cp1257",)),
}  # fmt: skip
#: Short prompts that a Chinese Excel saves in GBK. All of them are read without a question.
CHINESE = (
    "一只猫在窗台上晒太阳", "竹林深处的小路", "城市夜景", "赛博朋克风格的城市夜景，霓虹灯闪烁", "一只橘猫",
    "小狗奔跑",
    "古风少女撑伞走过石桥", "宇航员在月球上行走", "水墨画风格的山水", "特写：咖啡杯冒着热气",
    "镜头缓缓推进，展示整个咖啡馆",
    "海浪拍打礁石", "樱花飘落", "机器人在厨房做饭", "一条龙在云中穿行", "秋天的枫叶林", "热气球升空",
    "日落时分的海滩",
    "雨夜的街道", "老人坐在长椅上看报纸", "孩子们放风筝", "无人机航拍长城", "熊猫吃竹子", "火车穿过雪原",
    "一杯奶茶",
    "跳舞的女孩", "星空下的帐篷", "中国风", "产品展示：香水瓶旋转", "AI生成的未来城市", "4K超清，电影质感",
    "8mm胶片效果的家庭录像", "近景，一位老奶奶包饺子", "穿汉服的少女", "湖面倒影", "大漠孤烟直",
    "小桥流水人家",
    "猫咪打哈欠", "A koi 锦鲤在水中游", "一条锦鲤在清澈的池塘中游动", "“下雨了”——她说……", "水温25℃，两条鱼",
)  # fmt: skip
#: Prompts in English, or with few accents, whose bytes in UTF-8 are Chinese characters in GBK.
SIGNS = (
    "25 °C · night",
    "koi · pond",
    "5 × 4 m",
    "±5",
    "il caffè è buono",
    "São Paulo à noite",
    "É noite",
    "25 °",
)
#: Of these alone, the bytes are as well a text of another language.
AMBIGUOUS = ("锦鲤", "瀑布", "雪山", "一", "小")
#: Of these, the bytes are as well valid UTF-8, such as "è", "÷" and a single vowel sign.
AMBIGUOUS_IN_UTF8 = (
    "猫",
    "一只猫, 猫",
    "梅",
    "牛",
    "女",
    "木",
    "母女",
    "馨",
    "楼",
    "鸢尾",
    "茅",
    "a 猫 in the rain",
)


def tables(prompt: str) -> list[str]:
    """Return tables with a prompt, as Excel and as editors write them."""
    return [f"prompt\n{prompt}\n", f'prompt,duration\r\n"{prompt}",5\r\n', f"duration;prompt\r\n5;{prompt}"]


def check(prompt: str, encoding: str, *, must_read: bool = False) -> None:
    """Check that a prompt is read as it is, or not at all and shown as it is."""
    for table in tables(prompt):
        try:
            content = table.encode(encoding)
        except UnicodeEncodeError:
            return
        text = decode(content)
        wrong = f"{prompt!r} in {encoding} would be paid for as {text!r}"
        assert text in (table, None), wrong
        assert text == table or not must_read, f"{prompt!r} in {encoding} was not read"


@pytest.mark.parametrize("language", PROMPTS)
def test_prompts_of_other_code_pages_are_not_read_as_others(language: str) -> None:
    """Each prompt in each encoding of its language is read as it was written, or not at all."""
    prompts, encodings = PROMPTS[language]
    for encoding in encodings:
        for prompt in prompts:
            check(prompt, encoding)
        check("\n".join(prompts), encoding)


@pytest.mark.parametrize(
    ("prompt", "encoding"),
    [(prompt, encodings[0]) for prompts, encodings in PROMPTS.values() for prompt in prompts],
)
def test_the_right_reading_is_offered(prompt: str, encoding: str) -> None:
    """A user who is asked sees the prompt as it was written among the readings."""
    content = f"prompt\n{prompt}\n".encode(encoding, "ignore")
    expected = content.decode(encoding)
    assert decode(content) == expected or expected in readings(content).values(), readings(content)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode_is_read_without_a_question(encoding: str) -> None:
    """Every prompt in any form of Unicode that spreadsheets write is read."""
    others = [prompt for prompts, _ in PROMPTS.values() for prompt in prompts]
    for prompt in (*CHINESE, *others, "koi", "a 🐟 in the pond", "naïve", "夜, night", "мост 2", *SIGNS):
        for table in tables(prompt):
            text = decode(table.encode(encoding))
            assert text == table, f"{prompt!r} was read as {text!r}"


@pytest.mark.parametrize("encoding", ["gbk", "gb18030"])
@pytest.mark.parametrize("prompt", CHINESE)
def test_short_chinese_prompts_are_read_without_a_question(prompt: str, encoding: str) -> None:
    """One prompt of a few characters is enough."""
    check(prompt, encoding, must_read=True)


def test_a_table_of_chinese_prompts_is_read_without_a_question() -> None:
    """Prompts that are ambiguous alone are not in a table with others."""
    table = "prompt\r\n" + "\r\n".join((*AMBIGUOUS, *CHINESE)) + "\r\n"
    assert decode(table.encode("gbk")) == table
    for first in range(0, len(CHINESE), 4):
        table = "prompt,duration\r\n" + "".join(
            f"{prompt},5\r\n" for prompt in (AMBIGUOUS[first % 5], *CHINESE[first : first + 4])
        )
        assert decode(table.encode("gbk")) == table


@pytest.mark.parametrize("prompt", [*AMBIGUOUS, *AMBIGUOUS_IN_UTF8])
def test_ambiguous_prompts_are_never_read_as_others(prompt: str) -> None:
    """Two or three bytes prove nothing, and neither does valid UTF-8 of as many."""
    check(prompt, "gbk")


@pytest.mark.parametrize(
    "content",
    [
        b"prompt\n\x1b$B3(\x1b(B\n",
        b"prompt\n~{VPND~}\n",
        b"\xff\xfea",
        b"\xef\xbb\xbf\xff",
        b"a\0\0b\0",
        b"\x81",
    ],
)
def test_other_bytes_are_not_read(content: bytes) -> None:
    """Text of 7 bits that switches characters, a broken mark and stray zeros are no UTF-8."""
    assert decode(content) is None
    readings(content)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("locale", "encoding"),
    [
        ("zh_Hans", "gb18030"), ("zh_Hant", "big5"), ("ja", "shift_jis"), ("ja", "euc_jp"), ("ko", "euc_kr"),
        ("ru", "cp1251"), ("ru", "koi8-r"), ("uk", "cp1251"), ("el", "cp1253"), ("he", "cp1255"),
        ("ar", "cp1256"), ("th", "cp874"), ("tr", "cp1254"), ("pl", "cp1250"), ("cs", "cp1250"),
        ("hu", "cp1250"), ("de", "cp1252"), ("fr", "cp1252"), ("es", "cp1252"), ("vi", "cp1258"),
        ("lt", "cp1257"),
    ],
)  # fmt: skip
def test_thousands_of_short_words(locale: str, encoding: str) -> None:
    """The names of countries, languages and currencies, each as the only prompt of a file."""
    names = Locale.parse(locale)
    words = {
        str(word)
        for kind in (names.territories, names.languages, names.currencies, names.scripts)
        for word in kind.values()
    }
    assert len(words) > 500
    for word in words:
        check(word, encoding)
