"""The desk's side of matching: past matches and why, weights, shares, who works how much, who shall not meet."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query

from app.accounts import scope
from app.core.http import CallerDep, Router, TxDep, allow
from app.elders import service as elders
from app.matching import blocked_pairs, replay, shares, weights
from app.matching.schemas import BlockedPairBody, BlockedPairView, DecisionView, ReplayView
from app.matching.schemas_rules import (
    District,
    FairnessView,
    Month,
    ShareBody,
    ShareMade,
    SharesView,
    WeightsBody,
    WeightsMade,
    WeightsView,
)
from app.orders import service as orders

router = Router(tags=["dispatch"])


@router.get(
    "/v1/dispatch/decisions/{decision_id}/replay",
    response_model=ReplayView,
    summary="A past match again, with the weights of then or others",
)
@allow("dispatch.read")
async def replay_decision(
    tx: TxDep,
    caller: CallerDep,
    decision_id: UUID,
    weights_version: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> Any:
    return await replay.replay(tx, caller, decision_id, weights_version)


@router.get("/v1/orders/{order_id}/decisions", response_model=list[DecisionView], summary="Every choice that was made")
@allow("dispatch.read")
async def read_decisions(tx: TxDep, caller: CallerDep, order_id: UUID) -> Any:
    scope.see(caller, (await orders.get(tx, order_id)).division_code)
    return await replay.decisions(tx, order_id)


@router.get("/v1/dispatch-weights", response_model=list[WeightsView], summary="Every version of the weights")
@allow("dispatch.read")
async def read_weights(tx: TxDep, caller: CallerDep) -> Any:
    return await weights.published(tx, caller)


@router.post("/v1/dispatch-weights", response_model=WeightsMade, status_code=201, summary="Weights from a day on")
@allow("dispatch.rules")
async def publish_weights(tx: TxDep, caller: CallerDep, body: WeightsBody) -> Any:
    return {"version": await weights.publish(tx, caller, body.model_dump())}


@router.get("/v1/dispatch/shares", response_model=SharesView, summary="Contract and actual shares of a month")
@allow("dispatch.read")
async def read_shares(
    tx: TxDep, caller: CallerDep, division: Annotated[District, Query()], month: Annotated[Month, Query()]
) -> Any:
    scope.see(caller, division)
    return await shares.month(tx, division, date.fromisoformat(f"{month}-01"))


@router.post("/v1/dispatch/shares", response_model=ShareMade, status_code=201, summary="Agree on a provider's share")
@allow("dispatch.rules")
async def agree_share(tx: TxDep, caller: CallerDep, body: ShareBody) -> Any:
    return {"id": await shares.agree(tx, caller, body.model_dump())}


@router.get("/v1/dispatch/fairness", response_model=FairnessView, summary="Hours and unpopular visits of a week")
@allow("dispatch.read")
async def read_fairness(
    tx: TxDep,
    caller: CallerDep,
    division: Annotated[District, Query()],
    week: Annotated[str, Query(pattern=r"^20[0-9]{2}-W(0[1-9]|[1-4][0-9]|5[0-3])$", examples=["2026-W10"])],
) -> Any:
    scope.see(caller, division)
    return await shares.week(tx, division, shares.first_day(week))


@router.post(
    "/v1/blocked-pairs", response_model=BlockedPairView, status_code=201, summary="These two shall not meet again"
)
@allow("dispatch.decide")
async def block_pair(tx: TxDep, caller: CallerDep, body: BlockedPairBody) -> Any:
    scope.see(caller, (await elders.elder(tx, body.elder_id)).division_code)
    await blocked_pairs.block(tx, caller, body.elder_id, body.caregiver_id, body.reason)
    return {"elder_id": body.elder_id, "caregiver_id": body.caregiver_id}
