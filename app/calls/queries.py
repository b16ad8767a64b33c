"""SQL of calls, their events and call-back tasks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx
from app.core.errors import NotFound

OPEN_CALL = """INSERT INTO call (id, source, source_instance, call_id, state, offers, first_at, updated_at)
VALUES ($1, $2, $3, $4, 'waiting', 0, $5, $6) ON CONFLICT (source, source_instance, call_id) DO NOTHING"""
LOCK_CALL = """SELECT id, outcome FROM call WHERE source = $1 AND source_instance = $2 AND call_id = $3 FOR UPDATE"""
CALL_KEY = "SELECT source, source_instance, call_id FROM call WHERE id = $1"
ADD_EVENT = """INSERT INTO call_event
(id, call_row_id, source, source_instance, call_id, type, event_key, at, facts, received_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (source, source_instance, call_id, type, event_key) DO NOTHING RETURNING id"""
EVENTS = "SELECT id, type, event_key, at, facts FROM call_event WHERE call_row_id = $1"
FOLDED = (
    "state", "outcome", "cause", "caller", "caller_index", "called", "queue", "agent", "offers", "first_at",
    "queued_at", "offered_at", "answered_at", "ended_at", "abandoned_at", "voicemail_at", "recording_ref",
    "updated_at",
)  # fmt: skip
WRITE = f"UPDATE call SET {', '.join(f'{name} = ${i}' for i, name in enumerate(FOLDED, start=2))} WHERE id = $1"
GHOSTS = "SELECT id FROM call WHERE outcome IS NULL AND first_at < $1 AND updated_at < $2 ORDER BY id LIMIT 200"
OPEN_BEFORE = """SELECT call_id FROM call
WHERE source = $1 AND source_instance = $2 AND outcome IS NULL AND first_at < $3 ORDER BY call_id LIMIT 5000"""
LOST = """SELECT at, received_at FROM call_event
WHERE source = $1 AND source_instance = $2 AND call_id = '' AND type = 'source.lost' AND at < $3
  AND at > coalesce((SELECT max(at) FROM call_event WHERE source = $1 AND source_instance = $2 AND call_id = ''
    AND type = 'source.restored' AND at < $3), '-infinity') ORDER BY at LIMIT 1"""
# Ids are made in the order of time: their index is read backwards, and its first rows will do.
LAST_HEARD = """SELECT received_at FROM call_event
WHERE source = $1 AND source_instance = $2 AND type NOT IN ('source.lost', 'call.presumed_ended')
ORDER BY id DESC LIMIT 1"""
SHOWN = (
    "id", "state", "outcome", "cause", "called", "queue", "agent", "offers", "first_at", "queued_at", "offered_at",
    "answered_at", "abandoned_at", "voicemail_at", "ended_at",
)  # fmt: skip
_CALLS = f"""SELECT {", ".join(f"c.{name}" for name in SHOWN)}, c.caller, c.caller_index, c.recording_ref, t.reason
FROM call c LEFT JOIN callback_task t ON t.call_id = c.id"""
ONE = f"{_CALLS} WHERE c.id = $1"
BEFORE = f"{_CALLS} WHERE c.caller_index = $1 AND c.first_at < $2 ORDER BY c.first_at DESC LIMIT $3"
# What is on the line has no outcome yet: few rows with an index of their own.
FIND = f"""{_CALLS} WHERE ($1::text IS NULL OR c.state = $1) AND ($2::text IS NULL OR c.outcome = $2)
  AND ($3::text IS NULL OR c.queue = $3) AND ($4::text IS NULL OR c.agent = $4) AND ($5::uuid IS NULL OR c.id < $5)"""
LIVING, NEWEST = " AND c.outcome IS NULL", " ORDER BY c.id DESC LIMIT $6"
_WAITED = "extract(epoch FROM coalesce({}, ended_at, abandoned_at, voicemail_at) - coalesce(queued_at, first_at))"
_TALLY = f"""count(*) FILTER (WHERE outcome <> 'unknown') AS offered,
  count(*) FILTER (WHERE outcome = 'answered') AS answered,
  count(*) FILTER (WHERE outcome = 'answered' AND {_WAITED.format("answered_at")} <= 15) AS within_15,
  count(*) FILTER (WHERE outcome = 'answered' AND {_WAITED.format("answered_at")} <= 20) AS within_20,
  count(*) FILTER (WHERE outcome IN ('abandoned', 'unanswered')) AS abandoned,
  count(*) FILTER (WHERE outcome IN ('abandoned', 'unanswered') AND {_WAITED.format("abandoned_at")} < $4)
    AS abandoned_short,
  count(*) FILTER (WHERE outcome = 'voicemail') AS voicemail, count(*) FILTER (WHERE outcome = 'unknown') AS unknown"""
COUNTS = f"""SELECT {_TALLY} FROM call
WHERE first_at >= $1 AND first_at < $2 AND ($3::text IS NULL OR queue = $3)"""
COUNTS_BY_DAY = f"""SELECT (first_at AT TIME ZONE 'Asia/Shanghai')::date AS day, {_TALLY} FROM call
WHERE first_at >= $1 AND first_at < $2 AND ($3::text IS NULL OR queue = $3) GROUP BY 1"""

DUE = """INSERT INTO callback_task (id, call_id, reason, status, phone, phone_index, due_at, created_at)
VALUES ($1, $2, $3, 'due', $4, $5, $6, $7)
ON CONFLICT (call_id) DO UPDATE SET reason = excluded.reason, due_at = excluded.due_at,
  status = CASE callback_task.status WHEN 'withdrawn' THEN 'due' ELSE callback_task.status END
WHERE callback_task.status <> 'done'
RETURNING id = $1"""
WITHDRAW = "UPDATE callback_task SET status = 'withdrawn' WHERE call_id = $1 AND status = 'due'"
FILL_PHONE = """UPDATE callback_task SET phone = $2, phone_index = $3
WHERE id = $1 AND phone_index IS DISTINCT FROM $3"""
FOR_MESSAGE = """INSERT INTO callback_task (id, message_id, reason, status, phone, phone_index, words, due_at,
  created_at)
VALUES ($1, $2, $3, 'due', $4, $5, $6, $7, $8) ON CONFLICT (message_id) DO NOTHING"""
TASK_OF = "SELECT id FROM callback_task WHERE call_id = $1"
_TASK = """SELECT id, call_id, message_id, reason, status, phone, phone_index, words, due_at, done_at, done_by,
  result, note
FROM callback_task"""
TASKS = f"""{_TASK} WHERE status = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3"""
LOCK_TASK = f"""{_TASK} WHERE id = $1 FOR UPDATE"""
COMPLETE = """UPDATE callback_task SET status = $2, result = $3, note = $4, done_at = $5, done_by = $6, due_at = $7
WHERE id = $1"""


async def held_call(
    tx: Tx, fresh_id: UUID, source: str, instance: str, call_id: str, at: datetime, now: datetime
) -> UUID:
    """The id of this call's row, made if need be, and locked."""
    await tx.run(OPEN_CALL, fresh_id, source, instance, call_id, at, now)
    row = await tx.fetchrow(LOCK_CALL, source, instance, call_id)
    if row is None:
        raise RuntimeError("a call that was just inserted is not there")
    found: UUID = row["id"]
    return found


async def add_event(tx: Tx, *values: Any) -> bool:
    """Whether this event is new."""
    return await tx.fetchval(ADD_EVENT, *values) is not None


async def events(tx: Tx, call_row_id: UUID) -> list[Any]:
    return await tx.fetch(EVENTS, call_row_id)


async def write(tx: Tx, call_row_id: UUID, values: Sequence[Any]) -> None:
    """The record as folded; `values` in the order of FOLDED."""
    await tx.run(WRITE, call_row_id, *values)


async def key_of(tx: Tx, call_row_id: UUID) -> Any:
    """(source, source_instance, call_id) of a call. Raises NotFound."""
    row = await tx.fetchrow(CALL_KEY, call_row_id)
    if row is None:
        raise NotFound("call_not_found")
    return row


async def ghosts(tx: Tx, began_before: datetime, silent_since: datetime) -> list[UUID]:
    """Calls without an end that began, and were last heard of, long ago."""
    return [row["id"] for row in await tx.fetch(GHOSTS, began_before, silent_since)]


async def open_before(tx: Tx, source: str, instance: str, at: datetime) -> list[str]:
    """The exchange's ids of calls without an end that began before `at`."""
    return [row["call_id"] for row in await tx.fetch(OPEN_BEFORE, source, instance, at)]


async def lost(tx: Tx, source: str, instance: str, restored_at: datetime) -> Any:
    """(at, received_at) of this exchange's first loss since it was last there, before `restored_at`; None without."""
    return await tx.fetchrow(LOST, source, instance, restored_at)


async def last_heard(tx: Tx, source: str, instance: str) -> datetime | None:
    """When anything last came from this exchange; None when nothing did."""
    found: datetime | None = await tx.fetchval(LAST_HEARD, source, instance)
    return found


async def one(tx: Tx, call_row_id: UUID) -> Any:
    """A call as it is shown. Raises NotFound."""
    row = await tx.fetchrow(ONE, call_row_id)
    if row is None:
        raise NotFound("call_not_found")
    return row


async def before(tx: Tx, caller_index: bytes, at: datetime, limit: int) -> list[Any]:
    """The last calls from this number before `at`, newest first."""
    return await tx.fetch(BEFORE, caller_index, at, limit)


async def find(
    tx: Tx, state: str | None, outcome: str | None, queue: str | None, agent: str | None, after: UUID | None, limit: int
) -> list[Any]:
    """Calls, newest first."""
    living = LIVING if state in {"waiting", "ringing", "talking"} else ""
    return await tx.fetch(FIND + living + NEWEST, state, outcome, queue, agent, after, limit)


async def counts(tx: Tx, begin: datetime, end: datetime, queue: str | None, short_s: int) -> dict[str, int]:
    """Of calls that came in between; in the words of `figures.Counts`."""
    return dict((await tx.fetch(COUNTS, begin, end, queue, short_s))[0])


async def counts_by_day(tx: Tx, begin: datetime, end: datetime, short_s: int) -> dict[date, dict[str, int]]:
    """The same by service day; days without calls are left out."""
    rows = await tx.search(COUNTS_BY_DAY, begin, end, None, short_s)
    return {row["day"]: {name: row[name] for name in row.keys() if name != "day"} for row in rows}  # noqa: SIM118


async def due(tx: Tx, *values: Any) -> bool:
    """Make or renew the call's task; a finished one stays finished. Whether it is new."""
    return bool(await tx.fetchval(DUE, *values))


async def withdraw(tx: Tx, call_row_id: UUID) -> None:
    await tx.run(WITHDRAW, call_row_id)


async def task_of(tx: Tx, call_row_id: UUID) -> UUID | None:
    found: UUID | None = await tx.fetchval(TASK_OF, call_row_id)
    return found


async def fill_phone(tx: Tx, task_id: UUID, phone: bytes | None, index: bytes | None) -> None:
    await tx.run(FILL_PHONE, task_id, phone, index)


async def tasks(tx: Tx, status: str, after: UUID | None, limit: int) -> list[Any]:
    """Call-back tasks, the longest waiting first."""
    return await tx.fetch(TASKS, status, after, limit)


async def locked_task(tx: Tx, task_id: UUID) -> Any:
    row = await tx.fetchrow(LOCK_TASK, task_id)
    if row is None:
        raise NotFound("callback_task_not_found")
    return row


async def complete(tx: Tx, *values: Any) -> None:
    await tx.run(COMPLETE, *values)


async def task_for_message(tx: Tx, *values: Any) -> bool:
    """False when this message has its task already."""
    return await tx.run(FOR_MESSAGE, *values) == 1
