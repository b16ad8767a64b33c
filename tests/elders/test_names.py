"""How names may be typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.text import COMPOUND_SURNAMES
from app.elders.names import MAX_READINGS, SURNAMES, initials, readings, search_keys, split_name


@pytest.mark.parametrize(
    ("name", "reading", "letters"),
    [
        ("曾德明", "zengdeming", "zdm"),
        ("解小燕", "xiexiaoyan", "xxy"),
        ("仇英", "qiuying", "qy"),
        ("查良镛", "zhaliangyong", "zly"),
        ("朴正", "piaozheng", "pz"),
        ("盖叫天", "gejiaotian", "gjt"),
        ("区大明", "oudaming", "odm"),
        ("单雄信", "shanxiongxin", "sxx"),
        ("任正", "renzheng", "rz"),
        ("欧阳修", "ouyangxiu", "oyx"),
        ("单于珠", "chanyuzhu", "cyz"),
        ("尉迟恭", "yuchigong", "ycg"),
        ("万俟卨", "moqixie", "mqx"),
        ("王秀兰", "wangxiulan", "wxl"),
    ],
)
def test_surnames_are_read_as_surnames(name: str, reading: str, letters: str) -> None:
    assert readings(name)[0] == reading
    assert initials(name)[0] == letters
    assert {name, reading, letters} <= search_keys(name)


@pytest.mark.parametrize(("name", "other"), [("曾德明", "cengdeming"), ("解珍", "jiezhen"), ("覃勇", "tanyong")])
def test_the_other_reading_finds_too(name: str, other: str) -> None:
    assert other in search_keys(name)


def test_given_name_alone_and_umlauts() -> None:
    keys = search_keys("吕秀英")
    assert {"秀英", "xiuying", "lvxiuying", "luxiuying", "lyuxiuying"} <= keys


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("欧阳修", ("欧阳", "修")),
        ("欧阳", ("欧", "阳")),
        ("乐", ("", "乐")),
        ("艾力·买买提", ("", "艾力·买买提")),
        ("John Smith", ("", "John Smith")),
        ("𠮷田", ("𠮷", "田")),
    ],
)
def test_splitting(name: str, parts: tuple[str, str]) -> None:
    assert split_name(name) == parts


def test_a_middle_dot_may_be_left_out() -> None:
    assert "艾力买买提" in search_keys("艾力·买买提")
    assert "johnsmith" in search_keys("John Smith")


@given(st.text(min_size=1, max_size=20).filter(lambda text: text.strip()))
def test_any_text_is_a_name(name: str) -> None:
    assert 1 <= len(readings(name)) <= MAX_READINGS
    assert len(initials(name)) >= 1
    assert all(key for key in search_keys(name))


def test_the_surnames_of_two_characters_are_those_that_masking_keeps() -> None:
    assert {surname for surname in SURNAMES if len(surname) == 2} == COMPOUND_SURNAMES
