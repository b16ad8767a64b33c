"""Checks of calls: drawn by lot, judged by a sheet, never by whoever took the call."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from importlib.resources import files
from typing import Any
from uuid import UUID

from app.accounts import audit
from app.calls import queries as calls
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.http import Caller
from app.core.ids import new_id
from app.core.json import dumps
from app.hotline import queries
from app.hotline import queries_listening as listening
from app.hotline.schemas import CheckView
from app.hotline.sheets import Item, SheetError, checked, judged

_NOTE = "call_check.note"
FIRST_DAY = date(2020, 1, 1)


async def load_default_sheet(tx: Tx) -> None:
    """The product's sheet, in force from the first day; a city publishes its own from a later one."""
    with (files("app.hotline") / "data" / "score_sheet.csv").open(encoding="utf-8") as listed:
        rows = list(csv.DictReader(listed))
    items = checked(tuple(Item(r["code"], r["label"], int(r["points"]), r["critical"] == "yes") for r in rows))
    await listening.seed_sheet(tx, FIRST_DAY, [item_json(item) for item in items])


async def sheet_of(tx: Tx, day: date) -> tuple[date, tuple[Item, ...]]:
    """The sheet in force, and since when. Raises NotFound before the first one."""
    row = await listening.sheet(tx, day)
    if row is None:
        raise NotFound("score_sheet_not_found")
    return row["valid_from"], tuple(Item(**item) for item in row["items"])


async def publish(tx: Tx, caller: Caller, valid_from: date, items: Sequence[Item]) -> None:
    """A new sheet from a day on. Raises Invalid for one that makes no sense, Conflict when it has been used."""
    try:
        checked(tuple(items))
    except SheetError as wrong:
        raise Invalid("sheet_impossible", str(wrong), field="items") from wrong
    if not await listening.put_sheet(tx, valid_from, [item_json(item) for item in items]):
        raise Conflict("sheet_used", "calls have been judged by the sheet of that day")
    await audit.record(tx, caller, "hotline.publish_sheet", "score_sheet", valid_from)


async def draw(tx: Tx, begin: datetime, end: datetime, count: int, seed: str) -> list[Any]:
    """Answered calls that nobody has judged: every agent's in turn. The same seed draws the same calls."""
    return [await calls.one(tx, call_id) for call_id in await listening.sample(tx, begin, end, count, seed)]


async def judge(tx: Tx, caller: Caller, call_id: UUID, points: Mapping[str, int], note: str | None) -> CheckView:
    """Raises Invalid for points the sheet does not know, Forbidden for one's own call, Conflict for a judged one."""
    call = await calls.one(tx, call_id)
    if call["answered_at"] is None:
        raise Invalid("call_not_answered", "only a call that somebody answered can be judged")
    sat_there = await queries.at_extension(tx, call["agent"], call["answered_at"]) if call["agent"] else None
    if str(sat_there) == caller.id:
        raise Forbidden("two_persons", "nobody judges their own call")
    since, items = await sheet_of(tx, clock.service_day(call["answered_at"]))
    try:
        verdict = judged(items, points)
    except SheetError as wrong:
        raise Invalid("points_impossible", str(wrong), field="points") from wrong
    check_id, now = new_id(), clock.now()
    sealed = tx.vault.seal(_NOTE, check_id, note) if note else None
    if not await listening.add_check(
        tx, check_id, call_id, call["agent"], sat_there, since, dumps(dict(points)), verdict.total,
        dumps(list(verdict.missed)), sealed, UUID(caller.id), now,
    ):  # fmt: skip
        raise Conflict("call_judged", "this call has been judged")
    await audit.record(tx, caller, "hotline.judge", "call", call_id)
    return view(tx, await listening.check(tx, call_id))


def view(tx: Tx, row: Any) -> CheckView:
    note = tx.vault.open(_NOTE, row["id"], row["note"]) if row["note"] is not None else None
    return CheckView(**{**dict(row), "note": note, "failed": bool(row["missed"])})


def item_json(item: Item) -> dict[str, Any]:
    return {"code": item.code, "label": item.label, "points": item.points, "critical": item.critical}
