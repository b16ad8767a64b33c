"""Makers for orders and the town they happen in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx
from app.core.http import SYSTEM, Caller
from app.matching import weights
from app.orders import defaults
from app.orders import service as orders
from app.orders.queries import OrderRow
from tests.world.catalog import make_items
from tests.world.elders import make_elder
from tests.world.providers import make_caregiver, make_provider

TUESDAY_TEN = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)
"""10:00 in Shanghai on a working Tuesday."""


@dataclass(frozen=True, slots=True)
class Town:
    """One elder, and providers with their caregivers, in the order made."""

    elder: UUID
    providers: list[UUID]
    caregivers: list[list[UUID]]


async def make_town(tx: Tx, *, providers: int = 2, caregivers: int = 2, **caregiver: Any) -> Town:
    """A district where `clean_home` can be ordered; rules and weights as shipped."""
    await defaults.load_default_rules(tx)
    await weights.load_shipped(tx)
    await make_items(tx)
    found = [await make_provider(tx) for _ in range(providers)]
    people = [[await make_caregiver(tx, provider, **caregiver) for _ in range(caregivers)] for provider in found]
    tx.cache.clear()
    return Town(await make_elder(tx), found, people)


async def make_order(tx: Tx, elder_id: UUID, *, caller: Caller = SYSTEM, **wanted: Any) -> OrderRow:
    """Place a normal order for home cleaning and return it as it stands after dispatch."""
    values = {"item_code": "clean_home", "urgency": "normal", "channel": "hotline", **wanted}
    placed = await orders.place(tx, caller, orders.NewOrder(elder_id=elder_id, **values))
    return await orders.get(tx, placed.id)


def provider_caller(provider_id: UUID) -> Caller:
    return Caller(kind="provider", id=str(provider_id), name="加盟企业", provider_id=provider_id)
