"""SQL of transfers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from app.core.db import Tx
from app.core.errors import Conflict, NotFound
from app.core.sqlstate import constraint_of
from app.transfers.lifecycle import OPEN

NAMES = (
    "id", "direction", "hotline", "their_number", "status", "care_request_id", "due_at", "note", "reply", "reason",
    "overdue_at", "created_at", "updated_at", "version",
)  # fmt: skip
COLUMNS = ", ".join(f"t.{name}" for name in NAMES) + ", r.division_code"
_FROM = "FROM transfer t JOIN care_request r ON r.id = t.care_request_id"
ADD = f"INSERT INTO transfer ({', '.join(NAMES)}) VALUES ({', '.join(f'${i}' for i in range(1, len(NAMES) + 1))})"
# Whoever adds a step holds the transfer's row. A clock may be set back; the number is not.
STEP = """INSERT INTO transfer_step (transfer_id, number, status, at, actor)
SELECT $1, count(*) + 1, $2, $3, $4 FROM transfer_step WHERE transfer_id = $1"""
STEPS = "SELECT status, at, actor FROM transfer_step WHERE transfer_id = $1 ORDER BY number"
GET = f"SELECT {COLUMNS} {_FROM} WHERE t.id = $1"
LOCK = GET + " FOR UPDATE OF t"
KNOWN = "SELECT id, status FROM transfer WHERE direction = $1 AND hotline = $2 AND their_number = $3"
TAKE_OVERDUE = """UPDATE transfer t SET overdue_at = $1 FROM care_request r
WHERE r.id = t.care_request_id AND t.id IN (
  SELECT id FROM transfer WHERE status = ANY($2) AND due_at < $1 AND overdue_at IS NULL
  ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
RETURNING t.id, t.direction, t.hotline, t.due_at, t.care_request_id, r.division_code"""
STILL_OPEN = sorted(OPEN)


async def add(tx: Tx, values: Mapping[str, Any], actor: str) -> None:
    """Raises Conflict for a number, or a request, that has a transfer already."""
    try:
        await tx.run(ADD, *(values.get(name) for name in NAMES))
    except asyncpg.UniqueViolationError as taken:
        raise _known(taken) from taken
    await tx.run(STEP, values["id"], values["status"], values["created_at"], actor)


async def move(tx: Tx, row: Any, status: str, now: datetime, actor: str, **values: Any) -> None:
    """Give a locked row its next status, with other columns. Raises Conflict for a number that is taken."""
    sets = "".join(f", {name} = ${i}" for i, name in enumerate(values, start=4))
    sql = f"UPDATE transfer SET status = $2, updated_at = $3, version = version + 1{sets} WHERE id = $1"
    try:
        await tx.run(sql, row["id"], status, now, *values.values())
    except asyncpg.UniqueViolationError as taken:
        raise _known(taken) from taken
    await tx.run(STEP, row["id"], status, now, actor)


async def get(tx: Tx, transfer_id: UUID, *, lock: bool = False) -> Any:
    row = await tx.fetchrow(LOCK if lock else GET, transfer_id)
    if row is None:
        raise NotFound("transfer_not_found")
    return row


async def steps(tx: Tx, transfer_id: UUID) -> list[Any]:
    return await tx.fetch(STEPS, transfer_id)


async def known(tx: Tx, direction: str, hotline: str, their_number: str) -> Any:
    """The transfer with the other side's number, or None."""
    return await tx.fetchrow(KNOWN, direction, hotline, their_number)


async def take_overdue(tx: Tx, now: datetime, limit: int) -> list[Any]:
    """Open ones whose deadline has passed and of which nobody was told; from now on somebody was."""
    return await tx.fetch(TAKE_OVERDUE, now, STILL_OPEN, limit)


async def find(
    tx: Tx,
    *,
    ranges: Iterable[tuple[str, str]],
    direction: str | None,
    statuses: Sequence[str] | None,
    overdue_on: datetime | None,
    before: UUID | None,
    limit: int,
) -> list[Any]:
    """Transfers, newest first, inside division `ranges` or of nobody yet; `overdue_on` leaves those late then."""
    args: list[Any] = []

    def arg(value: Any) -> str:
        args.append(value)
        return f"${len(args)}"

    places = [f"(r.division_code >= {arg(low)} AND r.division_code < {arg(high)})" for low, high in ranges]
    where = [f"({' OR '.join([*places, 'r.division_code IS NULL'])})"]
    if direction is not None:
        where.append(f"t.direction = {arg(direction)}")
    if statuses:
        where.append(f"t.status = ANY({arg(list(statuses))})")
    if overdue_on is not None:
        where.append(f"t.due_at < {arg(overdue_on)} AND t.status = ANY({arg(STILL_OPEN)})")
    if before is not None:
        where.append(f"t.id < {arg(before)}")
    sql = f"SELECT {COLUMNS} {_FROM} WHERE {' AND '.join(where)} ORDER BY t.id DESC LIMIT {arg(limit)}"
    return await tx.search(sql, *args)


def _known(taken: asyncpg.UniqueViolationError) -> Conflict:
    if constraint_of(taken) == "uq_transfer_direction_hotline_their_number":
        return Conflict("transfer_known", "a transfer with this number is here already")
    return Conflict("care_request_transferred", "this request is with somebody else already")
