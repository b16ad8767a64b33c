"""SQL of searching. `visible` is a condition on `elder.division_code`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, or_, select, tuple_, union

from app.core.db import Tx
from app.elders.models import Elder, ElderNameKey, ElderPhone, ElderTag, FamilyMember

_LAST = "\U0010ffff"


def _begins(column: Any, prefix: str) -> ColumnElement[bool]:
    """Begins with `prefix`, in the bytewise order of the index: plans stay good whatever the collation is."""
    return column.op("~>=~")(prefix) & column.op("~<~")(prefix + _LAST)  # type: ignore[no-any-return]


async def by_name(
    tx: Tx, visible: Any, typed: str, sounds: Sequence[str], after: tuple[int, UUID] | None, limit: int
) -> Sequence[Any]:
    """Rows of (elder_id, rank), by rank and id."""
    key = ElderNameKey.key
    rank = func.min(case((key == typed, 0), (_begins(key, typed), 1), else_=2)).label("rank")
    query = (
        select(ElderNameKey.elder_id, rank)
        .join(Elder, Elder.id == ElderNameKey.elder_id)
        .where(or_(_begins(key, typed), *(_begins(key, sound) for sound in sounds)), visible)
        .group_by(ElderNameKey.elder_id)
        .order_by(rank, ElderNameKey.elder_id)
        .limit(limit)
    )
    if after is not None:
        query = query.having(tuple_(rank, ElderNameKey.elder_id) > after)
    return await tx.all(query)


async def by_phone(tx: Tx, visible: Any, own_index: bytes, family_index: bytes) -> list[UUID]:
    own = select(ElderPhone.elder_id).where(ElderPhone.phone_index == own_index)
    family = select(FamilyMember.elder_id).where(FamilyMember.phone_index == family_index)
    found = union(own, family).subquery()
    return [row.id for row in await tx.all(select(Elder.id).join(found, found.c.elder_id == Elder.id).where(visible))]


async def by_id_number(tx: Tx, visible: Any, index: bytes) -> list[UUID]:
    return [row.id for row in await tx.all(select(Elder.id).where(Elder.id_number_index == index, visible))]


async def by_id_last4(tx: Tx, visible: Any, indexes: Sequence[bytes], limit: int) -> Sequence[Any]:
    return await tx.all(
        select(Elder.id, Elder.id_number)
        .where(Elder.last4_index.in_(indexes), visible)
        .order_by(Elder.id.desc())
        .limit(limit)
    )


async def by_phone_last4(tx: Tx, visible: Any, indexes: Sequence[bytes], limit: int) -> Sequence[Any]:
    return await tx.all(
        select(Elder.id, ElderPhone.id.label("phone_id"), ElderPhone.phone)
        .join(ElderPhone, ElderPhone.elder_id == Elder.id)
        .where(ElderPhone.last4_index.in_(indexes), visible)
        .order_by(Elder.id.desc())
        .limit(limit)
    )


async def districts(tx: Tx, visible: Any) -> list[str]:
    """The districts in which visible elders live."""
    district = func.left(Elder.division_code, 6).label("district")
    return [row.district for row in await tx.all(select(district).where(visible).distinct().order_by(district))]


async def newest(
    tx: Tx,
    visible: Any,
    *,
    status: str | None,
    tag: str | None,
    day: date,
    before: UUID | None,
    limit: int,
) -> list[UUID]:
    """Ids, newest first; `tag` must be in force on `day`."""
    query = select(Elder.id).where(visible).order_by(Elder.id.desc()).limit(limit)
    if status is not None:
        query = query.where(Elder.status == status)
    if tag is not None:
        in_force = select(ElderTag.elder_id).where(
            ElderTag.tag == tag,
            ElderTag.valid_from <= day,
            ElderTag.valid_to.is_(None) | (ElderTag.valid_to >= day),
        )
        query = query.where(Elder.id.in_(in_force))
    if before is not None:
        query = query.where(Elder.id < before)
    return [row.id for row in await tx.all(query)]
