"""The states of the caregiver's pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from app.core.http import Caller
from app.orders.lifecycle import NOT_DONE_BECAUSE
from app.orders.schemas import ElderView, ItemView, WindowView
from app.settlement.caregivers import Earnings, WorkedMonth
from app.visits.caregivers import FAILURES, STEPS
from app.visits.schemas_caregiver import OwnVisit, OwnVisits
from app.web.stories import NOW, Story

ME = UUID("00000000-0000-7000-8000-0000000000c1")
WANG = Caller(kind="caregiver", id=str(ME), name="王秀兰")
LONG = "𠮷田·买买提·阿不都热西提·古丽娜尔"
ELSEWHERE = [{"id": UUID(int=77), "provider": "金昌市永昌县河西堡镇幸福晚年居家养老服务有限责任公司"}]
REACHED = {"expected": 0, "en_route": 1, "arrived": 2, "in_service": 3, "ended": 4, "failed": 4}


def stories() -> dict[str, Story]:
    return {
        "sign-in": Story("caregiver/sign_in.html", {"phone": "", "sent": False, "refused": False}),
        "sign-in-code-sent": Story(
            "caregiver/sign_in.html", {"phone": "138 0000 0000", "sent": True, "refused": False}
        ),
        "sign-in-refused": Story("caregiver/sign_in.html", {"phone": "138 0000 0000", "sent": False, "refused": True}),
        "shell": Story(
            "caregiver/today.html", {"day": None, "state": {"fixed": True, "model": {"problem": "offline"}}}
        ),
        "today-empty": _today([]),
        "today-list-without-scripts": Story(
            "caregiver/today.html", {"day": _day(_three()), "state": {"fixed": True}}, WANG
        ),
        "today-three": _today(_three()),
        "today-checked-in": _today([_visit(1, "李桂芳", "in_service", hour=1), *_three()[1:]]),
        "today-everything-open": _today([_visit(1, "李桂芳", "in_service", hour=1), _three()[2]], open=True),
        "today-offline-pending": _today(_three(), offline=True, events=_waiting(12), synced_at=-95),
        "today-refused": _today(_three(), events=_refused()),
        "today-without-a-key": _today(_three(), problem="no_key"),
        "today-synced-yesterday": _today(_three(), synced_at=-900),
        "today-signed-out": _today(_three(), events=_waiting(1), problem="signed_out"),
        "today-done": _today([_visit(1, "李桂芳", "ended", hour=0), _visit(2, "张建国", "failed", hour=1)]),
        "today-added-afterwards": _today([_shown(), *_three()[1:]], chosen=1001, open=True),
        "today-second": _today([_second()], open=True),
        "today-long-names": _today([_long(), *_three()[1:]]),
        "earnings": Story("caregiver/earnings.html", {"earned": _earned(), "elsewhere": ELSEWHERE}, WANG),
        "earnings-none": Story(
            "caregiver/earnings.html",
            {"earned": Earnings(months=[], score=None, ratings=0, completed=0), "elsewhere": []},
            WANG,
        ),
    }


def _today(
    visits: list[OwnVisit],
    *,
    offline: bool = False,
    events: list[dict[str, Any]] | None = None,
    synced_at: int = -2,
    problem: str | None = None,
    open: bool = False,
    chosen: int | None = None,
) -> Story:
    day = _day(visits)
    model = {
        "day": day.model_dump(mode="json"),
        "events": events or [],
        "synced_at": int((NOW + timedelta(minutes=synced_at)).timestamp() * 1000),
        "problem": "offline" if offline else problem,
        "able": problem != "no_key",
        "chosen": str(UUID(int=chosen)) if chosen else None,
    }
    state = {"fixed": True, "offline": offline, "open": open, "now": NOW.isoformat(), "model": model}
    return Story("caregiver/today.html", {"day": day, "state": state}, WANG, path="/caregiver")


def _day(visits: list[OwnVisit]) -> OwnVisits:
    failures = {code: NOT_DONE_BECAUSE[code] for code in FAILURES}
    return OwnVisits(now=NOW, caregiver_id=ME, caregiver="王秀兰", last_seq=3, visits=visits, failures=failures)


def _three() -> list[OwnVisit]:
    return [
        _visit(1, "李桂芳", "expected", hour=1, notes="听力不好，请大声说；门前台阶结冰。"),
        _visit(2, "张建国", "expected", hour=4, item="上门做饭"),
        _visit(3, "赵玉梅", "expected", hour=6, item="身体清洁", points=["洗头", "洗脸", "口腔清洁"]),
        _visit(4, "孙福生", "expected", hour=25, item="陪诊"),
    ]


def _visit(
    number: int,
    name: str,
    status: str,
    *,
    hour: int,
    item: str = "居家保洁",
    notes: str | None = None,
    points: list[str] | None = None,
    address: str = "金川区北京路街道龙首社区 12 栋 3 单元 502",
) -> OwnVisit:
    starts = NOW + timedelta(hours=hour)
    over = status in ("ended", "failed")
    elder = ElderView(
        id=UUID(int=number), name=name, sex="female", address=None if over else address,
        phone=None if over else "+8610012345678", lng=None if over else 102.19, lat=None if over else 38.52,
        crs=None if over else "wgs84", care_notes=notes,
    )  # fmt: skip
    return OwnVisit(
        order_id=UUID(int=1000 + number), number=f"20261120-{number:07d}", status="assigned", visit_status=status,
        starts_at=starts, window=WindowView(from_=starts), minutes=90, min_minutes=60,
        item=ItemView(code="clean_home", name=item), points=points or ["居室清洁和整理"], urgency="normal",
        elder=elder, lead=True, flags=[], next=list(STEPS[REACHED[status] :]),
    )  # fmt: skip


def _shown() -> OwnVisit:
    """Over, with two photos and no signature."""
    return _visit(1, "李桂芳", "ended", hour=-2).model_copy(update={"photos": 2, "signed": "skipped"})


def _second() -> OwnVisit:
    """Under way, with somebody else in the lead."""
    return _visit(1, "李桂芳", "in_service", hour=-1).model_copy(update={"lead": False, "next": [], "photos": 1})


def _long() -> OwnVisit:
    return _visit(
        9, LONG, "arrived", hour=0, item="上门助浴（含如厕协助与皮肤观察、体温血压测量）",
        notes="青霉素过敏；右腿假肢，起身需两人搀扶；家中有犬，请先电话联系女儿。" * 2,
        address="金昌市金川区宁远堡镇新安村三社新农村集中安置小区二期东区十七号楼东侧平房院落（小卖部后面第三家）",
    )  # fmt: skip


def _event(number: int, kind: str, **more: Any) -> dict[str, Any]:
    return {
        "event_id": f"e{number}", "caregiver_id": str(ME), "order_id": str(UUID(int=1001)), "type": kind,
        "device_seq": number, "occurred_at": (NOW - timedelta(minutes=40 - number)).isoformat(), **more,
    }  # fmt: skip


def _waiting(count: int) -> list[dict[str, Any]]:
    kinds = ["departed", "arrived", "checked_in"] + ["evidence_added"] * count
    return [_event(n, kind, reason_code="photo") for n, kind in enumerate(kinds[:count])]


def _refused() -> list[dict[str, Any]]:
    return [
        _event(1, "departed", sent=True, result="rejected", why="order_unknown"),
        _event(2, "checked_in", sent=True, result="needs_review", why="caregiver_does_not_hold_the_order"),
    ]


def _earned() -> Earnings:
    return Earnings(
        months=[
            WorkedMonth(
                period="2026-11", visits=38, minutes=3420, verified=36, in_review=2, price_fen=228_000, settled=0,
                settled_fen=0, ratings=[5, 4, 5, 5, 3],
            ),
            WorkedMonth(
                period="2026-10", visits=61, minutes=5490, verified=61, in_review=0, price_fen=366_000, settled=61,
                settled_fen=359_400, ratings=[5] * 12,
            ),
        ],
        score=4.62, ratings=37, completed=214,
    )  # fmt: skip
