"""Whoever did not reach us is called back: one task a call, until somebody has spoken to them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.calls import numbers, queries
from app.calls.record import CALLBACK_WITHIN, CallbackReason, CallRecord
from app.calls.schemas import CallbackView, Unheard
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict
from app.core.http import Caller
from app.core.ids import new_id
from app.core.text import masked_phone
from app.jobs import feed

DESK = "desk"
TRY_AGAIN_AFTER = timedelta(minutes=30)
UNHEARD = "exchange_unheard"
"""The reason that is shown where callers may not have reached us, and only the exchange knows who."""


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


async def complete(tx: Tx, caller: Caller, task_id: UUID, result: str, note: str | None) -> Any:
    """Write down what came of calling back. Nobody there: the task stays due, later. Raises Conflict when done."""
    task = await queries.locked_task(tx, task_id)
    if task["status"] != "due":
        raise Conflict("callback_closed", f"this call-back is already {task['status']}", status=task["status"])
    now = clock.now()
    reached_nobody = result == "no_answer"
    status, due_at = ("due", now + TRY_AGAIN_AFTER) if reached_nobody else ("done", task["due_at"])
    sealed = tx.vault.seal("callback_task.note", task_id, note) if note else None
    done_at, done_by = (None, None) if reached_nobody else (now, caller.actor)
    await queries.complete(tx, task_id, status, result, sealed, done_at, done_by, due_at)
    return await queries.locked_task(tx, task_id)


def phone_of(tx: Tx, task: Any) -> str | None:
    """E.164 of whom to call back; None when the number was withheld."""
    return tx.vault.open("callback_task.phone", task["id"], task["phone"]) if task["phone"] is not None else None


def words_of(tx: Tx, task: Any) -> str | None:
    """What to say, where the task stands for a message."""
    return tx.vault.open("callback_task.words", task["id"], task["words"]) if task["words"] is not None else None


async def call_for_message(tx: Tx, message_id: UUID, phone: str, words: str, *, urgent: bool) -> bool:
    """Let an operator say what no message could; at once where it is urgent. False when they have been asked."""
    task_id, now = new_id(), clock.now()
    made = await queries.task_for_message(
        tx, task_id, message_id, CallbackReason.NOT_REACHED, tx.vault.seal("callback_task.phone", task_id, phone),
        numbers.index(tx, phone), tx.vault.seal("callback_task.words", task_id, words),
        now if urgent else now + CALLBACK_WITHIN, now,
    )  # fmt: skip
    if made:
        facts = {"task": str(task_id), "message": str(message_id), "urgent": urgent}
        await feed.append(tx, DESK, "callback.due", facts=facts)
    return made


async def look_at_exchange(tx: Tx, unheard: Unheard) -> None:
    """Let an operator look at the exchange's own list of calls, and call back whoever is on it and not with us.

    The task is of no call and says what to do, like one that stands for a message.
    """
    task_id, words = new_id(), unheard.model_dump_json()
    await queries.task_for_message(
        tx, task_id, new_id(), CallbackReason.ABANDONED, None, None,
        tx.vault.seal("callback_task.words", task_id, words), unheard.until + CALLBACK_WITHIN, clock.now(),
    )  # fmt: skip
    await feed.append(tx, DESK, "callback.due", facts={"task": str(task_id)})


def _unheard(tx: Tx, task: Any) -> Unheard | None:
    words = words_of(tx, task) if task["reason"] == CallbackReason.ABANDONED else None
    return None if words is None else Unheard.model_validate_json(words)


def view(tx: Tx, task: Any, now: datetime, *, plain: bool = False) -> CallbackView:
    phone, unheard = phone_of(tx, task), _unheard(tx, task)
    note = tx.vault.open("callback_task.note", task["id"], task["note"]) if task["note"] is not None else None
    return CallbackView(
        id=task["id"], call_id=task["call_id"], status=task["status"], unheard=unheard,
        message_id=None if unheard else task["message_id"], reason=UNHEARD if unheard else task["reason"],
        words=words_of(tx, task) if plain and not unheard else None,
        phone=phone if plain or phone is None else masked_phone(phone), due_at=task["due_at"],
        late=task["status"] == "due" and task["due_at"] < now, result=task["result"], note=note,
        done_at=task["done_at"], done_by=task["done_by"],
    )  # fmt: skip
