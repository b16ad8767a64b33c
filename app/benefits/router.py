"""Doors to schemes and entitlements. Quotes are made by `intake`, which knows the prices too."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query

from app.accounts import scope
from app.benefits import administration, queries
from app.benefits.schemas import (
    CreatedView,
    EntitlementBody,
    EntitlementChange,
    EntitlementView,
    SchemeBody,
    SchemeView,
)
from app.benefits.service import first_of_month
from app.core import clock
from app.core.db import Tx
from app.core.errors import Invalid
from app.core.http import CallerDep, Router, TxDep, allow
from app.regions.divisions import covers

router = Router(tags=["benefits"])

Month = Annotated[date | None, Query(description="Any day of the month the amounts are for; default this month")]


@router.get("/v1/schemes", response_model=list[SchemeView], summary="Schemes that reach into my divisions")
@allow("benefits.read")
async def list_schemes(tx: TxDep, caller: CallerDep) -> Any:
    def reaches(code: str) -> bool:
        return scope.sees(caller, code) or any(covers(code, own) for own in caller.divisions)

    return [SchemeView.model_validate(row) for row in await queries.schemes(tx) if reaches(row.division_code)]


@router.post("/v1/schemes", response_model=CreatedView, status_code=201, summary="A new scheme")
@allow("benefits.write")
async def define_scheme(tx: TxDep, caller: CallerDep, body: SchemeBody) -> Any:
    return CreatedView(id=await administration.define_scheme(tx, caller, body.model_dump()))


@router.get(
    "/v1/elders/{elder_id}/entitlements", response_model=list[EntitlementView], summary="What an elder is entitled to"
)
@allow("benefits.read")
async def list_entitlements(tx: TxDep, caller: CallerDep, elder_id: UUID, month: Month = None) -> Any:
    await administration.visible_elder(tx, caller, elder_id)
    return await _entitlements(tx, elder_id, month)


@router.post(
    "/v1/elders/{elder_id}/entitlements", response_model=CreatedView, status_code=201, summary="Let an elder in"
)
@allow("benefits.write")
async def grant(tx: TxDep, caller: CallerDep, elder_id: UUID, body: EntitlementBody) -> Any:
    return CreatedView(id=await administration.grant(tx, caller, elder_id, body.model_dump()))


@router.patch("/v1/entitlements/{entitlement_id}", response_model=EntitlementView, summary="Quota, assessment, end")
@allow("benefits.write")
async def change_entitlement(tx: TxDep, caller: CallerDep, entitlement_id: UUID, body: EntitlementChange) -> Any:
    changes = {name: getattr(body, name) for name in body.model_fields_set}
    if not changes or changes.get("monthly_quota_fen", 0) is None:
        raise Invalid("field_required", "name at least one field; a quota cannot be cleared")
    elder_id = await administration.change_entitlement(tx, caller, entitlement_id, changes)
    return next(found for found in await _entitlements(tx, elder_id, None) if found.id == entitlement_id)


async def _entitlements(tx: Tx, elder_id: UUID, month: date | None) -> list[EntitlementView]:
    first = first_of_month(month or clock.today())
    return [
        EntitlementView(
            **dict(row), month=first, left_fen=row["granted_fen"] - row["reserved_fen"] - row["consumed_fen"]
        )
        for row in await queries.of_elder(tx, elder_id, first)
    ]
