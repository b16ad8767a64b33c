"""Doors to providers and their caregivers, for the centre."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response

from app.accounts import scope
from app.core import clock
from app.core.db import Tx
from app.core.errors import Invalid
from app.core.http import CallerDep, IfMatchDep, Router, TxDep, allow, set_etag
from app.core.paging import CursorParam, Limit, Page, after_id, page_of
from app.core.text import Body
from app.providers import queries, registry, router_caregivers, views, workforce
from app.providers.models import Provider
from app.providers.schemas import (
    AbsenceBody,
    AbsenceView,
    CaregiverBody,
    CaregiverChange,
    CaregiverStatus,
    CaregiverView,
    CertificateBody,
    CreatedView,
    ProviderBody,
    ProviderChange,
    ProviderStatus,
    ProviderView,
    Reason,
    ShiftsBody,
)
from app.regions.divisions import lineage

router = Router(tags=["providers"])

Serving = Annotated[
    str | None,
    Query(pattern=r"^([0-9]{6}|[0-9]{9}|[0-9]{12})$", description="Only providers that serve this division"),
]
ItemCode = Annotated[str | None, Query(max_length=80, description="Only providers that offer this item")]


@router.get("/v1/providers", response_model=Page[ProviderView], summary="Providers in my divisions")
@allow("providers.read")
async def list_providers(
    tx: TxDep,
    caller: CallerDep,
    status: ProviderStatus | None = None,
    division: Serving = None,
    item_code: ItemCode = None,
    limit: Limit = 50,
    cursor: CursorParam = None,
) -> Any:
    rows = await queries.providers(
        tx,
        scope.within(Provider.division_code, caller),
        status=status,
        serving=lineage(division) if division else None,
        item_code=item_code,
        after=after_id(cursor),
        limit=limit + 1,
    )
    return page_of(await views.providers(tx, rows[:limit]), [row.id for row in rows], limit)


@router.post("/v1/providers", response_model=ProviderView, status_code=201, summary="A provider joins")
@allow("providers.write")
async def join(tx: TxDep, caller: CallerDep, body: ProviderBody, response: Response) -> Any:
    provider_id = await registry.join(tx, caller, _given(body))
    response.headers["Location"] = f"/v1/providers/{provider_id}"
    return await _provider(tx, provider_id, response)


@router.get("/v1/providers/{provider_id}", response_model=ProviderView, summary="One provider")
@allow("providers.read")
async def read_provider(tx: TxDep, caller: CallerDep, provider_id: UUID, response: Response) -> Any:
    await registry.visible(tx, caller, provider_id)
    return await _provider(tx, provider_id, response)


@router.patch("/v1/providers/{provider_id}", response_model=ProviderView, summary="Change what is named")
@allow("providers.write")
async def change_provider(
    tx: TxDep, caller: CallerDep, provider_id: UUID, body: ProviderChange, response: Response, expected: IfMatchDep
) -> Any:
    changes = _changes(body, never_null=("name", "phone", "areas", "items"))
    await registry.change(tx, caller, provider_id, changes, expected)
    return await _provider(tx, provider_id, response)


@router.post("/v1/providers/{provider_id}/suspension", response_model=ProviderView, summary="No new orders")
@allow("providers.write")
async def suspend(tx: TxDep, caller: CallerDep, provider_id: UUID, body: Reason, response: Response) -> Any:
    await registry.suspend(tx, caller, provider_id, body.reason)
    return await _provider(tx, provider_id, response)


@router.post("/v1/providers/{provider_id}/reinstatement", response_model=ProviderView, summary="Orders again")
@allow("providers.write")
async def reinstate(tx: TxDep, caller: CallerDep, provider_id: UUID, body: Reason, response: Response) -> Any:
    await registry.reinstate(tx, caller, provider_id, body.reason)
    return await _provider(tx, provider_id, response)


@router.get(
    "/v1/providers/{provider_id}/caregivers", response_model=Page[CaregiverView], summary="Caregivers of a provider"
)
@allow("providers.read")
async def list_caregivers(
    tx: TxDep,
    caller: CallerDep,
    provider_id: UUID,
    status: CaregiverStatus | None = None,
    limit: Limit = 50,
    cursor: CursorParam = None,
) -> Any:
    await registry.visible(tx, caller, provider_id)
    rows = await queries.caregivers(tx, provider_id, status=status, after=after_id(cursor), limit=limit + 1)
    return page_of(await views.caregivers(tx, rows[:limit]), [row.id for row in rows], limit)


@router.post(
    "/v1/providers/{provider_id}/caregivers", response_model=CaregiverView, status_code=201, summary="A new caregiver"
)
@allow("providers.write")
async def employ(tx: TxDep, caller: CallerDep, provider_id: UUID, body: CaregiverBody) -> Any:
    await registry.visible(tx, caller, provider_id)
    given = {**_given(body), "certificates": [certificate.model_dump() for certificate in body.certificates]}
    given["shifts"] = [shift.model_dump() for shift in body.shifts]
    caregiver_id = await workforce.employ(tx, caller, provider_id, given)
    return await _caregiver(tx, provider_id, caregiver_id)


@router.get(
    "/v1/providers/{provider_id}/caregivers/{caregiver_id}", response_model=CaregiverView, summary="One caregiver"
)
@allow("providers.read")
async def read_caregiver(tx: TxDep, caller: CallerDep, provider_id: UUID, caregiver_id: UUID) -> Any:
    await registry.visible(tx, caller, provider_id)
    return await _caregiver(tx, provider_id, caregiver_id)


@router.patch(
    "/v1/providers/{provider_id}/caregivers/{caregiver_id}", response_model=CaregiverView, summary="Change a caregiver"
)
@allow("providers.write")
async def change_caregiver(
    tx: TxDep, caller: CallerDep, provider_id: UUID, caregiver_id: UUID, body: CaregiverChange
) -> Any:
    await _mine(tx, caller, provider_id, caregiver_id)
    never_null = ("name", "sex", "phone", "division_code", "travel_mode", "status")
    await workforce.change(tx, caller, caregiver_id, _changes(body, never_null=never_null))
    return await _caregiver(tx, provider_id, caregiver_id)


@router.post(
    "/v1/providers/{provider_id}/caregivers/{caregiver_id}/certificates",
    response_model=CreatedView,
    status_code=201,
    summary="A certificate",
)
@allow("providers.write")
async def certify(tx: TxDep, caller: CallerDep, provider_id: UUID, caregiver_id: UUID, body: CertificateBody) -> Any:
    await _mine(tx, caller, provider_id, caregiver_id)
    return CreatedView(id=await workforce.certify(tx, caller, caregiver_id, body.model_dump()))


@router.put(
    "/v1/providers/{provider_id}/caregivers/{caregiver_id}/shifts",
    response_model=CaregiverView,
    summary="The working week",
)
@allow("providers.write")
async def set_shifts(tx: TxDep, caller: CallerDep, provider_id: UUID, caregiver_id: UUID, body: ShiftsBody) -> Any:
    await _mine(tx, caller, provider_id, caregiver_id)
    await workforce.set_shifts(tx, caller, caregiver_id, [shift.model_dump() for shift in body.shifts])
    return await _caregiver(tx, provider_id, caregiver_id)


@router.get(
    "/v1/providers/{provider_id}/caregivers/{caregiver_id}/absences",
    response_model=list[AbsenceView],
    summary="Absences that are not over",
)
@allow("providers.read")
async def list_absences(tx: TxDep, caller: CallerDep, provider_id: UUID, caregiver_id: UUID) -> Any:
    await _mine(tx, caller, provider_id, caregiver_id)
    return [AbsenceView.model_validate(row) for row in await queries.absences(tx, caregiver_id, clock.now())]


@router.post(
    "/v1/providers/{provider_id}/caregivers/{caregiver_id}/absences",
    response_model=CreatedView,
    status_code=201,
    summary="An absence",
)
@allow("providers.write")
async def excuse(tx: TxDep, caller: CallerDep, provider_id: UUID, caregiver_id: UUID, body: AbsenceBody) -> Any:
    await _mine(tx, caller, provider_id, caregiver_id)
    return CreatedView(id=await workforce.excuse(tx, caller, caregiver_id, body.model_dump()))


async def _mine(tx: Tx, caller: CallerDep, provider_id: UUID, caregiver_id: UUID) -> None:
    await registry.visible(tx, caller, provider_id)
    await workforce.of_provider(tx, provider_id, caregiver_id)


async def _provider(tx: Tx, provider_id: UUID, response: Response) -> ProviderView:
    (view,) = await views.providers(tx, await queries.provider_rows(tx, [provider_id]))
    set_etag(response, view.version)
    return view


router.include_router(router_caregivers.router)


async def _caregiver(tx: Tx, provider_id: UUID, caregiver_id: UUID) -> CaregiverView:
    await workforce.of_provider(tx, provider_id, caregiver_id)
    (view,) = await views.caregivers(tx, await queries.caregivers_by_id(tx, [caregiver_id]))
    return view


def _given(body: Body) -> dict[str, Any]:
    return {name: getattr(body, name) for name in type(body).model_fields}


def _changes(body: Body, never_null: tuple[str, ...]) -> dict[str, Any]:
    changes = {name: getattr(body, name) for name in body.model_fields_set}
    for name in never_null:
        if name in changes and changes[name] is None:
            raise Invalid("field_required", "this field cannot be cleared", field=name)
    return changes
