"""What may become of a care request. Pure.

                 confirmed  answered  rejected  merged  escalated
    service          x         x         x        x
    consultation               x         x        x
    suggestion                 x         x        x
    complaint                  x         x        x        x (on arrival)
    emergency                  x                  x        x (on arrival)

Only a service becomes an order. An emergency is never rejected: it is answered with what was done about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from app.core.errors import Conflict


class Channel(StrEnum):
    HOTLINE = "hotline"
    APP = "app"
    WECHAT = "wechat"
    WEB = "web"
    STATION = "station"
    DEVICE = "device"
    TRANSFER_12345 = "transfer_12345"


class Kind(StrEnum):
    SERVICE = "service"
    CONSULTATION = "consultation"
    COMPLAINT = "complaint"
    EMERGENCY = "emergency"
    SUGGESTION = "suggestion"


class Urgency(StrEnum):
    EMERGENCY = "emergency"
    URGENT = "urgent"
    NORMAL = "normal"
    APPOINTMENT = "appointment"


class Status(StrEnum):
    NEW = "new"
    CONFIRMED = "confirmed"
    ANSWERED = "answered"
    REJECTED = "rejected"
    MERGED = "merged"
    ESCALATED = "escalated"


OPEN = frozenset({Status.NEW, Status.ESCALATED})
TERMINAL = frozenset(Status) - OPEN

NEXT: dict[Status, frozenset[Status]] = {
    Status.NEW: frozenset({Status.CONFIRMED, Status.ANSWERED, Status.REJECTED, Status.MERGED, Status.ESCALATED}),
    Status.ESCALATED: frozenset({Status.ANSWERED, Status.REJECTED, Status.MERGED}),
    Status.CONFIRMED: frozenset(),
    Status.ANSWERED: frozenset(),
    Status.REJECTED: frozenset(),
    Status.MERGED: frozenset(),
}

ENDS: dict[Kind, frozenset[Status]] = {
    Kind.SERVICE: frozenset({Status.CONFIRMED, Status.ANSWERED, Status.REJECTED, Status.MERGED}),
    Kind.CONSULTATION: frozenset({Status.ANSWERED, Status.REJECTED, Status.MERGED}),
    Kind.SUGGESTION: frozenset({Status.ANSWERED, Status.REJECTED, Status.MERGED}),
    Kind.COMPLAINT: frozenset({Status.ESCALATED, Status.ANSWERED, Status.REJECTED, Status.MERGED}),
    Kind.EMERGENCY: frozenset({Status.ESCALATED, Status.ANSWERED, Status.MERGED}),
}

HANDED_ON = frozenset({Kind.COMPLAINT, Kind.EMERGENCY})
"""Kinds that do not wait at the desk: they are escalated in the transaction that receives them."""


def first_status(kind: Kind) -> Status:
    return Status.ESCALATED if kind in HANDED_ON else Status.NEW


def allowed(kind: Kind, status: Status) -> frozenset[Status]:
    """Where a request of this kind may go from here."""
    return NEXT[status] & ENDS[kind]


def check_move(kind: Kind, status: Status, to: Status) -> None:
    """Raises Conflict, naming the present state, when the move is not in the tables above."""
    if to in allowed(kind, status):
        return
    if status in TERMINAL:
        raise Conflict("care_request_closed", f"the request is already {status}", status=status, kind=kind)
    raise Conflict("care_request_move_forbidden", f"a {kind} request does not become {to}", status=status, kind=kind)


def check_reclassification(kind: Kind, status: Status, to: Kind) -> None:
    """An operator may say what an open request really is. Raises Conflict.

    What was handed on stays with whoever has it: an emergency stays one, a complaint can only turn out to be one.
    """
    if status not in OPEN:
        raise Conflict("care_request_closed", f"the request is already {status}", status=status, kind=kind)
    if kind is Kind.EMERGENCY and to is not Kind.EMERGENCY:
        raise Conflict("emergency_stays", "close an emergency with an answer that says what was done", kind=kind)
    if kind is Kind.COMPLAINT and to not in {Kind.COMPLAINT, Kind.EMERGENCY}:
        raise Conflict("complaint_stays", "a complaint is being looked into; take a new request", kind=kind)


def missing(kind: Kind, *, elder: bool, item: bool, caller: bool, place: bool) -> list[str]:
    """What the desk has to find out before the request can go on, in the order one would ask.

    `elder`, `item`, `caller` (a name or a phone) and `place` (an elder, an address or a division) say what is known.
    """
    wants = {
        Kind.SERVICE: (("elder", elder), ("item_code", item)),
        Kind.EMERGENCY: (("elder", elder), ("address", place)),
        Kind.COMPLAINT: (("caller", caller),),
        Kind.CONSULTATION: (),
        Kind.SUGGESTION: (),
    }[kind]
    return [name for name, known in wants if not known]


@dataclass(frozen=True, slots=True)
class Wish:
    """What two requests (or a request and an order) are compared by."""

    item_code: str | None
    day: date | None
    """The wanted service day; of a request without a time, the day it was made."""


def likeness(new: Wish, old: Wish) -> list[str]:
    """Why `old` may be the same wish as `new`, strongest first: "same_item", "same_day", else just "same_elder"."""
    reasons = []
    if new.item_code is not None and new.item_code == old.item_code:
        reasons.append("same_item")
    if new.day is not None and new.day == old.day:
        reasons.append("same_day")
    return reasons or ["same_elder"]


def window_fault(wanted_from: datetime, wanted_to: datetime | None, now: datetime) -> str | None:
    """What is wrong with a wanted window, or None. Up to an hour late is a slow form, not a mistake."""
    if wanted_to is not None and wanted_to <= wanted_from:
        return "the window ends before it starts"
    if (now - (wanted_to or wanted_from)).total_seconds() > 3600:
        return "the window lies in the past"
    if (wanted_from - now).days > 366:
        return "the window is more than a year away"
    return None
