"""The states of the pages of relatives who have signed in."""

from __future__ import annotations

from base64 import b64encode
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from app.core import phones
from app.core.http import Caller
from app.elders.card_print import card_svg
from app.elders.schemas_consents import PurposeView
from app.intake.families import BoundElder
from app.intake.schemas import Window
from app.intake.schemas_views import QuotePayerView, QuoteView
from app.messaging.service import Told
from app.selfpay.family_page import FamilyOrderView
from app.web.family.booking_pages import PARTS, WishForm
from app.web.family.timeline import steps
from app.web.stories import NOW, Story

RARE = "𠮷田·买买提·阿不都热西提"
DAUGHTER = Caller(kind="family", id="example", name="家属")
MOTHER = BoundElder(UUID(int=1), "曾桂兰", "620302001001", "曾丽", "child", UUID(int=9))
WARD = BoundElder(UUID(int=2), RARE, "620302001001", "曾丽", "guardian", UUID(int=8))
PATHS = {"home": "/family", "messages": "/family/messages"}
NAMES = {"bath_home": "上门助浴"}
FILE = f"//example.invalid/family/calendar/{'A' * 43}.ics"
TOLD = "【12349】您家老人预约的上门助浴已安排：金川区暖阳居家养老服务中心王师傅，11月20日14:00上门。查看进度：（链接）"


def stories(order: Any) -> dict[str, Story]:
    """`order` makes one order as its family sees it."""
    pages = _orders(order)
    coming, past = list(pages)[:2], list(pages)[2:]
    asked = [
        {"item_code": "bath_home", "created_at": NOW - timedelta(minutes=8)},
        {"item_code": None, "created_at": NOW - timedelta(days=2)},
    ]
    told = [_told(1, TOLD), _told(2, None)]
    elder = {"elder": MOTHER, "names": NAMES, "pages": pages, "upcoming": coming, "past": past, "asked": asked}
    bare = {"elder": WARD, "upcoming": [], "past": [], "asked": []}
    home = {"bound": [MOTHER, WARD], "upcoming": {MOTHER.id: coming}, "past": {MOTHER.id: past}, "pages": pages}
    nobody: dict[str, Any] = {"bound": [], "upcoming": {}, "past": {}, "pages": {}}
    rated = order(
        "left", status_words="服务已结束", may_rate=True, paid_fen=1400, due_fen=0, result_words="服务已完成，共89分钟",
        wanted_from=NOW - timedelta(minutes=100), wanted_to=NOW - timedelta(minutes=10), photos=3,
        departed_at=NOW - timedelta(minutes=130), arrived_at=NOW - timedelta(minutes=103),
        left_at=NOW - timedelta(minutes=11),
    )  # fmt: skip
    waiting = order("waiting", status_words="已受理，正在安排服务企业", who=None)
    phone = "13800000000"
    return {
        "sign-in": Story("family/sign_in.html", {"next": None, "phone": "", "wrong": False}),
        "sign-in-wrong-phone": Story("family/sign_in.html", {"next": "/family", "phone": "12", "wrong": True}),
        "code": Story("family/code.html", {"next": None, "phone": phone, "wrong": False}),
        "code-wrong": Story("family/code.html", {"next": None, "phone": phone, "wrong": True}),
        "home": _story("home", **home, told=told, asked=asked, names=NAMES),
        "home-nobody": _story("home", **nobody, told=[], asked=[], names=NAMES),
        "elder": _story("elder", **elder, calendar_until=NOW + timedelta(days=300), has_card=True),
        "elder-empty": _story("elder", **(elder | bare), calendar_until=None, has_card=False),
        "own-order": _own_order(rated, _looks()),
        "own-order-unseen": _own_order(waiting, []),
        "request": _wish(WishForm(), None),
        "request-refused": _wish(WishForm(day=date(2026, 11, 19), note="少盐"), "window_over"),
        "quote": _quote(_price(), "上门助浴"),
        "quote-unnamed": _quote(None, None),
        "consents": _story("consents", elder=MOTHER, purposes=_purposes(), guardian=False),
        "consents-guardian": _story("consents", elder=WARD, purposes=_purposes(), guardian=True),
        "calendar": _story(
            "calendar", elder=MOTHER, address=f"https:{FILE}", webcal=f"webcal:{FILE}", until=NOW + timedelta(days=366)
        ),
        "messages": _story("messages", told=told, of_order={UUID(int=11): MOTHER.id}),
        "messages-none": _story("messages", told=[], of_order={}),
        "card": _story("card", elder=WARD, number="12345678", picture=_picture()),
    }  # fmt: skip


