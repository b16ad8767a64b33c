"""Writing the register: new elders and changes to known ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from app.accounts import audit, scope
from app.core import clock
from app.core.db import Tx
from app.core.errors import Invalid, NotFound, Stale
from app.core.geo import Location
from app.core.http import Caller, check_version
from app.core.ids import new_id
from app.core.phones import parse_phone
from app.elders import identity, names, queries, seals
from app.elders.events import ElderDeparted
from app.elders.facts import NewElder, NewFamilyMember, NewPhone, NewTag
from app.elders.id_numbers import IdNumber
from app.elders.models import RELATIONS
from app.elders.tags import TAGS
from app.regions import divisions

OLDEST = date(1880, 1, 1)


@dataclass(frozen=True, slots=True)
class Registered:
    """`warnings` are codes for the operator; `possible_duplicates` sound alike and were born the same day."""

    id: UUID
    version: int
    warnings: tuple[str, ...]
    possible_duplicates: tuple[UUID, ...]


async def register(tx: Tx, caller: Caller, new: NewElder) -> Registered:
    """Enter an elder.

    Staff register within their divisions; other rooms register for callers of theirs (a family, an app) and
    answer for the division. Raises Invalid for an unknown division form, tag, relation or birth date, NotFound
    for a division out of scope, Conflict when the ID number is already on file.
    """
    _check_division(caller, new.division_code)
    elder_id, now = new_id(), clock.now()
    number = await identity.read(tx, caller, elder_id, new.id_number)
    born = new.birth_date or (number.birth_date if number else None)
    sex = new.sex or (number.sex if number else None) or "unknown"
    _check_birth_date(born)
    values = {
        "id": elder_id, **_named(new.name), "sex": sex, "birth_date": born, "division_code": new.division_code,
        **_placed(new.location), **identity.columns(tx, elder_id, number, new.division_code),
        "address": seals.seal(tx.vault, seals.ADDRESS, elder_id, new.address),
        "health_note": seals.seal(tx.vault, seals.HEALTH_NOTE, elder_id, new.health_note),
        "gender_wish": new.gender_wish, "dialect": new.dialect, "status": "active", "source": new.source,
        "version": 1, "created_at": now, "updated_at": now,
    }  # fmt: skip
    async with identity.first_with_number(tx):
        await queries.add(tx, values)
    await queries.put_name_keys(tx, elder_id, names.search_keys(new.name))
    await _put_phones(tx, elder_id, new.division_code, new.phones)
    await add_tags(tx, elder_id, new.tags)
    for member in new.family:
        await add_family(tx, elder_id, member)
    await audit.record(tx, caller, "elders.register", "elder", elder_id, sorted(_given(new)))
    twins = await _twins(tx, caller, elder_id, values["name_pinyin"], born)
    warnings = identity.warnings_of(number, sex, born) + (("possible_duplicate",) if twins else ())
    return Registered(elder_id, 1, warnings, twins)


async def change(
    tx: Tx, caller: Caller, elder_id: UUID, changes: Mapping[str, Any], expected: int | None
) -> Registered:
    """Change what `changes` names: fields of NewElder except tags and family, and `status`. None clears a field.

    Raises NotFound out of scope, Stale when `expected` is no longer the version, Conflict and Invalid as `register`.
    """
    row = await visible(tx, caller, elder_id)
    check_version(expected, row.version)
    division = changes.get("division_code", row.division_code)
    if "division_code" in changes:
        _check_division(caller, division)
    values: dict[str, Any] = {k: v for k, v in changes.items() if k in PLAIN}
    if "name" in changes:
        values |= _named(changes["name"])
    if "location" in changes:
        values |= _placed(changes["location"])
    number = await _changed_number(tx, caller, elder_id, row, changes, values, division)
    for name, field in (("address", seals.ADDRESS), ("health_note", seals.HEALTH_NOTE)):
        if name in changes:
            values[name] = seals.seal(tx.vault, field, elder_id, changes[name])
    _check_birth_date(values.get("birth_date"))
    async with identity.first_with_number(tx):
        current = await queries.change(tx, elder_id, row.version, {**values, "updated_at": clock.now()})
    if not current:
        raise Stale("version_stale", "somebody changed this meanwhile")
    if "name" in changes:
        await queries.put_name_keys(tx, elder_id, names.search_keys(changes["name"]))
    if "phones" in changes:
        await _put_phones(tx, elder_id, division, changes["phones"])
    elif division[:6] != row.division_code[:6]:
        await _reindex_phones(tx, elder_id, division)
    await audit.record(tx, caller, "elders.change", "elder", elder_id, sorted(changes))
    await _tell_departure(tx, caller, elder_id, row.status, changes.get("status", row.status))
    sex, born = values.get("sex", row.sex), values.get("birth_date", row.birth_date)
    return Registered(elder_id, row.version + 1, identity.warnings_of(number, sex, born), ())


PLAIN = frozenset({"sex", "birth_date", "division_code", "gender_wish", "dialect", "status"})


async def visible(tx: Tx, caller: Caller, elder_id: UUID) -> Any:
    """The elder's row. Raises NotFound when there is none, or none for this caller."""
    row = await queries.row(tx, elder_id)
    if row is None or not scope.sees(caller, row.division_code):
        raise NotFound("elder_not_found", "there is no such elder")
    return row


