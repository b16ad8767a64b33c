"""Doors for people: signing in and out, staff, and the audit trail. Keys of systems are in `router_keys`."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request, Response
from pydantic import AwareDatetime

from app.accounts import audit, codes, passwords, queries_staff, router_keys, service, sessions
from app.accounts.schemas import (
    AuditEntryView,
    CallerView,
    ChangeStaffBody,
    NewStaffBody,
    NewStaffView,
    PhoneSessionView,
    RedeemCode,
    SessionView,
    SignIn,
    StaffView,
)
from app.core.errors import NotFound
from app.core.http import CallerDep, DatabaseDep, IfMatchDep, Router, TxDep, allow, set_etag
from app.core.paging import CursorParam, Limit, Page, after_id, page_of

router = Router(tags=["accounts"])

Filter = Annotated[str | None, Query(max_length=200)]


@router.post("/v1/sessions", status_code=201, response_model=SessionView, summary="Sign in")
@allow("session.open", keyed=False, own_transaction=True)
async def open_session(request: Request, response: Response, database: DatabaseDep, body: SignIn) -> Any:
    response.headers["Cache-Control"] = "no-store"
    return await sessions.sign_in(
        database, passwords.of_process(request.app.state), body.username, body.password, body.otp
    )


@router.get("/v1/sessions/current", response_model=CallerView, summary="Who you are to us")
@allow("session.read")
async def read_session(caller: CallerDep) -> CallerView:
    return CallerView(
        kind=caller.kind,
        id=None if caller.kind == "family" else caller.id,
        name=caller.name,
        roles=sorted(caller.roles),
        divisions=list(caller.divisions),
    )


@router.delete("/v1/sessions/current", status_code=204, summary="Sign out")
@allow("session.close", keyed=False)
async def close_session(tx: TxDep, caller: CallerDep) -> None:
    await sessions.sign_out(tx, caller)


@router.post("/v1/family/sessions", status_code=201, response_model=PhoneSessionView, summary="Sign in by phone")
@allow("family.sign_in", keyed=False, own_transaction=True)
async def open_family_session(response: Response, database: DatabaseDep, body: RedeemCode) -> Any:
    response.headers["Cache-Control"] = "no-store"
    return await codes.open_family_session(database, body.phone, body.code)


@router.post("/v1/staff", status_code=201, response_model=NewStaffView, summary="Make a staff account")
@allow("staff.manage")
async def create_staff(request: Request, tx: TxDep, caller: CallerDep, body: NewStaffBody) -> NewStaffView:
    password_hash = await passwords.of_process(request.app.state).hash(body.password)
    made = await service.create_staff(
        tx, body.username, body.name, password_hash, body.roles, body.divisions, with_otp=body.otp, caller=caller
    )
    row = await queries_staff.locked(tx, made.id)
    return NewStaffView(**_staff_facts(row), otp_uri=made.otp_uri)


@router.get("/v1/staff", response_model=Page[StaffView], summary="Staff accounts")
@allow("staff.manage")
async def list_staff(tx: TxDep, limit: Limit = 50, cursor: CursorParam = None) -> Any:
    rows = await queries_staff.page(tx, after_id(cursor), limit + 1)
    return page_of([StaffView(**_staff_facts(row)) for row in rows], [row["id"] for row in rows], limit)


@router.patch("/v1/staff/{staff_id}", response_model=StaffView, summary="Change a staff account")
@allow("staff.manage")
async def change_staff(
    request: Request,
    response: Response,
    tx: TxDep,
    caller: CallerDep,
    if_match: IfMatchDep,
    staff_id: UUID,
    body: ChangeStaffBody,
) -> StaffView:
    password_hash = None if body.password is None else await passwords.of_process(request.app.state).hash(body.password)
    row = await service.change_staff(
        tx,
        caller,
        staff_id,
        expected=if_match,
        name=body.name,
        roles=body.roles,
        divisions=body.divisions,
        status=body.status,
        password_hash=password_hash,
    )
    set_etag(response, row["version"])
    return StaffView(**_staff_facts(row))


@router.get("/v1/audit-entries", response_model=Page[AuditEntryView], summary="Who did what, newest first")
@allow("audit.read")
async def list_audit_entries(
    tx: TxDep,
    object_type: Filter = None,
    object_id: Filter = None,
    actor: Filter = None,
    action: Filter = None,
    since: AwareDatetime | None = None,
    limit: Limit = 50,
    cursor: CursorParam = None,
) -> Any:
    rows = await audit.entries(
        tx,
        object_type=object_type,
        object_id=object_id,
        actor=actor,
        action=action,
        since=since,
        before=after_id(cursor),
        limit=limit + 1,
    )
    return page_of([AuditEntryView(**dict(row)) for row in rows], [row["id"] for row in rows], limit)


router.include_router(router_keys.router)


def _staff_facts(row: Any) -> dict[str, Any]:
    if row is None:
        raise NotFound()
    return {name: row[name] for name in StaffView.model_fields}
