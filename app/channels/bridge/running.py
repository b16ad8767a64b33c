"""The bridge at work: connect, reconcile, hand on, and come back whenever the exchange is gone."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from app.channels.bridge import told
from app.channels.bridge.dialling import Dialler
from app.channels.bridge.door import Door
from app.channels.bridge.exchanges import Exchange, ExchangeError
from app.core import clock, log

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0


async def run(connect: Callable[[], Exchange], door: Door, dialler: Dialler | None = None) -> None:
    """Until cancelled. Without a dialler nobody dials through us."""
    async with asyncio.TaskGroup() as both:
        both.create_task(door.work())
        both.create_task(_listen(connect, door, dialler))
        if dialler is not None:
            both.create_task(dialler.work())


async def _listen(connect: Callable[[], Exchange], door: Door, dialler: Dialler | None) -> None:
    """A connection that stood resets the pause before the next attempt."""
    pause, heard, is_first = FIRST_PAUSE_S, False, True
    while True:
        exchange = connect()
        try:
            calls = await exchange.open()
            door.put(told.restored(clock.now(), calls, is_first=is_first))
            pause, heard, is_first = FIRST_PAUSE_S, True, False
            log.get("bridge").info("exchange_connected", open_calls=len(calls))
            if dialler is not None:
                dialler.exchange = exchange
            await _hand_on(exchange, door)
        except ExchangeError as gone:
            log.get("bridge").warning("exchange_lost", why=str(gone))
        finally:
            if dialler is not None:
                dialler.exchange = None
            await exchange.close()
        if heard:
            door.put([told.lost(clock.now())])
            heard = False
        await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 (no secret)
        pause = min(LONGEST_PAUSE_S, pause * 2)


async def _hand_on(exchange: Exchange, door: Door) -> None:
    async for events in exchange.events():
        door.put(events)
        if door.let_go and door.is_empty:  # before, a reconciliation would only push out more
            door.let_go = 0
            raise ExchangeError("events were let go, the exchange is asked again")
