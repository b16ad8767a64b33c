"""Emergencies become incidents; people see to them, or the ladder is climbed."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib.resources import files
from typing import Any
from uuid import UUID

from app.accounts import scope
from app.alarms import queries
from app.alarms.events import IncidentClosed
from app.alarms.incidents import CLIMBING, Finding, Rung, Status, Step, ladder, may, severity
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict, Invalid
from app.core.http import SYSTEM, Caller
from app.core.ids import new_id
from app.core.json import dumps
from app.elders import service as elders
from app.jobs import feed
from app.regions.divisions import lineage

DESK = "desk"
EVERYWHERE = "000000"
ANOTHER = "由新的报警自动关闭"
OF_AN_ELDER = "elder:"
"""How the subject of an incident begins whose report named the elder."""
ANOTHER_AFTER = timedelta(minutes=30)
"""Who presses so long after the last press of what was verified as real needs help for something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One report of an emergency. `source` makes it one; `device` names the device of nobody we know, if it was one;
    `lng`, `lat` in WGS-84 are the device's own. `at` is when it reached us: from then on the ladder is climbed."""

    source: str
    kind: str
    channel: str
    care_request_id: UUID | None
    elder_id: UUID | None
    device: str | None = None
    lng: float | None = None
    lat: float | None = None
    at: datetime | None = None
    order_id: UUID | None = None
    """The order at whose visit it was seen."""
    words: str | None = None
    """What somebody said; kept with the incident, since who takes it on has to know it."""


async def raise_alarm(tx: Tx, alarm: Alarm) -> UUID:
    """The incident this report belongs to: the living one of the same elder or device, or a new one. The same report
    again changes nothing."""
    await tx.one_at_a_time("incident", _subject(alarm))
    known = await queries.known_alarm(tx, alarm.source)
    if known is not None:
        return known
    now, incident_id = clock.now(), new_id()
    at = alarm.at or now
    for stale in await queries.left_open(tx, _subject(alarm), at - ANOTHER_AFTER):
        await queries.move(tx, stale["id"], {"status": Status.CLOSED, "closed_at": now})
        await enter(tx, SYSTEM, stale["id"], "closed", {"because": "another alarm"}, None)
        await _tell_closed(tx, SYSTEM, stale["id"], ANOTHER)
    division, (lng, lat, place) = await where(tx, alarm.elder_id, alarm.lng, alarm.lat)
    row = await queries.raise_(
        tx,
        incident_id,
        _subject(alarm),
        severity(alarm.kind),
        alarm.kind,
        alarm.elder_id,
        division,
        at,
        lng,
        lat,
        place,
    )
    await queries.add_alarm(tx, new_id(), row["id"], alarm.source, alarm.care_request_id, alarm.kind, alarm.channel, at)
    if alarm.words is not None:
        facts = {"order_id": str(alarm.order_id)} if alarm.order_id is not None else {}
        await enter(tx, SYSTEM, row["id"], "reported", facts, alarm.words)
    if row["status"] in CLIMBING:
        await queries.plan(tx, row["id"], ladder(await _rungs(tx, row), row["first_at"]))
    await tell_desk(tx, "incident.raised" if row["id"] == incident_id else "incident.repeated", row)
    return UUID(str(row["id"]))


async def acknowledge(tx: Tx, caller: Caller, incident_id: UUID) -> Any:
    """An operator takes it on. Raises Conflict when somebody has, or when it is further."""
    row = await _moving(tx, caller, incident_id, Status.ACKNOWLEDGED)
    values = {"status": Status.ACKNOWLEDGED, "acknowledged_at": clock.now(), "acknowledged_by": caller.actor}
    return await _moved(tx, caller, row, values, "acknowledged", {}, None)


async def verify(
    tx: Tx, caller: Caller, incident_id: UUID, finding: Finding, code: str | None, note: str | None
) -> Any:
    """What it was. A false alarm stops the ladder; of what is real, relatives hear at once. Raises Invalid for a false
    alarm without a code, or a code without one."""
    if (finding is Finding.FALSE_ALARM) != (code is not None):
        raise Invalid("false_alarm_code", "a false alarm says why, anything else does not", field="code")
    row = await _moving(tx, caller, incident_id, Status.VERIFIED)
    values = {"status": Status.VERIFIED, "finding": finding, "code": code, "verified_at": clock.now()}
    if finding is Finding.REAL:
        await queries.bring_forward(tx, incident_id, Step.FAMILY, clock.now())
    return await _moved(tx, caller, row, values, "verified", {"finding": finding, "code": code}, note)


async def close(tx: Tx, caller: Caller, incident_id: UUID, note: str) -> Any:
    """How it ended. Raises Conflict unless it was verified."""
    row = await _moving(tx, caller, incident_id, Status.CLOSED)
    closed = await _moved(tx, caller, row, {"status": Status.CLOSED, "closed_at": clock.now()}, "closed", {}, note)
    await _tell_closed(tx, caller, incident_id, note)
    return closed


async def help_wanted(tx: Tx, caller: Caller, incident_id: UUID) -> Any:
    """Help is to come now: the nearest helpers are told at once, whatever the ladder says, and also where it does not
    name them or found nobody when it was their turn. Raises Conflict for a closed incident."""
    row = await living(tx, caller, incident_id)
    await queries.want(tx, incident_id, Step.HELPER, clock.now())
    return row


async def help_sent(tx: Tx, caller: Caller, row: Any, order_id: UUID) -> None:
    """An order is on its way because of it."""
    await enter(tx, caller, row["id"], "help_sent", {"order_id": str(order_id)}, None)
    await tell_desk(tx, "incident.help_sent", row, order_id=str(order_id))


