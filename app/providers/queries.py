"""SQL of providers and caregivers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, insert, select, update

from app.core.db import Tx
from app.providers.models import (
    Caregiver,
    CaregiverAbsence,
    CaregiverCertificate,
    CaregiverShift,
    Provider,
    ProviderArea,
    ProviderItem,
    Scorecard,
)

PROVIDER = """SELECT id, name, uscc, kind, status, phone, division_code, lng, lat, daily_capacity, monthly_quota,
  version
FROM provider WHERE id = $1"""

CAREGIVER = "SELECT id, provider_id, name, sex, status FROM caregiver WHERE id = $1"

BY_PHONE = """SELECT id, provider_id, name, sex, status FROM caregiver
WHERE phone_index = $1 AND status = 'active' ORDER BY id"""

RECORD = "SELECT ratings, score_sum, completed FROM scorecard WHERE caregiver_id = $1"

ELSEWHERE = """SELECT c.id, c.provider_id, c.name, p.name AS provider FROM caregiver mine
JOIN caregiver c ON c.phone_index = mine.phone_index AND c.id <> mine.id AND c.status = 'active'
JOIN provider p ON p.id = c.provider_id WHERE mine.id = $1 ORDER BY c.id"""

RATE = """INSERT INTO scorecard (caregiver_id, provider_id, ratings, score_sum, completed)
VALUES ($1, $2, 1, $3, 0)
ON CONFLICT (caregiver_id) DO UPDATE SET ratings = scorecard.ratings + 1, score_sum = scorecard.score_sum + $3"""

COMPLETE = """INSERT INTO scorecard (caregiver_id, provider_id, ratings, score_sum, completed, last_completed_at)
VALUES ($1, $2, 0, 0, 1, $3)
ON CONFLICT (caregiver_id) DO UPDATE SET completed = scorecard.completed + 1,
  last_completed_at = greatest(scorecard.last_completed_at, $3)"""

MEET = """INSERT INTO continuity (elder_id, caregiver_id, visits, last_at) VALUES ($1, $2, 1, $3)
ON CONFLICT (elder_id, caregiver_id) DO UPDATE SET visits = continuity.visits + 1,
  last_at = greatest(continuity.last_at, $3)"""


async def provider(tx: Tx, provider_id: UUID) -> Any:
    return await tx.fetchrow(PROVIDER, provider_id)


async def caregiver(tx: Tx, caregiver_id: UUID) -> Any:
    return await tx.fetchrow(CAREGIVER, caregiver_id)


async def caregivers_by_phone(tx: Tx, phone_index: bytes) -> list[Any]:
    return await tx.fetch(BY_PHONE, phone_index)


async def rate(tx: Tx, caregiver_id: UUID, provider_id: UUID, score: int) -> None:
    tx.later("scorecard", RATE, caregiver_id, provider_id, score)


async def complete(tx: Tx, caregiver_id: UUID, provider_id: UUID, elder_id: UUID, at: datetime) -> None:
    tx.later("scorecard", COMPLETE, caregiver_id, provider_id, at)
    tx.later("continuity", MEET, elder_id, caregiver_id, at)


async def add(tx: Tx, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows into one of this room's tables."""
    if rows:
        await tx.execute(insert(table), list(rows))


