"""The desk's doors to transfers."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response

from app.core import clock
from app.core.http import Caller, CallerDep, IfMatchDep, Router, TxDep, allow, set_etag
from app.core.paging import CursorParam, Limit, Page, after_id, page_of
from app.intake.schemas_views import NOT_THERE
from app.regions.divisions import scope_ranges
from app.transfers import queries, service
from app.transfers.lifecycle import OPEN, Direction, Status
from app.transfers.schemas import (
    Acknowledgement,
    Reply,
    Return,
    StepView,
    TransferBody,
    TransferIn,
    TransferView,
    WholeTransferView,
)

router = Router(tags=["transfers"])
ONE = "/v1/transfers/{transfer_id}"


@router.post(
    "/v1/transfers",
    response_model=WholeTransferView,
    status_code=201,
    responses=NOT_THERE,
    summary="A ticket of 12345 comes in, or a request of ours goes out",
)
@allow("transfers.work")
async def make_transfer(tx: TxDep, caller: CallerDep, body: TransferBody, response: Response) -> Any:
    given = body.root
    made = service.take_in(tx, caller, given) if isinstance(given, TransferIn) else service.send_out(tx, caller, given)
    transfer_id = await made
    response.headers["Location"] = f"/v1/transfers/{transfer_id}"
    return await _whole(tx, caller, transfer_id, response)


@router.get("/v1/transfers", response_model=Page[TransferView], summary="Transfers, newest first")
@allow("transfers.read")
async def list_transfers(
    tx: TxDep,
    caller: CallerDep,
    direction: Direction | None = None,
    status: Annotated[list[Status] | None, Query(description="Repeat to ask for several")] = None,
    overdue: Annotated[bool, Query(description="Only what is late")] = False,
    limit: Limit = 50,
    cursor: CursorParam = None,
) -> Any:
    rows = await queries.find(
        tx,
        ranges=scope_ranges(caller.divisions),
        direction=direction,
        statuses=status,
        overdue_on=clock.now() if overdue else None,
        before=after_id(cursor),
        limit=limit + 1,
    )
    return page_of([TransferView(**_facts(row)) for row in rows[:limit]], [row["id"] for row in rows], limit)


@router.get(ONE, response_model=WholeTransferView, summary="One transfer, with a reply proposed")
@allow("transfers.read")
async def read_transfer(tx: TxDep, caller: CallerDep, transfer_id: UUID, response: Response) -> Any:
    return await _whole(tx, caller, transfer_id, response)


@router.post(f"{ONE}/acceptance", response_model=WholeTransferView, summary="Their ticket is our affair")
@allow("transfers.work")
async def accept_transfer(
    tx: TxDep, caller: CallerDep, version: IfMatchDep, transfer_id: UUID, response: Response
) -> Any:
    await service.accept(tx, caller, transfer_id, version)
    return await _whole(tx, caller, transfer_id, response)


@router.post(f"{ONE}/acknowledgement", response_model=WholeTransferView, summary="They have it, under this number")
@allow("transfers.work")
async def acknowledge_transfer(
    tx: TxDep, caller: CallerDep, version: IfMatchDep, transfer_id: UUID, body: Acknowledgement, response: Response
) -> Any:
    await service.acknowledge(tx, caller, transfer_id, body.their_number, version)
    return await _whole(tx, caller, transfer_id, response)


@router.post(f"{ONE}/return", response_model=WholeTransferView, summary="It is not the affair of whoever got it")
@allow("transfers.work")
async def return_transfer(
    tx: TxDep, caller: CallerDep, version: IfMatchDep, transfer_id: UUID, body: Return, response: Response
) -> Any:
    await service.give_back(tx, caller, transfer_id, body.reason, version)
    return await _whole(tx, caller, transfer_id, response)


@router.post(f"{ONE}/reply", response_model=WholeTransferView, summary="Our reply to theirs, or theirs to ours")
@allow("transfers.work")
async def reply_to_transfer(
    tx: TxDep, caller: CallerDep, version: IfMatchDep, transfer_id: UUID, body: Reply, response: Response
) -> Any:
    await service.reply(tx, caller, transfer_id, body.text, version)
    return await _whole(tx, caller, transfer_id, response)


async def _whole(tx: TxDep, caller: Caller, transfer_id: UUID, response: Response) -> WholeTransferView:
    row = await service.see(tx, caller, transfer_id)
    set_etag(response, row["version"])
    opened = {
        name: tx.vault.open(f"transfer.{name}", row["id"], row[name]) if row[name] is not None else None
        for name in ("note", "reply", "reason")
    }
    return WholeTransferView(
        **_facts(row),
        **opened,
        proposed_reply=await service.proposed_reply(tx, caller, row),
        steps=[StepView(**dict(step)) for step in await queries.steps(tx, transfer_id)],
    )


def _facts(row: Any) -> dict[str, Any]:
    facts = {name: row[name] for name in TransferView.model_fields if name not in {"division", "overdue"}}
    late = row["status"] in OPEN and row["due_at"] is not None and row["due_at"] < clock.now()
    return facts | {"division": row["division_code"], "overdue": late}
