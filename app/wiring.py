"""One page: which event wakes which hearer, which task does which job, what runs when.

Hearers of one event run in the order given, inside the transaction that published it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from fastapi import FastAPI

from app.benefits import handlers as benefits
from app.core import clock, idempotency
from app.core.db import Tx
from app.core.events import Bus
from app.dispatch import events as dispatch_events
from app.dispatch import handlers as dispatch
from app.dispatch import tasks as dispatch_tasks
from app.elders import events as elder_events
from app.exchange import handlers as exchange
from app.exchange.watch import FeedWatch
from app.jobs import feed
from app.jobs import worker as jobs
from app.jobs.worker import Periodic, Task
from app.orders import events as order_events
from app.orders import tasks as order_tasks

FEED_KEPT = timedelta(days=90)


def bus() -> Bus:
    """Who listens to what."""
    bus = Bus()
    bus.on(elder_events.ElderDeparted, benefits.on_elder_departed)
    bus.on(order_events.OrderPlaced, dispatch.on_order_placed)
    bus.on(order_events.OrderAdvanced, dispatch.on_order_advanced, exchange.on_order_advanced)
    bus.on(order_events.OrderFlagged, dispatch.on_order_flagged, exchange.on_order_flagged)
    bus.on(order_events.DeadlineMissed, exchange.on_deadline_missed, dispatch.on_deadline_missed)
    bus.on(dispatch_events.OfferMade, exchange.on_offer_made)
    bus.on(dispatch_events.OfferClosed, exchange.on_offer_closed)
    bus.on(dispatch_events.CaregiverAssigned, exchange.on_caregiver_assigned)
    bus.on(dispatch_events.NobodyFound, exchange.on_nobody_found)
    return bus


def tasks() -> dict[str, Task]:
    """Job kinds and their functions."""
    return {}


def periodic() -> list[Periodic]:
    """Sweeps: each runs on one worker at a time, in one transaction."""
    return [
        Periodic("dispatch.expire_offers", timedelta(seconds=1), dispatch_tasks.expire_offers),
        Periodic("dispatch.waiting", timedelta(seconds=15), dispatch_tasks.dispatch_waiting),
        Periodic("orders.missed_deadlines", timedelta(seconds=5), order_tasks.announce_missed_deadlines),
        Periodic("core.forget_keys", timedelta(hours=1), idempotency.forget_old),
        Periodic("jobs.forget_receipts", timedelta(hours=1), jobs.forget_receipts),
        Periodic("jobs.forget_feed", timedelta(hours=6), _forget_feed),
    ]


@asynccontextmanager
async def background(app: FastAPI) -> AsyncIterator[None]:
    """What a web process runs beside its requests."""
    app.state.feed_watch = FeedWatch(app.state.database)
    watching = asyncio.create_task(app.state.feed_watch.run())
    try:
        yield
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


async def _forget_feed(tx: Tx) -> None:
    await feed.forget_before(tx, clock.now() - FEED_KEPT)
