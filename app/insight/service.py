"""Figures of a period, live or as they stood at the end of a day, whole and by provider, division or day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from app.accounts import scope
from app.core import clock
from app.core.db import Tx
from app.core.errors import Invalid, NotFound
from app.core.http import Caller
from app.insight import counting, queries_listing, snapshots
from app.insight.counting import STREET, By
from app.insight.indicators import BY_CODE, EVERYWHERE, IN_A_DIVISION, OF_A_PROVIDER, About, Figure, added, figures
from app.insight.queries import Cell, Within
from app.regions.divisions import prefix_of, scope_ranges

LONGEST = timedelta(days=366)
EARLIEST, LATEST = date(2000, 1, 1), date(2100, 1, 1)


@dataclass(frozen=True, slots=True)
class Question:
    """Service days [first, end), within a division and for a provider, or everywhere and for all."""

    first: date
    end: date
    division: str | None = None
    provider_id: UUID | None = None

    @property
    def whole_city(self) -> bool:
        return self.division is None and self.provider_id is None


@dataclass(frozen=True, slots=True)
class Group:
    """One provider, division or day with its figures. `key` is empty for what has none."""

    key: str
    name: str
    figures: list[Figure]


@dataclass(frozen=True, slots=True)
class Report:
    question: Question
    figures: list[Figure]
    groups: dict[By, list[Group]] = field(default_factory=dict)
    kept: Any | None = None
    """The head of the snapshot it was read from; null when it was counted just now."""


def within(caller: Caller, asked: Question) -> Within:
    """Where the figures of `asked` come from, for this caller. Raises Invalid for an impossible period, NotFound for
    a division that is not the caller's."""
    if not (EARLIEST <= asked.first < asked.end <= LATEST and asked.end - asked.first <= LONGEST):
        raise Invalid("period_impossible", "a period ends after it begins, and is a year at the most", field="to")
    if asked.division is not None:
        scope.see(caller, asked.division)
    scopes = (asked.division,) if asked.division else caller.divisions
    begin, end = clock.day_bounds(asked.first)[0], clock.day_bounds(asked.end)[0]
    return Within(begin, end, scope_ranges(scopes), asked.provider_id, asked.division is None, _length(scopes))


async def report(
    tx: Tx, caller: Caller, asked: Question, by: Iterable[By] = (), *, as_of: date | None = None
) -> Report:
    """Raises NotFound (`figures_not_kept`) when nothing was kept at the end of `as_of`."""
    where, wanted = within(caller, asked), list(dict.fromkeys(by))
    kept = None
    if as_of is None:
        cells = await counting.live(tx, where, wanted)
    else:
        if asked.division is not None and len(prefix_of(asked.division)) > STREET:
            raise Invalid("division_too_small", "figures as of a day are kept for streets and above", field="division")
        kept, cells = await snapshots.read(tx, as_of, asked.first, asked.end, where, wanted)
    total = added(cell.counts for cell in cells.get(None, ()))
    groups = {one: await _groups(tx, asked, one, cells.get(one, [])) for one in wanted}
    return Report(asked, figures(total, _about(asked)), groups, kept)


async def listing(
    tx: Tx, caller: Caller, asked: Question, code: str, *, counted: bool | None, before: UUID | None, limit: int
) -> list[Any]:
    """The orders an indicator counts, newest first. Raises NotFound for one without orders behind it."""
    if code not in BY_CODE or not BY_CODE[code].listed:
        raise NotFound("indicator_unknown", "no indicator of orders has this code")
    where = within(caller, asked)
    return await queries_listing.orders(tx, where, code, clock.now(), counted=counted, before=before, limit=limit)


async def _groups(tx: Tx, asked: Question, by: By, cells: list[Cell]) -> list[Group]:
    """By name; days in their order, also those on which nothing was."""
    found: dict[str, list[Cell]] = {}
    if by == "day":
        days = (asked.end - asked.first).days
        found = {(asked.first + timedelta(days=n)).isoformat(): [] for n in range(days)}
    for cell in cells:
        found.setdefault(_key(cell, by), []).append(cell)
    names = await _names(tx, by, found)
    about = _about(asked, by)
    made = [
        Group(key, names.get(key, key), figures(added(cell.counts for cell in own), about))
        for key, own in found.items()
    ]
    return sorted(made, key=lambda one: (one.key == "", one.name if by == "provider" else one.key, one.key))


def _about(asked: Question, by: By | None = None) -> frozenset[About]:
    """What there is to count: a provider has no requests, a division no calls."""
    if asked.provider_id is not None or by == "provider":
        return OF_A_PROVIDER
    return EVERYWHERE if asked.division is None and by != "division" else IN_A_DIVISION


def _key(cell: Cell, by: By) -> str:
    value = {"day": cell.day, "division": cell.division, "provider": cell.provider}[by]
    return "" if value is None else str(value)


async def _names(tx: Tx, by: By, keys: Iterable[str]) -> dict[str, str]:
    known = [key for key in keys if key]
    if by == "provider":
        return {str(i): name for i, name in (await queries_listing.provider_names(tx, map(UUID, known))).items()}
    return await queries_listing.division_names(tx, known) if by == "division" else {}


def _length(scopes: Sequence[str]) -> int:
    """How many digits the divisions one level below have."""
    if len(scopes) != 1:
        return 6
    own = len(prefix_of(scopes[0]))
    return 6 if own < 6 else 9 if own < STREET else 12
