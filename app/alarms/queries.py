"""SQL of incidents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.alarms.models import JOINED
from app.core.db import Tx
from app.core.errors import NotFound

COLUMNS = """id, subject, status, severity, kind, elder_id, division_code, first_at, last_at, alarms, lng, lat, place,
acknowledged_at, acknowledged_by, finding, code, verified_at, closed_at"""

# In the words of the unique index: two reports of one event that come at once meet in one row.
RAISE = f"""INSERT INTO incident (id, subject, status, severity, kind, elder_id, division_code, first_at, last_at,
  alarms, lng, lat, place)
VALUES ($1, $2, 'open', $3, $4, $5, $6, $7, $7, 1, $8, $9, $10)
ON CONFLICT (subject) WHERE {JOINED} DO UPDATE SET
  alarms = incident.alarms + 1, first_at = least(incident.first_at, excluded.first_at),
  last_at = greatest(incident.last_at, excluded.last_at),
  kind = CASE WHEN incident.severity = 'serious' AND excluded.severity = 'critical' THEN excluded.kind
    ELSE incident.kind END,
  severity = CASE WHEN excluded.severity = 'critical' THEN 'critical' ELSE incident.severity END,
  lng = CASE WHEN excluded.place = 'device' THEN excluded.lng ELSE incident.lng END,
  lat = CASE WHEN excluded.place = 'device' THEN excluded.lat ELSE incident.lat END,
  place = CASE WHEN excluded.place = 'device' THEN 'device' ELSE incident.place END
RETURNING {COLUMNS}"""
ADD_ALARM = """INSERT INTO incident_alarm (id, incident_id, source, care_request_id, kind, channel, at)
VALUES ($1, $2, $3, $4, $5, $6, $7)"""
LEFT_OPEN = """SELECT id FROM incident WHERE subject = $1 AND status = 'verified' AND finding = 'real' AND last_at < $2
FOR UPDATE"""
KNOWN_ALARM = "SELECT incident_id FROM incident_alarm WHERE source = $1"
# A step that stays as it is must not be touched: touching is locking, and the sweep leaves out what is locked.
PLAN = """INSERT INTO incident_step (incident_id, step, due_at)
SELECT $1, n.step, n.due_at FROM unnest($2::text[], $3::timestamptz[]) AS n (step, due_at)
WHERE NOT EXISTS (SELECT 1 FROM incident_step s WHERE s.incident_id = $1 AND s.step = n.step
  AND (s.taken_at IS NOT NULL OR s.due_at <= n.due_at))
ON CONFLICT (incident_id, step) DO UPDATE SET due_at = least(incident_step.due_at, excluded.due_at)
WHERE incident_step.taken_at IS NULL"""
RUNGS = """SELECT division_code, severity, valid_from, step, after_s FROM escalation_rule
WHERE severity = $1 AND division_code = ANY($2::text[]) AND valid_from <= $3"""
SEED_RUNG = """INSERT INTO escalation_rule (division_code, severity, valid_from, step, after_s)
VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING"""
DUE = f"""SELECT s.step, e.name AS elder_name, EXISTS (
    SELECT 1 FROM incident_entry h WHERE h.incident_id = i.id AND h.what = 'help_sent' AND h.at >= i.verified_at
  ) AS help_sent, {", ".join(f"i.{name.strip()}" for name in COLUMNS.split(","))}
FROM incident i JOIN incident_step s ON s.incident_id = i.id LEFT JOIN elder e ON e.id = i.elder_id
WHERE s.taken_at IS NULL AND s.step = ANY($1::text[]) AND s.due_at <= $2 ORDER BY s.due_at, s.incident_id LIMIT $3
FOR UPDATE OF s SKIP LOCKED"""
TAKEN = """UPDATE incident_step s SET taken_at = $4, told = t.told
FROM unnest($1::uuid[], $2::text[], $3::int[]) AS t (incident_id, step, told)
WHERE s.incident_id = t.incident_id AND s.step = t.step"""
ONE = f"SELECT {COLUMNS} FROM incident WHERE id = $1"
LOCK = f"{ONE} FOR UPDATE"
FIND = f"""SELECT {COLUMNS} FROM incident WHERE ($1 OR status <> 'closed') AND ($2::uuid IS NULL OR id < $2)
  AND (division_code IS NULL OR EXISTS (SELECT 1 FROM unnest($3::text[], $4::text[]) AS r (low, high)
    WHERE division_code >= r.low AND division_code < r.high))
ORDER BY id DESC LIMIT $5"""
_NAMED = f"""SELECT {", ".join(f"i.{name.strip()}" for name in COLUMNS.split(","))}, e.name AS elder_name,
  d.name AS division_name, w.name AS operator
