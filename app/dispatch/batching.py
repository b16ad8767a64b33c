"""Batches in the product: how scarce caregivers are, which orders wait, and who is offered what in one go.

A placed order waits if its service competes (`keeps_back`, asked when it is placed). Two sweeps: `measure` says every
few seconds what competes, and lets go what need not wait any more; `assign_waiting` assigns what waits. Whom it could
not serve within the longest wait is left to the sweep of waiting orders, which keeps the reason and tells the desk.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from math import ceil
from uuid import UUID

from app.catalog import service as catalog
from app.core import clock
from app.core.db import Tx
from app.core.http import SYSTEM
from app.dispatch import cascade, mode_rules, offering
from app.dispatch import queries_batch as sql
from app.dispatch.batch import Choice, Claim, Switch, assign, batches, pressure, waits
from app.dispatch.modes import NEVER_WAIT, Mode
from app.dispatch.offering import Ask
from app.dispatch.queries_batch import Arrivals
from app.matching import search
from app.matching.search import Found
from app.matching.times import LEAD, TURNAROUND
from app.orders.queries import OrderRow
from app.orders.recurring import held_from
from app.regions.divisions import lineage

EVERY = timedelta(seconds=Switch().seconds)
MEASURED_EVERY = timedelta(seconds=5)
LOOK = timedelta(minutes=10)
"""Pressure looks back so far."""
AT_ONCE = 60
"""Orders of one batch, so that its transaction stays short."""
FEWEST = 2
"""One order competes with nobody."""

Key = tuple[str, str]
"""(district, service item)."""


async def keeps_back(tx: Tx, order: OrderRow) -> bool:
    """Whether a placed order waits for the next batch. Asks nothing where nothing is scarce."""
    state = await tx.cache.get("dispatch.scarcity", lambda: _state(tx))
    return state.get(_key(order), False) and await _waits(tx, order, clock.now())


async def measure(tx: Tx) -> int:
    """Say what competes now, and dispatch what waits for nothing any more; returns how many offers that made."""
    now = clock.now()
    _, alone = await _waiting(tx, await _measured(tx, now), now)
    tried = [await cascade.dispatch_locked(tx, order, holding=number > 0) for number, order in enumerate(alone)]
    return sum(offer_id is not None for offer_id in tried)


async def assign_waiting(tx: Tx) -> int:
    """Offer what waits, all of it weighed together; returns how many offers were made."""
    now = clock.now()
    together, _ = await _waiting(tx, await _state(tx), now)
    return await _offer_together(tx, together, now)


async def switch_for(tx: Tx, division_code: str) -> Switch:
    """The newest switch in force for the most specific division; as shipped where there is none."""
    rows = await tx.cache.get("dispatch.switches", lambda: sql.switches(tx))
    places, today = lineage(division_code), clock.today()
    fitting = [row for row in rows if row["division_code"] in places and row["valid_from"] <= today]
    if not fitting:
        return Switch()
    row = min(fitting, key=lambda r: (places.index(r["division_code"]), -r["valid_from"].toordinal(), -r["version"]))
    return Switch(row["opens"], row["closes"], longest_wait=row["longest_wait"])


async def load_default_switch(tx: Tx) -> None:
    """Ship the measured switch for the whole country; divisions may add their own."""
    await sql.seed_switch(tx, "000000", Switch(), date(2020, 1, 1))


async def _waiting(tx: Tx, state: dict[Key, bool], now: datetime) -> tuple[list[OrderRow], list[OrderRow]]:
    """Orders that wait and go on waiting, and those that need not.

    They are locked before any caregiver is held, and none is waited for: see the statement.
    """
    since = now - timedelta(seconds=await _longest_wait(tx))
    together: list[OrderRow] = []
    alone: list[OrderRow] = []
    for order in await sql.waiting(tx, since, sorted(NEVER_WAIT), AT_ONCE, held_from(now)):
        on = state.get(_key(order), False) and await _waits(tx, order, now)
        (together if on else alone).append(order)
    return together, alone


async def _measured(tx: Tx, now: datetime) -> dict[Key, bool]:
    """Pressure of every service in every district, with the memory that the two thresholds need; kept."""
    before, after = await _state(tx), {}
    for came in await sql.arrivals(tx, now - LOOK, now):
        key = (came.division_code, came.item_code)
        switch = await switch_for(tx, came.division_code)
        found = pressure(came.orders, await _free(tx, came, switch)) if came.orders >= FEWEST else 0.0
        after[key] = batches(before.get(key, False), found, switch)
        await sql.note(tx, *key, found, after[key], now)
    await sql.forget(tx, now - LOOK)
    return {**dict.fromkeys(before, False), **after}


async def _free(tx: Tx, came: Arrivals, switch: Switch) -> int:
    """Free caregivers, counted no further than to be certain that nothing is scarce."""
    item = await catalog.item(tx, came.item_code)
    local = came.wanted_at.astimezone(clock.SHANGHAI)
    enough = ceil(came.orders / max(switch.closes, 0.01)) + 1
    return await sql.free(
        tx, lineage(came.division_code), came.item_code, item.certificate, local.date(),
        local.hour * 60 + local.minute, came.wanted_at, enough,
    )  # fmt: skip


async def _waits(tx: Tx, order: OrderRow, now: datetime) -> bool:
    """Only a new order for one caregiver, offered to the best: others have a way of their own."""
    if order.version > 1 or (await catalog.item(tx, order.item_code)).caregivers != 1:
        return False
    if (await mode_rules.plan_for(tx, order, [])).mode is not Mode.RANKED:
        return False
    begins = max(order.wanted_from, now + LEAD[order.urgency])
    switch = await switch_for(tx, order.division_code)
    waited = (now - order.updated_at).total_seconds()
    return waits(True, order.urgency, waited, (begins - now).total_seconds(), switch)


async def _offer_together(tx: Tx, orders: list[OrderRow], now: datetime) -> int:
    """Assign, offer; whoever goes without tries the next begin time against what is then taken."""
    asking: dict[UUID, tuple[OrderRow, Found]] = {}
    for order in orders:
        asking[order.id] = (order, await search.find(tx, order, [], now=now))
    made = 0
    while asking := {key: one for key, one in asking.items() if one[1].ranked}:
        for order_id, caregiver_id in assign([_claim(*one) for one in asking.values()]).items():
            order, found = asking[order_id]
            ask = _ask(found, waiting=made == 0)  # with somebody in hand one only tries
            if await offering.offer_to(tx, order, ask, found, caregiver_id) is not None:
                del asking[order_id]
                made += 1
        for order, found in list(asking.values()):
            later = await search.find(tx, order, found.excluded, now=now, after=found.starts_at)
            asking[order.id] = (order, later)
    return made


def _claim(order: OrderRow, found: Found) -> Claim[UUID, UUID]:
    starts = int(found.starts_at.timestamp())
    ends = starts + order.minutes * 60 + int(TURNAROUND.total_seconds())
    choices = {r.candidate.caregiver_id: Choice(r.score, r.candidate.travel_minutes * 60) for r in found.ranked}
    return Claim(order.id, starts, ends, choices)


def _ask(found: Found, *, waiting: bool) -> Ask:
    return Ask(
        mode=Mode.RANKED, attempt=1, actor=SYSTEM.actor, reason="batch", excluded=found.excluded, waiting=waiting
    )  # fmt: skip


async def _longest_wait(tx: Tx) -> int:
    rows = await tx.cache.get("dispatch.switches", lambda: sql.switches(tx))
    return max([row["longest_wait"] for row in rows], default=Switch().longest_wait)


async def _state(tx: Tx) -> dict[Key, bool]:
    return {(row["division_code"], row["item_code"]): row["batching"] for row in await sql.scarcity(tx)}


def _key(order: OrderRow) -> Key:
    return order.division_code[:6], order.item_code
