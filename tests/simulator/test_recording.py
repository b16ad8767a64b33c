"""A day out of the database: complete, coarse, and nameless."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from app.core import clock
from app.core.db import Tx
from scripts.simulator import city as cities
from scripts.simulator.day import Day
from scripts.simulator.policy import load
from scripts.simulator.recording import Veil, city_of
from tests.world.elders import make_elder
from tests.world.orders import TUESDAY_TEN, make_order, make_town
from tests.world.providers import make_caregiver


async def test_a_recorded_day_can_be_lived_and_tells_nobody(tx: Tx, tmp_path: Path) -> None:
    with clock.hold(TUESDAY_TEN):
        town = await make_town(tx, providers=2, caregivers=2, home_lng=102.1834567, home_lat=38.5123456)
        noise = await make_caregiver(tx, town.providers[0], weekdays=(6,))
        orders = [
            await make_order(tx, await make_elder(tx), wanted_from=TUESDAY_TEN + timedelta(hours=h)) for h in (1, 2)
        ]
        await make_order(tx, town.elder, urgency="appointment", wanted_from=TUESDAY_TEN + timedelta(days=1))
        found = await city_of(await tx.raw(), clock.today(), Veil())
    assert len(found.carers) == 4
    assert len(found.wishes) == 2
    assert {wish.wanted_from for wish in found.wishes} == {11 * 3600, 12 * 3600}
    assert all(one.items >= {"clean_home"} for one in found.carers)
    assert {(one.shift_opens, one.shift_closes) for one in found.carers} == {(8 * 3600, 20 * 3600)}
    cities.save(found, tmp_path / "day.json")
    written = (tmp_path / "day.json").read_text()
    people = [*town.providers, *(c for team in town.caregivers for c in team), noise, town.elder]
    for real in [*people, *(order.id for order in orders), *(order.elder_id for order in orders)]:
        assert str(real) not in written
    for trace in ("102.1834", "38.5123", "王秀兰", orders[0].number):
        assert trace not in written
    told = Day(cities.load(tmp_path / "day.json"), load("ranked"), 1).run()
    assert told["served"] > 0
