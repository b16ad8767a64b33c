"""What the indicators are counted by: one statement for each kind of thing, over a half-open period.

`WHOLE` and `PART` are the definitions of `indicators` as conditions over one order's facts. Counting and listing use
the same text, so a list of orders is what was counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx

BEYOND = {
    "dispatched": "('dispatched','accepted','assigned','in_service','completed','closed')",
    "accepted": "('accepted','assigned','in_service','completed','closed')",
    "assigned": "('assigned','in_service','completed','closed')",
    "finished": "('completed','closed')",
}
STANDS = "f.status <> 'cancelled'"
FINISHED = f"f.status IN {BEYOND['finished']}"
SERVED = f"({FINISHED} AND f.outcome IN ('done','partly'))"
ANSWERED = f"({FINISHED} AND f.followup IN ('reached','rated','refused','unreachable'))"


def _clock(name: str) -> tuple[str, str]:
    """Of a deadline: met in time, among those met or due."""
    return f"f.{name}_met <= f.{name}_due", f"{STANDS} AND (f.{name}_met IS NOT NULL OR f.{name}_due <= $3)"


CONDITIONS: dict[str, tuple[str, str]] = {
    "orders": ("true", "true"),
    "dispatched": (f"f.status IN {BEYOND['dispatched']}", "true"),
    "accepted": (f"f.status IN {BEYOND['accepted']}", "true"),
    "assigned": (f"f.status IN {BEYOND['assigned']}", "true"),
    "arrived": (f"{STANDS} AND f.arrive_met IS NOT NULL", "true"),
    "completed": (SERVED, "true"),
    "verified": (f"{SERVED} AND f.verification = 'verified'", "true"),
    "followed_up": (ANSWERED, "true"),
    "closed": ("f.status = 'closed'", "true"),
    "dispatch_on_time": _clock("dispatch"),
    "accept_on_time": _clock("accept"),
    "designate_on_time": _clock("designate"),
    "arrive_on_time": _clock("arrive"),
    "follow_up_on_time": _clock("follow_up"),
    "accept_minutes": ("true", "f.accept_s IS NOT NULL"),
    "refused": ("f.refused > 0", "f.offers > 0"),
    "unfilled": (f"f.status NOT IN {BEYOND['assigned']}", f"{STANDS} AND f.wanted_from <= $3"),
    "cancelled": ("f.status = 'cancelled'", "true"),
    "done": ("f.outcome = 'done'", FINISHED),
    "verified_share": ("f.verification = 'verified'", SERVED),
    "manual_share": ("f.manual", "f.visit_status IN ('ended','failed')"),
    "follow_up_share": (ANSWERED, FINISHED),
    "reached_share": ("f.followup IN ('reached','rated')", ANSWERED),
    "satisfied": ("f.rating >= 4", "f.rating IS NOT NULL"),
    "complained": ("f.complaints > 0", FINISHED),
    "upheld": ("f.upheld > 0", "f.decided > 0"),
    "closed_share": ("f.status = 'closed'", FINISHED),
}
"""(part, whole) by the indicator's code; a part counts only within its whole. `$3` is now.

Somebody is at the door when the device was there, as for settlement; the order's own clock stops only when that is
told, and a telephone without a network tells it hours later.
"""

FACTS = """SELECT o.id, o.number, o.status, o.outcome, o.division_code, o.provider_id, o.wanted_from,
  o.wanted_from AS at, o.rating,
  v.status AS visit_status, v.verification, v.manual, u.outcome AS followup,
  d.dispatch_due, d.dispatch_met, d.accept_due, d.accept_met, d.designate_due, d.designate_met, d.arrive_due,
  coalesce(v.arrived_at, v.began_at,
    CASE WHEN v.failure_reason IS DISTINCT FROM 'caregiver_absent' THEN v.failed_at END, d.arrive_met) AS arrive_met,
  d.follow_up_due, d.follow_up_met, a.offers, a.refused, a.accept_s,
  coalesce(c.complaints, 0) AS complaints, coalesce(c.decided, 0) AS decided, coalesce(c.upheld, 0) AS upheld
