"""The web application: rooms with doors, one guard, one way to fail."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module

from fastapi import FastAPI

from app import __version__, http_errors, middleware, openapi, web, wiring
from app.accounts import checks
from app.accounts.guard import AccountsGuard
from app.core import clock, log, phones
from app.core.config import Settings
from app.core.db import Database
from app.core.http import routes_of
from app.core.keys import vault_from
from app.exchange.watch import FeedWatch
from app.shedding import Gate
from app.web import static_files

ROOMS_WITH_DOORS = (
    "exchange", "calls", "hotline", "intake", "alarms", "orders", "followup", "channels", "matching", "dispatch",
    "visits", "accounts", "elders", "transfers", "catalog", "knowledge", "providers", "benefits", "settlement",
    "selfpay", "rounds", "insight", "regions", "jobs", "web",
)  # fmt: skip
"""Busiest first: routes are tried in this order."""

DESCRIPTION = """The public contract of a city's 12349 home-care hotline.

Times are RFC 3339 with offset, money is integer fen, coordinates name their datum. Errors are
`application/problem+json` with a stable `code`. Every POST and PUT that changes something takes an
`Idempotency-Key`."""


def create_app(settings: Settings, database: Database) -> FastAPI:
    """The application over an open database. Raises RuntimeError for a route without a known policy."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with wiring.background(app):
            yield
        await database.close()

    app = FastAPI(
        title="Nuanxian 暖线",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # asked about at every request; ours is /metrics
    )
    app.state.settings = settings
    app.state.database = database
    app.state.guard = AccountsGuard()
    app.state.gate = Gate(database, sheds=settings.clock_rate == 1)
    app.state.road_times = wiring.road_times(database, settings)
    app.state.feed_watch = FeedWatch(database)
    app.state.wechat = wiring.wechat(settings)
    app.state.wechatpay = wiring.wechatpay(settings)
    app.state.porch = wiring.porch(database, settings)
    for room in ROOMS_WITH_DOORS:
        # Flat, because a router inside a router is searched twice for every request.
        app.router.routes.extend(routes_of(import_module(f"app.{room}.router").router))
    for address, files in static_files.mounts().items():
        app.mount(address, files)
    http_errors.install(app)
    middleware.install(app)
    openapi.install(app)
    if forgotten := checks.undeclared(app, also_fine=web.OPEN_PAGES):
        raise RuntimeError("routes without a known policy: " + ", ".join(forgotten))
    return app


def open_database(settings: Settings) -> Database:
    """The wired database of this deployment. Raises RuntimeError without an address or a key."""
    if settings.database_url is None:
        raise RuntimeError("DATABASE_URL is not set; `scripts/serve` starts an embedded server and sets it")
    return Database(
        settings.database_url,
        vault=vault_from(settings),
        bus=wiring.bus(),
        schema=settings.city_schema,
        pool_size=settings.pool_size,
    )


def app_from_environment() -> FastAPI:
    """What uvicorn calls in each web process."""
    settings = Settings()
    log.configure(settings.log_level)
    settle_in(settings)
    app = create_app(settings, open_database(settings))
    # What start-up made lives as long as the process: the collector need not walk through it for every few requests.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    return app


def settle_in(settings: Settings) -> None:
    """The city this process is one of. A rehearsal's clock runs from another day and faster; never in production."""
    phones.live_in(settings.area_code)
    if settings.clock_epoch is not None and settings.environment != "production":
        clock.run(settings.clock_epoch, settings.clock_rate, settings.clock_started)
