"""Verbs of transfers. The care request is its own room's; a transfer only says whose ticket it belongs to."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from app.catalog import service as catalog
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict
from app.core.http import Caller, check_version
from app.core.ids import new_id
from app.intake import desk
from app.intake import service as intake
from app.intake.requests import OPEN as OPEN_REQUESTS
from app.intake.requests import Channel, Kind
from app.intake.schemas import CareRequestBody
from app.jobs import feed
from app.orders import service as orders
from app.regions import service as regions
from app.transfers import queries, replies
from app.transfers.lifecycle import FIRST, LAST, Direction, Status, check_move
from app.transfers.schemas import Deadline, TransferIn, TransferOut

DESK = "desk"
BATCH = 200
OURS = "12345"
"""The hotline whose tickets the desk may also take as plain requests: there their number is the external id."""


async def take_in(tx: Tx, caller: Caller, body: TransferIn) -> UUID:
    """Their ticket, and the care request made of it in the same breath: nothing waits for an acceptance.

    Raises Conflict, naming the transfer, for a number that is here; otherwise as `intake.desk.take`.
    """
    known = await queries.known(tx, Direction.IN, body.hotline, body.their_number)
    if known is not None:
        raise Conflict(
            "transfer_known", "a transfer with this number is here already", transfer_id=str(known["id"]),
            state=known["status"],
        )  # fmt: skip
    number = body.their_number if body.hotline == OURS else f"{body.hotline}:{body.their_number}"
    wish = body.request.model_dump(by_alias=True, exclude_unset=True)
    asked = CareRequestBody(**wish, channel=Channel.TRANSFER_12345, external_id=number)
    request = await desk.take(tx, caller, asked)
    return await _add(tx, caller, Direction.IN, body.hotline, body.their_number, request.id, body.deadline, None)


async def send_out(tx: Tx, caller: Caller, body: TransferOut) -> UUID:
    """A request that is not our affair goes to theirs; it stays open here until they answer.

    Raises Conflict for a closed request, one that is with somebody already, and for an emergency.
    """
    request = await intake.held(tx, caller, body.care_request_id, None)
    if request.status not in OPEN_REQUESTS:
        raise Conflict("care_request_closed", f"the request is already {request.status}", status=request.status)
    if request.kind == Kind.EMERGENCY:
        raise Conflict("emergency_stays", "call 120, 110 or 119 and log the call with the incident")
    return await _add(tx, caller, Direction.OUT, body.hotline, None, request.id, body.deadline, body.note)


async def accept(tx: Tx, caller: Caller, transfer_id: UUID, version: int | None) -> None:
    """It is our affair."""
    row = await _held(tx, caller, transfer_id, version, Status.ACCEPTED)
    await queries.move(tx, row, Status.ACCEPTED, clock.now(), caller.actor)


async def acknowledge(tx: Tx, caller: Caller, transfer_id: UUID, their_number: str, version: int | None) -> None:
    """They have it, under this number. Raises Conflict for a number that another transfer has."""
    row = await _held(tx, caller, transfer_id, version, Status.ACKNOWLEDGED)
    await queries.move(tx, row, Status.ACKNOWLEDGED, clock.now(), caller.actor, their_number=their_number)


async def give_back(tx: Tx, caller: Caller, transfer_id: UUID, reason: str, version: int | None) -> None:
    """Not our affair: our request is rejected with that reason. Or not theirs: it stays with us, open.

    Raises Conflict where our request is no longer to be rejected: an emergency, or one that became an order.
    """
    row = await _held(tx, caller, transfer_id, version, Status.RETURNED)
    if row["direction"] == Direction.IN:
        await intake.reject(tx, caller, row["care_request_id"], reason)
    kept = tx.vault.seal("transfer.reason", row["id"], reason)
    await queries.move(tx, row, Status.RETURNED, clock.now(), caller.actor, reason=kept)


async def reply(tx: Tx, caller: Caller, transfer_id: UUID, text: str, version: int | None) -> None:
    """Our reply to theirs, or their answer to ours, which closes our request with it."""
    row = await queries.get(tx, transfer_id)
    to = LAST[Direction(row["direction"])]
    row = await _held(tx, caller, transfer_id, version, to)
    if row["direction"] == Direction.OUT:
        request = await intake.held(tx, caller, row["care_request_id"], None)
        if request.status in OPEN_REQUESTS:
            await intake.answer(tx, caller, request.id, text)
    kept = tx.vault.seal("transfer.reply", row["id"], text)
    await queries.move(tx, row, to, clock.now(), caller.actor, reply=kept)


async def see(tx: Tx, caller: Caller, transfer_id: UUID) -> Any:
    """Raises NotFound for a transfer whose request is out of the caller's scope."""
    row = await queries.get(tx, transfer_id)
    await intake.see(tx, caller, row["care_request_id"])
    return row


async def proposed_reply(tx: Tx, caller: Caller, row: Any) -> str | None:
    """What could be replied to a ticket of theirs, once something became of it here."""
    if row["direction"] != Direction.IN or row["status"] != Status.ACCEPTED:
        return None
    request = await intake.see(tx, caller, row["care_request_id"])
    course = replies.Course(request=request.status, answer=intake.opened(tx, request, "answer"), reason=request.reason)
    if request.order_id is not None:
        order = await orders.get(tx, request.order_id)
        ended = order.completed_at.astimezone(clock.SHANGHAI) if order.completed_at is not None else None
        course = replies.Course(
            request=request.status, order=order.status, outcome=order.outcome, outcome_reason=order.outcome_reason,
            item=(await catalog.item(tx, order.item_code)).name, ended=ended,
        )  # fmt: skip
    return replies.proposed(course)


async def announce_overdue(tx: Tx) -> int:
    """Tell the desk, once, of every transfer whose deadline has passed; returns how many."""
    now = clock.now()
    late = await queries.take_overdue(tx, now, BATCH)
    for row in late:
        facts = {
            "transfer_id": str(row["id"]), "direction": row["direction"], "hotline": row["hotline"],
            "due_at": row["due_at"].isoformat(), "care_request_id": str(row["care_request_id"]),
            "division": row["division_code"],
        }  # fmt: skip
        await feed.append(tx, DESK, "transfer.overdue", facts=facts, occurred_at=now)
    return len(late)


async def _add(
    tx: Tx,
    caller: Caller,
    direction: Direction,
    hotline: str,
    their_number: str | None,
    request_id: UUID,
    deadline: Deadline | None,
    note: str | None,
) -> UUID:
    now, transfer_id = clock.now(), new_id()
    values = {
        "id": transfer_id, "direction": direction, "hotline": hotline, "their_number": their_number,
        "status": FIRST[direction], "care_request_id": request_id, "due_at": await due(tx, deadline, now),
        "note": tx.vault.seal("transfer.note", transfer_id, note) if note else None,
        "created_at": now, "updated_at": now, "version": 1,
    }  # fmt: skip
    await queries.add(tx, values, caller.actor)
    return transfer_id


async def due(tx: Tx, deadline: Deadline | None, now: datetime) -> datetime | None:
    """The moment a deadline given on `now` means; working days by the city's calendar."""
    if deadline is None:
        return None
    if deadline.at is not None:
        return deadline.at
    return await regions.add_working_days(tx, now, deadline.workdays or 0)


async def _held(tx: Tx, caller: Caller, transfer_id: UUID, version: int | None, to: Status) -> Any:
    row = await queries.get(tx, transfer_id, lock=True)
    await intake.see(tx, caller, row["care_request_id"])
    check_version(version, row["version"])
    check_move(Status(row["status"]), to)
    return row
