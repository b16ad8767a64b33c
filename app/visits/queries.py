"""SQL of visits. Recording one event is one read and one write beside what the order itself costs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx
from app.core.json import dumps
from app.visits.journal import Entry, Kind, Method
from app.visits.models import Upload, Visit, VisitEvent, VisitPolicyRow
from app.visits.policy import DEFAULT, VisitPolicy
from app.visits.projection import Decided

EVENT = tuple(column.name for column in VisitEvent.__table__.columns)
VISIT = tuple(column.name for column in Visit.__table__.columns)
UPLOAD = tuple(column.name for column in Upload.__table__.columns)
BOOKKEEPING = {"order_id", "version", "updated_at"}
DECISION = {"decided_verdict", "decided_by", "decided_at", "decision_reason", "decided_on"}
FOLDED = tuple(name for name in VISIT if name not in BOOKKEEPING | DECISION)


def _columns(names: Iterable[str], prefix: str = "") -> str:
    return ", ".join(prefix + name for name in names)


KNOWN = f"""SELECT {_columns(EVENT, "e.")}, v.version, v.decided_verdict, v.decided_on
FROM (SELECT 1) AS one
LEFT JOIN visit v ON v.order_id = $1
LEFT JOIN visit_event e ON e.order_id = $1 OR (e.provider_id = $2 AND e.event_id = ANY($3::text[]))"""

_INSERTED = (*FOLDED, "order_id", "updated_at")
WRITE = f"""WITH added AS (
  INSERT INTO visit_event ({_columns(EVENT)})
  SELECT {_columns(EVENT)} FROM jsonb_populate_recordset(NULL::visit_event, $1::jsonb)
  ON CONFLICT DO NOTHING RETURNING 1
), folded AS (
  INSERT INTO visit ({_columns(_INSERTED)}, version)
  SELECT {_columns(_INSERTED)}, 1 FROM jsonb_populate_record(NULL::visit, $2::jsonb)
  ON CONFLICT (order_id) DO UPDATE SET {", ".join(f"{n} = excluded.{n}" for n in (*FOLDED, "updated_at"))},
    version = visit.version + 1
  WHERE ({_columns(FOLDED, "visit.")}) IS DISTINCT FROM ({_columns(FOLDED, "excluded.")})
  RETURNING version
)
SELECT (SELECT count(*) FROM added) AS added, (SELECT version FROM folded) AS version"""

EVER_HELD = """SELECT EXISTS (SELECT FROM offer WHERE order_id = $1 AND provider_id = $2 AND status = 'accepted')
OR EXISTS (SELECT FROM visit_event WHERE order_id = $1 AND provider_id = $2)
OR EXISTS (SELECT FROM order_history WHERE order_id = $1 AND facts ->> 'provider_id' = $2::text)"""
CAREGIVERS = "SELECT id FROM caregiver WHERE provider_id = $1 AND id = ANY($2::uuid[])"
UPLOADS = "SELECT id FROM upload WHERE provider_id = $1 AND id = ANY($2::uuid[])"
ITEM_MINIMUM = "SELECT min_minutes FROM service_item WHERE code = $1"
POLICIES = f"SELECT {_columns(c.name for c in VisitPolicyRow.__table__.columns)} FROM visit_policy"

ONE = f"SELECT {_columns(VISIT)} FROM visit WHERE order_id = $1"
DECIDE = """UPDATE visit SET decided_verdict = $2, decided_by = $3, decided_at = $4, decision_reason = $5,
  decided_on = $6::jsonb, verification = $2, version = version + 1, updated_at = $4
WHERE order_id = $1 RETURNING version"""
ENTERED_BY = "SELECT EXISTS (SELECT FROM visit_event WHERE order_id = $1 AND recorded_by = $2)"
EVENTS = f"SELECT {_columns(EVENT)} FROM visit_event WHERE order_id = $1 ORDER BY occurred_at, event_id"
SHOWN = f"""SELECT {_columns(VISIT, "v.")}, o.number AS order_number, c.name AS caregiver_name
FROM visit v JOIN care_order o ON o.id = v.order_id LEFT JOIN caregiver c ON c.id = v.caregiver_id"""

ADD_UPLOAD = f"INSERT INTO upload ({_columns(UPLOAD)}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
UPLOAD_TYPES = "SELECT id, media_type FROM upload WHERE id = ANY($1::uuid[])"
ONE_UPLOAD = f"SELECT {_columns(UPLOAD)} FROM upload WHERE id = $1"


@dataclass(frozen=True, slots=True)
class Known:
    """What the database holds about an order's visit. `events` may include events of other orders by id."""

    events: list[Any]
    decided: Decided | None
    version: int | None

    def of_order(self, order_id: UUID) -> list[Entry]:
        return [entry_of(row) for row in self.events if row["order_id"] == order_id]


def entry_of(row: Any) -> Entry:
    """A stored event as the fold takes it."""
    return Entry(
        row["provider_id"], row["event_id"], row["caregiver_id"], Kind(row["type"]), row["occurred_at"],
        Method(row["method"]), row["device_seq"], row["lng"], row["lat"], row["accuracy_m"],
        tuple(row["evidence"]), row["reason_code"], row["back_filled"], row["proved"],
    )  # fmt: skip