FROM incident i LEFT JOIN elder e ON e.id = i.elder_id LEFT JOIN division d ON d.code = i.division_code
LEFT JOIN staff w ON 'staff:' || w.id = i.acknowledged_by"""
NAMED = f"{_NAMED} WHERE i.id = $1"
LIVING = f"""{_NAMED} WHERE i.status <> 'closed' AND (i.division_code IS NULL OR EXISTS (
  SELECT 1 FROM unnest($1::text[], $2::text[]) AS r (low, high)
  WHERE i.division_code >= r.low AND i.division_code < r.high))
ORDER BY i.status <> 'open', i.finding IS NOT NULL, i.first_at, i.id LIMIT $3"""
ENTRY = """INSERT INTO incident_entry (id, incident_id, what, facts, note, actor, at)
VALUES ($1, $2, $3, $4, $5, $6, $7)"""
ENTRIES = "SELECT id, what, facts, note, actor, at FROM incident_entry WHERE incident_id = $1 ORDER BY at, id"
STEPS = "SELECT step, due_at, taken_at, told FROM incident_step WHERE incident_id = $1 ORDER BY due_at, step"
ALARMS = (
    "SELECT kind, channel, care_request_id, at FROM incident_alarm WHERE incident_id = $1 ORDER BY at, id LIMIT 200"
)
# On duty is who has a shift now and no absence; a station is on duty when one of its people is.
_ON_DUTY = """c.status = 'active'
  AND EXISTS (SELECT 1 FROM caregiver_shift s WHERE s.caregiver_id = c.id AND s.weekday = extract(isodow FROM $3::date)
    AND s.starts_minute <= $4 AND s.ends_minute > $4)
  AND NOT EXISTS (
    SELECT 1 FROM caregiver_absence a WHERE a.caregiver_id = c.id AND a.starts_at <= $5 AND a.ends_at > $5)"""
# Straight-line distance decides: whoever is nearest is told, not sent.
HELPERS = f"""SELECT kind, id, name, sealed, phone, lng, lat FROM (
  SELECT 'caregiver' AS kind, c.id, c.name, c.phone AS sealed, NULL AS phone, c.home_lng AS lng, c.home_lat AS lat
  FROM caregiver c JOIN provider p ON p.id = c.provider_id
  WHERE p.status = 'active' AND c.home_lng BETWEEN $1::float8 - 0.2 AND $1 + 0.2
    AND c.home_lat BETWEEN $2::float8 - 0.15 AND $2 + 0.15 AND {_ON_DUTY}
  UNION ALL
  SELECT 'station', p.id, p.name, NULL, p.phone, p.lng, p.lat FROM provider p
  WHERE p.kind = 'station' AND p.status = 'active' AND p.lng BETWEEN $1 - 0.2 AND $1 + 0.2
    AND p.lat BETWEEN $2 - 0.15 AND $2 + 0.15
    AND EXISTS (SELECT 1 FROM caregiver c WHERE c.provider_id = p.id AND {_ON_DUTY})
) near ORDER BY ((lng - $1) * cos(radians($2))) ^ 2 + (lat - $2) ^ 2, id LIMIT $6"""
MIDDLE = """SELECT lng, lat FROM division WHERE code = ANY($1::text[]) AND lng IS NOT NULL
ORDER BY length(rtrim(code, '0')) DESC LIMIT 1"""
BRING_FORWARD = """UPDATE incident_step SET due_at = $3 WHERE incident_id = $1 AND step = $2 AND taken_at IS NULL
AND due_at > $3"""
WANT = """INSERT INTO incident_step AS s (incident_id, step, due_at) VALUES ($1, $2, $3)
ON CONFLICT (incident_id, step) DO UPDATE SET due_at = excluded.due_at, taken_at = NULL, told = NULL
WHERE CASE WHEN s.taken_at IS NULL THEN s.due_at > excluded.due_at ELSE coalesce(s.told, 0) = 0 END"""
CALL_AGAIN = """UPDATE incident_step SET due_at = $3, taken_at = NULL, told = NULL
WHERE incident_id = $1 AND step = ANY($2::text[]) AND taken_at IS NOT NULL"""
# A request that was repeated after a false alarm is part of the next incident, too.
REQUESTS = """SELECT DISTINCT a.care_request_id FROM incident_alarm a WHERE a.incident_id = $1
  AND a.care_request_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM incident_alarm b JOIN incident i ON i.id = b.incident_id
    WHERE b.care_request_id = a.care_request_id AND i.id <> $1 AND i.status <> 'closed')
