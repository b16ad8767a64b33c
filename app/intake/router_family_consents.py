"""A family's doors to its elder's consents: approved relatives see what concerns them; only a guardian speaks in the
elder's place, everybody else asks the elder to tell the desk."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.accounts.consent import Proof
from app.accounts.purposes import FAMILY
from app.core.db import Tx
from app.core.errors import Forbidden
from app.core.http import Caller, CallerDep, Router, TxDep, allow
from app.elders import consents
from app.elders.schemas_consents import PurposeBody, PurposesView, purposes
from app.intake import families

family = Router(tags=["family"])


@family.get("/v1/family/elders/{elder_id}/consents", response_model=PurposesView, summary="What my elder lets us see")
@allow("family.read")
async def read_own_consents(tx: TxDep, caller: CallerDep, elder_id: UUID) -> Any:
    await families.bound_elder(tx, caller, elder_id)
    return await _told(tx, elder_id)


@family.post(
    "/v1/family/elders/{elder_id}/consents",
    response_model=PurposesView,
    status_code=201,
    summary="Give a consent as the elder's guardian",
)
@allow("family.consents")
async def give_as_guardian(tx: TxDep, caller: CallerDep, elder_id: UUID, body: PurposeBody) -> Any:
    await consents.give(tx, caller, elder_id, body.purpose, await as_guardian(tx, caller, elder_id))
    return await _told(tx, elder_id)


@family.post(
    "/v1/family/elders/{elder_id}/consent-withdrawals",
    response_model=PurposesView,
    status_code=201,
    summary="Withdraw a consent as the elder's guardian",
)
@allow("family.consents")
async def withdraw_as_guardian(tx: TxDep, caller: CallerDep, elder_id: UUID, body: PurposeBody) -> Any:
    await consents.withdraw(tx, caller, elder_id, body.purpose, await as_guardian(tx, caller, elder_id))
    return await _told(tx, elder_id)


async def as_guardian(tx: Tx, caller: Caller, elder_id: UUID) -> Proof:
    """That the caller speaks in the elder's place. Raises NotFound for a stranger, Forbidden for any other relative."""
    bound = await families.bound_elder(tx, caller, elder_id)
    if bound.relation != consents.GUARDIAN:
        raise Forbidden("guardian_only", "only a guardian on record speaks in the elder's place")
    return Proof("online", None, bound.member_id)


async def _told(tx: Tx, elder_id: UUID) -> PurposesView:
    return PurposesView(purposes=purposes(await consents.of_elder(tx, elder_id), FAMILY))
