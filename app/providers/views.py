"""Providers and caregivers as others see them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from app.core.db import Tx
from app.core.text import masked_phone
from app.providers import queries
from app.providers.models import CERTIFICATES
from app.providers.ratings import shrunk
from app.providers.schemas import CaregiverView, CertificateView, ProviderView, ScoreView, ShiftView
from app.providers.service import PHONE


async def providers(tx: Tx, rows: Sequence[Any]) -> list[ProviderView]:
    """Views of provider rows; three statements for any number."""
    ids = [row.id for row in rows]
    if not ids:
        return []
    areas = _lists((row.provider_id, row.division_code) for row in await queries.areas(tx, ids))
    items = _lists((row.provider_id, row.item_code) for row in await queries.items(tx, ids))
    cards = _lists((card.provider_id, card) for card in await queries.scorecards(tx, ids))
    return [
        ProviderView(
            id=row.id, name=row.name, uscc=row.uscc, kind=row.kind, status=row.status,
            status_reason=row.status_reason, phone=row.phone, division_code=row.division_code, areas=areas[row.id],
            items=items[row.id], lng=row.lng, lat=row.lat, daily_capacity=row.daily_capacity,
            monthly_quota=row.monthly_quota, record=_record(cards[row.id]), version=row.version,
            created_at=row.created_at, updated_at=row.updated_at,
        )
        for row in rows
    ]  # fmt: skip


async def caregivers(tx: Tx, rows: Sequence[Any]) -> list[CaregiverView]:
    """Views of caregiver rows joined with their scorecard (`queries.caregivers`)."""
    ids = [row.id for row in rows]
    if not ids:
        return []
    certificates = _lists((row.caregiver_id, row) for row in await queries.certificates(tx, ids))
    shifts = _lists((row.caregiver_id, row) for row in await queries.shifts(tx, ids))
    return [
        CaregiverView(
            id=row.id, provider_id=row.provider_id, name=row.name, sex=row.sex,
            phone=masked_phone(tx.vault.open(PHONE, row.id, row.phone)), division_code=row.division_code,
            travel_mode=row.travel_mode, dialect=row.dialect, status=row.status,
            certificates=[_certificate(held) for held in certificates[row.id]],
            shifts=[ShiftView.model_validate(shift) for shift in shifts[row.id]],
            record=_record([row] if row.ratings is not None else []),
        )
        for row in rows
    ]  # fmt: skip


def _lists(pairs: Iterable[tuple[UUID, Any]]) -> dict[UUID, list[Any]]:
    found: dict[UUID, list[Any]] = defaultdict(list)
    for key, value in pairs:
        found[key].append(value)
    return found


def _record(cards: Sequence[Any]) -> ScoreView:
    ratings, total = sum(card.ratings for card in cards), sum(card.score_sum for card in cards)
    return ScoreView(
        ratings=ratings, completed=sum(card.completed for card in cards), score=round(shrunk(total, ratings), 2)
    )


def _certificate(row: Any) -> CertificateView:
    return CertificateView(
        id=row.id, kind=row.kind, name=CERTIFICATES[row.kind], number=row.number, valid_from=row.valid_from,
        valid_to=row.valid_to,
    )  # fmt: skip
