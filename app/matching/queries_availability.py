"""The SQL of the caregiver's day: made from the truth, marked by bookings, compared with the truth.

Marks are differences (`taken | slots`, `taken & ~slots`): live bookings of one caregiver never overlap, so that two
transactions that mark one row come to the same bits in either order, each on top of what the other committed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx
from app.matching.slots import OVERHANG_HOURS, SLOT_MINUTES, SLOTS
from app.providers.models import CERTIFICATES, TRAVEL_MODES
from app.providers.ratings import PRIOR_SCORE, PRIOR_WEIGHT

SPECIALISTS = (
    "nurse", "rehabilitation_therapist", "social_worker", "psychological_counsellor", "home_adaptation_assessor",
)  # fmt: skip
"""Certificates that are too scarce to be spent on work that does not need them."""
BITS = {kind: 1 << place for place, kind in enumerate(CERTIFICATES)}
SPECIALIST_BITS = sum(BITS[kind] for kind in SPECIALISTS)
SPECIALIST = f"(d.certificates & {SPECIALIST_BITS}) <> 0"
"""SQL that the index of specialists serves."""

_EMPTY = f"0::bit({SLOTS})"
_SECONDS = SLOT_MINUTES * 60


def _slots(first: str, end: str) -> str:
    """SQL of the slots [first, end) of a row; what lies beyond it is cut off."""
    first, end = f"least(greatest({first}, 0), {SLOTS})", f"least(greatest({end}, 0), {SLOTS})"
    return f"((~{_EMPTY} >> {first}) & (~{_EMPTY} << ({SLOTS} - {end})))"


def _since(day: str, at: str, rounding: str) -> str:
    """SQL of the slot in the row of `day` at which the instant `at` lies."""
    midnight = f"({day}::timestamp AT TIME ZONE 'Asia/Shanghai')"
    return f"{rounding}(extract(epoch FROM {at} - {midnight}) / {_SECONDS})::int"


def _inside(day: str, during: str) -> str:
    """SQL of the slots that lie wholly in a range of instants."""
    return _slots(_since(day, f"lower({during})", "ceil"), _since(day, f"upper({during})", "floor"))


def _outside(day: str, from_at: str, to_at: str) -> str:
    """SQL of the slots that an interval touches."""
    return _slots(_since(day, from_at, "floor"), _since(day, to_at, "ceil"))


def _mark(changed: str, taken: str, sign: str) -> str:
    first = f"((lower(b.during) AT TIME ZONE 'Asia/Shanghai') - interval '{OVERHANG_HOURS} hours')::date"
    last = "((upper(b.during) AT TIME ZONE 'Asia/Shanghai') - interval '1 microsecond')::date"
    return f"""UPDATE caregiver_day d SET taken = {taken}, minutes = d.minutes {sign}
    CASE WHEN d.day = (b.starts_at AT TIME ZONE 'Asia/Shanghai')::date THEN b.minutes ELSE 0 END
  FROM {changed} b WHERE d.caregiver_id = b.caregiver_id AND d.day BETWEEN {first} AND {last}"""


def taking(made: str) -> str:
    """Marks the days of bookings just made: an UPDATE for the WITH of the statement that makes them.

    `made` names the part that returns their caregiver_id, during, starts_at and minutes.
    """
    return _mark(made, f"d.taken | {_inside('d.day', 'b.during')}", "+")


def freeing(released: str) -> str:
    """The same for bookings just released."""
    return _mark(released, f"d.taken & ~{_inside('d.day', 'b.during')}", "-")


_KIND_BITS = ", ".join(f"('{kind}', {bit})" for kind, bit in BITS.items())
_MODES = ", ".join(f"'{mode}'" for mode in TRAVEL_MODES)
_BOOKINGS = f"""FROM booking b WHERE b.caregiver_id = c.id AND b.status <> 'released'
    AND b.during && tstzrange(d.day::timestamp AT TIME ZONE 'Asia/Shanghai',
      (d.day + 1)::timestamp AT TIME ZONE 'Asia/Shanghai' + interval '{OVERHANG_HOURS} hours')"""
_SHIFT_START = f"ceil((s.starts_minute + x.ahead) / {SLOT_MINUTES}.0)::int"
_SHIFT_END = f"floor((s.ends_minute + x.ahead) / {SLOT_MINUTES}.0)::int"

# Rows of one caregiver lie together by place, because a search reads those who live near each other.
_ROWS = f"""SELECT c.id, d.day, coalesce((SELECT bit_or(k.bit) FROM caregiver_certificate q
    JOIN (VALUES {_KIND_BITS}) AS k (kind, bit) ON k.kind = q.kind
    WHERE q.caregiver_id = c.id AND q.valid_from <= d.day AND (q.valid_to IS NULL OR q.valid_to >= d.day)), 0),
  c.provider_id, point(c.home_lng, c.home_lat), array_position(ARRAY[{_MODES}], c.travel_mode),
  c.status = 'active', c.sex, c.dialect,
  ({PRIOR_SCORE * PRIOR_WEIGHT} + coalesce(r.score_sum, 0)) / ({PRIOR_WEIGHT} + coalesce(r.ratings, 0))::float8,
  coalesce((SELECT sum(b.minutes) {_BOOKINGS} AND (b.starts_at AT TIME ZONE 'Asia/Shanghai')::date = d.day), 0),
  0,
  coalesce((SELECT bit_or({_slots(_SHIFT_START, _SHIFT_END)})
    FROM (VALUES (extract(isodow FROM d.day), 0), (extract(isodow FROM d.day + 1), 1440)) AS x (weekday, ahead)
    JOIN caregiver_shift s ON s.caregiver_id = c.id AND s.weekday = x.weekday), {_EMPTY}),
  coalesce((SELECT bit_or({_inside("d.day", "b.during")}) {_BOOKINGS}), {_EMPTY}),
  (SELECT bit_or({_outside("d.day", "v.starts_at", "v.ends_at")}) FROM caregiver_absence v
    WHERE v.caregiver_id = c.id AND v.ends_at > d.day::timestamp AT TIME ZONE 'Asia/Shanghai'
      AND v.starts_at < (d.day + 2)::timestamp AT TIME ZONE 'Asia/Shanghai')
