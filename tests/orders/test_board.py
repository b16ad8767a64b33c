"""The board's lines: what is open, in whose divisions, sorted and filtered; and told again when they change."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.channels.desk import ORDER_CHANGED, DeskFeed
from app.core import clock
from app.core.db import Database, Tx
from app.core.http import SYSTEM
from app.jobs import feed
from app.jobs.feed import Position
from app.orders import board, flags, notes, service
from app.orders.board import Wanted
from app.regions.divisions import scope_ranges
from tests.world.orders import TUESDAY_TEN, Town, make_order, make_town

HERE = scope_ranges(["620300"])


@pytest.fixture
async def town(tx: Tx) -> Town:
    return await make_town(tx)


@pytest.fixture(autouse=True)
def tuesday() -> object:
    with clock.hold(TUESDAY_TEN):
        yield


def named(line: board.Line) -> dict[str, Any]:
    return dict(zip(board.FIELDS, line, strict=True))


async def test_a_line_says_who_what_when_and_what_is_due(tx: Tx, town: Town) -> None:
    order = await make_order(tx, town.elder)
    (line,) = [named(one) for one in await board.lines(tx, HERE, Wanted())]
    assert (line["id"], line["number"], line["status"]) == (str(order.id), order.number, "dispatched")
    assert (line["elder"], line["due"], line["delivery"]) == ("曾**", "accept", "queued")
    assert line["due_at"] > line["dispatched_at"] == int(TUESDAY_TEN.timestamp())
    assert (await board.lines_of(tx, [order.id]))[order.id] == list(line.values())


async def test_what_is_over_or_elsewhere_is_not_on_the_board(tx: Tx, town: Town) -> None:
    kept, gone = await make_order(tx, town.elder), await make_order(tx, town.elder)
    await service.cancel(tx, SYSTEM, gone.id, "elder_request", "elder")
    assert [named(one)["id"] for one in await board.lines(tx, HERE, Wanted())] == [str(kept.id)]
    assert await board.lines(tx, scope_ranges(["640100"]), Wanted()) == []
    assert await board.lines(tx, scope_ranges([]), Wanted()) == []
    assert named((await board.lines_of(tx, [gone.id]))[gone.id])["status"] == "cancelled"


async def test_every_sort_and_filter_is_understood(tx: Tx, town: Town) -> None:
    first = await make_order(tx, town.elder, urgency="urgent")
    second = await make_order(tx, town.elder)
    for sort in board.SORTS:
        assert len(await board.lines(tx, HERE, Wanted(sort=sort))) == 2
    by_number = await board.lines(tx, HERE, Wanted(sort="number"), limit=1, offset=1)
    assert [named(one)["number"] for one in by_number] == [second.number]
    for wanted in (
        Wanted(urgency="urgent"),
        Wanted(text=first.number),
        Wanted(provider_id=first.provider_id, text="%"),
    ):
        found = [named(one)["number"] for one in await board.lines(tx, HERE, wanted)]
        assert found == ([] if wanted.text == "%" else [first.number])
    assert await board.lines(tx, HERE, Wanted(statuses=["completed"])) == []
    assert await board.lines(tx, HERE, Wanted(late_at=TUESDAY_TEN)) == []
    assert len(await board.lines(tx, HERE, Wanted(late_at=TUESDAY_TEN + timedelta(days=2)))) == 2


async def test_each_change_is_told_once_with_the_line_as_it_is_then(clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        town = await make_town(tx)
        start = Position(await feed.fence(tx), 0)
        order = await make_order(tx, town.elder)
        await flags.suspend(tx, SYSTEM, order.id, "核实地址")
        await notes.meet_deadline(tx, order.id, "arrive", clock.now())
    stream = DeskFeed(clean_database)
    async for entries in stream.follow(start, 2):
        told = [entry for entry in entries if entry.type == ORDER_CHANGED]
        break
    (entry,) = told
    line = named(entry.data["line"])
    assert (line["flags"], line["version"]) == (["suspended"], 3)
    assert entry.data["division"] == line["division"]
    assert not entry.concerns(("640100",), None)
