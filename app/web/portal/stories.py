"""The states of the portal's pages."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from app.catalog.service import Item, Price
from app.followup.published import MINIMUM, Month, Share
from app.knowledge.models import TOPICS
from app.web.stories import Story

PLACES = [("620300", "金昌市"), ("620302", "金川区"), ("620321", "永昌县")]
LONG_TITLE = "经济困难的高龄、失能老年人补贴与长期护理保险能不能同时享受，怎样衔接"
LONG = "失能老人上门助浴（两人协作，含防压疮皮肤护理与翻身指导）"
NAMES = {"bath_home": "上门助浴", "clean_home": "居家保洁"}


def stories() -> dict[str, Story]:
    articles = [
        _article("高龄津贴怎么申请", "年满80周岁的本地户籍老人可以申请。\n由本人或家属带身份证、户口簿到社区办理。"),
        _article(LONG_TITLE, "请向所在街道民政窗口核实。", date(2027, 12, 31)),
    ]  # fmt: skip
    scheme = {
        "name": "政府购买居家养老服务", "share_bp": 8000, "requires_assessment": True,
        "item_codes": ["bath_home", "clean_home"], "valid_from": date(2026, 1, 1), "valid_to": None,
    }  # fmt: skip
    asked: dict[str, Any] = {"topics": TOPICS, "topic": None, "q": "", "names": NAMES}
    return {
        "home": _story("home"),
        "home-large": _story("home", large=True),
        "services": _story("services", **_services()),
        "services-large": _story("services", large=True, **_services()),
        "services-empty": _story("services", **_services() | {"groups": []}),
        "policies": _story("policies", **asked, articles=articles, schemes=[scheme]),
        "policies-nothing-found": _story("policies", **asked | {"q": "𠮷"}, articles=[], schemes=[]),
        "results": _story("results", months=[_month(10, 312), _month(9, 280), _month(8, None)], minimum=MINIMUM),
        "results-none": _story("results", months=[], minimum=MINIMUM),
        "results-large": _story("results", large=True, months=[_month(10, 312), _month(8, None)], minimum=MINIMUM),
    }


def _story(name: str, large: bool = False, **values: Any) -> Story:
    path = "/portal" if name == "home" else f"/portal/{name}"
    return Story(f"portal/{name}.html", {"large": large, "here": path, **values}, path=path)


def _services() -> dict[str, Any]:
    priced = [
        (_item("上门助浴", "评估水温和身体状况后协助洗浴"), _price(12000, None)),
        (_item(LONG, ""), _price(4000, 60)),
        (_item("政策咨询", "电话里就能答复"), _price(0, None)),
        (_item("适老化改造", "上门查看后报价"), None),
    ]
    groups = [("生活照料", priced), ("探访关爱", priced[2:3])]
    return {"groups": groups, "places": PLACES, "place": "620302", "today": date(2026, 11, 20)}


def _item(name: str, description: str) -> Item:
    return Item("example", name, "daily_living", "visit", 60, 30, 15, 120, None, "low_fee", "home_visit", description,
                1, True, 1)  # fmt: skip


def _price(fen: int, per_minutes: int | None) -> Price:
    return Price(UUID(int=0), fen, per_minutes, "620302", "示例价格")


def _article(title: str, answer: str, valid_to: date | None = None) -> dict[str, Any]:
    return {
        "title": title, "answer": answer, "source": "示例条目，非正式政策", "valid_from": date(2026, 1, 1),
        "valid_to": valid_to,
    }  # fmt: skip


def _month(month: int, visits: int | None) -> Month:
    few = None
    if visits is None:
        return Month(date(2026, month, 1), few, few, few, few)
    return Month(date(2026, month, 1), visits, Share(visits - 20, visits), Share(visits - 31, visits), Share(11, 12))
