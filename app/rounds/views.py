"""Plans and repairs as the desk reads them: instants instead of seconds, names beside ids, reasons in words."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.db import Tx
from app.rounds import making, queries_day, succession
from app.rounds.facts import FIXED, order_of

REASONS = {
    "no_skill": "没有人可以去：证书、企业范围、性别要求或避免见面",
    "no_window_in_any_shift": "可以去的人在这段时间都不上班或来不及",
    "no_room": "可以去的人这段时间都排满了",
    succession.WINDOW_OVER: "约定的时间已过",
    making.WINDOW_EMPTY: "约定的时段比服务时长还短",
    making.NO_PAIR: "没有一家企业能同时派出两个人",
}
FAILURES = {
    "nothing_to_plan": "这一天没有可以排的工单",
    "unsolvable": "这一天的数据有误，无法排班",
    "nonsense": "算出来的排班不符合规则，已作废",
    "died": "排班计算中途退出",
    "out_of_memory": "排班计算内存不足",
    "out_of_time": "排班计算超时",
}


def head(row: Any) -> dict[str, Any]:
    """A plan without its rounds."""
    found = dict(row)
    found["steps"] = [{"solver": name, "cpu_s": spent, "cost": cost} for name, spent, cost in row["steps"] or ()]
    found["violations"] = row["violations"] or []
    found["failure_label"] = FAILURES.get(row["failure"], row["failure"])
    return found


async def whole(tx: Tx, row: Any) -> dict[str, Any]:
    """A plan with its rounds, and the orders nobody comes for."""
    plan, aside = row["plan"] or {"rounds": [], "unserved": []}, row["aside"] or {}
    people = await queries_day.names(tx, [UUID(one[0]) for one in plan["rounds"]])
    orders = {_order(stop[0])[0] for one in plan["rounds"] for stop in one[4]} | set(aside)
    named = await queries_day.stops(tx, [UUID(name) for name in orders])
    midnight = clock.day_bounds(row["service_day"])[0]
    return head(row) | {
        "rounds": [_round(one, people, named, midnight) for one in plan["rounds"]],
        "unserved": [
            {
                "order_id": name, "order_number": _of(named, name, "number"), "reason": reason,
                "label": REASONS.get(reason, reason),
            }
            for name, reason in sorted(aside.items())
        ],
    }  # fmt: skip


def disruption(row: Any) -> dict[str, Any]:
    found = dict(row)
    found["frontier"] = [
        {key: value for key, value in one.items() if key != "plan"} for one in row["frontier"] or ()
    ]  # fmt: skip
    found["lost"] = row["lost"] or []
    found["failure_label"] = FAILURES.get(row["failure"], row["failure"])
    return found


def _round(one: list[Any], people: Any, named: Any, midnight: datetime) -> dict[str, Any]:
    caregiver, leaves, back, breaks, stops = one
    person = people.get(UUID(caregiver))

    def at(seconds: int) -> datetime:
        return midnight + timedelta(seconds=seconds)

    return {
        "caregiver_id": caregiver, "leaves_at": at(leaves), "back_at": at(back), "breaks": [at(one) for one in breaks],
        **({"caregiver": person["name"], "provider_id": person["provider_id"], "provider": person["provider"]}
           if person else {}),
        "stops": [
            {
                "order_id": _order(task)[0], "role": _order(task)[1], "fixed": task.startswith(FIXED),
                "order_number": _of(named, _order(task)[0], "number"), "item": _of(named, _order(task)[0], "item"),
                "arrives_at": at(arrives), "starts_at": at(starts), "ends_at": at(ends),
            }
            for task, arrives, starts, ends in stops
        ],
    }  # fmt: skip


def _order(task: str) -> tuple[str, str]:
    """The order and role behind a task, or behind what is booked elsewhere."""
    if task.startswith(FIXED):
        return order_of(task.removeprefix(FIXED))[0], "lead"
    return order_of(task)


def _of(named: Any, order: str, field: str) -> Any:
    row = named.get(UUID(order))
    return row[field] if row else None
