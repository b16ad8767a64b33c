"""SQL of calls, their events and call-back tasks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx
from app.core.errors import NotFound

Place = tuple[bool, datetime, UUID]
"""A task's place in the list: urgent, due_at, id."""

OPEN_CALL = """INSERT INTO call (id, source, source_instance, call_id, state, offers, first_at, updated_at)
VALUES ($1, $2, $3, $4, 'waiting', 0, $5, $6) ON CONFLICT (source, source_instance, call_id) DO NOTHING"""
LOCK_CALL = """SELECT id, outcome FROM call WHERE source = $1 AND source_instance = $2 AND call_id = $3 FOR UPDATE"""
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
_OPEN = """SELECT c.source, c.source_instance, c.call_id, e.last_at FROM call c CROSS JOIN LATERAL (
  SELECT max(at) AS last_at, min(received_at) AS heard_at FROM call_event WHERE call_row_id = c.id) e
WHERE c.outcome IS NULL"""
GHOSTS = f"{_OPEN} AND c.first_at < $1 AND c.updated_at < $2 ORDER BY c.id LIMIT 200"
# The exchange's clock may be fast: then our own says that a call is an old one.
OPEN_BEFORE = f"""{_OPEN} AND c.source = $1 AND c.source_instance = $2 AND (c.first_at < $3 OR e.heard_at < $4)
ORDER BY c.call_id LIMIT 5000"""
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

# Once somebody has tried, the time they put it off to stands, unless there is another reason to call. Who has called
# again and was answered is not called for this call any more, unless they left words that nobody has heard.
DUE = """INSERT INTO callback_task AS t (id, call_id, reason, status, phone, phone_index, due_at, created_at)
VALUES ($1, $2, $3, 'due', $4, $5, $6, $7)
ON CONFLICT (call_id) DO UPDATE SET reason = excluded.reason, status = 'due',
  due_at = CASE WHEN t.status = 'due' AND t.result IS NOT NULL AND t.reason = excluded.reason
    THEN t.due_at ELSE excluded.due_at END,
  result = CASE WHEN t.status = 'due' THEN t.result END, done_at = NULL
WHERE t.status = 'due' OR (t.status = 'withdrawn'
  AND (t.result IS DISTINCT FROM 'called_again' OR excluded.reason = 'voicemail'))
RETURNING id = $1"""
# Nobody waits for a task that another batch holds: they would wait for each other's calls.
CALLED_AGAIN = """SELECT t.id, t.phone FROM callback_task t JOIN call lost ON lost.id = t.call_id
WHERE t.phone_index = ANY($1::bytea[]) AND t.status = 'due' AND t.reason IN ('abandoned', 'after_hours')
  AND EXISTS (SELECT FROM call again WHERE again.caller_index = t.phone_index AND again.answered_at IS NOT NULL
    AND again.first_at > coalesce(lost.abandoned_at, lost.ended_at, lost.first_at))
ORDER BY t.id FOR UPDATE OF t SKIP LOCKED"""
SAME_FOR = """UPDATE callback_task SET status = $3, result = $4, done_at = $5, done_by = $6,
  due_at = coalesce($7::timestamptz, due_at)
WHERE id IN (SELECT id FROM callback_task WHERE phone_index = $1 AND id <> $2 AND status = 'due'
  AND reason IN ('abandoned', 'after_hours') ORDER BY id FOR UPDATE SKIP LOCKED)"""
