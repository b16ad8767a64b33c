"""The SQL of decisions: kept where nobody is asked, and read.

One that asks somebody is kept by the statement that makes the offer, so that neither is there without the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx
from app.core.json import dumps

DECIDE = """INSERT INTO decision (id, order_id, mode, mode_version, made_by, reason, weights_version, starts_at,
  excluded, funnel, ranked, made_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '[]', $11)"""

DECISIONS = """SELECT id, mode, mode_version, made_by, reason, weights_version, starts_at, excluded, funnel, ranked,
  chosen_caregiver_id, chosen_second_id, chosen_provider_id, made_at
FROM decision WHERE order_id = $1 ORDER BY made_at, id"""
DECISION = """SELECT id, order_id, weights_version, starts_at, funnel, ranked, chosen_caregiver_id, made_at
FROM decision WHERE id = $1"""
CAREGIVER_NAMES = """SELECT c.id, c.name, p.name AS provider FROM caregiver c JOIN provider p ON p.id = c.provider_id
WHERE c.id = ANY($1::uuid[])"""


async def decide(tx: Tx, values: Sequence[Any], funnel: Any, at: datetime) -> None:
    """Keep the decision that nobody is left."""
    await tx.run(DECIDE, *values, dumps(funnel), at)


async def decisions(tx: Tx, order_id: UUID) -> list[Any]:
    return await tx.fetch(DECISIONS, order_id)


async def decision(tx: Tx, decision_id: UUID) -> Any:
    return await tx.fetchrow(DECISION, decision_id)


async def names(tx: Tx, caregiver_ids: list[UUID]) -> dict[UUID, tuple[str, str]]:
    """Caregivers' and their providers' names."""
    return {row["id"]: (row["name"], row["provider"]) for row in await tx.fetch(CAREGIVER_NAMES, caregiver_ids)}
