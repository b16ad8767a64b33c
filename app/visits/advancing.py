"""How the order follows its visit: into service, to its end, and, if the story changes later, to the right end."""

from __future__ import annotations

from typing import Any

from app.core.db import Tx
from app.orders import notes
from app.orders import service as orders
from app.orders.lifecycle import Outcome, Status, blocking_flag
from app.orders.queries import OrderRow
from app.providers import service as providers
from app.visits.events import ServiceCompleted
from app.visits.journal import Entry, Journal, VisitStatus
from app.visits.projection import summary

OVER = {VisitStatus.ENDED: Outcome.DONE, VisitStatus.FAILED: Outcome.NOT_DONE}


async def follow(tx: Tx, order: OrderRow, journal: Journal, row: dict[str, Any], *, actor: str) -> None:
    """Move a locked order as far as the journal says; never back, and never past a flag that holds it."""
    told = summary(row)
    status = Status(order.status)
    if status in {Status.ASSIGNED, Status.IN_SERVICE} and not blocking_flag(order.flags, Status.IN_SERVICE):
        if journal.status in OVER:
            await _complete(tx, order, journal, row, told, actor)
            return
        if status is Status.ASSIGNED and journal.begin is not None:
            await _begin(tx, order, journal.begin, told, actor)
            return
    if status in {Status.COMPLETED, Status.CLOSED} and journal.status in OVER:
        await _correct(tx, order, journal, told, actor)
    elif told != order.visit and (order.visit is not None or journal.status is not VisitStatus.EXPECTED):
        await notes.keep_visit(tx, order.id, told)


async def _begin(tx: Tx, order: OrderRow, begin: Entry, told: dict[str, Any], actor: str) -> OrderRow:
    return await orders.advance(tx, order, Status.IN_SERVICE, actor=actor, at=begin.occurred_at, visit=told)


async def _complete(
    tx: Tx, order: OrderRow, journal: Journal, row: dict[str, Any], told: dict[str, Any], actor: str
) -> None:
    if Status(order.status) is Status.ASSIGNED and journal.begin is not None:
        order = await _begin(tx, order, journal.begin, told, actor)
    outcome, last = OVER[journal.status], _last(journal)
    reason = row["failure_reason"] if outcome is Outcome.NOT_DONE else None
    await orders.advance(
        tx, order, Status.COMPLETED, actor=actor, reason=reason, at=last.occurred_at,
        outcome=outcome.value, outcome_reason=reason, visit=told,
    )  # fmt: skip
    assert order.provider_id is not None and order.caregiver_id is not None  # noqa: S101, PT018 (CHECK of care_order)
    if outcome is Outcome.DONE:
        await providers.record_completion(tx, order.provider_id, order.caregiver_id, order.elder_id, last.occurred_at)
    completed = ServiceCompleted(
        order_id=order.id, provider_id=order.provider_id, caregiver_id=order.caregiver_id,
        elder_id=order.elder_id, division_code=order.division_code, urgency=order.urgency,
        outcome=outcome.value, minutes=row["minutes"], verification=row["verification"], at=last.occurred_at,
    )  # fmt: skip
    await tx.publish(completed)


async def _correct(tx: Tx, order: OrderRow, journal: Journal, told: dict[str, Any], actor: str) -> None:
    """An event that happened before the end came after it. The order ends as if it had come in time."""
    outcome, last = OVER[journal.status], _last(journal)
    reason = told["failure_reason"] if outcome is Outcome.NOT_DONE else None
    if (order.outcome, order.outcome_reason, order.completed_at) != (outcome.value, reason, last.occurred_at):
        await notes.correct_end(
            tx, order, actor=actor, outcome=outcome, outcome_reason=reason, completed_at=last.occurred_at, visit=told
        )
    elif told != order.visit:
        await notes.keep_visit(tx, order.id, told)


def _last(journal: Journal) -> Entry:
    last = journal.end or journal.failure
    assert last is not None  # noqa: S101 (a visit that is over has an end or a failure)
    return last
