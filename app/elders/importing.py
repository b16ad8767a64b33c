"""Bringing a register in: many elders at once, for a city's first day. Five statements instead of five thousand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from app.accounts import audit
from app.core import clock
from app.core.db import Tx
from app.core.errors import Invalid
from app.core.http import Caller
from app.core.ids import new_id
from app.core.phones import parse_phone
from app.elders import id_numbers, identity, names, queries_import, seals
from app.elders.facts import NewElder, NewFamilyMember, NewPhone
from app.elders.models import RELATIONS, Elder, ElderNameKey, ElderPhone, ElderTag, FamilyMember
from app.elders.tags import TAGS
from app.regions.divisions import is_code

Rows = dict[Any, list[dict[str, Any]]]


async def bring_in(tx: Tx, caller: Caller, register: Sequence[NewElder]) -> list[UUID]:
    """Enter the elders of a checked register, in its order; returns their ids. One audit row for all of them.

    Nothing is asked about duplicates: the unique index of ID numbers refuses the whole register when one of them
    is on file. Raises Invalid for a division, tag, relation or telephone number that is none.
    """
    ids = [new_id() for _ in register]
    gathered: Rows = {}
    for elder_id, new in zip(ids, register, strict=True):
        for table, rows in _rows(tx, elder_id, new).items():
            gathered.setdefault(table, []).extend(rows)
    await queries_import.add_many(tx, gathered)
    await audit.record(tx, caller, "elders.import", "register", len(ids), sorted(_columns(gathered)))
    return ids


def _rows(tx: Tx, elder_id: UUID, new: NewElder) -> Rows:
    """One elder as rows by table, parents first."""
    if not is_code(new.division_code):
        raise Invalid("division_malformed", "a division code has 6, 9 or 12 digits", field="division_code")
    number = id_numbers.parse(new.id_number, clock.today()) if new.id_number else None
    lng, lat = new.location.wgs84() if new.location else (None, None)
    now, vault = clock.now(), tx.vault
    elder = {
        "id": elder_id, "name": new.name, "name_pinyin": names.readings(new.name)[0],
        "name_initials": names.initials(new.name)[0], "birth_date": new.birth_date or (number and number.birth_date),
        "sex": new.sex or (number and number.sex) or "unknown", "division_code": new.division_code,
        "lng": lng, "lat": lat, "source_crs": new.location.crs.value if new.location else None,
        **identity.columns(tx, elder_id, number, new.division_code),
        "address": seals.seal(vault, seals.ADDRESS, elder_id, new.address),
        "health_note": seals.seal(vault, seals.HEALTH_NOTE, elder_id, new.health_note),
        "gender_wish": new.gender_wish, "dialect": new.dialect, "status": "active", "source": new.source,
        "version": 1, "created_at": now, "updated_at": now,
    }  # fmt: skip
    return {
        Elder: [elder],
        ElderNameKey: [{"elder_id": elder_id, "key": key} for key in sorted(names.search_keys(new.name))],
        ElderPhone: [_phone(tx, elder_id, new.division_code, n, given) for n, given in enumerate(new.phones)],
        ElderTag: [
            {"elder_id": elder_id, "tag": _known(tag.tag, TAGS, "tag"), "valid_from": tag.valid_from,
             "valid_to": tag.valid_to, "source": tag.source}
            for tag in new.tags
        ],
        FamilyMember: [_member(tx, elder_id, member) for member in new.family],
    }  # fmt: skip


def _phone(tx: Tx, elder_id: UUID, division: str, position: int, given: NewPhone) -> dict[str, Any]:
    phone_id, phone, vault = new_id(), parse_phone(given.number), tx.vault
    return {
        "id": phone_id, "elder_id": elder_id, "phone": vault.seal(seals.PHONE, phone_id, phone.e164),
        "raw": vault.seal(seals.PHONE_RAW, phone_id, phone.raw), "phone_index": seals.phone_index(vault, phone.e164),
        "last4_index": seals.phone_last4_index(vault, division, phone.e164), "owner": given.owner,
        "relation": _known(given.relation, RELATIONS, "relation"), "position": position,
    }  # fmt: skip


def _member(tx: Tx, elder_id: UUID, member: NewFamilyMember) -> dict[str, Any]:
    member_id, e164 = new_id(), parse_phone(member.phone).e164
    return {
        "id": member_id, "elder_id": elder_id, "name": member.name,
        "relation": _known(member.relation, RELATIONS, "relation"),
        "phone": tx.vault.seal(seals.FAMILY_PHONE, member_id, e164),
        "phone_index": seals.family_phone_index(tx.vault, e164),
        "approved_at": clock.now() if member.approved else None,
    }  # fmt: skip


def _known(word: str, words: Mapping[str, str], field: str) -> str:
    if word not in words:
        raise Invalid(f"{field}_unknown", f"one of {', '.join(words)}", field=field)
    return word


def _columns(gathered: Rows) -> set[str]:
    return {table.__tablename__ for table, rows in gathered.items() if rows}
