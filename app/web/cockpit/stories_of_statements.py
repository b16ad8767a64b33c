"""Settlement statements: a month of them, none, one with objections and an adjustment, one still a draft."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from app.settlement.schemas import DisputeView, LineView, StatementDetail, StatementView
from app.web.stories import NOW

LONG = "𠮷田·买买提·阿不都热西提居家和社区养老综合服务中心（金川区滨河路街道示范站）有限责任公司"
ITEMS = {"bath": "助浴", "clean_home": "居家保洁"}


def states() -> dict[str, tuple[str, dict[str, Any]]]:
    """By name: the template, and what it is filled with."""
    month = [_statement(n, status) for n, status in enumerate(("paid", "disputed", "issued", "draft"), start=1)]
    paid = {"issued_at": NOW - timedelta(days=14), "confirmed_at": NOW - timedelta(days=9), "paid_at": NOW,
            "paid_fen": 104_000, "payment_reference": "20261020-0001"}  # fmt: skip
    lines = [_line(1), _line(2, late=True, penalties=[{"name": "late_arrival"}]), _objected(3), _adjusted(4)]
    return {
        "statements": ("statements", {"month": "2026-10", "statements": month}),
        "statements-none": ("statements", {"month": "2026-11", "statements": []}),
        "statement": ("statement", {"statement": _detail("paid", lines, **paid), "items": ITEMS}),
        "statement-draft": ("statement", {"statement": _detail("draft", [], next_cursor="x"), "items": ITEMS}),
    }


def _fields(number: int, status: str) -> dict[str, Any]:
    return {
        "id": UUID(int=number), "number": f"S202610-{number:04d}", "provider_id": UUID(int=number),
        "provider_name": LONG if number == 1 else "金川暖邻家政", "period": "2026-10", "division_code": "620300",
        "status": status, "version": 1, "lines": 412, "gross_fen": 4_944_000, "quality_fen": 24_700,
        "penalty_fen": 6_000, "adjustment_fen": -1_200, "payable_fen": 4_912_100, "copay_fen": 988_800,
        "holdback_fen": 196_000, "due_fen": 3_727_300, "held_fen": 9_600 if status == "disputed" else 0,
        "content_hash": "9f" * 32, "next_acts": [],
    }  # fmt: skip


def _statement(number: int, status: str) -> StatementView:
    return StatementView(**_fields(number, status))


def _detail(status: str, items: list[LineView], **more: Any) -> StatementDetail:
    return StatementDetail(**_fields(1, status) | {"items": items} | more)


def _line(position: int, *, late: bool = False, penalties: list[dict[str, str]] | None = None, **more: Any) -> LineView:
    usual: dict[str, Any] = {
        "id": UUID(int=position), "position": position, "kind": "service", "order_id": UUID(int=200 + position),
        "service_period": "2026-10", "late": late, "gross_fen": 12_000, "coefficient_bp": 9_000, "quality_fen": 1_200,
        "penalty_fen": 600 if penalties else 0, "payable_fen": 10_800, "copay_fen": 2_400, "holdback_fen": 420,
        "due_fen": 7_980,
        "inputs": {"number": f"GD202610{position:07d}", "service_day": "2026-10-09", "item_code": "bath",
                   "billable_minutes": 60, "rating": None if late else 4, "penalties": penalties or []},
        "parts": [{"payer": "government", "payable_fen": 8_400}, {"payer": "family", "payable_fen": 2_400}],
    }  # fmt: skip
    return LineView(**usual | more)


def _objected(position: int) -> LineView:
    raised = DisputeView(
        id=UUID(int=9), reason="实际服务 90 分钟，签退时手机没有信号", evidence=[], decision="upheld",
        decision_note="与定位记录相符",
    )  # fmt: skip
    return _line(position, dispute=raised)


def _adjusted(position: int) -> LineView:
    reason = {"reason": "回访核实上月服务未达标准"}
    parts = [{"payer": "government", "payable_fen": -1_200}]
    return _line(
        position, kind="adjustment", order_id=None, service_period="2026-09", gross_fen=0, quality_fen=0,
        payable_fen=-1_200, copay_fen=0, due_fen=-1_200, inputs=reason, parts=parts,
    )  # fmt: skip
