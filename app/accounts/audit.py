"""The audit trail: one row in the same transaction as the deed, so neither exists without the other."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from app.accounts import queries_records
from app.core import clock
from app.core.db import Tx
from app.core.http import Caller
from app.core.ids import new_id


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
    await queries_records.add_entry(
        tx, new_id(), clock.now(), caller.actor, action, object_type, str(object_id), list(fields), reason, request_id
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
    return await queries_records.entries(tx, object_type, object_id, actor, action, since, before, limit)
