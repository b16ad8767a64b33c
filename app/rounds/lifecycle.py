"""A day plan's states and a disruption's. Pure.

draft ─▶ solving ─▶ ready ─▶ published
  │         ├─────▶ failed      with a reason; nothing was changed
  ├─────────┴──┬──▶ discarded   by a person
  └─▶ failed   └─ (from ready too)

A plan that is published stands for what was done; what happens to its visits afterwards is the orders' own story.
"""

from __future__ import annotations

from enum import StrEnum


class PlanStatus(StrEnum):
    DRAFT = "draft"
    SOLVING = "solving"
    READY = "ready"
    FAILED = "failed"
    PUBLISHED = "published"
    DISCARDED = "discarded"


S = PlanStatus

MOVES: dict[PlanStatus, frozenset[PlanStatus]] = {
    S.DRAFT: frozenset({S.SOLVING, S.FAILED, S.DISCARDED}),
    S.SOLVING: frozenset({S.SOLVING, S.READY, S.FAILED, S.DISCARDED}),
    S.READY: frozenset({S.PUBLISHED, S.DISCARDED}),
    S.FAILED: frozenset(),
    S.PUBLISHED: frozenset(),
    S.DISCARDED: frozenset(),
}
"""solving → solving is another worker that takes over from one that died."""

AT_WORK = frozenset({S.DRAFT, S.SOLVING})
"""One plan per scope and day is at work at a time."""


class RepairStatus(StrEnum):
    """A disruption: repairs are looked for, shown, and one of them booked."""

    SEARCHING = "searching"
    OPEN = "open"
    FAILED = "failed"
    CHOSEN = "chosen"


class Kind(StrEnum):
    """What broke the day."""

    CAREGIVER_ILL = "caregiver_ill"
    EMERGENCY = "emergency"
    OVERRUN = "overrun"


def may_move(before: PlanStatus, after: PlanStatus) -> bool:
    return after in MOVES[before]
