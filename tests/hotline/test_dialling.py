"""Click-to-call: taken once, never late."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import httpx

from app.calls import service as calls
from app.core import clock
from app.core.db import Database
from app.hotline import dialling
from tests.calls.test_record import ABANDONED_CALL
from tests.calls.test_service import reported
from tests.intake.conftest import Headers
from tests.world.elders import make_elder


async def callback(database: Database) -> str:
    async with database.transaction() as tx:
        await calls.record(tx, reported(ABANDONED_CALL))
        return str(await tx.fetchval("SELECT id FROM callback_task"))


async def ask(doors: httpx.AsyncClient, operator: Headers, about: str, about_id: str) -> httpx.Response:
    return await doors.post("/v1/dials", json={"about": about, "about_id": about_id}, headers=operator())


async def test_a_request_is_given_away_once_and_settled_once(
    doors: httpx.AsyncClient, operator: Headers, clean_database: Database
) -> None:
    task = await callback(clean_database)
    assert (await ask(doors, operator, "callback_task", task)).json()["code"] == "not_at_a_telephone"
    await doors.put("/v1/desk/presence", json={"extension": "8001"}, headers=operator())
    made = (await ask(doors, operator, "callback_task", task)).json()
    assert made["status"] == "requested"
    assert "number" not in made
    taken = await asyncio.gather(*(dialling.take(clean_database, 0) for _ in range(5)))
    [one] = [dial for batch in taken for dial in batch]
    assert (one.extension, one.number[:3]) == ("8001", "+86")
    async with clean_database.transaction() as tx:
        await dialling.settle(tx, one.id, "failed", "USER_NOT_REGISTERED")
    async with clean_database.transaction() as tx:
        again = await dialling.settle(tx, one.id, "failed", None)
    assert (again.status, again.cause) == ("failed", "USER_NOT_REGISTERED")
    assert (await doors.get(f"/v1/dials/{one.id}", headers=operator())).json()["status"] == "failed"


async def test_a_waiting_bridge_hears_of_it_at_once(
    doors: httpx.AsyncClient, operator: Headers, clean_database: Database
) -> None:
    async with clean_database.transaction() as tx:
        elder = await make_elder(tx)
    await doors.put("/v1/desk/presence", json={"extension": "8001"}, headers=operator())
    waiting = asyncio.create_task(dialling.take(clean_database, 5))
    await asyncio.sleep(0.1)
    assert (await ask(doors, operator, "elder", str(elder))).status_code == 201
    async with asyncio.timeout(2):
        assert len(await waiting) == 1


async def test_nothing_is_dialled_late(doors: httpx.AsyncClient, operator: Headers, clean_database: Database) -> None:
    task = await callback(clean_database)
    await doors.put("/v1/desk/presence", json={"extension": "8001"}, headers=operator())
    made = (await ask(doors, operator, "callback_task", task)).json()
    with clock.hold(clock.now() + timedelta(seconds=30)):
        assert await dialling.take(clean_database, 0) == []
    assert (await doors.get(f"/v1/dials/{made['id']}", headers=operator())).json()["status"] == "expired"


async def test_a_bridge_that_is_not_heard_of_again_leaves_nobody_waiting(
    doors: httpx.AsyncClient, operator: Headers, clean_database: Database
) -> None:
    task = await callback(clean_database)
    await doors.put("/v1/desk/presence", json={"extension": "8001"}, headers=operator())
    made = (await ask(doors, operator, "callback_task", task)).json()
    assert len(await dialling.take(clean_database, 0)) == 1
    with clock.hold(clock.now() + timedelta(minutes=2)):
        assert await dialling.take(clean_database, 0) == []
    silent = (await doors.get(f"/v1/dials/{made['id']}", headers=operator())).json()
    assert (silent["status"], silent["cause"]) == ("failed", "no_word")
    async with clean_database.transaction() as tx:
        late = await dialling.settle(tx, UUID(made["id"]), "started", None)
    assert late.status == "started", "a late word is better than none"
