"""The SQL of matching: one statement looks around, refuses with a reason and sorts by the published score.

Cheap rules run over everybody in the box, on one row each. What costs look-ups (the booking that decides, the
provider's limits) is asked for the few best only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from asyncpg import BitString

from app.core.db import Tx
from app.matching.queries_availability import SPECIALIST
from app.matching.queries_travel import kilometres, way
from app.matching.rules import OBJECTIVES, RULES
from app.matching.slots import LOOK, SLOT_MINUTES, SLOTS

KEPT, KEPT_FOR_PAIRS = 24, 200
"""How many survivors are ranked, explained and kept; more where two of one provider have to be among them."""
COUNT_BELOW = 200
"""Limits up to this are counted exactly for every search."""
SPARE = 8
"""Looked at beyond them, for those whose time is taken by minutes the bitmap does not show."""

_INSIDE = "d.place <@ box(point($14, $15), point($16, $17))"
_AROUND = f"""SELECT d.* FROM caregiver_day d WHERE d.day = $5 AND {_INSIDE}
  UNION ALL
  SELECT d.* FROM caregiver_day d WHERE d.day = $5 AND d.place IS NULL
  UNION ALL
  SELECT d.* FROM known k JOIN caregiver_day d ON d.caregiver_id = k.caregiver_id
  WHERE d.day = $5 AND NOT {_INSIDE}"""
# Specialists are few and have an index of their own; everybody else is only counted.
_SPECIALISTS = _AROUND.replace("WHERE d.day = $5", f"WHERE d.day = $5 AND {SPECIALIST}")
_ONE = """SELECT d.* FROM caregiver_day d
  WHERE d.day = $5 AND d.caregiver_id = $33 AND $14::float8 + $15::float8 + $16::float8 + $17::float8 IS NOT NULL"""


_KM = kilometres("$12::float8", "$13::float8", "place[0]", "place[1]")


_WAY = way("km", "travel_mode", "$18", "$19", "$20")
_LOOK_BACK = f"substring(taken >> ({SLOTS} - $10) FROM {SLOTS - LOOK + 1})::bit({LOOK})::int"
# Free slots directly before the visit (zeros at the end of the bits before it), and after its turnaround.
_BEFORE = f"least({LOOK}, bit_count((({_LOOK_BACK} & -{_LOOK_BACK}) - 1)::bit(32)))"
_AFTER = f"coalesce(nullif(position(B'1' IN substring(taken FROM $11 + 1 FOR {LOOK})), 0) - 1, {LOOK})"

_WISHES = """CASE WHEN a.stated = 0 THEN 1
    ELSE (coalesce(t.sex = a.wished, false)::int + coalesce(t.dialect = a.dialect, false)::int) / a.stated::float8
  END"""

_MEASURED = {
    "travel_minutes": "way",
    "visits": "coalesce(k.visits, 0)",
    "slack_minutes": f"greatest(0, least({SLOT_MINUTES} * before - way, {SLOT_MINUTES} * after))",
    "ahead_minutes": "minutes + week_minutes - median_minutes",
    "rating": "rating",
    "share_gap": "share_gap",
    "spare": "bit_count((certificates & $28)::bit(32))",
    "wishes": _WISHES,
}


def score(weights: str) -> str:
    """SQL of the score: `weights` in the order of OBJECTIVES, each measure a column of its name."""
    parts = []
    for place, objective in enumerate(OBJECTIVES.values(), start=1):
        earned = f"({objective.measure} - {objective.worst}::float8) / {objective.best - objective.worst}"
        parts.append(f"({weights}::float8[])[{place}] * least(1, greatest(0, {earned}))")
    return " + ".join(parts)


_RULE = {rule: number for number, (rule, _) in enumerate(RULES)}
_DAY_OFFERS = """SELECT count(*) FROM offer f WHERE f.provider_id = p.id AND f.service_day = $5
        AND f.status IN ('offered', 'accepted')"""
_MONTH_OFFERS = """SELECT count(*) FROM offer f WHERE f.provider_id = p.id
        AND f.service_day >= date_trunc('month', $5::date)::date
        AND f.service_day < (date_trunc('month', $5::date) + interval '1 month')::date
        AND f.status IN ('offered', 'accepted')"""


def _full(limit: str, load: str, offers: str) -> str:
    """SQL of "this limit is reached", for a provider one of whose people would be chosen. A large provider is counted
    only when the last count came near its limit."""
    return f"{limit} <= CASE WHEN {limit} IS NULL OR {load} < {limit} * 0.9 - 20 THEN 0 ELSE ({offers}) END"


# A small provider is counted at once. Of a large one the last count is believed when it says full: it is passed over
# a minute longer than need be, and never offered more than it can do.
_ENTERPRISE = f"""SELECT p.id, p.name, coalesce(w.median_minutes, 0) AS median_minutes, coalesce(g.gap, 0) AS share_gap,
    CASE
      WHEN p.status <> 'active' THEN {_RULE["provider_suspended"]}
      WHEN p.id = ANY($2::uuid[]) THEN {_RULE["provider_excluded"]}
      WHEN i.provider_id IS NULL THEN {_RULE["item_not_offered"]}
      WHEN p.id = ANY($3::uuid[])
        OR p.daily_capacity <= CASE WHEN p.daily_capacity <= {COUNT_BELOW} THEN ({_DAY_OFFERS}) ELSE l.day END
        OR p.monthly_quota <= CASE WHEN p.monthly_quota <= {COUNT_BELOW} THEN ({_MONTH_OFFERS}) ELSE l.month END
        THEN {_RULE["provider_full"]}
    END AS failed
  FROM provider p JOIN (SELECT DISTINCT provider_id FROM provider_area WHERE division_code = ANY($1::text[])) AS a
    ON a.provider_id = p.id
  LEFT JOIN provider_item i ON i.item_code = $4 AND i.provider_id = p.id
  LEFT JOIN provider_week w ON w.week = $22 AND w.provider_id = p.id
  LEFT JOIN provider_load l ON l.service_day = $5 AND l.provider_id = p.id
  LEFT JOIN unnest($23::uuid[], $24::float8[]) AS g (provider_id, gap) ON g.provider_id = p.id
  WHERE p.status <> 'exited'"""

_FAILED = f"""CASE
      WHEN d.certificates & $6 <> $6 THEN {_RULE["certificate"]}
      WHEN e.failed IS NOT NULL THEN e.failed
      WHEN NOT d.active THEN {_RULE["caregiver_inactive"]}
      WHEN d.sex <> (SELECT gender_wish FROM asking) THEN {_RULE["gender_wish"]}
      WHEN d.shift & $8 <> $8 THEN {_RULE["off_shift"]}
      WHEN d.away & $9 <> 0::bit({SLOTS}) THEN {_RULE["absent"]}
      WHEN d.taken & $9 <> 0::bit({SLOTS}) THEN {_RULE["busy"]}
      WHEN d.caregiver_id = ANY((SELECT barred FROM asking)::uuid[]) THEN {_RULE["blocked_pair"]}
    END"""
_CARRIED = (
    "caregiver_id", "provider_id", "place", "travel_mode", "taken", "minutes", "week_minutes", "rating", "sex",
    "dialect", "certificates", "median_minutes", "share_gap",
)  # fmt: skip


def _statement(near: str) -> str:
    """Those who fail carry nothing but the number of the rule; what costs is worked out for those who are left."""
    return f"""WITH enterprise AS MATERIALIZED (
  {_ENTERPRISE}
), asking AS MATERIALIZED (
  SELECT CASE WHEN $29 THEN e.gender_wish END AS gender_wish, e.dialect, e.gender_wish AS wished,
    (e.gender_wish IS NOT NULL)::int + (e.dialect IS NOT NULL)::int AS stated,
    ARRAY(SELECT b.caregiver_id FROM blocked_pair b WHERE b.elder_id = $7) AS barred
  FROM elder e WHERE e.id = $7
), known AS MATERIALIZED (
  SELECT k.caregiver_id, k.visits FROM continuity k WHERE k.elder_id = $7
), near AS (
  {near}
), judged AS MATERIALIZED (
  SELECT failed, {", ".join(f"CASE WHEN failed IS NULL THEN {name} END AS {name}" for name in _CARRIED)}
  FROM (
    SELECT d.*, e.median_minutes, e.share_gap, {_FAILED} AS failed
    FROM near d JOIN enterprise e ON e.id = d.provider_id AND ($27::uuid IS NULL OR e.id = $27)
    OFFSET 0
  ) AS everybody
), timed AS MATERIALIZED (
  SELECT t.*, {_WAY} AS way, {_BEFORE}::int AS before, {_AFTER}::int AS after
  FROM (SELECT judged.*, {_KM} AS km FROM judged WHERE failed IS NULL OFFSET 0) AS t
), measured AS MATERIALIZED (
  SELECT t.caregiver_id, t.provider_id, {", ".join(f"{sql} AS {name}" for name, sql in _MEASURED.items())},
    CASE WHEN way > $26 THEN {_RULE["too_far"]}
      WHEN before < {LOOK} AND {SLOT_MINUTES} * (before + 1) < way THEN {_RULE["busy"]} END AS unfit
  FROM timed t CROSS JOIN asking a LEFT JOIN known k ON k.caregiver_id = t.caregiver_id
), best AS MATERIALIZED (
  SELECT * FROM measured WHERE unfit IS NULL
  ORDER BY {score("$21")} DESC, uuid_hash_extended(caregiver_id, $25) LIMIT $32::int + {SPARE}
), limits AS MATERIALIZED (
  SELECT p.id, p.name, {_full("p.daily_capacity", "l.day", _DAY_OFFERS)}
    OR {_full("p.monthly_quota", "l.month", _MONTH_OFFERS)} AS is_full
  FROM (SELECT DISTINCT provider_id FROM best) AS b JOIN provider p ON p.id = b.provider_id
  LEFT JOIN provider_load l ON l.service_day = $5 AND l.provider_id = p.id
)
SELECT CASE WHEN row_number() OVER () = 1 THEN (SELECT json_agg(json_build_array(rule, n)) FROM (
      SELECT failed AS rule, count(*) AS n FROM judged WHERE failed IS NOT NULL GROUP BY failed
      UNION ALL SELECT unfit, count(*) FROM measured GROUP BY unfit) AS counted) END AS refusals,
  EXISTS (SELECT 1 FROM prepared_day y WHERE y.day = $5) AS prepared,
  (SELECT max(median_minutes) FROM enterprise) AS most_ahead,
  best.caregiver_id, best.provider_id, c.name, limits.name AS provider_name, limits.is_full,
  {", ".join(f"best.{name}" for name in _MEASURED)},
  (SELECT true FROM booking b WHERE b.caregiver_id = best.caregiver_id AND b.status <> 'released' AND b.during
    && tstzrange($30::timestamptz - best.travel_minutes * interval '1 minute', $31::timestamptz) LIMIT 1) AS taken
