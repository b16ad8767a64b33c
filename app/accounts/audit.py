"""The audit trail: one row in the same transaction as the deed, so neither exists without the other."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from app.core import clock
from app.core.db import Tx
from app.core.http import Caller
from app.core.ids import new_id

ADD = """INSERT INTO audit_entry (id, at, actor, action, object_type, object_id, fields, reason, request_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"""

READ = """SELECT id, at, actor, action, object_type, object_id, fields, reason, request_id FROM audit_entry
WHERE ($1::text IS NULL OR object_type = $1) AND ($2::text IS NULL OR object_id = $2)
  AND ($3::text IS NULL OR actor = $3) AND ($4::text IS NULL OR action = $4)
  AND ($5::timestamptz IS NULL OR at >= $5) AND ($6::uuid IS NULL OR id < $6)
ORDER BY id DESC LIMIT $7"""


async def record(
    tx: Tx,
    caller: Caller,
    action: str,
    object_type: str,
    object_id: object,
    fields: Iterable[str] = (),
    reason: str | None = None,
) -> None:
    """Write down that `caller` did `action`. `fields` are names, never values."""
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    await tx.run(
        ADD, new_id(), clock.now(), caller.actor, action, object_type, str(object_id), list(fields), reason, request_id
    )


async def entries(
    tx: Tx,
    *,
    object_type: str | None = None,
    object_id: str | None = None,
    actor: str | None = None,
    action: str | None = None,
    since: datetime | None = None,
    before: UUID | None = None,
    limit: int = 100,
) -> list[Any]:
    """Entries that fit, newest first, older than the entry `before`."""
    return await tx.fetch(READ, object_type, object_id, actor, action, since, before, limit)
