"""How an order's way is drawn for its family: four steps, each behind us, now, or to come. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app.followup.schemas import FamilyOrder

NAMES = ("arranged", "on_the_way", "arrived", "left")
State = Literal["done", "now", "next"]


@dataclass(frozen=True, slots=True)
class Step:
    """`at`: when it happened, where that is known and may be shown."""

    name: str
    state: State
    at: datetime | None = None


def steps(order: FamilyOrder) -> list[Step]:
    """None for an order that was called off or could not be done: there is no way to draw."""
    if order.stage in {"cancelled", "not_done"}:
        return []
    times = {"on_the_way": order.departed_at, "arrived": order.arrived_at or order.began_at, "left": order.left_at}
    reached = NAMES.index(order.stage) if order.stage in NAMES else -1
    current = max(reached, 0)
    over = order.stage == "left"

    def state(position: int) -> State:
        if position < current or over or (position, reached) == (0, 0):
            return "done"
        return "now" if position == current else "next"

    return [Step(name, state(i), times.get(name) if i <= reached else None) for i, name in enumerate(NAMES)]
