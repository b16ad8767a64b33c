"""Deciding who gets what: schemes and entitlements."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from app.accounts import audit, scope
from app.benefits import queries
from app.benefits.service import first_of_month
from app.catalog import service as catalog
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict, Invalid, NotFound
from app.core.http import Caller
from app.core.ids import new_id
from app.core.sqlstate import constraint_of
from app.elders import service as elders
from app.regions import divisions


async def define_scheme(tx: Tx, caller: Caller, given: Mapping[str, Any]) -> UUID:
    """Enter a scheme of government purchase: the columns of `models.Scheme` without id and payer.

    Raises NotFound for a division out of scope, Invalid for an empty validity or an unknown item, Conflict for a
    code in use.
    """
    if not scope.sees(caller, given["division_code"]):
        raise NotFound("division_not_found", "there is no such division for you")
    _check_interval(given["valid_from"], given["valid_to"])
    known = {item.code for item in await catalog.items(tx, active=None)}
    if not known.issuperset(given["item_codes"]):
        raise Invalid("service_item_unknown", "the catalogue has no such item", field="item_codes")
    scheme_id = new_id()
    try:
        async with tx.savepoint():
            await queries.add_scheme(tx, {"id": scheme_id, "payer": "government", **given})
    except IntegrityError as taken:
        if constraint_of(taken) != "uq_scheme_code":
            raise
        raise Conflict("scheme_exists", "a scheme with this code exists") from taken
    await audit.record(tx, caller, "benefits.define_scheme", "scheme", scheme_id, sorted(given))
    return scheme_id


async def grant(tx: Tx, caller: Caller, elder_id: UUID, given: Mapping[str, Any]) -> UUID:
    """Let an elder into a scheme: the columns of `models.Entitlement` without ids, and `scheme_code`.

    Raises NotFound for an elder or a scheme that is not there for the caller, Invalid when the scheme is not for
    the elder's division, Conflict when the elder is in it on one of the days.
    """
    facts = await visible_elder(tx, caller, elder_id)
    if facts.status != "active":
        raise Invalid("elder_not_active", "this elder has moved away or died", field="elder_id")
    scheme = next((row for row in await queries.schemes(tx) if row.code == given["scheme_code"]), None)
    if scheme is None:
        raise NotFound("scheme_not_found", "there is no such scheme")
    if not divisions.covers(scheme.division_code, facts.division_code):
        raise Invalid("scheme_elsewhere", "the scheme is for another division", field="scheme_code")
    _check_interval(given["valid_from"], given["valid_to"])
    entitlement_id = new_id()
    columns = {name: value for name, value in given.items() if name != "scheme_code"}
    row = {"id": entitlement_id, "elder_id": elder_id, "scheme_id": scheme.id, **columns}
    try:
        async with tx.savepoint():
            await queries.add_entitlement(tx, row)
    except IntegrityError as overlap:
        if constraint_of(overlap) != "ex_entitlement_overlap":
            raise
        raise Conflict("entitlement_exists", "the elder is in this scheme on some of these days") from overlap
    await audit.record(tx, caller, "benefits.grant", "elder", elder_id, sorted(given), given["scheme_code"])
    return entitlement_id


async def change_entitlement(tx: Tx, caller: Caller, entitlement_id: UUID, changes: Mapping[str, Any]) -> UUID:
    """Change the quota (from this month on), the assessment or the last day; returns the elder's id.

    Raises NotFound, Invalid for a last day before the first, Conflict when a month has already used more than the
    new quota.
    """
    row = await queries.entitlement(tx, entitlement_id)
    if row is None:
        raise NotFound("entitlement_not_found", "there is no such entitlement")
    await visible_elder(tx, caller, row.elder_id)
    _check_interval(row.valid_from, changes.get("valid_to", row.valid_to))
    try:
        async with tx.savepoint():
            await queries.change_entitlement(tx, entitlement_id, changes)
    except IntegrityError as overlap:
        if constraint_of(overlap) != "ex_entitlement_overlap":
            raise
        raise Conflict("entitlement_exists", "a later entitlement begins before that day") from overlap
    if "monthly_quota_fen" in changes:
        month = first_of_month(clock.today())
        over = await queries.regrant(tx, entitlement_id, month, changes["monthly_quota_fen"])
        if over is not None:
            detail = "a month has used more than that already"
            raise Conflict("quota_in_use", detail, month=over["month"].isoformat(), used_fen=over["used_fen"])
    await audit.record(tx, caller, "benefits.change", "elder", row.elder_id, sorted(changes))
    elder_id: UUID = row.elder_id
    return elder_id


async def visible_elder(tx: Tx, caller: Caller, elder_id: UUID) -> elders.ElderFacts:
    """Raises NotFound when there is no such elder for this caller."""
    facts = await elders.elder(tx, elder_id)
    if not scope.sees(caller, facts.division_code):
        raise NotFound("elder_not_found", "there is no such elder")
    return facts


def _check_interval(first: date, last: date | None) -> None:
    if last is not None and last < first:
        raise Invalid("interval_empty", "the last day lies before the first", field="valid_to")


async def schemes_in_force(tx: Tx, division: str, day: date) -> list[Any]:
    """Schemes that hold on `day` somewhere in `division`, in paying order."""
    return [
        row
        for row in await queries.schemes(tx)
        if (divisions.covers(division, row.division_code) or divisions.covers(row.division_code, division))
        and row.valid_from <= day
        and (row.valid_to is None or row.valid_to >= day)
    ]
