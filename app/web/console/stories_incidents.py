"""The states of alarms: the strip, the list, and one incident from its first second to its end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from app.alarms.incidents import Finding, Severity, Status, Step
from app.alarms.schemas import AlarmView, EntryView, HelperView, IncidentDetail, LivingView, StepView
from app.elders.facts import Door
from app.web.console.router_incidents import choices
from app.web.console.stories_desk import WHERE, elder
from app.web.stories import NOW, OPERATOR, Story

LONG = "阿不都热依木江**"


def stories() -> dict[str, Story]:
    open_, taken = _incident(1), _incident(2, Status.ACKNOWLEDGED)
    real, false = _incident(3, Status.VERIFIED, Finding.REAL), _incident(4, Status.VERIFIED, Finding.FALSE_ALARM)
    unknown = open_.model_copy(update={"elder_id": None, "elder_name": None, "division_name": None, "alarms": 7})
    closed = _incident(5, Status.CLOSED, Finding.FALSE_ALARM)
    address = "滨河路街道广州路社区 12 号楼 3 单元 402 室（院内最北，门口有石榴树）"
    door = Door(address, "+8613900001234", None, None, "听力差，请大声按铃")
    return {
        "alarm-strip": _strip([open_, unknown, taken, real], 3),
        "alarm-strip-none": _strip([], 0),
        "incidents": _page("incidents", living=[open_, unknown, taken, real, false], closed=[closed]),
        "incidents-none": _page("incidents", living=[], closed=[]),
        "incident-open": _one(open_),
        "incident-of-nobody": _one(unknown, helpers=False),
        "incident-taken": _one(taken, door=door),
        "incident-verified": _one(real),
        "incident-closed": _one(closed),
        "incident-elder": _page("incident_elder", incident=unknown, found=None, more=False, where={}, query=""),
        "incident-elder-found": _page("incident_elder", incident=unknown, more=True, where=WHERE, query="zdm",
                                      found=[elder(), elder(901, name="曾**", sex="male", age=None, phones=[])]),
        "incident-elder-nobody": _page("incident_elder", incident=unknown, found=[], more=False, where={}, query="z"),
    }  # fmt: skip


def _strip(burning: list[LivingView], more: int) -> Story:
    values = {"burning": burning, "more": more}
    return Story("console/_alarm_strip.html", values, OPERATOR, within="console", path="/console/incidents")


def _page(name: str, **values: Any) -> Story:
    return Story(f"console/{name}.html", values, OPERATOR, path="/console/incidents")


def _one(incident: LivingView, *, door: Door | None = None, helpers: bool = True) -> Story:
    near = [
        HelperView(kind="caregiver", id=UUID(int=1), name="欧阳𠮷田·阿不都热西提", distance_m=230),
        HelperView(kind="station", id=UUID(int=2), name="滨河路街道养老中心", phone="+869358220001", distance_m=910),
    ]  # fmt: skip
    return _page(
        "incident", incident=incident, detail=_detail(incident), helpers=near if helpers else [], door=door,
        **choices(incident),
    )  # fmt: skip


def _incident(number: int, status: Status = Status.OPEN, finding: Finding | None = None) -> LivingView:
    first = NOW - timedelta(seconds=37 * number * number)
    return LivingView(
        id=UUID(int=number), status=status, severity=Severity.CRITICAL, kind=("sos", "fall", "gas")[number % 3],
        elder_id=UUID(int=50), division="620302001001", first_at=first, last_at=first, alarms=number,
        lng=102.2, lat=38.5, place="home", finding=finding,
        code="pressed_by_mistake" if finding is Finding.FALSE_ALARM else None,
        acknowledged_by=None if status is Status.OPEN else OPERATOR.actor, elder_name=LONG if number == 2 else "王**",
        division_name="滨河路街道广州路社区", operator=None if status is Status.OPEN else OPERATOR.name,
    )  # fmt: skip


def _detail(incident: LivingView) -> IncidentDetail:
    at = incident.first_at
    steps = [
        StepView(step=Step.OPERATOR, due_at=at, taken_at=at, told=1),
        StepView(step=Step.FAMILY, due_at=at + timedelta(seconds=30), taken_at=at + timedelta(seconds=30), told=0),
        StepView(step=Step.HELPER, due_at=at + timedelta(minutes=2)),
        StepView(step=Step.AUTHORITY, due_at=at + timedelta(minutes=5)),
    ]
    entries = [
        EntryView(what="acknowledged", actor=OPERATOR.actor, at=at),
        EntryView(what="called", facts={"whom": "120"}, note="已派车，约 8 分钟到", actor=OPERATOR.actor, at=at),
        EntryView(what="help_sent", facts={"order_id": str(UUID(int=7))}, actor=OPERATOR.actor, at=at),
    ]
    reports = [AlarmView(kind=incident.kind, channel="device", at=at)]
    fields = {name: getattr(incident, name) for name in IncidentDetail.model_fields if hasattr(incident, name)}
    taken = incident.status is not Status.OPEN
    return IncidentDetail(**fields, steps=steps, reports=reports, entries=entries if taken else [])
