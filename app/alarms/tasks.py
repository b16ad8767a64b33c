"""The ladder: steps that are due are taken, each once, whatever was stopped or killed in between."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from app.alarms import queries, service
from app.alarms.incidents import Finding, Status, Step, over
from app.core import clock, log
from app.core.crypto import SealBroken
from app.core.db import Tx
from app.core.errors import Error
from app.core.text import masked_name
from app.elders import service as elders
from app.messaging import service as messaging
from app.messaging.ways import Way
from app.providers.service import PHONE

DESKS = frozenset({Step.OPERATOR, Step.AUTHORITY})
"""Steps that the desk is told of: an entry in its feed, many at once. Nobody else is told faster."""
PEOPLES = frozenset(Step) - DESKS
"""Steps that tell somebody outside: messages, each with its recipient."""
AT_THE_DESK, OUTSIDE = 500, 10
"""So many steps in one transaction: what has been done is out when it ends."""
UNDOABLE = (Error, LookupError, ValueError, TypeError, SealBroken)
"""What a step or a message may fail of for good: anything else is the database, and is tried again."""
HELPERS = 3
"""So many of the nearest are told."""
Ways = Callable[[Tx, str, str], Awaitable[list[Way]]]
"""The other ways to whoever has this phone (E.164), for this template: known above, and passed in by `wiring`."""
TELLS_DESK = {Step.OPERATOR: "incident.waiting", Step.AUTHORITY: "incident.call_authority"}


async def call_desk(tx: Tx) -> int:
    """Take the steps of the desk that are due; returns how many."""
    now = clock.now()
    due = await queries.due(tx, sorted(DESKS), now, AT_THE_DESK)
    told = []
    for row in due:
        step = Step(row["step"])
        needed = not _over(row) and (step is not Step.OPERATOR or row["status"] == Status.OPEN)
        if needed:
            await service.tell_desk(tx, TELLS_DESK[step], row)
        told.append(1 if needed else None)
    await queries.taken(tx, [(row["id"], row["step"]) for row in due], now, told)
    return len(due)


async def _by_text_alone(tx: Tx, phone: str, template: str) -> list[Way]:
    return []


async def tell_people(tx: Tx, *, ways: Ways = _by_text_alone) -> int:
    """Take the steps outside the desk that are due, the longest due first; returns how many. `ways` knows by what
    else than a text message relatives are told."""
    now = clock.now()
    due = await queries.due(tx, sorted(PEOPLES), now, OUTSIDE)
    told = []
    for row in due:
        step = Step(row["step"])
        told.append(await _told(tx, row, step, ways) if _needed(row, step) else None)
    await queries.taken(tx, [(row["id"], row["step"]) for row in due], now, told)
    return len(due)


def _needed(row: Any, step: Step) -> bool:
    """An operator who sends help to what was taken for a false alarm knows better by now."""
    return not _over(row) or (step is Step.HELPER and row["help_sent"] and row["status"] != Status.CLOSED)


def _over(row: Any) -> bool:
    return over(Status(row["status"]), Finding(row["finding"]) if row["finding"] is not None else None)


async def _told(tx: Tx, row: Any, step: Step, ways: Ways) -> int:
    """How many people were told. A step that cannot be taken stops no other; the desk is told, and a person has to
    do it."""
    try:
        async with tx.savepoint():
            return await (_family(tx, row, ways) if step is Step.FAMILY else _helpers(tx, row))
    except UNDOABLE as failed:
        log.get("alarms").error("step_failed", step=step, error=type(failed).__name__)
        await service.tell_desk(tx, "incident.step_failed", row, step=step)
        return 0


async def _family(tx: Tx, row: Any, ways: Ways) -> int:
    """Relatives the elder has agreed to, at any hour, every way at once."""
    if row["elder_id"] is None:
        return 0
    told = 0
    for member_id, phone in await elders.approved_family(tx, row["elder_id"]):
        also = await _also(tx, ways, phone)
        told += await _message(tx, row, "sos_family", "family", member_id, phone, also)
    return told


async def _also(tx: Tx, ways: Ways, phone: str) -> list[Way]:
    """Where one looks in vain for another way, the text message goes all the same."""
    try:
        async with tx.savepoint():
            return await ways(tx, phone, "sos_family")
    except UNDOABLE as failed:
        log.get("alarms").error("ways_unknown", error=type(failed).__name__)
        return []


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


async def _message(tx: Tx, row: Any, template: str, kind: str, who: Any, phone: str, also: Sequence[Way] = ()) -> bool:
    name = masked_name(row["elder_name"]) if row["elder_name"] is not None else "老人"
    local = row["first_at"].astimezone(clock.SHANGHAI)
    sent = await messaging.send(
        tx, template=template, recipient_kind=kind, recipient_id=who, address=phone,
        params={"elder": name, "at": f"{local.hour}:{local.minute:02d}"}, dedupe_key=f"{template}:{row['id']}:{who}",
        division_code=row["division_code"], urgent=True, also=also,
    )  # fmt: skip
    return sent is not None
