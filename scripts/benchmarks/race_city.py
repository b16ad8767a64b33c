"""A small city where everybody is wanted at once: four companies of three caregivers, and every way of offering."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from sqlalchemy import insert

from app.catalog import service as catalog
from app.core import clock
from app.core.db import Database, Tx
from app.core.geo import Crs, Location
from app.core.http import SYSTEM
from app.core.ids import new_id
from app.dispatch import mode_rules
from app.dispatch.mode_rules import NewContract
from app.dispatch.modes import ANY, Mode
from app.elders import registration
from app.elders.facts import NewElder, NewPhone
from app.providers import credit_codes
from app.providers.models import Caregiver, CaregiverCertificate, CaregiverShift, Provider, ProviderArea, ProviderItem
from app.providers.service import PHONE, phone_index
from app.seeds.base import load_base

FIRST_DAY = datetime(2026, 3, 3, 0, 0, tzinfo=UTC)
"""08:00 in Shanghai; a race's slices follow each other day by day."""
DISTRICT, COMMUNITY = "620302", "620302001001"
SINGLE, PAIR = "clean_home", "bath_home"
COMPANIES, TEAM, ELDERS = 5, 4, 12


@dataclass(frozen=True)
class City:
    """Ids of who lives and works there; caregivers by company."""

    elders: list[UUID]
    teams: dict[UUID, list[UUID]]


async def build(database: Database) -> City:
    """Fill an empty, migrated database."""
    with clock.hold(FIRST_DAY):
        async with database.transaction() as tx:
            await load_base(tx)
            await catalog.load_demo_prices(tx, "620300", date(2020, 1, 1))
            companies = [await _company(tx, number) for number in range(COMPANIES)]
            for number in range(ELDERS):
                await _elder(tx, number)
            for urgency, mode, breadth in (("appointment", Mode.GRAB, 3), ("urgent", Mode.FIXED, None)):
                await mode_rules.add_rule(
                    tx, SYSTEM, division_code=DISTRICT, item_code=ANY, urgency=urgency, mode=mode, breadth=breadth,
                    valid_from=date(2026, 1, 1), reason="比赛",
                )  # fmt: skip
            fixed = NewContract(
                provider_id=companies[0], division_code=DISTRICT, item_code=ANY, scheme_code=ANY,
                contract_number="1", valid_from=date(2026, 1, 1), valid_to=None,
            )  # fmt: skip
            await mode_rules.add_contract(tx, SYSTEM, fixed)
    return await load(database)


async def load(database: Database) -> City:
    """The city of a database that has one."""
    async with database.statements() as tx:
        elders = [row["id"] for row in await tx.fetch("SELECT id FROM elder ORDER BY id")]
        teams: dict[UUID, list[UUID]] = {}
        for row in await tx.fetch("SELECT provider_id, id FROM caregiver ORDER BY id"):
            teams.setdefault(row["provider_id"], []).append(row["id"])
    return City(elders, teams)


async def _company(tx: Tx, number: int) -> UUID:
    now, provider_id = clock.now(), new_id()
    code = f"91620302MC{number:07d}"
    values = {
        "id": provider_id, "name": f"竞速企业 {number}", "uscc": code + credit_codes.check_character(code),
        "kind": "company", "status": "active", "phone": "+869358220001", "division_code": DISTRICT, "lng": 102.19,
        "lat": 38.52, "version": 1, "created_at": now, "updated_at": now,
    }  # fmt: skip
    await tx.execute(insert(Provider).values(**values))
    await tx.execute(insert(ProviderArea).values(provider_id=provider_id, division_code=DISTRICT))
    for item in (SINGLE, PAIR):
        await tx.execute(insert(ProviderItem).values(provider_id=provider_id, item_code=item))
    for member in range(TEAM):
        await _caregiver(tx, provider_id, number, member)
    return provider_id


async def _caregiver(tx: Tx, provider_id: UUID, number: int, member: int) -> None:
    caregiver_id, phone, now = new_id(), f"+86100992{number:02d}{member:03d}", clock.now()
    values = {
        "id": caregiver_id, "provider_id": provider_id, "name": f"竞速{number}-{member}", "sex": "female",
        "phone": tx.vault.seal(PHONE, caregiver_id, phone), "phone_index": phone_index(tx, phone),
        "home_lng": 102.17 + member / 500, "home_lat": 38.51 + number / 500, "division_code": DISTRICT,
        "travel_mode": "ebike", "status": "active", "created_at": now, "updated_at": now,
    }  # fmt: skip
    await tx.execute(insert(Caregiver).values(**values))
    held = {"caregiver_id": caregiver_id, "kind": "nursing_assistant", "valid_from": date(2020, 1, 1)}
    await tx.execute(insert(CaregiverCertificate).values(id=new_id(), **held))
    shifts = [
        {"caregiver_id": caregiver_id, "weekday": day, "starts_minute": 0, "ends_minute": 1440} for day in range(1, 8)
    ]
    await tx.execute(insert(CaregiverShift), shifts)


async def _elder(tx: Tx, number: int) -> None:
    place = Location(lng=102.17 + number / 1000, lat=38.51 + number / 1000, crs=Crs.WGS84)
    new = NewElder(
        name=f"竞速老人{number}",
        division_code=COMMUNITY,
        phones=(NewPhone(f"1009{number:07d}"),),
        address=f"竞速路 {number} 号",
        location=place,
    )
    await registration.register(tx, SYSTEM, new)
