"""A hazard that a caregiver reported reaches the desk: gas, fire and an elder unwell as an emergency, everything else
as an urgent request that somebody has to answer."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.core import clock
from app.core.db import Tx
from app.core.http import SYSTEM
from app.intake import service as intake
from app.intake.requests import Channel, Kind, Urgency
from app.intake.service import DeviceFacts, NewRequest, Requester
from app.orders import service as orders
from app.providers import service as providers
from app.visits.events import HazardReported
from app.visits.hazards import family_of, is_urgent

NAMES = {"gas": "燃气", "electricity": "电线、电器", "fire": "明火、易燃物", "fall": "容易摔倒",
         "health": "老人身体异常", "neglect": "疑似无人照看", "other": "其他", "unspecified": "未说明"}  # fmt: skip
LATE = timedelta(minutes=10)
"""Whatever takes longer from the caregiver's press to us was kept on a phone without a net."""


async def on_hazard_reported(tx: Tx, event: HazardReported) -> None:
    """However late it comes: nobody else has heard of it, and the words say when it was."""
    order = await orders.get(tx, event.order_id)
    caregiver = await providers.caregiver(tx, event.caregiver_id)
    urgent = is_urgent(event.code)
    asked = NewRequest(
        channel=Channel.APP,
        kind=Kind.EMERGENCY if urgent else Kind.SERVICE,
        urgency=Urgency.EMERGENCY if urgent else Urgency.URGENT,
        requester=Requester(caregiver.name),
        elder_id=event.elder_id,
        note=words(event, caregiver.name, order.number),
        about_order_id=event.order_id,
        alarm=DeviceFacts(family_of(event.code)) if urgent else None,
    )
    await intake.take_request(tx, SYSTEM, asked)


def words(event: HazardReported, caregiver: str, number: str) -> str:
    """What an operator reads, before anything else that may be done about it."""
    name = NAMES.get(event.code) or NAMES.get(family_of(event.code))
    kind = event.code if name is None else name if event.code in NAMES else f"{name}（{event.code}）"
    said = [f"服务人员{caregiver}上门时报告：{kind}"]
    if event.note:
        said.append(f"“{event.note}”")
    said.append(f"{_when(event.occurred_at, event.at)}，工单 {number}")
    return "，".join(said)


def _when(occurred_at: datetime, received_at: datetime) -> str:
    local = occurred_at.astimezone(clock.SHANGHAI)
    at = f"{local.month}月{local.day}日 {local.hour}:{local.minute:02d}"
    late = received_at - occurred_at
    if late < LATE:
        return at
    hours, minutes = divmod(int(late.total_seconds()) // 60, 60)
    after = f"{hours}小时{minutes}分钟" if hours else f"{minutes}分钟"
    return f"{at}（手机离线，{after}后才传到）"