FROM care_order o
LEFT JOIN visit v ON v.order_id = o.id
LEFT JOIN followup u ON u.order_id = o.id AND u.status = 'closed'
LEFT JOIN LATERAL (SELECT
    max(due_at) FILTER (WHERE name = 'dispatch') AS dispatch_due,
    max(met_at) FILTER (WHERE name = 'dispatch') AS dispatch_met,
    max(due_at) FILTER (WHERE name = 'accept') AS accept_due, max(met_at) FILTER (WHERE name = 'accept') AS accept_met,
    max(due_at) FILTER (WHERE name = 'designate') AS designate_due,
    max(met_at) FILTER (WHERE name = 'designate') AS designate_met,
    max(due_at) FILTER (WHERE name = 'arrive') AS arrive_due, max(met_at) FILTER (WHERE name = 'arrive') AS arrive_met,
    max(due_at) FILTER (WHERE name = 'follow_up') AS follow_up_due,
    max(met_at) FILTER (WHERE name = 'follow_up') AS follow_up_met
  FROM order_deadline WHERE order_id = o.id) d ON true
LEFT JOIN LATERAL (SELECT count(*) AS offers, count(*) FILTER (WHERE status = 'refused') AS refused,
    extract(epoch FROM max(closed_at - made_at) FILTER (WHERE status = 'accepted'))::bigint AS accept_s
  FROM offer WHERE order_id = o.id) a ON true
LEFT JOIN (SELECT order_id, count(*) AS complaints, count(*) FILTER (WHERE status = 'decided') AS decided,
    count(*) FILTER (WHERE upheld IN ('full', 'partly')) AS upheld
  FROM complaint WHERE order_id IS NOT NULL GROUP BY order_id) c ON c.order_id = o.id
WHERE o.wanted_from >= $1 AND o.wanted_from < $2 AND ($6::uuid IS NULL OR o.provider_id = $6)
  AND EXISTS (SELECT FROM unnest($4::text[], $5::text[]) AS r (low, high)
    WHERE o.division_code >= r.low AND o.division_code < r.high)"""

_COUNTED = {
    code: (f"({whole}) AND ({part})" if whole != "true" else part, whole)
    for code, (part, whole) in CONDITIONS.items()
    if code != "accept_minutes"
}
_ONCE = {text: f"n{n}" for n, text in enumerate(dict.fromkeys(text for pair in _COUNTED.values() for text in pair))}
"""Many indicators have a whole in common: each condition is counted once."""
TALLIES = f"""{", ".join(f"count(*) FILTER (WHERE {text}) AS {name}" for text, name in _ONCE.items())},
  coalesce(sum(accept_s), 0)::bigint AS accept_s, count(accept_s) AS accepted"""
KEYS = {
    "day": "(f.at AT TIME ZONE 'Asia/Shanghai')::date",
    "division": "left(coalesce(f.division_code, ''), {})",
    "provider": "f.provider_id",
}
_WITHIN = """EXISTS (SELECT FROM unnest($3::text[], $4::text[]) AS r (low, high)
    WHERE division_code >= r.low AND division_code < r.high)"""

REQUESTS = f"""SELECT {{}}count(*) AS requests FROM (SELECT created_at AS at, division_code FROM care_request
  WHERE created_at >= $1 AND created_at < $2 AND status <> 'merged'
    AND ({_WITHIN} OR (division_code IS NULL AND $5))) f {{}}"""
INCIDENTS = f"""SELECT {{}}count(*) AS incidents, count(*) FILTER (WHERE f.seen_at < s.due_at) AS in_time,
  count(*) FILTER (WHERE s.due_at IS NOT NULL AND (f.seen_at IS NOT NULL OR s.due_at <= $6)) AS due
FROM (SELECT id, first_at AS at, division_code, least(acknowledged_at, verified_at) AS seen_at FROM incident
  WHERE first_at >= $1 AND first_at < $2 AND ({_WITHIN} OR (division_code IS NULL AND $5))) f
