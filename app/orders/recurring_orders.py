"""A plan's coming days become orders, each visit exactly once; what a plan no longer asks for is withdrawn.

`reconcile` compares what a plan asks for with what has been made of it, and does the difference. So a restart, a rest
entered later, its end, a changed plan and a changed calendar are all the same case.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from app.core import clock, log
from app.core.db import Tx
from app.core.errors import Error
from app.core.http import SYSTEM
from app.elders import service as elders
from app.orders import queries, service
from app.orders import queries_recurring as recurring_queries
from app.orders.events import OrdersTouched
from app.orders.lifecycle import CANCELLABLE, Status, Urgency
from app.orders.queries import OrderRow
from app.orders.queries_recurring import PlanRow
from app.orders.recurring import CHANNEL, HORIZON, LONGEST_HOLIDAY, Rest, Slot, occurrences, terms, window
from app.regions import service as regions

BATCH = 50
TRY_AGAIN_AFTER = timedelta(hours=1)

ORDERED, FAILED, WITHDRAWN = "ordered", "failed", "withdrawn"


async def make_orders(tx: Tx) -> int:
    """The sweep: make the orders of the coming days for plans that lack them; returns how many plans it looked at."""
    today = clock.today()
    due = await recurring_queries.due(tx, today + HORIZON, clock.now(), today, BATCH)
    for plan_id in due:
        try:
            async with tx.savepoint():
                await reconcile(tx, await recurring_queries.plan(tx, plan_id))
        except Error as refusal:  # one plan that cannot go on must not hold up all the others
            log.get("orders").error("recurring_plan_failed", plan_id=str(plan_id), code=refusal.code)
    return len(due)


async def reconcile(tx: Tx, plan: PlanRow) -> None:
    """Order what a locked plan asks for from now to the horizon, and withdraw what it does not ask for any more."""
    now, today = clock.now(), clock.today()
    last = today + HORIZON
    elder = await elders.elder(tx, plan.elder_id)
    rests = await recurring_queries.rest_rows(tx, plan.elder_id, plan.id)
    asked = await _asked(tx, plan, [recurring_queries.rest_of(row) for row in rests], today, last)
    # Beyond the horizon nothing has been made, unless the horizon was longer once.
    made = await recurring_queries.occurrences(tx, plan.id, today, date.max)
    for (day, number), row in made.items():
        slot = asked.get((day, number))
        if row["state"] == ORDERED and (slot is None or terms(plan.item_code, plan.minutes, slot) != row["terms"]):
            resting = [rest["reason"] for rest in rests if recurring_queries.rest_of(rest).covers(day)]
            reason = f"rest:{resting[0]}" if resting else plan.ended_reason or "plan_changed"
            await _withdraw(tx, plan, day, number, row["order_id"], reason[:80])
    failed = False
    for (day, number), slot in asked.items():
        if window(day, *slot.windows[0])[0] > now and not await _order(tx, plan, day, number, slot, now):
            failed = True
    await recurring_queries.looked(tx, plan.id, last, now + TRY_AGAIN_AFTER if failed else None, elder.division_code)


async def move_windows(tx: Tx, moved: Sequence[tuple[OrderRow, datetime, datetime]], *, actor: str) -> None:
    """A round has put these locked orders into another of their plan's windows."""
    if moved:
        rows = [(order.id, order.wanted_from, begin, end) for order, begin, end in moved]
        await recurring_queries.move_windows(tx, rows, clock.now(), actor)
        await tx.publish(OrdersTouched(order_ids=tuple(order.id for order, _, _ in moved), at=clock.now()))


async def _asked(tx: Tx, plan: PlanRow, rests: list[Rest], first: date, last: date) -> dict[tuple[date, int], Slot]:
    if plan.ended_at is not None:
        return {}
    calendar = await regions.calendar(tx, first - LONGEST_HOLIDAY, last)
    days = occurrences(plan.pattern, first, last, calendar, rests)
    return {(day, number): slot for day in days for number, slot in enumerate(plan.visits)}


async def _order(tx: Tx, plan: PlanRow, day: date, number: int, slot: Slot, now: datetime) -> bool:
    """Order one visit unless that was done; False when it could not be, with the reason kept."""
    wanted = terms(plan.item_code, plan.minutes, slot)
    if not await recurring_queries.claim(tx, plan.id, day, number, wanted, now, [FAILED, WITHDRAWN]):
        return True
    begin, end = window(day, *slot.windows[0])
    note = tx.vault.open("recurring_plan.note", plan.id, plan.note) if plan.note else None
    try:
        async with tx.savepoint():
            order = await service.place(
                tx,
                SYSTEM,
                service.NewOrder(
                    elder_id=plan.elder_id,
                    item_code=slot.item_code or plan.item_code,
                    urgency=Urgency.APPOINTMENT,
                    channel=CHANNEL,
                    wanted_from=begin,
                    wanted_to=end,
                    minutes=slot.minutes or plan.minutes,
                    note=note,
                    requester_name=plan.requester_name,
                    requester_relation=plan.requester_relation,
                ),
            )
    except Error as refusal:
        await recurring_queries.settle(tx, plan.id, day, number, FAILED, None, refusal.code, now)
        return False
    await recurring_queries.settle(tx, plan.id, day, number, ORDERED, order.id, None, now)
    return True


async def _withdraw(tx: Tx, plan: PlanRow, day: date, number: int, order_id: object, reason: str) -> None:
    """Cancel the order of a visit that is not asked for any more; one that has begun, or that somebody else has
    cancelled, stays as it is."""
    order = await queries.lock(tx, order_id)  # type: ignore[arg-type]
    if Status(order.status) in CANCELLABLE:
        await service.cancel(tx, SYSTEM, order.id, reason, "centre")
        await recurring_queries.settle(tx, plan.id, day, number, WITHDRAWN, None, reason, clock.now())
