"""What other rooms find out about an order, for its history and every snapshot of it: none of it moves the order."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict
from app.orders import queries
from app.orders.events import OrdersTouched
from app.orders.lifecycle import Delivery, Outcome
from app.orders.queries import OrderRow


async def keep(
    tx: Tx, order: OrderRow, *, actor: str, reason: str, facts: dict[str, Any], delivery: str | None = None
) -> OrderRow:
    """Keep in a locked order's history what did not move it: one of several offers was refused, say."""
    noted = await queries.note(tx, order, clock.now(), delivery or order.delivery, actor, reason, facts)
    await _touched(tx, order.id)
    return noted


async def correct_end(
    tx: Tx,
    order: OrderRow,
    *,
    actor: str,
    outcome: Outcome,
    outcome_reason: str | None,
    completed_at: datetime,
    visit: dict[str, Any],
) -> OrderRow:
    """Set right what came of a locked, completed order when the visit turns out to have ended otherwise.

    The status stays; history keeps what was believed before. Raises Conflict for an order that is not completed.
    """
    if order.completed_at is None:
        raise Conflict("order_state", "only a completed order has an end to correct", status=order.status)
    before = {"outcome": order.outcome, "completed_at": order.completed_at.isoformat()}
    return await queries.correct_end(
        tx, order, clock.now(), actor=actor, outcome=outcome.value, outcome_reason=outcome_reason,
        completed_at=completed_at, visit=visit, facts={"believed_before": before},
    )  # fmt: skip


async def meet_deadline(tx: Tx, order_id: UUID, name: str, at: datetime) -> None:
    """A clock of the order stops, unless it has before."""
    await queries.meet_deadline(tx, order_id, name, at)
    await _touched(tx, order_id)


async def keep_delivery(tx: Tx, order_ids: list[UUID], delivery: Delivery, before: list[str]) -> None:
    """How far the offers of these orders have come; only from one of the states `before`."""
    await queries.note_delivery(tx, order_ids, delivery, before)
    await _touched(tx, *order_ids)


async def keep_visit(tx: Tx, order_id: UUID, visit: dict[str, Any]) -> None:
    """Keep the visit's summary on the order, so that every snapshot has it."""
    await queries.note_visit(tx, order_id, visit, clock.now())


async def keep_rating(tx: Tx, order_id: UUID, score: int) -> None:
    """Keep the rating that counts on the order."""
    await queries.note_rating(tx, order_id, score, clock.now())


async def _touched(tx: Tx, *order_ids: UUID) -> None:
    await tx.publish(OrdersTouched(order_ids=order_ids, at=clock.now()))
