"""Names and numbers of invented people. Pure."""

from __future__ import annotations

import re

from app.elders import names as readings
from app.seeds.chance import chance, phone
from app.seeds.names import RARE, name


def test_the_same_part_draws_the_same_and_parts_differ() -> None:
    assert [chance("a").random() for _ in range(3)] == [chance("a").random() for _ in range(3)]
    assert chance("a").random() != chance("b").random()


def test_phones_lie_in_a_block_nobody_can_have() -> None:
    numbers = {phone(block, number) for block in (1, 99) for number in (0, 99_999)}
    assert len(numbers) == 4
    assert all(re.fullmatch(r"\+86100\d{7}", number) for number in numbers)


def test_rare_names_can_be_read_and_searched() -> None:
    assert {"𠮷秀英", "买买提·吐尔逊"} <= {called for called, _ in RARE}
    for called, _ in RARE:
        assert readings.readings(called)[0]


def test_names_fit_their_decade() -> None:
    assert name(chance("x"), "female", 1933)[1:] in (
        "桂英", "秀兰", "玉珍", "淑贞", "凤英", "翠花", "月娥", "桂兰", "金莲", "素琴",
    )  # fmt: skip
