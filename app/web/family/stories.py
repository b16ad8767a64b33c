"""The states of the family's pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from app.followup.schemas import CostWords, PartyWords
from app.selfpay.family_page import FamilyOrderView
from app.web.family import stories_signed_in
from app.web.family.stories_signed_in import RARE
from app.web.family.timeline import steps
from app.web.stories import NOW, Story

LONG = "失能老人上门助浴（两人协作，含防压疮皮肤护理与翻身指导）"
LONG_PROVIDER = "金昌市金川区暖阳居家养老服务有限责任公司第三分公司"


def stories() -> dict[str, Story]:
    return {
        "order-waiting": _order("waiting", status_words="已受理，正在安排服务企业", who=None),
        "order-arranged": _order("arranged", status_words="已安排服务人员，等待上门"),
        "order-on-the-way": _order(
            "on_the_way", status_words="服务人员已出发", departed_at=NOW - _minutes(12), **_wanted(15)
        ),
        "order-arrived": _order("arrived", status_words="服务人员正在服务", **_came()),
        "order-left": _order("left", status_words="服务已结束", may_rate=True, **_came(), **_gone()),
        "order-rated": _order(
            "left", status_words="已办结", rating=4, paid_fen=1400, due_fen=0, **_came(), **_gone()
        ),
        "order-not-done": _order(
            "not_done", status_words="服务未能完成，中心会与您联系", result_words="服务未能完成：老人不在家",
            due_fen=0, complaint_open=True, may_rate=True,
        ),
        "order-cancelled": _order("cancelled", status_words="已取消", who=None, due_fen=0),
        "order-withheld": _order(
            "left", status_words="服务已结束", item=None, who=None, price_fen=None, copay_fen=None, costs=None,
            due_fen=None, withheld=["people", "times", "work", "costs"],
        ),
        "order-long-names": _order(
            "arranged", status_words="已安排服务人员，等待上门", item=LONG,
            who=PartyWords(provider=LONG_PROVIDER, caregiver=RARE, second_caregiver="龘**"),
        ),
        "gone": Story("family/gone.html", light=True, path="/f/unknown"),
        **stories_signed_in.stories(order),
    }  # fmt: skip


def order(stage: str, **overrides: Any) -> FamilyOrderView:
    """An order of 1400 fen of the family's own, with everything shown."""
    values: dict[str, Any] = {
        "number": "JC20261120-0000042", "status": "assigned", "stage": stage, "status_words": "", "item": "上门助浴",
        "wanted_from": NOW + _minutes(210), "wanted_to": NOW + _minutes(330),
        "who": PartyWords(provider="金川区暖阳居家养老服务中心", caregiver="王**"),
        "price_fen": 7000, "copay_fen": 1400, "paid_fen": 0, "due_fen": 1400,
        "costs": [CostWords(payer="政府购买服务", amount_fen=5600), CostWords(payer="自付", amount_fen=1400)],
        "may_rate": False, "complaint_open": False, "withheld": [], "version": 7,
    }  # fmt: skip
    return FamilyOrderView(**values | overrides)


def _order(stage: str, **overrides: Any) -> Story:
    shown = order(stage, **overrides)
    values = {"order": shown, "steps": steps(shown), "token": "example", "stream": None}
    return Story("family/order.html", values, light=True, path="/f/example")


def _came() -> dict[str, Any]:
    return _wanted(-100) | {
        "departed_at": NOW - _minutes(130),
        "arrived_at": NOW - _minutes(103),
        "began_at": NOW - _minutes(100),
    }


def _wanted(begins: int) -> dict[str, Any]:
    return {"wanted_from": NOW + _minutes(begins), "wanted_to": NOW + _minutes(begins + 90)}


def _gone() -> dict[str, Any]:
    return {"left_at": NOW - _minutes(11), "minutes": 89, "photos": 3, "result_words": "服务已完成，共89分钟"}


def _minutes(count: int) -> timedelta:
    return timedelta(minutes=count)
