"""The statement's states as a table: which act leads from where to where. Pure."""

from __future__ import annotations

from enum import StrEnum

from app.core.errors import Conflict


class Status(StrEnum):
    DRAFT = "draft"
    ISSUED = "issued"
    CONFIRMED = "confirmed"
    DISPUTED = "disputed"
    REVIEWED = "reviewed"
    APPROVED = "approved"
    PAID = "paid"
    VOID = "void"


class Act(StrEnum):
    REFRESH = "refresh"
    EMPTY = "empty"
    ISSUE = "issue"
    CONFIRM = "confirm"
    DISPUTE = "dispute"
    REVIEW = "review"
    APPROVE = "approve"
    PAY = "pay"


MOVES: dict[tuple[Status, Act], Status] = {
    (Status.DRAFT, Act.REFRESH): Status.DRAFT,
    (Status.DRAFT, Act.EMPTY): Status.VOID,  # a draft all of whose orders went away
    (Status.DRAFT, Act.ISSUE): Status.ISSUED,
    (Status.ISSUED, Act.CONFIRM): Status.CONFIRMED,
    (Status.ISSUED, Act.DISPUTE): Status.DISPUTED,
    (Status.ISSUED, Act.REVIEW): Status.REVIEWED,  # only after the provider's time to answer has passed
    (Status.CONFIRMED, Act.REVIEW): Status.REVIEWED,
    (Status.DISPUTED, Act.DISPUTE): Status.DISPUTED,  # further lines
    (Status.DISPUTED, Act.REVIEW): Status.REVIEWED,
    (Status.REVIEWED, Act.APPROVE): Status.APPROVED,
    (Status.APPROVED, Act.PAY): Status.PAID,
}

CLOSED = frozenset(Status) - {Status.DRAFT, Status.VOID}
"""The period is closed for the provider: what comes later belongs to the next one."""

TERMINAL = frozenset({Status.PAID, Status.VOID})


def after(status: Status, act: Act) -> Status:
    """Where `act` leads from `status`. Raises Conflict `statement_state` with the current status."""
    try:
        return MOVES[status, act]
    except KeyError:
        raise Conflict("statement_state", f"a statement that is {status} takes no {act}", status=str(status)) from None


def next_acts(status: Status) -> list[Act]:
    """What may happen next, in the order of the table."""
    return [act for (before, act) in MOVES if before is status]
