"""How a Chinese name may be typed: characters, pinyin in every likely reading, initials. Pure.

The dictionary behind pypinyin reads characters as words do; surnames often differ. The table holds the surnames
whose reading as a name is not the common one. Both readings are kept for searching: not every operator knows.
"""

from __future__ import annotations

import re
from itertools import islice, product

from pypinyin import Style, lazy_pinyin, pinyin

SURNAMES: dict[str, tuple[str, ...]] = {
    "曾": ("zeng",), "解": ("xie",), "仇": ("qiu",), "查": ("zha",), "朴": ("piao",), "盖": ("ge", "gai"),
    "区": ("ou",), "任": ("ren",), "单": ("shan",), "华": ("hua",), "尉": ("wei",), "折": ("she",),
    "翟": ("zhai", "di"), "覃": ("qin", "tan"), "缪": ("miao",), "乐": ("yue", "le"), "秘": ("bi",),
    "冼": ("xian",), "员": ("yun",), "燕": ("yan",), "郇": ("xun", "huan"), "逄": ("pang",), "逯": ("lu",),
    "芮": ("rui",), "晁": ("chao",), "谌": ("chen", "shen"), "种": ("chong",), "召": ("shao",), "繁": ("po",),
    "黑": ("he", "hei"), "洗": ("xian",), "宓": ("mi", "fu"), "那": ("na",), "能": ("nai",), "哈": ("ha",),
    "句": ("gou",), "阚": ("kan",), "贠": ("yun",), "牟": ("mu", "mou"), "万": ("wan",), "卜": ("bu",),
    "车": ("che",), "隗": ("wei", "kui"), "褚": ("chu",), "令": ("ling",), "祭": ("zhai",), "佴": ("nai",),
    "钭": ("tou",), "佘": ("she",), "冯": ("feng",), "柏": ("bai", "bo"), "石": ("shi",), "俞": ("yu",),
    "喻": ("yu",), "于": ("yu",), "撒": ("sa",), "瞿": ("qu",), "相": ("xiang",), "宁": ("ning",), "曲": ("qu",),
    "訾": ("zi",), "纪": ("ji",), "盛": ("sheng",), "干": ("gan",), "不": ("fou",), "重": ("chong",),
    "长": ("zhang", "chang"), "强": ("qiang",), "都": ("du",), "祝": ("zhu",), "长孙": ("zhangsun",),
    "单于": ("chanyu",), "尉迟": ("yuchi",), "欧阳": ("ouyang",), "司马": ("sima",), "上官": ("shangguan",),
    "诸葛": ("zhuge",), "夏侯": ("xiahou",), "东方": ("dongfang",), "皇甫": ("huangfu",), "公孙": ("gongsun",),
    "慕容": ("murong",), "令狐": ("linghu",), "宇文": ("yuwen",), "司徒": ("situ",), "司空": ("sikong",),
    "万俟": ("moqi",), "澹台": ("tantai",), "呼延": ("huyan",), "南宫": ("nangong",), "端木": ("duanmu",),
    "轩辕": ("xuanyuan",), "赫连": ("helian",), "拓跋": ("tuoba",), "独孤": ("dugu",), "钟离": ("zhongli",),
}  # fmt: skip

MAX_READINGS = 12
"""Enough for two readings of the surname and a few of the given name; a bound, because readings multiply."""

_SEPARATORS = re.compile(r"[\s·•・.'’\-]")
_HAN = re.compile(r"[㐀-鿿豈-﫿\U00020000-\U0003ffff]")


def compact(text: str) -> str:
    """Without the spaces and middle dots that people put into names or leave out; small letters."""
    return _SEPARATORS.sub("", text).lower().replace("ü", "v")


def is_han(text: str) -> bool:
    return _HAN.search(text) is not None


def split_name(name: str) -> tuple[str, str]:
    """(surname, given name). Compound surnames only from the table; names with a middle dot have no surname."""
    if "·" in name or "•" in name or not is_han(name):
        return "", name
    for length in (2, 1):
        if len(name) > length and (length == 1 or name[:length] in SURNAMES):
            return name[:length], name[length:]
    return "", name


def readings(name: str) -> list[str]:
    """Full pinyin without tones or spaces, the likeliest first: 曾明 → zengming, zengmeng, cengming, cengmeng."""
    return [surname + "".join(given) for surname, given, _ in _parts(name)]


def initials(name: str) -> list[str]:
    """First letters, the likeliest first: 曾德明 → zdm, cdm; 欧阳修 → oyx."""
    found = (start + "".join(syllable[:1] for syllable in given) for _, given, start in _parts(name))
    return list(dict.fromkeys(found))


def search_keys(name: str) -> set[str]:
    """Everything that finds this name by prefix."""
    surname, given = split_name(name)
    keys = {compact(name), *readings(name), *initials(name)}
    if surname:
        keys |= {compact(given), *("".join(part[1]) for part in _parts(name))}
    # 吕 is lv on keyboards, lu to people who do not know that, and lyu in passports.
    keys |= {key.replace("v", other) for key in keys if "v" in key for other in ("u", "yu")}
    return {key for key in keys if key}


def _parts(name: str) -> list[tuple[str, tuple[str, ...], str]]:
    """(surname reading, syllables of the given name, initials of the surname), the likeliest first."""
    surname, given = split_name(name)
    heads = _surname_readings(surname)
    syllables = [_syllables(character) for character in compact(given)]
    likeliest = [lazy_pinyin(character)[0] for character in compact(given)]
    # A long name of characters with two readings has more combinations than there are atoms; a person has one.
    tails = dict.fromkeys([tuple(likeliest), *islice(product(*syllables), MAX_READINGS)])
    ordered = [(head, tail, start) for tail in tails for head, start in heads]
    return ordered[:MAX_READINGS]


def _surname_readings(surname: str) -> list[tuple[str, str]]:
    if not surname:
        return [("", "")]
    by_character = lazy_pinyin(surname)
    usual = ("".join(by_character), "".join(syllable[:1] for syllable in by_character))
    found = []
    for reading in SURNAMES.get(surname, ()):
        # A compound surname has the initials of its two characters, whatever the first is read as.
        start = reading[0] + (usual[1][1:] if len(surname) > 1 else "")
        found.append((reading, start))
    return list(dict.fromkeys([*found, usual]))


def _syllables(character: str) -> list[str]:
    return list(dict.fromkeys(pinyin(character, style=Style.NORMAL, heteronym=True)[0]))[:2]
