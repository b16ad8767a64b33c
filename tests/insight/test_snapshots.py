"""As of a day: what was kept stays as it was, whatever comes in later."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from io import BytesIO
from typing import Any

import openpyxl
import pytest

from app.core import clock
from app.core.db import Database, Tx
from app.core.errors import Invalid, NotFound
from app.core.http import Caller
from app.insight import export, queries_snapshots, service, snapshots
from app.insight.service import Question
from tests.world import World
from tests.world.visits import Assigned

SUPERVISOR = Caller(kind="staff", id="s", name="李", roles=frozenset({"supervisor"}), divisions=("620300",))
MONDAY = date(2026, 3, 2)
NIGHT = clock.day_bounds(MONDAY)[1] + timedelta(seconds=20)
"""Twenty seconds into Tuesday."""
ASKED = Question(MONDAY, MONDAY + timedelta(days=1))


def at(hour: int) -> datetime:
    return clock.day_bounds(MONDAY)[0] + timedelta(hours=hour)


async def served(tx: Tx, world: World) -> Assigned:
    """An order of Monday that somebody has checked in for; the check-out has not come yet."""
    with clock.hold(at(12)):
        order: Assigned = await world.assigned_order(tx, assigned_at=at(9), wanted_from=at(10))
        await order.report(tx, order.event("checked_in", 62))
    return order


async def keep(tx: Tx) -> int:
    """As the long task does, for a week and in this transaction; how many rows it took."""
    as_of = clock.today() - snapshots.ONE_DAY
    if not await snapshots.begin(tx):
        return 0
    rows = sum([await snapshots.keep_day(tx, as_of, as_of - timedelta(days=n)) for n in range(7)])
    await queries_snapshots.complete(tx, as_of)
    return rows


def numbers(report: service.Report) -> dict[str, tuple[int, int]]:
    return {one.indicator.code: (one.part, one.whole) for one in report.figures}


async def as_of(tx: Tx, day: date, asked: Question = ASKED) -> service.Report:
    return await service.report(tx, SUPERVISOR, asked, ("provider", "division", "day"), as_of=day)


async def test_a_late_event_changes_today_and_not_yesterday(tx: Tx, world: World) -> None:
    order = await served(tx, world)
    with clock.hold(NIGHT):
        assert await keep(tx) > 0
        kept = await as_of(tx, MONDAY)
        sheet = export.workbook(kept, clock.now())
        assert numbers(kept) == numbers(await service.report(tx, SUPERVISOR, ASKED))
        assert numbers(kept)["completed"] == (0, 1)
    with clock.hold(at(35)):  # Tuesday, late in the morning: the telephone has found a network
        await order.report(tx, order.event("checked_out", 200))
        assert numbers(await service.report(tx, SUPERVISOR, ASKED))["completed"] == (1, 1)  # else this proves nothing
        again = await as_of(tx, MONDAY)
        assert numbers(again) == numbers(kept)
        assert export.workbook(again, clock.now()) == sheet
    with clock.hold(NIGHT + timedelta(days=1)):
        assert await keep(tx) > 0
        assert numbers(await as_of(tx, MONDAY + timedelta(days=1)))["completed"] == (1, 1)
        assert numbers(await as_of(tx, MONDAY)) == numbers(kept)


async def test_a_day_is_kept_once_and_only_what_changed_is_written(tx: Tx, world: World) -> None:
    await served(tx, world)
    with clock.hold(NIGHT):
        first = await keep(tx)
        assert first > 0
        assert await keep(tx) == 0
    with clock.hold(NIGHT + timedelta(days=1)):
        await tx.run("UPDATE order_deadline SET due_at = $1 WHERE met_at IS NULL", at(1000))
        assert await keep(tx) < first + 1
        assert len(await queries_snapshots.newest(tx, 10)) == 2


async def test_what_moves_away_is_gone_from_where_it_was(tx: Tx, world: World) -> None:
    order = await served(tx, world)
    other = await world.provider(tx, name="另一家")
    with clock.hold(NIGHT):
        await keep(tx)
    await tx.run(
        "UPDATE care_order SET provider_id = $1, division_code = '620302002001' WHERE id = $2", other, order.order_id
    )
    with clock.hold(NIGHT + timedelta(days=1)):
        await keep(tx)
        kept = await as_of(tx, MONDAY + timedelta(days=1))
        assert numbers(kept)["orders"] == (1, 1)
        having = [one.name for one in kept.groups["provider"] if one.figures[0].part]
        assert having == ["另一家"]


async def test_a_part_of_the_city_is_the_same_kept_and_live(tx: Tx, world: World) -> None:
    order = await served(tx, world)
    with clock.hold(NIGHT):
        await keep(tx)
        for asked in (
            Question(MONDAY, MONDAY + timedelta(days=1), "620302"),
            Question(MONDAY, MONDAY + timedelta(days=1), "620302001"),
            Question(MONDAY, MONDAY + timedelta(days=1), "620321"),
            Question(MONDAY, MONDAY + timedelta(days=1), None, order.provider_id),
            Question(MONDAY - timedelta(days=5), MONDAY + timedelta(days=1)),
        ):
            for by in ((), ("day",), ("provider", "division"), ("provider", "division", "day")):
                kept = await service.report(tx, SUPERVISOR, asked, by, as_of=MONDAY)  # type: ignore[arg-type]
                live = await service.report(tx, SUPERVISOR, asked, by)  # type: ignore[arg-type]
                assert numbers(kept) == numbers(live)
                if asked.division != "620302001":  # below a street nothing is kept apart
                    assert kept.groups == live.groups
        with pytest.raises(Invalid, match="streets and above"):
            await as_of(tx, MONDAY, Question(MONDAY, MONDAY + timedelta(days=1), "620302001001"))


async def test_a_day_that_was_not_kept_is_refused(tx: Tx) -> None:
    with pytest.raises(NotFound, match="no figures were kept"):
        await as_of(tx, MONDAY)


async def test_the_sheet_says_when_and_what(tx: Tx, world: World) -> None:
    await served(tx, world)
    with clock.hold(NIGHT):
        await keep(tx)
        report = await as_of(tx, MONDAY)
        book: Any = openpyxl.load_workbook(BytesIO(export.workbook(report, clock.now())))
    assert export.file_name(report) == "indicators-20260302-20260302-as-of-20260302.xlsx"
    sheet = book["指标"]
    assert (sheet["B4"].value, sheet["B5"].value) == ("2026-03-02 日末", "2026-03-03 00:00:20")
    rows = {row[0].value: [cell.value for cell in row] for row in sheet.iter_rows(min_row=8)}
    assert rows["工单"][2] == 1
    assert rows["上门准时率"][7] in {"样本不足（少于 5 件）", "无数据"}
    assert book.sheetnames == ["指标", "分企业", "分区划", "分日", "口径"]


async def test_the_long_task_may_be_done_twice_and_nobody_reads_a_part(database: Database, world: World) -> None:
    async with database.transaction() as tx:
        order = await served(tx, world)
    with clock.hold(NIGHT):
        async with database.transaction() as tx:
            assert await snapshots.begin(tx)
            assert not await snapshots.begin(tx)
            assert await tx.fetchval("SELECT count(*) FROM pgqueuer WHERE entrypoint = $1", snapshots.KEEP) == 1
        async with database.transaction() as tx:
            await snapshots.keep_day(tx, MONDAY, MONDAY)  # and then the worker is killed
        async with database.transaction() as tx:
            with pytest.raises(NotFound):
                await as_of(tx, MONDAY)
    with clock.hold(at(35)):
        async with database.transaction() as tx:
            await order.report(tx, order.event("checked_out", 200))
        for _ in range(2):
            await snapshots.keep(database, {"as_of": MONDAY.isoformat()})
        async with database.transaction() as tx:
            assert numbers(await as_of(tx, MONDAY))["completed"] == (0, 1)  # as it was first written
