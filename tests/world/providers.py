"""Makers for providers and caregivers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from app.core import clock
from app.core.db import Tx
from app.core.ids import new_id
from app.providers import credit_codes
from app.providers.models import (
    Caregiver,
    CaregiverCertificate,
    CaregiverShift,
    Provider,
    ProviderArea,
    ProviderItem,
)
from app.providers.service import PHONE, phone_index

_numbers = count(1)


def uscc(number: int) -> str:
    """A valid credit code that belongs to nobody."""
    first17 = f"91620302MA{number:07d}"
    return first17 + credit_codes.check_character(first17)


async def make_provider(
    tx: Tx,
    *,
    areas: Sequence[str] = ("620302",),
    items: Sequence[str] = ("clean_home", "bath_home", "meal_home"),
    **overrides: Any,
) -> UUID:
    """An active provider for all of Jinchuan district; returns the id."""
    number, now, provider_id = next(_numbers), clock.now(), new_id()
    values = {
        "id": provider_id, "name": f"安康家政 {number}", "uscc": uscc(number), "kind": "company", "status": "active",
        "phone": "+869358220001", "division_code": "620302", "lng": 102.19, "lat": 38.52, "version": 1,
        "created_at": now, "updated_at": now, **overrides,
    }  # fmt: skip
    await tx.execute(insert(Provider).values(**values))
    for code in areas:
        await tx.execute(insert(ProviderArea).values(provider_id=values["id"], division_code=code))
    for item in items:
        await tx.execute(insert(ProviderItem).values(provider_id=values["id"], item_code=item))
    return values["id"]


async def make_caregiver(
    tx: Tx,
    provider_id: UUID | None = None,
    *,
    phone: str | None = None,
    certificates: Sequence[str] = ("health_certificate", "nursing_assistant"),
    weekdays: Sequence[int] = (1, 2, 3, 4, 5, 6, 7),
    hours: tuple[int, int] = (8, 20),
    **overrides: Any,
) -> UUID:
    """An active caregiver with valid certificates who works every day from 8 to 20; returns the id."""
    number, now, caregiver_id = next(_numbers), clock.now(), new_id()
    if provider_id is None:
        provider_id = await make_provider(tx)
    e164 = phone or f"+8610099{number:06d}"
    values = {
        "id": caregiver_id, "provider_id": provider_id, "name": f"王秀兰{number}", "sex": "female",
        "phone": tx.vault.seal(PHONE, caregiver_id, e164), "phone_index": phone_index(tx, e164),
        "home_lng": 102.18, "home_lat": 38.51, "division_code": "620302001", "travel_mode": "ebike",
        "status": "active", "created_at": now, "updated_at": now, **overrides,
    }  # fmt: skip
    await tx.execute(insert(Caregiver).values(**values))
    for kind in certificates:
        row = {"id": new_id(), "caregiver_id": caregiver_id, "kind": kind, "valid_from": date(2020, 1, 1)}
        await tx.execute(insert(CaregiverCertificate).values(**row))
    for weekday in weekdays:
        row = {"caregiver_id": caregiver_id, "weekday": weekday}
        shift = {"starts_minute": hours[0] * 60, "ends_minute": hours[1] * 60}
        await tx.execute(insert(CaregiverShift).values(**row, **shift))
    return caregiver_id
