"""Runs at the same time, a run killed in the middle, and what the constraints hold when the code does not."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from app.core import clock
from app.core.db import Database, Tx
from app.core.errors import Unavailable
from app.core.ids import new_id
from app.settlement import adjustments, queries, queries_runs, runs, statements
from app.settlement.lines import service_line
from tests.conftest import TestServer, vault
from tests.settlement.test_statements import OCTOBER, rate
from tests.world.settlement import Market, clerk, make_market, make_served_order

ROOT = Path(__file__).resolve().parents[2]


async def month(database: Database, providers: int = 3, orders: int = 8) -> list[Market]:
    """Providers with orders of all ratings."""
    async with database.transaction() as tx:
        markets = [await make_market(tx) for _ in range(providers)]
        for market in markets:
            for n in range(orders):
                await make_served_order(tx, market, rating=(None, 1, 3, 5)[n % 4], minutes=60 + 15 * (n % 5))
    return markets


async def snapshot(database: Database) -> tuple[list[Any], list[Any], list[Any]]:
    """Everything a run writes."""
    async with database.transaction() as tx:
        heads = await queries.statements_of_period(tx, "2025-09", None)
        made = [dict(line) for head in heads for line in await queries.lines(tx, head["id"])]
        done = await tx.fetch("SELECT id, content_hash FROM settlement_run")
        return [dict(head) for head in heads], made, [tuple(row) for row in done]


async def test_three_runs_at_once_give_one_result(database: Database) -> None:
    await month(database)
    ids = await asyncio.gather(*(runs.run(database, clerk(f"clerk-{n}"), "2025-09") for n in range(3)))
    heads, made, done = await snapshot(database)
    assert len(set(ids)) == 1
    assert (len(heads), len(made), len(done)) == (3, 24, 1)
    assert {head["version"] for head in heads} == {1}
    assert sorted(head["number"] for head in heads) == [f"JS202509-000{n}" for n in (1, 2, 3)]


async def test_a_run_killed_before_its_commit_leaves_nothing_and_the_others_finish(database: Database) -> None:
    await month(database)
    command = [sys.executable, "-m", "tests.settlement.killed_run", database.dsn, "2025-09"]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 30) == b"written 24\n"
    waiting = [asyncio.create_task(runs.run(database, clerk(f"clerk-{n}"), "2025-09")) for n in range(3)]
    await asyncio.sleep(0.3)
    assert (await snapshot(database)) == ([], [], [])
    assert not any(task.done() for task in waiting)
    os.kill(process.pid, signal.SIGKILL)
    assert await process.wait() == -signal.SIGKILL
    assert len(set(await asyncio.gather(*waiting))) == 1
    first = await snapshot(database)
    assert (len(first[0]), len(first[1]), len(first[2])) == (3, 24, 1)
    assert "staff:killed" not in {head["created_by"] for head in first[0]}
    await runs.run(database, clerk("later"), "2025-09")
    assert await snapshot(database) == first
    for head in first[0]:
        async with database.transaction() as tx:
            assert (await statements.recompute(tx, head["id"])).same


async def test_a_run_that_waits_too_long_says_so(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "WAIT_SECONDS", 0.3)
    async with database.serializable() as tx:
        assert await queries_runs.try_lock(tx, "2025-09")
        with pytest.raises(Unavailable) as refused:
            await runs.run(database, clerk(), "2025-09")
    assert refused.value.code == "run_in_progress"


async def settle_without_asking(tx: Tx, statement_id: UUID, order_id: UUID) -> None:
    """What a forgotten check would do: put an order on a statement although it is on one."""
    row = (await queries_runs.candidates(tx, [order_id]))[order_id]
    terms = await runs.load_terms(tx, {row["contract_id"]})
    line = service_line(row, terms[row["contract_id"]])
    await tx.run("UPDATE statement_line SET position = position + 100 WHERE statement_id = $1", statement_id)
    await queries.insert_lines(tx, statement_id, [(new_id(), line.service_period, line.inputs, line.amounts)])


async def test_one_order_one_line_is_held_by_the_constraint_alone(server: TestServer, template: str) -> None:
    """The negative control has a database of its own: without the index the order is settled twice."""
    name = f"nuanxian_control_{secrets.token_hex(4)}"
    database = Database(await server.clone(name, template), vault=vault())
    try:
        (market,) = await month(database, providers=1, orders=1)
        await runs.run(database, clerk(), "2025-09")
        async with database.transaction() as tx:
            (head,) = await queries.statements_of_period(tx, "2025-09", market.provider_id)
            (line,) = await queries.lines(tx, head["id"])
        with pytest.raises(asyncpg.UniqueViolationError) as refused:
            async with database.transaction() as tx:
                await settle_without_asking(tx, head["id"], line["order_id"])
        assert refused.value.constraint_name == "uq_statement_line_order_once"

        async with database.transaction() as tx:
            index = await tx.fetchval("SELECT pg_get_indexdef('uq_statement_line_order_once'::regclass)")
            await tx.run("DROP INDEX uq_statement_line_order_once")
            await settle_without_asking(tx, head["id"], line["order_id"])
        async with database.transaction() as tx:
            twice = "SELECT count(*) FROM statement_line WHERE order_id = $1"
            assert await tx.fetchval(twice, line["order_id"]) == 2
            await tx.run("DELETE FROM statement_line WHERE position < 100")
            await tx.run(index)
        with pytest.raises(asyncpg.UniqueViolationError):
            async with database.transaction() as tx:
                await settle_without_asking(tx, head["id"], line["order_id"])
    finally:
        await database.close()
        await server.drop(name)


@pytest.mark.parametrize("rating_first", [True, False])
async def test_a_rating_that_meets_the_issue_is_not_lost(database: Database, rating_first: bool) -> None:
    """Whoever has the statement's lock first, the rating ends in a line: refused issue, or an adjustment."""
    (market,) = await month(database, providers=1, orders=1)
    await runs.run(database, clerk(), "2025-09")
    async with database.transaction() as tx:
        (head,) = await queries.statements_of_period(tx, "2025-09", None)
        (line,) = await queries.lines(tx, head["id"])

    async def issue() -> None:
        with clock.hold(OCTOBER):
            async with database.transaction() as tx:
                await statements.issue(tx, clerk(), head["id"])
                await asyncio.sleep(0.3)

    async def rated() -> None:
        async with database.transaction() as tx:
            await rate(tx, market, line["order_id"], 1)
            await asyncio.sleep(0.3)

    first, second = (rated, issue) if rating_first else (issue, rated)
    leading = asyncio.create_task(first())
    await asyncio.sleep(0.15)
    results = await asyncio.gather(leading, second(), return_exceptions=True)
    async with database.transaction() as tx:
        after = await queries.statement(tx, head["id"])
        waiting = await tx.fetchval("SELECT count(*) FROM adjustment")
    assert after is not None
    if rating_first:
        assert getattr(results[1], "code", None) == "statement_outdated"
        assert (after["status"], waiting) == ("draft", 0)
    else:
        assert results == [None, None]
        assert (after["status"], waiting) == ("issued", 1)


async def test_the_same_late_rating_heard_twice_at_once_adjusts_once(database: Database) -> None:
    (market,) = await month(database, providers=1, orders=1)
    await runs.run(database, clerk(), "2025-09")
    async with database.transaction() as tx:
        (head,) = await queries.statements_of_period(tx, "2025-09", None)
        (line,) = await queries.lines(tx, head["id"])
        with clock.hold(OCTOBER):
            await statements.issue(tx, clerk(), head["id"])
        await tx.run("UPDATE care_order SET rating = 1 WHERE id = $1", line["order_id"])

    async def hear() -> bool:
        async with database.transaction() as tx:
            done = await adjustments.rejudge(tx, line["order_id"], ("rating", "the same"), "later")
            await asyncio.sleep(0.1)
            return done

    heard = await asyncio.gather(*(hear() for _ in range(4)))
    assert sum(heard) == 1
    async with database.transaction() as tx:
        (adjustment,) = await tx.fetch("SELECT * FROM adjustment")
    assert adjustment["provider_id"] == market.provider_id
