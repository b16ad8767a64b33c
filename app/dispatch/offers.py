"""An offer's states, and when the visit would be. Pure.

offered ─▶ accepted
   ├─────▶ refused      by the provider, with a reason
   ├─────▶ expired      its deadline passed
   └─────▶ withdrawn    by the centre, because the order was cancelled, or because another provider was first
                        to grab it; cannot be accepted any more
accepted ─▶ withdrawn   the order was taken back (caregiver ill, designation overdue)
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum


class OfferStatus(StrEnum):
    OFFERED = "offered"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


MOVES: dict[OfferStatus, frozenset[OfferStatus]] = {
    OfferStatus.OFFERED: frozenset(set(OfferStatus) - {OfferStatus.OFFERED}),
    OfferStatus.ACCEPTED: frozenset({OfferStatus.WITHDRAWN}),
    OfferStatus.REFUSED: frozenset(),
    OfferStatus.EXPIRED: frozenset(),
    OfferStatus.WITHDRAWN: frozenset(),
}

MAX_ATTEMPTS = 6
"""Rounds of offers per order before a person has to look."""

TAKEN_BY_OTHER = "taken_by_other"
"""Why an offer to grab was withdrawn: somebody was first."""

IN_OTHERS_HANDS = "in_others_hands"
"""Why an order waits for the next sweep: whoever could come was just being decided on by others."""

ON_ITS_WAY = ("queued", "sent", "fetched")
"""How far an open offer has come to its provider's system."""

TURNAROUND = timedelta(minutes=5)
"""Kept free after a visit, beside the travel to the next one."""

STEP = timedelta(minutes=30)
MAX_STARTS = 8

LEAD = {
    "emergency": timedelta(minutes=5),
    "urgent": timedelta(minutes=15),
    "normal": timedelta(minutes=30),
    "appointment": timedelta(0),
}
"""How soon a visit may begin when it is wanted as soon as possible."""


def may_move(before: OfferStatus, after: OfferStatus) -> bool:
    return after in MOVES[before]


def furthest(deliveries: Iterable[str]) -> str:
    """The delivery an order shows, out of those of its open offers (at least one)."""
    return max(deliveries, key=ON_ITS_WAY.index)


def possible_starts(
    wanted_from: datetime, wanted_to: datetime | None, minutes: int, urgency: str, now: datetime
) -> list[datetime]:
    """Begin times to try, earliest first, at most MAX_STARTS.

    With a window, every half hour that still lets the visit end inside it; without one, from the lead time on.
    """
    earliest = max(wanted_from, now + LEAD[urgency])
    latest = wanted_to - timedelta(minutes=minutes) if wanted_to else earliest + STEP * (MAX_STARTS - 1)
    starts = [earliest + STEP * i for i in range(MAX_STARTS)]
    return [start for start in starts if start <= latest] or [earliest]


def occupied(starts_at: datetime, minutes: int, travel_minutes: int) -> tuple[datetime, datetime]:
    """The half-open interval a booking blocks: travel there, the visit, the turnaround."""
    return starts_at - timedelta(minutes=travel_minutes), starts_at + timedelta(minutes=minutes) + TURNAROUND
