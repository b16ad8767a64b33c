"""Tags with their dates, relatives and households."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from app.accounts import audit, scope
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict, Invalid, NotFound
from app.core.http import Caller
from app.elders import queries, registration
from app.elders.facts import NewTag


async def begin(tx: Tx, caller: Caller, elder_id: UUID, new: NewTag) -> None:
    """Raises Conflict when the tag already holds on one of the days, Invalid as `registration.add_tags`."""
    last_day = new.valid_to or date.max
    for row in await queries.tags(tx, [elder_id]):
        if row.tag == new.tag and row.valid_from <= last_day and new.valid_from <= (row.valid_to or date.max):
            raise Conflict("tag_in_force", "this circumstance is on file for these days")
    await registration.add_tags(tx, elder_id, [new])
    await audit.record(tx, caller, "elders.tag", "elder", elder_id, [new.tag])


async def end(tx: Tx, caller: Caller, elder_id: UUID, tag: str, last_day: date) -> None:
    """Raises NotFound when the tag does not reach beyond `last_day`, Invalid for a day to come."""
    if last_day > clock.today():
        raise Invalid("day_to_come", "a circumstance ends today or earlier", field="last_day")
    if not await queries.end_tag(tx, elder_id, tag, last_day):
        raise NotFound("tag_not_found", "no such circumstance reaches beyond that day")
    await audit.record(tx, caller, "elders.untag", "elder", elder_id, [tag])


async def approve_family(tx: Tx, caller: Caller, elder_id: UUID, member_id: UUID) -> None:
    """The elder agrees that this relative sees the orders. Nothing changes the second time. Raises NotFound."""
    members = {row.id for row in await queries.family(tx, [elder_id])}
    if member_id not in members:
        raise NotFound("family_member_not_found", "there is no such relative")
    if await queries.approve_family(tx, elder_id, member_id, clock.now()):
        await audit.record(tx, caller, "elders.approve_family", "elder", elder_id, ["family"])


async def household(tx: Tx, caller: Caller, elder_id: UUID) -> list[UUID]:
    """Elders who share a phone with this one, as far as the caller may see them."""
    found = await queries.same_phone(tx, elder_id)
    rows = {row.id: row for row in await queries.rows(tx, found)} if found else {}
    return [other for other in found if scope.sees(caller, rows[other].division_code)]
