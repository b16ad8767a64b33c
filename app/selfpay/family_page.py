"""An order as its family sees it, with what is paid of their part and what is left to pay."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.core.db import Tx
from app.core.errors import NotFound
from app.followup import family
from app.followup.schemas import FamilyOrder
from app.selfpay import queries


class FamilyOrderView(FamilyOrder):
    """`paid_fen`: what came in online; `due_fen`: what is left of the family's part, to be paid online or at the door.
    Both null where the elder does not let the costs be seen."""

    paid_fen: int | None = None
    due_fen: int | None = None


async def page(tx: Tx, order_id: UUID) -> FamilyOrderView:
    """Raises NotFound."""
    found = await pages(tx, [order_id])
    if not found:
        raise NotFound("order_not_found")
    return found[order_id]


async def pages(tx: Tx, order_ids: Sequence[UUID]) -> dict[UUID, FamilyOrderView]:
    """In the order asked for; unknown ids are left out."""
    orders = await family.pages(tx, order_ids)
    paid = await queries.paid(tx, list(orders))
    return {order_id: _with_payment(order, paid.get(order_id, 0)) for order_id, order in orders.items()}


def due_fen(copay_fen: int, paid_fen: int, stage: str) -> int:
    """Nothing is owed for a visit that was called off or did not happen, and never less than nothing."""
    return 0 if stage in {"cancelled", "not_done"} else max(0, copay_fen - paid_fen)


def _with_payment(order: FamilyOrder, paid_fen: int) -> FamilyOrderView:
    shown = {name: getattr(order, name) for name in FamilyOrder.model_fields}
    if order.copay_fen is None:
        return FamilyOrderView.model_construct(**shown)
    left = due_fen(order.copay_fen, paid_fen, order.stage)
    return FamilyOrderView.model_construct(**shown, paid_fen=paid_fen, due_fen=left)
