"""A small town for the service that will be killed: dense enough that caregivers, quotas and offers are fought over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import insert

from app.core.db import Database, Tx
from app.core.geo import Crs, Location
from app.elders.facts import NewFamilyMember
from app.orders.models import DeadlineRule
from tests.world.accounts import make_app_key, staff_token
from tests.world.benefits import make_entitlement, make_scheme
from tests.world.catalog import make_items
from tests.world.elders import DIVISION, make_elder
from tests.world.providers import make_caregiver, make_provider
from tests.world.settlement import make_contract

ITEM = "meal_delivery"
PLACE = Location(lng=102.19, lat=38.52, crs=Crs.WGS84)
QUOTA_FEN = 2_000
"""A month of it pays for a handful of meals, so that the last ones are fought over."""


@dataclass(frozen=True)
class Provider:
    """A provider's system: its key and secret, and whom it can send."""

    id: UUID
    key: str
    secret: str


@dataclass(frozen=True)
class Town:
    elders: Sequence[UUID]
    providers: Sequence[Provider]
    desk: str
    clerk: str


async def build(database: Database, *, elders: int = 24, providers: int = 4, team: int = 8) -> Town:
    """Elders with a monthly quota and a relative to be told, providers with teams on duty around the clock."""
    async with database.transaction() as tx:
        await make_items(tx)
        await _impatient(tx)
        scheme = await make_scheme(tx, item_codes=(ITEM,))
        people = []
        for number in range(elders):
            relative = NewFamilyMember("曾小明", "child", f"1360935{number:04d}", approved=True)
            people.append(await make_elder(tx, name=f"曾德{number}", location=PLACE, family=(relative,)))
            await make_entitlement(tx, people[-1], scheme, monthly_quota_fen=QUOTA_FEN)
        systems = [await _provider(tx, team) for _ in range(providers)]
    desk = await staff_token(database, ("operator", "supervisor"))
    clerk = await staff_token(database, ("settlement_clerk",))
    return Town(people, systems, desk, clerk)


async def _provider(tx: Tx, team: int) -> Provider:
    provider = await make_provider(tx, items=(ITEM,))
    await make_contract(tx, provider)
    for _ in range(team):
        await make_caregiver(tx, provider, hours=(0, 24))
    return Provider(provider, *await make_app_key(tx, provider_id=provider))


async def _impatient(tx: Tx) -> None:
    """Urgent offers expire at once: closing them and going on to the next provider is the worker's."""
    rule = {"division_code": DIVISION, "urgency": "urgent", "name": "accept", "valid_from": date(2020, 1, 1),
            "minutes": 0, "from_window": False}  # fmt: skip
    await tx.execute(insert(DeadlineRule).values(**rule))
