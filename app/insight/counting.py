"""Counting just now: orders, requests, incidents, contacts, calls and amounts, as cells that add up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from app.calls import figures as hotline
from app.calls import queries as calls
from app.core import clock
from app.core.db import Tx
from app.insight import queries
from app.insight.indicators import BY_CODE, IN_A_DIVISION, OF_A_PROVIDER
from app.insight.queries import Cell, Within

By = Literal["provider", "division", "day"]
STREET = 9
"""Digits of a street's code."""

_OF_PROVIDERS = frozenset(code for code, one in BY_CODE.items() if one.about in OF_A_PROVIDER)
_OF_CITY = frozenset(code for code, one in BY_CODE.items() if one.about not in IN_A_DIVISION)


async def live(tx: Tx, where: Within, by: Sequence[By]) -> dict[By | None, list[Cell]]:
    """The cells of the whole under None, and those of each grouping.

    Days times divisions times providers would be many cells of a few orders each, so days are counted apart.
    """
    places: list[By] = [one for one in by if one != "day"]
    found: dict[By | None, list[Cell]] = {}
    if places or not by:
        cells = await fine(tx, where, places)
        found[None] = cells
        found |= {one: _of(cells, one) for one in places}
    if "day" in by:
        days = await fine(tx, where, ["day"])
        found.setdefault(None, days)
        found["day"] = days
    return found


async def fine(tx: Tx, where: Within, keys: Sequence[By]) -> list[Cell]:
    """Everything by these keys together."""
    now = clock.now()
    cells = await queries.orders(tx, where, keys, now)
    cells += await queries.others(tx, where, keys, now)
    if where.everywhere and where.provider_id is None:
        cells += await _of_city(tx, where)
    return cells


def _of(cells: Iterable[Cell], key: By) -> list[Cell]:
    """Those that have a place in a grouping: requests are at no provider, calls in no division."""
    if key == "provider":
        return [cell for cell in cells if not cell.counts.keys() - _OF_PROVIDERS]
    return [cell for cell in cells if key != "division" or not cell.counts.keys() & _OF_CITY]


async def _of_city(tx: Tx, where: Within) -> list[Cell]:
    cells = [
        Cell(day, None, None, {"contacts": (count, 0)})
        for day, count in (await queries.contacts(tx, where.begin, where.end)).items()
    ]
    for day, counts in (await calls.counts_by_day(tx, where.begin, where.end, hotline.SHORT_S)).items():
        told = {one.name: (one.part, one.whole) for one in hotline.figures(hotline.Counts(**counts))}
        known = {code: pair for code, pair in told.items() if code in BY_CODE}
        cells.append(Cell(day, None, None, {"calls": (counts["offered"], 0)} | known))
    return cells


def sums(rows: Iterable[tuple[By | None, Cell]]) -> dict[By | None, list[Cell]]:
    """Kept cells, told by grouping; the same shape as `live`."""
    found: dict[By | None, list[Cell]] = {}
    for by, cell in rows:
        found.setdefault(by, []).append(cell)
    return {by: cells if by is None else _of(cells, by) for by, cells in found.items()}