FROM (SELECT 1) AS always LEFT JOIN (best JOIN caregiver c ON c.id = best.caregiver_id
  JOIN limits ON limits.id = best.provider_id) ON true"""


AROUND = _statement(_AROUND)
SPECIALISTS_AROUND = _statement(_SPECIALISTS)
ALONE = _statement(_ONE)

CROWDED = """SELECT count(*) FROM (SELECT FROM caregiver_day d
  WHERE d.day = $1 AND d.place <@ box(point($2, $3), point($4, $5)) LIMIT $6) AS crowd"""
HEADS = """SELECT count(*) FROM caregiver_day d WHERE d.day = $1 AND d.place <@ box(point($2, $3), point($4, $5))
  AND d.provider_id IN (SELECT a.provider_id FROM provider_area a JOIN provider p ON p.id = a.provider_id
    WHERE a.division_code = ANY($6::text[]) AND p.status <> 'exited' AND ($7::uuid IS NULL OR p.id = $7))"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What the statement asks: an order's needs at one begin time, and how far to look. Degrees are WGS-84."""

    lineage: list[str]
    excluded: list[UUID]
    item_code: str
    day: date
    need: int
    """Bits of the certificates that are needed."""
    specialist: bool
    """Whether what is needed is a specialist's certificate."""
    surplus: int
    """Bits of the specialist certificates that are not."""
    elder_id: UUID
    starts_at: datetime
    ends_at: datetime
    """With the turnaround."""
    visit_slots: BitString
    busy_slots: BitString
    first_slot: int
    end_slot: int
    """Of `busy_slots`."""
    lng: float | None
    lat: float | None
    per_km: list[float]
    fixed: list[float]
    unknown_minutes: int
    """The way when a place is not known."""
    weights: list[float]
    week: date
    shares: tuple[list[UUID], list[float]]
    seed: int
    max_travel_minutes: int
    provider_id: UUID | None = None
    caregiver_id: UUID | None = None
    gender_matters: bool = True
    keep: int = KEPT


