"""The exchange's events become call records, screen-pops for the desk, and call-backs for whoever was lost.

Each call's row is locked while its events are folded, so copies that arrive at once are folded one after the
other; which of them comes first makes no difference.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from app.calls import callbacks, numbers, queries
from app.calls.events import RecordingReady
from app.calls.record import (
    ALIVE,
    OF_THE_SOURCE,
    CallEventFacts,
    CallRecord,
    CallState,
    EventType,
    fold,
)
from app.calls.schemas import Unheard
from app.core import clock
from app.core.db import Tx
from app.core.ids import new_id
from app.core.json import dumps, loads
from app.elders import service as elders
from app.jobs import feed

DESK = "desk"
GHOST_AFTER = timedelta(hours=4)
SILENT_FOR = timedelta(hours=1)
CLOCKS_APART = timedelta(seconds=10)
"""A call that began so shortly before the exchange was asked for its calls may not have been there yet."""
UNHEARD_FROM = timedelta(seconds=10)
"""Nobody rings, gives up and is gone in a shorter gap; each call that lasts longer is found when it is over."""
STARTED = "started"
"""The cause of a `source.restored` by somebody who has just begun to listen, and knows of nothing before."""
TOLD = frozenset(EventType) - {EventType.RECORDING, EventType.MISSED}
"""What the desk hears of. A screen pops up for an offer only while the call lives."""


@dataclass(frozen=True, slots=True)
class Reported:
    """One event with where it came from. `facts.caller` is what the exchange showed, unparsed."""

    source: str
    source_instance: str
    call_id: str
    facts: CallEventFacts
    open_calls: frozenset[str] | None = None
    """With `source.restored`: every call the exchange has."""


async def record(tx: Tx, reported: list[Reported]) -> list[bool]:
    """Fold events into their calls; for each, in the order given, whether it was new."""
    fresh: dict[int, bool] = {}
    callers: set[str] = set()
    # In one order everywhere, so that two batches never wait for each other's calls.
    numbered = sorted(enumerate(reported), key=lambda pair: _key(pair[1]))
    for key, group in groupby(numbered, key=lambda pair: _key(pair[1])):
        events = list(group)
        if key[2] == "":
            for number, one in events:
                fresh[number] = await _keep_source_event(tx, one)
        else:
            fresh |= await _keep_call(tx, key, events, callers)
    for number, one in enumerate(reported):
        if one.open_calls is not None:
            await _close_gone(tx, one, one.open_calls | _alive(reported[number + 1 :], one))
    # After every call is held, so that nobody who holds a call waits for a call-back held here.
    await callbacks.withdraw_served(tx, callers, clock.now())
    return [fresh[number] for number in range(len(reported))]


async def _close_gone(tx: Tx, restored: Reported, there: frozenset[str]) -> None:
    """Presume the end of calls which ended while nobody told us. What is told of them later counts all the same."""
    began, heard = restored.facts.at - CLOCKS_APART, clock.now() - CLOCKS_APART
    open_ = await queries.open_before(tx, restored.source, restored.source_instance, began, heard)
    await record(tx, [_presumed(call) for call in open_ if call["call_id"] not in there])


def _alive(later: list[Reported], restored: Reported) -> frozenset[str]:
    """Calls told of after the exchange was asked: it may have been asked before they came."""
    exchange = (restored.source, restored.source_instance)
    return frozenset(
        one.call_id for one in later if (one.source, one.source_instance) == exchange and one.facts.type in ALIVE
    )


def _presumed(call: Any) -> Reported:
    """The end of a call, presumed from what has been told so far; the same from the same."""
    last: datetime = call["last_at"]
    facts = CallEventFacts(EventType.PRESUMED_ENDED, f"after:{last.isoformat()}", last)
    return Reported(call["source"], call["source_instance"], call["call_id"], facts)


async def close_ghosts(tx: Tx) -> int:
    """Presume the end of calls whose end the exchange never told; callers who were not served are called back."""
    now = clock.now()
    ended = [_presumed(call) for call in await queries.ghosts(tx, now - GHOST_AFTER, now - SILENT_FOR)]
    await record(tx, ended)
    return len(ended)


def _key(one: Reported) -> tuple[str, str, str]:
    return (one.source, one.source_instance, "" if one.facts.type in OF_THE_SOURCE else one.call_id)


async def _keep_source_event(tx: Tx, one: Reported) -> bool:
    unheard = await _gap(tx, one) if one.facts.type is EventType.SOURCE_RESTORED else None
    if not await _keep_event(tx, None, one):
        return False
    if unheard is not None:  # whoever called and gave up in it is on the exchange's own list only
        await callbacks.look_at_exchange(tx, unheard)
    facts = {"source": one.source, "instance": one.source_instance}
    await feed.append(tx, DESK, one.facts.type, facts=facts, occurred_at=one.facts.at)
    return True


async def _gap(tx: Tx, restored: Reported) -> Unheard | None:
    """The time in which calls may have begun and ended unheard; None where that is too short, or none is known.

    It begins when we were told that the exchange is lost, or with the last thing that somebody else, who listens too,
    has heard after that. Whoever listened may have died before saying so; whoever takes their place knows of nothing
    before, so it begins with the last thing that came.
    """
    source, instance, until = restored.source, restored.source_instance, restored.facts.at
    lost, heard = await queries.lost(tx, source, instance, until), await queries.last_heard(tx, source, instance)
    since = heard if restored.facts.cause == STARTED else None
    if lost is not None and (heard is None or heard < lost["received_at"] + UNHEARD_FROM):
        since = lost["at"]
    elif lost is not None:
        since = heard
    if since is None or until - since < UNHEARD_FROM:
        return None
    return Unheard(source=source, instance=instance, since=since, until=until)


async def _keep_call(
    tx: Tx, key: tuple[str, str, str], events: list[tuple[int, Reported]], callers: set[str]
) -> dict[int, bool]:
    """Whether each event was new. Adds to `callers` who was answered or lost: another call of theirs may have been
    the other."""
    now = clock.now()
    row_id = await queries.held_call(tx, new_id(), *key, events[0][1].facts.at, now)
    fresh = {number: await _keep_event(tx, row_id, one) for number, one in events}
    new = [one.facts for number, one in events if fresh[number]]
    if new:
        told = [_open(tx, row) for row in await queries.events(tx, row_id)]
        folded = fold(told)
        await _write(tx, row_id, folded, now)
        await callbacks.follow(tx, row_id, folded, now)
        if folded.caller and (folded.answered_at is not None or folded.callback is not None):
            callers.add(folded.caller)
        await _tell_desk(tx, row_id, folded, new)
        # Said again at the end: an exchange may say so when the recording begins.
        heard = new if folded.outcome is None else told
        for reference in dict.fromkeys(one.recording_ref for one in heard if one.recording_ref):
            await tx.publish(RecordingReady(call_id=row_id, reference=reference))
    return fresh


async def _keep_event(tx: Tx, row_id: UUID | None, one: Reported) -> bool:
    event_id, facts = new_id(), one.facts
    sealed = tx.vault.seal("call_event.facts", event_id, dumps(_personal(facts)))
    call_id = "" if row_id is None else one.call_id
    return await queries.add_event(
        tx, event_id, row_id, one.source, one.source_instance, call_id, facts.type, facts.key, facts.at, sealed,
        clock.now(),
    )  # fmt: skip


def _personal(facts: CallEventFacts) -> dict[str, Any]:
    kept = asdict(facts)
    return {name: kept[name] for name in kept if name not in {"type", "key", "at"} and kept[name] is not None}


def _open(tx: Tx, row: Any) -> CallEventFacts:
    rest = loads(tx.vault.open("call_event.facts", row["id"], row["facts"]))
    return CallEventFacts(type=EventType(row["type"]), key=row["event_key"], at=row["at"], **rest)


async def _write(tx: Tx, row_id: UUID, folded: CallRecord, now: datetime) -> None:
    values: dict[str, Any] = {f.name: getattr(folded, f.name) for f in fields(folded)}
    number = numbers.known(folded.caller)
    values["caller"] = tx.vault.seal("call.caller", row_id, number) if number else None
    values["caller_index"] = numbers.index(tx, number) if number else None
    values["updated_at"] = now
    await queries.write(tx, row_id, [values[name] for name in queries.FOLDED])


async def _tell_desk(tx: Tx, row_id: UUID, folded: CallRecord, new: list[CallEventFacts]) -> None:
    told = [one for one in new if one.type in TOLD]
    if folded.state is CallState.OVER:
        told = [one for one in told if one.type not in {EventType.QUEUED, EventType.OFFERED}]
    known: list[str] | None = None
    for one in told:
        facts = {"call": str(row_id), "agent": one.agent, "queue": one.queue or folded.queue}
        if one.type in {EventType.QUEUED, EventType.OFFERED}:
            if known is None:
                known = await _elders_behind(tx, folded.caller)
            facts["elders"] = known  # type: ignore[assignment]
        at = one.at if one.type is not EventType.PRESUMED_ENDED else None  # which is now
        await feed.append(tx, DESK, one.type, facts=facts, occurred_at=at)


async def _elders_behind(tx: Tx, caller: str | None) -> list[str]:
    """Who may be calling: a suggestion for the operator, since a number shown is not an identity."""
    number = numbers.known(caller)
    return [str(match.elder_id) for match in await elders.find_by_phone(tx, number)][:10] if number else []
