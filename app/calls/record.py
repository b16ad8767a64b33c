"""From events of a telephone exchange to one call record. Pure.

Exchanges report late, twice and in any order, so the record is a function of the *set* of events and of nothing
else: whatever order they come in, the same events give the same record.

What real exchanges taught (a queue observed event by event): one call is offered to many agents; the exchange's
own pick-up of the line is not an answer; the end may be reported before the answer; a call that is handed on ends
for one agent and is answered by the next.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

HANDED_ON_AFTER = timedelta(seconds=2)
"""An answer so long after an end is another agent's. Some exchanges tell times in whole seconds."""
CALLBACK_WITHIN = timedelta(minutes=30)
"""How soon somebody who did not reach us is called back; a house rule of the centre, no source states one."""


class EventType(StrEnum):
    QUEUED = "call.queued"
    OFFERED = "agent.offered"
    MISSED = "agent.missed"
    ANSWERED = "call.answered"
    ENDED = "call.ended"
    ABANDONED = "call.abandoned"
    RECORDING = "recording.ready"
    VOICEMAIL = "voicemail.left"
    SOURCE_LOST = "source.lost"
    SOURCE_RESTORED = "source.restored"
    PRESUMED_ENDED = "call.presumed_ended"
    """Our own: the exchange never told us the end of this call. Its time is that of the last thing told of it, by the
    exchange's clock: what is told later shows that the call lives, whatever our clock says."""


OF_THE_SOURCE = frozenset({EventType.SOURCE_LOST, EventType.SOURCE_RESTORED})
REPORTED = frozenset(EventType) - {EventType.PRESUMED_ENDED}
ALIVE = frozenset({EventType.QUEUED, EventType.OFFERED, EventType.ANSWERED})
"""Somebody is asked to take the call, or takes it."""


class CallState(StrEnum):
    WAITING = "waiting"
    RINGING = "ringing"
    TALKING = "talking"
    OVER = "over"


class Outcome(StrEnum):
    ANSWERED = "answered"
    VOICEMAIL = "voicemail"
    ABANDONED = "abandoned"
    UNANSWERED = "unanswered"
    UNKNOWN = "unknown"


class CallbackReason(StrEnum):
    ABANDONED = "abandoned"
    VOICEMAIL = "voicemail"
    AFTER_HOURS = "after_hours"
    NOT_REACHED = "not_reached"
    """The other way round: a message of ours did not arrive, and a person has to say it."""
    EXCHANGE_UNHEARD = "exchange_unheard"
    """Nobody is known: an exchange was not heard for a while, and its own list is to be looked at."""


@dataclass(frozen=True, slots=True)
class CallEventFacts:
    """One event as reported. `key` tells two events of the same type and call apart."""

    type: EventType
    key: str
    at: datetime
    caller: str | None = None
    called: str | None = None
    queue: str | None = None
    agent: str | None = None
    recording_ref: str | None = None
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class CallRecord:
    state: CallState
    outcome: Outcome | None
    cause: str | None
    caller: str | None
    called: str | None
    queue: str | None
    agent: str | None
    offers: int
    first_at: datetime
    queued_at: datetime | None
    offered_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    abandoned_at: datetime | None
    voicemail_at: datetime | None
    recording_ref: str | None
    callback: CallbackReason | None
    """Why this caller has to be called back; None when they were served or are still on the line. Whose end was only
    presumed has to be until somebody answers."""


def fold(events: Iterable[CallEventFacts]) -> CallRecord:
    """The record of one call from its events, in whatever order and however often each is given.

    Raises ValueError without any event.
    """
    told = sorted(set(events), key=_order)
    if not told:
        raise ValueError("a call has at least one event")

    def first(kind: EventType) -> datetime | None:
        return next((e.at for e in told if e.type is kind), None)

    def last(kind: EventType) -> datetime | None:
        return next((e.at for e in reversed(told) if e.type is kind), None)

    answered, abandoned = first(EventType.ANSWERED), last(EventType.ABANDONED)
    voicemail, ended = first(EventType.VOICEMAIL), _end(last(EventType.ENDED), last(EventType.ANSWERED))
    gave_up = _end(abandoned, _later(told))
    over = ended or gave_up or voicemail
    guessed = last(EventType.PRESUMED_ENDED)
    presumed = guessed if not _told_after(told, guessed) else None
    cause = _cause(told)
    lost = bool(over or guessed) and (answered is None or _given_up_again(told))
    return CallRecord(
        state=_state(told, answered, bool(over or presumed)),
        outcome=_outcome(answered, voicemail, gave_up, over, presumed),
        cause=cause,
        caller=_earliest(told, "caller"),
        called=_earliest(told, "called"),
        queue=_latest(told, "queue", set(EventType)),
        agent=_agent(told),
        offers=sum(e.type is EventType.OFFERED for e in told),
        first_at=told[0].at,
        queued_at=next((e.at for e in told if e.type is EventType.QUEUED and e.queue), first(EventType.QUEUED)),
        offered_at=first(EventType.OFFERED),
        answered_at=answered,
        ended_at=ended or (presumed if not over else None),
        abandoned_at=abandoned,
        voicemail_at=voicemail,
        recording_ref=_latest(told, "recording_ref", {EventType.RECORDING, EventType.VOICEMAIL, EventType.ENDED}),
        callback=_callback(voicemail, cause) if lost or voicemail else None,
    )


