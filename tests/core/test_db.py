"""Transactions: what is in them, what is not, and how failures are told apart."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, ClassVar

import asyncpg
import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError

from app.core import clock
from app.core.db import Database, Tx
from app.core.events import Bus, Event
from app.core.sqlstate import as_unavailable, constraint_of, is_retryable, is_unacceptable, sqlstate_of
from app.jobs.models import JobReceipt

RECEIPT = "INSERT INTO job_receipt VALUES ($1, $2)"


class Abandoned(Exception):
    pass


async def receipts(database: Database) -> list[int]:
    async with database.transaction() as tx:
        return [row["job_id"] for row in await tx.fetch("SELECT job_id FROM job_receipt ORDER BY 1")]


async def test_the_migrated_schema_is_there_and_empty(tx: Tx) -> None:
    assert await tx.fetchval("SELECT version_num >= '0002' FROM alembic_version")
    assert await tx.fetchval("SELECT count(*) FROM idempotency_key") == 0


@pytest.mark.parametrize("_round", [1, 2])
async def test_commits_are_swept_away_between_tests(clean_database: Database, _round: int) -> None:
    assert await receipts(clean_database) == []
    async with clean_database.transaction() as tx:
        await tx.run(RECEIPT, 1, clock.now())
    assert await receipts(clean_database) == [1]


async def test_a_raw_statement_is_in_the_transaction(clean_database: Database) -> None:
    with pytest.raises(Abandoned):
        async with clean_database.transaction() as tx:
            await tx.run(RECEIPT, 1, clock.now())
            await tx.execute(insert(JobReceipt).values(job_id=2, done_at=clock.now()))
            assert [row.job_id for row in await tx.all(select(JobReceipt).order_by(JobReceipt.job_id))] == [1, 2]
            raise Abandoned
    assert await receipts(clean_database) == []


async def test_without_the_nudge_it_would_not_be(clean_database: Database) -> None:
    """The control: SQLAlchemy begins with its own first statement, so the bare driver commits by itself."""
    with pytest.raises(Abandoned):
        async with clean_database.engine.connect() as connection, connection.begin():
            bare: Any = (await connection.get_raw_connection()).driver_connection
            await bare.execute(RECEIPT, 1, clock.now())
            raise Abandoned
    assert await receipts(clean_database) == [1]


@pytest.mark.parametrize("fails_in", ["core", "raw"])
async def test_a_savepoint_loses_its_part_only(clean_database: Database, fails_in: str) -> None:
    async with clean_database.transaction() as tx:
        await tx.run(RECEIPT, 1, clock.now())
        with pytest.raises((DBAPIError, asyncpg.UniqueViolationError)):
            async with tx.savepoint():
                await tx.run(RECEIPT, 2, clock.now())
                if fails_in == "raw":
                    await tx.run(RECEIPT, 1, clock.now())
                await tx.execute(insert(JobReceipt).values(job_id=1, done_at=clock.now()))
        async with tx.savepoint():
            await tx.execute(insert(JobReceipt).values(job_id=3, done_at=clock.now()))
    assert await receipts(clean_database) == [1, 3]


async def test_a_savepoint_may_come_first(clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        with pytest.raises(Abandoned):
            async with tx.savepoint():
                await tx.run(RECEIPT, 1, clock.now())
                raise Abandoned
        await tx.run(RECEIPT, 2, clock.now())
    assert await receipts(clean_database) == [2]


async def test_the_constraint_is_named_by_both_layers(tx: Tx) -> None:
    await tx.run(RECEIPT, 1, clock.now())
    with pytest.raises(asyncpg.UniqueViolationError) as raw:
        async with tx.savepoint():
            await tx.run(RECEIPT, 1, clock.now())
    with pytest.raises(DBAPIError) as core:
        async with tx.savepoint():
            await tx.execute(insert(JobReceipt).values(job_id=1, done_at=clock.now()))
    for failure in (raw.value, core.value):
        assert constraint_of(failure) == "pk_job_receipt"
        assert sqlstate_of(failure) == "23505"
        assert not is_retryable(failure)
        assert not is_unacceptable(failure)
        assert as_unavailable(failure) is None
    assert constraint_of(ValueError()) is None


async def test_an_error_does_not_quote_its_parameters(tx: Tx) -> None:
    with pytest.raises(DBAPIError) as failure:
        await tx.execute(text("SELECT CAST(:told AS int) FROM nowhere"), {"told": "13893512345"})
    assert "13893512345" not in str(failure.value)


async def test_values_no_column_can_hold(tx: Tx) -> None:
    for statement, value in (
        ("SELECT $1::bigint", 10**30),
        ("SELECT $1::int", 2**40),
        ("SELECT $1::text", "a\0b"),
        ("SELECT $1::text", "\ud800"),
        ("SELECT $1::text::int", "x"),
        ("SELECT $1::uuid", "x"),
    ):
        with pytest.raises(Exception) as failure:  # noqa: PT011
            async with tx.savepoint():
                await tx.fetchval(statement, value)
        assert is_unacceptable(failure.value), (statement, failure.value)
        with pytest.raises(DBAPIError) as failure_of_core:
            async with tx.savepoint():
                await tx.driver_execute(statement, (value,))
        assert is_unacceptable(failure_of_core.value), statement
    with pytest.raises(asyncpg.DivisionByZeroError) as ours:
        await tx.fetchval("SELECT 1 / 0")
    assert not is_unacceptable(ours.value)


async def test_json_goes_in_as_text_and_comes_out_as_values(tx: Tx) -> None:
    assert await tx.fetchval("SELECT $1::jsonb", '{"姓": [1, null]}') == {"姓": [1, None]}
    assert await tx.fetchval("SELECT $1::json", "[true]") == [True]


async def test_run_counts_rows(tx: Tx) -> None:
    assert await tx.run("INSERT INTO job_receipt SELECT g, now() FROM generate_series(1, 3) g") == 3
    assert await tx.run("DELETE FROM job_receipt WHERE job_id > 1") == 2
    assert await tx.run("SET LOCAL work_mem = '8MB'") == 0


async def test_serializable_is_for_one_transaction(clean_database: Database) -> None:
    single = Database(clean_database.dsn, vault=clean_database.vault, pool_size=1)
    level = "SELECT current_setting('transaction_isolation')"
    async with single.serializable() as tx:
        assert await tx.fetchval(level) == "serializable"
    async with single.transaction() as tx:
        assert await tx.fetchval(level) == "read committed"
    await single.close()


async def test_a_write_skew_is_refused_and_retryable(clean_database: Database) -> None:
    async def write(own: int, other: int, ready: asyncio.Barrier) -> None:
        async with clean_database.serializable() as tx:
            await tx.fetch("SELECT * FROM job_receipt WHERE job_id = $1", other)
            await ready.wait()
            await tx.run(RECEIPT, own, clock.now())

    ready = asyncio.Barrier(2)
    results = await asyncio.gather(write(1, 2, ready), write(2, 1, ready), return_exceptions=True)
    (failure,) = [one for one in results if one is not None]
    assert is_retryable(failure)


async def test_sessions_are_set_up(tx: Tx) -> None:
    for name, value in (
        ("timezone", "UTC"),
        ("jit", "off"),
        ("idle_in_transaction_session_timeout", "15s"),
    ):
        assert await tx.fetchval("SELECT current_setting($1)", name) == value


async def test_one_at_a_time_is_about_one_thing_and_ends_with_the_transaction(clean_database: Database) -> None:
    order: list[str] = []
    first_is_in = asyncio.Event()

    async def work(name: str, *what: str, hold: float = 0.0) -> None:
        async with clean_database.transaction() as tx:
            await tx.one_at_a_time(*what)
            order.append(f"{name} in")
            if hold:
                first_is_in.set()
                await asyncio.sleep(hold)
            order.append(f"{name} out")

    first = asyncio.create_task(work("first", "elder", "1", hold=0.5))
    await first_is_in.wait()
    await asyncio.gather(first, work("same", "elder", "1"), work("other", "elder", "2"))
    assert order == ["first in", "other in", "other out", "first out", "same in", "same out"]


@pytest.mark.parametrize("layer", ["core", "raw", "commit"])
async def test_a_lost_connection_is_told_and_forgotten(clean_database: Database, layer: str) -> None:
    single = Database(clean_database.dsn, vault=clean_database.vault, pool_size=1)
    with pytest.raises(Exception) as failure:  # noqa: PT011
        async with single.transaction() as tx:
            pid = await tx.fetchval("SELECT pg_backend_pid()")
            await tx.run(RECEIPT, 1, clock.now())
            async with clean_database.transaction() as other:
                assert await other.fetchval("SELECT pg_terminate_backend($1, 5000)", pid)
            if layer == "raw":
                await tx.fetchval("SELECT 1")
            if layer == "core":
                await tx.scalar(text("SELECT 1"))
    away = as_unavailable(failure.value)
    assert away is not None, repr(failure.value)
    assert away.code == "database_unavailable"
    async with single.transaction() as tx:
        assert await tx.fetchval("SELECT 1") == 1
    await single.close()


async def test_connections_that_died_in_the_pool_are_not_handed_out(clean_database: Database) -> None:
    pool = Database(clean_database.dsn, vault=clean_database.vault, pool_size=4)

    async def use(raw: bool) -> None:
        async with pool.transaction() as tx:
            await (tx.fetchval("SELECT pg_sleep(0.05)") if raw else tx.scalar(text("SELECT pg_sleep(0.05)")))

    for raw in (True, False):
        await asyncio.gather(*(use(raw) for _ in range(4)))
        async with clean_database.transaction() as tx:
            killed = "pg_terminate_backend(pid, 5000)"
            await tx.fetch(
                f"SELECT {killed} FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
        await asyncio.sleep(0.05)
        await asyncio.gather(*(use(raw) for _ in range(4)))
    await pool.close()


async def test_a_cancelled_task_gives_its_connection_back(clean_database: Database) -> None:
    single = Database(clean_database.dsn, vault=clean_database.vault, pool_size=1, pool_timeout=2)

    async def long() -> None:
        async with single.transaction() as tx:
            await tx.run(RECEIPT, 1, clock.now())
            await tx.fetchval("SELECT pg_sleep(30)")

    for _ in range(5):
        task = asyncio.create_task(long())
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await receipts(single) == []
    await single.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Told(Event):
    name: ClassVar[str] = "test.told"
    job: int


async def test_hearers_share_the_transaction_in_order(clean_database: Database) -> None:
    heard: list[str] = []

    async def first(tx: Tx, fact: Told) -> None:
        heard.append("first")
        await tx.run(RECEIPT, fact.job, clock.now())

    async def second(tx: Tx, fact: Told) -> None:
        heard.append("second")
        if fact.job == 2:
            raise Abandoned

    bus = Bus()
    bus.on(Told, first, second)
    database = Database(clean_database.dsn, vault=clean_database.vault, bus=bus, pool_size=1)
    async with database.transaction() as tx:
        await tx.publish(Told(job=1))
    with pytest.raises(Abandoned):
        async with database.transaction() as tx:
            await tx.publish(Told(job=2))
    assert heard == ["first", "second"] * 2
    assert await receipts(database) == [1]
    await database.close()


async def test_a_search_is_planned_for_its_values_and_the_next_transaction_is_not(clean_database: Database) -> None:
    mode = "SELECT current_setting('plan_cache_mode') AS mode WHERE $1::int IS NOT NULL"
    async with clean_database.transaction() as tx:
        assert (await tx.fetch(mode, 1))[0]["mode"] == "force_generic_plan"
        assert (await tx.search(mode, 1))[0]["mode"] == "force_custom_plan"
    for _ in range(2 * clean_database.pool_size):
        async with clean_database.transaction() as tx:
            assert await tx.fetchval(mode, 1) == "force_generic_plan"
