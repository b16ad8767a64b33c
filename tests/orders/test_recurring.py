"""On which days a plan asks for help: tables, and what holds for every plan."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.clock import SHANGHAI
from app.orders.recurring import (
    CHANNEL,
    DAY_MINUTES,
    HOLIDAY_RULES,
    KEEP,
    NEXT_WORKDAY,
    SKIP,
    Pattern,
    Rest,
    Slot,
    distance,
    held_from,
    impossible,
    occurrences,
    terms,
    waits_for_round,
    waits_until,
    window,
)
from app.regions.workdays import is_workday

MONDAY = date(2026, 3, 2)
QINGMING = {
    date(2026, 4, 4): False,
    date(2026, 4, 5): False,
    date(2026, 4, 6): False,
    date(2026, 4, 11): True,  # a Saturday that is worked instead
}
FIRST, LAST = date(2026, 1, 1), date(2026, 6, 30)


def pattern(**different: object) -> Pattern:
    usual = {"valid_from": MONDAY, "valid_to": None, "every": 1, "weekdays": frozenset({1, 3, 5}), "holidays": KEEP}
    return Pattern(**usual | different)  # type: ignore[arg-type]


def days(one: Pattern, first: date, last: date, **more: object) -> list[str]:
    calendar = more.pop("calendar", {})
    return [day.isoformat()[5:] for day in occurrences(one, first, last, calendar, **more)]  # type: ignore[arg-type]


def test_monday_wednesday_friday() -> None:
    assert days(pattern(), MONDAY, date(2026, 3, 8)) == ["03-02", "03-04", "03-06"]


def test_every_second_week_is_counted_from_the_week_of_the_first_day() -> None:
    found = days(pattern(valid_from=date(2026, 3, 4), every=2), MONDAY, date(2026, 3, 22))
    assert found == ["03-04", "03-06", "03-16", "03-18", "03-20"]


def test_every_third_day_is_counted_from_the_first() -> None:
    found = days(pattern(weekdays=frozenset(), every=3), date(2026, 2, 1), date(2026, 3, 12))
    assert found == ["03-02", "03-05", "03-08", "03-11"]


def test_a_plan_ends_with_its_last_day() -> None:
    assert days(pattern(valid_to=date(2026, 3, 4)), MONDAY, LAST) == ["03-02", "03-04"]


@pytest.mark.parametrize(
    ("rule", "found"),
    [(KEEP, ["04-03", "04-06", "04-10"]), (SKIP, ["04-03", "04-10"]), (NEXT_WORKDAY, ["04-03", "04-07", "04-10"])],
)
def test_a_day_off_moves_the_visit_as_the_plan_says(rule: str, found: list[str]) -> None:
    fridays_and_mondays = pattern(weekdays=frozenset({1, 5}), holidays=rule)
    assert days(fridays_and_mondays, date(2026, 4, 1), date(2026, 4, 12), calendar=QINGMING) == found


def test_a_saturday_that_is_worked_takes_what_a_holiday_before_it_lost() -> None:
    calendar = {date(2026, 4, 10): False, date(2026, 4, 11): True}
    fridays = pattern(weekdays=frozenset({5}), holidays=NEXT_WORKDAY)
    assert days(fridays, date(2026, 4, 8), date(2026, 4, 14), calendar=calendar) == ["04-11"]


def test_an_ordinary_weekend_is_no_holiday() -> None:
    assert days(pattern(weekdays=frozenset({6}), holidays=NEXT_WORKDAY), MONDAY, date(2026, 3, 8)) == ["03-07"]


def test_two_visits_moved_to_one_day_are_one() -> None:
    daily = pattern(weekdays=frozenset(), holidays=NEXT_WORKDAY)
    found = days(daily, date(2026, 4, 3), date(2026, 4, 8), calendar=QINGMING)
    assert found == ["04-03", "04-07", "04-08"]


def test_a_rest_without_an_end_goes_on() -> None:
    rests = [Rest(date(2026, 3, 4), None)]
    assert days(pattern(), MONDAY, LAST, rests=rests) == ["03-02"]


some_days = st.dates(FIRST, LAST)
patterns = st.builds(
    Pattern,
    valid_from=some_days,
    valid_to=st.none() | some_days,
    every=st.integers(1, 9),
    weekdays=st.frozensets(st.integers(1, 7)),
    holidays=st.sampled_from(HOLIDAY_RULES),
)
calendars = st.dictionaries(some_days, st.booleans(), max_size=40)
rests = st.lists(st.builds(Rest, some_days, st.none() | some_days), max_size=3)


@given(patterns, calendars, rests, some_days, some_days)
def test_days_are_in_order_inside_and_never_at_rest(
    one: Pattern, calendar: dict[date, bool], resting: list[Rest], first: date, last: date
) -> None:
    found = occurrences(one, first, last, calendar, resting)
    assert found == sorted(set(found))
    for day in found:
        assert first <= day <= last
        assert one.valid_from <= day
        assert one.valid_to is None or day <= one.valid_to
        assert not any(rest.covers(day) for rest in resting)
        if one.holidays != KEEP:
            assert calendar.get(day) is not False
        if one.holidays != NEXT_WORKDAY:
            assert one.asks_for(day)


@given(patterns, calendars, rests, some_days)
def test_looking_twice_sees_what_looking_once_sees(
    one: Pattern, calendar: dict[date, bool], resting: list[Rest], cut: date
) -> None:
    """Sweeps look at a few days at a time; nothing may fall between two of them, or be seen by both."""
    once = occurrences(one, FIRST, LAST, calendar, resting)
    before = occurrences(one, FIRST, cut, calendar, resting)
    after = occurrences(one, cut + timedelta(days=1), LAST, calendar, resting)
    assert before + after == once


@given(patterns, calendars)
def test_no_holiday_loses_a_visit_that_moves(one: Pattern, calendar: dict[date, bool]) -> None:
    if one.holidays != NEXT_WORKDAY:
        return
    found = set(occurrences(one, FIRST, LAST + timedelta(days=40), calendar))
    day = FIRST
    while day <= LAST:
        if one.asks_for(day):
            served = day
            while calendar.get(day) is False and not is_workday(served, calendar):
                served += timedelta(days=1)
            late = one.valid_to is not None and served > one.valid_to
            assert served in found or late or (served - day).days > 31
        day += timedelta(days=1)


@given(some_days, st.integers(0, DAY_MINUTES - 1), st.integers(1, DAY_MINUTES))
def test_minutes_after_midnight_name_one_instant(day: date, opens: int, closes: int) -> None:
    begin, end = window(day, opens, closes)
    assert (end - begin).total_seconds() == (closes - opens) * 60
    assert begin.astimezone(SHANGHAI).date() == day
    assert begin.utcoffset() == timedelta(hours=8)


@given(
    st.datetimes(datetime(2026, 3, 1), datetime(2026, 3, 20)), st.datetimes(datetime(2026, 3, 1), datetime(2026, 3, 20))
)
def test_python_and_sql_hold_the_same_orders(wanted: datetime, now: datetime) -> None:
    wanted, now = wanted.replace(tzinfo=UTC), now.replace(tzinfo=UTC)
    assert waits_for_round(CHANNEL, wanted, now) == (wanted >= held_from(now))


def test_only_orders_of_plans_wait_and_only_until_the_evening_before() -> None:
    wanted = datetime(2026, 3, 10, 1, 0, tzinfo=UTC)
    assert waits_until("hotline", wanted) is None
    assert waits_until(CHANNEL, wanted) == datetime(2026, 3, 9, 18, 0, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("slot", "code"),
    [
        (Slot(()), "window_too_short"),
        (Slot(((600, 600),)), "window_too_short"),
        (Slot(((600, 650),)), "window_too_short"),
        (Slot(((600, 1500),)), "window_too_short"),
        (Slot(((600, 700), (660, 760))), "windows_overlap"),
        (Slot(((600, 700),), follows=1), "follows_impossible"),
        (Slot(((600, 700),), follows=0, least=300, most=400), "follows_impossible"),
        (Slot(((600, 700),), follows=0, least=30, most=20), "follows_impossible"),
    ],
)
def test_what_no_day_can_contain_is_refused(slot: Slot, code: str) -> None:
    wrong = impossible(pattern(), 60, [Slot(((480, 560),)), slot])
    assert wrong is not None
    assert wrong[0] == code


def test_the_distance_of_two_visits_is_known_from_both_sides() -> None:
    slots = [Slot(((420, 480),)), Slot(((420, 720),), follows=0, least=30, most=60), Slot(((420, 720),))]
    assert (distance(slots, 1, 0), distance(slots, 0, 1)) == ((30, 60), (-60, -30))
    assert distance(slots, 2, 0) is None
    assert distance(slots[:1], 1, 0) is None, "the plan was changed, and has no such visit any more"


def test_a_possible_plan_and_an_impossible_interval() -> None:
    both = [Slot(((480, 560),)), Slot(((600, 700), (1000, 1100)), follows=0, least=60, most=180)]
    assert impossible(pattern(), 60, both) is None
    assert impossible(pattern(), 60, []) == ("slots_missing", "slots")
    assert impossible(pattern(valid_to=date(2026, 3, 1)), 60, both) == ("interval_empty", "valid_to")


def test_terms_change_with_what_is_ordered_and_nothing_else() -> None:
    slot = Slot(((480, 560), (600, 700)))
    same = Slot(((480, 560), (600, 700)), follows=0, least=1, most=2)
    assert terms("clean_home", 60, slot) == terms("clean_home", 60, same)
    others = [
        terms("bath_home", 60, slot),
        terms("clean_home", 90, slot),
        terms("clean_home", 60, Slot(((600, 700), (480, 560)))),
        terms("clean_home", 60, Slot(((480, 560),))),
    ]
    assert len({terms("clean_home", 60, slot), *others}) == 5
