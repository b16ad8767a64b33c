"""Dead letters: seen and replayed by an administrator."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Query, Response
from pydantic import ConfigDict, Field

from app.core.http import Router, TxDep, allow
from app.core.text import Body, View
from app.jobs import queue

router = Router(tags=["jobs"])


class DeadLetterView(View):
    id: int
    kind: str
    attempts: int
    failed_at: datetime
    reason: str | None = None


class Replay(Body):
    ids: Annotated[list[Annotated[int, Field(ge=1, lt=2**63)]], Field(min_length=1, max_length=100)]

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"ids": [17, 18]}]})


@router.get("/v1/dead-letters", response_model=list[DeadLetterView], summary="Jobs that failed for good")
@allow("jobs.read")
async def list_dead_letters(tx: TxDep, limit: Annotated[int, Query(ge=1, le=200)] = 100) -> Any:
    return await queue.dead_letters(tx, limit)


@router.post("/v1/dead-letters/replay", status_code=204, summary="Queue dead letters again")
@allow("jobs.replay")
async def replay_dead_letters(tx: TxDep, body: Replay) -> Response:
    await queue.replay(tx, body.ids)
    return Response(status_code=204)
