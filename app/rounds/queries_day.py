"""The SQL that reads a day. Nothing here locks or writes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx

# $1, $2: the day's bounds; $3 to $5 the scope: a range of divisions, or a provider. An order belongs to the day on
# which it is booked; one without a booking to the day it is wanted for.
_SCOPE = """o.status = ANY('{placed,dispatched,accepted,assigned}') AND o.flags = '{}'
  AND (($3::text IS NOT NULL AND o.division_code >= $3 AND o.division_code < $4) OR o.provider_id = $5::uuid)
  AND coalesce((SELECT min(b.starts_at) FROM booking b WHERE b.order_id = o.id AND b.status <> 'released'),
    o.wanted_from) BETWEEN $1 AND $2::timestamptz - interval '1 second'"""
IDS = f"SELECT o.id FROM care_order o WHERE {_SCOPE} ORDER BY o.id"

ORDERS = """SELECT o.id, o.version, o.status, o.item_code, i.certificate, i.caregivers, o.urgency, o.division_code,
  o.lng, o.lat, o.minutes, o.wanted_from, o.wanted_to, o.provider_id, o.elder_id, e.gender_wish,
  ARRAY(SELECT t.tag FROM elder_tag t WHERE t.elder_id = o.elder_id AND t.valid_from <= $2
    AND (t.valid_to IS NULL OR t.valid_to >= $2)) AS tags,
  ARRAY(SELECT b.caregiver_id FROM blocked_pair b WHERE b.elder_id = o.elder_id) AS blocked,
  ARRAY(SELECT DISTINCT f.provider_id FROM offer f WHERE f.order_id = o.id
    AND f.status IN ('refused', 'expired')) AS refused
FROM care_order o JOIN service_item i ON i.code = o.item_code JOIN elder e ON e.id = o.elder_id
WHERE o.id = ANY($1::uuid[]) ORDER BY o.id"""

HELD = """SELECT order_id, caregiver_id, role, starts_at, lower(during) AS from_at, upper(during) AS until_at
FROM booking WHERE order_id = ANY($1::uuid[]) AND status <> 'released' ORDER BY order_id, role"""

PROVIDERS = """SELECT p.id, p.status = 'active' AND (p.daily_capacity IS NULL OR p.daily_capacity > (
    SELECT count(*) FROM offer f WHERE f.provider_id = p.id AND f.service_day = $4
    AND f.status IN ('offered', 'accepted'))) AS open,
  ARRAY(SELECT division_code FROM provider_area a WHERE a.provider_id = p.id) AS areas,
  ARRAY(SELECT item_code FROM provider_item i WHERE i.provider_id = p.id) AS items
FROM provider p WHERE p.status <> 'exited' AND (p.id = ANY($3::uuid[]) OR EXISTS (
  SELECT FROM provider_area a WHERE a.provider_id = p.id
  AND (a.division_code = ANY($1::text[]) OR starts_with(a.division_code, $2))))
ORDER BY p.id"""

CAREGIVERS = """SELECT c.id, c.provider_id, c.sex, c.home_lng, c.home_lat, c.travel_mode,
  ARRAY(SELECT DISTINCT q.kind FROM caregiver_certificate q WHERE q.caregiver_id = c.id AND q.valid_from <= $2
    AND (q.valid_to IS NULL OR q.valid_to >= $2)) AS certificates,
  ARRAY(SELECT ARRAY[s.starts_minute, s.ends_minute] FROM caregiver_shift s
    WHERE s.caregiver_id = c.id AND s.weekday = extract(isodow FROM $2::date) ORDER BY s.starts_minute) AS shifts
FROM caregiver c WHERE c.provider_id = ANY($1::uuid[]) AND c.status = 'active' ORDER BY c.id"""

ABSENCES = """SELECT caregiver_id, starts_at, ends_at FROM caregiver_absence
WHERE caregiver_id = ANY($1::uuid[]) AND ends_at > $2 AND starts_at < $3 ORDER BY starts_at"""

TAKEN = """SELECT b.caregiver_id, b.order_id, lower(b.during) AS from_at, upper(b.during) AS until_at, o.lng, o.lat
FROM booking b JOIN care_order o ON o.id = b.order_id
WHERE b.caregiver_id = ANY($1::uuid[]) AND b.status <> 'released' AND b.during && tstzrange($2, $3)
  AND b.order_id <> ALL($4::uuid[]) ORDER BY b.caregiver_id, lower(b.during)"""

KNOWN = """SELECT elder_id, caregiver_id, visits FROM continuity
WHERE elder_id = ANY($1::uuid[]) AND caregiver_id = ANY($2::uuid[])"""

NAMES = """SELECT c.id, c.name, c.provider_id, p.name AS provider
FROM caregiver c JOIN provider p ON p.id = c.provider_id WHERE c.id = ANY($1::uuid[])"""
STOPS = """SELECT o.id, o.number, o.item_code, i.name AS item, o.status, o.urgency FROM care_order o
JOIN service_item i ON i.code = o.item_code WHERE o.id = ANY($1::uuid[])"""


async def ids(
    tx: Tx, bounds: tuple[datetime, datetime], division: tuple[str, str] | None, provider_id: UUID | None
) -> list[UUID]:
    """Orders of a day that may be planned, in one order for everybody who locks them."""
    low, high = division or (None, None)
    return [row["id"] for row in await tx.fetch(IDS, *bounds, low, high, provider_id)]


async def orders(tx: Tx, order_ids: Sequence[UUID], day: date) -> list[Any]:
    return await tx.fetch(ORDERS, list(order_ids), day)


async def held(tx: Tx, order_ids: Sequence[UUID]) -> list[Any]:
    """Live bookings of these orders."""
    return await tx.fetch(HELD, list(order_ids))


async def providers(tx: Tx, around: list[str], prefix: str, others: Sequence[UUID], day: date) -> list[Any]:
    """Whoever serves a division, something around it or inside it; and `others`."""
    return await tx.fetch(PROVIDERS, around, prefix, list(others), day)


async def caregivers(tx: Tx, provider_ids: Sequence[UUID], day: date) -> list[Any]:
    return await tx.fetch(CAREGIVERS, list(provider_ids), day)


async def absences(tx: Tx, caregiver_ids: Sequence[UUID], from_at: datetime, to_at: datetime) -> list[Any]:
    return await tx.fetch(ABSENCES, list(caregiver_ids), from_at, to_at)


async def taken(
    tx: Tx, caregiver_ids: Sequence[UUID], from_at: datetime, to_at: datetime, but: Sequence[UUID]
) -> list[Any]:
    """What these caregivers are booked for, but for the orders `but`."""
    return await tx.fetch(TAKEN, list(caregiver_ids), from_at, to_at, list(but))


async def known(tx: Tx, elder_ids: Sequence[UUID], caregiver_ids: Sequence[UUID]) -> list[Any]:
    return await tx.fetch(KNOWN, list(elder_ids), list(caregiver_ids))


async def names(tx: Tx, caregiver_ids: Sequence[UUID]) -> dict[UUID, Any]:
    return {row["id"]: row for row in await tx.fetch(NAMES, list(caregiver_ids))}


async def stops(tx: Tx, order_ids: Sequence[UUID]) -> dict[UUID, Any]:
    return {row["id"]: row for row in await tx.fetch(STOPS, list(order_ids))}
