"""What every route does: policy, one transaction, repetition after a lost race, honest refusals."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from app import http_errors
from app.core.config import Settings
from app.core.db import Database
from app.core.http import MAX_TRIES, Route, Router, allow, routes_of
from tests.core import small_app
from tests.core.small_app import broken


async def count(database: Database) -> int:
    async with database.transaction() as tx:
        return int(await tx.fetchval("SELECT count(*) FROM note"))


def test_a_route_without_a_policy_cannot_be_made() -> None:
    router = Router()
    with pytest.raises(RuntimeError, match="declares no policy"):

        @router.get("/open")
        async def forgotten() -> None: ...


def test_a_key_needs_the_transaction_of_the_route() -> None:
    router = Router()
    with pytest.raises(RuntimeError, match="outside of its transaction"):

        @router.post("/open")
        @allow("x", keyed=True, own_transaction=True)
        async def confused() -> None: ...


def test_the_policy_survives_inclusion() -> None:
    app = FastAPI()
    app.include_router(small_app.router, prefix="/again")
    policies = {(min(route.methods), route.path): route.policy for route in routes_of(app) if isinstance(route, Route)}
    assert policies["POST", "/notes"].keyed
    assert not policies["GET", "/notes"].keyed
    assert not policies["POST", "/alone"].keyed


async def test_an_included_router_is_guarded(settings: Settings, notes: Database) -> None:
    app = FastAPI()
    app.state.database, app.state.guard = notes, small_app.OpenGuard()
    app.state.gate = small_app.OpenGate()
    app.include_router(small_app.router, prefix="/again")
    http_errors.install(app)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="https://small.test") as client:
        assert (await client.get("/again/notes", headers={"x-who": "nobody"})).status_code == 401
        assert (await client.post("/again/notes", json={"text": "a"})).json()["code"] == "idempotency_key_required"


async def test_a_deadlock_is_repeated_from_the_start(small: httpx.AsyncClient, notes: Database) -> None:
    broken["deadlocks"] = 2
    answer = await small.post("/contended")
    assert (answer.status_code, answer.json()) == (200, {"notes": 1})
    assert await count(notes) == 1


async def test_an_endless_race_is_given_up(small: httpx.AsyncClient, notes: Database) -> None:
    broken["deadlocks"] = 1000
    answer = await small.post("/contended")
    assert (answer.status_code, answer.json()["code"]) == (503, "contended")
    assert answer.headers["retry-after"] == "1"
    assert broken["deadlocks"] == 1000 - MAX_TRIES
    assert await count(notes) == 0


async def test_own_transactions_are_never_repeated(small: httpx.AsyncClient, notes: Database) -> None:
    assert (await small.post("/alone")).json() == {"has_transaction": False}
    broken["deadlocks"] = 1
    assert (await small.post("/alone")).status_code == 503
    assert await count(notes) == 2


async def test_a_full_pool_answers_503(settings: Settings, notes: Database) -> None:
    tiny = Database(notes.dsn, vault=notes.vault, pool_size=1, pool_timeout=0.2)
    async with small_app.client(settings, tiny) as small:
        held = asyncio.create_task(small.get("/slow", params={"seconds": 1}))
        await asyncio.sleep(0.1)
        answer = await small.get("/notes")
        assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")
        assert answer.headers["retry-after"] == "2"
        assert (await held).status_code == 200
        assert (await small.get("/notes")).status_code == 200
    await tiny.close()


async def test_without_a_database_everything_answers_503(settings: Settings, notes: Database) -> None:
    away = Database("postgresql://nobody@/gone?host=/nowhere/at/all", vault=notes.vault)
    async with small_app.client(settings, away) as small:
        for answer in (await small.get("/notes"), await small.post("/alone")):
            assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
            assert answer.headers["retry-after"] == "3"
    await away.close()


@pytest.mark.parametrize("who", ["nobody", "eve"])
async def test_refused_callers_leave_nothing(small: httpx.AsyncClient, notes: Database, who: str) -> None:
    answer = await small.post("/notes", json={"text": "a"}, headers={"x-who": who, "idempotency-key": "k"})
    assert answer.status_code == {"nobody": 401, "eve": 403}[who]
    assert await count(notes) == 0


async def test_versions(small: httpx.AsyncClient) -> None:
    async def change(version: str | None) -> httpx.Response:
        headers = {"idempotency-key": f"v{version}"} | ({"if-match": version} if version else {})
        return await small.put("/notes/1", headers=headers)

    assert (await change(None)).json() == {"by": "staff:anna"}
    assert (await change('"3"')).status_code == 200
    assert (await change('W/"3"')).status_code == 200
    stale = await change('"2"')
    assert (stale.status_code, stale.json()["version"]) == (412, 3)
    for wrong in ('"a"', '"-1"', '"' + "9" * 20 + '"'):
        assert (await change(wrong)).json()["code"] == "if_match_malformed"
