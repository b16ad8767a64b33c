"""Who shall not meet whom again, on anybody's word."""

from __future__ import annotations

from uuid import UUID

from app.core import clock
from app.core.db import Tx
from app.core.errors import Invalid
from app.core.http import Caller
from app.matching import queries_blocked_pairs as queries


async def block(tx: Tx, caller: Caller, elder_id: UUID, caregiver_id: UUID, reason: str) -> None:
    """These two shall not meet again. Raises Invalid for an unknown person."""
    if not reason.strip():
        raise Invalid("reason_missing", field="reason")
    await queries.block(tx, elder_id, caregiver_id, caller.actor, reason, clock.now())
