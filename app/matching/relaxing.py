"""What would help when nobody is left. Every answer is a question a person decides; a missing certificate is none."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.db import Tx
from app.matching import search
from app.matching.question import Wish
from app.orders.queries import OrderRow

SHIFTS = (-30, 30, -60, 60, 120)
"""Other begin times, in minutes from the wanted one, nearest first."""
ENOUGH_TIMES = 2
FARTHER = 2.0
"""How much longer a way is looked at than the work rule allows."""


async def relaxations(tx: Tx, order: OrderRow, excluded: list[UUID]) -> list[dict[str, Any]]:
    """What to give up for how many candidates, the least first: another begin time, a longer way, a wish, a provider
    that was asked before. At most one search for each."""
    first = max(order.wanted_from, clock.now())
    now = await search.look(tx, order, excluded, first, widest=True)
    options = await _other_times(tx, order, excluded, first, now.refusals)
    if now.refusals.get("too_far") or not now.refusals or _nobody_near(now.refusals):
        minutes = int(now.max_travel_minutes * FARTHER)
        found = await search.look(tx, order, excluded, first, Wish(max_travel_minutes=minutes), widest=True)
        options += _option("distance", f"路程放宽到 {minutes} 分钟", found)
    if now.refusals.get("gender_wish"):
        found = await search.look(tx, order, excluded, first, Wish(gender_matters=False), widest=True)
        options += _option("gender_wish", "不限性别，需征得老人同意", found)
    if excluded and now.refusals.get("provider_excluded"):
        options += _option("provider", "再问已拒单或超时的企业", await search.look(tx, order, [], first, widest=True))
    return options


async def _other_times(
    tx: Tx, order: OrderRow, excluded: list[UUID], first: Any, refusals: dict[str, int]
) -> list[dict[str, Any]]:
    if not any(refusals.get(rule) for rule in ("off_shift", "absent", "busy")):
        return []
    options: list[dict[str, Any]] = []
    for minutes in SHIFTS:
        starts_at = first + timedelta(minutes=minutes)
        if starts_at < clock.now() or len(options) == ENOUGH_TIMES:
            continue
        found = await search.look(tx, order, excluded, starts_at, widest=True)
        local = starts_at.astimezone(clock.SHANGHAI)
        options += _option("window", f"改为 {local:%H:%M}", found)
    return sorted(options, key=lambda option: abs(option["starts_at"] - first))


def _option(relax: str, label: str, found: search.Found) -> list[dict[str, Any]]:
    count = found.refusals.get("", 0)
    if not count:
        return []
    return [{"relax": relax, "label": label, "starts_at": found.starts_at, "candidates": count}]


def _nobody_near(refusals: dict[str, int]) -> bool:
    """Everybody who was looked at lacks what cannot be given up; only farther away may there be others."""
    return not any(refusals.get(rule) for rule in ("off_shift", "absent", "busy", "gender_wish"))
