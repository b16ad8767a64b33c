"""Devices that fall silent are missed once, and come back; a low battery is told once, too."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import httpx

from app.core import clock
from app.core.db import Database, Tx
from app.core.http import SYSTEM
from app.elders import devices
from app.jobs import feed
from app.jobs.feed import Position
from tests.world.accounts import staff_headers
from tests.world.elders import make_elder
from tests.world.orders import TUESDAY_TEN

NUMBER = "860000000000015"


async def bound(tx: Tx, kind: str = "watch", silent_after_s: int | None = None, number: str = NUMBER) -> UUID:
    return await devices.bind(tx, SYSTEM, await make_elder(tx), "v", number, kind, None, silent_after_s)


async def alive(tx: Tx, at: datetime, battery: int | None = None) -> int:
    with clock.hold(at):
        return await devices.alive(tx, "v", [(NUMBER, battery)])


async def sweep(database: Database, at: datetime) -> list[str]:
    """What the desk has been told by now, after a sweep at this moment."""
    with clock.hold(at):
        async with database.transaction() as tx:
            await devices.miss_silent(tx)
    async with database.transaction() as tx:
        return [entry["type"] for entry in await feed.read(tx, "desk", Position(), 50)]


def after(**span: float) -> datetime:
    return TUESDAY_TEN + timedelta(**span)


async def test_a_watch_is_missed_after_half_an_hour_once_and_comes_back(clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        await bound(tx)
        assert await alive(tx, TUESDAY_TEN) == 1
        # Heard again before a quarter of the time was gone: that counts, though nothing was moved for it.
        assert await alive(tx, after(minutes=5)) == 1
    assert await sweep(clean_database, after(minutes=34)) == []
    assert await sweep(clean_database, after(minutes=35)) == ["device.offline"]
    assert await sweep(clean_database, after(hours=9)) == ["device.offline"]
    async with clean_database.transaction() as tx:
        await alive(tx, after(hours=10))
    assert await sweep(clean_database, after(hours=10)) == ["device.offline", "device.back"]
    assert await sweep(clean_database, after(hours=10, minutes=30)) == [
        "device.offline",
        "device.back",
        "device.offline",
    ]


async def test_who_never_sent_a_sign_of_life_and_who_is_unbound_is_not_missed(clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        await bound(tx)
        with clock.hold(TUESDAY_TEN):
            assert await devices.heard(tx, "v", NUMBER, 80) is not None
        gone = await bound(tx, number="2")
        with clock.hold(TUESDAY_TEN):
            assert await devices.alive(tx, "v", [("2", None), ("nobody", None), ("2", None)]) == 1
        await tx.run("UPDATE elder_device SET unbound_at = $2 WHERE id = $1", gone, TUESDAY_TEN)
    assert await sweep(clean_database, after(days=30)) == []


async def test_its_own_time_or_that_of_its_kind(clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        await bound(tx, "button", silent_after_s=120)
        await alive(tx, TUESDAY_TEN)
    assert await sweep(clean_database, after(seconds=119)) == []
    assert await sweep(clean_database, after(seconds=120)) == ["device.offline"]


async def test_a_low_battery_is_told_once_until_it_was_good_again(clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        await bound(tx)
        for minute, battery in enumerate((60, 15, 14, 20, 16, None, 25, 12)):
            await alive(tx, after(minutes=minute), battery)
    assert await sweep(clean_database, after(minutes=8)) == ["device.low_battery", "device.low_battery"]


async def test_the_desk_sees_what_is_wanting_in_its_district(api: httpx.AsyncClient, clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        made = await bound(tx)
        await bound(tx, number="fine")
        await alive(tx, TUESDAY_TEN, 9)
    await sweep(clean_database, after(hours=1))
    seen = await api.get("/v1/devices/wanting", headers=await staff_headers(clean_database))
    (one,) = seen.json()["items"]
    assert (one["id"], one["battery"]) == (str(made), 9)
    assert one["offline_at"]
    assert one["low_battery_at"]
    elsewhere = await api.get("/v1/devices/wanting", headers=await staff_headers(clean_database, divisions=("620321",)))
    assert elsewhere.json()["items"] == []


async def test_the_sweep_reads_only_whom_it_may_miss(clean_database: Database) -> None:
    """However many devices there are: the plan goes by the index of those that may be silent."""
    async with clean_database.transaction() as tx:
        await bound(tx)
        await tx.run("SET LOCAL enable_seqscan = off")
        plan = await tx.fetch(
            """EXPLAIN SELECT id FROM elder_device WHERE unbound_at IS NULL AND offline_at IS NULL
            AND silent_at <= now() ORDER BY silent_at LIMIT 200"""
        )
    assert any("ix_elder_device_silent" in row[0] for row in plan)
