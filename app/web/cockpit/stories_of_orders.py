"""One order's evidence in its states, and the map of a day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from app.insight.day_map import DayMap
from app.insight.evidence import Evidence
from app.orders.schemas import DeadlineView, ElderView, ItemView, OrderView, PartyView, PayerView, WindowView
from app.regions import boundaries
from app.regions.service import DivisionFacts
from app.visits.schemas import PlaceView, VisitDetail, VisitEventView
from app.web.cockpit import maps
from app.web.cockpit.periods import Chosen
from app.web.stories import NOW

TODAY = date(2026, 11, 20)
ORDER, FILE = UUID(int=200), UUID(int=300)
LONG = "买买提·阿不都热西提·𠮷田居家养老综合服务中心有限责任公司"


def states() -> dict[str, tuple[str, dict[str, Any]]]:
    """By name: the template, and what it is filled with."""
    return {
        "order": ("order", {"found": _evidence(), "money": True}),
        "order-fresh": ("order", {"found": _fresh(), "money": False}),
        "map": ("map", _map(40)),
        "map-by-street": ("map", _map(900)),
        "map-empty": ("map", _map(0)),
    }


def _order(status: str) -> OrderView:
    done = status == "closed"
    return OrderView(
        id=ORDER, number="2611200000042", status=status, outcome="done" if done else None, delivery="fetched",
        item=ItemView(code="bath", name="助浴"), elder=ElderView(id=UUID(int=9), name="𠮷**", sex="female"),
        urgency="normal", channel="hotline", division="620302001001",
        window=WindowView(from_=NOW - timedelta(hours=2), to=NOW), minutes=60,
        deadlines=[
            DeadlineView(name="dispatch", due_at=NOW - timedelta(hours=4), met_at=NOW - timedelta(hours=5), late=False),
            DeadlineView(name="arrive", due_at=NOW - timedelta(hours=1), met_at=NOW - timedelta(minutes=50), late=True),
            DeadlineView(name="follow_up", due_at=NOW + timedelta(days=2), late=False),
        ],
        price_fen=12_000, copay_fen=2_400,
        payers=[PayerView(payer="government", amount_fen=9_600), PayerView(payer="family", amount_fen=2_400)],
        provider=PartyView(id=UUID(int=4), name=LONG) if done else None,
        caregiver=PartyView(id=UUID(int=5), name="阿依古丽·买买提") if done else None,
        flags=[], placed_at=NOW - timedelta(hours=6), version=7,
    )  # fmt: skip


def _event(kind: str, minutes: int, **facts: Any) -> VisitEventView:
    values: dict[str, Any] = {
        "event_id": kind, "type": kind, "caregiver_id": UUID(int=5), "occurred_at": NOW - timedelta(minutes=minutes),
        "received_at": NOW - timedelta(minutes=minutes - 1), "method": "gps", "accuracy_m": 18.4,
        "evidence": [], "back_filled": False, "result": "applied", "recorded_by": "provider:a",
    } | facts  # fmt: skip
    return VisitEventView(**values)


def _visit() -> VisitDetail:
    late = {"method": "manual", "back_filled": True, "result": "late", "reason": "back_filled",
            "note": "服务人员手机没电，已电话向老人核实", "accuracy_m": None}  # fmt: skip
    return VisitDetail(
        order_id=ORDER, order_number="2611200000042", item_code="bath", elder_id=UUID(int=9), division="620302001001",
        status="ended", begin=PlaceView(at=NOW - timedelta(minutes=50), method="gps", place="inside", distance_m=24),
        end=PlaceView(at=NOW, method="manual", place="cannot_tell"), minutes=50, manual=True, hazards=[],
        evidence=[FILE], verification="review", reasons=["manual_entry", "duration_short"], version=3,
        events=[_event("arrived", 55), _event("checked_in", 50), _event("checked_out", 0, **late)],
    )  # fmt: skip


def _evidence() -> Evidence:
    moves = [("placed", None), ("dispatched", "placed"), ("assigned", "accepted"), ("closed", "completed")]
    return Evidence(
        order=_order("closed"), division="滨河路街道昌宁里社区", visit=_visit(),
        timeline=[
            {"at": NOW - timedelta(hours=6 - n), "before": before, "after": after, "actor": "staff:1", "reason": None}
            for n, (after, before) in enumerate(moves)
        ],
        distances={"arrived": 31, "checked_in": 24},
        files=[{"id": FILE, "media_type": "image/jpeg", "size_bytes": 182_734, "sha256": bytes(32), "created_at": NOW}],
        followup={"status": "closed", "outcome": "reached", "closed_at": NOW},
        ratings=[{"score": 2, "source": "call", "at": NOW, "counts": True}],
        complaints=[{"status": "decided", "upheld": "partly", "opened_at": NOW}],
        line={
            "statement_id": UUID(int=1), "statement_number": "S202611-0003",
            "statement_status": "issued", "gross_fen": 12_000, "quality_fen": 600,
            "penalty_fen": 0, "payable_fen": 11_400, "copay_fen": 2_400, "due_fen": 9_000,
            "parts": [{"payer": "government", "payable_fen": 9_000}, {"payer": "family", "payable_fen": 2_400}],
        },
    )  # fmt: skip


def _fresh() -> Evidence:
    placed = {"at": NOW, "before": None, "after": "placed", "actor": "family:1", "reason": None}
    return Evidence(_order("placed"), "滨河路街道昌宁里社区", [placed], None, {}, [], None, [], [], None)


def _map(count: int) -> dict[str, Any]:
    statuses = ("closed", "assigned", "placed", "in_service")
    orders = [
        {
            "id": UUID(int=400 + n), "number": f"261120{n:07d}", "status": statuses[n % 4], "urgency": "normal",
            "wanted_from": NOW + timedelta(minutes=n), "division_code": "620302001001", "item": "助浴",
            "lng": 102.1 + n % 7 * 0.03, "lat": 38.5 + n % 5 * 0.02, "late": n % 4 == 1,
        }
        for n in range(count)
    ]  # fmt: skip
    streets = [("滨河路街道", 102.19, 38.52, 700, 12), ("城关镇", 101.97, 38.25, 200, 0)] if count > 300 else []
    incidents = [
        {"id": UUID(int=390), "status": "open", "first_at": NOW, "lng": 102.2, "lat": 38.51},
        {"id": UUID(int=391), "status": "closed", "first_at": NOW, "lng": None, "lat": None},
    ]
    found = DayMap(TODAY, boundaries.within(["620300"]), orders, streets, incidents if count else [], count > 300)
    return {
        "found": found, "drawn": maps.drawn(found, ""), "may_see": True, "names": {"620302001": "滨河路街道"},
        "chosen": Chosen(TODAY, TODAY), "providers": [],
        "divisions": [DivisionFacts("620302", "金川区", "district", "620300", None, None, True)],
    }  # fmt: skip