LEFT JOIN LATERAL (SELECT min(due_at) AS due_at FROM incident_step
  WHERE incident_id = f.id AND step <> 'operator') s ON true {{}}"""
CONTACTS = """SELECT (received_at AT TIME ZONE 'Asia/Shanghai')::date AS day, count(*) AS contacts FROM inbound_contact
WHERE received_at >= $1 AND received_at < $2 GROUP BY 1"""
MONEY = f"""SELECT {{}}
  coalesce(sum((p ->> 'payable_fen')::bigint) FILTER (WHERE p ->> 'payer' = 'government'), 0)::bigint AS government,
  coalesce(sum((p ->> 'payable_fen')::bigint) FILTER (WHERE p ->> 'payer' = 'family'), 0)::bigint AS family
FROM (SELECT id, wanted_from AS at, division_code, provider_id FROM care_order
  WHERE wanted_from >= $1 AND wanted_from < $2 AND ($5::uuid IS NULL OR provider_id = $5) AND {_WITHIN}) f
JOIN statement_line l ON l.order_id = f.id AND l.kind = 'service' AND NOT l.void
CROSS JOIN LATERAL jsonb_array_elements(l.parts) AS p {{}}"""


@dataclass(frozen=True, slots=True)
class Within:
    """Where and when: division ranges, a provider or any, instants [begin, end). `everywhere` adds what has no
    division yet; `length` is how many digits of a division make a group."""

    begin: datetime
    end: datetime
    ranges: Sequence[tuple[str, str]]
    provider_id: UUID | None
    everywhere: bool
    length: int

    @property
    def lows(self) -> list[str]:
        return [low for low, _ in self.ranges]

    @property
    def highs(self) -> list[str]:
        return [high for _, high in self.ranges]


@dataclass(frozen=True, slots=True)
class Cell:
    """Counts of one group; a part of the key that was not asked for is null."""

    day: date | None
    division: str | None
    provider: UUID | None
    counts: dict[str, tuple[int, int]]


async def orders(tx: Tx, where: Within, keys: Sequence[str], now: datetime) -> list[Cell]:
    """Counts of orders by these keys together, like `("division", "provider")`; by none of them: one cell."""
    shown, grouped = _by(keys, where)
    args = (where.begin, where.end, now, where.lows, where.highs, where.provider_id)
    rows = await tx.search(f"SELECT {shown}{TALLIES} FROM ({FACTS}) f {grouped}", *args)
    return [_cell(row, keys, _counts(row)) for row in rows]


def _by(keys: Sequence[str], where: Within) -> tuple[str, str]:
    """Columns of these keys, and the clause that groups by them. A division's length is a number of ours."""
    columns = [f"{KEYS[key].format(int(where.length))} AS {key}, " for key in keys]
    return "".join(columns), f"GROUP BY {', '.join(str(n + 1) for n in range(len(keys)))}" if keys else ""


def _cell(row: Any, keys: Sequence[str], counts: dict[str, tuple[int, int]]) -> Cell:
    day, division, provider = (row[name] if name in keys else None for name in KEYS)
    return Cell(day, division, provider, counts)


def _counts(row: Any) -> dict[str, tuple[int, int]]:
    found = {code: (row[_ONCE[part]], row[_ONCE[whole]]) for code, (part, whole) in _COUNTED.items()}
    return found | {"accept_minutes": (row["accept_s"], row["accepted"])}


async def others(tx: Tx, where: Within, keys: Sequence[str], now: datetime) -> list[Cell]:
    """Requests, incidents and amounts by these keys. A provider has no requests and no incidents."""
    args = (where.begin, where.end, where.lows, where.highs)
    cells = [
        _cell(row, keys, {"paid_government": (row["government"], 0), "paid_family": (row["family"], 0)})
        for row in await tx.search(MONEY.format(*_by(keys, where)), *args, where.provider_id)
    ]
    if where.provider_id is not None:
        return cells
    own = [key for key in keys if key != "provider"]
    for row in await tx.search(REQUESTS.format(*_by(own, where)), *args, where.everywhere):
        cells.append(_cell(row, own, {"requests": (row["requests"], 0)}))
    for row in await tx.search(INCIDENTS.format(*_by(own, where)), *args, where.everywhere, now):
        counts = {"incidents": (row["incidents"], 0), "incidents_in_time": (row["in_time"], row["due"])}
        cells.append(_cell(row, own, counts))
    return cells


async def contacts(tx: Tx, begin: datetime, end: datetime) -> dict[date, int]:
    return {row["day"]: row["contacts"] for row in await tx.search(CONTACTS, begin, end)}
