"""Devices through the API: one elder at a time, kept in the past, and nobody else's business."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from app.core import clock
from app.core.db import Database
from app.core.http import SYSTEM
from app.elders import devices
from tests.elders.test_doors import keyed
from tests.world import World
from tests.world.elders import make_elder

BUTTON = {"vendor": "aiqiangua", "number": "860000000000015", "kind": "button", "place": "卧室床头"}


@pytest.fixture
async def operator(database: Database, world: World) -> dict[str, str]:
    return {"Authorization": f"Bearer {await world.staff_token(database)}"}


@pytest.fixture
async def elders(database: Database) -> list[UUID]:
    async with database.transaction() as tx:
        return [await make_elder(tx), await make_elder(tx, name="王秀兰")]


async def test_a_device_is_bound_to_one_elder_at_a_time(
    api: httpx.AsyncClient,
    operator: dict[str, str],
    elders: list[UUID],
) -> None:
    first, second = (f"/v1/elders/{elder}/devices" for elder in elders)
    body = BUTTON | {"number": str(uuid4())}
    bound = await api.post(first, json=body, headers=keyed(operator))
    assert bound.status_code == 201, bound.text
    again = await api.post(first, json=body, headers=keyed(operator))
    assert again.json() == bound.json()
    refused = await api.post(second, json=body, headers=keyed(operator))
    assert (refused.status_code, refused.json()["code"]) == (409, "device_bound")
    (device,) = bound.json()["items"]
    wrong = await api.post(f"{second}/{device['id']}/unbinding", json={}, headers=keyed(operator))
    assert wrong.status_code == 404
    past = await api.post(f"{first}/{device['id']}/unbinding", json={}, headers=keyed(operator))
    assert past.json()["items"][0]["unbound_at"]
    assert (await api.post(second, json=body, headers=keyed(operator))).status_code == 201
    assert len((await api.get(first, headers=operator)).json()["items"]) == 1


async def test_two_desks_at_once_do_not_bind_it_twice(
    api: httpx.AsyncClient,
    operator: dict[str, str],
    elders: list[UUID],
    database: Database,
) -> None:
    body = BUTTON | {"number": str(uuid4())}
    answers = await asyncio.gather(
        *(api.post(f"/v1/elders/{elder}/devices", json=body, headers=keyed(operator)) for elder in elders * 3)
    )
    assert {answer.status_code for answer in answers} == {201, 409}
    async with database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM elder_device WHERE number = $1", body["number"]) == 1


async def test_another_district_sees_no_devices(
    api: httpx.AsyncClient, database: Database, world: World, elders: list[UUID]
) -> None:
    token = await world.staff_token(database, divisions=("620321",))
    answer = await api.get(f"/v1/elders/{elders[0]}/devices", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 404


@pytest.mark.parametrize("change", [{"vendor": "Not A Vendor"}, {"number": ""}, {"kind": "toaster"}, {"extra": 1}])
async def test_what_is_no_device(
    api: httpx.AsyncClient,
    operator: dict[str, str],
    elders: list[UUID],
    change: dict[str, Any],
) -> None:
    answer = await api.post(f"/v1/elders/{elders[0]}/devices", json=BUTTON | change, headers=keyed(operator))
    assert answer.status_code == 422


async def test_a_sign_of_life_is_kept_and_time_does_not_go_back(database: Database, elders: list[UUID]) -> None:
    number, now = str(uuid4()), clock.now()
    async with database.transaction() as tx:
        await devices.bind(tx, SYSTEM, elders[0], "aiqiangua", number, "watch", None)
        assert await devices.heard(tx, "aiqiangua", number, 80) == devices.Bound(elders[0], None)
        with clock.hold(now - timedelta(hours=1)):
            await devices.heard(tx, "aiqiangua", number, None)
        assert await devices.heard(tx, "another", number, 1) is None
        row = await tx.fetchrow("SELECT seen_at, battery FROM elder_device WHERE number = $1", number)
    assert row["battery"] == 80
    assert row["seen_at"] >= now
