"""What several doors answer alike: a statement with its ETag, or with a page of its lines."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from app.core.db import Tx
from app.core.errors import Invalid
from app.core.http import Caller, set_etag
from app.core.paging import decode_cursor
from app.settlement import statements, views
from app.settlement.lifecycle import Status
from app.settlement.schemas import StatementDetail, StatementView

Statuses = Annotated[list[Status] | None, Query(description="Repeat to ask for several")]


async def answer(tx: Tx, caller: Caller, statement_id: UUID, response: Response) -> StatementView:
    row = await statements.seen(tx, caller, statement_id)
    set_etag(response, row["version"])
    return views.statement_view(row)


async def detail(
    tx: Tx, caller: Caller, statement_id: UUID, response: Response, limit: int, cursor: str | None
) -> StatementDetail:
    row = await statements.seen(tx, caller, statement_id)
    set_etag(response, row["version"])
    return await views.detail(tx, row, _position(cursor), limit)


def _position(cursor: str | None) -> int:
    if cursor is None:
        return 0
    first = decode_cursor(cursor)[0]
    if not (first.isascii() and first.isdigit() and len(first) < 10):
        raise Invalid("cursor_malformed", "use next_cursor as it was given", field="cursor")
    return int(first)
