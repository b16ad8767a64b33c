"""Jinchang's divisions and the working calendar, as loaded from the data files."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from app.core import clock
from app.core.db import Tx
from app.core.errors import NotFound
from app.regions import service, workdays
from app.regions.divisions import covers

DAYS = st.dates(date(2020, 1, 1), date(2035, 1, 1))


@pytest.fixture
async def loaded(tx: Tx) -> Tx:
    await service.ensure_base_data(tx)
    return tx


async def test_the_whole_of_jinchang_is_there(loaded: Tx) -> None:
    found = await service.divisions(loaded, ["620300"], limit=1000)
    kinds = [division.kind for division in found]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "city": 1,
        "district": 2,
        "street": 18,
        "community": 43,
        "village": 139,
    }
    for division in found:
        assert division.parent_code is None or covers(division.parent_code, division.code)
        if division.kind in {"city", "district", "street"}:
            assert division.lng is not None
            assert division.lat is not None
            assert 101.0 < division.lng < 102.8
            assert 37.9 < division.lat < 39.1


async def test_loading_again_changes_nothing(loaded: Tx) -> None:
    before = await service.divisions(loaded, ["000000"], limit=1000)
    await service.set_day(loaded, date(2026, 1, 1), is_workday=True, name="值班", source="测试")
    await service.ensure_base_data(loaded)
    assert await service.divisions(loaded, ["000000"], limit=1000) == before
    assert await service.is_workday(loaded, date(2026, 1, 1)), "what somebody decided stays decided"


async def test_a_scope_sees_only_its_part(loaded: Tx) -> None:
    found = await service.divisions(loaded, ["620302001"], limit=1000)
    assert found
    assert all(division.code.startswith("620302001") for division in found)
    assert await service.divisions(loaded, [], limit=1000) == []


async def test_an_unknown_code_is_not_found(loaded: Tx) -> None:
    assert (await service.division(loaded, "620302")).name == "金川区"
    with pytest.raises(NotFound):
        await service.division(loaded, "999999")


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        (date(2026, 2, 14), True),  # a Saturday worked for Spring Festival
        (date(2026, 2, 17), False),  # a Tuesday in Spring Festival
        (date(2026, 11, 23), True),
        (date(2026, 11, 22), False),
    ],
)
async def test_holidays_and_make_up_days(loaded: Tx, day: date, worked: bool) -> None:
    assert await service.is_workday(loaded, day) is worked


async def test_working_days_jump_over_spring_festival(loaded: Tx) -> None:
    at = datetime(2026, 2, 13, 10, 30, tzinfo=clock.SHANGHAI)
    one, two = await service.add_working_days(loaded, at, 1), await service.add_working_days(loaded, at, 2)
    assert one == datetime(2026, 2, 14, 10, 30, tzinfo=clock.SHANGHAI)
    assert two == datetime(2026, 2, 24, 10, 30, tzinfo=clock.SHANGHAI)
    assert await service.add_working_days(loaded, at, 0) == at


async def test_the_day_is_shanghais_day(loaded: Tx) -> None:
    friday_in_shanghai = datetime(2026, 11, 19, 17, 0, tzinfo=UTC)
    assert await service.add_working_days(loaded, friday_in_shanghai, 1) == datetime(2026, 11, 22, 17, 0, tzinfo=UTC)


async def test_a_year_without_a_calendar_warns_and_follows_the_week(loaded: Tx) -> None:
    with capture_logs() as logs:
        assert await service.is_workday(loaded, date(2031, 10, 1))
    assert [entry for entry in logs if entry["event"] == "calendar_year_missing" and entry["year"] == 2031]
    with capture_logs() as logs:
        await service.is_workday(loaded, date(2026, 10, 1))
    assert not logs


@given(DAYS, st.integers(0, 40), st.dictionaries(DAYS, st.booleans(), max_size=20))
def test_counting_working_days(start: date, count: int, exceptions: dict[date, bool]) -> None:
    end = workdays.after_workdays(start, count, exceptions)
    between = [date.fromordinal(n) for n in range(start.toordinal() + 1, end.toordinal() + 1)]
    assert sum(workdays.is_workday(day, exceptions) for day in between) == count
    assert count == 0 or workdays.is_workday(end, exceptions)