FROM unnest($1::date[]) AS d (day) CROSS JOIN caregiver c LEFT JOIN scorecard r ON r.caregiver_id = c.id"""

_COLUMNS = """caregiver_id, day, certificates, provider_id, place, travel_mode, active, sex, dialect, rating, minutes,
  week_minutes, shift, taken, away"""

MAKE = f"""INSERT INTO caregiver_day ({_COLUMNS}) {_ROWS}
ORDER BY d.day, floor(c.home_lat * 25), floor(c.home_lng * 25), c.id
ON CONFLICT (caregiver_id, day) DO NOTHING"""

# What bookings mark is left alone: a row made by somebody else knows more of them than this statement can see.
_FACTS = ("certificates", "provider_id", "place", "travel_mode", "active", "sex", "dialect", "rating", "shift", "away")
RENEW = f"""INSERT INTO caregiver_day ({_COLUMNS}) {_ROWS} WHERE c.id = ANY($2::uuid[])
ORDER BY c.id, d.day
ON CONFLICT (caregiver_id, day) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _FACTS)}"""

PREPARED = """INSERT INTO prepared_day (day, prepared_at, checked_at) SELECT day, $2, $2 FROM unnest($1::date[]) AS day
ON CONFLICT (day) DO NOTHING"""
KNOWN_DAYS = "SELECT day, checked_at FROM prepared_day WHERE day >= $1 ORDER BY day"
CHECKED = "UPDATE prepared_day SET checked_at = $2 WHERE day = $1"

FORGET_ROWS = "DELETE FROM caregiver_day WHERE day = ANY($1::date[])"
FORGET_DAYS = "DELETE FROM prepared_day WHERE day < $1 RETURNING day"

_MADE = f"""SELECT * FROM ({_ROWS}) AS made ({_COLUMNS})"""
_DIFFERS = " OR ".join(
    "(d.place ~= t.place) IS NOT TRUE AND (d.place IS NOT NULL OR t.place IS NOT NULL)"
    if name == "place"
    else f"d.{name} IS DISTINCT FROM t.{name}"
    for name in (*_FACTS, "taken", "minutes")
)
DRIFTED = f"""WITH t AS ({_MADE})
SELECT t.caregiver_id FROM t LEFT JOIN caregiver_day d USING (caregiver_id, day) WHERE {_DIFFERS}
ORDER BY t.caregiver_id"""
LOCK_ROWS = """SELECT 1 FROM caregiver_day WHERE day = ANY($1::date[]) AND caregiver_id = ANY($2::uuid[])
ORDER BY caregiver_id FOR NO KEY UPDATE"""
REPAIR = f"""WITH t AS (SELECT * FROM ({_ROWS} WHERE c.id = ANY($2::uuid[])) AS made ({_COLUMNS}))
UPDATE caregiver_day d SET taken = t.taken, minutes = t.minutes FROM t
WHERE d.caregiver_id = t.caregiver_id AND d.day = t.day"""


async def make(tx: Tx, days: Sequence[date], at: datetime) -> None:
    """Rows for everybody on these days, where there are none."""
    await tx.run(MAKE, list(days))
    await tx.run(PREPARED, list(days), at)


async def renew(tx: Tx, days: Sequence[date], caregiver_ids: Sequence[UUID]) -> None:
    """Bring what these caregivers' rows say about them up to date; rows that are missing are made."""
    await tx.run(RENEW, list(days), list(caregiver_ids))


async def known_days(tx: Tx, since: date) -> list[Any]:
    """`day` and `checked_at` of the days that have rows."""
    return await tx.fetch(KNOWN_DAYS, since)


async def forget_before(tx: Tx, day: date) -> int:
    """Delete the rows of days before `day`; returns how many days they were."""
    days = [row["day"] for row in await tx.fetch(FORGET_DAYS, day)]
    if days:
        await tx.run(FORGET_ROWS, days)
    return len(days)


async def drifted(tx: Tx, day: date) -> list[UUID]:
    """Whose row of this day is missing, or is not what the truth says."""
    return [row["caregiver_id"] for row in await tx.fetch(DRIFTED, [day])]


async def repair(tx: Tx, day: date, caregiver_ids: Sequence[UUID]) -> None:
    """Make these rows anew, their marks from the bookings.

    They are locked before the bookings are read: whoever has marked one of them has committed by then and is seen,
    and whoever comes later marks on top.
    """
    await renew(tx, [day], caregiver_ids)
    await tx.fetch(LOCK_ROWS, [day], list(caregiver_ids))
    await tx.run(REPAIR, [day], list(caregiver_ids))


async def checked(tx: Tx, day: date, at: datetime) -> None:
    await tx.run(CHECKED, day, at)