def _orders(order: Any) -> dict[UUID, FamilyOrderView]:
    made = [
        order("arranged", status_words="已安排服务人员，等待上门"),
        order(
            "on_the_way",
            status_words="服务人员已出发",
            wanted_from=NOW + timedelta(minutes=15),
            item="失能老人上门助浴（两人协作，含防压疮皮肤护理）",
        ),
        order("left", status_words="服务已结束", may_rate=True, wanted_from=NOW - timedelta(days=1)),
        order("not_done", status_words="服务未能完成，中心会与您联系", item=None, wanted_from=NOW - timedelta(days=5)),
    ]
    return {UUID(int=11 + i): one for i, one in enumerate(made)}


def _picture() -> str:
    svg = card_svg(RARE, "12345678", phones.hotline(), "https://example.invalid/c/example")
    return "data:image/svg+xml;base64," + b64encode(svg.encode()).decode()


def _story(name: str, **values: Any) -> Story:
    return Story(f"family/{name}.html", values, DAUGHTER, path=PATHS.get(name, f"/family/elders/{MOTHER.id}/{name}"))


def _own_order(order: FamilyOrderView, looks: list[dict[str, Any]]) -> Story:
    return _story("own_order", elder=MOTHER, order=order, order_id=UUID(int=11), steps=steps(order), looks=looks)


def _looks() -> list[dict[str, Any]]:
    seen = [("wechat", 3, f"family:{MOTHER.member_id}"), ("phone", 1, "family:another"), ("computer", 1, "staff:x")]
    return [
        {"opened_at": NOW - timedelta(hours=i), "times": times, "device": device, "held_by": held_by}
        for i, (device, times, held_by) in enumerate(seen)
    ]


def _wish(form: WishForm, wrong: str | None) -> Story:
    today = date(2026, 11, 20)
    items = [{"code": code, "name": name} for code, name in NAMES.items()]
    return _story(
        "request", elder=MOTHER, items=items, form=form, wrong=wrong, first=today, last=today + timedelta(days=60),
        parts=PARTS,
    )  # fmt: skip


def _price() -> QuoteView:
    payers = [
        QuotePayerView(payer="government", scheme="gov", amount_fen=9600, reason="share"),
        QuotePayerView(payer="family", amount_fen=2400, reason="rest"),
    ]
    return QuoteView(
        price_fen=12000,
        minutes=90,
        payers=payers,
        copay_fen=2400,
        warnings=["本月政府购买服务额度不足，差额由家庭承担"],
    )


def _quote(quote: QuoteView | None, item: str | None) -> Story:
    window = Window(**{"from": NOW + timedelta(hours=22), "to": NOW + timedelta(hours=26)})
    form = WishForm(item_code="bath_home" if item else None, day=date(2026, 11, 21), note="周末最好")
    return _story("quote", elder=MOTHER, form=form, window=window, quote=quote, item=item)


def _purposes() -> list[PurposeView]:
    said = [
        ("家属可查看我的服务订单的全部内容", "approval"),
        ("家属可查看费用", "consent"),
        ("安排和完成服务时短信告知家属", None),
    ]
    return [
        PurposeView(purpose=str(i), words=words, granted_to="family", stands=because is not None, because=because)
        for i, (words, because) in enumerate(said)
    ]


def _told(number: int, words: str | None) -> Told:
    return Told(UUID(int=number), UUID(int=11), "sms", "delivered", NOW - timedelta(hours=number), words)
