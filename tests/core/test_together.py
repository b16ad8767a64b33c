"""Rows put off: written once, in order, with the transaction, and before anybody asks for them."""

from __future__ import annotations

import pytest

from app.core.db import Database
from app.core.together import joined, repeated
from app.jobs import feed
from app.jobs.feed import Position

SEEN = "SELECT type FROM feed_entry ORDER BY id"


async def types(database: Database) -> list[str]:
    async with database.transaction() as tx:
        return [row["type"] for row in await tx.fetch(SEEN)]


def test_placeholders_are_numbered_through() -> None:
    text = joined((("INSERT INTO a VALUES ($1, $2)", 2), ("SELECT $1, $10", 10)))
    assert text == "WITH part0 AS (INSERT INTO a VALUES ($1, $2)) SELECT $3, $12"


def test_rows_of_one_kind_become_one_insert() -> None:
    assert repeated("INSERT INTO a VALUES ($1, $2)", 2, 2) == "INSERT INTO a VALUES ($1, $2), ($3, $4)"


async def test_they_are_written_in_order_at_the_commit(clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        for name in ("one", "two", "three"):
            await feed.append(tx, "desk", name)
    assert await types(clean_database) == ["one", "two", "three"]


async def test_they_go_with_the_transaction(clean_database: Database) -> None:
    with pytest.raises(ValueError, match="on purpose"):
        async with clean_database.transaction() as tx:
            await feed.append(tx, "desk", "lost")
            raise ValueError("on purpose")
    assert await types(clean_database) == []


async def test_who_asks_sees_them(clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        await feed.append(tx, "desk", "fresh")
        assert [row["type"] for row in await tx.fetch(SEEN)] == ["fresh"]
        assert await feed.read(tx, "desk", Position(), 10) == [], "behind the fence until the commit"


async def test_a_savepoint_takes_its_own_back_and_no_others(clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        await feed.append(tx, "desk", "before")
        with pytest.raises(ValueError, match="on purpose"):
            async with tx.savepoint():
                await feed.append(tx, "desk", "inside")
                raise ValueError("on purpose")
        await feed.append(tx, "desk", "after")
    assert await types(clean_database) == ["before", "after"]
