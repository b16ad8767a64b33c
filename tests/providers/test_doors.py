"""Providers and caregivers through the API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from app.core.db import Database, Tx
from app.core.events import Event
from app.providers.events import ProviderReinstated, ProviderSuspended
from tests.world import World
from tests.world.providers import uscc

BODY: dict[str, Any] = {
    "name": "金川安康居家服务有限公司", "uscc": "91620302MA0000000K", "kind": "company", "phone": "0935-8220001",
    "division_code": "620302", "areas": ["620302"], "items": ["clean_home", "bath_home"], "daily_capacity": 40,
    "location": {"lng": 102.18989, "lat": 38.521838, "crs": "gcj02"},
}  # fmt: skip
CAREGIVER: dict[str, Any] = {
    "name": "王秀兰", "sex": "female", "phone": "138 0000 0002", "division_code": "620302001",
    "certificates": [{"kind": "nursing_assistant", "valid_from": "2025-03-01", "valid_to": "2028-02-29"}],
    "shifts": [{"weekday": 1, "starts_minute": 480, "ends_minute": 1080}],
}  # fmt: skip


@pytest.fixture
async def supervisor(database: Database, world: World) -> dict[str, str]:
    token: str = await world.staff_token(database, roles=["supervisor"])
    return {"Authorization": f"Bearer {token}"}


def keyed(headers: dict[str, str]) -> dict[str, str]:
    return {**headers, "Idempotency-Key": str(uuid4())}


@pytest.fixture
def heard(database: Database) -> Iterator[list[Event]]:
    """What the room told others during the test."""
    told: list[Event] = []

    async def hear(_: Tx, event: Event) -> None:
        told.append(event)

    kinds: tuple[type[Event], ...] = (ProviderSuspended, ProviderReinstated)
    for kind in kinds:
        database.bus.on(kind, hear)
    yield told
    for kind in kinds:
        database.bus.hearers(kind).remove(hear)


async def test_a_provider_joins_changes_is_suspended_and_returns(
    api: httpx.AsyncClient, supervisor: dict[str, str], database: Database, heard: list[Event]
) -> None:
    made = await api.post("/v1/providers", json=BODY, headers=keyed(supervisor))
    assert made.status_code == 201, made.text
    provider = made.json()
    assert (provider["phone"], provider["status"], provider["items"]) == (
        "+869358220001", "active", ["bath_home", "clean_home"],
    )  # fmt: skip
    assert (round(provider["lng"], 4), round(provider["lat"], 4)) == (102.1879, 38.5214)
    assert provider["record"] == {"ratings": 0, "completed": 0, "score": 4.5}
    path = f"/v1/providers/{provider['id']}"
    again = await api.post("/v1/providers", json={**BODY, "name": "别名"}, headers=keyed(supervisor))
    assert (again.status_code, again.json()["code"]) == (409, "provider_exists")

    changed = await api.patch(
        path, json={"daily_capacity": None, "areas": ["620302001"]}, headers={**keyed(supervisor), "If-Match": '"1"'}
    )
    assert (changed.json()["daily_capacity"], changed.json()["areas"]) == (None, ["620302001"])
    assert changed.headers["ETag"] == '"2"'
    stale = await api.patch(path, json={"name": "x"}, headers={**keyed(supervisor), "If-Match": '"1"'})
    assert stale.status_code == 412

    suspended = await api.post(f"{path}/suspension", json={"reason": "投诉成立"}, headers=keyed(supervisor))
    assert (suspended.json()["status"], suspended.json()["status_reason"]) == ("suspended", "投诉成立")
    twice = await api.post(f"{path}/suspension", json={"reason": "再次"}, headers=keyed(supervisor))
    assert twice.status_code == 409
    back = await api.post(f"{path}/reinstatement", json={"reason": "整改完成"}, headers=keyed(supervisor))
    assert (back.json()["status"], back.json()["status_reason"]) == ("active", None)
    assert [type(event) for event in heard] == [ProviderSuspended, ProviderReinstated]
    async with database.transaction() as tx:
        deeds = await tx.fetch("SELECT action FROM audit_entry WHERE object_id = $1 ORDER BY id", provider["id"])
    assert [row["action"] for row in deeds] == [
        "providers.join", "providers.change", "providers.suspend", "providers.reinstate",
    ]  # fmt: skip


async def test_a_code_against_gb_32100_is_refused(api: httpx.AsyncClient, supervisor: dict[str, str]) -> None:
    wrong = await api.post("/v1/providers", json={**BODY, "uscc": "91620302MA0000000L"}, headers=keyed(supervisor))
    assert (wrong.status_code, wrong.json()["code"]) == (422, "uscc_invalid")


async def test_scope_and_filters(api: httpx.AsyncClient, database: Database, world: World) -> None:
    async with database.transaction() as tx:
        near = await world.provider(tx, areas=["620302001"], items=["clean_home"])
        broad = await world.provider(tx, areas=["620300"], items=["bath_home"])
        far = await world.provider(tx, division_code="620321", areas=["620321"])
    operator = await world.staff_headers(database, divisions=["620302"])

    async def ids(**params: str) -> set[UUID]:
        answer = await api.get("/v1/providers", params=params, headers=operator)
        return {UUID(item["id"]) for item in answer.json()["items"]}

    assert await ids() == {near, broad}
    assert await ids(division="620302001001") == {near, broad}
    assert await ids(division="620302002") == {broad}
    assert await ids(item_code="clean_home") == {near}
    assert (await api.get(f"/v1/providers/{far}", headers=operator)).status_code == 404
    assert (await api.get(f"/v1/providers/{far}/caregivers", headers=operator)).status_code == 404
    reason = {"reason": "x"}
    assert (await api.post(f"/v1/providers/{near}/suspension", json=reason, headers=operator)).status_code == 403
    first = (await api.get("/v1/providers", params={"limit": 1}, headers=operator)).json()
    rest = (await api.get("/v1/providers", params={"cursor": first["next_cursor"]}, headers=operator)).json()
    assert {first["items"][0]["id"], rest["items"][0]["id"]} == {str(near), str(broad)}
    assert rest["next_cursor"] is None


async def test_caregivers(api: httpx.AsyncClient, supervisor: dict[str, str], database: Database, world: World) -> None:
    async with database.transaction() as tx:
        provider_id = await world.provider(tx, uscc=uscc(900_001))
        other_id = await world.provider(tx, uscc=uscc(900_002))
    path = f"/v1/providers/{provider_id}/caregivers"
    made = await api.post(path, json=CAREGIVER, headers=keyed(supervisor))
    assert made.status_code == 201, made.text
    person = made.json()
    assert person["phone"] == "138****0002"
    assert person["certificates"][0]["name"] == "养老护理员证"
    mine = f"{path}/{person['id']}"
    theirs = f"/v1/providers/{other_id}/caregivers/{person['id']}"
    assert (await api.get(theirs, headers=supervisor)).status_code == 404

    overlap = [
        {"weekday": 2, "starts_minute": 480, "ends_minute": 720},
        {"weekday": 2, "starts_minute": 700, "ends_minute": 900},
    ]
    refused = await api.put(f"{mine}/shifts", json={"shifts": overlap}, headers=keyed(supervisor))
    assert (refused.status_code, refused.json()["code"]) == (422, "shifts_overlap")
    overlap[1]["starts_minute"] = 720
    week = await api.put(f"{mine}/shifts", json={"shifts": overlap}, headers=keyed(supervisor))
    assert [shift["weekday"] for shift in week.json()["shifts"]] == [2, 2]

    absence = {"starts_at": "2099-12-01T08:00:00+08:00", "ends_at": "2099-12-03T20:00:00+08:00", "reason": "病假"}
    assert (await api.post(f"{mine}/absences", json=absence, headers=keyed(supervisor))).status_code == 201
    listed = (await api.get(f"{mine}/absences", headers=supervisor)).json()
    assert [entry["reason"] for entry in listed] == ["病假"]
    for impossible in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2099-12-01T08:00:00"):
        never = {**absence, "starts_at": impossible}
        assert (await api.post(f"{mine}/absences", json=never, headers=keyed(supervisor))).status_code == 422
    absence["ends_at"] = absence["starts_at"]
    assert (await api.post(f"{mine}/absences", json=absence, headers=keyed(supervisor))).status_code == 422

    expired = {"kind": "nurse", "valid_from": "2025-01-02", "valid_to": "2025-01-01"}
    assert (await api.post(f"{mine}/certificates", json=expired, headers=keyed(supervisor))).status_code == 422
    expired["valid_to"] = "2025-12-31"
    assert (await api.post(f"{mine}/certificates", json=expired, headers=keyed(supervisor))).status_code == 201
    gone = await api.patch(mine, json={"status": "inactive", "phone": "13800000009"}, headers=keyed(supervisor))
    assert (gone.json()["status"], gone.json()["phone"]) == ("inactive", "138****0009")
    assert (await api.patch(mine, json={"name": None}, headers=keyed(supervisor))).status_code == 422
    active = (await api.get(path, params={"status": "active"}, headers=supervisor)).json()
    assert active["items"] == []