async def candidates(tx: Tx, s: Search, box: tuple[float, float, float, float], full: list[UUID]) -> list[Any]:
    """The best survivors in the box, best first; the first row carries `refusals` and `prepared`. One row without a
    caregiver if there is none. `full` are providers known to have no room."""
    asked = (
        s.lineage, s.excluded, full, s.item_code, s.day, s.need, s.elder_id, s.visit_slots, s.busy_slots,
        s.first_slot, s.end_slot, s.lng, s.lat, *box, s.per_km, s.fixed, s.unknown_minutes, s.weights, s.week,
        *s.shares, s.seed, s.max_travel_minutes, s.provider_id, s.surplus, s.gender_matters, s.starts_at, s.ends_at,
        s.keep,
    )  # fmt: skip
    if s.caregiver_id is not None:
        return await tx.fetch(ALONE, *asked, s.caregiver_id)
    return await tx.fetch(SPECIALISTS_AROUND if s.specialist else AROUND, *asked)


async def is_crowded(tx: Tx, day: date, box: tuple[float, float, float, float], crowd: int) -> bool:
    """Whether at least `crowd` caregivers live in the box."""
    return bool(await tx.fetchval(CROWDED, day, *box, crowd) == crowd)


async def heads(tx: Tx, s: Search, box: tuple[float, float, float, float]) -> int:
    """How many caregivers there are in the box, of providers that serve the area."""
    return int(await tx.fetchval(HEADS, s.day, *box, s.lineage, s.provider_id))
