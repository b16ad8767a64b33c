"""The service day, the clock of a rehearsal, and standing still."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from app.core import clock


@pytest.fixture
def real_clock() -> Iterator[None]:
    yield
    clock._origin, clock._rate = None, 1.0


def test_now_is_aware_and_moves() -> None:
    first = clock.now()
    assert first.tzinfo is UTC
    assert clock.now() >= first
    assert abs(first - datetime.now(UTC)) < timedelta(seconds=5)


def test_the_service_day_is_shanghais() -> None:
    assert clock.service_day(datetime(2026, 2, 28, 15, 59, 59, tzinfo=UTC)) == date(2026, 2, 28)
    assert clock.service_day(datetime(2026, 2, 28, 16, 0, 0, tzinfo=UTC)) == date(2026, 3, 1)
    assert clock.service_day(datetime(2027, 1, 1, 0, 0, tzinfo=clock.SHANGHAI)) == date(2027, 1, 1)


def test_days_and_months_join_without_gap() -> None:
    assert clock.day_bounds(date(2026, 3, 1)) == (
        datetime(2026, 2, 28, 16, tzinfo=UTC),
        datetime(2026, 3, 1, 16, tzinfo=UTC),
    )
    assert clock.month_bounds("2026-02")[1] == clock.month_bounds("2026-03")[0]
    assert clock.month_bounds("2026-12")[1] == clock.month_bounds("2027-01")[0]
    start, end = clock.month_bounds("2028-02")
    assert end - start == timedelta(days=29)
    for wrong in ("2026-13", "2026-00", "2026", "2026-1-1", "x-y", ""):
        with pytest.raises(ValueError, match=r"."):
            clock.month_bounds(wrong)


def test_the_clock_can_stand_still() -> None:
    outer, inner = datetime(2026, 2, 16, 15, 59, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC)
    with clock.hold(outer):
        assert clock.now() == clock.now() == outer
        assert clock.today() == date(2026, 2, 16)
        with pytest.raises(RuntimeError), clock.hold(inner):
            assert clock.now() == inner
            raise RuntimeError
        assert clock.now() == outer
    assert clock.now() > outer


@pytest.mark.usefixtures("real_clock")
def test_a_rehearsal_runs_faster() -> None:
    epoch = datetime(2026, 2, 16, tzinfo=UTC)
    clock.run(epoch, 3600.0, started=time.time() - 2)
    assert timedelta(hours=2) <= clock.now() - epoch < timedelta(hours=3)
    assert clock.real_delay(timedelta(hours=1)) == timedelta(seconds=1)


def test_the_machines_time_zone_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    before = clock.service_day(datetime(2026, 2, 28, 16, tzinfo=UTC)), clock.day_bounds(date(2026, 3, 1))
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        after = clock.service_day(datetime(2026, 2, 28, 16, tzinfo=UTC)), clock.day_bounds(date(2026, 3, 1))
        assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert before == after
