"""Was she there? What a caregiver brings with a check-in or check-out is looked at once, when the report arrives.

    gps    a position of the phone, which the fold compares with the door
    qr     the code on the elder's card; nfc: a tag that says the same
    otp    a code that only the elder was told
    phone  nothing; a call from one of the elder's telephones reached the hotline at that time

What does not hold is stored like everything else, and the visit goes to a supervisor.
"""

from __future__ import annotations

import hmac
from datetime import timedelta

from app.calls import numbers
from app.core.clock import service_day
from app.core.db import Tx
from app.elders import service as elders
from app.orders.queries import OrderRow
from app.visits import door_codes, queries_caregiver
from app.visits.journal import ADDITIONS, Method
from app.visits.schemas import ProviderEvent

CALL_WITHIN = timedelta(minutes=15)
"""So far apart the call and the press of the button may be: queues are long, and phones are put down."""


async def hold(tx: Tx, order: OrderRow, event: ProviderEvent, brought: str | None) -> bool | None:
    """Does the proof of this event hold? None where there is nothing to prove."""
    if event.type in ADDITIONS or event.method is Method.MANUAL:
        return None
    if event.method is Method.GPS:
        return event.location is not None
    if event.method is Method.OTP:
        return event.type in door_codes.ENDS and _is_told(tx, event, brought or "")
    if event.method is Method.PHONE:
        return await _has_called(tx, order, event)
    return brought is not None and await elders.is_card_of(tx, order.elder_id, brought, event.occurred_at)


def _is_told(tx: Tx, event: ProviderEvent, brought: str) -> bool:
    key = tx.vault.key_for(door_codes.PURPOSE)
    right = door_codes.code(key, event.order_id, event.type, service_day(event.occurred_at))
    return hmac.compare_digest(right.encode(), brought.strip().encode())


async def _has_called(tx: Tx, order: OrderRow, event: ProviderEvent) -> bool:
    phones = await elders.phones(tx, order.elder_id)
    begin, end = event.occurred_at - CALL_WITHIN, event.occurred_at + CALL_WITHIN
    return await queries_caregiver.called(tx, [numbers.index(tx, phone) for phone in phones], begin, end)