async def replace(tx: Tx, table: Any, which: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Put `rows` in the place of those that `which` selects."""
    await tx.execute(delete(table).where(which))
    await add(tx, table, rows)


async def provider_rows(tx: Tx, provider_ids: Sequence[UUID]) -> Sequence[Any]:
    return await tx.all(select(Provider.__table__).where(Provider.id.in_(provider_ids)))


async def lock_provider(tx: Tx, provider_id: UUID) -> Any:
    return await tx.first(select(Provider.__table__).where(Provider.id == provider_id).with_for_update(key_share=True))


async def change_provider(tx: Tx, provider_id: UUID, values: Mapping[str, Any]) -> None:
    await tx.execute(update(Provider).where(Provider.id == provider_id).values(version=Provider.version + 1, **values))


async def providers(
    tx: Tx,
    visible: ColumnElement[bool],
    *,
    status: str | None,
    serving: Sequence[str] | None,
    item_code: str | None,
    after: UUID | None,
    limit: int,
) -> Sequence[Any]:
    """Providers by id; `serving` is the lineage of a division at least one of whose rows the provider serves."""
    query = select(Provider.__table__).where(visible).order_by(Provider.id).limit(limit)
    if status is not None:
        query = query.where(Provider.status == status)
    if serving is not None:
        area = select(ProviderArea.provider_id).where(ProviderArea.division_code.in_(serving))
        query = query.where(Provider.id.in_(area))
    if item_code is not None:
        offered = select(ProviderItem.provider_id).where(ProviderItem.item_code == item_code)
        query = query.where(Provider.id.in_(offered))
    if after is not None:
        query = query.where(Provider.id > after)
    return await tx.all(query)


async def areas(tx: Tx, provider_ids: Sequence[UUID]) -> Sequence[Any]:
    return await tx.all(
        select(ProviderArea.provider_id, ProviderArea.division_code)
        .where(ProviderArea.provider_id.in_(provider_ids))
        .order_by(ProviderArea.division_code)
    )


async def items(tx: Tx, provider_ids: Sequence[UUID]) -> Sequence[Any]:
    return await tx.all(
        select(ProviderItem.provider_id, ProviderItem.item_code)
        .where(ProviderItem.provider_id.in_(provider_ids))
        .order_by(ProviderItem.item_code)
    )


def _with_record() -> Select[Any]:
    return select(Caregiver.__table__, Scorecard.ratings, Scorecard.score_sum, Scorecard.completed).outerjoin(
        Scorecard, Scorecard.caregiver_id == Caregiver.id
    )


async def caregivers(tx: Tx, provider_id: UUID, *, status: str | None, after: UUID | None, limit: int) -> Sequence[Any]:
    """Caregivers of a provider with their scorecard (nulls without one), by id."""
    query = _with_record().where(Caregiver.provider_id == provider_id).order_by(Caregiver.id).limit(limit)
    if status is not None:
        query = query.where(Caregiver.status == status)
    if after is not None:
        query = query.where(Caregiver.id > after)
    return await tx.all(query)


async def caregivers_by_id(tx: Tx, caregiver_ids: Sequence[UUID]) -> Sequence[Any]:
    return await tx.all(_with_record().where(Caregiver.id.in_(caregiver_ids)))


async def caregiver_row(tx: Tx, provider_id: UUID, caregiver_id: UUID) -> Any:
    return await tx.first(
        select(Caregiver.__table__).where(Caregiver.id == caregiver_id, Caregiver.provider_id == provider_id)
    )


async def change_caregiver(tx: Tx, caregiver_id: UUID, values: Mapping[str, Any]) -> None:
    await tx.execute(update(Caregiver).where(Caregiver.id == caregiver_id).values(**values))


async def certificates(tx: Tx, caregiver_ids: Sequence[UUID]) -> Sequence[Any]:
    return await tx.all(
        select(CaregiverCertificate.__table__)
        .where(CaregiverCertificate.caregiver_id.in_(caregiver_ids))
        .order_by(CaregiverCertificate.kind, CaregiverCertificate.valid_from)
    )


async def shifts(tx: Tx, caregiver_ids: Sequence[UUID]) -> Sequence[Any]:
    return await tx.all(
        select(CaregiverShift.__table__)
        .where(CaregiverShift.caregiver_id.in_(caregiver_ids))
        .order_by(CaregiverShift.weekday, CaregiverShift.starts_minute)
    )


async def put_shifts(tx: Tx, caregiver_id: UUID, rows: Sequence[Mapping[str, Any]]) -> None:
    await replace(tx, CaregiverShift, CaregiverShift.caregiver_id == caregiver_id, rows)


async def absences(tx: Tx, caregiver_id: UUID, since: datetime) -> Sequence[Any]:
    return await tx.all(
        select(CaregiverAbsence.__table__)
        .where(CaregiverAbsence.caregiver_id == caregiver_id, CaregiverAbsence.ends_at > since)
        .order_by(CaregiverAbsence.starts_at)
    )


async def scorecards(tx: Tx, provider_ids: Sequence[UUID]) -> Sequence[Any]:
    return await tx.all(select(Scorecard.__table__).where(Scorecard.provider_id.in_(provider_ids)))


async def record(tx: Tx, caregiver_id: UUID) -> Any:
    """Sums of one caregiver; None before the first visit."""
    return await tx.fetchrow(RECORD, caregiver_id)


async def elsewhere(tx: Tx, caregiver_id: UUID) -> list[Any]:
    """Where else somebody with this caregiver's phone works."""
    return await tx.fetch(ELSEWHERE, caregiver_id)
