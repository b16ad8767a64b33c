"""Makers of recurring plans."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.db import Tx
from app.core.http import SYSTEM, Caller
from app.orders import recurring_plans


async def make_recurring_plan(tx: Tx, elder_id: UUID, *, caller: Caller = SYSTEM, **overrides: Any) -> UUID:
    """Home cleaning every day from 9 to 12, from today on; returns the id. Its orders are made at once."""
    usual: dict[str, Any] = {
        "elder_id": elder_id, "item_code": "clean_home", "minutes": 60, "every": 1, "weekdays": [],
        "slots": [{"windows": [(540, 720)]}], "valid_from": clock.today(), "valid_to": None, "holidays": "keep",
        "caregiver_id": None, "provider_id": None, "requester_name": None, "requester_relation": None, "note": None,
    }  # fmt: skip
    return await recurring_plans.make(tx, caller, usual | overrides)


def minutes(hour: int, minute: int = 0) -> int:
    """Minutes after midnight."""
    return hour * 60 + minute


MONDAY = date(2026, 3, 2)
