"""Makers for settlement: contracts, and orders that have been served, proven and followed up.

The rows of lower rooms are written directly: a month of finished orders needs no calls and no caregivers' apps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from app.benefits import service as benefits
from app.benefits.service import Part, Split
from app.core.db import Tx
from app.core.http import SYSTEM, Caller
from app.core.ids import new_id
from app.orders.models import CareOrder, OrderDeadline
from app.settlement import agreements
from app.settlement.contracts import Band, LatePenalty, Terms
from app.visits.models import Visit
from tests.world.benefits import make_entitlement, make_scheme
from tests.world.catalog import make_items
from tests.world.elders import make_elder
from tests.world.providers import make_provider

SEPTEMBER_TENTH = datetime(2025, 9, 10, 4, 0, tzinfo=UTC)
"""Noon in Shanghai."""

_numbers = count(1)

TERMS = Terms(
    contract_id=UUID(int=0),
    division_code="620300",
    bands=(Band(1, 7_000), Band(3, 9_000), Band(4, 10_000)),
    unrated_bp=10_000,
    late=(LatePenalty(30, 500),),
    complaint_bp=2_000,
    partly_visit_bp=5_000,
    holdback_bp=500,
    confirm_days=7,
)


def clerk(name: str = "clerk-1", *divisions: str) -> Caller:
    """A member of staff at the settlement desk, for the whole city unless said otherwise."""
    return Caller(kind="staff", id=name, name=name, roles=frozenset({"settlement_clerk"}),
                  divisions=divisions or ("620300",))  # fmt: skip


async def make_contract(tx: Tx, provider_id: UUID, **terms: Any) -> UUID:
    """Terms for the whole city since 2020; returns the contract's id."""
    made = replace(TERMS, **({"contract_id": new_id()} | terms))
    return await agreements.add_contract(tx, SYSTEM, provider_id, made, date(2020, 1, 1))


@dataclass(frozen=True, slots=True)
class Market:
    """A provider under contract and an elder whose home cleaning the government pays at 80 %."""

    provider_id: UUID
    elder_id: UUID
    scheme_id: UUID
    scheme_code: str
    entitlement_id: UUID
    price_version_id: UUID
    contract_id: UUID


async def make_market(tx: Tx, *, terms: dict[str, Any] | None = None, monthly_quota_fen: int = 10**9) -> Market:
    await make_items(tx)
    provider_id, elder_id = await make_provider(tx), await make_elder(tx)
    scheme_id = await make_scheme(tx)
    code = await tx.fetchval("SELECT code FROM scheme WHERE id = $1", scheme_id)
    entitlement = await make_entitlement(tx, elder_id, scheme_id, monthly_quota_fen=monthly_quota_fen)
    price = await tx.fetchval("SELECT id FROM price_version WHERE item_code = 'clean_home'")
    contract = await make_contract(tx, provider_id, **(terms or {}))
    return Market(provider_id, elder_id, scheme_id, code, entitlement, price, contract)


async def make_served_order(
    tx: Tx,
    market: Market,
    *,
    completed_at: datetime = SEPTEMBER_TENTH,
    minutes: int = 120,
    planned: int = 120,
    price_fen: int = 7_000,
    agency_fen: int = 5_600,
    verification: str = "verified",
    late_minutes: int = 0,
    visited: bool = True,
    **overrides: Any,
) -> UUID:
    """A closed order, its verified visit and its reserved quota; returns the order's id."""
    began = completed_at - timedelta(minutes=minutes)
    payers = [
        {"payer": "government", "scheme": market.scheme_code, "amount_fen": agency_fen, "reason": None},
        {"payer": "family", "scheme": None, "amount_fen": price_fen - agency_fen, "reason": None},
    ]
    values = {
        "id": new_id(), "number": f"S{next(_numbers):07d}", "status": "closed", "outcome": "done",
        "item_code": "clean_home", "elder_id": market.elder_id, "division_code": "620302001001", "urgency": "normal",
        "channel": "hotline", "wanted_from": began, "minutes": planned, "price_fen": price_fen,
        "price_version_id": market.price_version_id, "payers": payers, "copay_fen": price_fen - agency_fen,
        "provider_id": market.provider_id, "flags": [], "delivery": "fetched", "placed_by": "staff:operator-1",
        "placed_at": began, "completed_at": completed_at, "updated_at": completed_at, "version": 7,
    } | overrides  # fmt: skip
    await tx.execute(insert(CareOrder).values(**values))
    order_id: UUID = values["id"]
    due = began - timedelta(minutes=late_minutes)
    await tx.execute(insert(OrderDeadline).values(order_id=order_id, name="arrive", due_at=due))
    if visited:
        visit = {
            "order_id": order_id, "item_code": "clean_home", "elder_id": market.elder_id,
            "provider_id": values["provider_id"], "division_code": values["division_code"], "status": "ended",
            "arrived_at": began, "began_at": began, "begin_place": "inside", "ended_at": completed_at,
            "end_place": "inside", "minutes": minutes, "manual": False, "hazards": [], "evidence": [],
            "verification": verification, "reasons": [], "version": 3, "updated_at": completed_at,
        }  # fmt: skip
        await tx.execute(insert(Visit).values(**visit))
    if agency_fen:
        part = Part("government", market.scheme_id, market.scheme_code, agency_fen, "", market.entitlement_id)
        day = (completed_at + timedelta(hours=8)).date()
        await benefits.reserve(tx, order_id, Split((part,), price_fen - agency_fen, None, ()), day)
    return order_id
