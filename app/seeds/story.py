"""Living the plots: every step through the rooms' own verbs, at the hour it happened.

The clock is held at each step's time, so deadlines, histories and statements look as they would have.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.db import Tx
from app.core.errors import Error
from app.core.geo import Crs, Location
from app.core.http import Caller
from app.dispatch import assignment
from app.dispatch import queries as dispatch_queries
from app.dispatch import service as dispatch
from app.intake import confirmation
from app.intake.requests import Channel, Urgency
from app.intake.service import NewRequest, Requester
from app.orders import service as orders
from app.orders.lifecycle import Status
from app.orders.queries import OrderRow
from app.seeds.chance import chance
from app.seeds.companies import Company
from app.seeds.elders import Person
from app.seeds.plots import Plot
from app.visits import queries as visit_queries
from app.visits import service as visits
from app.visits.journal import Kind, Method
from app.visits.schemas import ManualEntry, ProviderEvent

REFUSALS = ("no_capacity", "too_far", "caregiver_ill")


@dataclass(slots=True)
class Stage:
    """Who plays: the desk, the providers' systems, the elders."""

    operator: Caller
    caller_back: Caller
    supervisor: Caller
    companies: dict[UUID, Company]
    people: Sequence[Person]

    def provider(self, provider_id: UUID) -> Caller:
        """The caller that a provider's own system is."""
        name = self.companies[provider_id].name
        return Caller("provider", str(provider_id), name, provider_id=provider_id)


async def live(tx: Tx, stage: Stage, plots: Sequence[Plot]) -> dict[UUID, Plot]:
    """Live all plots in the order given; answers each order's plot. A plot the rules do not allow is left out."""
    draw = chance("story")
    lived: dict[UUID, Plot] = {}
    for plot in plots:
        try:
            async with tx.savepoint():
                lived[await _Life(tx, stage, plot, draw).lead()] = plot
        except Error:
            continue  # a quota that is used up, an elder whom nobody serves: such orders were never placed
    return lived


