"""What people see and decide about payments."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.accounts import audit, scope
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict, Forbidden, NotFound
from app.core.http import Caller
from app.followup import family
from app.orders import service as orders
from app.selfpay import queries
from app.selfpay.lifecycle import Status, may_move


async def check_costs_shown(tx: Tx, order_id: UUID) -> None:
    """Raises Forbidden when the elder does not let the family's page show what the order costs."""
    if "costs" in (await family.page(tx, order_id)).withheld:
        raise Forbidden("costs_withheld", "the elder has not agreed to show the costs here")


async def review(tx: Tx, caller: Caller, payment_id: UUID, outcome: str, reason: str) -> Any:
    """A person has looked: the money is rightly here, or was given back.

    Raises NotFound, and Conflict when there is nothing to decide or no money to give back.
    """
    found = await queries.payment(tx, payment_id)
    if found is None:
        raise NotFound("payment_not_found")
    order = await orders.locked(tx, found["order_id"])
    scope.see(caller, order.division_code)
    row = await queries.lock(tx, payment_id)
    before = Status(row["status"])
    after = Status.REFUND_NOTED if outcome == "refunded" else before
    if after is not before and not may_move(before, after):
        raise Conflict("nothing_to_refund", "no money of this payment is here", status=before)
    if after is before and (row["needs_review"] is None or row["reviewed_at"] is not None):
        raise Conflict("nothing_to_review", "nobody has to look at this payment", status=before)
    await audit.record(tx, caller, f"payment.{outcome}", "payment", payment_id, ("status",), reason)
    return await queries.review(tx, payment_id, after, caller.actor, clock.now(), reason)
