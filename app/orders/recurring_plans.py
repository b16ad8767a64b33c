"""What may be done with a recurring plan. Every change makes or withdraws the orders of the coming days at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from app.accounts import scope
from app.catalog import service as catalog
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict, Invalid, NotFound
from app.core.http import Caller, check_version
from app.core.ids import new_id
from app.elders import service as elders
from app.orders import queries_recurring as queries
from app.orders.queries_recurring import PlanRow
from app.orders.recurring import Pattern, impossible
from app.orders.recurring_orders import reconcile
from app.providers import service as providers

NOTE = "recurring_plan.note"


async def make(tx: Tx, caller: Caller, given: Mapping[str, Any]) -> UUID:
    """Begin a plan: the fields of `schemas_recurring.PlanBody`, its `slots` as mappings.

    Raises NotFound for an unknown or unseen elder, item, caregiver or provider, Invalid for what no day can contain.
    """
    elder = await elders.elder(tx, given["elder_id"])
    scope.see(caller, elder.division_code)
    if elder.status != "active":
        raise Invalid("elder_not_active", "this elder has moved away or died", field="elder_id")
    plan_id, now = new_id(), clock.now()
    values = {name: value for name, value in given.items() if name in queries.NAMES}
    values |= await _possible(tx, given)
    await _known(tx, given)
    values |= {
        "id": plan_id, "division_code": elder.division_code, "note": _sealed(tx, plan_id, given["note"]),
        "made_by": caller.actor, "made_at": now, "updated_at": now, "ended_at": None, "ended_reason": None,
        "made_through": clock.today() - timedelta(days=1), "retry_at": None, "version": 1,
    }  # fmt: skip
    await queries.add_plan(tx, values)
    await _follow(tx, plan_id)
    return plan_id


async def change(tx: Tx, caller: Caller, plan_id: UUID, changes: Mapping[str, Any], expected: int | None) -> None:
    """Change what is named; orders that would now be others are cancelled and made anew. Raises as `make` does, and
    Conflict for a plan that has ended."""
    plan = await _seen(tx, caller, plan_id, expected)
    given = {name: getattr(plan, name) for name in queries.NAMES} | dict(changes)
    if "minutes" not in changes and "item_code" in changes:
        given["minutes"] = None
    values = dict(changes) | await _possible(tx, given)
    await _known(tx, changes)
    if "note" in changes:
        values["note"] = _sealed(tx, plan_id, changes["note"])
    await queries.change_plan(tx, plan_id, values, clock.now())
    await _follow(tx, plan_id)


async def rest(tx: Tx, caller: Caller, plan_id: UUID, given: Mapping[str, Any], expected: int | None) -> UUID:
    """No visits for a time: orders of those days that have not begun are cancelled."""
    plan = await _seen(tx, caller, plan_id, expected)
    if given["last_day"] is not None and given["last_day"] < given["first_day"]:
        raise Invalid("interval_empty", "the last day lies before the first", field="last_day")
    rest_id = new_id()
    await queries.add_rest(
        tx, rest_id, plan.elder_id, None if given["all_plans"] else plan_id, given["first_day"], given["last_day"],
        given["reason"], caller.actor, clock.now(),
    )  # fmt: skip
    await _follow_all(tx, plan.elder_id if given["all_plans"] else None, plan_id)
    return rest_id


async def end_rest(tx: Tx, caller: Caller, plan_id: UUID, rest_id: UUID, last_day: date) -> None:
    """The elder is back: `last_day` is the last without visits, and the days after it get their orders (again).

    A last day before the first means that the rest never came. Raises NotFound for a rest of somebody else.
    """
    plan = await _seen(tx, caller, plan_id, None)
    rows = {row["id"]: row for row in await queries.rest_rows(tx, plan.elder_id, plan_id)}
    if rest_id not in rows:
        raise NotFound("recurring_rest_not_found")
    if last_day < rows[rest_id]["first_day"]:
        await queries.drop_rest(tx, rest_id, plan.elder_id)
    else:
        await queries.end_rest(tx, rest_id, plan.elder_id, last_day)
    await _follow_all(tx, plan.elder_id if rows[rest_id]["plan_id"] is None else None, plan_id)


async def end(tx: Tx, caller: Caller, plan_id: UUID, reason: str, expected: int | None) -> None:
    """The plan is over: its orders that have not begun are cancelled."""
    await _seen(tx, caller, plan_id, expected)
    await _end(tx, plan_id, reason)


async def end_all_of(tx: Tx, elder_id: UUID, reason: str) -> None:
    """No plan of this elder goes on; their orders are the caller's business."""
    for plan_id in await queries.of_elder(tx, elder_id):
        await queries.end_plan(tx, plan_id, clock.now(), reason)


