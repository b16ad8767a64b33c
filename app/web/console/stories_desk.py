"""The desk: without a call, with one, with several people behind a number, with everything filled in."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from app.calls.record import CallbackReason, CallState, Outcome
from app.calls.schemas import CallView
from app.elders.schemas import ElderView, FamilyView, PhoneView, RevealedView, TagView
from app.hotline.schemas import BehindView, CaregiverBehindView, NuisanceView, OperatorView, ScreenView
from app.intake.schemas_views import DuplicateView, QuotePayerView, QuoteView
from app.orders.schemas import DeadlineView, ItemView, OrderView, PartyView, PayerView, WindowView
from app.orders.schemas import ElderView as OrderElder
from app.web.console import forms
from app.web.console.desk_views import BLANK, sound
from app.web.stories import NOW, OPERATOR, Story

TAGS = (("living_alone", "独居"), ("advanced_age", "高龄"), ("bereaved_single_child", "计划生育特殊家庭"))
FIRM = "金昌市金川区银龄居家养老服务有限责任公司"
RARE = "买买提·阿不都热西提"


def uuid(number: int) -> UUID:
    return UUID(int=number)


def at(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


def order(number: int = 1, status: str = "assigned", **more: Any) -> OrderView:
    """An order as the rooms tell it."""
    usual: dict[str, Any] = {
        "id": uuid(number), "number": f"GD2026{number:07d}", "status": status, "delivery": "fetched",
        "item": ItemView(code="clean_home", name="居家保洁"),
        "elder": OrderElder(id=uuid(900), name="𠮷**", sex="female"), "urgency": "normal", "channel": "hotline",
        "division": "620302001001", "window": WindowView(from_=at(60), to=at(180)), "minutes": 90,
        "deadlines": [
            DeadlineView(name="dispatch", due_at=at(-50), met_at=at(-58), late=False),
            DeadlineView(name="accept", due_at=at(-40), met_at=at(-20), late=True),
            DeadlineView(name="designate", due_at=at(-9), late=True),
            DeadlineView(name="arrive", due_at=at(95), late=False),
        ],
        "price_fen": 5400, "copay_fen": 1400,
        "payers": [PayerView(payer="government", scheme="gov_special", amount_fen=4000, reason="share of the price"),
                   PayerView(payer="family", amount_fen=1400, reason="rest of the price")],
        "provider": PartyView(id=uuid(31), name="金昌市金川区银龄居家养老服务有限责任公司"),
        "caregiver": PartyView(id=uuid(41), name=RARE), "flags": [], "placed_at": at(-60), "version": 3,
    }  # fmt: skip
    return OrderView(**usual | more)


def elder(number: int = 900, **more: Any) -> ElderView:
    usual: dict[str, Any] = {
        "id": uuid(number), "name": "𠮷**", "sex": "female", "age": 84, "division_code": "620302001001",
        "status": "active", "phones": [PhoneView(phone="138****0001", relation="self")], "address_on_file": True,
        "health_note_on_file": True, "dialect": "民勤话", "gender_wish": "female", "version": 1,
        "tags": [TagView(tag=tag, name=name, today=tag, valid_from=date(2026, 1, 1), source="社区")
                 for tag, name in TAGS],
        "family": [FamilyView(id=uuid(5), name="买买提**", relation="child", phone="139****2222")],
        "created_at": NOW, "updated_at": NOW,
    }  # fmt: skip
    return ElderView(**usual | more)


def person(**more: Any) -> BehindView:
    usual: dict[str, Any] = {
        "elder": elder(), "relation": "self", "open_orders": [order(1), order(2, "placed", provider=None)],
        "last_orders": [order(3, "closed"), order(4, "closed"), order(5, "cancelled")],
    }  # fmt: skip
    return BehindView(**usual | more)


def call(**more: Any) -> CallView:
    usual: dict[str, Any] = {
        "id": uuid(70), "state": CallState.RINGING, "caller": "138****0001", "called": "12349", "queue": "seniors",
        "agent": "8001", "offers": 1, "first_at": at(-1), "waited_s": 23, "recorded": True,
    }  # fmt: skip
    return CallView(**usual | more)


def screen(**more: Any) -> ScreenView:
    usual: dict[str, Any] = {
        "call": call(), "behind": [person()], "elsewhere": 0, "caregivers": [], "calls_before": [
            call(id=uuid(71), state=CallState.OVER, outcome=Outcome.ANSWERED, first_at=at(-3000)),
            call(id=uuid(72), state=CallState.OVER, outcome=Outcome.ABANDONED, first_at=at(-9000),
                 callback=CallbackReason.ABANDONED)],
    }  # fmt: skip
    return ScreenView(**usual | more)


def strangers() -> ScreenView:
    """A number with many people behind it, on a list, and a caregiver among them."""
    three = [person(elder=elder(901 + n, name=name), relation=relation, open_orders=[]) for n, (name, relation) in
             enumerate((("曾**", "self"), ("买买提**", "child"), ("𠮷**", "household")))]  # fmt: skip
    listed = NuisanceView(
        id=uuid(8), phone="138****0001", call_id=uuid(70), reason="反复拨打骚扰", status="listed",
        proposed_by="staff:1",
        proposed_at=NOW, valid_until=date(2026, 12, 24),
    )  # fmt: skip
    guest = CaregiverBehindView(id=uuid(9), name="李**", provider_id=uuid(31), provider_name="银龄居家养老")
    return screen(behind=three, caregivers=[guest], elsewhere=2, nuisance=listed)


QUOTE = QuoteView(
    price_fen=5400, minutes=90, copay_fen=1400, quota_after=0,
    warnings=["本月政府购买服务额度不足，差额由家庭承担"],
    payers=[QuotePayerView(payer="government", scheme="gov_special", amount_fen=4000, reason="quota nearly used up"),
            QuotePayerView(payer="family", amount_fen=1400, reason="rest of the price")],
)  # fmt: skip
ALIKE = [
    DuplicateView(what="order", id=uuid(1), number="GD20260000001", kind="service", item_code="clean_home",
                  status="assigned", created_at=NOW, reasons=["same_item", "same_day"]),
    DuplicateView(what="request", id=uuid(2), kind="service", item_code="clean_home", status="new", created_at=NOW,
                  reasons=["same_item"]),
]  # fmt: skip


def _parts(*points: float) -> list[dict[str, Any]]:
    names = ("travel", "continuity", "slack", "fairness", "rating", "preference")
    return [{"name": name, "points": one, "weight": 20, "value": 3} for name, one in zip(names, points, strict=False)]


def asked(count: int = 3) -> dict[str, Any]:
    """What dispatch says of who could come."""
    people = [
        {"caregiver_id": uuid(41 + n), "caregiver": name, "provider_id": uuid(31), "provider": FIRM,
         "score": 82.4 - 9 * n, "travel_minutes": 12 + 7 * n, "travel_source": "estimate",
         "parts": _parts(88, 100 - 30 * n, 40, 55, 92, 100)}
        for n, name in enumerate((RARE, "李秀英", "𠮷田红"))
    ]  # fmt: skip
    return {
        "starts_at": at(70), "candidates": people[:count],
        "funnel": [{"rule": "in_area", "label": "服务区域内", "refused": 0, "remaining": 31},
                   {"rule": "certificate", "label": "持证", "refused": 19, "remaining": 12},
                   {"rule": "free", "label": "有空", "refused": 12 - count, "remaining": count}],
        "relaxations": [{"relax": "later", "label": "晚两小时", "starts_at": at(190), "candidates": 4}],
    }  # fmt: skip


MAP = [{"name": "1 买买提", "x": 900, "y": 400}, {"name": "2 李秀英", "x": -2300, "y": 700},
       {"name": "3 𠮷田红", "x": 400, "y": -3100}]  # fmt: skip
ARTICLES = [
    SimpleNamespace(
        id=uuid(60),
        title="高龄津贴怎么申请",
        answer="由户籍所在社区（村）受理，带身份证和户口簿。",
        source="示例条目，非正式政策",
    )
]


WHERE = {"620302001001": "桂林路街道 龙集里社区"}


def _option(value: str, name: str, group: str) -> dict[str, Any]:
    return {"value": value, "name": name, "sound": sound(name), "group": group}


def whole(**more: Any) -> dict[str, Any]:
    """What the desk's page is filled in with."""
    return {
        "items": [_option("clean_home", "居家保洁", "生活照料"), _option("bath_home", "上门助浴", "生活照料")],
        "places": [_option("620302001001", "龙集里社区", "桂林路街道"), _option("620302101", "西湾村", "宁远堡镇"),
                   _option("620302102", "西湾村", "双湾镇")],
        "own": None, "windows": forms.windows(NOW), "filled": BLANK, "screen": None, "person": None, "found": None,
        "query": "", "placed": None, "quote": None, "more": False, "where": WHERE,
    } | more  # fmt: skip


