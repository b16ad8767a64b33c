"""A loaded past looks as if it had been lived, and leaves the database as the migrations made it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import asyncpg
import httpx
import pytest
from benchmarks import floor, laid_aside, past, past_rows, town
from benchmarks.town import Service, Town

from app import wiring
from app.core import clock
from app.core.config import Settings
from app.core.db import Database
from app.main import create_app
from app.orders.lifecycle import Status, may_move
from app.settlement import statements
from app.wiring import FEED_KEPT
from tests.architecture import catalog
from tests.conftest import MASTER_KEY, TestServer, vault, wired_bus

COUNT = 2000


@dataclass(frozen=True)
class Loaded:
    """A small town, itself and with a past."""

    service: Service
    town: Town
    source: str
    """Its database without the past."""
    name: str
    """Its database with it."""
    dsn: str


@pytest.fixture(scope="module")
async def loaded(server: TestServer, template: str) -> AsyncIterator[Loaded]:
    names = [f"nuanxian_{role}_{secrets.token_hex(4)}" for role in ("town", "past")]
    with pytest.MonkeyPatch.context() as patch:
        for figure, value in (("PROVIDERS", 3), ("TEAM", 4), ("ELDERS", 30)):
            patch.setattr(town, figure, value)
        database = Database(await server.clone(names[0], template), vault=vault(), bus=wired_bus(), pool_size=5)
        built = await town.build(database)
        await database.close()
    service = service_on(server)
    await past.load(service, names[0], names[1], COUNT)
    yield Loaded(service, built, *names, server.dsn(names[1]))
    for name in names:
        await server.drop(name)


def service_on(server: TestServer) -> Service:
    """The benchmark's service as far as a load looks at it, over the tests' server."""

    def create(name: str, template: str) -> None:
        asyncio.run(server.clone(name, template))

    def dsn(name: str, user: str | None = None) -> str:
        return server.dsn(name, superuser=user is not None)

    return cast(Service, SimpleNamespace(server=SimpleNamespace(create_database=create, dsn=dsn)))


@pytest.fixture
async def old(loaded: Loaded) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(loaded.dsn)
    yield connection
    await connection.close()


EACH = {
    "care_order": 1, "care_request": 1, "order_history": 7, "order_deadline": 5, "offer": 1, "booking": 1,
    "decision": 1, "visit": 1, "visit_event": 2, "followup": 1, "rating": 1, "statement_line": 1,
    "ledger_transfer": 2,
}  # fmt: skip


async def test_every_order_leaves_what_an_order_leaves(old: asyncpg.Connection) -> None:
    for table, each in EACH.items():
        assert await old.fetchval(f"SELECT count(*) FROM {table}") == each * COUNT, table
    assert set(EACH) < set(past_rows.TABLES)
    for unfinished in (
        "care_order WHERE status <> 'closed' OR visit ->> 'verification' <> 'verified' OR rating IS NULL",
        "order_deadline WHERE met_at > due_at OR met_at IS NULL",
        "followup WHERE status <> 'closed'",
        "statement WHERE status <> 'paid'",
        "booking WHERE status <> 'booked'",
        "offer WHERE status <> 'accepted'",
    ):
        assert await old.fetchval(f"SELECT count(*) FROM {unfinished}") == 0, unfinished
    for sums in ("sum(visits) FROM continuity", "sum(completed) FROM scorecard", "sum(lines) FROM statement"):
        assert await old.fetchval(f"SELECT {sums}") == COUNT
    assert await old.fetchval("SELECT nextval('care_order_number')") > COUNT


async def test_all_of_it_is_over(old: asyncpg.Connection) -> None:
    begin = await old.fetchval("SELECT min(completed_at) FROM care_order")
    end = await old.fetchval("SELECT max(upper(during)) FROM booking")
    this_month = clock.month_bounds(clock.today().strftime("%Y-%m"))[0]
    assert (this_month - begin).days > 35 * 30
    assert end < this_month
    late = "SELECT count(*) FROM feed_entry WHERE occurred_at < $1"
    assert await old.fetchval(late, clock.now() - FEED_KEPT) == 0
    assert await old.fetchval("SELECT count(*) FROM feed_entry") > 0
    assert await old.fetchval("SELECT count(*) FROM idempotency_key") > 0


async def test_keys_constraints_and_indexes_are_as_before(server: TestServer, loaded: Loaded) -> None:
    before = await catalog.describe(server.dsn(loaded.source))
    assert len(before) > 200
    assert not catalog.differences(await catalog.describe(loaded.dsn), before)


async def test_nobody_was_in_two_places(old: asyncpg.Connection) -> None:
    overlaps = """SELECT count(*) FROM booking a JOIN booking b
    ON a.caregiver_id = b.caregiver_id AND a.id < b.id AND a.during && b.during"""
    assert await old.fetchval(overlaps) == 0
    again = """INSERT INTO booking (id, caregiver_id, order_id, role, status, during, starts_at, minutes, made_at)
    SELECT gen_random_uuid(), caregiver_id, order_id, 'second', status, during, starts_at, minutes, made_at
    FROM booking LIMIT 1"""
    with pytest.raises(asyncpg.ExclusionViolationError):
        await old.execute(again)


async def test_histories_replay_to_the_present(old: asyncpg.Connection) -> None:
    moves: dict[UUID, list[Any]] = {}
    for row in await old.fetch("SELECT * FROM order_history ORDER BY order_id, seq"):
        moves.setdefault(row["order_id"], []).append(row)
    present = {row["id"]: row for row in await old.fetch("SELECT id, status, version, updated_at FROM care_order")}
    assert moves.keys() == present.keys()
    for order_id, rows in moves.items():
        assert rows[0]["before"] is None
        assert [row["seq"] for row in rows] == list(range(1, present[order_id]["version"] + 1))
        assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
        for one, following in pairwise(rows):
            assert following["before"] == one["after"]
            assert may_move(Status(one["after"]), Status(following["after"]))
        assert (rows[-1]["after"], rows[-1]["at"]) == (present[order_id]["status"], present[order_id]["updated_at"])


async def test_statements_come_out_again_from_their_inputs(loaded: Loaded, old: asyncpg.Connection) -> None:
    database = Database(loaded.dsn, vault=vault(), pool_size=1)
    try:
        async with database.transaction() as tx:
            for row in await old.fetch("SELECT id, lines FROM statement ORDER BY lines DESC LIMIT 3"):
                assert row["lines"] > 0
                assert (await statements.recompute(tx, row["id"])).differing == ()
    finally:
        await database.close()


async def test_life_goes_on(loaded: Loaded, old: asyncpg.Connection, settings: Settings) -> None:
    database = Database(loaded.dsn, vault=vault(), bus=wired_bus(), pool_size=5)
    app = create_app(settings.model_copy(update={"database_url": loaded.dsn, "master_key": MASTER_KEY}), database)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=True)
    json = {"content-type": "application/json"}
    try:
        async with (
            wiring.background(app),
            httpx.AsyncClient(transport=transport, base_url="http://bench", headers=json) as client,
        ):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(town, "LAST_CURSOR", {})
                await past.stand_at_the_end(loaded.service, loaded.name, loaded.town)
                await floor._lifecycle(client, loaded.town)
    finally:
        await database.close()
    new = await old.fetchrow("SELECT id, status FROM care_order ORDER BY id DESC LIMIT 1")
    assert new["status"] == "closed"
    assert await old.fetchval("SELECT count(*) FROM order_history WHERE order_id = $1", new["id"]) == 7


async def test_an_index_that_does_not_come_back_is_reported(loaded: Loaded, old: asyncpg.Connection) -> None:
    aside = await laid_aside.lay_aside(old, ["rating"])
    assert any("uq_rating_counts" in words for _, words in aside.built)
    fewer = laid_aside.Aside(aside.tables, aside.built[:-1], aside.references, aside.catalog)
    with pytest.raises(RuntimeError, match=aside.built[-1][1].split(" ")[2]):
        await laid_aside.put_back(loaded.dsn, fewer, lambda _what: None)
    await old.execute(aside.built[-1][1])


async def test_more_orders_than_hours_are_refused(server: TestServer, loaded: Loaded) -> None:
    with pytest.raises(ValueError, match="caregivers"):
        await past.load(loaded.service, loaded.source, "nuanxian_past_full", 10**9)
    await server.drop("nuanxian_past_full")


@pytest.mark.parametrize("now", [datetime(2026, 1, 1, tzinfo=UTC), datetime(2024, 3, 31, 20, tzinfo=UTC)])
def test_every_number_has_its_month(now: datetime) -> None:
    plan = past.layout(now, 12_345)
    assert len(plan.months) == past.MONTHS
    assert plan.end < now
    numbers = [plan.numbers(month) for month in plan.months]
    assert numbers[0][0] == 0
    assert numbers[-1][1] == 12_344
    for (_, last), (first, _) in pairwise(numbers):
        assert first == last + 1