SERVED_SINCE = """UPDATE callback_task SET status = 'withdrawn', result = 'called_again', done_at = $2
WHERE id = ANY($1::uuid[])"""
WITHDRAW = "UPDATE callback_task SET status = 'withdrawn' WHERE call_id = $1 AND status = 'due'"
FILL_PHONE = """UPDATE callback_task SET phone = $2, phone_index = $3
WHERE id = $1 AND phone_index IS DISTINCT FROM $3"""
FOR_MESSAGE = """INSERT INTO callback_task (id, message_id, reason, status, phone, phone_index, words, urgent, due_at,
  created_at, division_code)
VALUES ($1, $2, $3, 'due', $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (message_id) DO NOTHING"""
FOR_EXCHANGE = """INSERT INTO callback_task (id, reason, status, words, urgent, due_at, created_at)
VALUES ($1, 'exchange_unheard', 'due', $2, false, $3, $4)"""
TASK_OF = "SELECT id FROM callback_task WHERE call_id = $1"
_TASK = """SELECT id, call_id, message_id, division_code, reason, status, phone, phone_index, words, urgent, due_at,
  done_at, done_by, result, note
FROM callback_task"""
TASKS = f"""{_TASK} WHERE status = $1 AND ($2::boolean IS NULL OR urgent < $2
  OR (urgent = $2 AND (due_at, id) > ($3::timestamptz, $4::uuid)))
  AND (division_code IS NULL OR EXISTS (SELECT 1 FROM unnest($5::text[], $6::text[]) AS r (low, high)
    WHERE division_code >= r.low AND division_code < r.high))
ORDER BY urgent DESC, due_at, id LIMIT $7"""
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


async def ghosts(tx: Tx, began_before: datetime, silent_since: datetime) -> list[Any]:
    """`source, source_instance, call_id, last_at` of calls without an end that began, and were last heard of, long
    ago; `last_at` is the time of the last thing told of a call."""
    return await tx.fetch(GHOSTS, began_before, silent_since)


async def open_before(tx: Tx, source: str, instance: str, at: datetime, heard_before: datetime) -> list[Any]:
    """The same of calls without an end that began before `at`, or of which we first heard before `heard_before`."""
    return await tx.fetch(OPEN_BEFORE, source, instance, at, heard_before)


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


async def called_again(tx: Tx, phone_indexes: list[bytes]) -> list[Any]:
    """`id, phone` of what is due for lost calls after which the same number was answered, held; not of words left."""
    return await tx.fetch(CALLED_AGAIN, phone_indexes)


async def served_since(tx: Tx, task_ids: list[UUID], now: datetime) -> None:
    await tx.run(SERVED_SINCE, task_ids, now)


async def same_for(tx: Tx, phone_index: bytes, but: UUID, *values: Any) -> None:
    """Write the same about other lost calls from this number; without a `due_at` theirs stays."""
    await tx.run(SAME_FOR, phone_index, but, *values)


async def task_of(tx: Tx, call_row_id: UUID) -> UUID | None:
    found: UUID | None = await tx.fetchval(TASK_OF, call_row_id)
    return found


async def fill_phone(tx: Tx, task_id: UUID, phone: bytes | None, index: bytes | None) -> None:
    await tx.run(FILL_PHONE, task_id, phone, index)


async def tasks(tx: Tx, status: str, after: Place | None, ranges: Sequence[tuple[str, str]], limit: int) -> list[Any]:
    """Call-back tasks within division ranges, or everybody's; the most pressing first: what is urgent, then what is
    due first."""
    lows, highs = [low for low, _ in ranges], [high for _, high in ranges]
    return await tx.fetch(TASKS, status, *(after or (None, None, None)), lows, highs, limit)


async def locked_task(tx: Tx, task_id: UUID) -> Any:
    row = await tx.fetchrow(LOCK_TASK, task_id)
    if row is None:
        raise NotFound("callback_task_not_found")
    return row


async def complete(tx: Tx, *values: Any) -> None:
    await tx.run(COMPLETE, *values)


async def task_for_exchange(tx: Tx, *values: Any) -> None:
    """Id, sealed words, due at, now."""
    await tx.run(FOR_EXCHANGE, *values)


async def task_for_message(tx: Tx, *values: Any) -> bool:
    """False when this message has its task already."""
    return await tx.run(FOR_MESSAGE, *values) == 1
