"""Handing messages to their senders, at most once without knowing.

Three transactions: the message becomes `unknown` and that is committed; it is handed over; the answer is
committed. A crash or a time-out in between leaves it `unknown`, and a job that comes again finds nothing to do.
Only what a sender declares as certainly not sent is tried again. What is refused for good is said by the next way;
so is an alarm of which nobody knows whether it has arrived: told twice harms nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.core import clock, log
from app.core.db import Database, Tx
from app.core.json import loads
from app.jobs.queue import enqueue
from app.messaging import breakers, queries, queries_receipts, receipts, service, templates
from app.messaging.events import LeftToVoice
from app.messaging.quiet_hours import next_open
from app.messaging.sender import Message, NotSent, Refused, Sender
from app.messaging.ways import DECLINABLE, VOICE, Purpose, purpose_of

PATIENCE_S = 10.0
"""Less than the server allows the job's own transaction to lie idle."""
MAX_ATTEMPTS = 6
FIRST_PAUSE, FIRST_PAUSE_URGENT = timedelta(seconds=30), timedelta(seconds=5)
"""Doubled each time: a quarter of an hour in all, or two and a half minutes before a person has to call."""
LOST_AFTER, LOST = timedelta(seconds=60), 100
"""Whoever held an urgent message so long without an answer is dead, and so many are seen to in one transaction."""
APART_MS = 5000
"""Messages that waited for the same channel come back within so many milliseconds, not at one moment."""


class Delivery:
    """The task "messaging.deliver" over one sender per channel.

    `outbox` is a small pool of its own: the job holds a connection of the worker's pool meanwhile, and jobs that
    wait for each other's second connection would all stand still.
    """

    def __init__(self, outbox: Database, senders: Mapping[str, Sender], patience_s: float = PATIENCE_S) -> None:
        self._outbox = outbox
        self._senders = senders
        self._patience_s = patience_s

    async def deliver(self, tx: Tx, payload: dict[str, Any]) -> None:
        """Send the message `payload["message_id"]`, unless it was handed over before."""
        message_id, now = UUID(payload["message_id"]), clock.now()
        opens = next_open(now)
        if opens > now and await _postpone(tx, message_id, opens, now):
            return
        async with self._outbox.transaction() as own:
            waiting = await queries.waiting(own, message_id)
            if waiting is None:
                return
            if purpose_of(waiting["template_code"]) in DECLINABLE.intersection(waiting["declined"]):
                return await queries.suppress(own, message_id, service.DECLINED)
            if waiting["channel"] == VOICE:
                return await _leave_to_voice(tx, message_id, now)
            if (until := await breakers.admit(own, waiting, now)) is not None:
                apart = timedelta(milliseconds=message_id.int % APART_MS)
                await _postpone(own, message_id, until + apart, now)
                return
            row = await queries.hand_over(own, message_id, now)
            if row is None:
                return
            message = await _message(own, row)
        await self._send(message, row)

    async def _send(self, message: Message, row: Any) -> None:
        try:
            sender = self._senders[message.channel]
        except KeyError:
            return await self._failed(message, "no_sender")
        try:
            async with asyncio.timeout(self._patience_s):
                external_id = await sender.send(message)
        except Refused as refusal:
            await self._failed(message, refusal.code)
        except NotSent as pause:
            await self._again(message, row, pause)
        except Exception as failure:
            log.get("messaging").warning("delivery_unknown", message=str(message.id), error=type(failure).__name__)
            await self._unknown(message, type(failure).__name__)
        else:
            await self._sent(message, external_id)

    async def _sent(self, message: Message, external_id: str | None) -> None:
        now = clock.now()
        async with self._outbox.transaction() as own:
            await breakers.worked(own, message.channel, now)
            if external_id is None:
                await queries.settle(own, message.id, "sent", None, None, now)
                return
            await own.one_at_a_time("receipt", message.channel, external_id)
            if await queries.settle(own, message.id, "sent", external_id, None, now):
                await receipts.answered(own, message.id, message.channel, external_id)

    async def _failed(self, message: Message, code: str) -> None:
        async with self._outbox.transaction() as own:
            await breakers.worked(own, message.channel, clock.now())
            await _give_up(own, message.id, code)

    async def _unknown(self, message: Message, code: str) -> None:
        async with self._outbox.transaction() as own:
            await breakers.failed(own, message.channel, code, clock.now())
            await _unsure(own, message.id, message.template_code, code)

    async def _again(self, message: Message, row: Any, pause: NotSent) -> None:
        now = clock.now()
        async with self._outbox.transaction() as own:
            if pause.of_channel:
                await breakers.failed(own, message.channel, pause.code, now)
            else:
                await breakers.worked(own, message.channel, now)
            if row["attempts"] >= MAX_ATTEMPTS:
                return await _give_up(own, message.id, pause.code)
            after = (FIRST_PAUSE_URGENT if row["urgent"] else FIRST_PAUSE) * (1 << (row["attempts"] - 1))
            if await queries.requeue(own, message.id, pause.code, now + after):
                await enqueue(
                    own, service.DELIVER, {"message_id": message.id}, after=after, priority=int(row["urgent"])
                )


