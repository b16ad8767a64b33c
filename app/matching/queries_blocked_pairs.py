"""The SQL of pairs that shall not meet."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from app.core.db import Tx

BLOCK = """INSERT INTO blocked_pair (elder_id, caregiver_id, asked_by, reason, since) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (elder_id, caregiver_id) DO UPDATE SET reason = excluded.reason, asked_by = excluded.asked_by"""


async def block(tx: Tx, elder_id: UUID, caregiver_id: UUID, actor: str, reason: str, at: datetime) -> None:
    await tx.run(BLOCK, elder_id, caregiver_id, actor, reason, at)
