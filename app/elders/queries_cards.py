"""SQL of cards."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx

LOCK_ELDER = "SELECT id FROM elder WHERE id = $1 FOR UPDATE"
ADD = """INSERT INTO elder_card (id, elder_id, number, token_hash, token, issued_at, issued_by)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (number) DO NOTHING"""
REVOKE = """UPDATE elder_card SET revoked_at = $2, revoked_by = $3
WHERE elder_id = $1 AND ($4::uuid IS NULL OR id = $4) AND revoked_at IS NULL"""
OF_ELDER = """SELECT id, number, token, issued_at, issued_by, revoked_at FROM elder_card
WHERE elder_id = $1 ORDER BY issued_at DESC, id DESC"""
SCANNED = """SELECT c.id, c.number, c.elder_id, e.name, e.sex, e.birth_date, e.division_code, e.status
FROM elder_card c JOIN elder e ON e.id = c.elder_id WHERE c.token_hash = $1 AND c.revoked_at IS NULL"""
WAS_CARD_OF = """SELECT EXISTS (SELECT FROM elder_card WHERE token_hash = $2 AND elder_id = $1
  AND issued_at <= $3 AND (revoked_at IS NULL OR revoked_at > $3))"""
HELPED = """UPDATE elder_card SET
  helped = CASE WHEN helped_since > $3 THEN helped + 1 ELSE 1 END,
  helped_since = CASE WHEN helped_since > $3 THEN helped_since ELSE $2 END
WHERE id = $1 RETURNING helped"""


async def lock_elder(tx: Tx, elder_id: UUID) -> None:
    await tx.run(LOCK_ELDER, elder_id)


async def add(tx: Tx, *values: Any) -> bool:
    """False when the number is taken."""
    return await tx.run(ADD, *values) == 1


async def revoke(tx: Tx, elder_id: UUID, now: datetime, actor: str, card_id: UUID | None = None) -> int:
    """End the elder's card, or only this one; how many lived."""
    return await tx.run(REVOKE, elder_id, now, actor, card_id)


async def of_elder(tx: Tx, elder_id: UUID) -> list[Any]:
    return await tx.fetch(OF_ELDER, elder_id)


async def scanned(tx: Tx, token_hash: bytes) -> Any:
    return await tx.fetchrow(SCANNED, token_hash)


async def helped(tx: Tx, card_id: UUID, now: datetime, an_hour_ago: datetime) -> int:
    """How often help was asked for by this card within the hour, this time included; one at a time."""
    return int(await tx.fetchval(HELPED, card_id, now, an_hour_ago))


async def was_card_of(tx: Tx, elder_id: UUID, token_hash: bytes, at: datetime) -> bool:
    """Was a card with this token the elder's at that time?"""
    return bool(await tx.fetchval(WAS_CARD_OF, elder_id, token_hash, at))
