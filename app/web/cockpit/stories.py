"""The states of the cockpit's pages: a full city, an empty one, few cases, long and rare names."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from app.insight.indicators import BY_CODE, EVERYWHERE, GROUPS, IN_A_DIVISION, OF_A_PROVIDER, Unit, figures
from app.insight.service import Group, Report
from app.regions.service import DivisionFacts
from app.web.cockpit import periods, reading, stories_of_orders, stories_of_statements
from app.web.cockpit.periods import Chosen
from app.web.stories import NOW, SUPERVISOR, Story

TODAY = date(2026, 11, 20)
LONG = "𠮷田·买买提·阿不都热西提居家和社区养老综合服务中心（金川区滨河路街道示范站）有限责任公司"
NAMES = ("金川暖邻家政", "永昌和顺养老服务", "桂林路助餐中心", LONG)
DIVISIONS = [
    DivisionFacts("620300", "金昌市", "city", None, None, None, True),
    DivisionFacts("620302", "金川区", "district", "620300", None, None, True),
    DivisionFacts("620302001", "滨河路街道", "street", "620302", None, None, True),
]
PROVIDERS = [{"id": UUID(int=n), "name": name} for n, name in enumerate(NAMES, start=1)]


def stories() -> dict[str, Story]:
    return {
        "overview": _overview(1.0),
        "overview-empty": _overview(0.0, kept=False),
        "overview-few": _overview(0.02),
        "overview-of-a-provider": _overview(0.2, Chosen(TODAY, TODAY, "620302001", UUID(int=4))),
        "definitions": _story("definitions", {"indicators": tuple(BY_CODE.values()), "groups": GROUPS}),
        "orders": _orders("arrive_on_time", rows=12),
        "orders-none": _orders("upheld", rows=0),
        "orders-not-listed": _orders("connect_rate", rows=0),
        "report": _report(1.0),
        "report-empty": _report(0.0),
        "wall": _wall(1.0, alarms=2),
        "wall-empty": _wall(0.0, alarms=0),
        "wall-few": _wall(0.02, alarms=0),
        **{
            name: _story(template, values)
            for states in (stories_of_orders.states(), stories_of_statements.states())
            for name, (template, values) in states.items()
        },
    }


def _story(name: str, values: dict[str, Any]) -> Story:
    path = {
        "overview": "/cockpit",
        "statement": "/cockpit/statements/…",
        "orders": "/cockpit/indicators/…",
        "order": "/cockpit/orders/…",
    }.get(name)
    return Story(f"cockpit/{name}.html", values | reading.TOOLS, SUPERVISOR, path=path or f"/cockpit/{name}")


def _counts(size: float, seed: int) -> dict[str, tuple[int, int]]:
    """Made-up counts of a city that is `size` of a usual one."""
    draw, made = Random(seed), {}  # noqa: S311 (pictures, not secrets)
    for step, (code, one) in enumerate(BY_CODE.items()):
        whole = int(size * draw.randint(300, 400))
        if one.unit is Unit.FEN:
            made[code] = (whole * 3600, 0)
        elif one.unit is Unit.MINUTES:
            made[code] = (whole * 290, whole)
        elif one.funnel:
            made[code] = (int(size * 420 * 0.95**step), 0)
        else:
            made[code] = (
                int(whole * draw.uniform(0.02, 0.2) if one.good == "down" else whole * draw.uniform(0.75, 1)),
                whole,
            )
    return made


def _groups(size: float, names: dict[str, str], about: Any) -> list[Group]:
    return [Group(key, name, figures(_counts(size, seed), about)) for seed, (key, name) in enumerate(names.items())]


def _made(size: float, chosen: Chosen) -> Report:
    about = EVERYWHERE if chosen.question.whole_city else OF_A_PROVIDER
    companies: dict[str, str] = {str(one["id"]): str(one["name"]) for one in PROVIDERS} | {"": ""}
    divisions = {one.code: one.name for one in DIVISIONS[1:]} | {"": ""}
    return Report(
        chosen.question,
        figures(_counts(size, 7), about),
        {
            "provider": _groups(size / 4, companies, OF_A_PROVIDER) if size else [],
            "division": _groups(size / 2, divisions, IN_A_DIVISION) if size else [],
        },
    )


def _days(size: float) -> list[Group]:
    days = [TODAY - timedelta(days=13 - n) for n in range(14)]
    return [Group(f"{day}", f"{day}", figures(_counts(size / 10, day.day), EVERYWHERE)) for day in days]


def _overview(size: float, chosen: Chosen | None = None, *, kept: bool = True) -> Story:
    where = chosen or Chosen(TODAY - timedelta(days=6), TODAY)
    values = {
        "report": _made(size, where), "days": _days(size), "chosen": where, "quick": periods.quick(TODAY),
        "kept_days": _kept() if kept else [], "divisions": DIVISIONS, "providers": PROVIDERS,
    }  # fmt: skip
    return _story("overview", values)


def _kept() -> list[dict[str, Any]]:
    return [{"as_of": TODAY - timedelta(days=n), "taken_at": NOW - timedelta(days=n)} for n in (1, 2, 3)]


def _orders(code: str, rows: int) -> Story:
    chosen = Chosen(TODAY, TODAY)
    indicator = BY_CODE[code]
    values = {
        "indicator": indicator,
        "figure": next(one for one in figures(_counts(1 if rows else 0, 3)) if one.indicator is indicator),
        "rows": [_row(n) for n in range(rows)], "next_cursor": "eyJ" if rows else None, "counted": None,
        "names": {"620302001001": "滨河路街道昌宁里社区"}, "companies": {UUID(int=4): LONG}, "may_see": True,
        "has_part": True, "chosen": chosen, "quick": periods.quick(TODAY), "divisions": DIVISIONS,
        "providers": PROVIDERS,
    }  # fmt: skip
    return _story("orders", values)


def _row(n: int) -> dict[str, Any]:
    at: datetime = NOW + timedelta(minutes=20 * n)
    return {
        "id": UUID(int=100 + n), "number": f"261120{n:07d}", "status": "completed" if n % 3 else "assigned",
        "outcome": "done" if n % 3 else None, "division_code": "620302001001", "counted": n % 4 != 0,
        "provider_id": UUID(int=4) if n % 2 else None, "wanted_from": at,
    }  # fmt: skip


def _report(size: float) -> Story:
    report = _made(size, Chosen(date(2026, 10, 1), date(2026, 10, 31)))
    head = {"as_of": date(2026, 10, 31), "taken_at": NOW - timedelta(days=20)}
    values = {"report": replace(report, kept=head), "month": "2026-10", "as_of": head["as_of"], "kept_days": [head]}
    return _story("report", values)


def _wall(size: float, *, alarms: int) -> Story:
    report = _made(size, Chosen(TODAY, TODAY))
    shares = ("arrive_on_time", "verified_share", "follow_up_share", "satisfied")
    values = {
        "report": report, "figures": reading.by_code(report.figures), "shares": shares, "open_incidents": alarms,
        "drawn": reading.lines(_days(size), ("orders", *shares)),
    }  # fmt: skip
    return _story("wall", values)
