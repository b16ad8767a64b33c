"""The order's life as a table. Pure: no database, no clock.

    placed ─▶ dispatched ─▶ accepted ─▶ assigned ─▶ in_service ─▶ completed ─▶ closed
       ▲          │            │           │  └────────────────────▲  (nobody at the door: failed visit)
       └──────────┴── release ─┴───────────┘
    cancelled from everywhere before in_service

`completed` says that the visit ended; what came of it is the outcome. Suspension and exceptions are flags that
block a move, not places to be in.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Status(StrEnum):
    PLACED = "placed"
    DISPATCHED = "dispatched"
    ACCEPTED = "accepted"
    ASSIGNED = "assigned"
    IN_SERVICE = "in_service"
    COMPLETED = "completed"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class Outcome(StrEnum):
    DONE = "done"
    PARTLY = "partly"
    NOT_DONE = "not_done"


NOT_DONE_BECAUSE = {
    "elder_absent": "老人不在家", "elder_refused": "老人谢绝了服务", "refused": "老人谢绝了服务",
    "caregiver_absent": "服务人员未能到场", "unsafe": "现场存在安全隐患", "out_of_scope": "超出服务范围",
}  # fmt: skip
"""How a reason is said to whoever asks what became of an order; any other is "其他原因"."""


class Urgency(StrEnum):
    EMERGENCY = "emergency"
    URGENT = "urgent"
    NORMAL = "normal"
    APPOINTMENT = "appointment"


class Delivery(StrEnum):
    """Where the instruction is on its way to the provider's app; beside the status, never instead of it."""

    NONE = "none"
    QUEUED = "queued"
    SENT = "sent"
    FETCHED = "fetched"
    EXPIRED = "expired"


S = Status

MOVES: dict[Status, frozenset[Status]] = {
    S.PLACED: frozenset({S.DISPATCHED, S.CANCELLED}),
    S.DISPATCHED: frozenset({S.ACCEPTED, S.PLACED, S.CANCELLED}),
    S.ACCEPTED: frozenset({S.ASSIGNED, S.PLACED, S.CANCELLED}),
    S.ASSIGNED: frozenset({S.ASSIGNED, S.IN_SERVICE, S.COMPLETED, S.PLACED, S.CANCELLED}),
    S.IN_SERVICE: frozenset({S.COMPLETED}),
    S.COMPLETED: frozenset({S.CLOSED}),
    S.CLOSED: frozenset(),
    S.CANCELLED: frozenset(),
}
"""assigned → assigned is a change of caregiver."""

OPEN = frozenset({S.PLACED, S.DISPATCHED, S.ACCEPTED, S.ASSIGNED, S.IN_SERVICE})
TERMINAL = frozenset({S.CLOSED, S.CANCELLED})
CANCELLABLE = SUSPENDABLE = frozenset({S.PLACED, S.DISPATCHED, S.ACCEPTED, S.ASSIGNED})
RELEASABLE = frozenset({S.DISPATCHED, S.ACCEPTED, S.ASSIGNED})
WITH_PROVIDER = frozenset({S.ACCEPTED, S.ASSIGNED, S.IN_SERVICE, S.COMPLETED, S.CLOSED})
IN_HAND = frozenset({S.ACCEPTED, S.ASSIGNED, S.IN_SERVICE})
"""While these hold, the provider must know the door; before and after, it need not (PIPL: no more than necessary)."""
BILLABLE = frozenset({Outcome.DONE, Outcome.PARTLY})

SUSPENDED = "suspended"
COMPLAINT = "complaint"
EXCEPTION = "exception:"

MEETS: dict[Status, str] = {
    S.DISPATCHED: "dispatch",
    S.ACCEPTED: "accept",
    S.ASSIGNED: "designate",
    S.IN_SERVICE: "arrive",
    S.CLOSED: "follow_up",
}
"""Which deadline is met by reaching a status."""


def may_move(before: Status, after: Status) -> bool:
    return after in MOVES[before]


def blocking_flag(flags: Iterable[str], after: Status) -> str | None:
    """The flag that forbids a move to `after`, if one does.

    A blocked order can still be cancelled, and given back to dispatch, where it waits: its offer runs out all the
    same, and no provider may hold an order that nobody may serve.
    """
    if after in {S.CANCELLED, S.PLACED}:
        return None
    return next((flag for flag in flags if flag == SUSPENDED or flag.startswith(EXCEPTION)), None)


def next_actions(status: Status, flags: Iterable[str]) -> list[str]:
    """What the desk may do next, in the order a client should draw the buttons."""
    raised = set(flags)
    if SUSPENDED in raised:
        return ["resume", "cancel"] if status in CANCELLABLE else ["resume"]
    actions = {
        S.PLACED: ["assign", "redispatch", "suspend", "cancel"],
        S.DISPATCHED: ["redispatch", "suspend", "cancel"],
        S.ACCEPTED: ["redispatch", "suspend", "cancel"],
        S.ASSIGNED: ["redispatch", "suspend", "cancel"],
        S.IN_SERVICE: [],
        S.COMPLETED: ["follow_up", "reopen"],
        S.CLOSED: ["reopen"],
        S.CANCELLED: [],
    }
    return actions[status]
