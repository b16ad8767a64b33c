"""The SQL of matching: one statement looks around, refuses with a reason and sorts by the published score.

Cheap rules run over everybody in the box who has the certificate and is of the sex wished for, on one row each. What
costs look-ups (the booking that decides, the provider's limits) is asked for the few best only.
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
_CARRIED = """d.caregiver_id, d.provider_id, d.place, d.travel_mode, d.active, d.sex, d.dialect, d.certificates,
    d.rating, d.minutes, d.week_minutes, d.shift, d.taken, d.away"""
# The others are counted by `queries_around`. A CASE, because the planner takes it for every second one; of plain
# conditions it expects nobody to be left, and joins row by row.
_ABLE = """CASE WHEN d.certificates & $6 = $6
    THEN d.sex = coalesce((SELECT gender_wish FROM asking), d.sex) ELSE false END"""
_AROUND = f"""SELECT {_CARRIED} FROM caregiver_day d WHERE d.day = $5 AND {_INSIDE} AND {_ABLE}
  UNION ALL
  SELECT {_CARRIED} FROM caregiver_day d WHERE d.day = $5 AND d.place IS NULL AND {_ABLE}
  UNION ALL
  SELECT {_CARRIED} FROM known k JOIN caregiver_day d ON d.caregiver_id = k.caregiver_id
  WHERE d.day = $5 AND NOT {_INSIDE} AND {_ABLE}"""
# Specialists are few and have an index of their own.
_SPECIALISTS = _AROUND.replace("WHERE d.day = $5", f"WHERE d.day = $5 AND {SPECIALIST}")
_ONE = f"""SELECT {_CARRIED} FROM caregiver_day d
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
_DAY = "f.service_day = $5"
_MONTH = """f.service_day >= date_trunc('month', $5::date)::date
        AND f.service_day < (date_trunc('month', $5::date) + interval '1 month')::date"""


def _reached(limit: str, when: str) -> str:
    """SQL of "provider p has as many live offers as `limit`", counted now and no further than that."""
    return f"""{limit} <= (SELECT count(*) FROM (SELECT FROM offer f WHERE f.provider_id = p.id AND {when}
        AND f.status IN ('offered', 'accepted') LIMIT {limit}) AS live)"""


def _full(limit: str, load: str, when: str) -> str:
    """The same for a provider one of whose people would be chosen: counted unless the last count was far below."""
    return f"CASE WHEN {limit} IS NULL OR {load} < {limit} * 9 / 10 - 20 THEN false ELSE {_reached(limit, when)} END"


def _known_full(limit: str, load: str, when: str) -> str:
    """The same for every provider. A small one is counted unless the last count was far above its limit. Of a large
    one the last count is believed: it is passed over a minute longer than need be, and never offered more than it
    can do."""
    has_to_count = f"{limit} <= {COUNT_BELOW} AND coalesce({load} < {limit} + {limit} / 10 + 20, true)"
    return f"CASE WHEN {has_to_count} THEN {_reached(limit, when)} ELSE {limit} <= {load} END"


_ENTERPRISE = f"""SELECT p.id, p.name AS provider_name, coalesce(w.median_minutes, 0) AS median_minutes,
    coalesce(g.gap, 0) AS share_gap, CASE
      WHEN p.status <> 'active' THEN {_RULE["provider_suspended"]}
      WHEN p.id = ANY($2::uuid[]) THEN {_RULE["provider_excluded"]}
      WHEN i.provider_id IS NULL THEN {_RULE["item_not_offered"]}
      WHEN p.id = ANY($3::uuid[])
        OR {_known_full("p.daily_capacity", "l.day", _DAY)} OR {_known_full("p.monthly_quota", "l.month", _MONTH)}
        THEN {_RULE["provider_full"]}
    END AS failed
  FROM provider p LEFT JOIN provider_item i ON i.item_code = $4 AND i.provider_id = p.id
  LEFT JOIN provider_week w ON w.week = $22 AND w.provider_id = p.id
  LEFT JOIN provider_load l ON l.service_day = $5 AND l.provider_id = p.id
  LEFT JOIN unnest($23::uuid[], $24::float8[]) AS g (provider_id, gap) ON g.provider_id = p.id
  WHERE p.status <> 'exited'
    AND p.id IN (SELECT a.provider_id FROM provider_area a WHERE a.division_code = ANY($1::text[]))"""

