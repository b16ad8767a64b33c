"""When a transaction begins, and when one statement is all of it."""

from __future__ import annotations

import asyncpg
import pytest

from app.core import clock
from app.core.db import Database, Tx
from app.core.together import Write, statements
from app.core.tx import mentions, only_reads

RECEIPT = "INSERT INTO job_receipt VALUES ($1, $2)"
COUNT = "SELECT count(*) FROM job_receipt"


async def begun(tx: Tx) -> bool:
    return tx._driver.is_in_transaction()


async def stored(database: Database) -> int:
    async with database.transaction() as tx:
        return int(await tx.fetchval(COUNT))


@pytest.mark.parametrize(
    ("sql", "reads"),
    [
        ("SELECT 1", True),
        ("  with a AS (SELECT 1) SELECT updated_at, deleted, insert_time FROM a", True),
        ("SELECT id FROM care_order FOR NO KEY UPDATE", False),
        ("SELECT id FROM care_order FOR SHARE", False),
        ("WITH a AS (INSERT INTO b VALUES (1) RETURNING *) SELECT * FROM a", False),
        ("SELECT pg_advisory_xact_lock(1)", False),
        ("SELECT pg_try_advisory_lock(1)", False),
        ("SELECT nextval('n')", False),
        ("SELECT set_config('a', 'b', true)", False),
        ("SELECT pg_notify('a', 'b')", False),
        ("SET LOCAL jit = on", False),
        ("UPDATE a SET b = 1", False),
        ("LOCK TABLE a", False),
        ("CALL a()", False),
    ],
)
def test_what_only_reads(sql: str, reads: bool) -> None:
    assert only_reads(sql) is reads


@pytest.mark.parametrize(
    ("sql", "mentioned"),
    [
        ("SELECT * FROM rating", True),
        ("SELECT o.rating FROM care_order o", False),
        ("SELECT rating_id, first_rating FROM other", False),
        ("SELECT EXISTS(SELECT FROM a, rating)", True),
        ("UPDATE care_order SET rating = 1", True),
    ],
)
def test_a_statement_mentions_a_table(sql: str, mentioned: bool) -> None:
    assert mentions(sql, "rating") is mentioned


async def test_a_transaction_begins_with_its_first_write(clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        await tx.fetchval(COUNT)
        assert not await begun(tx)
        await tx.run(RECEIPT, 1, clock.now())
        assert await begun(tx)
        assert await tx.fetchval(COUNT) == 1


async def test_what_was_read_before_does_not_save_what_was_written_after(clean_database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with clean_database.transaction() as tx:
            await tx.fetchval(COUNT)
            await tx.run(RECEIPT, 1, clock.now())
            raise ZeroDivisionError
    assert await stored(clean_database) == 0


async def test_a_savepoint_and_a_lock_begin_too(clean_database: Database) -> None:
    async with clean_database.transaction() as tx, tx.savepoint():
        assert await begun(tx)
    async with clean_database.transaction() as tx:
        await tx.fetchval("SELECT pg_advisory_xact_lock(1)")
        assert await begun(tx)


async def test_the_only_write_is_the_whole_transaction(clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        tx.later("job_receipt", RECEIPT, 1, clock.now())
        await tx.last("job_receipt", RECEIPT, 2, clock.now())
        assert not await begun(tx)
    assert await stored(clean_database) == 2


async def test_the_only_write_stands_or_falls_as_one(clean_database: Database) -> None:
    with pytest.raises(asyncpg.UniqueViolationError):
        async with clean_database.transaction() as tx:
            tx.later("job_receipt", "INSERT INTO job_receipt VALUES ($1::bigint, $2::timestamptz)", 1, clock.now())
            await tx.last("job_receipt", RECEIPT, 1, clock.now())
    assert await stored(clean_database) == 0


def test_writes_to_one_table_keep_their_order() -> None:
    one, two = "INSERT INTO a (b) VALUES ($1)", "UPDATE a SET b = $1 WHERE c = $2"
    writes = [Write("a", one, (1,)), Write("d", "DELETE FROM d WHERE e = $1", (2,)), Write("a", one, (3,)),
              Write("a", two, (4, 5)), Write("a", two, (6, 7))]  # fmt: skip
    assert statements([*writes, Write("f", "DELETE FROM f", ())]) == [
        ("WITH part0 AS (INSERT INTO a (b) VALUES ($1), ($2)) DELETE FROM d WHERE e = $3", [1, 3, 2]),
        ("UPDATE a SET b = $1 WHERE c = $2", [4, 5]),
        ("WITH part0 AS (UPDATE a SET b = $1 WHERE c = $2) DELETE FROM f", [6, 7]),
    ]


def test_an_insert_that_may_meet_itself_is_not_repeated() -> None:
    upsert = "INSERT INTO a (b) VALUES ($1) ON CONFLICT (b) DO UPDATE SET n = a.n + 1"
    assert statements([Write("a", upsert, (1,)), Write("a", upsert, (1,))]) == [(upsert, [1]), (upsert, [1])]


async def test_what_was_put_off_is_lost_with_its_transaction(clean_database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with clean_database.transaction() as tx:
            tx.later("job_receipt", RECEIPT, 1, clock.now())
            raise ZeroDivisionError
    assert await stored(clean_database) == 0


async def test_what_was_put_off_is_read_back_inside_the_transaction(clean_database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with clean_database.transaction() as tx:
            tx.later("job_receipt", RECEIPT, 1, clock.now())
            assert await tx.fetchval(COUNT) == 1
            raise ZeroDivisionError
    assert await stored(clean_database) == 0
