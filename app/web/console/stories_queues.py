"""The states of the queues, and of the small pages that settle what is in them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from app.calls.schemas import CallbackView, Unheard
from app.elders.facts import Door
from app.followup.schemas import AttemptView, ComplaintView, FollowupDetail
from app.hotline.schemas import DialView
from app.intake.requests import Status
from app.intake.schemas_views import DuplicateView, PersonView, RequesterView, TakenView
from app.web.console.queues import MOST, QUEUES, Waiting
from app.web.console.router_queues import FIRST
from app.web.stories import NOW, OPERATOR, Story

HOUR = timedelta(hours=1)
ID = UUID(int=1)
LONG_NAME = "阿不都热依木江**"
LONG_PROVIDER = "甘肃省金昌市金川区暖夕阳社区居家养老服务与健康管理合作社（普通合伙）"
BATH = "bath_home"
WORDS = "约好九点，十点半才到，卫生间没有打扫就走了，打电话一直没有人接。希望换一个人，最好还是上次的刘阿姨。"

TOLD: dict[str, Any] = {"attempts": 1, "late": False, "due_at": NOW + HOUR, "closed_at": NOW, "told": True}
CALLED: dict[str, Any] = {
    "status": "done", "result": "reached", "late": False, "done_at": NOW, "due_at": NOW + HOUR,
    "note": "想订午餐，已登记",
}  # fmt: skip
UNHEARD = Unheard(source="freeswitch", instance="default", since=NOW - 9 * HOUR, until=NOW - HOUR)
REPLIED: dict[str, Any] = {
    "reply": "已向老人致歉，正在向企业核实。",
    "replied_at": NOW,
    "reply_due_at": NOW + HOUR,
    "reply_late": False,
}
DECIDED = REPLIED | {
    "upheld": "partly", "measures": "企业已道歉，改派刘阿姨重新打扫。", "decided_at": NOW, "rework_order_id": ID,
}  # fmt: skip


def stories() -> dict[str, Story]:
    full = {name: [_waiting(name, n) for n in range(n)] for n, name in zip((9, 1, 3, 200, 2, 0), QUEUES, strict=True)}
    late = sum(one.late for lines in full.values() for one in lines)
    door = Door("滨河路 12 号", "+8613900001234", None, None, None)
    return {
        "dial": _page("dial", dial=dial("taken")),
        "dial-failed": _page("dial", dial=dial("failed")),
        "queues": _page("queues", waiting=full, first=FIRST, most=MOST, late=late),
        "queues-empty": _page("queues", waiting={name: [] for name in QUEUES}, first=FIRST, most=MOST, late=0),
        "queue": _page("queue", name="followups", lines=full["followups"][:30], most=MOST),
        "queue-empty": _page("queue", name="transfers", lines=[], most=MOST),
        "followup": _page("queue_followup", followup=_followup(), door=None),
        "followup-tried": _page("queue_followup", followup=_followup(attempts=2), door=door),
        "followup-own": _page("queue_followup", followup=_followup(own=True), door=None),
        "followup-closed": _page("queue_followup", followup=_followup(status="closed", **TOLD), door=None),
        "callback": _page("queue_callback", task=_task(), plain=False),
        "callback-withheld": _page("queue_callback", task=_task(phone=None, reason="after_hours"), plain=False),
        "callback-message": _page("queue_callback", task=_task(phone="+8613900001234", words=WORDS), plain=True),
        "callback-urgent": _page("queue_callback", task=_task(words=WORDS, urgent=True), plain=False),
        "callback-unheard": _page("queue_callback", task=_task(phone=None, unheard=UNHEARD), plain=False),
        "callback-done": _page("queue_callback", task=_task(**CALLED), plain=False),
        "complaint": _page("queue_complaint", complaint=_complaint(), decides=True),
        "complaint-replied": _page("queue_complaint", complaint=_complaint(status="replied", **REPLIED), decides=False),
        "complaint-decided": _page("queue_complaint", complaint=_complaint(status="decided", **DECIDED), decides=True),
        "request": _request([Status.CONFIRMED, Status.ANSWERED, Status.REJECTED]),
        "request-complete": _request([Status.CONFIRMED], elder=PersonView(id=ID, name=LONG_NAME), item_code=BATH),
        "request-closed": _request([], status=Status.ANSWERED, answer="带身份证和户口簿到社区办理。"),
        "transfer": _transfer("received", ["accepted", "returned"]),
        "transfer-accepted": _transfer("accepted", ["replied", "returned"], proposed="已安排上门助洁，老人表示满意。"),
        "transfer-out": _transfer("sent", ["acknowledged", "answered", "returned"], direction="out", their_number=None),
        "transfer-done": _transfer("replied", [], reply=WORDS),
    }  # fmt: skip


def dial(status: Literal["taken", "started", "failed"]) -> DialView:
    return DialView(id=ID, extension="8001", about="elder", about_id=ID, status=status, requested_at=NOW)


def _page(template: str, /, **values: Any) -> Story:
    return Story(f"console/{template}.html", values, OPERATOR, path="/console/queues")


def _waiting(queue: str, number: int) -> Waiting:
    kinds = {
        "requests": "service", "orders": "placed", "callbacks": "voicemail", "followups": "followup",
        "transfers": "transfer_received",
    }  # fmt: skip
    due = NOW + HOUR * (number - 2) + timedelta(minutes=20)
    who = LONG_NAME if number == 1 else "王**"
    what = f"助洁 · {LONG_PROVIDER if number == 1 else '金昌市康乐养老'}"
    kind = kinds.get(queue, "open")
    return Waiting(UUID(int=number + 1), f"{queue}/{number}", kind, who, what, NOW - HOUR, due, due < NOW, number == 4)


def _followup(**change: Any) -> FollowupDetail:
    tried = [
        AttemptView(number=1, at=NOW - HOUR, actor=OPERATOR.actor, outcome="no_answer", quiet_hours=False, answers=[]),
        AttemptView(
            number=2, at=NOW, actor=OPERATOR.actor, outcome="no_answer", quiet_hours=False, answers=[], note=WORDS,
        ),
    ]  # fmt: skip
    reached = [
        AttemptView(number=1, at=NOW, actor=OPERATOR.actor, outcome="reached", quiet_hours=False, answers=[], score=4,
                    note="老人满意，说下次还要刘阿姨。"),
    ]  # fmt: skip
    usual: dict[str, Any] = {
        "id": ID, "order_id": ID, "order_number": "2611200000123", "item": "上门助浴", "elder_id": ID,
        "elder_name": LONG_NAME, "provider_id": ID, "provider_name": LONG_PROVIDER, "caregiver_name": "欧阳𠮷田",
        "division": "620302", "urgency": "normal", "selection": "always", "selected_because": "first_visit",
        "status": "due", "due_at": NOW - HOUR, "late": True, "next_call_at": NOW + 2 * HOUR,
        "may_call": not change.get("attempts"),
        "own": False, "attempts": 0, "max_attempts": 3, "completed_at": NOW - 24 * HOUR, "version": 1,
        "history": reached if change.pop("told", False) else tried[: change.get("attempts", 0)],
    }  # fmt: skip
    return FollowupDetail.model_validate(usual | change)


def _task(**change: Any) -> CallbackView:
    usual: dict[str, Any] = {"id": ID, "reason": "not_reached" if "words" in change else "abandoned", "status": "due"}
    usual |= {"phone": "139****1234", "due_at": NOW - HOUR, "late": True}
    usual |= {"reason": "exchange_unheard"} if "unheard" in change else {}
    return CallbackView.model_validate(usual | change)


def _complaint(**change: Any) -> ComplaintView:
    usual: dict[str, Any] = {
        "id": ID, "order_id": ID, "order_number": "2611200000123", "elder_id": ID, "elder_name": LONG_NAME,
        "provider_id": ID, "provider_name": LONG_PROVIDER, "urgency": "normal", "source": "desk", "status": "open",
        "reason_code": "late_arrival", "detail": WORDS, "reply_due_at": NOW - HOUR, "reply_late": True,
        "close_due_at": NOW + 48 * HOUR, "close_late": False, "opened_by": OPERATOR.actor, "opened_at": NOW,
        "version": 1,
    }  # fmt: skip
    return ComplaintView.model_validate(usual | change)


def _request(next_: list[Status], **change: Any) -> Story:
    usual: dict[str, Any] = {
        "id": ID, "channel": "app", "kind": "service", "status": Status.NEW, "urgency": "normal", "wanted": "asap",
        "caller": RequesterView(name="李强", phone="138****0002", relation="neighbour"), "note": WORDS, "missing": [],
        "next": next_, "taken_by": "app:1", "created_at": NOW - HOUR, "updated_at": NOW, "version": 1,
        "duplicates": [
            DuplicateView(what="order", id=ID, number="2611200000120", kind="service", status="placed",
                          created_at=NOW - HOUR, reasons=["same_item"]),
        ],
        "suggested_elders": [PersonView(id=ID, name=LONG_NAME)],
    }  # fmt: skip
    taken = TakenView.model_validate(usual | change)
    return _page("queue_request", taken=taken, items=[(BATH, "上门助浴")], is_service=True)


def _transfer(status: str, may: list[str], *, proposed: str | None = None, **change: Any) -> Story:
    usual: dict[str, Any] = {
        "id": ID, "direction": "in", "hotline": "12345", "their_number": "JC2026112400017", "status": status,
        "care_request_id": ID, "due_at": NOW - HOUR, "note": "路灯不亮", "reply": None, "reason": None, "version": 1,
    }  # fmt: skip
    return _page("queue_transfer", transfer=usual | change, proposed=proposed, may=may)
