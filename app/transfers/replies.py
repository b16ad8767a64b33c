"""What could be replied to the other side, out of what became of the request here. Pure. A person sends it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.orders.lifecycle import NOT_DONE_BECAUSE


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How a care request went. `answer` and `reason` in plain text; `ended` in Shanghai; no names of anybody."""

    request: str
    answer: str | None = None
    reason: str | None = None
    order: str | None = None
    outcome: str | None = None
    outcome_reason: str | None = None
    item: str | None = None
    ended: datetime | None = None


def proposed(course: Course) -> str | None:
    """A reply, or None while there is nothing to tell."""
    if course.request == "answered":
        return course.answer
    if course.request == "rejected":
        return f"经核实未予受理：{course.reason}"
    if course.request == "merged":
        return "该诉求与在办诉求重复，已并案办理。"
    if course.order == "cancelled":
        return f"已受理{course.item}，后经联系取消，未上门服务。"
    if course.order in {"completed", "closed"}:
        return _of_visit(course)
    return None


def _of_visit(course: Course) -> str:
    on = f"，{course.ended.month}月{course.ended.day}日" if course.ended is not None else "，"
    if course.outcome == "done":
        return f"已安排{course.item}{on}服务完成。"
    why = NOT_DONE_BECAUSE.get(course.outcome_reason or "", "其他原因")
    result = "部分完成" if course.outcome == "partly" else "未能完成"
    return f"已安排{course.item}{on}服务{result}：{why}。"
