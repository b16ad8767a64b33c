"""Saying something to somebody: written down in the caller's transaction, sent after it has committed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.db import Tx
from app.core.errors import Invalid
from app.core.ids import new_id
from app.core.json import dumps
from app.jobs.queue import enqueue
from app.messaging import queries, templates
from app.messaging.quiet_hours import next_open

DELIVER = "messaging.deliver"
LANGUAGE = "zh-CN"
CONTENTS_KEPT = timedelta(days=90)


async def send(
    tx: Tx,
    *,
    template: str,
    recipient_kind: str,
    recipient_id: UUID | str | None,
    address: str | None,
    params: Mapping[str, Any],
    order_id: UUID | None = None,
    dedupe_key: str,
    urgent: bool = False,
    channel: str = "sms",
) -> UUID | None:
    """Queue one message; None when one with this `dedupe_key` was queued before.

    What is not urgent waits until the quiet hours are over. Without an address the message is written down as
    suppressed. Raises LookupError for a template or a gap's value that does not exist: a mistake of the caller.
    """
    now = clock.now()
    text = await wording(tx, template, channel, clock.service_day(now))
    if missing := templates.gaps(text) - set(params):
        raise LookupError(f"template {template} needs {', '.join(sorted(missing))}")
    message_id = new_id()
    not_before = now if urgent else next_open(now)
    row = {
        "id": message_id,
        "template_code": template,
        "channel": channel,
        "language": LANGUAGE,
        "recipient_kind": recipient_kind,
        "recipient_id": None if recipient_id is None else str(recipient_id),
        "address": tx.vault.seal("outgoing_message.address", message_id, address) if address else None,
        "params": tx.vault.seal("outgoing_message.params", message_id, dumps(dict(params))),
        "order_id": order_id,
        "dedupe_key": dedupe_key,
        "urgent": urgent,
        "status": "queued" if address else "suppressed",
        "failure": None if address else "no_address",
        "not_before": not_before,
        "created_at": now,
    }
    added = await queries.add(tx, row)
    if added is not None and address:
        await enqueue(tx, DELIVER, {"message_id": message_id}, after=not_before - now, priority=int(urgent))
    return added


async def wording(tx: Tx, template: str, channel: str, day: date) -> str:
    """The words in force that day: the city's own, else the product's. Raises LookupError for neither."""
    own = await queries.wording(tx, template, channel, LANGUAGE, day)
    return own if own is not None else templates.shipped()[template, channel, LANGUAGE]


async def reword(tx: Tx, template: str, channel: str, valid_from: date, text: str) -> None:
    """A city's own wording from a day on. Raises Invalid when it asks for something nobody fills in."""
    known = templates.gaps(templates.shipped()[template, channel, LANGUAGE])
    if strange := templates.gaps(text) - known:
        raise Invalid(
            "template_gap_unknown", f"known gaps: {', '.join(sorted(known))}", field="text", gaps=sorted(strange)
        )
    await queries.put_wording(tx, template, channel, LANGUAGE, valid_from, text)


async def hold_back(tx: Tx, recipient_kind: str, recipient_ids: Sequence[UUID], because: str) -> int:
    """What these people have not been sent yet, and what is not urgent, is not sent; returns how many messages."""
    return await queries.hold_back(tx, recipient_kind, [str(one) for one in recipient_ids], because)


async def note_receipt(tx: Tx, channel: str, external_id: str, *, delivered: bool, failure: str | None = None) -> bool:
    """What a gateway reports later about a message it took; False for one we do not know or that is settled."""
    status = "delivered" if delivered else "failed"
    return await queries.receipt(tx, channel, external_id, status, None if delivered else failure, clock.now())


async def of_order(tx: Tx, order_id: UUID) -> list[Any]:
    """What was said about an order, to whom and with what success, oldest first; no addresses, no words."""
    return await queries.of_order(tx, order_id)
