"""How long ways really take: kept as check-ins tell it, learned from at night, used by search and rounds."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

from app.core import clock, log
from app.core.db import Tx
from app.matching import queries_travel as queries
from app.routing.travel import Coefficients, hour_band
from app.routing.travel_fitting import ENOUGH, Way, fitted, plausible

LEARNED_FROM = timedelta(days=90)
"""Streets change, and so do seasons."""
KEPT = timedelta(days=180)
MOST = 4000
"""Ways per mode and band a line is fitted to; the newest."""


async def record(tx: Tx, order_id: UUID, caregiver_id: UUID, metres: float, minutes: float, left_at: datetime) -> None:
    """Keep one measured way: metres as the crow flies, minutes from leaving to being there. Nonsense is dropped."""
    if plausible(Way(metres, minutes)):
        local = left_at.astimezone(clock.SHANGHAI)
        band = hour_band(local.hour * 60 + local.minute)
        await queries.log(tx, order_id, caregiver_id, band, metres, minutes, local.date())


async def coefficients(tx: Tx) -> Coefficients:
    """What the city's own ways have taught; empty in a new city, where `routing.travel` falls back to its guesses."""
    return await tx.cache.get("matching.travel", lambda: queries.newest(tx))


async def calibrate(tx: Tx) -> int:
    """Learn from the last months' ways; returns for how many modes and bands. The nightly sweep.

    What cannot be learned, for want of ways, keeps what was learned before, or the guess.
    """
    today = clock.today()
    await queries.forget(tx, today - KEPT)
    since = today - LEARNED_FROM
    learned = []
    for group in await queries.groups(tx, since, ENOUGH):
        rows = await queries.ways(tx, group["mode"], group["band"], since, MOST)
        measured = [Way(row["metres"], row["minutes"]) for row in rows]
        pace = await asyncio.to_thread(fitted, measured)
        if pace is not None:
            learned.append((group["mode"], group["band"], pace, len(measured)))
    if learned:
        await queries.learn(tx, learned, since, clock.now())
        log.get("matching").info("travel_calibrated", paces=len(learned))
    return len(learned)
