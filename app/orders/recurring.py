"""Recurring plans: on which days a plan asks for help, and how long its orders wait for the round. Pure.

A plan repeats every n days from its first day on, or on weekdays of every n-th week (weeks begin on Monday, the first
is that of its first day): the part of RFC 5545 that families mean. A day in the city's calendar that is off moves the
visit as the plan says: `keep`, `skip`, or to the `next_workday`, which may be a Saturday that is worked. Two visits
that fall on one day are one. While a plan rests (hospital, visiting children) there is nothing.

Days are service days in Asia/Shanghai, which has no summer time: minutes after midnight name one instant.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from app.core.clock import SHANGHAI
from app.regions.workdays import is_workday

CHANNEL = "plan"
"""The channel of orders that a plan has made."""

KEEP, SKIP, NEXT_WORKDAY = "keep", "skip", "next_workday"
HOLIDAY_RULES = (KEEP, SKIP, NEXT_WORKDAY)

HORIZON = timedelta(days=7)
"""Orders are made this far ahead."""

LONGEST_HOLIDAY = timedelta(days=31)
"""No run of days off is longer; the calendar is read that far back."""

CUT_OFF = time(18, 0)
"""Of the day before: until then orders of plans wait for the day's round, after it they go out one by one."""

SETTLING = timedelta(hours=1)
"""How long the orders that no round took may need to go out after the cut-off."""

DAY_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class Slot:
    """One visit of the day, inside one of `windows` (minutes after midnight), the one that is wanted most first.

    `item_code` and `minutes` where they differ from the plan's. `follows` is the position of the slot it comes after,
    its start `least` to `most` minutes later than that one's.
    """

    windows: tuple[tuple[int, int], ...]
    item_code: str | None = None
    minutes: int | None = None
    follows: int | None = None
    least: int = 0
    most: int = 0

    def starts(self, minutes: int) -> list[tuple[int, int]]:
        """From when to when a visit of this length may begin, window by window."""
        return [(opens, closes - minutes) for opens, closes in self.windows]


@dataclass(frozen=True, slots=True)
class Rest:
    """No visits from `first` to `last`, both included; None: until further notice."""

    first: date
    last: date | None

    def covers(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True)
class Pattern:
    """Every `every` days, or every `every` weeks on `weekdays` (1 is Monday) if there are any."""

    valid_from: date
    valid_to: date | None
    every: int
    weekdays: frozenset[int]
    holidays: str

    def asks_for(self, day: date) -> bool:
        """Whether the plan would have a visit that day if there were no holidays and no rests."""
        if day < self.valid_from or (self.valid_to is not None and day > self.valid_to):
            return False
        if not self.weekdays:
            return (day - self.valid_from).days % self.every == 0
        first_monday = self.valid_from - timedelta(days=self.valid_from.weekday())
        return day.isoweekday() in self.weekdays and (day - first_monday).days // 7 % self.every == 0


def occurrences(
    pattern: Pattern, first: date, last: date, calendar: Mapping[date, bool], rests: Sequence[Rest] = ()
) -> list[date]:
    """The days from `first` to `last` with visits, ascending, each once.

    `calendar` maps the days that differ from an ordinary week to "is worked", from LONGEST_HOLIDAY before `first` on.
    """
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return [day for day in days if _served_on(pattern, day, calendar) and not any(rest.covers(day) for rest in rests)]


def window(day: date, opens: int, closes: int) -> tuple[datetime, datetime]:
    """The instants of minutes after midnight on a service day."""
    midnight = datetime.combine(day, time(), SHANGHAI)
    return midnight + timedelta(minutes=opens), midnight + timedelta(minutes=closes)


def impossible(pattern: Pattern, minutes: int, slots: Sequence[Slot]) -> tuple[str, str] | None:
    """Why no day can look like this, as (code, field); None when all is well. `minutes` where a slot says none."""
    if pattern.valid_to is not None and pattern.valid_to < pattern.valid_from:
        return "interval_empty", "valid_to"
    if pattern.every < 1 or not pattern.weekdays <= frozenset(range(1, 8)):
        return "rule_impossible", "rule"
    for number, slot in enumerate(slots):
        if (code := _impossible_windows(slot, minutes)) is not None:
            return code, f"slots.{number}.windows"
        if slot.follows is not None and not _can_follow(slots, number, minutes):
            return "follows_impossible", f"slots.{number}.follows"
    return None if slots else ("slots_missing", "slots")


def distance(slots: Sequence[Slot], number: int, other: int) -> tuple[int, int] | None:
    """Least and most minutes from the begin of visit `other` to that of visit `number`; None where neither follows the
    other, or the plan has no such visit any more.
    """
    if not (0 <= number < len(slots) and 0 <= other < len(slots)):
        return None
    if slots[number].follows == other:
        return slots[number].least, slots[number].most
    if slots[other].follows == number:
        return -slots[other].most, -slots[other].least
    return None


def terms(item_code: str, minutes: int, slot: Slot) -> str:
    """A short word that changes whenever an order would have to be another one."""
    said = f"{slot.item_code or item_code}|{slot.minutes or minutes}|{sorted(slot.windows)}|{slot.windows[0]}"
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def waits_until(channel: str, wanted_from: datetime) -> datetime | None:
    """Until when an order waits to be planned with its whole day; None for one that goes out at once."""
    if channel != CHANNEL:
        return None
    day = wanted_from.astimezone(SHANGHAI).date()
    return datetime.combine(day - timedelta(days=1), CUT_OFF, SHANGHAI)


def waits_for_round(channel: str, wanted_from: datetime, now: datetime) -> bool:
    until = waits_until(channel, wanted_from)
    return until is not None and now < until


def held_from(now: datetime) -> datetime:
    """Orders of plans that are wanted at this instant or later wait, those before it do not: the same rule for SQL."""
    local = now.astimezone(SHANGHAI)
    days = 1 if local.time() < CUT_OFF else 2
    return datetime.combine(local.date() + timedelta(days=days), time(), SHANGHAI)


def _served_on(pattern: Pattern, day: date, calendar: Mapping[date, bool]) -> bool:
    off = calendar.get(day) is False
    if pattern.asks_for(day) and (not off or pattern.holidays == KEEP):
        return True
    if pattern.holidays != NEXT_WORKDAY or not is_workday(day, calendar) or day > (pattern.valid_to or day):
        return False
    before = day - timedelta(days=1)
    while not is_workday(before, calendar) and day - before < LONGEST_HOLIDAY:
        if calendar.get(before) is False and pattern.asks_for(before):
            return True
        before -= timedelta(days=1)
    return False


def _impossible_windows(slot: Slot, minutes: int) -> str | None:
    inside = all(0 <= opens < closes <= DAY_MINUTES for opens, closes in slot.windows)
    if not slot.windows or not inside or any(last < first for first, last in slot.starts(slot.minutes or minutes)):
        return "window_too_short"
    overlap = any(later[0] <= earlier[1] for earlier, later in pairwise(sorted(slot.windows)))
    return "windows_overlap" if overlap else None


def _can_follow(slots: Sequence[Slot], number: int, minutes: int) -> bool:
    """Whether the slot names one before it, and any two starts keep the distance."""
    second = slots[number]
    if second.follows is None or not 0 <= second.follows < number or not 0 <= second.least <= second.most:
        return False
    first = slots[second.follows]
    return any(
        latest - opened >= second.least and earliest - closed <= second.most
        for opened, closed in first.starts(first.minutes or minutes)
        for earliest, latest in second.starts(second.minutes or minutes)
    )
