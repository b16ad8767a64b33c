"""Caregivers sign in on their own phone."""

from __future__ import annotations

import httpx
import pytest

from app.core.db import Database
from app.core.json import loads
from tests.world import World
from tests.world.phones import Phone

NUMBER = "+8610099000001"


async def code_of(api: httpx.AsyncClient, database: Database, number: str = NUMBER) -> str:
    asked = await api.post("/v1/caregiver/sessions/codes", json={"phone": number})
    assert (asked.status_code, asked.json()) == (202, {"expires_in_s": 300})
    async with database.transaction() as tx:
        row = await tx.fetchrow("SELECT id, params FROM outgoing_message ORDER BY id DESC LIMIT 1")
        return (
            ""
            if row is None
            else str(loads(tx.vault.open("outgoing_message.params", row["id"], row["params"]))["code"])
        )


async def test_a_new_phone_ends_the_session_of_the_old_one(
    api: httpx.AsyncClient, database: Database, world: World
) -> None:
    async with database.transaction() as tx:
        caregiver = await world.caregiver(tx, phone=NUMBER)
    phones = [Phone(), Phone()]
    for phone in phones:
        async with database.transaction() as tx:
            await tx.run("UPDATE one_time_code SET created_at = created_at - interval '2 minutes'")
        body = {"phone": NUMBER, "code": await code_of(api, database), "device_key": phone.public_key}
        answer = await api.post("/v1/caregiver/sessions", json=body)
        assert answer.status_code == 201, answer.text
        assert answer.json()["caregiver"]["caregiver_id"] == str(caregiver)
        phone.token = answer.json()["token"]
    statuses = [(await phone.get(api, "/v1/caregiver/visits")).status_code for phone in phones]
    assert statuses == [401, 200]


async def test_nobodys_phone_gets_no_code_and_nobody_can_tell(
    api: httpx.AsyncClient, database: Database, world: World
) -> None:
    async with database.transaction() as tx:
        await world.caregiver(tx, phone=NUMBER, status="inactive")
    assert await code_of(api, database) == ""
    refused = await api.post("/v1/caregiver/sessions", json={"phone": NUMBER, "code": "123456"})
    assert (refused.status_code, refused.json()["code"]) == (401, "code_wrong")


@pytest.mark.parametrize("key", ["", "x", "BBBB", "é" * 87, "A" * 87])
async def test_a_key_has_to_be_a_point(api: httpx.AsyncClient, database: Database, world: World, key: str) -> None:
    async with database.transaction() as tx:
        await world.caregiver(tx, phone=NUMBER)
    body = {"phone": NUMBER, "code": await code_of(api, database), "device_key": key}
    assert (await api.post("/v1/caregiver/sessions", json=body)).status_code == (422 if key else 201)


async def test_somebody_with_two_employers_chooses(api: httpx.AsyncClient, database: Database, world: World) -> None:
    async with database.transaction() as tx:
        for _ in range(2):
            await world.caregiver(tx, phone=NUMBER)
    body = {"phone": NUMBER, "code": await code_of(api, database)}
    first = (await api.post("/v1/caregiver/sessions", json=body)).json()
    other = first["others"][0]["provider_id"]
    async with database.transaction() as tx:
        await tx.run("UPDATE one_time_code SET created_at = created_at - interval '2 minutes'")
    body = {"phone": NUMBER, "code": await code_of(api, database), "provider_id": other}
    assert (await api.post("/v1/caregiver/sessions", json=body)).json()["caregiver"]["provider_id"] == other


async def test_whoever_leaves_is_signed_out(api: httpx.AsyncClient, database: Database, world: World) -> None:
    async with database.transaction() as tx:
        provider = await world.provider(tx)
        caregiver = await world.caregiver(tx, provider)
        phone: Phone = await world.phone(tx, caregiver)
    assert (await phone.get(api, "/v1/caregiver/visits")).status_code == 200
    desk = await world.staff_headers(database, ("supervisor",), ("620300",))
    path = f"/v1/providers/{provider}/caregivers/{caregiver}"
    changed = await api.patch(path, json={"status": "inactive"}, headers=desk)
    assert changed.status_code == 200, changed.text
    assert (await phone.get(api, "/v1/caregiver/visits")).status_code == 401


async def test_who_works_for_two_changes_over_on_the_same_phone(
    api: httpx.AsyncClient, database: Database, world: World
) -> None:
    async with database.transaction() as tx:
        mine, other = [await world.caregiver(tx, phone=NUMBER) for _ in range(2)]
        stranger = await world.caregiver(tx)
        phone: Phone = await world.phone(tx, mine)
    headers = {"Authorization": f"Bearer {phone.token}", "Accept": "text/html"}
    assert str(other) in (await api.get("/caregiver/earnings", headers=headers)).text
    refused = await api.post("/caregiver/employer", data={"caregiver_id": str(stranger)}, headers=headers)
    assert refused.status_code == 404
    changed = await api.post("/caregiver/employer", data={"caregiver_id": str(other)}, headers=headers)
    assert (changed.status_code, changed.headers["location"]) == (303, "/caregiver")
    async with database.transaction() as tx:
        rows = await tx.fetch("SELECT caregiver_id, device_key IS NOT NULL FROM caregiver_session")
    assert [tuple(row) for row in rows] == [(other, True)]
