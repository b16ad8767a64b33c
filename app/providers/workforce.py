"""Caregivers: who they are, what they may do, when they work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any
from uuid import UUID

from app.accounts import audit, codes
from app.core import clock
from app.core.db import Tx
from app.core.errors import Invalid, NotFound
from app.core.geo import Location
from app.core.http import Caller
from app.core.ids import new_id
from app.core.phones import parse_phone
from app.providers import queries
from app.providers.events import CaregiverChanged
from app.providers.models import Caregiver, CaregiverAbsence, CaregiverCertificate
from app.providers.service import PHONE, phone_index


async def employ(tx: Tx, caller: Caller, provider_id: UUID, given: Mapping[str, Any]) -> UUID:
    """Enter a caregiver: the fields of `schemas.CaregiverBody`. Raises Invalid for shifts or dates that cannot be."""
    caregiver_id, now = new_id(), clock.now()
    values = {
        "id": caregiver_id, "provider_id": provider_id, "name": given["name"], "sex": given["sex"],
        **_phone(tx, caregiver_id, given["phone"]), **_home(given["home"]), "division_code": given["division_code"],
        "travel_mode": given["travel_mode"], "dialect": given["dialect"], "status": "active", "created_at": now,
        "updated_at": now,
    }  # fmt: skip
    await queries.add(tx, Caregiver, [values])
    for certificate in given["certificates"]:
        await _certify(tx, caller, caregiver_id, certificate)
    await _set_shifts(tx, caller, caregiver_id, given["shifts"])
    await audit.record(tx, caller, "providers.employ", "caregiver", caregiver_id)
    await _tell(tx, caregiver_id)
    return caregiver_id


async def change(tx: Tx, caller: Caller, caregiver_id: UUID, changes: Mapping[str, Any]) -> None:
    """Change what is named. Whoever leaves, or has another phone, is signed out."""
    plain = ("name", "sex", "division_code", "travel_mode", "dialect", "status")
    values = {name: changes[name] for name in plain if name in changes}
    if "phone" in changes:
        values |= _phone(tx, caregiver_id, changes["phone"])
    if "home" in changes:
        values |= _home(changes["home"])
    await queries.change_caregiver(tx, caregiver_id, {**values, "updated_at": clock.now()})
    if "phone" in changes or changes.get("status") == "inactive":
        await codes.close_caregiver_sessions(tx, caregiver_id)
    await audit.record(tx, caller, "providers.change_caregiver", "caregiver", caregiver_id, sorted(changes))
    await _tell(tx, caregiver_id)


async def certify(tx: Tx, caller: Caller, caregiver_id: UUID, given: Mapping[str, Any]) -> UUID:
    """Add a certificate. Raises Invalid when it ends before it begins."""
    certificate_id = await _certify(tx, caller, caregiver_id, given)
    await _tell(tx, caregiver_id)
    return certificate_id


async def _certify(tx: Tx, caller: Caller, caregiver_id: UUID, given: Mapping[str, Any]) -> UUID:
    if given["valid_to"] is not None and given["valid_to"] < given["valid_from"]:
        raise Invalid("interval_empty", "the last day lies before the first", field="valid_to")
    certificate_id = new_id()
    row = {"id": certificate_id, "caregiver_id": caregiver_id, **given}
    await queries.add(tx, CaregiverCertificate, [row])
    await audit.record(tx, caller, "providers.certify", "caregiver", caregiver_id, [given["kind"]])
    return certificate_id


async def set_shifts(tx: Tx, caller: Caller, caregiver_id: UUID, given: Sequence[Mapping[str, Any]]) -> None:
    """Replace the working week. Raises Invalid when a shift is empty or two of one day overlap."""
    await _set_shifts(tx, caller, caregiver_id, given)
    await _tell(tx, caregiver_id)


async def _set_shifts(tx: Tx, caller: Caller, caregiver_id: UUID, given: Sequence[Mapping[str, Any]]) -> None:
    ordered = sorted(given, key=lambda shift: (shift["weekday"], shift["starts_minute"]))
    for shift in ordered:
        if shift["ends_minute"] <= shift["starts_minute"]:
            raise Invalid("shift_empty", "a shift ends after it begins", field="shifts")
    for earlier, later in pairwise(ordered):
        if earlier["weekday"] == later["weekday"] and later["starts_minute"] < earlier["ends_minute"]:
            raise Invalid("shifts_overlap", "two shifts of one day overlap", field="shifts")
    await queries.put_shifts(tx, caregiver_id, [{"caregiver_id": caregiver_id, **shift} for shift in ordered])
    await audit.record(tx, caller, "providers.set_shifts", "caregiver", caregiver_id, ["shifts"])


async def excuse(tx: Tx, caller: Caller, caregiver_id: UUID, given: Mapping[str, Any]) -> UUID:
    """Enter an absence. Raises Invalid when it ends before it begins."""
    if given["ends_at"] <= given["starts_at"]:
        raise Invalid("interval_empty", "an absence ends after it begins", field="ends_at")
    absence_id = new_id()
    await queries.add(tx, CaregiverAbsence, [{"id": absence_id, "caregiver_id": caregiver_id, **given}])
    await audit.record(tx, caller, "providers.excuse", "caregiver", caregiver_id, ["absence"])
    await _tell(tx, caregiver_id)
    return absence_id


async def of_provider(tx: Tx, provider_id: UUID, caregiver_id: UUID) -> Any:
    """The row of a caregiver of this provider. Raises NotFound."""
    row = await queries.caregiver_row(tx, provider_id, caregiver_id)
    if row is None:
        raise NotFound("caregiver_not_found", "there is no such caregiver")
    return row


async def _tell(tx: Tx, caregiver_id: UUID) -> None:
    changed = await queries.caregiver(tx, caregiver_id)
    await tx.publish(CaregiverChanged(provider_id=changed["provider_id"], caregiver_id=caregiver_id, at=clock.now()))


def _phone(tx: Tx, caregiver_id: UUID, typed: str) -> dict[str, bytes]:
    e164 = parse_phone(typed).e164
    return {"phone": tx.vault.seal(PHONE, caregiver_id, e164), "phone_index": phone_index(tx, e164)}


def _home(location: Location | None) -> dict[str, float | None]:
    lng, lat = location.wgs84() if location is not None else (None, None)
    return {"home_lng": lng, "home_lat": lat}
