"""Incidents as the desk sees them."""

from __future__ import annotations

from typing import Any

from app.alarms import queries, service
from app.alarms.schemas import (
    AlarmView,
    EntryView,
    HelperView,
    IncidentDetail,
    IncidentView,
    LivingView,
    StepView,
)
from app.core.db import Tx
from app.core.geo import distance_m
from app.core.http import Caller
from app.core.json import loads
from app.core.text import masked_name
from app.regions.divisions import scope_ranges

SHOWN = 10
"""Helpers on one page."""
MOST = 200
"""Living incidents of one city that anybody could look through."""


def incident(row: Any) -> IncidentView:
    return IncidentView(**_fields(row))


async def detail(tx: Tx, row: Any) -> IncidentDetail:
    entries, steps, alarms = await queries.history(tx, row["id"])
    return IncidentDetail(
        **_fields(row),
        steps=[StepView(**dict(step)) for step in steps],
        reports=[AlarmView(**dict(alarm)) for alarm in alarms],
        entries=[
            EntryView(
                what=entry["what"],
                facts=loads(entry["facts"]) if isinstance(entry["facts"], str) else entry["facts"],
                note=tx.vault.open("incident_entry.note", entry["id"], entry["note"]) if entry["note"] else None,
                actor=entry["actor"],
                at=entry["at"],
            )
            for entry in entries
        ],
    )


async def living(tx: Tx, caller: Caller) -> list[LivingView]:
    """What is not closed within the caller's divisions, or of nobody knows where: untaken first, then by age."""
    return [_living(row) for row in await queries.living(tx, scope_ranges(caller.divisions), MOST)]


async def named(tx: Tx, row: Any) -> LivingView:
    """One incident with the names that belong to it, closed or not."""
    return _living(await queries.named(tx, row["id"]))


async def helpers(tx: Tx, row: Any) -> list[HelperView]:
    """The nearest on duty."""
    return [
        HelperView(
            kind=one["kind"],
            id=one["id"],
            name=one["name"],
            phone=one["phone"],
            distance_m=round(distance_m(row["lng"], row["lat"], one["lng"], one["lat"])),
        )
        for one in await service.helpers(tx, row, SHOWN)
    ]


def _fields(row: Any) -> dict[str, Any]:
    shown = {name: row[name] for name in IncidentView.model_fields if name != "division"}
    return shown | {"division": row["division_code"]}


def _living(row: Any) -> LivingView:
    name = row["elder_name"]
    return LivingView(
        **_fields(row),
        elder_name=masked_name(name) if name is not None else None,
        division_name=row["division_name"],
        operator=row["operator"],
    )
