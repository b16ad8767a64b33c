"""Who pays which part of a price. Pure.

The payers are asked in order; each pays its share of the whole price, but never more than is left of the price
and of its quota. The family pays the rest, remainder fen included, so that the parts always add up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.core import money

FULL = "share of the price"
QUOTA_LOW = "quota nearly used up"
QUOTA_GONE = "quota used up"
NO_ASSESSMENT = "no valid assessment"
NOT_COVERED = "item not covered"
NO_ENTITLEMENT = "no entitlement"
REST = "rest of the price"


@dataclass(frozen=True, slots=True)
class Source:
    """One payer besides the family. `refusal` is why it pays nothing, whatever its quota."""

    share_bp: int
    left_fen: int
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class Share:
    amount_fen: int
    reason: str


def divide(amount_fen: int, sources: Sequence[Source]) -> tuple[list[Share], int]:
    """The share of each source, in their order, and what remains for the family.

    Raises ValueError for a negative amount.
    """
    if amount_fen < 0:
        raise ValueError("an amount is not negative")
    rest = amount_fen
    shares = []
    for source in sources:
        share = _share(amount_fen, rest, source)
        shares.append(share)
        rest -= share.amount_fen
    return shares, rest


def _share(amount_fen: int, rest_fen: int, source: Source) -> Share:
    if source.refusal is not None:
        return Share(0, source.refusal)
    due = min(money.share(amount_fen, source.share_bp), rest_fen)
    left = max(source.left_fen, 0)
    if due <= left:
        return Share(due, FULL)
    return Share(left, QUOTA_LOW) if left else Share(0, QUOTA_GONE)
