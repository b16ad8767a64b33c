"""The feed never skips a commit, whatever order transactions end in."""

from __future__ import annotations

import asyncio
import os
import random
from datetime import timedelta

import pytest

from app.core import clock
from app.core.db import Database
from app.core.ids import new_id
from app.jobs import feed
from app.jobs.feed import Position

EVENTS = int(os.environ.get("NUANXIAN_FEED_EVENTS", "4000"))
WRITERS = 8
NAIVE = "SELECT id FROM feed_entry WHERE audience = 'everybody' AND id > $1 ORDER BY id LIMIT 500"


class Abandoned(Exception):
    pass


async def write(database: Database, count: int, seed: int) -> int:
    """`count` entries in small transactions that dawdle before they commit; some never do."""
    chance, kept = random.Random(seed), 0
    while kept < count:
        batch = min(chance.randint(1, 5), count - kept)
        try:
            async with database.transaction() as tx:
                for _ in range(batch):
                    await feed.append(tx, "everybody", "test", seq=seed)
                    await tx.flush()  # written now, committed some time later: that is what races
                    await asyncio.sleep(chance.random() * 0.004)
                if chance.random() < 0.05:
                    raise Abandoned
            kept += batch
        except Abandoned:
            continue
    return kept


async def follow(database: Database, done: asyncio.Event) -> list[Position]:
    """What a reader with the fenced cursor sees, in the order seen."""
    seen, position = [], Position()
    while True:
        last_round = done.is_set()
        async with database.transaction() as tx:
            rows = await feed.read(tx, "everybody", position, 500)
        seen += [Position(row["txid"], row["id"]) for row in rows]
        if seen:
            position = seen[-1]
        if not rows and last_round:
            return seen
        await asyncio.sleep(0.005)


async def follow_naively(database: Database, done: asyncio.Event) -> list[int]:
    """The control: "give me what comes after my last id"."""
    seen: list[int] = []
    while True:
        last_round = done.is_set()
        async with database.transaction() as tx:
            rows = await tx.fetch(NAIVE, seen[-1] if seen else 0)
        seen += [row["id"] for row in rows]
        if not rows and last_round:
            return seen
        await asyncio.sleep(0.005)


async def listen(database: Database, done: asyncio.Event) -> set[str]:
    """Audiences heard of by whoever only asks who has news since the last fence."""
    heard: set[str] = set()
    async with database.transaction() as tx:
        fence = await feed.fence(tx)
    while True:
        last_round = done.is_set()
        async with database.transaction() as tx:
            until = await feed.fence(tx)
            heard |= await feed.fresh_audiences(tx, fence)
            fence = until
        if last_round:
            return heard
        await asyncio.sleep(0.005)


@pytest.mark.timeout(600)
async def test_no_commit_is_ever_skipped(clean_database: Database) -> None:
    done = asyncio.Event()
    readers = [
        asyncio.create_task(follow(clean_database, done)),
        asyncio.create_task(follow_naively(clean_database, done)),
    ]
    written = await asyncio.gather(*(write(clean_database, EVENTS // WRITERS, n) for n in range(WRITERS)))
    done.set()
    seen, seen_naively = await asyncio.gather(*readers)
    async with clean_database.transaction() as tx:
        committed = [row["id"] for row in await tx.fetch("SELECT id FROM feed_entry ORDER BY id")]
    assert sum(written) == len(committed) == EVENTS // WRITERS * WRITERS
    assert sorted(position.id for position in seen) == committed
    assert seen == sorted(seen)
    missed = set(committed) - set(seen_naively)
    assert missed, "the naive cursor missed nothing: this test would not notice a broken fence"


async def test_news_of_every_audience_is_heard(clean_database: Database) -> None:
    done = asyncio.Event()
    listener = asyncio.create_task(listen(clean_database, done))
    chance = random.Random(7)

    async def tell(n: int) -> None:
        async with clean_database.transaction() as tx:
            await feed.append(tx, f"provider:{n}", "test")
            await tx.flush()
            await asyncio.sleep(chance.random() * 0.05)

    for start in range(0, 200, WRITERS):
        await asyncio.gather(*(tell(n) for n in range(start, start + WRITERS)))
    await asyncio.sleep(0.05)
    done.set()
    assert await listener == {f"provider:{n}" for n in range(200)}


async def test_an_open_transaction_holds_later_ones_back(clean_database: Database) -> None:
    """The price of the fence."""

    async def visible() -> list[str]:
        async with clean_database.transaction() as tx:
            return [row["type"] for row in await feed.read(tx, "desk", Position(), 10)]

    async with clean_database.transaction() as slow:
        await feed.append(slow, "desk", "early")
        await slow.flush()
        async with clean_database.transaction() as quick:
            await feed.append(quick, "desk", "late")
        assert await visible() == []
    assert await visible() == ["early", "late"]


async def test_pages_join_without_gap_or_overlap(clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        for n in range(7):
            await feed.append(tx, "desk", f"{n}", facts={"n": n}, order_id=new_id())
        await feed.append(tx, "provider:x", "not ours")
    seen, position = [], Position()
    async with clean_database.transaction() as tx:
        while rows := await feed.read(tx, "desk", position, 3):
            assert len(rows) <= 3
            seen += [row["type"] for row in rows]
            position = Position(rows[-1]["txid"], rows[-1]["id"])
    assert seen == [f"{n}" for n in range(7)]


async def test_savepoints_belong_to_their_transaction(clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        async with tx.savepoint():
            await feed.append(tx, "desk", "inner")
        await feed.append(tx, "desk", "outer")
        assert await tx.fetchval("SELECT count(DISTINCT txid) FROM feed_entry") == 1


async def test_entries_are_kept_as_promised(clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        for days in (89, 91):
            await feed.append(tx, "desk", f"{days}", occurred_at=clock.now() - timedelta(days=days))
        assert await feed.forget_before(tx, clock.now() - timedelta(days=90)) == 1
        assert await tx.fetchval("SELECT type FROM feed_entry") == "89"


async def test_who_has_news_is_found_by_an_index(clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        await tx.run("TRUNCATE feed_entry")  # what other tests left dead would count in the plan
        await tx.run(
            "INSERT INTO feed_entry (audience, type, seq, occurred_at)"
            " SELECT 'p' || g % 50, 'x', 0, now() FROM generate_series(1, 20000) g"
        )
        await tx.run("ANALYZE feed_entry")
        await tx.run("SET LOCAL plan_cache_mode = force_generic_plan")
        plan = "\n".join(row[0] for row in await tx.fetch("EXPLAIN " + feed.FRESH, 10**15))
        assert "ix_feed_entry_txid" in plan
        plan = "\n".join(row[0] for row in await tx.fetch("EXPLAIN " + feed.READ, "p1", 0, 0, 100))
        assert "ix_feed_entry_audience_txid_id" in plan
        assert "Sort" not in plan
