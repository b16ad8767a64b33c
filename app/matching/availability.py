"""Caregivers' days, kept ready for matching: made on demand and ahead, renewed when facts change, put right in time.

A row is a filter, never the truth: a stale one may hide or show somebody wrongly for a while, and books nobody. The
bookings' exclusion constraint decides.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, timedelta
from uuid import UUID

from app.core import clock
from app.core.db import Tx
from app.matching import queries_availability as queries
from app.matching import queries_shares
from app.providers.events import CaregiverChanged

AHEAD = timedelta(days=14)
"""So many days after today are kept ready; others are made when they are asked for."""
KEPT = timedelta(days=2)
"""Rows of days gone by stay this long."""
CHECK_AFTER = timedelta(minutes=5)

_NOBODYS = 1 << 30


def certificate_bit(kind: str | None) -> int:
    """The bit of a kind of certificate in `caregiver_day.certificates`; 0 for none, and one that nobody has for a
    kind that does not exist."""
    return 0 if kind is None else queries.BITS.get(kind, _NOBODYS)


def specialist_bits(needed: str | None) -> int:
    """The bits of all specialist certificates but the one that is needed."""
    return queries.SPECIALIST_BITS & ~certificate_bit(needed)


def is_specialist(kind: str | None) -> bool:
    return kind in queries.SPECIALISTS


async def prepare(tx: Tx, days: Iterable[date]) -> None:
    """Make the rows of these days for everybody, where there are none yet."""
    await queries.make(tx, sorted(days), clock.now())
    await queries_shares.count_weeks(tx, sorted({monday(day) for day in days}))


async def renew(tx: Tx, caregiver_ids: Iterable[UUID], since: date | None = None) -> None:
    """Bring the rows of these caregivers up to date, from `since` (today) on."""
    days = [row["day"] for row in await queries.known_days(tx, since or clock.today())]
    if days:
        await queries.renew(tx, days, sorted(caregiver_ids))


async def on_caregiver_changed(tx: Tx, event: CaregiverChanged) -> None:
    """Hears it in the transaction of the change: whoever fell ill a second ago is not suggested any more."""
    await renew(tx, [event.caregiver_id])


async def keep_ready(tx: Tx) -> int:
    """The sweep: make the next day that is missing; if none is, compare the day that waited longest with the truth
    and put right what differs. Returns how many rows were put right."""
    today, now = clock.today(), clock.now()
    await queries.forget_before(tx, today - KEPT)
    known = {row["day"]: row["checked_at"] for row in await queries.known_days(tx, today)}
    ahead = [today + timedelta(days=n) for n in range(AHEAD.days + 1)]
    missing = next((day for day in ahead if day not in known), None)
    if missing is not None:
        await prepare(tx, [missing])
        return 0
    day = min(known, key=lambda day: (known[day], day))
    if now - known[day] < CHECK_AFTER:
        return 0
    return await put_right(tx, day)


async def put_right(tx: Tx, day: date) -> int:
    """Compare the rows of a day with the truth and make those anew that differ; returns how many."""
    drifted = await queries.drifted(tx, day)
    if drifted:
        await queries.repair(tx, day, drifted)
    await queries.checked(tx, day, clock.now())
    await queries_shares.count_weeks(tx, [monday(day)])
    return len(drifted)


async def make_anew(tx: Tx, day: date, caregiver_ids: Collection[UUID]) -> None:
    """Make these caregivers' rows anew from the bookings, where there are rows: a night reaches into the day before."""
    known = {row["day"] for row in await queries.known_days(tx, day - timedelta(days=1))}
    for one in sorted(known & {day - timedelta(days=1), day, day + timedelta(days=1)}):
        await queries.repair(tx, one, sorted(caregiver_ids))


def monday(day: date) -> date:
    """The first day of the week of `day`."""
    return day - timedelta(days=day.weekday())
