"""The breakers of the channels, kept in the database; the rules are in `breaker`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.core import log
from app.core.db import Tx
from app.messaging import queries
from app.messaging.breaker import Breaker, after_failure, probing, waits_until


async def admit(tx: Tx, waiting: Any, now: datetime) -> datetime | None:
    """Until when a waiting message of this channel has to wait; None: it may go. An urgent one always may."""
    if waiting["urgent"] or waiting["open_until"] is None:
        return None
    breaker = _of(await queries.locked_breaker(tx, waiting["channel"], now))
    until = waits_until(breaker, now)
    if until is None and breaker.open_until is not None:
        await _put(tx, waiting["channel"], probing(breaker, now), None, now)
    return until


async def failed(tx: Tx, channel: str, code: str, now: datetime) -> None:
    before = _of(await queries.locked_breaker(tx, channel, now))
    breaker = after_failure(before, now)
    await _put(tx, channel, breaker, code, now)
    if breaker.open_until is not None and breaker.open_until != before.open_until:
        until = breaker.open_until.isoformat()
        log.get("messaging").error("channel_rests", channel=channel, failures=breaker.failures, until=until, code=code)


async def worked(tx: Tx, channel: str, now: datetime) -> None:
    """The gateway took a message, or refused one like somebody in their right mind."""
    if await queries.close_breaker(tx, channel, now):
        log.get("messaging").info("channel_works", channel=channel)


def _of(row: Any) -> Breaker:
    return Breaker(row["failures"], row["open_until"], row["probe_until"])


async def _put(tx: Tx, channel: str, breaker: Breaker, code: str | None, now: datetime) -> None:
    await queries.put_breaker(tx, channel, breaker.failures, breaker.open_until, breaker.probe_until, code, now)