async def helpers(tx: Tx, row: Any, limit: int) -> list[Any]:
    """The nearest caregivers and stations on duty now; nobody where the incident has no place."""
    if row["lng"] is None:
        return []
    now = clock.now()
    local = now.astimezone(clock.SHANGHAI)
    minute = local.hour * 60 + local.minute
    return await queries.helpers(tx, row["lng"], row["lat"], local.date(), minute, now, limit)


async def log_call(tx: Tx, caller: Caller, incident_id: UUID, whom: str, note: str | None) -> Any:
    """An operator called somebody about it: 120, 110, 119, a relative, a neighbour."""
    row = await visible(tx, caller, incident_id, lock=True)
    await enter(tx, caller, row["id"], "called", {"whom": whom}, note)
    await tell_desk(tx, "incident.called", row, whom=whom)
    return row


async def visible(tx: Tx, caller: Caller, incident_id: UUID, *, lock: bool = False) -> Any:
    """Raises NotFound when there is none for this caller. Where it is unknown whom it concerns, it is everybody's."""
    row = await queries.one(tx, incident_id, lock=lock)
    if row["division_code"] is not None:
        scope.see(caller, row["division_code"])
    return row


async def load_default_rules(tx: Tx) -> None:
    """The shipped ladders: a house rule of the demo, since no source states one; a city sets its own."""
    with (files("app.alarms") / "data" / "escalation_rules.csv").open(encoding="utf-8") as listed:
        for row in csv.DictReader(listed):
            await queries.seed_rung(
                tx, row["division"], row["severity"], date(2020, 1, 1), row["step"], int(row["after_s"])
            )


async def tell_desk(tx: Tx, kind: str, row: Any, **more: Any) -> None:
    facts = {
        "incident": str(row["id"]), "status": row["status"], "severity": row["severity"], "alarm": row["kind"],
        "alarms": row["alarms"], "first_at": row["first_at"].isoformat(), "division": row["division_code"],
        "elder_id": str(row["elder_id"]) if row["elder_id"] else None, **more,
    }  # fmt: skip
    await feed.append(tx, DESK, kind, facts=facts)


async def where(
    tx: Tx, elder_id: UUID | None, lng: float | None, lat: float | None
) -> tuple[str | None, tuple[float | None, float | None, str | None]]:
    """The elder's division, and where to go: where the device is (`lng`, `lat`), else home, else the middle of the
    smallest division around the home that has one."""
    there = (lng, lat, "device") if lng is not None else (None, None, None)
    if elder_id is None:
        return None, there
    elder = await elders.elder(tx, elder_id)
    if there[2] is None and elder.lng is not None:
        there = (elder.lng, elder.lat, "home")
    if there[2] is None:
        around = await queries.middle(tx, lineage(elder.division_code))
        there = (around["lng"], around["lat"], "division") if around is not None else there
    return elder.division_code, there


async def _tell_closed(tx: Tx, caller: Caller, incident_id: UUID, note: str) -> None:
    await tx.publish(
        IncidentClosed(
            incident_id=incident_id,
            care_request_ids=tuple(await queries.requests(tx, incident_id)),
            note=note,
            actor=caller.actor,
            at=clock.now(),
        )
    )


async def living(tx: Tx, caller: Caller, incident_id: UUID) -> Any:
    """The incident, locked. Raises NotFound out of scope, Conflict for a closed one."""
    row = await visible(tx, caller, incident_id, lock=True)
    if row["status"] == Status.CLOSED:
        raise Conflict("incident_moved_on", "this incident is closed", status=row["status"])
    return row


def _subject(alarm: Alarm) -> str:
    if alarm.elder_id is not None:
        return f"{OF_AN_ELDER}{alarm.elder_id}"
    return f"device:{alarm.device}" if alarm.device is not None else f"report:{alarm.source}"


async def _rungs(tx: Tx, row: Any) -> list[Rung]:
    """The newest ladder of the most specific division that has one."""
    places = lineage(row["division_code"]) if row["division_code"] else [EVERYWHERE]
    rows = await queries.rungs(tx, row["severity"], [*places, EVERYWHERE], clock.service_day(row["first_at"]))
    if not rows:
        return [Rung(Step.OPERATOR, 0)]
    best = max(map(_precedence, rows))
    return [Rung(Step(one["step"]), one["after_s"]) for one in rows if _precedence(one) == best]


def _precedence(rung: Any) -> tuple[int, date]:
    return len(rung["division_code"].rstrip("0")), rung["valid_from"]


async def _moving(tx: Tx, caller: Caller, incident_id: UUID, to: Status) -> Any:
    row = await visible(tx, caller, incident_id, lock=True)
    if not may(Status(row["status"]), to):
        raise Conflict("incident_moved_on", f"this incident is {row['status']}", status=row["status"])
    return row


async def _moved(
    tx: Tx, caller: Caller, row: Any, values: dict[str, Any], what: str, facts: dict[str, Any], note: str | None
) -> Any:
    changed = await queries.move(tx, row["id"], values)
    await enter(tx, caller, row["id"], what, facts, note)
    await tell_desk(tx, f"incident.{what}", changed)
    return changed


async def enter(tx: Tx, caller: Caller, incident_id: UUID, what: str, facts: dict[str, Any], note: str | None) -> None:
    entry_id = new_id()
    sealed = tx.vault.seal("incident_entry.note", entry_id, note) if note else None
    await queries.enter(tx, entry_id, incident_id, what, dumps(facts), sealed, caller.actor, clock.now())
