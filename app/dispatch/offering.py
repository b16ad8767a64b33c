"""Making offers: to the best that can be held, to several who may grab, at the earliest time that works."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from app.catalog import service as catalog
from app.core import clock
from app.core.db import Tx
from app.core.ids import new_id
from app.dispatch import queries
from app.dispatch.events import OfferMade
from app.dispatch.modes import Mode
from app.dispatch.queries import NewOffer, Round
from app.dispatch.teams import ROLES, RankedTeam, of_each_provider, teams
from app.matching import queries_bookings, search
from app.matching.queries_bookings import Time
from app.matching.search import Found
from app.matching.times import occupied
from app.orders import service as orders
from app.orders.deadlines import choose
from app.orders.lifecycle import Status
from app.orders.queries import OrderRow, deadline_rules
from app.regions.divisions import lineage

ACCEPT_MINUTES = 15
"""When no deadline rule is in force."""
PATIENCE_S = (0.01, 0.03)
"""Others decide on a caregiver for some milliseconds. Whoever must not wait for them (see `queries_bookings`) looks
again so much later, and then leaves it to the sweep."""
TEAMS_TRIED = 12
"""Of two people each, at one begin time; after that a later one is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """How an order is put before providers now: in which mode, for the how many-th time, on whose word.

    `provider_id` and `caregiver_id` narrow the choice; `breadth` is for grabbing; `reason` is kept with the decision.
    `waiting`: this transaction has nobody's time in hand, and may wait for whoever is in others' hands.
    """

    mode: Mode
    attempt: int
    actor: str
    version: int | None = None
    reason: str | None = None
    breadth: int = 1
    excluded: list[UUID] = field(default_factory=list)
    provider_id: UUID | None = None
    caregiver_id: UUID | None = None
    waiting: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an ask: an offer (the first, of several), and the search it came from, else the first search.

    `doubtful`: nobody was surely free, but somebody was in others' hands just then.
    """

    offer_id: UUID | None
    found: Found
    doubtful: bool = False


async def offer_in_time(tx: Tx, order: OrderRow, ask: Ask) -> Outcome:
    """Offer at the earliest time that can be held.

    Whoever looks free at a time may still be under way from somebody else: the search does not know how long the
    way is, the booking does. Then a later time of the window is tried.
    """
    now, doubtful = clock.now(), False
    size = (await catalog.item(tx, order.item_code)).caregivers
    one = ask.caregiver_id if size == 1 else None
    first = found = await search.find(tx, order, ask.excluded, provider_id=ask.provider_id, caregiver_id=one, now=now)
    while found.ranked:
        choices = [
            team
            for team in teams(found.ranked, size)
            if ask.caregiver_id is None or ask.caregiver_id in team.team.members
        ]
        made, unsure = await _offer_at(tx, order, ask, found, choices)
        if made is not None:
            return Outcome(made, found)
        doubtful |= unsure
        if choices and size > 1:
            ask = replace(ask, waiting=False)  # from here on this transaction has caregivers in hand
        found = await search.find(
            tx, order, ask.excluded, provider_id=ask.provider_id, caregiver_id=one, now=now, after=found.starts_at
        )
    return Outcome(None, first, doubtful)


def time_of(order: OrderRow, starts_at: datetime, team: RankedTeam) -> Time:
    """The time a team needs for an order: everybody their own way, then the visit and the turnaround."""
    members, until = [], starts_at
    for one, role in zip(team.members, ROLES, strict=False):
        leaves, until = occupied(starts_at, order.minutes, one.candidate.travel_minutes)
        members.append((one.candidate.caregiver_id, role, leaves))
    return Time(order.id, members, until, starts_at, order.minutes)


async def offer_to(tx: Tx, order: OrderRow, ask: Ask, found: Found, caregiver_id: UUID) -> UUID | None:
    """Offer to one of those found, who was chosen for them; None when the time went to somebody else."""
    chosen = [one for one in teams(found.ranked, 1) if one.team.lead == caregiver_id]
    made, _ = await _offer_at(tx, order, ask, found, chosen)
    return made


async def _offer_at(
    tx: Tx, order: OrderRow, ask: Ask, found: Found, choices: Sequence[RankedTeam]
) -> tuple[UUID | None, bool]:
    """Offer to the best whose time is still free, if there is one; and whether anybody was passed over in doubt."""
    if ask.mode is Mode.GRAB:
        rivals = of_each_provider(choices, ask.breadth)
        if len(rivals) > 1:
            return await _offer_to_several(tx, order, ask, found, rivals), False
        ask = replace(ask, mode=Mode.RANKED, reason="nobody_to_compete")
    if not choices:
        return None, False
    common = await _round(tx, order, ask, found, search.to_keep(found))
    left, waiting = choices[:TEAMS_TRIED] if len(choices[0].members) > 1 else choices, ask.waiting
    for pause_s in (0.0, *PATIENCE_S):
        if pause_s:
            await asyncio.sleep(pause_s)
        made, left = await _hold_first(tx, order, common, left, waiting=waiting)
        if made is not None:
            new, score = made
            facts: dict[str, object] = {"offer": str(new.id), "score": score}
            moved = await _dispatched(tx, order, ask, common, facts, new.provider_id, new.id)
            await _tell(tx, moved, [new], common.deadline_at)
            return new.id, False
        if not left:
            return None, False
        waiting = False
    return None, True


async def _hold_first(
    tx: Tx, order: OrderRow, common: Round, choices: Sequence[RankedTeam], *, waiting: bool
) -> tuple[tuple[NewOffer, float] | None, list[RankedTeam]]:
    """The offer to the first who could be held, with its score; else those who were passed over in doubt."""
    doubtful = []
    for choice in choices:
        if waiting and len(choice.members) > 1:
            await queries_bookings.lock_caregivers(tx, [order.id], choice.team.members)
        new, time = _new(choice), time_of(order, common.starts_at, choice)
        made = await queries.hold_and_offer(tx, time, new, common, clock.now(), waiting=waiting)
        if made:
            return (new, choice.score), []
        if made is None:
            doubtful.append(choice)
        waiting = waiting and len(choice.members) == 1  # two are in hand from here on
    return None, doubtful


async def _offer_to_several(tx: Tx, order: OrderRow, ask: Ask, found: Found, rivals: Sequence[RankedTeam]) -> UUID:
    """Ask several providers at once. Nobody is held: the winner's caregivers are booked when it accepts."""
    offers = [_new(rival) for rival in rivals]
    common = await _round(tx, order, ask, found, search.to_keep(found))
    await queries.offer_to_several(tx, offers, common, clock.now())
    facts: dict[str, object] = {
        "offers": [str(new.id) for new in offers],
        "providers": [str(new.provider_id) for new in offers],
    }
    moved = await _dispatched(tx, order, ask, common, facts, None, None)
    await _tell(tx, moved, offers, common.deadline_at)
    return offers[0].id