async def plan_for(tx: Tx, caller: Caller, plan_id: UUID) -> PlanRow:
    """A plan within the caller's divisions. Raises NotFound."""
    plan = await queries.plan(tx, plan_id)
    scope.see(caller, plan.division_code)
    return plan


def open_note(tx: Tx, plan: PlanRow) -> str | None:
    return tx.vault.open(NOTE, plan.id, plan.note) if plan.note else None


async def _end(tx: Tx, plan_id: UUID, reason: str) -> None:
    await queries.end_plan(tx, plan_id, clock.now(), reason)
    await _follow(tx, plan_id)


async def _seen(tx: Tx, caller: Caller, plan_id: UUID, expected: int | None) -> PlanRow:
    """Lock; hide what is out of scope; refuse another version than the current one, and a plan that has ended."""
    plan = await queries.plan(tx, plan_id, lock=True)
    scope.see(caller, plan.division_code)
    check_version(expected, plan.version)
    if plan.ended_at is not None:
        raise Conflict("recurring_plan_ended", "this plan has ended", ended_at=plan.ended_at.isoformat())
    return plan


async def _follow(tx: Tx, plan_id: UUID) -> None:
    await reconcile(tx, await queries.plan(tx, plan_id, lock=True))


async def _follow_all(tx: Tx, elder_id: UUID | None, plan_id: UUID) -> None:
    """All plans of the elder, or the one; the rest itself counts as a change of each."""
    for one in await queries.of_elder(tx, elder_id) if elder_id is not None else [plan_id]:
        await queries.plan(tx, one, lock=True)
        await queries.change_plan(tx, one, {}, clock.now())
        await _follow(tx, one)


async def _possible(tx: Tx, given: Mapping[str, Any]) -> dict[str, Any]:
    """`minutes` and `slots` as they are kept, every length said. Raises Invalid for what cannot be."""
    minutes = await _minutes(tx, given["item_code"], given["minutes"], "minutes")
    slots = []
    for number, slot in enumerate(queries.slots_of(given["slots"])):
        if slot.item_code is not None:
            length = await _minutes(tx, slot.item_code, slot.minutes, f"slots.{number}.minutes")
            slot = replace(slot, minutes=length)
        elif slot.minutes is not None:
            await _minutes(tx, given["item_code"], slot.minutes, f"slots.{number}.minutes")
        slots.append(slot)
    pattern = Pattern(
        given["valid_from"], given["valid_to"], given["every"], frozenset(given["weekdays"]), given["holidays"]
    )
    if (wrong := impossible(pattern, minutes, slots)) is not None:
        raise Invalid(wrong[0], "no day can look like this", field=wrong[1])
    return {"minutes": minutes, "slots": [asdict(slot) for slot in slots]}


async def _minutes(tx: Tx, item_code: str, minutes: int | None, field: str) -> int:
    item = await catalog.item(tx, item_code)
    if not item.active or item.kind == "consultation":
        raise Invalid("item_not_orderable", "this item cannot be ordered", field="item_code")
    length = minutes or item.standard_minutes
    if not item.min_minutes <= length <= item.max_minutes:
        raise Invalid("minutes_out_of_range", f"{item.min_minutes} to {item.max_minutes} minutes", field=field)
    return length


async def _known(tx: Tx, given: Mapping[str, Any]) -> None:
    """Whoever is wished for exists. Raises NotFound."""
    if given.get("caregiver_id") is not None:
        await providers.caregiver(tx, given["caregiver_id"])
    if given.get("provider_id") is not None:
        await providers.provider(tx, given["provider_id"])


def _sealed(tx: Tx, plan_id: UUID, note: str | None) -> bytes | None:
    return tx.vault.seal(NOTE, plan_id, note) if note else None
