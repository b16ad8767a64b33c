"""One visit after another: a meal half an hour to an hour after the insulin. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from app.rounds.facts import DayOrder, task_of
from app.routing.possibility import allowed
from app.routing.problem import Caregiver, Link, Task, Window, narrowed

WINDOW_OVER = "window_over"
"""Nothing is left of the time in which a visit is wanted."""


def windows_after(
    order: DayOrder, orders: Iterable[DayOrder], found: Mapping[str, tuple[Window, ...] | str]
) -> tuple[Window, ...] | str:
    """Its windows; where the visit it has to follow stays as it is booked, what of them is left after that."""
    windows = found[order.id]
    if isinstance(windows, str):
        return windows
    if order.between is not None and isinstance(windows := _cut(windows, *order.between), str):
        return windows
    if order.follows is None or not isinstance(found.get(order.follows[0]), str):
        return windows
    before, least, most = order.follows
    begins = [held.starts for one in orders if one.id == before for held in one.held]
    if not begins:
        return windows
    return _cut(windows, min(begins) + least, min(begins) + most)


def _cut(windows: Iterable[Window], since: int, till: int) -> tuple[Window, ...] | str:
    return narrowed(windows, since, till) or WINDOW_OVER


def successions(
    orders: Iterable[DayOrder], planned: set[str], tasks: Iterable[Task], caregivers: Iterable[Caregiver]
) -> list[Link]:
    """Links of visits that have to follow others. Where nobody may do the second, the first does not fall with it."""
    by_id, people = {one.id: one for one in tasks}, list(caregivers)
    return [
        Link(task_of(before), task_of(order.id), least, most, different_caregivers=False)
        for order in orders
        if order.follows is not None and order.id in planned
        for before, least, most in [order.follows]
        if before in planned and any(allowed(by_id[task_of(order.id)], one) for one in people)
    ]
