"""A small application of one room, to test what every route does without any room of the product."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Annotated, Any
from uuid import UUID

import httpx
from fastapi import FastAPI, Query, Request
from pydantic import Field

from app import http_errors, middleware
from app.core.config import Settings
from app.core.db import Database, Tx
from app.core.errors import Conflict, Forbidden, TooMany, Unauthorized
from app.core.http import Caller, CallerDep, IfMatchDep, Router, TxDep, allow, check_version
from app.core.text import Body, Word

router = Router()
broken = {"deadlocks": 0}
"""How many more attempts of `/contended` end in a deadlock; each test sets it."""


class OpenGuard:
    """A guard for whom everybody is who the header X-Who says."""

    async def identify(self, tx: Tx, request: Request, body: bytes, action: str) -> Caller:
        who = request.headers.get("x-who", "anna")
        if who == "nobody":
            raise Unauthorized("unauthorized", "say who you are")
        return Caller(kind="staff", id=who, name=who)

    def anybody(self, action: str) -> Caller | None:
        return None

    def authorise(self, caller: Caller, action: str) -> None:
        if caller.id == "eve":
            raise Forbidden("forbidden", "not for you")

    def knows(self, action: str) -> bool:
        return True


class OpenGate:
    """Nobody has to give way."""

    def admit(self, action: str, method: str, route: str) -> AbstractAsyncContextManager[None]:
        return nullcontext()


class Note(Body):
    text: Word
    number: int = 0
    ratio: float = 0.0
    inner: list[dict[str, int]] = Field(default_factory=list)


@router.post("/notes", status_code=201)
@allow("notes.write")
async def write(tx: TxDep, note: Note) -> dict[str, Any]:
    number = await tx.fetchval("INSERT INTO note (text, number) VALUES ($1, $2) RETURNING id", note.text, note.number)
    return {"id": number, "text": note.text}


@router.post("/broken")
@allow("notes.write")
async def write_and_fail(tx: TxDep, note: Note) -> None:
    await tx.run("INSERT INTO note (text) VALUES ($1)", note.text)
    raise Conflict("too_late", "somebody was first", winner="berta", at=UUID(int=7))


@router.post("/contended")
@allow("notes.write", keyed=False)
async def contended(tx: TxDep) -> dict[str, int]:
    await tx.run("INSERT INTO note (text) VALUES ('x')")
    if broken["deadlocks"] > 0:
        broken["deadlocks"] -= 1
        await tx.run("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = 'deadlock_detected'; END $$")
    return {"notes": await tx.fetchval("SELECT count(*) FROM note")}


@router.post("/alone")
@allow("notes.write", own_transaction=True)
async def alone(request: Request) -> dict[str, bool]:
    database: Database = request.app.state.database
    async with database.transaction() as tx:
        await tx.run("INSERT INTO note (text) VALUES ('alone')")
    if broken["deadlocks"] > 0:
        async with database.transaction() as tx:
            await tx.run("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = 'deadlock_detected'; END $$")
    return {"has_transaction": request.state.tx is not None}


@router.put("/notes/{number}")
@allow("notes.write")
async def change(number: int, tx: TxDep, caller: CallerDep, version: IfMatchDep) -> dict[str, str]:
    check_version(version, 3)
    await tx.run("UPDATE note SET number = $2 WHERE id = $1", number, number)
    return {"by": caller.actor}


@router.get("/notes")
@allow("notes.read")
async def notes(tx: TxDep, text: str = "", limit: Annotated[int, Query(ge=1, le=200)] = 10) -> list[str]:
    found = await tx.fetch("SELECT text FROM note WHERE text LIKE $1 || '%' LIMIT $2", text, limit)
    return [row["text"] for row in found]


@router.get("/slow")
@allow("notes.read")
async def slow(tx: TxDep, seconds: float = 0.2) -> None:
    await asyncio.sleep(seconds)


@router.get("/bug")
@allow("notes.read")
async def bug(tx: TxDep) -> None:
    raise KeyError("13893512345 王秀兰")


@router.get("/unique")
@allow("notes.read")
async def unique(tx: TxDep) -> None:
    await tx.run("INSERT INTO job_receipt VALUES (1, now()), (1, now())")


@router.post("/careless")
@allow("notes.write", keyed=False)
async def careless(tx: TxDep, body: dict[str, Any]) -> str:
    """What a room looks like that believes its input."""
    return str(int(body.get("when", 0)) + len(body.get("text", "")))


@router.get("/often")
@allow("notes.read")
async def often(tx: TxDep) -> None:
    raise TooMany("too_often", "slow down", retry_after_s=7)


def client(settings: Settings, database: Database, *, production: bool = False) -> httpx.AsyncClient:
    """The small application over `database`; in production form a 500 is answered and not raised."""
    app = FastAPI()
    app.state.settings = settings.model_copy(update={"environment": "production" if production else "development"})
    app.state.database = database
    app.state.guard = OpenGuard()
    app.state.gate = OpenGate()
    app.include_router(router)
    http_errors.install(app)
    middleware.install(app)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="https://small.test")
