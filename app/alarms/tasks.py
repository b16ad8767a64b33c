"""The ladder: steps that are due are taken, each once, whatever was stopped or killed in between."""

from __future__ import annotations

from typing import Any

from app.alarms import queries, service
from app.alarms.incidents import CLIMBING, Status, Step
from app.core import clock, log
from app.core.crypto import SealBroken
from app.core.db import Tx
from app.core.errors import Error
from app.core.text import masked_name
from app.elders import service as elders
from app.messaging import service as messaging
from app.providers.service import PHONE

BATCH = 50
UNDOABLE = (Error, LookupError, ValueError, TypeError, SealBroken)
"""What a step or a message may fail of for good: anything else is the database, and is tried again."""
HELPERS = 3
"""So many of the nearest are told."""


async def climb(tx: Tx) -> int:
    """Take the steps that are due; returns how many."""
    now = clock.now()
    due = await queries.due(tx, now, BATCH)
    for step in due:
        row = await queries.one(tx, step["incident_id"])
        told = await _taken(tx, row, Step(step["step"])) if row["status"] in CLIMBING else None
        await queries.taken(tx, row["id"], step["step"], now, told)
    return len(due)


async def _taken(tx: Tx, row: Any, step: Step) -> int | None:
    """A step that cannot be taken stops no other; the desk is told, and a person has to do it."""
    try:
        async with tx.savepoint():
            return await _take(tx, row, step)
    except UNDOABLE as failed:
        log.get("alarms").error("step_failed", step=step, error=type(failed).__name__)
        await service.tell_desk(tx, "incident.step_failed", row, step=step)
        return 0


async def _take(tx: Tx, row: Any, step: Step) -> int | None:
    """How many people were told; None where nobody had to be any more."""
    if step is Step.OPERATOR:
        if row["status"] != Status.OPEN:
            return None
        await service.tell_desk(tx, "incident.waiting", row)
        return 1
    if step is Step.FAMILY:
        return await _family(tx, row)
    if step is Step.HELPER:
        return await _helpers(tx, row)
    await service.tell_desk(tx, "incident.call_authority", row)
    return 1


async def _family(tx: Tx, row: Any) -> int:
    """Relatives the elder has agreed to, at any hour."""
    if row["elder_id"] is None:
        return 0
    told = 0
    for member_id, phone in await elders.approved_family(tx, row["elder_id"]):
        told += await _message(tx, row, "sos_family", "family", member_id, phone)
    return told


async def _helpers(tx: Tx, row: Any) -> int:
    """The nearest caregivers and stations on duty are asked to look, without waiting for an order."""
    if row["lng"] is None:
        return 0
    told = 0
    for one in await service.helpers(tx, row, HELPERS):
        try:
            async with tx.savepoint():
                phone = one["phone"] or tx.vault.open(PHONE, one["id"], one["sealed"])
                kind = "provider" if one["kind"] == "station" else "caregiver"
                told += await _message(tx, row, "sos_helper", kind, one["id"], phone)
        except UNDOABLE as failed:  # the next one may be reached all the same
            log.get("alarms").error("helper_not_told", error=type(failed).__name__)
    return told


async def _message(tx: Tx, row: Any, template: str, kind: str, who: Any, phone: str) -> bool:
    name = masked_name((await elders.elder(tx, row["elder_id"])).name) if row["elder_id"] is not None else "老人"
    local = row["first_at"].astimezone(clock.SHANGHAI)
    sent = await messaging.send(
        tx, template=template, recipient_kind=kind, recipient_id=who, address=phone,
        params={"elder": name, "at": f"{local.hour}:{local.minute:02d}"}, dedupe_key=f"{template}:{row['id']}:{who}",
        urgent=True,
    )  # fmt: skip
    return sent is not None
