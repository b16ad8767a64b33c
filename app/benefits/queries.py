"""SQL of benefits. Quote, reserve and release are one statement each: every order passes through them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update

from app.benefits.models import Entitlement, Scheme
from app.core.db import Tx
from app.core.ids import new_id

QUOTE = """SELECT e.division_code AS elder_division, e.status AS elder_status, s.id AS scheme_id, s.code, s.payer,
  s.division_code, s.share_bp, s.item_codes, s.requires_assessment, n.id AS entitlement_id, n.assessed_until,
  coalesce(q.granted_fen - q.reserved_fen - q.consumed_fen, n.monthly_quota_fen) AS left_fen
FROM elder e
LEFT JOIN entitlement n ON n.elder_id = e.id AND n.valid_from <= $2 AND (n.valid_to IS NULL OR n.valid_to >= $2)
LEFT JOIN scheme s ON s.id = n.scheme_id AND s.valid_from <= $2 AND (s.valid_to IS NULL OR s.valid_to >= $2)
LEFT JOIN quota_month q ON q.entitlement_id = n.id AND q.month = $3
WHERE e.id = $1
ORDER BY s.position, s.code"""

# The row lock of the conflicting update makes reservations of one month queue up; the condition is then looked
# at again with the winner's figures, so the loser gets no row instead of a broken constraint. KEY SHARE makes the
# first reservation of a month wait for a change of the entitlement and then read the new figure.
RESERVE = """WITH taken AS (
  INSERT INTO quota_month (entitlement_id, month, granted_fen, reserved_fen, consumed_fen)
  SELECT id, $2, monthly_quota_fen, $3, 0 FROM entitlement WHERE id = $1 AND monthly_quota_fen >= $3 FOR KEY SHARE
  ON CONFLICT (entitlement_id, month) DO UPDATE SET reserved_fen = quota_month.reserved_fen + $3
    WHERE quota_month.reserved_fen + quota_month.consumed_fen + $3 <= quota_month.granted_fen
  RETURNING granted_fen - reserved_fen - consumed_fen AS left_fen
), moved AS (
  INSERT INTO quota_movement (id, entitlement_id, month, order_id, kind, amount_fen, at)
  SELECT $4, $1, $2, $5, 'reserve', $3, $6 FROM taken
)
SELECT left_fen FROM taken"""

LEFT = """SELECT coalesce(q.granted_fen - q.reserved_fen - q.consumed_fen, n.monthly_quota_fen)
FROM entitlement n LEFT JOIN quota_month q ON q.entitlement_id = n.id AND q.month = $2 WHERE n.id = $1"""

RELEASE = """WITH closed AS (
  INSERT INTO quota_movement (id, entitlement_id, month, order_id, kind, amount_fen, at)
  SELECT gen_random_uuid(), entitlement_id, month, order_id, 'release', amount_fen, $2
  FROM quota_movement WHERE order_id = $1 AND kind = 'reserve'
  ON CONFLICT DO NOTHING
  RETURNING entitlement_id, month, amount_fen
)
UPDATE quota_month q SET reserved_fen = q.reserved_fen - c.amount_fen
FROM closed c WHERE q.entitlement_id = c.entitlement_id AND q.month = c.month"""

MOVEMENTS = """SELECT m.kind, m.entitlement_id, m.month, m.amount_fen, m.at, n.scheme_id
FROM quota_movement m JOIN entitlement n ON n.id = m.entitlement_id
WHERE m.order_id = $1 ORDER BY m.at, m.kind DESC"""

CONSUME = """WITH used AS (
  SELECT * FROM unnest($2::uuid[], $3::bigint[]) AS u (entitlement_id, amount_fen)
), closed AS (
  INSERT INTO quota_movement (id, entitlement_id, month, order_id, kind, amount_fen, at)
  SELECT gen_random_uuid(), r.entitlement_id, r.month, r.order_id, 'consume', u.amount_fen, $4
  FROM quota_movement r JOIN used u USING (entitlement_id)
  WHERE r.order_id = $1 AND r.kind = 'reserve' AND u.amount_fen <= r.amount_fen
  ON CONFLICT DO NOTHING
  RETURNING entitlement_id, month, amount_fen
)
UPDATE quota_month q SET reserved_fen = q.reserved_fen - r.amount_fen, consumed_fen = q.consumed_fen + c.amount_fen
FROM closed c
JOIN quota_movement r ON r.order_id = $1 AND r.kind = 'reserve' AND r.entitlement_id = c.entitlement_id
WHERE q.entitlement_id = c.entitlement_id AND q.month = c.month"""


async def quote(tx: Tx, elder_id: UUID, day: date, month: date) -> list[Any]:
    """One row per scheme of the elder, in paying order; one row of nulls without any; no row, no elder."""
    return await tx.fetch(QUOTE, elder_id, day, month)


async def reserve(
    tx: Tx, entitlement_id: UUID, month: date, amount_fen: int, order_id: UUID, at: datetime
) -> int | None:
    """What is left afterwards; None when it was not enough, and then nothing has changed."""
    left: int | None = await tx.fetchval(RESERVE, entitlement_id, month, amount_fen, new_id(), order_id, at)
    return left


async def left(tx: Tx, entitlement_id: UUID, month: date) -> int:
    return int(await tx.fetchval(LEFT, entitlement_id, month) or 0)


async def release(tx: Tx, order_id: UUID, at: datetime) -> int:
    """How many reservations went back."""
    return await tx.run(RELEASE, order_id, at)


async def movements(tx: Tx, order_id: UUID) -> list[Any]:
    return await tx.fetch(MOVEMENTS, order_id)


async def consume(tx: Tx, order_id: UUID, used: Mapping[UUID, int], at: datetime) -> int:
    """How many reservations were closed; `used` is fen by entitlement."""
    return await tx.run(CONSUME, order_id, list(used), list(used.values()), at)


async def add_scheme(tx: Tx, values: Mapping[str, Any]) -> None:
    await tx.execute(insert(Scheme).values(**values))


async def schemes(tx: Tx) -> Sequence[Any]:
    return await tx.all(select(Scheme.__table__).order_by(Scheme.position, Scheme.code))


async def scheme(tx: Tx, scheme_id: UUID) -> Any:
    return await tx.first(select(Scheme.__table__).where(Scheme.id == scheme_id))


async def add_entitlement(tx: Tx, values: Mapping[str, Any]) -> None:
    await tx.execute(insert(Entitlement).values(**values))


async def entitlement(tx: Tx, entitlement_id: UUID) -> Any:
    return await tx.first(select(Entitlement.__table__).where(Entitlement.id == entitlement_id).with_for_update())


async def change_entitlement(tx: Tx, entitlement_id: UUID, values: Mapping[str, Any]) -> None:
    await tx.execute(update(Entitlement).where(Entitlement.id == entitlement_id).values(**values))


OF_ELDER = """SELECT n.id, n.scheme_id, s.code AS scheme_code, s.name AS scheme_name, s.payer, s.share_bp, s.item_codes,
  s.requires_assessment, n.monthly_quota_fen, n.assessed_until, n.valid_from, n.valid_to,
  coalesce(q.granted_fen, n.monthly_quota_fen) AS granted_fen, coalesce(q.reserved_fen, 0) AS reserved_fen,
  coalesce(q.consumed_fen, 0) AS consumed_fen
