"""An offer's states. Pure.

offered ─▶ accepted
   ├─────▶ refused      by the provider, with a reason
   ├─────▶ expired      its deadline passed
   └─────▶ withdrawn    by the centre, because the order was cancelled, or because another provider was first
                        to grab it; cannot be accepted any more
accepted ─▶ withdrawn   the order was taken back (caregiver ill, designation overdue)
"""

from __future__ import annotations

from collections.abc import Iterable
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


def may_move(before: OfferStatus, after: OfferStatus) -> bool:
    return after in MOVES[before]


def furthest(deliveries: Iterable[str]) -> str:
    """The delivery an order shows, out of those of its open offers (at least one)."""
    return max(deliveries, key=ON_ITS_WAY.index)
