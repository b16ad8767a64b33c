"""The desk's side of dispatch: who could be asked now, by hand, and once more; and the modes orders go out in."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request, Response

from app.accounts import scope
from app.core.db import Tx
from app.core.http import Caller, CallerDep, DatabaseDep, IfMatchDep, Router, TxDep, allow, check_version
from app.dispatch import candidates, mode_rules, queries, service
from app.dispatch.mode_rules import NewContract
from app.dispatch.modes import Mode
from app.dispatch.schemas import HandAssignment
from app.dispatch.schemas_modes import (
    FixedProviderBody,
    FixedProviderEnd,
    FixedProviderMade,
    FixedProviderView,
    ModeRule,
    ModeRuleSet,
    ModeRuleView,
    OfferedView,
)
from app.matching.schemas import CandidatesView
from app.orders import service as orders
from app.orders import views
from app.orders.schemas import OrderView, Reason

router = Router(tags=["dispatch"])


@router.get("/v1/orders/{order_id}/candidates", response_model=CandidatesView, summary="Who could come, and why not")
@allow("dispatch.read", own_transaction=True)
async def read_candidates(database: DatabaseDep, request: Request, caller: CallerDep, order_id: UUID) -> Any:
    return (await candidates.of_order(database, request.app.state.road_times, caller, order_id)).view


@router.get(
    "/v1/orders/{order_id}/offers", response_model=list[OfferedView], summary="Who was asked, and how far it came"
)
@allow("dispatch.read")
async def read_offers(tx: TxDep, caller: CallerDep, order_id: UUID) -> Any:
    scope.see(caller, (await orders.get(tx, order_id)).division_code)
    return [dict(row) for row in await queries.offers_of(tx, order_id)]


@router.post("/v1/orders/{order_id}/assignment", response_model=OrderView, summary="Choose by hand")
@allow("dispatch.decide")
async def assign_by_hand(
    tx: TxDep, caller: CallerDep, version: IfMatchDep, order_id: UUID, body: HandAssignment
) -> Any:
    await _seen(tx, caller, order_id, version)
    await service.offer_by_hand(tx, caller, order_id, body.provider_id, body.caregiver_id, body.reason)
    return await views.one(tx, order_id)


@router.post("/v1/orders/{order_id}/redispatch", response_model=OrderView, summary="Take it back and look again")
@allow("dispatch.decide")
async def dispatch_again(tx: TxDep, caller: CallerDep, version: IfMatchDep, order_id: UUID, body: Reason) -> Any:
    await _seen(tx, caller, order_id, version)
    await service.redispatch(tx, caller, order_id, body.reason)
    return await views.one(tx, order_id)


@router.get("/v1/dispatch-modes", response_model=list[ModeRuleView], summary="Ways of offering, the newest first")
@allow("dispatch.read")
async def read_modes(
    tx: TxDep,
    caller: CallerDep,
    division: Annotated[str, Query(pattern=r"^([0-9]{6}|[0-9]{9}|[0-9]{12})$", examples=["620302"])],
) -> Any:
    return [dict(row) for row in await mode_rules.rules_for(tx, caller, division)]


@router.post("/v1/dispatch-modes", response_model=ModeRuleSet, status_code=201, summary="Another way from a day on")
@allow("dispatch.rules")
async def set_mode(tx: TxDep, caller: CallerDep, body: ModeRule) -> Any:
    version = await mode_rules.add_rule(
        tx,
        caller,
        division_code=body.division_code,
        item_code=body.item_code,
        urgency=body.urgency,
        mode=Mode(body.mode),
        breadth=body.breadth,
        valid_from=body.valid_from,
        reason=body.reason,
    )
    return {"version": version}


@router.get("/v1/fixed-providers", response_model=list[FixedProviderView], summary="Providers fixed by contract")
@allow("dispatch.read")
async def read_fixed_providers(tx: TxDep, caller: CallerDep) -> Any:
    return [dict(row) for row in await mode_rules.contracts_for(tx, caller)]


@router.post(
    "/v1/fixed-providers", response_model=FixedProviderMade, status_code=201, summary="Fix a provider by contract"
)
@allow("dispatch.rules")
async def fix_provider(tx: TxDep, caller: CallerDep, body: FixedProviderBody) -> Any:
    return {"id": await mode_rules.add_contract(tx, caller, NewContract(**body.model_dump()))}


@router.put("/v1/fixed-providers/{contract_id}/end", status_code=204, summary="Let such a contract end")
@allow("dispatch.rules")
async def end_fixed_provider(tx: TxDep, caller: CallerDep, contract_id: UUID, body: FixedProviderEnd) -> Response:
    await mode_rules.end_contract(tx, caller, contract_id, body.last_day, body.reason)
    return Response(status_code=204)


async def _seen(tx: Tx, caller: Caller, order_id: UUID, version: int | None) -> None:
    order = await orders.locked(tx, order_id)
    scope.see(caller, order.division_code)
    check_version(version, order.version)
