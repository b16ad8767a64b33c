"""Makers for visits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from app.core import clock
from app.core.db import Tx
from app.core.http import Caller
from app.core.ids import new_id
from app.orders.models import CareOrder
from app.visits.schemas import EventResult, ProviderEvent
from app.visits.service import record
from tests.world.catalog import make_items
from tests.world.elders import make_elder
from tests.world.providers import make_caregiver, make_provider

_numbers = count(1)
HOME = {"lng": 102.19, "lat": 38.52, "crs": "wgs84", "accuracy_m": 20}


@dataclass(frozen=True)
class Assigned:
    """An order in a caregiver's hands, and the provider's app as a caller."""

    order_id: UUID
    elder_id: UUID
    provider_id: UUID
    caregiver_id: UUID
    at: datetime

    @property
    def app(self) -> Caller:
        return Caller(kind="provider", id=f"key-{self.provider_id}", name="app", provider_id=self.provider_id)

    def event(self, type: str, minutes: float, **overrides: Any) -> ProviderEvent:
        """What the caregiver's app reports `minutes` after the assignment, at the elder's door by default."""
        values: dict[str, Any] = {
            "event_id": f"e-{next(_numbers)}", "type": type, "order_id": self.order_id,
            "occurred_at": self.at + timedelta(minutes=minutes), "caregiver_id": self.caregiver_id,
            "location": HOME, "method": "gps", "evidence": [], **overrides,
        }  # fmt: skip
        return ProviderEvent(**values)

    async def report(self, tx: Tx, *events: ProviderEvent) -> list[EventResult]:
        return await record(tx, self.app, list(events))


async def make_assigned_order(
    tx: Tx,
    *,
    assigned_at: datetime | None = None,
    elder_id: UUID | None = None,
    provider_id: UUID | None = None,
    caregiver_id: UUID | None = None,
    **overrides: Any,
) -> Assigned:
    """An order that was assigned six hours ago and that nobody has visited yet, without dispatch's rows."""
    await make_items(tx)
    elder_id = elder_id or await make_elder(tx)
    provider_id = provider_id or await make_provider(tx)
    caregiver_id = caregiver_id or await make_caregiver(tx, provider_id)
    at = assigned_at or clock.now() - timedelta(hours=6)
    values = {
        "id": new_id(), "number": f"T{next(_numbers):07d}", "status": "assigned", "item_code": "clean_home",
        "elder_id": elder_id, "division_code": "620302001001", "urgency": "normal", "channel": "hotline",
        "wanted_from": at, "wanted_to": at + timedelta(hours=3), "minutes": 120, "price_fen": 7000, "copay_fen": 1400,
        "payers": [
            {"payer": "government", "scheme": "gov", "amount_fen": 5600, "reason": None},
            {"payer": "family", "scheme": None, "amount_fen": 1400, "reason": None},
        ],
        "provider_id": provider_id, "caregiver_id": caregiver_id, "assigned_at": at, "flags": [], "delivery": "fetched",
        "lng": 102.19, "lat": 38.52, "placed_by": "staff:operator-1", "placed_at": at, "updated_at": at, "version": 5,
    } | overrides  # fmt: skip
    await tx.execute(insert(CareOrder).values(**values))
    return Assigned(values["id"], elder_id, provider_id, caregiver_id, at)


async def make_visit(tx: Tx, *, minutes: int = 100, **overrides: Any) -> Assigned:
    """An order whose caregiver came, worked `minutes` and left; the order is completed."""
    made = await make_assigned_order(tx, **overrides)
    await made.report(tx, made.event("checked_in", 20), made.event("checked_out", 20 + minutes))
    return made