def _desk(**more: Any) -> Story:
    return Story("console/desk.html", whole(**more), OPERATOR, path="/console")


def part(template: str, **values: Any) -> Story:
    """A part of a page, on a page of its own."""
    return Story("console/story.html", {"part": f"console/{template}", **values}, OPERATOR, path="/console")


def stories() -> dict[str, Story]:
    own = OperatorView(staff_id=uuid(1), name="王静", extension="8001", state="ready", since=NOW)
    filled = BLANK | {"elder_id": uuid(900), "call_id": uuid(70), "item_code": "clean_home", "minutes": 90}
    taken = SimpleNamespace(id=uuid(50), kind="consultation", answer="已答复", missing=[], order_id=None)
    lacking = SimpleNamespace(id=uuid(51), kind="emergency", answer=None, missing=["elder", "address"], order_id=None)
    plain = RevealedView(
        name="𠮷田" + RARE,
        phones=["+8613800000001"],
        address="龙集里小区 3 号楼 2 单元 401",
        health_note="听力差",
        id_number="62030219400101001X",
    )
    return {
        "desk": _desk(),
        "desk-known-caller": _desk(own=own, screen=screen(), person=person(), filled=filled, quote=QUOTE),
        "desk-several-behind": _desk(own=own, screen=strangers()),
        "desk-unknown-caller": _desk(own=own, screen=screen(behind=[], calls_before=[], call=call(caller=None))),
        "desk-several-behind-found": _desk(own=own, screen=strangers(), found=[elder(), elder(910)], query="zdm"),
        "desk-found": _desk(found=[elder(), elder(901, name="曾**", sex="male", age=None, phones=[])], query="zdm",
                             more=True),
        "desk-found-nobody": _desk(found=[], query="zzz"),
        "desk-placed": _desk(person=person(last_orders=[], open_orders=[order(1)]),
                             filled=BLANK | {"elder_id": uuid(900)}, placed={"order": None, "taken": taken}),
        "desk-consultation": _desk(filled=BLANK | {"kind": "consultation"}),
        "call-over": part("_call_line.html", call=call(state=CallState.OVER, outcome=Outcome.ABANDONED)),
        "person-new": part("_person.html", person=person(elder=elder(tags=[], dialect=None, address_on_file=False),
                                 open_orders=[], last_orders=[]), call_id=None, warnings=("possible_duplicate",),
                           where=WHERE),
        "quote": part("_quote.html", quote=QUOTE, refused=None, alike=ALIKE),
        "quote-refused": part("_quote.html", quote=None, refused="price_not_set", alike=[]),
        "placed": part("_placed.html", placed={"order": order(1, "dispatched"), "taken": None}),
        "placed-taken-back": part("_placed.html", placed={"order": order(1, "cancelled"), "taken": None}),
        "taken-lacking": part("_placed.html", placed={"order": None, "taken": lacking}),
        "articles": part("_articles.html", articles=ARTICLES),
        "articles-none": part("_articles.html", articles=[]),
        "candidates": part("_candidates.html", asked=asked(), map=MAP),
        "candidates-nobody": part("_candidates.html", asked=asked(0), map=[]),
        "revealed": Story("console/revealed.html", {"plain": plain, "elder_id": uuid(900)}, OPERATOR, path="/console"),
    }  # fmt: skip
