"""Relatives who signed in by phone: which elders they are bound to, and by whose consent (`approved_at`)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from app.core.db import Tx
from app.core.errors import NotFound
from app.core.http import Caller
from app.intake import queries


@dataclass(frozen=True, slots=True)
class BoundElder:
    """`member` and `relation`: as whom the caller is known to this elder."""

    id: UUID
    name: str
    division_code: str
    member: str
    relation: str


async def bound_elders(tx: Tx, caller: Caller) -> list[BoundElder]:
    """The elders whose approved family member this caller is."""
    index = caller.facts.get("phone_index")
    if not isinstance(index, bytes):
        return []
    return [BoundElder(*row.values()) for row in await queries.bound_elders(tx, index)]


async def bound_elder(tx: Tx, caller: Caller, elder_id: UUID) -> BoundElder:
    """Raises NotFound when the caller is not bound to this elder."""
    for elder in await bound_elders(tx, caller):
        if elder.id == elder_id:
            return elder
    raise NotFound("elder_not_found")