class _Life:
    """One order from the call to the end of the visit."""

    def __init__(self, tx: Tx, stage: Stage, plot: Plot, draw: Random) -> None:
        self._tx, self._stage, self._plot, self._draw = tx, stage, plot, draw
        self._person = stage.people[plot.person]
        self._sequence = draw.randrange(1, 10_000)

    async def lead(self) -> UUID:
        plot = self._plot
        with clock.hold(plot.placed_at):
            order = await place(self._tx, self._stage, plot, self._person)
        if plot.ending == "cancelled":
            with self._after(25):
                await orders.cancel(self._tx, self._stage.operator, order.id, "elder_out", "family")
            return order.id
        order = await self._accepted(await orders.get(self._tx, order.id))
        if order.status == Status.ASSIGNED:
            await self._visit(order)
        elif order.status == Status.PLACED:
            with self._after(180):
                await orders.cancel(self._tx, self._stage.operator, order.id, "nobody_available", "centre")
        return order.id

    async def _accepted(self, order: OrderRow) -> OrderRow:
        """Through refusals and silence to a caregiver; an order nobody takes stays where it is."""
        ending = self._plot.ending
        if order.offer_id is not None and ending == "done_after_refusal":
            with self._after(4):
                reason = self._draw.choice(REFUSALS)
                await dispatch.refuse(self._tx, self._by(order), order.offer_id, reason, None)
        elif order.offer_id is not None and ending == "done_after_silence":
            with self._after(16):
                await dispatch.expire(self._tx, order.offer_id, order.id)
        order = await orders.get(self._tx, order.id)
        if order.offer_id is None or order.status != Status.DISPATCHED:
            return order
        offer = await dispatch_queries.offer(self._tx, order.offer_id)
        with self._after(20 if "after" in ending else self._draw.randrange(1, 12)):
            order = await dispatch.accept(self._tx, self._by(order), offer["id"], offer["caregiver_id"])
        if ending == "done_other_caregiver":
            order = await self._other_caregiver(order)
        return order

    async def _other_caregiver(self, order: OrderRow) -> OrderRow:
        assert order.provider_id is not None  # noqa: S101 (it has been accepted)
        for helper in self._stage.companies[order.provider_id].caregivers:
            if helper.id == order.caregiver_id:
                continue
            try:
                async with self._tx.savepoint():
                    with self._after(30):
                        return await assignment.name_caregiver(
                            self._tx, self._by(order), order.id, helper.id, "原服务人员临时请假"
                        )
            except Error:
                continue
        return order

    async def _visit(self, order: OrderRow) -> None:
        offer = await dispatch_queries.open_offer(self._tx, order.id)
        begin = max(offer["starts_at"], order.assigned_at) + timedelta(minutes=max(self._plot.delay, 0))
        if self._plot.ending == "nobody_home":
            await self._tell(order, begin, [(Kind.ARRIVED, begin), (Kind.FAILED, begin + timedelta(minutes=20))])
            return
        end = begin + timedelta(minutes=order.minutes + self._draw.randrange(-4, 12))
        told = [(Kind.ARRIVED, begin), (Kind.CHECKED_IN, begin + timedelta(minutes=2)), (Kind.CHECKED_OUT, end)]
        if self._plot.ending == "done_by_hand":
            await self._tell(order, begin, told[:2])
            with clock.hold(end + timedelta(minutes=40)):
                entry = ManualEntry(type=Kind.CHECKED_OUT, occurred_at=end, reason="服务人员手机没电，已电话核实")
                await visits.record_by_hand(self._tx, self._stage.operator, order.id, entry)
        else:
            await self._tell(order, end, told)
        if self._plot.ending in {"done_far_away", "done_by_hand"}:
            with clock.hold(end + timedelta(hours=3)):
                row = await visit_queries.one(self._tx, order.id)
                if row is not None and row["verification"] == "review":
                    await visits.decide(self._tx, self._stage.supervisor, order.id, "verified", "已致电老人核实，属实")

    async def _tell(self, order: OrderRow, at: datetime, told: list[tuple[Kind, datetime]]) -> None:
        """What the caregiver's telephone reports, all at once when the visit is over."""
        await report(self._tx, self._by(order), order, self._spot(), at, told, self._sequence)

    def _spot(self) -> tuple[float, float]:
        away = 0.02 if self._plot.ending == "done_far_away" else 0.0004
        person, draw = self._person, self._draw
        sign = draw.choice((-1, 1))
        return person.lng + sign * draw.uniform(away / 2, away), person.lat + sign * draw.uniform(away / 2, away)

    def _by(self, order: OrderRow) -> Caller:
        assert order.provider_id is not None  # noqa: S101 (asked only about orders that were offered)
        return self._stage.provider(order.provider_id)

    def _after(self, minutes: int) -> AbstractContextManager[None]:
        return clock.hold(self._plot.placed_at + timedelta(minutes=minutes))


async def place(tx: Tx, stage: Stage, plot: Plot, person: Person, **changes: Any) -> OrderRow:
    """The desk takes the call and confirms at once."""
    asks = Requester(None, person.phone, "self")
    if person.family is not None and plot.person % 3 == 0:
        asks = Requester(*person.family, "child")
    wanted = {
        "channel": Channel(plot.channel), "urgency": Urgency.NORMAL, "requester": asks, "elder_id": person.id,
        "item_code": plot.item, "wanted_from": plot.wanted_from, "wanted_to": plot.wanted_to, **changes,
    }  # fmt: skip
    return await confirmation.place_order(tx, stage.operator, NewRequest(**wanted))


async def report(
    tx: Tx,
    caller: Caller,
    order: OrderRow,
    spot: tuple[float, float],
    at: datetime,
    told: list[tuple[Kind, datetime]],
    sequence: int,
) -> None:
    """Events of one visit as a provider's app sends them, received a minute after `at`."""
    assert order.caregiver_id is not None  # noqa: S101 (a caregiver is assigned)
    place_ = Location(lng=spot[0], lat=spot[1], crs=Crs.WGS84, accuracy_m=18)
    events = [
        ProviderEvent(
            event_id=f"{order.number}-{kind.value}",
            type=kind,
            order_id=order.id,
            occurred_at=happened,
            device_seq=sequence + number,
            caregiver_id=order.caregiver_id,
            location=place_,
            method=Method.GPS,
            evidence=[],
            reason_code="elder_absent" if kind is Kind.FAILED else None,
        )
        for number, (kind, happened) in enumerate(told)
    ]
    with clock.hold(max(at, told[-1][1]) + timedelta(minutes=1)):
        await visits.record(tx, caller, events)
