"""One order for the family that has its link: plain words, and only what the elder consented to.

Consents are given to "family" for the purpose `family_page`, or for one part of it, `family_page.people`,
`.times`, `.work`, `.costs`. An elder who never spoke about the page but approved a relative has agreed that the
family sees the orders. Without consent the page still says where the order stands and takes a rating.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx
from app.core.errors import NotFound
from app.core.text import masked_name
from app.followup import queries
from app.followup.schemas import CostWords, FamilyOrder, PartyWords, Stage
from app.orders import service as orders
from app.orders.lifecycle import NOT_DONE_BECAUSE, SUSPENDED, Status
from app.orders.queries import OrderRow

WHOLE = "family_page"
PARTS = ("people", "times", "work", "costs")

STATUS_WORDS = {
    Status.PLACED: "已受理，正在安排服务企业",
    Status.DISPATCHED: "正在等待服务企业接单",
    Status.ACCEPTED: "服务企业已接单，正在安排服务人员",
    Status.ASSIGNED: "已安排服务人员，等待上门",
    Status.IN_SERVICE: "服务人员正在服务",
    Status.COMPLETED: "服务已结束",
    Status.CLOSED: "已办结",
    Status.CANCELLED: "已取消",
}
ON_THE_WAY = {"en_route": "服务人员已出发", "arrived": "服务人员已到达"}
STAGE_OF_VISIT: dict[str, Stage] = {"en_route": "on_the_way", "arrived": "arrived"}
STAGES: dict[Status, Stage] = {Status.IN_SERVICE: "arrived", Status.COMPLETED: "left", Status.CLOSED: "left"}
HELD = "暂缓办理，请留意中心来电"
NOT_DONE = "服务未能完成，中心会与您联系"
PAYERS = {
    "family": "自付",
    "government": "政府购买服务",
    "ltci": "长期护理保险",
    "voucher": "养老服务消费补贴",
    "charity": "慈善资助",
}


async def page(tx: Tx, order_id: UUID) -> FamilyOrder:
    """The order as its family sees it. Raises NotFound."""
    found = await pages(tx, [order_id])
    if not found:
        raise NotFound("order_not_found")
    return found[order_id]


async def pages(tx: Tx, order_ids: Sequence[UUID]) -> dict[UUID, FamilyOrder]:
    """Orders as their family sees them, in the order asked for; unknown ids are left out."""
    rows = {order.id: order for order in await orders.get_all(tx, order_ids)}
    facts = await queries.family_facts(tx, order_ids)
    return {one: _page(rows[one], facts[one]) for one in order_ids if one in rows and one in facts}


def _page(order: OrderRow, facts: Any) -> FamilyOrder:
    allowed = allowed_parts(facts["consents"], approved=facts["approved"] and not facts["decided"])
    visit = order.visit or {}
    shown: dict[str, Any] = {}
    if "people" in allowed and order.provider_id is not None:
        caregiver, second = (masked_name(facts[name]) or None for name in ("caregiver_name", "second_name"))
        shown["who"] = PartyWords(provider=facts["provider_name"], caregiver=caregiver, second_caregiver=second)
    if "times" in allowed:
        shown |= _times(visit)
    if "work" in allowed:
        shown |= {"item": facts["item"], "minutes": visit.get("minutes"), "result_words": result_words(order)}
        shown |= {"photos": facts["photos"] if order.outcome is not None else None}
    if "costs" in allowed:
        shown |= _costs(order)
    return FamilyOrder(
        number=order.number,
        status=order.status,
        status_words=status_words(order),
        stage=stage(order),
        wanted_from=order.wanted_from,
        wanted_to=order.wanted_to,
        rating=order.rating,
        may_rate=order.completed_at is not None and not facts["heard"],
        complaint_open=facts["complaint_open"],
        withheld=[part for part in PARTS if part not in allowed],
        version=order.version,
        **shown,
    )


def allowed_parts(consents: list[str], *, approved: bool) -> frozenset[str]:
    """Which parts of the page the standing consents open; `approved`: a relative is, and nothing else was said."""
    if approved or WHOLE in consents:
        return frozenset(PARTS)
    return frozenset(part for part in PARTS if f"{WHOLE}.{part}" in consents)


def status_words(order: OrderRow) -> str:
    """Where the order stands, for somebody who has never seen a status word."""
    status = Status(order.status)
    if SUSPENDED in order.flags and status not in {Status.CLOSED, Status.CANCELLED}:
        return HELD
    if status is Status.ASSIGNED:
        return ON_THE_WAY.get((order.visit or {}).get("status", ""), STATUS_WORDS[status])
    if order.outcome == "not_done":
        return NOT_DONE
    return STATUS_WORDS[status]


def stage(order: OrderRow) -> Stage:
    """How far it has come: what the status says, and on the way to the door what the visit says."""
    status = Status(order.status)
    if status is Status.CANCELLED:
        return "cancelled"
    if order.outcome == "not_done":
        return "not_done"
    if status is Status.ASSIGNED:
        return STAGE_OF_VISIT.get((order.visit or {}).get("status", ""), "arranged")
    return STAGES.get(status, "waiting")


def result_words(order: OrderRow) -> str | None:
    """What came of the visit; None before its end."""
    if order.outcome is None:
        return None
    if order.outcome == "done":
        minutes = (order.visit or {}).get("minutes")
        return f"服务已完成，共{minutes}分钟" if minutes is not None else "服务已完成"
    reason = NOT_DONE_BECAUSE.get(order.outcome_reason or "", "其他原因")
    return f"服务部分完成：{reason}" if order.outcome == "partly" else f"服务未能完成：{reason}"


def _times(visit: dict[str, Any]) -> dict[str, datetime | None]:
    names = {
        "departed_at": "departed_at",
        "arrived_at": "arrived_at",
        "began_at": "checked_in_at",
        "left_at": "checked_out_at",
    }
    return {ours: datetime.fromisoformat(at) if (at := visit.get(theirs)) else None for ours, theirs in names.items()}


def _costs(order: OrderRow) -> dict[str, Any]:
    costs = [CostWords(payer=PAYERS.get(p["payer"], p["payer"]), amount_fen=p["amount_fen"]) for p in order.payers]
    return {"price_fen": order.price_fen, "copay_fen": order.copay_fen, "costs": costs}
