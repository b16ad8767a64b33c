"""SQL of the elders' register."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from app.core.db import Tx
from app.elders.models import Elder, ElderNameKey, ElderPhone, ElderTag, FamilyMember

FACTS = """SELECT e.id, e.name, e.sex, e.birth_date, e.division_code, e.lng, e.lat, e.gender_wish, e.status,
  ARRAY(SELECT tag FROM elder_tag t WHERE t.elder_id = e.id AND t.valid_from <= $2
    AND (t.valid_to IS NULL OR t.valid_to >= $2) ORDER BY tag) AS tags
FROM elder e WHERE e.id = $1"""

DOORS = """SELECT e.id, e.address, e.lng, e.lat, e.health_note, p.id AS phone_id, p.phone
FROM elder e
LEFT JOIN LATERAL (
  SELECT id, phone FROM elder_phone WHERE elder_id = e.id ORDER BY position, id LIMIT 1
) p ON true
WHERE e.id = ANY($1)"""

BY_PHONE = """SELECT DISTINCT ON (elder_id) elder_id, name, relation FROM (
  SELECT e.id AS elder_id, e.name, p.relation, 0 AS rank FROM elder_phone p JOIN elder e ON e.id = p.elder_id
  WHERE p.phone_index = $1 AND e.status = 'active'
  UNION ALL
  SELECT e.id, e.name, f.relation, 1 FROM family_member f JOIN elder e ON e.id = f.elder_id
  WHERE f.phone_index = $2 AND e.status = 'active'
) found ORDER BY elder_id, rank"""

IS_FAMILY = """SELECT EXISTS (SELECT FROM family_member f JOIN elder e ON e.id = f.elder_id
WHERE f.phone_index = $1 AND e.status = 'active')"""

SAME_PHONE = """SELECT DISTINCT e.id FROM elder_phone mine
JOIN elder_phone theirs ON theirs.phone_index = mine.phone_index AND theirs.elder_id <> mine.elder_id
JOIN elder e ON e.id = theirs.elder_id
WHERE mine.elder_id = $1 ORDER BY e.id LIMIT 50"""


async def facts(tx: Tx, elder_id: UUID, day: date) -> Any:
    return await tx.fetchrow(FACTS, elder_id, day)


async def doors(tx: Tx, elder_ids: Sequence[UUID]) -> list[Any]:
    return await tx.fetch(DOORS, list(elder_ids))


async def by_phone(tx: Tx, own_index: bytes, family_index: bytes) -> list[Any]:
    return await tx.fetch(BY_PHONE, own_index, family_index)


async def same_phone(tx: Tx, elder_id: UUID) -> list[UUID]:
    """Other elders who share a phone with this one."""
    return [row["id"] for row in await tx.fetch(SAME_PHONE, elder_id)]


async def add(tx: Tx, values: Mapping[str, Any]) -> None:
    await tx.execute(insert(Elder).values(**values))


async def change(tx: Tx, elder_id: UUID, version: int, values: Mapping[str, Any]) -> bool:
    """Write `values` and the next version, if `version` is still current."""
    done = await tx.execute(
        update(Elder).where(Elder.id == elder_id, Elder.version == version).values(version=version + 1, **values)
    )
    return done.rowcount == 1


async def row(tx: Tx, elder_id: UUID) -> Any:
    return await tx.first(select(Elder.__table__).where(Elder.id == elder_id))


async def rows(tx: Tx, elder_ids: Sequence[UUID]) -> Sequence[Any]:
    return await tx.all(select(Elder.__table__).where(Elder.id.in_(elder_ids)))


async def holder_of_id_number(tx: Tx, index: bytes) -> Any:
    return await tx.first(select(Elder.id, Elder.division_code).where(Elder.id_number_index == index))


async def namesakes(tx: Tx, pinyin: str, birth_date: date, not_this: UUID) -> Sequence[Any]:
    """Elders whose name sounds the same and who were born the same day."""
    return await tx.all(
        select(Elder.id, Elder.division_code)
        .join(ElderNameKey, ElderNameKey.elder_id == Elder.id)
        .where(ElderNameKey.key == pinyin, Elder.birth_date == birth_date, Elder.id != not_this)
        .limit(5)
    )


async def put_name_keys(tx: Tx, elder_id: UUID, keys: set[str]) -> None:
    await tx.execute(delete(ElderNameKey).where(ElderNameKey.elder_id == elder_id))
    if keys:
        await tx.execute(insert(ElderNameKey), [{"elder_id": elder_id, "key": key} for key in sorted(keys)])


async def put_phones(tx: Tx, elder_id: UUID, phones: Sequence[Mapping[str, Any]]) -> None:
    await tx.execute(delete(ElderPhone).where(ElderPhone.elder_id == elder_id))
    if phones:
        await tx.execute(insert(ElderPhone), list(phones))


async def phones(tx: Tx, elder_ids: Sequence[UUID]) -> Sequence[Any]:
    return await tx.all(
        select(ElderPhone.__table__)
        .where(ElderPhone.elder_id.in_(elder_ids))
        .order_by(ElderPhone.elder_id, ElderPhone.position, ElderPhone.id)
    )


async def reindex_phone(tx: Tx, phone_id: UUID, last4_index: bytes) -> None:
    await tx.execute(update(ElderPhone).where(ElderPhone.id == phone_id).values(last4_index=last4_index))


async def add_tags(tx: Tx, tags: Sequence[Mapping[str, Any]]) -> None:
    if tags:
        await tx.execute(insert(ElderTag), list(tags))


async def tags(tx: Tx, elder_ids: Sequence[UUID]) -> Sequence[Any]:
    return await tx.all(
        select(ElderTag.__table__)
        .where(ElderTag.elder_id.in_(elder_ids))
        .order_by(ElderTag.elder_id, ElderTag.tag, ElderTag.valid_from)
    )


async def end_tag(tx: Tx, elder_id: UUID, tag: str, last_day: date) -> int:
    done = await tx.execute(
        update(ElderTag)
        .where(
            ElderTag.elder_id == elder_id,
            ElderTag.tag == tag,
            ElderTag.valid_from <= last_day,
            ElderTag.valid_to.is_(None) | (ElderTag.valid_to > last_day),
        )
        .values(valid_to=last_day)
    )
    return done.rowcount


async def add_family(tx: Tx, members: Sequence[Mapping[str, Any]]) -> None:
    if members:
        await tx.execute(insert(FamilyMember), list(members))


async def is_family(tx: Tx, phone_index: bytes) -> bool:
    """Whether somebody of this number is the relative of an elder we care for."""
    return bool(await tx.fetchval(IS_FAMILY, phone_index))


async def family(tx: Tx, elder_ids: Sequence[UUID]) -> Sequence[Any]:
    return await tx.all(
        select(FamilyMember.__table__)
        .where(FamilyMember.elder_id.in_(elder_ids))
        .order_by(FamilyMember.elder_id, FamilyMember.id)
    )


async def approve_family(tx: Tx, elder_id: UUID, member_id: UUID, at: datetime) -> int:
    done = await tx.execute(
        update(FamilyMember)
        .where(FamilyMember.id == member_id, FamilyMember.elder_id == elder_id, FamilyMember.approved_at.is_(None))
        .values(approved_at=at)
    )
    return done.rowcount