ORDER BY a.care_request_id"""


async def raise_(tx: Tx, *values: Any) -> Any:
    """The living incident of this subject, made or joined; locked."""
    return await tx.fetchrow(RAISE, *values)


async def known_alarm(tx: Tx, source: str) -> UUID | None:
    found: UUID | None = await tx.fetchval(KNOWN_ALARM, source)
    return found


async def left_open(tx: Tx, subject: str, quiet_since: datetime) -> list[Any]:
    """What was real, seen to, and never closed; locked."""
    return await tx.fetch(LEFT_OPEN, subject, quiet_since)


async def add_alarm(tx: Tx, *values: Any) -> None:
    await tx.run(ADD_ALARM, *values)


async def plan(tx: Tx, incident_id: UUID, steps: Sequence[tuple[str, datetime]]) -> None:
    """Put the ladder up; what is there already is only ever brought forward."""
    await tx.run(PLAN, incident_id, [step for step, _ in steps], [due for _, due in steps])


async def rungs(tx: Tx, severity: str, places: Sequence[str], day: date) -> list[Any]:
    return await tx.fetch(RUNGS, severity, list(places), day)


async def seed_rung(tx: Tx, *values: Any) -> None:
    await tx.run(SEED_RUNG, *values)


async def due(tx: Tx, steps: Sequence[str], now: datetime, limit: int) -> list[Any]:
    """Those of `steps` that are due and not taken, each with its incident; those another sweep holds are left out.

    Incidents are not locked: one on which somebody presses again and again would be left out again and again.
    """
    return await tx.fetch(DUE, list(steps), now, limit)


async def taken(tx: Tx, steps: Sequence[tuple[UUID, str]], at: datetime, told: Sequence[int | None]) -> None:
    """Write down, for each incident's step, how many people were told."""
    if steps:
        await tx.run(TAKEN, [incident_id for incident_id, _ in steps], [step for _, step in steps], list(told), at)


async def one(tx: Tx, incident_id: UUID, *, lock: bool = False) -> Any:
    """Raises NotFound."""
    row = await tx.fetchrow(LOCK if lock else ONE, incident_id)
    if row is None:
        raise NotFound("incident_not_found")
    return row


async def find(tx: Tx, *, closed: bool, after: UUID | None, ranges: Sequence[tuple[str, str]], limit: int) -> list[Any]:
    """Incidents within division ranges, or whose division nobody knows; newest first."""
    lows, highs = [low for low, _ in ranges], [high for _, high in ranges]
    return await tx.fetch(FIND, closed, after, lows, highs, limit)


async def living(tx: Tx, ranges: Sequence[tuple[str, str]], limit: int) -> list[Any]:
    """What is not closed, with names: untaken first, then by age."""
    return await tx.fetch(LIVING, [low for low, _ in ranges], [high for _, high in ranges], limit)


async def named(tx: Tx, incident_id: UUID) -> Any:
    return await tx.fetchrow(NAMED, incident_id)


async def move(tx: Tx, incident_id: UUID, values: dict[str, Any]) -> Any:
    """Write these columns; the row as it is then."""
    sets = ", ".join(f"{name} = ${place}" for place, name in enumerate(values, start=2))
    return await tx.fetchrow(
        f"UPDATE incident SET {sets} WHERE id = $1 RETURNING {COLUMNS}", incident_id, *values.values()
    )


async def enter(tx: Tx, *values: Any) -> None:
    await tx.run(ENTRY, *values)


async def history(tx: Tx, incident_id: UUID) -> tuple[list[Any], list[Any], list[Any]]:
    """(entries, steps, alarms) of an incident, each in the order of time."""
    return (
        await tx.fetch(ENTRIES, incident_id),
        await tx.fetch(STEPS, incident_id),
        await tx.fetch(ALARMS, incident_id),
    )


async def helpers(tx: Tx, lng: float, lat: float, day: date, minute: int, now: datetime, limit: int) -> list[Any]:
    """The nearest caregivers and stations on duty within some fifteen kilometres."""
    return await tx.fetch(HELPERS, lng, lat, day, minute, now, limit)


async def bring_forward(tx: Tx, incident_id: UUID, step: str, now: datetime) -> None:
    """This step is due now, unless it was taken."""
    await tx.run(BRING_FORWARD, incident_id, step, now)


async def want(tx: Tx, incident_id: UUID, step: str, now: datetime) -> None:
    """This step is due now, on the ladder or not, unless somebody was told by it."""
    await tx.run(WANT, incident_id, step, now)


async def call_again(tx: Tx, incident_id: UUID, steps: Sequence[str], now: datetime) -> None:
    """Those of these steps that were taken are due once more: there is somebody else to tell now."""
    await tx.run(CALL_AGAIN, incident_id, list(steps), now)


async def requests(tx: Tx, incident_id: UUID) -> list[UUID]:
    """The care requests of its reports that no other living incident shares."""
    return [row["care_request_id"] for row in await tx.fetch(REQUESTS, incident_id)]


async def middle(tx: Tx, codes: Sequence[str]) -> Any:
    """The place of the smallest of these divisions that has one, or None."""
    return await tx.fetchrow(MIDDLE, list(codes))
