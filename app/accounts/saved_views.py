"""Views that staff save for themselves: the filters of a page, under a name. Nobody else sees them; an address that is
passed on shows the same to whoever may."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from app.accounts import queries_saved_views as queries
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict, NotFound
from app.core.http import Caller
from app.core.ids import new_id

MOST = 30
"""Views of one page that one person may have."""


@dataclass(frozen=True, slots=True)
class View:
    id: UUID
    name: str
    query: str


async def mine(tx: Tx, caller: Caller, page: str) -> list[View]:
    """By name."""
    return [View(row["id"], row["name"], row["query"]) for row in await queries.of_staff(tx, UUID(caller.id), page)]


async def save(tx: Tx, caller: Caller, page: str, name: str, query: str) -> None:
    """The view of this name shows this from now on. Raises Conflict when there are too many."""
    if await queries.others(tx, UUID(caller.id), page, name) >= MOST:
        raise Conflict("views_too_many", f"at most {MOST} views; remove one first")
    await queries.save(tx, new_id(), UUID(caller.id), page, name, query, clock.now())


async def forget(tx: Tx, caller: Caller, view_id: UUID) -> None:
    """Raises NotFound for a view that is not the caller's."""
    if not await queries.forget(tx, view_id, UUID(caller.id)):
        raise NotFound("view_not_found")
