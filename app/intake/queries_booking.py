"""SQL of booking rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from app.core.db import Tx

DIRECT = """SELECT direct FROM booking_rule WHERE division_code = ANY($1::text[]) AND valid_from <= $2
ORDER BY array_position($1::text[], division_code), valid_from DESC LIMIT 1"""
SET = """INSERT INTO booking_rule (division_code, valid_from, direct, reason, set_by, set_at)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING"""


async def direct(tx: Tx, lineage: Sequence[str], day: date) -> bool:
    """What the nearest place with a rule says; False where none has one."""
    return bool(await tx.fetchval(DIRECT, list(lineage), day))


async def set_rule(tx: Tx, *values: Any) -> bool:
    """False when this place has a rule from that day on."""
    return await tx.run(SET, *values) == 1