_FAILED = f"""CASE
      WHEN d.certificates & $6 <> $6 THEN {_RULE["certificate"]}
      WHEN d.sex <> (SELECT gender_wish FROM asking) THEN {_RULE["gender_wish"]}
      WHEN e.failed IS NOT NULL THEN e.failed
      WHEN NOT d.active THEN {_RULE["caregiver_inactive"]}
      WHEN d.shift & $8 <> $8 THEN {_RULE["off_shift"]}
      WHEN d.away & $9 <> 0::bit({SLOTS}) THEN {_RULE["absent"]}
      WHEN d.taken & $9 <> 0::bit({SLOTS}) THEN {_RULE["busy"]}
      WHEN d.caregiver_id = ANY((SELECT barred FROM asking)::uuid[]) THEN {_RULE["blocked_pair"]}
    END"""


def _statement(near: str) -> str:
    """What costs is worked out for those who are left."""
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
  SELECT d.*, e.provider_name, e.median_minutes, e.share_gap, {_FAILED} AS failed
  FROM near d JOIN enterprise e ON e.id = d.provider_id AND ($27::uuid IS NULL OR e.id = $27)
), timed AS MATERIALIZED (
  SELECT t.*, {_WAY} AS way, {_BEFORE}::int AS before, {_AFTER}::int AS after
  FROM (SELECT judged.*, {_KM} AS km FROM judged WHERE failed IS NULL OFFSET 0) AS t
), measured AS MATERIALIZED (
  SELECT t.caregiver_id, t.provider_id, t.provider_name,
    {", ".join(f"{sql} AS {name}" for name, sql in _MEASURED.items())},
    CASE WHEN way > $26 THEN {_RULE["too_far"]}
      WHEN before < {LOOK} AND {SLOT_MINUTES} * (before + 1) < way THEN {_RULE["busy"]} END AS unfit
  FROM timed t CROSS JOIN asking a LEFT JOIN known k ON k.caregiver_id = t.caregiver_id
), best AS MATERIALIZED (
  SELECT * FROM measured WHERE unfit IS NULL
  ORDER BY {score("$21")} DESC, uuid_hash_extended(caregiver_id, $25) LIMIT $32::int + {SPARE}
), exhausted AS MATERIALIZED (
  SELECT p.id FROM (SELECT DISTINCT provider_id FROM best) AS b JOIN provider p ON p.id = b.provider_id
  LEFT JOIN provider_load l ON l.service_day = $5 AND l.provider_id = p.id
  WHERE {_full("p.daily_capacity", "l.day", _DAY)} OR {_full("p.monthly_quota", "l.month", _MONTH)}
)
SELECT CASE WHEN row_number() OVER () = 1 THEN (SELECT json_agg(json_build_array(rule, n)) FROM (
      SELECT failed AS rule, count(*) AS n FROM judged WHERE failed IS NOT NULL GROUP BY failed
      UNION ALL SELECT unfit, count(*) FROM measured GROUP BY unfit) AS counted) END AS refusals,
  EXISTS (SELECT 1 FROM prepared_day y WHERE y.day = $5) AS prepared,
  (SELECT max(median_minutes) FROM enterprise) AS most_ahead, (SELECT gender_wish FROM asking) AS gender_wish,
  best.caregiver_id, best.provider_id, c.name, best.provider_name,
  best.provider_id = ANY((SELECT array_agg(id) FROM exhausted)::uuid[]) AS is_full,
  {", ".join(f"best.{name}" for name in _MEASURED)},
  (SELECT true FROM booking b WHERE b.caregiver_id = best.caregiver_id AND b.status <> 'released' AND b.during
    && tstzrange($30::timestamptz - best.travel_minutes * interval '1 minute', $31::timestamptz) LIMIT 1) AS taken
FROM (SELECT 1) AS always LEFT JOIN (best JOIN caregiver c ON c.id = best.caregiver_id) ON true"""


AROUND = _statement(_AROUND)
SPECIALISTS_AROUND = _statement(_SPECIALISTS)
ALONE = _statement(_ONE)


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
