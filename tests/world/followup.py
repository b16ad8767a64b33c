"""Makers for follow-up."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.core import clock
from app.core.db import Tx
from app.followup import service
from app.visits.events import ServiceCompleted
from tests.world.visits import Assigned, make_visit


async def followup_id_of(tx: Tx, order_id: UUID) -> UUID:
    found: UUID = await tx.fetchval("SELECT id FROM followup WHERE order_id = $1", order_id)
    return found


async def make_followup(tx: Tx, **overrides: Any) -> Assigned:
    """A finished visit with its follow-up planned; the elder's first one with the provider, hence always called."""
    made = await make_visit(tx, **overrides)
    await plan(tx, made)
    return made


async def plan(tx: Tx, made: Assigned, **overrides: Any) -> None:
    """Plan the follow-up as if the visit had just ended; for a database without hearers it is the only plan."""
    facts: dict[str, Any] = {
        "order_id": made.order_id, "provider_id": made.provider_id, "caregiver_id": made.caregiver_id,
        "elder_id": made.elder_id, "division_code": "620302001001", "urgency": "normal", "outcome": "done",
        "minutes": 100, "verification": "verified", "at": clock.now(), **overrides,
    }  # fmt: skip
    await service.plan(tx, ServiceCompleted(**facts))