def _new(team: RankedTeam) -> NewOffer:
    return NewOffer(id=new_id(), provider_id=team.provider_id, lead=team.team.lead, second=team.team.second)


async def _round(tx: Tx, order: OrderRow, ask: Ask, found: Found, kept: object) -> Round:
    return Round(
        decision_id=new_id(), order_id=order.id, mode=ask.mode.value, mode_version=ask.version, attempt=ask.attempt,
        service_day=clock.service_day(found.starts_at), starts_at=found.starts_at,
        deadline_at=clock.now() + timedelta(minutes=await accept_minutes(tx, order)), actor=ask.actor,
        reason=ask.reason, weights_version=found.weights_version, excluded=found.excluded, funnel=found.funnel,
        ranked=kept,
    )  # fmt: skip


async def _dispatched(
    tx: Tx,
    order: OrderRow,
    ask: Ask,
    common: Round,
    facts: dict[str, object],
    provider_id: UUID | None,
    offer_id: UUID | None,
) -> OrderRow:
    """The order's move; its history says by which decision, in which mode and to whom."""
    mode: dict[str, object] = {"decision": str(common.decision_id), "mode": ask.mode.value}
    return await orders.advance(
        tx, order, Status.DISPATCHED, actor=ask.actor, reason=ask.reason, facts=mode | facts,
        provider_id=provider_id, offer_id=offer_id, delivery="queued",
    )  # fmt: skip


async def _tell(tx: Tx, order: OrderRow, offers: Sequence[NewOffer], deadline_at: datetime) -> None:
    for new in offers:
        await tx.publish(
            OfferMade(
                offer_id=new.id,
                order_id=order.id,
                provider_id=new.provider_id,
                deadline_at=deadline_at,
                version=order.version,
                at=clock.now(),
            )
        )


async def accept_minutes(tx: Tx, order: OrderRow) -> int:
    """How long a provider has to answer an offer of this order."""
    rules = await tx.cache.get("orders.deadline_rules", lambda: deadline_rules(tx))
    rule = choose(rules, lineage(order.division_code), order.urgency, "accept", clock.today())
    return rule.minutes if rule else ACCEPT_MINUTES
