"""Clients that get in each other's way: every operation is one transaction of the product's own verbs.

They answer offers that others have answered, move caregivers that others need, cancel what somebody just accepted,
and report from the door late. Being refused is part of it; being lied to is not.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.db import Database, Tx
from app.core.errors import Conflict, Invalid, NotFound
from app.core.http import SYSTEM, Caller
from app.core.ids import new_id
from app.core.sqlstate import is_retryable
from app.dispatch import assignment, service
from app.orders import service as orders
from app.orders.service import NewOrder
from app.visits import service as visits
from app.visits.schemas import ProviderEvent
from benchmarks.race_city import FIRST_DAY, PAIR, SINGLE, City

BOARD = 96
"""Orders open at once in the whole city."""
HOURS = (1, 1, 3, 3, 5, 7)
"""When visits are wanted, from the begin of the day: everybody at the same few hours."""
LOOK_AGAIN = 150
"""Operations of a client between two looks at what others have placed."""
MAX_TRIES = 8
LATE_ANSWER = 0.25
"""Share of answers to an offer that was looked up some time ago."""

OPEN_ORDERS = """SELECT id FROM care_order WHERE status NOT IN ('closed', 'cancelled')
AND status <> 'completed' ORDER BY id DESC LIMIT $1"""
LIVE = """SELECT f.id, f.provider_id, f.caregiver_id, f.decision_id, o.status, o.caregiver_id AS named
FROM care_order o JOIN offer f ON f.order_id = o.id AND f.status IN ('offered', 'accepted') WHERE o.id = $1"""

VERBS = {
    "accept": 42, "move": 18, "refuse": 8, "expire": 8, "by_hand": 6, "cancel": 6, "again": 5, "place": 4,
    "late_events": 1,
}  # fmt: skip
"""Weights. An operation that finds no room for it on the board cancels, or places."""


@dataclass
class Tally:
    """What came of a number of operations."""

    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    tried_again: int = 0
    cpu_s: float = 0.0
    won: Counter[UUID] = field(default_factory=Counter)
    """Acceptances that were confirmed, by decision: more than one is one too many."""

    @property
    def doubles(self) -> int:
        return sum(count - 1 for count in self.won.values())


class Clients:
    """Some clients of one process, sharing what they know."""

    def __init__(self, database: Database, city: City, seed: int) -> None:
        self._database, self._city = database, city
        self._chance = random.Random(seed)
        self._board: list[UUID] = []
        self._old: list[tuple[UUID, UUID, UUID]] = []
        self.tally = Tally()

    async def run(self, operations: int, clients: int, day: int) -> Tally:
        """`operations` in all, by `clients` at once, on the `day`-th day of the race."""
        self.tally, left = Tally(), iter(range(operations))
        before = time.process_time()
        with clock.hold(FIRST_DAY + timedelta(days=day)):
            await self._look()
            await asyncio.gather(*(self._client(left) for _ in range(clients)))
        self.tally.cpu_s = time.process_time() - before
        return self.tally

    async def _client(self, left: Any) -> None:
        verbs, weights = list(VERBS), list(VERBS.values())
        for number in left:
            if number % LOOK_AGAIN == 0:
                await self._look()
            verb = self._chance.choices(verbs, weights)[0]
            if verb == "place" and len(self._board) >= BOARD:
                verb = "cancel"
            if len(self._board) < BOARD // 2:
                verb = "place"
            await self._operate(verb)

    async def _look(self) -> None:
        async with self._database.statements() as tx:
            self._board = [row["id"] for row in await tx.fetch(OPEN_ORDERS, BOARD)]

    async def _operate(self, verb: str) -> None:
        """One operation, repeated like a request that lost a race."""
        do: Callable[[Tx, UUID | None], Awaitable[UUID | None]] = getattr(self, f"_{verb}")
        order_id = self._chance.choice(self._board) if self._board else None
        for _ in range(MAX_TRIES):
            try:
                async with self._database.transaction() as tx:
                    came_of_it = await do(tx, order_id)
            except (Conflict, NotFound, Invalid) as refusal:
                self.tally.refused[refusal.code] += 1
                return
            except Exception as failure:
                if not is_retryable(failure):
                    raise
                self.tally.tried_again += 1
                await asyncio.sleep(self._chance.uniform(0, 0.02))
                continue
            self.tally.done[verb] += 1
            self._remember(verb, came_of_it)
            return
        raise RuntimeError(f"{verb} lost {MAX_TRIES} races in a row")

    def _remember(self, verb: str, came_of_it: UUID | None) -> None:
        """What is committed: a new order, one that is over, or a decision whose offer was won."""
        if came_of_it is None:
            return
        if verb == "accept":
            self.tally.won[came_of_it] += 1
        elif verb == "place":
            self._board.append(came_of_it)
        elif came_of_it in self._board:
            self._board.remove(came_of_it)

    async def _place(self, tx: Tx, _order_id: UUID | None) -> UUID:
        chance, urgency = self._chance, self._chance.choice(("normal", "appointment", "urgent", "emergency"))
        begin = clock.now() + timedelta(days=chance.randrange(2), hours=chance.choice(HOURS))
        wanted = NewOrder(
            elder_id=chance.choice(self._city.elders), item_code=PAIR if chance.random() < 0.3 else SINGLE,
            urgency=urgency, channel="hotline", wanted_from=begin, wanted_to=begin + timedelta(hours=2), minutes=60,
        )  # fmt: skip
        return (await orders.place(tx, SYSTEM, wanted)).id

    async def _accept(self, tx: Tx, order_id: UUID | None) -> UUID | None:
        """The winner's decision. Names nobody, whoever is suggested, or anybody of the company."""
        offer = await self._offer(tx, order_id)
        if offer is None:
            return None
        offer_id, provider_id, decision_id = offer
        lead = self._chance.choice([None, None, *self._city.teams[provider_id]])
        await service.accept(tx, _provider(provider_id), offer_id, lead)
        return decision_id

    async def _refuse(self, tx: Tx, order_id: UUID | None) -> None:
        if offer := await self._offer(tx, order_id):
            await service.refuse(tx, _provider(offer[1]), offer[0], "no_capacity", None)

    async def _expire(self, tx: Tx, order_id: UUID | None) -> None:
        offer = await self._offer(tx, order_id, late=0)
        if offer is not None and order_id is not None:
            await service.expire(tx, offer[0], order_id)

    async def _move(self, tx: Tx, order_id: UUID | None) -> None:
        """Another caregiver for the lead, or for the second where there is one."""
        live = await self._live(tx, order_id)
        if live is None or order_id is None:
            return
        named = self._chance.choice(self._city.teams[live["provider_id"]])
        role = self._chance.choice(("lead", "lead", "second"))
        await assignment.name_caregiver(tx, _provider(live["provider_id"]), order_id, named, "换人", role)

    async def _by_hand(self, tx: Tx, order_id: UUID | None) -> None:
        provider_id = self._chance.choice(list(self._city.teams))
        caregiver_id = self._chance.choice([None, *self._city.teams[provider_id]])
        assert order_id is not None
        await service.offer_by_hand(tx, SYSTEM, order_id, provider_id, caregiver_id, "指定")

    async def _again(self, tx: Tx, order_id: UUID | None) -> None:
        assert order_id is not None
        await service.redispatch(tx, SYSTEM, order_id, "再派")

    async def _cancel(self, tx: Tx, order_id: UUID | None) -> UUID:
        assert order_id is not None
        return (await orders.cancel(tx, SYSTEM, order_id, "not_needed", "elder")).id

    async def _late_events(self, tx: Tx, order_id: UUID | None) -> UUID | None:
        """Arrival and departure told together and afterwards, of whoever is believed to have the order."""
        live = await self._live(tx, order_id)
        if live is None or order_id is None or live["named"] is None:
            return None
        at = clock.now()
        told = [
            ProviderEvent(
                event_id=str(new_id()), type=kind, order_id=order_id, occurred_at=at + timedelta(seconds=n),
                caregiver_id=live["named"], location=None, method="phone", evidence=[],
            )
            for n, kind in enumerate(("checked_in", "checked_out"))
        ]  # fmt: skip
        results = await visits.record(tx, _provider(live["provider_id"]), told)
        return order_id if any(result.result == "applied" for result in results) else None

    async def _offer(self, tx: Tx, order_id: UUID | None, late: float = LATE_ANSWER) -> tuple[UUID, UUID, UUID] | None:
        """Offer, provider and decision of a live offer of the order, or of one that was live a while ago."""
        if self._old and self._chance.random() < late:
            return self._chance.choice(self._old)
        live = await self._live(tx, order_id)
        if live is None:
            return None
        offer = (live["id"], live["provider_id"], live["decision_id"])
        self._old = [*self._old[-30:], offer]
        return offer

    async def _live(self, tx: Tx, order_id: UUID | None) -> Any:
        rows = await tx.fetch(LIVE, order_id) if order_id is not None else []
        return self._chance.choice(rows) if rows else None


def _provider(provider_id: UUID) -> Caller:
    return Caller(kind="provider", id=str(provider_id), name="竞速", provider_id=provider_id)
