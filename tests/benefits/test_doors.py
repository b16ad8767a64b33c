"""Schemes and entitlements through the API."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from app.benefits import service
from app.core import clock
from app.core.db import Database
from tests.world import World

SCHEME: dict[str, Any] = {
    "code": "gov_home_care", "name": "政府购买居家养老服务", "division_code": "620300", "share_bp": 8000,
    "item_codes": ["clean_home"], "valid_from": "2026-01-01",
}  # fmt: skip
ENTITLED: dict[str, Any] = {
    "scheme_code": "gov_home_care", "monthly_quota_fen": 20_000, "assessed_until": "2099-06-30",
    "valid_from": "2026-01-01",
}  # fmt: skip


@pytest.fixture
async def supervisor(database: Database, world: World) -> dict[str, str]:
    async with database.transaction() as tx:
        await world.items(tx)
    return {"Authorization": f"Bearer {await world.staff_token(database, roles=['supervisor'])}"}


@pytest.fixture
async def elder_id(database: Database, world: World) -> UUID:
    async with database.transaction() as tx:
        made: UUID = await world.elder(tx)
    return made


def keyed(headers: dict[str, str]) -> dict[str, str]:
    return {**headers, "Idempotency-Key": str(uuid4())}


async def test_from_scheme_to_quota(
    api: httpx.AsyncClient, supervisor: dict[str, str], elder_id: UUID, database: Database
) -> None:
    assert (await api.post("/v1/schemes", json=SCHEME, headers=keyed(supervisor))).status_code == 201
    twice = await api.post("/v1/schemes", json=SCHEME, headers=keyed(supervisor))
    assert (twice.status_code, twice.json()["code"]) == (409, "scheme_exists")
    unknown = {**SCHEME, "code": "other", "item_codes": ["clean_home", "no_such"]}
    refused = await api.post("/v1/schemes", json=unknown, headers=keyed(supervisor))
    assert (refused.status_code, refused.json()["code"]) == (422, "service_item_unknown")
    listed = (await api.get("/v1/schemes", headers=supervisor)).json()
    assert [(scheme["code"], scheme["payer"], scheme["requires_assessment"]) for scheme in listed] == [
        ("gov_home_care", "government", True)
    ]
    path = f"/v1/elders/{elder_id}/entitlements"
    made = await api.post(path, json=ENTITLED, headers=keyed(supervisor))
    assert made.status_code == 201, made.text
    overlap = await api.post(path, json={**ENTITLED, "valid_from": "2026-06-01"}, headers=keyed(supervisor))
    assert (overlap.status_code, overlap.json()["code"]) == (409, "entitlement_exists")

    today = clock.today()
    async with database.transaction() as tx:
        split = await service.quote(tx, elder_id, "clean_home", 10_000, today)
        await service.reserve(tx, uuid4(), split, today)
    (held,) = (await api.get(path, headers=supervisor)).json()
    assert (held["granted_fen"], held["reserved_fen"], held["left_fen"]) == (20_000, 8000, 12_000)
    (before,) = (await api.get(path, params={"month": "2020-05-17"}, headers=supervisor)).json()
    assert (before["month"], before["left_fen"]) == ("2020-05-01", 20_000)

    mine = f"/v1/entitlements/{made.json()['id']}"
    cut = await api.patch(mine, json={"monthly_quota_fen": 7999}, headers=keyed(supervisor))
    assert (cut.status_code, cut.json()["used_fen"]) == (409, 8000)
    (held,) = (await api.get(path, headers=supervisor)).json()
    assert held["monthly_quota_fen"] == 20_000
    raised = await api.patch(mine, json={"monthly_quota_fen": 30_000}, headers=keyed(supervisor))
    assert (raised.json()["granted_fen"], raised.json()["left_fen"]) == (30_000, 22_000)
    lapsed = await api.patch(mine, json={"assessed_until": None}, headers=keyed(supervisor))
    assert lapsed.json()["assessed_until"] is None
    async with database.transaction() as tx:
        assert (await service.quote(tx, elder_id, "clean_home", 10_000, today)).copay_fen == 10_000
    for nonsense in ({}, {"monthly_quota_fen": None}, {"valid_to": "2025-12-31"}, {"monthly_quota_fen": -1}):
        assert (await api.patch(mine, json=nonsense, headers=keyed(supervisor))).status_code == 422


async def test_who_may(
    api: httpx.AsyncClient, supervisor: dict[str, str], elder_id: UUID, database: Database, world: World
) -> None:
    path = f"/v1/elders/{elder_id}/entitlements"
    operator = {"Authorization": f"Bearer {await world.staff_token(database)}"}
    assert (await api.post("/v1/schemes", json=SCHEME, headers=keyed(operator))).status_code == 403
    assert (await api.get(path, headers=operator)).status_code == 200
    token = await world.staff_token(database, roles=["supervisor"], divisions=["620321"])
    elsewhere = {"Authorization": f"Bearer {token}"}
    assert (await api.post("/v1/schemes", json=SCHEME, headers=keyed(elsewhere))).status_code == 404
    await api.post("/v1/schemes", json=SCHEME, headers=keyed(supervisor))
    county = {**SCHEME, "code": "county", "division_code": "620321"}
    await api.post("/v1/schemes", json=county, headers=keyed(supervisor))
    assert [s["code"] for s in (await api.get("/v1/schemes", headers=elsewhere)).json()] == ["county", "gov_home_care"]
    assert (await api.get(path, headers=elsewhere)).status_code == 404
    assert (await api.post(path, json=ENTITLED, headers=keyed(elsewhere))).status_code == 404
    made = (await api.post(path, json=ENTITLED, headers=keyed(supervisor))).json()["id"]
    change = {"monthly_quota_fen": 1}
    assert (await api.patch(f"/v1/entitlements/{made}", json=change, headers=keyed(elsewhere))).status_code == 404
    wrong = await api.post(path, json={**ENTITLED, "scheme_code": "county"}, headers=keyed(supervisor))
    assert (wrong.status_code, wrong.json()["code"]) == (422, "scheme_elsewhere")
    unknown = await api.post(path, json={**ENTITLED, "scheme_code": "nothing"}, headers=keyed(supervisor))
    assert unknown.status_code == 404
    async with database.transaction() as tx:
        assert await tx.fetchval("SELECT valid_from FROM entitlement WHERE id = $1", UUID(made)) == date(2026, 1, 1)