async def visible_of(tx: Tx, caller: Caller, elder_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the elders whom this caller may see."""
    rows = await queries.rows(tx, elder_ids) if elder_ids else []
    return {row.id for row in rows if scope.sees(caller, row.division_code)}


async def add_tags(tx: Tx, elder_id: UUID, tags: Sequence[NewTag]) -> None:
    """Raises Invalid for an unknown tag or an interval that ends before it begins."""
    rows = []
    for tag in tags:
        if tag.tag not in TAGS:
            raise Invalid("tag_unknown", f"tags are {', '.join(TAGS)}", field="tags")
        if tag.valid_to is not None and tag.valid_to < tag.valid_from:
            raise Invalid("interval_empty", "the last day lies before the first", field="tags")
        rows.append({
            "elder_id": elder_id, "tag": tag.tag, "valid_from": tag.valid_from, "valid_to": tag.valid_to,
            "source": tag.source,
        })  # fmt: skip
    await queries.add_tags(tx, rows)


async def add_family(tx: Tx, elder_id: UUID, member: NewFamilyMember) -> UUID:
    """Raises Invalid for an unknown relation or a number that is none."""
    _check_relation(member.relation)
    member_id, phone = new_id(), parse_phone(member.phone).e164
    row = {
        "id": member_id, "elder_id": elder_id, "name": member.name, "relation": member.relation,
        "phone": tx.vault.seal(seals.FAMILY_PHONE, member_id, phone),
        "phone_index": seals.family_phone_index(tx.vault, phone),
        "approved_at": clock.now() if member.approved else None,
    }  # fmt: skip
    await queries.add_family(tx, [row])
    return member_id


async def _changed_number(
    tx: Tx, caller: Caller, elder_id: UUID, row: Any, changes: Mapping[str, Any], values: dict[str, Any], division: str
) -> IdNumber | None:
    """Put the columns of a changed ID number, or of a moved one, into `values`."""
    if "id_number" in changes:
        number = await identity.read(tx, caller, elder_id, changes["id_number"])
        values |= identity.columns(tx, elder_id, number, division)
        return number
    if row.id_number is not None and division[:6] != row.division_code[:6]:
        on_file = tx.vault.open(seals.ID_NUMBER, elder_id, row.id_number)
        values["last4_index"] = seals.id_last4_index(tx.vault, division, on_file)
    return None


async def _put_phones(tx: Tx, elder_id: UUID, division: str, phones: Sequence[NewPhone]) -> None:
    rows = []
    for position, given in enumerate(phones):
        _check_relation(given.relation)
        phone_id, phone = new_id(), parse_phone(given.number)
        rows.append({
            "id": phone_id, "elder_id": elder_id,
            "phone": tx.vault.seal(seals.PHONE, phone_id, phone.e164),
            "raw": tx.vault.seal(seals.PHONE_RAW, phone_id, phone.raw),
            "phone_index": seals.phone_index(tx.vault, phone.e164),
            "last4_index": seals.phone_last4_index(tx.vault, division, phone.e164),
            "owner": given.owner, "relation": given.relation, "position": position,
        })  # fmt: skip
    await queries.put_phones(tx, elder_id, rows)


async def _reindex_phones(tx: Tx, elder_id: UUID, division: str) -> None:
    """The short index covers the district, so it changes when the elder moves to another one."""
    for row in await queries.phones(tx, [elder_id]):
        phone = tx.vault.open(seals.PHONE, row.id, row.phone)
        await queries.reindex_phone(tx, row.id, seals.phone_last4_index(tx.vault, division, phone))


async def _twins(tx: Tx, caller: Caller, elder_id: UUID, pinyin: str, born: date | None) -> tuple[UUID, ...]:
    if born is None:
        return ()
    found = await queries.namesakes(tx, pinyin, born, elder_id)
    return tuple(row.id for row in found if scope.sees(caller, row.division_code))


async def _tell_departure(tx: Tx, caller: Caller, elder_id: UUID, before: str, after: str) -> None:
    if before == "active" and after != "active":
        await tx.publish(ElderDeparted(elder_id=elder_id, status=after, actor=caller.actor, at=clock.now()))


def _named(name: str) -> dict[str, str]:
    return {"name": name, "name_pinyin": names.readings(name)[0], "name_initials": names.initials(name)[0]}


def _placed(location: Location | None) -> dict[str, Any]:
    if location is None:
        return {"lng": None, "lat": None, "source_crs": None}
    lng, lat = location.wgs84()
    return {"lng": lng, "lat": lat, "source_crs": location.crs.value}


def _given(new: NewElder) -> set[str]:
    return {name for name in NewElder.__dataclass_fields__ if getattr(new, name)}


def _check_division(caller: Caller, code: str) -> None:
    if not divisions.is_code(code):
        raise Invalid("division_malformed", "a division code has 6, 9 or 12 digits", field="division_code")
    if caller.kind == "staff" and not scope.sees(caller, code):
        raise NotFound("division_not_found", "there is no such division for you")


def _check_birth_date(born: date | None) -> None:
    if born is not None and not OLDEST <= born <= clock.today():
        raise Invalid("birth_date_impossible", "nobody of that age is alive", field="birth_date")


def _check_relation(relation: str) -> None:
    if relation not in RELATIONS:
        raise Invalid("relation_unknown", f"relations are {', '.join(RELATIONS)}", field="relation")
