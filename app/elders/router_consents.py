"""The desk's doors to an elder's consents."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.accounts.consent import Proof
from app.core.http import CallerDep, Router, TxDep, allow
from app.elders import consents, registration
from app.elders.schemas_consents import ConsentsView, SpokenBody, whole

router = Router(tags=["elders"])


@router.get("/v1/elders/{elder_id}/consents", response_model=ConsentsView, summary="What stands, and what was said")
@allow("consents.read")
async def read_consents(tx: TxDep, caller: CallerDep, elder_id: UUID) -> Any:
    await registration.visible(tx, caller, elder_id)
    return whole(await consents.of_elder(tx, elder_id))


@router.post(
    "/v1/elders/{elder_id}/consents", response_model=ConsentsView, status_code=201, summary="A consent is given"
)
@allow("consents.write")
async def give_consent(tx: TxDep, caller: CallerDep, elder_id: UUID, body: SpokenBody) -> Any:
    await registration.visible(tx, caller, elder_id)
    await consents.give(tx, caller, elder_id, body.purpose, Proof(body.how, body.evidence, body.guardian_id))
    return whole(await consents.of_elder(tx, elder_id))


@router.post(
    "/v1/elders/{elder_id}/consent-withdrawals",
    response_model=ConsentsView,
    status_code=201,
    summary="A consent is withdrawn, at once",
)
@allow("consents.write")
async def withdraw_consent(tx: TxDep, caller: CallerDep, elder_id: UUID, body: SpokenBody) -> Any:
    await registration.visible(tx, caller, elder_id)
    await consents.withdraw(tx, caller, elder_id, body.purpose, Proof(body.how, body.evidence, body.guardian_id))
    return whole(await consents.of_elder(tx, elder_id))
