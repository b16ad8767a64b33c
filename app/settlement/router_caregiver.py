"""The caregiver's door to what her work came to."""

from __future__ import annotations

from typing import Any

from app.core.http import CallerDep, Router, TxDep, allow
from app.settlement import caregivers

router = Router(tags=["caregiver"])


@router.get(
    "/v1/caregiver/earnings",
    response_model=caregivers.Earnings,
    summary="My visits by month, what they were settled at, and my ratings",
)
@allow("caregiver.work")
async def read_earnings(tx: TxDep, caller: CallerDep) -> Any:
    return await caregivers.earnings(tx, caller)
