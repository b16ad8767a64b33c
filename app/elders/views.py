"""Elders as others see them: masked, and for a reveal plain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from app.accounts import audit
from app.core import clock
from app.core.crypto import Vault
from app.core.db import Tx
from app.core.http import Caller
from app.core.text import masked_id_number, masked_name, masked_phone
from app.elders import queries, registration, seals
from app.elders.schemas import ElderView, FamilyView, PhoneView, RevealedView, RevealField, TagView
from app.elders.tags import TAGS, as_of


def age_on(born: date, day: date) -> int:
    """Full years; who was born on 29 February is a year older on 1 March."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


async def masked(tx: Tx, elder_ids: Sequence[UUID]) -> list[ElderView]:
    """The elders in the order asked for; unknown ids are left out. Four statements for any number."""
    if not elder_ids:
        return []
    rows = {row.id: row for row in await queries.rows(tx, elder_ids)}
    phones = _grouped(await queries.phones(tx, elder_ids))
    tags = _grouped(await queries.tags(tx, elder_ids))
    family = _grouped(await queries.family(tx, elder_ids))
    today = clock.today()
    return [_view(tx.vault, rows[i], phones[i], tags[i], family[i], today) for i in elder_ids if i in rows]


async def plain(tx: Tx, row: Any, fields: Iterable[str]) -> RevealedView:
    """The asked-for fields of one elder in plain text."""
    vault, wanted = tx.vault, frozenset(fields)
    found: dict[str, Any] = {name: getattr(row, name) for name in ("name", "birth_date") if name in wanted}
    for name, field in (
        ("id_number", seals.ID_NUMBER),
        ("address", seals.ADDRESS),
        ("health_note", seals.HEALTH_NOTE),
    ):
        if name in wanted:
            found[name] = seals.open_(vault, field, row.id, getattr(row, name))
    if "phones" in wanted:
        found["phones"] = [vault.open(seals.PHONE, p.id, p.phone) for p in await queries.phones(tx, [row.id])]
    if "family" in wanted:
        found["family"] = [
            FamilyView(
                id=member.id,
                name=member.name,
                relation=member.relation,
                phone=vault.open(seals.FAMILY_PHONE, member.id, member.phone),
                approved_at=member.approved_at,
            )
            for member in await queries.family(tx, [row.id])
        ]
    return RevealedView(**found)


async def reveal(tx: Tx, caller: Caller, elder_id: UUID, fields: Iterable[RevealField], reason: str) -> RevealedView:
    """The asked-for fields in plain text for a person who says why; leaves an audit row. Raises NotFound."""
    row = await registration.visible(tx, caller, elder_id)
    await audit.record(tx, caller, "elders.reveal", "elder", elder_id, sorted(set(fields)), reason)
    return await plain(tx, row, fields)


def _grouped(rows: Iterable[Any]) -> dict[UUID, list[Any]]:
    found: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.elder_id].append(row)
    return found


def _view(vault: Vault, row: Any, phones: list[Any], tags: list[Any], family: list[Any], today: date) -> ElderView:
    number = seals.open_(vault, seals.ID_NUMBER, row.id, row.id_number)
    return ElderView(
        id=row.id, name=masked_name(row.name), sex=row.sex,
        age=age_on(row.birth_date, today) if row.birth_date else None, division_code=row.division_code,
        status=row.status, phones=[_phone(vault, phone) for phone in phones],
        id_number=masked_id_number(number) if number else None, address_on_file=row.address is not None,
        health_note_on_file=row.health_note is not None, lng=_street_level(row.lng), lat=_street_level(row.lat),
        gender_wish=row.gender_wish, dialect=row.dialect, tags=[_tag(tag, today) for tag in tags],
        family=[_member(vault, member) for member in family], version=row.version, created_at=row.created_at,
        updated_at=row.updated_at,
    )  # fmt: skip


def _street_level(degrees: float | None) -> float | None:
    """About a kilometre: enough for a map, not for a door."""
    return round(degrees, 2) if degrees is not None else None


def _phone(vault: Vault, row: Any) -> PhoneView:
    phone = vault.open(seals.PHONE, row.id, row.phone)
    return PhoneView(
        phone=masked_phone(phone), relation=row.relation, owner=masked_name(row.owner) if row.owner else None
    )


def _tag(row: Any, today: date) -> TagView:
    return TagView(
        tag=row.tag, name=TAGS[row.tag], today=as_of(row.tag, today), valid_from=row.valid_from,
        valid_to=row.valid_to, source=row.source,
    )  # fmt: skip


def _member(vault: Vault, row: Any) -> FamilyView:
    phone = masked_phone(vault.open(seals.FAMILY_PHONE, row.id, row.phone))
    return FamilyView(
        id=row.id, name=masked_name(row.name), relation=row.relation, phone=phone, approved_at=row.approved_at
    )
