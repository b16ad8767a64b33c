"""The doors to divisions and the calendar."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from app import http_errors
from app.accounts.guard import AccountsGuard
from app.core.db import Database
from app.regions import service
from app.regions.router import router
from tests.core.small_app import OpenGate
from tests.world.accounts import staff_headers


@pytest.fixture
async def client(clean_database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with clean_database.transaction() as tx:
        await service.ensure_base_data(tx)
    app = FastAPI()
    app.state.database, app.state.guard = clean_database, AccountsGuard()
    app.state.gate = OpenGate()
    app.include_router(router)
    http_errors.install(app)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="https://nuanxian.test") as client:
        yield client


async def test_divisions_within_scope_page_by_page(client: httpx.AsyncClient, clean_database: Database) -> None:
    headers = await staff_headers(clean_database, divisions=["620302"])
    seen: list[str] = []
    url = "/v1/divisions?limit=30"
    while url:
        page = (await client.get(url, headers=headers)).json()
        seen += [division["code"] for division in page["items"]]
        url = f"/v1/divisions?limit=30&cursor={page['next_cursor']}" if page["next_cursor"] else ""
    assert seen == sorted(set(seen))
    assert len(seen) > 60
    assert all(code.startswith("620302") for code in seen)


async def test_children_and_kinds(client: httpx.AsyncClient, clean_database: Database) -> None:
    headers = await staff_headers(clean_database)
    streets = (await client.get("/v1/divisions?parent=620302&kind=street", headers=headers)).json()["items"]
    assert len(streets) == 8
    assert streets[0]["name"] == "滨河路街道"
    assert (await client.get("/v1/divisions?parent=321000", headers=headers)).json()["items"] == []


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "kind=galaxy", "parent=62", "cursor=!", "cursor=eHh4"])
async def test_strange_questions_are_refused(client: httpx.AsyncClient, clean_database: Database, query: str) -> None:
    headers = await staff_headers(clean_database)
    assert (await client.get(f"/v1/divisions?{query}", headers=headers)).status_code == 422


async def test_the_public_asks_in_vain(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/divisions")).status_code == 401


async def test_an_administrator_decides_about_a_day(client: httpx.AsyncClient, clean_database: Database) -> None:
    admin = await staff_headers(clean_database, ["administrator"])
    body = {"is_workday": False, "name": "元旦", "source": "国务院办公厅通知"}
    decided = await client.put("/v1/calendar-days/2027-01-01", json=body, headers=admin)
    assert decided.status_code == 200
    days = (await client.get("/v1/calendar-days?year=2027", headers=admin)).json()["items"]
    assert days == [{"day": "2027-01-01", **body}]
    assert len((await client.get("/v1/calendar-days?year=2026", headers=admin)).json()["items"]) > 30
    operator = await staff_headers(clean_database)
    assert (await client.put("/v1/calendar-days/2027-01-01", json=body, headers=operator)).status_code == 403
