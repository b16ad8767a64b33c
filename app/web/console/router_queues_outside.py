"""Queues of what came in from outside: requests nobody has decided on, and tickets that pass to and from 12345."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import fastapi
from fastapi import Request, Response
from pydantic import Field

from app.catalog import service as catalog
from app.core.http import CallerDep, TxDep, allow
from app.intake import confirmation, views
from app.intake import service as intake
from app.intake.confirmation import Completion
from app.intake.requests import Kind
from app.transfers import queries, service
from app.transfers.lifecycle import NEXT
from app.transfers.lifecycle import Status as TransferStatus
from app.web.console.router_queues import HOME
from app.web.pages import Form, Pages, see
from app.web.rendering import page

router = Pages()

REQUEST = HOME + "/requests/{request_id}"
TRANSFER = HOME + "/transfers/{transfer_id}"


class Versioned(Form):
    version: int | None = None


class ConfirmForm(Versioned):
    elder_id: UUID | None = None
    item_code: Annotated[str, Field(max_length=40)] | None = None


class TextForm(Versioned):
    text: Annotated[str, Field(min_length=1, max_length=4000)]


class ReasonForm(Versioned):
    reason: Annotated[str, Field(min_length=1, max_length=200)]


class NumberForm(Versioned):
    their_number: Annotated[str, Field(min_length=1, max_length=80)]


@router.get(REQUEST)
@allow("requests.read")
async def show_request(request: Request, tx: TxDep, caller: CallerDep, request_id: UUID) -> Response:
    taken = await views.taken(tx, await intake.see(tx, caller, request_id))
    items = await catalog.items(tx)
    offered = [(one.code, one.name) for one in items if one.kind != "consultation"]
    return page(
        request, "console/queue_request.html", taken=taken, items=offered, is_service=taken.kind == Kind.SERVICE
    )


@router.post(REQUEST + "/confirmation")
@allow("orders.place")
async def confirm_request(
    tx: TxDep, caller: CallerDep, request_id: UUID, form: Annotated[ConfirmForm, fastapi.Form()]
) -> Response:
    found_out = Completion(elder_id=form.elder_id, item_code=form.item_code)
    order = await confirmation.confirm(tx, caller, request_id, found_out, form.version)
    return see(f"/console/orders/{order.id}")


@router.post(REQUEST + "/answer")
@allow("requests.write")
async def answer_request(
    tx: TxDep, caller: CallerDep, request_id: UUID, form: Annotated[TextForm, fastapi.Form()]
) -> Response:
    await intake.answer(tx, caller, request_id, form.text, form.version)
    return see(HOME)


@router.post(REQUEST + "/rejection")
@allow("requests.write")
async def reject_request(
    tx: TxDep, caller: CallerDep, request_id: UUID, form: Annotated[ReasonForm, fastapi.Form()]
) -> Response:
    await intake.reject(tx, caller, request_id, form.reason, form.version)
    return see(HOME)


@router.get(TRANSFER)
@allow("transfers.read")
async def show_transfer(request: Request, tx: TxDep, caller: CallerDep, transfer_id: UUID) -> Response:
    row = await service.see(tx, caller, transfer_id)
    opened = {
        name: tx.vault.open(f"transfer.{name}", row["id"], row[name]) if row[name] is not None else None
        for name in ("note", "reply", "reason")
    }
    return page(
        request,
        "console/queue_transfer.html",
        transfer={name: row[name] for name in queries.NAMES} | opened,
        proposed=await service.proposed_reply(tx, caller, row),
        may=sorted(to.value for to in NEXT[TransferStatus(row["status"])]),
    )


@router.post(TRANSFER + "/acceptance")
@allow("transfers.work")
async def accept_transfer(
    tx: TxDep, caller: CallerDep, transfer_id: UUID, form: Annotated[Versioned, fastapi.Form()]
) -> Response:
    await service.accept(tx, caller, transfer_id, form.version)
    return see(f"{HOME}/transfers/{transfer_id}")


@router.post(TRANSFER + "/acknowledgement")
@allow("transfers.work")
async def acknowledge_transfer(
    tx: TxDep, caller: CallerDep, transfer_id: UUID, form: Annotated[NumberForm, fastapi.Form()]
) -> Response:
    await service.acknowledge(tx, caller, transfer_id, form.their_number, form.version)
    return see(f"{HOME}/transfers/{transfer_id}")


@router.post(TRANSFER + "/return")
@allow("transfers.work")
async def return_transfer(
    tx: TxDep, caller: CallerDep, transfer_id: UUID, form: Annotated[ReasonForm, fastapi.Form()]
) -> Response:
    await service.give_back(tx, caller, transfer_id, form.reason, form.version)
    return see(HOME)


@router.post(TRANSFER + "/reply")
@allow("transfers.work")
async def reply_transfer(
    tx: TxDep, caller: CallerDep, transfer_id: UUID, form: Annotated[TextForm, fastapi.Form()]
) -> Response:
    await service.reply(tx, caller, transfer_id, form.text, form.version)
    return see(HOME)
