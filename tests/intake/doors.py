"""The application with the rooms that these tests knock at."""

from __future__ import annotations

import tempfile
from pathlib import Path

import httpx
from fastapi import FastAPI

from app import http_errors
from app.accounts.guard import AccountsGuard
from app.accounts.router import router as accounts
from app.alarms.router import router as alarms
from app.calls.router import router as calls
from app.channels.porch import Porch
from app.channels.router import router as channels
from app.core.db import Database
from app.hotline.router import router as hotline
from app.intake.router import router as intake
from app.orders.router import router as orders
from tests.core.small_app import OpenGate


def small_app(database: Database, porch: Path | None = None) -> FastAPI:
    """`porch`: where contacts wait for the database; by itself a place that is not made unless one does."""
    app = FastAPI()
    app.state.database, app.state.guard = database, AccountsGuard()
    app.state.gate = OpenGate()
    app.state.porch = Porch(database, porch or Path(tempfile.gettempdir()) / f"nuanxian-porch-{id(app)}")
    for router in (accounts, calls, hotline, intake, alarms, orders, channels):
        app.include_router(router)
    http_errors.install(app)
    return app


def client_of(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="https://nuanxian.test")
