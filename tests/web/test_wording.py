"""How times and money are written for people."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from app.core.clock import SHANGHAI
from app.web import wording

NOW = datetime(2026, 11, 20, 10, 30, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (datetime(2026, 11, 20, 14, 0, tzinfo=SHANGHAI), "今天 14:00"),
        (datetime(2026, 11, 21, 0, 5, tzinfo=SHANGHAI), "明天 00:05"),
        (datetime(2026, 11, 18, 9, 0, tzinfo=SHANGHAI), "前天 09:00"),
        (datetime(2026, 11, 24, 9, 0, tzinfo=SHANGHAI), "11月24日 周二 09:00"),
        (datetime(2027, 1, 2, 9, 0, tzinfo=SHANGHAI), "2027年1月2日 09:00"),
    ],
)
def test_a_moment(at: datetime, said: str) -> None:
    assert wording.moment(at, NOW) == said


@pytest.mark.parametrize(
    ("hour", "said"), [(0, "凌晨 0:00"), (8, "上午 8:00"), (12, "中午 12:00"), (14, "下午 2:00"), (23, "晚上 11:00")]
)
def test_a_time_as_it_is_spoken(hour: int, said: str) -> None:
    assert wording.spoken_time(datetime(2026, 11, 20, hour, tzinfo=SHANGHAI)) == said


def test_the_day_is_the_citys() -> None:
    assert wording.day_word(date(2026, 11, 21), date(2026, 11, 20)) == "明天"
    late = datetime(2026, 11, 20, 16, 30, tzinfo=SHANGHAI)
    assert wording.span(late, late + timedelta(hours=9), NOW) == "今天 16:30–明天 01:30"
    assert wording.dated(late, late + timedelta(minutes=90)) == f"{wording.dated(late)}–18:00"
    assert (
        wording.dated(late, late + timedelta(hours=9))
        == f"{wording.dated(late)}–{wording.dated(late + timedelta(hours=9))}"
    )


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(45, "45 秒"), (500, "8 分钟"), (4800, "1 小时 20 分钟"), (7200, "2 小时"), (3 * 86400, "3 天")],
)
def test_a_duration(seconds: int, said: str) -> None:
    assert wording.duration(timedelta(seconds=seconds)) == said
    assert wording.away(NOW + timedelta(seconds=seconds), NOW) == f"还有 {said}"
    assert wording.away(NOW - timedelta(seconds=seconds), NOW) == f"{said}前"


def test_money() -> None:
    assert (wording.yuan(3600), wording.yuan(-5), wording.yuan(0)) == ("¥36.00", "-¥0.05", "¥0.00")
    assert (wording.yuan(100_000), wording.yuan(-123_456_789)) == ("¥1,000.00", "-¥1,234,567.89")


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("+8613800000001", "138 0000 0001"),
        ("+869358220001", "0935 822 0001"),
        ("138****0001", "138****0001"),
        ("+12025550123", "+12025550123"),
        ("+861", "+861"),
    ],
)
def test_a_telephone_number_is_written_as_one_dials_it(number: str, said: str) -> None:
    assert wording.phone(number) == said