def _order(event: CallEventFacts) -> tuple[object, ...]:
    # A total order: equal instants are told apart by content, never by arrival.
    text = (event.caller, event.called, event.queue, event.agent, event.recording_ref, event.cause)
    return (event.at, list(EventType).index(event.type), event.key, *(part or "" for part in text))


def _later(told: list[CallEventFacts]) -> datetime | None:
    """When somebody was last asked to take the call, or took it: who was given up by one queue may be in the next."""
    return next((e.at for e in reversed(told) if e.type in ALIVE), None)


def _told_after(told: list[CallEventFacts], guessed: datetime | None) -> bool:
    """Whether the call turned out to live after we had presumed its end."""
    later = _later(told)
    return guessed is not None and later is not None and later > guessed


def _given_up_again(told: list[CallEventFacts]) -> bool:
    """Whether an answered caller was put back into a queue, or rang another agent, and ended there without an answer.

    Ringing alone does not tell: the first agent may have gone on talking. Then only giving up does.
    """
    answered = max(e.at for e in told if e.type is EventType.ANSWERED)
    back = [e for e in told if e.type in ALIVE and e.at - answered >= HANDED_ON_AFTER]
    waits = [e.at for e in back if e.type is EventType.QUEUED]
    gave_up = [e.at for e in told if e.type is EventType.ABANDONED]
    ends = [e.at for e in told if e.type in {EventType.ENDED, EventType.PRESUMED_ENDED}] + gave_up
    if waits and ends and max(ends) >= max(waits):
        return True
    return bool(back and gave_up) and max(gave_up) >= back[-1].at


def _callback(voicemail: datetime | None, cause: str | None) -> CallbackReason:
    if voicemail is not None:
        return CallbackReason.VOICEMAIL  # somebody spoke to a machine, whatever happened before
    return CallbackReason.AFTER_HOURS if cause == "after_hours" else CallbackReason.ABANDONED


def _end(ended: datetime | None, answered: datetime | None) -> datetime | None:
    """The last end, unless somebody took the call after it."""
    if ended is None or answered is None or answered - ended < HANDED_ON_AFTER:
        return ended
    return None


def _outcome(
    answered: datetime | None,
    voicemail: datetime | None,
    gave_up: datetime | None,
    over: datetime | None,
    presumed: datetime | None,
) -> Outcome | None:
    if voicemail is not None and answered is None:
        return Outcome.VOICEMAIL
    if answered is not None:
        # The queue's leg may be reported abandoned although an agent took the call.
        return Outcome.ANSWERED if over else (Outcome.UNKNOWN if presumed else None)
    if gave_up is not None:
        return Outcome.ABANDONED
    if over is not None:
        return Outcome.UNANSWERED
    return Outcome.UNKNOWN if presumed else None


def _state(told: list[CallEventFacts], answered: datetime | None, over: bool) -> CallState:
    if over:
        return CallState.OVER
    if answered is not None:
        return CallState.TALKING
    ringing = [e for e in told if e.type in {EventType.OFFERED, EventType.MISSED}]
    return CallState.RINGING if ringing and ringing[-1].type is EventType.OFFERED else CallState.WAITING


def _agent(told: list[CallEventFacts]) -> str | None:
    """Who answered; before that, whose phone rings."""
    for kind in (EventType.ANSWERED, EventType.OFFERED):
        named = [e.agent for e in told if e.type is kind and e.agent]
        if named:
            return named[-1]
    return None


def _cause(told: list[CallEventFacts]) -> str | None:
    """Why it ended. That nobody was there at this hour counts whoever says so: the end knows how the line went dead."""
    if any(e.cause == CallbackReason.AFTER_HOURS for e in told):
        return CallbackReason.AFTER_HOURS.value
    return _latest(told, "cause", {EventType.ENDED, EventType.ABANDONED, EventType.VOICEMAIL})


def _earliest(told: list[CallEventFacts], name: str) -> str | None:
    return next((value for e in told if (value := getattr(e, name))), None)


def _latest(told: list[CallEventFacts], name: str, kinds: set[EventType]) -> str | None:
    return next((value for e in reversed(told) if e.type in kinds and (value := getattr(e, name))), None)
