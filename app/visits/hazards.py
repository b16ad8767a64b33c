"""What a caregiver noticed at the door and somebody has to see to: told once per report, whatever became of it.

A report that came late, or from somebody who no longer holds the order, counts for no visit, but the gas still leaks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from app.orders.queries import OrderRow
from app.visits.events import HazardReported
from app.visits.inbox import Arrival
from app.visits.journal import Kind

URGENT = frozenset({"gas", "fire", "health"})
"""Kinds that wait for nobody; a provider's own code may say more (`gas_smell`). A house rule."""
UNSPECIFIED = "unspecified"
_WORD = re.compile(r"[_.:-]")


def family_of(code: str) -> str:
    """The general kind a code belongs to: its first word."""
    return _WORD.split(code, maxsplit=1)[0]


def is_urgent(code: str) -> bool:
    return family_of(code) in URGENT


def reported(order: OrderRow, fresh: Iterable[Arrival], now: datetime) -> list[HazardReported]:
    """The hazards among events that were stored just now."""
    return [
        HazardReported(
            order_id=order.id, elder_id=order.elder_id, caregiver_id=one.event.caregiver_id,
            code=one.event.reason_code or UNSPECIFIED, note=one.event.note, occurred_at=one.event.occurred_at, at=now,
        )
        for one in fresh
        if one.event.type is Kind.HAZARD_REPORTED
    ]  # fmt: skip
