"""What we say of our own accord: to approved relatives by message, to the desk through its stream."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.accounts import consent, links
from app.accounts.purposes import FAMILY, FAMILY_NOTICES
from app.calls import callbacks
from app.channels import queries
from app.channels.desk import AUDIENCE as DESK
from app.channels.desk import ORDER_CHANGED
from app.channels.wechat import sender as wechat
from app.core import clock
from app.core.db import Tx
from app.dispatch.events import CaregiverAssigned, NobodyFound
from app.elders import service as elders
from app.followup.service import FAMILY_LINK
from app.jobs import feed
from app.jobs.queue import enqueue
from app.messaging import service as messaging
from app.messaging.events import LeftToVoice
from app.messaging.ways import Way
from app.orders import service as orders
from app.orders import views
from app.orders.events import DeadlineMissed, OrderAdvanced, OrderFlagged, OrderPlaced, OrdersTouched
from app.orders.schemas import OrderView, PartyView
from app.rounds.events import RoundsPublished
from app.visits.events import ServiceCompleted

TELL_FAMILY = "channels.tell_family"
LINK_VALID = timedelta(days=30)


async def on_caregiver_assigned(tx: Tx, event: CaregiverAssigned) -> None:
    await _tell_later(tx, event.order_id, "caregiver_named", event.starts_at)


async def on_service_completed(tx: Tx, event: ServiceCompleted) -> None:
    await _tell_later(tx, event.order_id, "not_done" if event.outcome == "not_done" else "completed")


async def on_rounds_published(tx: Tx, event: RoundsPublished) -> None:
    """Others at the desk see that the day is another one now."""
    facts = {"division": event.division_code, "service_day": event.service_day.isoformat(), "orders": event.counts}
    facts |= {"round_plan_id": str(event.round_plan_id)}
    await feed.append(tx, DESK, "rounds.published", facts=facts, occurred_at=event.at)


async def on_nobody_found(tx: Tx, event: NobodyFound) -> None:
    """A person has to look."""
    await _tell_desk(tx, "order.nobody_found", event.order_id, {}, event.at)


async def on_order_changed(tx: Tx, event: OrderAdvanced | OrderFlagged) -> None:
    """Whoever has a board open sees it. The stream adds the order as it is then, once for everybody."""
    await feed.append(tx, DESK, ORDER_CHANGED, order_id=event.order_id, occurred_at=event.at)


async def on_order_placed(tx: Tx, event: OrderPlaced) -> None:
    await feed.append(tx, DESK, ORDER_CHANGED, order_id=event.order.id, occurred_at=event.at)


async def on_orders_touched(tx: Tx, event: OrdersTouched) -> None:
    for order_id in event.order_ids:
        await feed.append(tx, DESK, ORDER_CHANGED, order_id=order_id, occurred_at=event.at)


async def on_deadline_missed(tx: Tx, event: DeadlineMissed) -> None:
    facts = {"deadline": event.deadline, "due_at": event.due_at.isoformat()}
    await _tell_desk(tx, "order.deadline_missed", event.order_id, facts, event.at)


async def on_left_to_voice(tx: Tx, event: LeftToVoice) -> None:
    """What no message could say, an operator says."""
    await callbacks.call_for_message(
        tx, event.message_id, event.phone, event.words, urgent=event.urgent, division_code=event.division_code
    )


async def tell_family(tx: Tx, payload: dict[str, Any], *, public_url: str) -> None:
    """One message to each approved relative of the order's elder, with a link that shows this order alone; none when
    the elder does not want it (any more).

    Who comes, or when, may change: then it is another message.
    """
    order_id, template = UUID(payload["order_id"]), str(payload["template"])
    order = await views.one(tx, order_id)
    if await consent.refused(tx, order.elder.id, FAMILY_NOTICES, FAMILY):
        return
    starts = payload.get("starts_at")
    about = [template, str(order_id), *(str(one.id) for one in _coming(order)), *([starts] if starts else [])]
    for member_id, phone in await elders.approved_family(tx, order.elder.id):
        token = await links.issue(tx, FAMILY_LINK, order_id, LINK_VALID, f"family:{member_id}")
        await messaging.send(
            tx,
            template=template,
            recipient_kind="family",
            recipient_id=member_id,
            address=phone,
            params=_words(order, f"{public_url}/f/{token}", datetime.fromisoformat(starts) if starts else None),
            order_id=order_id,
            division_code=order.division,
            dedupe_key=":".join([*about, str(member_id)]),
            also=await ways(tx, phone, template),
        )


async def ways(tx: Tx, phone: str, template: str) -> list[Way]:
    """By what else than a text message whoever has this phone (E.164) can be told this."""
    openid = await wechat.address_of(tx, phone, template)
    return [Way("wechat", openid)] if openid is not None else []


async def _tell_later(tx: Tx, order_id: UUID, template: str, starts_at: datetime | None = None) -> None:
    """Only where somebody may be told at all: most elders have no relative on record."""
    if await queries.has_approved_family(tx, order_id):
        when = {"starts_at": starts_at.isoformat()} if starts_at is not None else {}
        await enqueue(tx, TELL_FAMILY, {"order_id": order_id, "template": template, **when})


async def _tell_desk(tx: Tx, type: str, order_id: UUID, facts: dict[str, Any], at: datetime) -> None:
    division = (await orders.get(tx, order_id)).division_code
    await feed.append(tx, DESK, type, order_id=order_id, facts={"division": division, **facts}, occurred_at=at)


def _words(order: OrderView, link: str, starts_at: datetime | None) -> dict[str, str]:
    """Every gap a template for families may have; first names of caregivers stay out of messages."""
    visit = order.visit or {}
    return {
        "number": order.number,
        "item": order.item.name,
        "provider": order.provider.name if order.provider else "",
        "caregiver": "、".join(f"{one.name[:1]}师傅" for one in _coming(order)),
        "wanted": _day_and_hour(starts_at or order.window.from_),
        "at": _day_and_hour(order.completed_at or clock.now()),
        "minutes": str(visit.get("minutes") or order.minutes),
        "reason": order.outcome_reason or "服务未完成",
        "link": link,
    }


def _coming(order: OrderView) -> list[PartyView]:
    """Who comes, the lead first."""
    return [one for one in (order.caregiver, order.second_caregiver) if one is not None]


def _day_and_hour(at: datetime) -> str:
    local = at.astimezone(clock.SHANGHAI)
    return f"{local.month}月{local.day}日{local.hour}:{local.minute:02d}"