async def known(tx: Tx, order_id: UUID, provider_id: UUID | None, event_ids: Sequence[str]) -> Known:
    rows = await tx.fetch(KNOWN, order_id, provider_id, list(event_ids))
    first = rows[0]
    decided = Decided(first["decided_verdict"], first["decided_on"]) if first["decided_verdict"] else None
    return Known([row for row in rows if row["event_id"] is not None], decided, first["version"])


async def write(tx: Tx, events: list[dict[str, Any]], visit: dict[str, Any], at: datetime) -> tuple[int, int | None]:
    """Add the events and put the visit; returns how many were added, and the version if the visit changed."""
    row = await tx.fetchrow(
        WRITE,
        dumps(events),
        dumps(visit | {"updated_at": at}),
    )
    assert row is not None  # noqa: S101 (a SELECT of scalars has one row)
    return row["added"], row["version"]


async def ever_held(tx: Tx, order_id: UUID, provider_id: UUID) -> bool:
    """Has this provider had this order in hand at some time?"""
    return bool(await tx.fetchval(EVER_HELD, order_id, provider_id))


async def caregivers_of(tx: Tx, provider_id: UUID, ids: Iterable[UUID]) -> set[UUID]:
    return {row["id"] for row in await tx.fetch(CAREGIVERS, provider_id, list(ids))}


async def uploads_of(tx: Tx, provider_id: UUID, ids: Iterable[UUID]) -> set[UUID]:
    return {row["id"] for row in await tx.fetch(UPLOADS, provider_id, list(ids))}


async def min_minutes(tx: Tx, item_code: str) -> int:
    return int(await tx.fetchval(ITEM_MINIMUM, item_code))


async def policies(tx: Tx) -> list[dict[str, Any]]:
    return [dict(row) for row in await tx.fetch(POLICIES)]


def policy_in(rows: list[dict[str, Any]], lineage: Sequence[str], day: date) -> VisitPolicy:
    """The row in force for the most specific division, or the shipped figures."""
    fitting = [
        row
        for row in rows
        if row["division_code"] in lineage
        and row["valid_from"] <= day
        and (row["valid_to"] is None or day < row["valid_to"])
    ]
    if not fitting:
        return DEFAULT
    row = min(fitting, key=lambda r: (lineage.index(r["division_code"]), -r["valid_from"].toordinal()))
    return VisitPolicy(row["radius_m"], row["coarse_m"], row["back_fill_hours"])


async def one(tx: Tx, order_id: UUID) -> dict[str, Any] | None:
    row = await tx.fetchrow(ONE, order_id)
    return dict(row) if row is not None else None


async def decide(
    tx: Tx, order_id: UUID, verdict: str, actor: str, at: datetime, reason: str, basis: dict[str, Any]
) -> int:
    return int(await tx.fetchval(DECIDE, order_id, verdict, actor, at, reason, dumps(basis)))


async def entered_by(tx: Tx, order_id: UUID, actor: str) -> bool:
    """Did this person enter part of the visit by hand?"""
    return bool(await tx.fetchval(ENTERED_BY, order_id, actor))


async def events(tx: Tx, order_id: UUID) -> list[Any]:
    return await tx.fetch(EVENTS, order_id)


async def shown(tx: Tx, order_id: UUID) -> Any:
    return await tx.fetchrow(SHOWN + " WHERE v.order_id = $1", order_id)


async def find(
    tx: Tx,
    *,
    ranges: Iterable[tuple[str, str]],
    verification: str | None,
    provider_id: UUID | None,
    manual: bool | None,
    before: UUID | None,
    limit: int,
) -> list[Any]:
    """Visits within division `ranges`, newest order first."""
    args: list[Any] = [verification, provider_id, manual, before, limit]
    places = []
    for low, high in ranges:
        args.extend((low, high))
        places.append(f"(v.division_code >= ${len(args) - 1} AND v.division_code < ${len(args)})")
    return await tx.search(
        f"""{SHOWN} WHERE ({" OR ".join(places) or "false"}) AND ($1::text IS NULL OR v.verification = $1)
          AND ($2::uuid IS NULL OR v.provider_id = $2) AND ($3::boolean IS NULL OR v.manual = $3)
          AND ($4::uuid IS NULL OR v.order_id < $4) ORDER BY v.order_id DESC LIMIT $5""",
        *args,
    )


async def add_upload(tx: Tx, row: dict[str, Any]) -> None:
    await tx.run(ADD_UPLOAD, *(row[name] for name in UPLOAD))


async def upload(tx: Tx, upload_id: UUID) -> Any:
    return await tx.fetchrow(ONE_UPLOAD, upload_id)


async def upload_types(tx: Tx, ids: Iterable[UUID]) -> dict[UUID, str]:
    """Media type by upload."""
    return {row["id"]: row["media_type"] for row in await tx.fetch(UPLOAD_TYPES, list(ids))}
