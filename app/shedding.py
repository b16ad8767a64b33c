"""What gives way when there is more to do than can be done: reports first, then polling, then callbacks; what brings
a call for help in, never (Google, Site Reliability Engineering, chapter 21: criticality).

Three means. A *bulkhead* keeps the less important from taking every database connection. A *share* of each class is
let in, which shrinks while the process is slower than that class may make it, and grows again slowly; whoever is not
let in is told when to come again. And intake passes both.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from enum import IntEnum
from statistics import median

from app import metrics
from app.core.db import Database
from app.core.errors import Unavailable

TICK_S = 0.1
LOOKS = 5
SHRINK, GROW = 0.6, 0.04


class Criticality(IntEnum):
    """Who gives way first is written first."""

    REPORT = 0
    POLL = 1
    CALLBACK = 2
    INTAKE = 3


LIMITS_S = {Criticality.REPORT: 0.05, Criticality.POLL: 0.1, Criticality.CALLBACK: 0.3}
"""How late the process may be, by the class that gives way above it. Ordered, so that whoever gives way first also
comes back last."""
RETRY_S = {Criticality.REPORT: 15, Criticality.POLL: 5, Criticality.CALLBACK: 2}
PART_OF_POOL = {Criticality.REPORT: 0.25, Criticality.POLL: 0.5, Criticality.CALLBACK: 0.75}
"""Of the process's database connections, how many one class may hold."""
QUEUE = 16
"""Requests of a class that may wait for one of its connections, a connection."""

_REPORTS = """regions.write plans.write dispatch.rules rounds.read rounds.plan rounds.publish providers.read
providers.write catalog.write benefits.write visits.read visits.verify complaints.read complaints.decide
articles.write booking.rules calls.judge recordings.read settlement.run settlement.read settlement.review
settlement.adjust settlement.approve settlement.pay ledger.read provider.statements staff.manage keys.manage jobs.read
jobs.replay audit.read payments.read payments.review insight.read"""
_POLLS = """orders.watch provider.feed provider.orders family.order family.read dispatch.read plans.read followups.read
messages.read family_links.read portal.read"""
_CALLBACKS = """board.read board.views
provider.offers provider.events provider.uploads caregiver.work caregiver.sign_in family.codes family.rate
followups.work visits.record complaints.write channels.receipts
channels.wechatpay family.pay payments.make"""
_INTAKE = """session.open session.read session.close catalog.read regions.read family.sign_in channels.wechat
system.health elders.read elders.write elders.reveal consents.read consents.write requests.read requests.write
incidents.read incidents.work quotes.make benefits.read orders.read order_files.read orders.place orders.change
dispatch.decide desk.stream hotline.read articles.read transfers.read transfers.work requests.app channels.phone
channels.devices channels.pushes family.requests family.consents cards.scan cards.help cards.read orders.book"""

OF_ACTION: dict[str, Criticality] = {
    action: criticality
    for criticality, actions in (
        (Criticality.REPORT, _REPORTS),
        (Criticality.POLL, _POLLS),
        (Criticality.CALLBACK, _CALLBACKS),
        (Criticality.INTAKE, _INTAKE),
    )
    for action in actions.split()
}
LISTS = frozenset({"/v1/orders", "/v1/care-requests"})
"""Read as a list these are somebody's board, which asks again by itself; one by one they are the desk at work."""


def criticality_of(action: str, method: str, route: str) -> Criticality:
    """Of one request. An action that nobody has classed is work like any other's callback."""
    if method == "GET" and route in LISTS:
        return Criticality.POLL
    return OF_ACTION.get(action, Criticality.CALLBACK)


class Shares:
    """How much of each class is let in. Pure: `adjust` is told how late the process is.

    Whatever makes a class give way makes every class before it give way too, so a more important one is never
    let in less than a less important one.
    """

    def __init__(self) -> None:
        self.share = dict.fromkeys(LIMITS_S, 1.0)
        self._credit = dict.fromkeys(LIMITS_S, 1.0)

    def adjust(self, late_s: float) -> None:
        for one, limit in LIMITS_S.items():
            self.share[one] = self.share[one] * SHRINK if late_s > limit else min(1.0, self.share[one] + GROW)

    def lets_in(self, one: Criticality) -> bool:
        """Evenly: at a share of a third every third."""
        if one is Criticality.INTAKE:
            return True
        self._credit[one] = min(self._credit[one] + self.share[one], 2.0)
        if self._credit[one] < 1:
            return False
        self._credit[one] -= 1
        return True


class Gate:
    """One web process's. `run` watches how late it is, until cancelled.

    `sheds`: off where the clock runs faster than the world's, for "again in five seconds" would be hours there.
    """

    def __init__(self, database: Database, *, sheds: bool = True) -> None:
        self._database, self._sheds = database, sheds
        self.shares = Shares()
        self._bulkheads = {one: Bulkhead(max(1, int(database.pool_size * part))) for one, part in PART_OF_POOL.items()}

    async def run(self) -> None:
        """How late: the event loop's pulse, or the longest wait for a connection since the last look.

        What counts is the middle one of the last looks: a hiccup is no overload, standing in line is.
        """
        loop, late = asyncio.get_running_loop(), deque([0.0] * LOOKS, maxlen=LOOKS)
        while True:
            due = loop.time() + TICK_S
            await asyncio.sleep(TICK_S)
            late.append(max(loop.time() - due, self._database.longest_wait_s()))
            self.shares.adjust(median(late))
            for one, share in self.shares.share.items():
                metrics.LET_IN.labels(one.name.lower()).set(share)

    def admit(self, action: str, method: str, route: str) -> AbstractAsyncContextManager[None]:
        """A place among the requests of its class, to be held while it uses the database.

        Raises Unavailable, here or when the place is entered, for what has to give way now.
        """
        one = criticality_of(action, method, route)
        if one is Criticality.INTAKE or not self._sheds:
            return nullcontext()
        if not self.shares.lets_in(one):
            raise _refused(one)
        return self._place(one)

    @asynccontextmanager
    async def _place(self, one: Criticality) -> AsyncIterator[None]:
        bulkhead = self._bulkheads[one]
        if not await bulkhead.enter():
            raise _refused(one)
        try:
            yield
        finally:
            bulkhead.leave()


class Bulkhead:
    """Room for so many at once; a bounded number of others waits."""

    def __init__(self, places: int) -> None:
        self._places = asyncio.Semaphore(places)
        self._may_wait = places * QUEUE
        self._waiting = 0

    async def enter(self) -> bool:
        """False when too many wait already."""
        if self._waiting >= self._may_wait:
            return False
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1
        return True

    def leave(self) -> None:
        self._places.release()


def _refused(one: Criticality) -> Unavailable:
    metrics.SHED.labels(one.name.lower()).inc()
    # Not all at the same moment again.
    retry = RETRY_S[one] + random.randint(0, RETRY_S[one])  # noqa: S311 (no secret)
    return Unavailable("overloaded", "calls for help come first; try again later", retry_after_s=retry)
