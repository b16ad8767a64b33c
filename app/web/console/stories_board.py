"""The board's states: nothing, everything, thousands, and names that are long and rare."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.accounts.saved_views import View
from app.orders import board
from app.regions.divisions import prefix_of
from app.web.console.board_filter import STATUSES, URGENCIES, Filter
from app.web.console.router_board import shown
from app.web.stories import NOW, OPERATOR, Story

NAMES = {"620302001001": "滨河路街道广州路社区", "620321102005": "水源镇西沟村"}
_ITEMS = ("助洁", "助浴（上门，含一次性用品）", "助餐", "陪同就医")
_PROVIDERS = ("金昌市康乐养老服务有限公司", "永昌县夕阳红居家养老服务中心", None)


def stories() -> dict[str, Story]:
    few = [_line(number) for number in range(40)]
    long = _line(3) | {
        "item": "上门助浴与居家安全评估及适老化改造咨询服务（每次一百二十分钟，两名护理员）",
        "elder": "𠮷**", "provider": "甘肃省金昌市金川区暖夕阳社区居家养老服务与健康管理合作社（普通合伙）",
        "caregivers": ["买买提·阿不都热西提·吾买尔江", "欧阳𠮷田"], "urgency": "emergency",
        "flags": ["suspended", "complaint", "exception:lost"],
    }  # fmt: skip
    return {
        "board": _board(few),
        "board-empty": _board([]),
        "board-loading": _board(few, loading=True),
        "board-nothing-fits": _board(few, Filter(q="没有的", late=True)),
        "board-5000": _board([_line(number) for number in range(5000)]),
        "board-long-names": _board([long]),
    }


def _board(lines: list[dict[str, Any]], chosen: Filter | None = None, *, loading: bool = False) -> Story:
    chosen = chosen or Filter()
    packed: list[board.Line] = [[line[name] for name in board.FIELDS] for line in lines]
    late = Filter(late=True).query()
    views = [View(UUID(int=1), "超时单", late), View(UUID(int=2), "夜班交接前要逐个打电话核实的永昌县农村工单", "")]
    values = {
        "chosen": chosen, "lines": [shown(line) for line in packed[:50]], "more": len(packed) > 50, "names": NAMES,
        "places": [(code, name, prefix_of(code)) for code, name in NAMES.items()],
        "providers": [(str(UUID(int=9)), "金昌市康乐养老服务有限公司")], "statuses": STATUSES, "urgencies": URGENCIES,
        "views": views,
        "told": None if loading else {"now": _now(), "fields": board.FIELDS, "names": NAMES, "lines": packed},
    }  # fmt: skip
    return Story("console/board.html", values, OPERATOR, path="/console/board")


def _now() -> int:
    return int(NOW.timestamp())


def _line(number: int) -> dict[str, Any]:
    status = STATUSES[number % len(STATUSES)]
    provider = None if status == "placed" else _PROVIDERS[number % 2]
    return {
        "id": str(UUID(int=number + 100)), "number": f"261120{number:07d}", "status": status,
        "urgency": "urgent" if number % 9 == 0 else "normal", "delivery": "sent" if status == "dispatched" else "none",
        "division": list(NAMES)[number % 2], "item": _ITEMS[number % 4], "elder": ("王**", "李**", "张**")[number % 3],
        "from": _now() + 3600 * (number % 30), "to": _now() + 3600 * (number % 30) + 7200,
        "provider_id": str(UUID(int=9)) if provider else None, "provider": provider,
        "caregivers": ["刘桂花"] if status in {"assigned", "in_service", "completed"} else [],
        "flags": ["suspended"] if number % 17 == 0 else [], "version": 3, "due": "accept",
        "due_at": None if number % 11 == 0 else _now() + 120 * (number % 60 - 9),
        "dispatched_at": _now() - 840 if status == "dispatched" else None,
    }  # fmt: skip
