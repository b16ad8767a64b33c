"""What may become of a transfer. Pure.

    in:  received ─▶ accepted ─▶ replied          out:  sent ─▶ acknowledged ─▶ answered
             └──────────┴──────▶ returned                 └──────────┴────────▶ returned

One that comes in is ours to reply to; one that went out is answered by them, also without their number ever told.
"""

from __future__ import annotations

from enum import StrEnum

from app.core.errors import Conflict


class Direction(StrEnum):
    IN = "in"
    OUT = "out"


class Status(StrEnum):
    RECEIVED = "received"
    ACCEPTED = "accepted"
    REPLIED = "replied"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    ANSWERED = "answered"
    RETURNED = "returned"


FIRST = {Direction.IN: Status.RECEIVED, Direction.OUT: Status.SENT}
LAST = {Direction.IN: Status.REPLIED, Direction.OUT: Status.ANSWERED}
"""What a reply makes of it."""

NEXT: dict[Status, frozenset[Status]] = {
    Status.RECEIVED: frozenset({Status.ACCEPTED, Status.RETURNED}),
    Status.ACCEPTED: frozenset({Status.REPLIED, Status.RETURNED}),
    Status.SENT: frozenset({Status.ACKNOWLEDGED, Status.ANSWERED, Status.RETURNED}),
    Status.ACKNOWLEDGED: frozenset({Status.ANSWERED, Status.RETURNED}),
    Status.REPLIED: frozenset(),
    Status.ANSWERED: frozenset(),
    Status.RETURNED: frozenset(),
}

OPEN = frozenset(status for status, following in NEXT.items() if following)


def check_move(status: Status, to: Status) -> None:
    """Raises Conflict, naming the present state, when the move is not in the table."""
    if to not in NEXT[status]:
        raise Conflict("transfer_move_forbidden", f"a transfer that is {status} does not become {to}", status=status)
