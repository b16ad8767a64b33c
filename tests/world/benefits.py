"""Makers for benefits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from app.benefits.models import Entitlement, Scheme
from app.core.db import Tx
from app.core.ids import new_id

_numbers = count(1)


async def make_scheme(
    tx: Tx, *, item_codes: Sequence[str] = ("clean_home", "bath_home", "meal_home"), **overrides: Any
) -> UUID:
    """Government purchase in Jinchang that pays 80 % of the price; returns the id."""
    values = {
        "id": new_id(), "code": f"gov{next(_numbers)}", "name": "政府购买居家养老服务", "payer": "government",
        "division_code": "620300", "share_bp": 8000, "item_codes": list(item_codes), "requires_assessment": True,
        "position": 1, "valid_from": date(2020, 1, 1), "valid_to": None, **overrides,
    }  # fmt: skip
    await tx.execute(insert(Scheme).values(**values))
    return values["id"]


async def make_entitlement(tx: Tx, elder_id: UUID, scheme_id: UUID | None = None, **overrides: Any) -> UUID:
    """200 yuan a month, assessed until the end of 2099; returns the id."""
    if scheme_id is None:
        scheme_id = await make_scheme(tx)
    values = {
        "id": new_id(), "elder_id": elder_id, "scheme_id": scheme_id, "monthly_quota_fen": 20_000,
        "assessed_until": date(2099, 12, 31), "valid_from": date(2020, 1, 1), "valid_to": None, **overrides,
    }  # fmt: skip
    await tx.execute(insert(Entitlement).values(**values))
    return values["id"]
