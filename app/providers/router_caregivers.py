"""Doors by which caregivers come in. What they then do is in `visits`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Response
from pydantic import ConfigDict, Field, StringConstraints

from app.accounts import codes
from app.accounts.schemas import AskCode, CodeAsked, RedeemCode
from app.core.http import DatabaseDep, Router, TxDep, allow
from app.core.text import View
from app.providers import signing_in

router = Router(tags=["caregiver"])


class CaregiverSignIn(RedeemCode):
    """`device_key`: the public half of the phone's key, an uncompressed point of P-256 in base64url."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"phone": "13800000000", "code": "123456", "device_key": "BKJ0…87 characters…"}]
        },
    )

    device_key: Annotated[str, StringConstraints(max_length=100)] | None = None
    provider_id: UUID | None = None


class EmploymentView(View):
    caregiver_id: UUID
    provider_id: UUID
    name: str


class CaregiverSessionView(View):
    """`others`: where else this person works; signing in there takes a new code."""

    token: str
    expires_at: datetime
    caregiver: EmploymentView
    others: Annotated[list[EmploymentView], Field(default_factory=list)]


@router.post(
    "/v1/caregiver/sessions/codes",
    status_code=202,
    response_model=CodeAsked,
    summary="Have a one-time code sent to a caregiver's phone",
    description="The answer is the same for every phone. One code a minute, five an hour.",
)
@allow("caregiver.sign_in", keyed=False)
async def ask_code(tx: TxDep, body: AskCode) -> CodeAsked:
    await signing_in.send_code(tx, body.phone)
    return CodeAsked(expires_in_s=int(codes.VALID.total_seconds()))


@router.post(
    "/v1/caregiver/sessions",
    status_code=201,
    response_model=CaregiverSessionView,
    summary="Sign in by phone; the session on any other phone ends",
)
@allow("caregiver.sign_in", keyed=False, own_transaction=True)
async def open_session(response: Response, database: DatabaseDep, body: CaregiverSignIn) -> Any:
    response.headers["Cache-Control"] = "no-store"
    made = await signing_in.sign_in(database, body.phone, body.code, body.device_key, body.provider_id)
    return CaregiverSessionView(
        token=made.session.token,
        expires_at=made.session.expires_at,
        caregiver=_employment(made.caregiver),
        others=[_employment(one) for one in made.others],
    )


def _employment(one: Any) -> EmploymentView:
    return EmploymentView(caregiver_id=one.id, provider_id=one.provider_id, name=one.name)
