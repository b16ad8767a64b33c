"""Deadlines: how long each step may take, by urgency and division. Pure.

The figures are data (`deadline_rule`), versioned and per division; no national figure exists for home care, the
shipped ones are common practice and meant to be edited. Lateness is computed whenever somebody looks; a task
only announces it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from app.orders.lifecycle import Status, Urgency

NAMES = ("dispatch", "accept", "designate", "arrive", "follow_up")

STARTS_AT: dict[Status, tuple[str, ...]] = {
    Status.PLACED: ("dispatch", "arrive"),
    Status.DISPATCHED: ("accept",),
    Status.ACCEPTED: ("designate",),
    Status.COMPLETED: ("follow_up",),
}
"""Which clocks start when an order reaches a status."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`minutes` after the step began, or after the start of the wanted window when `from_window`."""

    division_code: str
    urgency: str
    name: str
    minutes: int
    rural_minutes: int | None
    from_window: bool
    valid_from: date
    valid_to: date | None


def choose(rules: Iterable[Rule], lineage: Sequence[str], urgency: str, name: str, day: date) -> Rule | None:
    """The rule in force on `day` for the most specific division of `lineage`."""
    fitting = [
        rule
        for rule in rules
        if rule.urgency == urgency
        and rule.name == name
        and rule.division_code in lineage
        and rule.valid_from <= day
        and (rule.valid_to is None or day < rule.valid_to)
    ]
    return min(
        fitting,
        key=lambda rule: (lineage.index(rule.division_code), -rule.valid_from.toordinal()),
        default=None,
    )


def due_at(rule: Rule, began_at: datetime, window_from: datetime | None, *, rural: bool = False) -> datetime:
    """When the step must be done. A window deadline never lies before the step began."""
    minutes = rule.rural_minutes if rural and rule.rural_minutes is not None else rule.minutes
    if rule.from_window and window_from is not None:
        return max(window_from + timedelta(minutes=minutes), began_at)
    return began_at + timedelta(minutes=minutes)


def is_late(due: datetime, met: datetime | None, now: datetime) -> bool:
    return (met or now) > due


def started_by(
    status: Status,
    rules: Iterable[Rule],
    lineage: Sequence[str],
    urgency: Urgency | str,
    now: datetime,
    window_from: datetime | None,
    day: date,
    *,
    rural: bool = False,
) -> list[tuple[str, datetime]]:
    """The deadlines, `(name, due_at)`, that begin when an order reaches `status` at `now`."""
    kept = list(rules)
    found = ((name, choose(kept, lineage, urgency, name, day)) for name in STARTS_AT.get(status, ()))
    return [(name, due_at(rule, now, window_from, rural=rural)) for name, rule in found if rule is not None]
