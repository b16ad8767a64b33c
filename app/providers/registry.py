"""Providers joining, changing, being suspended and coming back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from app.accounts import audit, scope
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict, Invalid, NotFound
from app.core.geo import Location
from app.core.http import Caller, check_version
from app.core.ids import new_id
from app.core.phones import parse_phone
from app.core.sqlstate import constraint_of
from app.providers import credit_codes, queries
from app.providers.events import ProviderReinstated, ProviderSuspended
from app.providers.models import Provider, ProviderArea, ProviderItem


async def join(tx: Tx, caller: Caller, given: Mapping[str, Any]) -> UUID:
    """Enter a provider: the fields of `schemas.ProviderBody`.

    Raises Invalid for a credit code that GB 32100 does not allow, NotFound for divisions out of scope, Conflict
    when the code is on file.
    """
    code = credit_codes.normalised(given["uscc"])
    if not credit_codes.is_valid(code):
        raise Invalid("uscc_invalid", "not a unified social credit code (GB 32100)", field="uscc")
    _check_scope(caller, [given["division_code"], *given["areas"]])
    provider_id, now = new_id(), clock.now()
    lng, lat = _place(given["location"])
    values = {
        "id": provider_id, "name": given["name"], "uscc": code, "kind": given["kind"], "status": "active",
        "phone": parse_phone(given["phone"]).e164, "division_code": given["division_code"], "lng": lng, "lat": lat,
        "daily_capacity": given["daily_capacity"], "monthly_quota": given["monthly_quota"], "version": 1,
        "created_at": now, "updated_at": now,
    }  # fmt: skip
    try:
        async with tx.savepoint():
            await queries.add(tx, Provider, [values])
    except IntegrityError as taken:
        if constraint_of(taken) != "uq_provider_uscc":
            raise
        raise Conflict("provider_exists", "a provider with this credit code is on file") from taken
    await _put_lists(tx, provider_id, given["areas"], given["items"])
    await audit.record(tx, caller, "providers.join", "provider", provider_id)
    return provider_id


async def change(tx: Tx, caller: Caller, provider_id: UUID, changes: Mapping[str, Any], expected: int | None) -> int:
    """Change what is named; returns the new version. Raises NotFound, Stale, Invalid."""
    row = await _locked(tx, caller, provider_id)
    check_version(expected, row.version)
    plain = ("name", "daily_capacity", "monthly_quota")
    values = {name: changes[name] for name in plain if name in changes}
    if "phone" in changes:
        values["phone"] = parse_phone(changes["phone"]).e164
    if "location" in changes:
        values["lng"], values["lat"] = _place(changes["location"])
    if "areas" in changes:
        _check_scope(caller, changes["areas"])
    await _put_lists(tx, provider_id, changes.get("areas"), changes.get("items"))
    await queries.change_provider(tx, provider_id, {**values, "updated_at": clock.now()})
    await audit.record(tx, caller, "providers.change", "provider", provider_id, sorted(changes))
    return int(row.version) + 1


async def suspend(tx: Tx, caller: Caller, provider_id: UUID, reason: str) -> None:
    """No new orders from now on; who holds open ones is for the hearers to settle. Raises Conflict, NotFound."""
    row = await _locked(tx, caller, provider_id)
    if row.status != "active":
        raise Conflict("provider_state", f"the provider is {row.status}", status=row.status)
    now = clock.now()
    await queries.change_provider(tx, provider_id, {"status": "suspended", "status_reason": reason, "updated_at": now})
    await audit.record(tx, caller, "providers.suspend", "provider", provider_id, ["status"], reason)
    await tx.publish(ProviderSuspended(provider_id=provider_id, reason=reason, actor=caller.actor, at=now))


async def reinstate(tx: Tx, caller: Caller, provider_id: UUID, reason: str) -> None:
    """Orders again. Raises Conflict when the provider is not suspended, NotFound."""
    row = await _locked(tx, caller, provider_id)
    if row.status != "suspended":
        raise Conflict("provider_state", f"the provider is {row.status}", status=row.status)
    now = clock.now()
    await queries.change_provider(tx, provider_id, {"status": "active", "status_reason": None, "updated_at": now})
    await audit.record(tx, caller, "providers.reinstate", "provider", provider_id, ["status"], reason)
    await tx.publish(ProviderReinstated(provider_id=provider_id, actor=caller.actor, at=now))


async def visible(tx: Tx, caller: Caller, provider_id: UUID) -> Any:
    """The provider's facts. Raises NotFound when there is none, or none for this caller."""
    row = await queries.provider(tx, provider_id)
    if row is None or not scope.sees(caller, row["division_code"]):
        raise NotFound("provider_not_found", "there is no such provider")
    return row


async def _locked(tx: Tx, caller: Caller, provider_id: UUID) -> Any:
    row = await queries.lock_provider(tx, provider_id)
    if row is None or not scope.sees(caller, row.division_code):
        raise NotFound("provider_not_found", "there is no such provider")
    return row


async def _put_lists(tx: Tx, provider_id: UUID, areas: Sequence[str] | None, items: Sequence[str] | None) -> None:
    if areas is not None:
        rows = [{"provider_id": provider_id, "division_code": code} for code in dict.fromkeys(areas)]
        await queries.replace(tx, ProviderArea, ProviderArea.provider_id == provider_id, rows)
    if items is not None:
        rows = [{"provider_id": provider_id, "item_code": code} for code in dict.fromkeys(items)]
        await queries.replace(tx, ProviderItem, ProviderItem.provider_id == provider_id, rows)


def _place(location: Location | None) -> tuple[float | None, float | None]:
    return location.wgs84() if location is not None else (None, None)


def _check_scope(caller: Caller, codes: Sequence[str]) -> None:
    if not all(scope.sees(caller, code) for code in codes):
        raise NotFound("division_not_found", "there is no such division for you")
