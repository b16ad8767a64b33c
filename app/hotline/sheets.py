"""How a call is judged: a sheet of items with points, and what a check of a call comes to. Pure.

A sheet has 100 points. Some items are critical: who misses one has failed, whatever else went well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

WHOLE = 100


@dataclass(frozen=True, slots=True)
class Item:
    """`points`: the most it can give."""

    code: str
    label: str
    points: int
    critical: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    total: int
    missed: tuple[str, ...]
    """Critical items that got nothing."""

    @property
    def failed(self) -> bool:
        return bool(self.missed)


class SheetError(ValueError):
    """The sheet, or what was given by it, makes no sense."""


def checked(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """The same items. Raises SheetError unless they are distinct and have a hundred points together."""
    if len({item.code for item in items}) < len(items):
        raise SheetError("an item is listed once")
    if any(item.points <= 0 for item in items) or sum(item.points for item in items) != WHOLE:
        raise SheetError(f"a sheet has {WHOLE} points, and every item some of them")
    return items


def judged(items: tuple[Item, ...], given: Mapping[str, int]) -> Verdict:
    """What the points given come to; a missed critical item leaves nothing of the rest.

    Raises SheetError unless every item of the sheet, and no other, is given between nothing and its points.
    """
    if set(given) != {item.code for item in items}:
        raise SheetError("every item of the sheet is judged, and no other")
    if any(not 0 <= given[item.code] <= item.points for item in items):
        raise SheetError("an item gives between nothing and its points")
    missed = tuple(item.code for item in items if item.critical and given[item.code] == 0)
    return Verdict(0 if missed else sum(given.values()), missed)
