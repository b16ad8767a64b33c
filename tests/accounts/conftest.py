"""A small application: the account doors and a few that only tell who knocked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request

from app import http_errors
from app.accounts.guard import AccountsGuard
from app.accounts.router import router
from app.core.db import Database
from app.core.http import CallerDep, Router, TxDep, allow
from app.elders import signing_in
from tests.core.small_app import OpenGate

probe = Router()


@probe.get("/probe/desk")
@allow("orders.read")
async def desk(caller: CallerDep) -> dict[str, Any]:
    return {"actor": caller.actor, "roles": sorted(caller.roles), "divisions": list(caller.divisions)}


@probe.post("/probe/provider")
@allow("provider.events", keyed=False)
async def provider(caller: CallerDep, tx: TxDep, request: Request) -> dict[str, Any]:
    if request.headers.get("x-fail"):
        raise RuntimeError("something broke after the signature was accepted")
    return {"actor": caller.actor, "provider_id": str(caller.provider_id)}


@probe.get("/probe/family")
@allow("family.read")
async def family(caller: CallerDep) -> dict[str, Any]:
    return {"actor": caller.actor, "phone_index": caller.facts["phone_index"].hex()}


@probe.get("/probe/caregiver")
@allow("caregiver.work")
async def caregiver(caller: CallerDep) -> dict[str, Any]:
    return {"actor": caller.actor, "provider_id": str(caller.provider_id)}


def small_app(database: Database) -> FastAPI:
    app = FastAPI()
    app.state.database, app.state.guard = database, AccountsGuard()
    app.state.gate = OpenGate()
    app.include_router(router)
    app.include_router(signing_in.router)
    app.include_router(probe)
    http_errors.install(app)
    return app


@pytest.fixture
async def client(clean_database: Database) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=small_app(clean_database), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="https://nuanxian.test") as client:
        yield client
