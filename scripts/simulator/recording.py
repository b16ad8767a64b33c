"""A day out of the database, without anybody in it.

Names become numbers by a key that is thrown away, so that nobody can go back, not even we. Homes and doors become the
middle of a square of about 400 metres. What is left is who may do what when, who was wanted when, and who knew whom.
"""

from __future__ import annotations

import secrets
from datetime import date, datetime
from hashlib import blake2b
from typing import Any
from uuid import UUID

import asyncpg

from app.core.clock import SHANGHAI, day_bounds
from app.core.dsn import asyncpg_dsn
from scripts.simulator.city import Carer, City, Wish

SQUARE = 0.004
"""Degrees."""

CARERS = """SELECT c.id, c.provider_id, c.home_lng, c.home_lat, c.travel_mode, c.sex, s.starts_minute, s.ends_minute,
  coalesce(r.ratings, 0) AS ratings, coalesce(r.score_sum, 0) AS score_sum,
  (SELECT coalesce(sum(b.minutes), 0) FROM booking b WHERE b.caregiver_id = c.id AND b.status <> 'released'
    AND b.starts_at >= $2 AND b.starts_at < $3)::int AS week_minutes,
  ARRAY(SELECT pi.item_code FROM provider_item pi JOIN service_item i ON i.code = pi.item_code
    WHERE pi.provider_id = c.provider_id AND (i.certificate IS NULL OR EXISTS (
      SELECT 1 FROM caregiver_certificate q WHERE q.caregiver_id = c.id AND q.kind = i.certificate
        AND q.valid_from <= $1 AND (q.valid_to IS NULL OR q.valid_to >= $1))) ORDER BY 1) AS items
FROM caregiver c JOIN provider p ON p.id = c.provider_id AND p.status = 'active'
JOIN LATERAL (SELECT min(starts_minute) AS starts_minute, max(ends_minute) AS ends_minute FROM caregiver_shift
  WHERE caregiver_id = c.id AND weekday = extract(isodow FROM $1::date)) s ON s.starts_minute IS NOT NULL
LEFT JOIN scorecard r ON r.caregiver_id = c.id
WHERE c.status = 'active' ORDER BY c.id"""

WISHES = """SELECT o.id, o.elder_id, o.item_code, left(o.division_code, 6) AS area, o.urgency, o.placed_at,
  o.wanted_from, o.wanted_to, o.minutes, o.lng, o.lat, e.gender_wish
FROM care_order o JOIN elder e ON e.id = o.elder_id
WHERE o.wanted_from >= $1 AND o.wanted_from < $2 AND o.lng IS NOT NULL ORDER BY o.placed_at, o.id"""

KNOWN = "SELECT elder_id, caregiver_id, visits FROM continuity WHERE elder_id = ANY($1::uuid[])"


class Veil:
    """Stable new names and coarse places for one recording."""

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or secrets.token_bytes(32)

    def name(self, real: UUID) -> UUID:
        return UUID(bytes=blake2b(real.bytes, key=self._key, digest_size=16).digest())

    @staticmethod
    def coarse(degrees: float) -> float:
        return round((degrees // SQUARE + 0.5) * SQUARE, 6)


async def record(dsn: str, schema: str, day: date) -> City:
    """The caregivers on shift and the orders wanted on `day`. Only reads."""
    connection = await asyncpg.connect(asyncpg_dsn(dsn), server_settings={"search_path": schema})
    try:
        async with connection.transaction(readonly=True, isolation="repeatable_read"):
            return await city_of(connection, day, Veil())
    finally:
        await connection.close()


async def city_of(connection: asyncpg.Connection, day: date, veil: Veil) -> City:
    """`record` over an open connection."""
    begin, end = day_bounds(day)
    monday = day_bounds(date.fromordinal(day.toordinal() - day.weekday()))[0]
    wishes = await connection.fetch(WISHES, begin, end)
    carers = await connection.fetch(CARERS, day, monday, begin)
    working = {row["id"] for row in carers}
    known = await connection.fetch(KNOWN, [row["elder_id"] for row in wishes])
    return City(
        f"recorded: {len(wishes)} orders, {len(carers)} caregivers",
        tuple(_carer(row, veil) for row in carers if row["home_lng"] is not None),
        tuple(_wish(row, veil, begin) for row in wishes),
        {
            (veil.name(row["elder_id"]), veil.name(row["caregiver_id"])): row["visits"]
            for row in known
            if row["caregiver_id"] in working
        },
    )


def _carer(row: Any, veil: Veil) -> Carer:
    return Carer(
        id=veil.name(row["id"]), provider=veil.name(row["provider_id"]), lng=veil.coarse(row["home_lng"]),
        lat=veil.coarse(row["home_lat"]), mode=row["travel_mode"], sex=row["sex"], items=frozenset(row["items"]),
        shift_opens=row["starts_minute"] * 60, shift_closes=row["ends_minute"] * 60,
        week_minutes=row["week_minutes"], ratings=row["ratings"], score_sum=row["score_sum"],
    )  # fmt: skip


def _wish(row: Any, veil: Veil, midnight: datetime) -> Wish:
    def second(at: datetime) -> int:
        return int((at.astimezone(SHANGHAI) - midnight).total_seconds())

    return Wish(
        id=veil.name(row["id"]), elder=veil.name(row["elder_id"]), item=row["item_code"], area=row["area"],
        urgency=row["urgency"], placed=max(0, second(row["placed_at"])), wanted_from=second(row["wanted_from"]),
        wanted_to=second(row["wanted_to"]) if row["wanted_to"] is not None else None, minutes=row["minutes"],
        lng=veil.coarse(row["lng"]), lat=veil.coarse(row["lat"]), gender=row["gender_wish"],
    )  # fmt: skip