FROM entitlement n JOIN scheme s ON s.id = n.scheme_id
LEFT JOIN quota_month q ON q.entitlement_id = n.id AND q.month = $2
WHERE n.elder_id = $1 ORDER BY n.valid_from DESC, s.position"""

END_ALL = """UPDATE entitlement SET valid_to = $2
WHERE elder_id = $1 AND valid_from <= $2 AND (valid_to IS NULL OR valid_to > $2)"""


async def of_elder(tx: Tx, elder_id: UUID, month: date) -> list[Any]:
    return await tx.fetch(OF_ELDER, elder_id, month)


async def end_all(tx: Tx, elder_id: UUID, last_day: date) -> int:
    return await tx.run(END_ALL, elder_id, last_day)


REGRANT = """UPDATE quota_month SET granted_fen = $3
WHERE entitlement_id = $1 AND month >= $2 AND reserved_fen + consumed_fen <= $3"""

OVER = """SELECT month, reserved_fen + consumed_fen AS used_fen FROM quota_month
WHERE entitlement_id = $1 AND month >= $2 AND reserved_fen + consumed_fen > $3 ORDER BY month LIMIT 1"""


async def regrant(tx: Tx, entitlement_id: UUID, month: date, granted_fen: int) -> Any:
    """Give months from `month` on another quota. Returns the first month that has used more already, if any."""
    await tx.run(REGRANT, entitlement_id, month, granted_fen)
    return await tx.fetchrow(OVER, entitlement_id, month, granted_fen)
