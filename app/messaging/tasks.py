"""Handing messages to their senders, at most once without knowing.

Three transactions: the message becomes `unknown` and that is committed; it is handed over; the answer is
committed. A crash or a time-out in between leaves it `unknown`, and a job that comes again finds nothing to do.
Only what a sender declares as certainly not sent is tried again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.core import clock, log
from app.core.db import Database, Tx
from app.core.json import loads
from app.jobs.queue import enqueue
from app.messaging import queries, service, templates
from app.messaging.quiet_hours import next_open
from app.messaging.sender import Message, NotSent, Refused, Sender

PATIENCE_S = 10.0
"""Less than the server allows the job's own transaction to lie idle."""
MAX_ATTEMPTS = 6
_FIRST_PAUSE = timedelta(seconds=30)


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
        if opens > now and await queries.postpone(tx, message_id, opens):
            await enqueue(tx, service.DELIVER, {"message_id": message_id}, after=opens - now)
            return
        async with self._outbox.transaction() as own:
            row = await queries.hand_over(own, message_id, now)
            if row is None:
                return
            message = await _message(own, row)
        try:
            sender = self._senders[message.channel]
        except KeyError:
            return await self._settle(message, "failed", None, "no_sender")
        try:
            async with asyncio.timeout(self._patience_s):
                external_id = await sender.send(message)
        except Refused as refusal:
            await self._settle(message, "failed", None, refusal.code)
        except NotSent as pause:
            await self._again(message, row["attempts"], pause.code)
        except Exception as failure:
            log.get("messaging").warning("delivery_unknown", message=str(message.id), error=type(failure).__name__)
            await self._settle(message, "unknown", None, type(failure).__name__)
        else:
            await self._settle(message, "sent", external_id, None)

    async def _settle(self, message: Message, status: str, external_id: str | None, failure: str | None) -> None:
        async with self._outbox.transaction() as own:
            await queries.settle(own, message.id, status, external_id, failure, clock.now())

    async def _again(self, message: Message, attempts: int, code: str) -> None:
        if attempts >= MAX_ATTEMPTS:
            return await self._settle(message, "failed", None, code)
        pause = _FIRST_PAUSE * (1 << (attempts - 1))
        async with self._outbox.transaction() as own:
            if await queries.requeue(own, message.id, code, clock.now() + pause):
                await enqueue(own, service.DELIVER, {"message_id": message.id}, after=pause)


async def forget_contents(tx: Tx) -> int:
    """Addresses and words older than 90 days; that something was said stays."""
    return await queries.forget_contents(tx, clock.now() - service.CONTENTS_KEPT)


async def _message(tx: Tx, row: Any) -> Message:
    text = await service.wording(tx, row["template_code"], row["channel"], clock.service_day(row["created_at"]))
    params = loads(tx.vault.open("outgoing_message.params", row["id"], row["params"]))
    return Message(
        id=row["id"],
        template_code=row["template_code"],
        channel=row["channel"],
        language=row["language"],
        address=tx.vault.open("outgoing_message.address", row["id"], row["address"]),
        text=templates.render(text, params),
    )
