"""Whoever did not reach us is called back: one task a call, until somebody has spoken to them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.accounts import scope
from app.calls import numbers, queries
from app.calls.record import CALLBACK_WITHIN, CallbackReason, CallRecord
from app.calls.schemas import CallbackView, Unheard
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict, Invalid, NotFound
from app.core.http import Caller
from app.core.ids import new_id
from app.core.paging import decode_cursor, encode_cursor
from app.core.text import masked_phone
from app.elders import service as elders
from app.jobs import feed

DESK = "desk"
TRY_AGAIN_AFTER = timedelta(minutes=30)
COUPLE = 2
"""A number of more elders than that is a station's: one who was answered says nothing of another who was not."""


async def follow(tx: Tx, row_id: UUID, folded: CallRecord, now: datetime) -> None:
    """Make, renew or withdraw the task of one call, as its record has become."""
    reason = folded.callback
    if reason is None:
        await queries.withdraw(tx, row_id)
        return
    lost_at = folded.voicemail_at or folded.abandoned_at or folded.ended_at or folded.first_at
    fresh_id = new_id()
    made = await queries.due(tx, fresh_id, row_id, reason, None, None, lost_at + CALLBACK_WITHIN, now)
    task_id = fresh_id if made else await queries.task_of(tx, row_id)
    number = numbers.known(folded.caller)
    if task_id is not None and number is not None:
        sealed = tx.vault.seal("callback_task.phone", task_id, number)
        await queries.fill_phone(tx, task_id, sealed, numbers.index(tx, number))
    if made:
        await feed.append(tx, DESK, "callback.due", facts={"task": str(task_id), "call": str(row_id)})


async def withdraw_served(tx: Tx, callers: set[str], now: datetime) -> None:
    """Whoever gave up, called again and was answered need not be called back. The record says why."""
    indexes = sorted(numbers.index(tx, number) for one in callers if (number := numbers.known(one)) is not None)
    if not indexes:
        return
    again = await queries.called_again(tx, indexes)
    served = [task["id"] for task in again if await _is_a_couples(tx, phone_of(tx, task))]
    if served:
        await queries.served_since(tx, served, now)


async def complete(tx: Tx, caller: Caller, task_id: UUID, result: str, note: str | None) -> Any:
    """Write down what came of calling back. Nobody there: the task stays due, later. Raises Conflict when done,
    NotFound out of scope.

    Somebody who was lost several times is one person to call: what came of it holds for their other lost calls too.
    """
    task = await seen(tx, caller, task_id)
    if task["status"] != "due":
        raise Conflict("callback_closed", f"this call-back is already {task['status']}", status=task["status"])
    now = clock.now()
    reached_nobody = result == "no_answer"
    status, due_at = ("due", now + TRY_AGAIN_AFTER) if reached_nobody else ("done", task["due_at"])
    sealed = tx.vault.seal("callback_task.note", task_id, note) if note else None
    done_at, done_by = (None, None) if reached_nobody else (now, caller.actor)
    await queries.complete(tx, task_id, status, result, sealed, done_at, done_by, due_at)
    speaks_for_others = result in {"reached", "no_answer"} and task["call_id"] is not None
    if speaks_for_others and await _is_a_couples(tx, phone_of(tx, task)):
        put_off = due_at if reached_nobody else None
        await queries.same_for(tx, task["phone_index"], task_id, status, result, done_at, done_by, put_off)
    return await queries.locked_task(tx, task_id)


async def seen(tx: Tx, caller: Caller, task_id: UUID) -> Any:
    """A task, held. Raises NotFound, out of scope too; what is nobody's division is everybody's."""
    task = await queries.locked_task(tx, task_id)
    if task["division_code"] is not None and not scope.sees(caller, task["division_code"]):
        raise NotFound("callback_task_not_found")
    return task


def cursor_at(task: Any) -> str:
    """The page after this task."""
    return encode_cursor(int(task["urgent"]), task["due_at"].isoformat(), task["id"])


def place_after(cursor: str | None) -> queries.Place | None:
    """Where a page begins. Raises Invalid for anything `cursor_at` did not make."""
    if cursor is None:
        return None
    try:
        urgent, due_at, task_id = decode_cursor(cursor)
        due = datetime.fromisoformat(due_at)
        if due.tzinfo is None:
            raise ValueError("a time without a zone")
        return bool(int(urgent)), due, UUID(task_id)
    except ValueError as broken:
        raise Invalid("cursor_malformed", "use next_cursor as it was given", field="cursor") from broken


def phone_of(tx: Tx, task: Any) -> str | None:
    """E.164 of whom to call back; None when the number was withheld."""
    return tx.vault.open("callback_task.phone", task["id"], task["phone"]) if task["phone"] is not None else None


def words_of(tx: Tx, task: Any) -> str | None:
    """What to say, where the task stands for a message; what was not heard (`Unheard`), where for an exchange."""
    return tx.vault.open("callback_task.words", task["id"], task["words"]) if task["words"] is not None else None


async def call_for_message(
    tx: Tx, message_id: UUID, phone: str, words: str, *, urgent: bool, division_code: str | None = None
) -> bool:
    """Let an operator say what no message could; at once where it is urgent. False when they have been asked."""
    task_id, now = new_id(), clock.now()
    made = await queries.task_for_message(
        tx, task_id, message_id, CallbackReason.NOT_REACHED, tx.vault.seal("callback_task.phone", task_id, phone),
        numbers.index(tx, phone), tx.vault.seal("callback_task.words", task_id, words), urgent,
        now if urgent else now + CALLBACK_WITHIN, now, division_code,
    )  # fmt: skip
    if made:
        facts = {"task": str(task_id), "message": str(message_id), "urgent": urgent, "division": division_code}
        await feed.append(tx, DESK, "callback.due", facts=facts)
    return made


async def look_at_exchange(tx: Tx, unheard: Unheard) -> None:
    """Let an operator look at the exchange's own list of calls, and call back whoever is on it and not with us."""
    task_id = new_id()
    sealed = tx.vault.seal("callback_task.words", task_id, unheard.model_dump_json())
    await queries.task_for_exchange(tx, task_id, sealed, unheard.until + CALLBACK_WITHIN, clock.now())
    await feed.append(tx, DESK, "callback.due", facts={"task": str(task_id)})


async def _is_a_couples(tx: Tx, number: str | None) -> bool:
    """Whether all who call from this number may be taken for one household."""
    return number is not None and len(await elders.find_by_phone(tx, number)) <= COUPLE


def view(tx: Tx, task: Any, now: datetime, *, plain: bool = False) -> CallbackView:
    phone, words = phone_of(tx, task), words_of(tx, task)
    gap = task["reason"] == CallbackReason.EXCHANGE_UNHEARD
    note = tx.vault.open("callback_task.note", task["id"], task["note"]) if task["note"] is not None else None
    return CallbackView(
        id=task["id"], call_id=task["call_id"], message_id=task["message_id"], division=task["division_code"],
        reason=task["reason"], status=task["status"], words=words if plain and not gap else None,
        unheard=Unheard.model_validate_json(words) if gap and words else None,
        phone=phone if plain or phone is None else masked_phone(phone), urgent=task["urgent"], due_at=task["due_at"],
        late=task["status"] == "due" and task["due_at"] < now, result=task["result"], note=note,
        done_at=task["done_at"], done_by=task["done_by"],
    )  # fmt: skip