async def see_to_lost(tx: Tx) -> int:
    """Urgent messages whose worker was killed between handing them over and writing down the answer; how many."""
    lost = await queries.lost(tx, clock.now() - LOST_AFTER, LOST)
    for row in lost:
        log.get("messaging").warning("delivery_unknown", message=str(row["id"]), error="lost")
        await _unsure(tx, row["id"], row["template_code"], "lost")
    return len(lost)


async def forget_contents(tx: Tx) -> int:
    """Addresses and words older than 90 days, and receipts; that something was said stays."""
    before = clock.now() - service.CONTENTS_KEPT
    await queries_receipts.forget(tx, before)
    return await queries.forget_contents(tx, before)


async def _postpone(tx: Tx, message_id: UUID, until: datetime, now: datetime) -> bool:
    """True when it waits now, with a job for then."""
    if not await queries.postpone(tx, message_id, until):
        return False
    await enqueue(tx, service.DELIVER, {"message_id": message_id}, after=until - now)
    return True


async def _give_up(tx: Tx, message_id: UUID, code: str) -> None:
    """For good: the next way has its turn, unless a receipt has said otherwise meanwhile."""
    if await queries.settle(tx, message_id, "failed", None, code, clock.now()):
        await service.stand_in(tx, message_id)


async def _unsure(tx: Tx, message_id: UUID, template: str, code: str) -> None:
    """Nobody knows, and no receipt has said meanwhile: news stays as it is, an alarm goes the next way."""
    if not await queries.settle(tx, message_id, "unknown", None, code, clock.now()):
        return
    if purpose_of(template) is Purpose.ALARM:
        await service.stand_in(tx, message_id)


async def _leave_to_voice(tx: Tx, message_id: UUID, now: datetime) -> None:
    """All in the job's own transaction: what is left to a person stays in the house. A link is for its reader alone:
    the words for an operator do without it."""
    row = await queries.hand_over(tx, message_id, now)
    if row is None:
        return
    message = await _message(tx, row)
    await tx.publish(
        LeftToVoice(
            message_id=message.id, template=message.template_code, order_id=row["order_id"],
            division_code=row["division_code"], phone=message.address, words=await service.words(tx, row) or "",
            urgent=row["urgent"], at=now,
        )
    )  # fmt: skip
    await queries.settle(tx, message_id, "sent", None, None, now)


async def _message(tx: Tx, row: Any) -> Message:
    text = await service.wording(tx, row["template_code"], row["channel"], clock.service_day(row["created_at"]))
    params = templates.filled(loads(tx.vault.open(service.PARAMS, row["id"], row["params"])))
    return Message(
        id=row["id"],
        template_code=row["template_code"],
        channel=row["channel"],
        language=row["language"],
        address=tx.vault.open(service.ADDRESS, row["id"], row["address"]),
        text=templates.render(text, params),
        params={name: templates.plain(value) for name, value in params.items()},
    )
