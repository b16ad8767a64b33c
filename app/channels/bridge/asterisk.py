"""What Asterisk's manager events mean. Pure.

A call is known by its `Linkedid`, which is the caller's channel; `Local/` channels are Asterisk's own plumbing and
nobody's phone. With a queue the queue says most; without one, dialling and bridging do. An exchange also tells of
calls that are none of ours (colleagues among themselves), so a call's events are held back until its beginning shows
that it came in from outside; which of them comes first makes no difference. The dialplan says that it is after hours
with `Set(NUANXIAN_CAUSE=after_hours)`; where a channel stands when it hangs up says nothing, that is its handler's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from app.channels.bridge.dialling import Dial, Outcome
from app.channels.bridge.told import OpenCall, Told, caller, event, of_seconds

DIAL = "dial-"
"""How our actions that dial are named."""
OUTGOING = "nx-"
"""How the channels are named that we let ring: an operator's own phone is nobody who calls us."""
CAUSE = "NUANXIAN_CAUSE"
"""What the dialplan sets on a caller's channel that is sent away, such as to `after_hours`."""
HELD = 20_000
"""Events of calls of which no beginning was seen; beyond this the oldest are let go."""
KEPT = timedelta(hours=6)
_PHONE = re.compile(r"[A-Za-z0-9]+/(?P<name>.+?)(-[0-9a-f]{6,})?$")
_BEGINS = frozenset({"Newchannel", "QueueCallerJoin"})


class Calls:
    """Which calls are ours: those that came in by one of the trunks (`PJSIP/gateway-`), or joined a queue."""

    def __init__(self, trunks: tuple[str, ...]) -> None:
        self._trunks = trunks
        self._ours: dict[str, datetime] = {}
        self._held: dict[str, list[Told]] = {}

    def add(self, said: Mapping[str, str], now: datetime) -> list[Told]:
        """Our events of calls that are known to be ours, those held back for this call included."""
        call_id = said.get("Linkedid") or said.get("Uniqueid")
        if not call_id or call_id.startswith(OUTGOING):
            return []
        at = _at(said, now)
        told = translate(said, call_id, at)
        if call_id not in self._ours and not self._begins(said):
            if told:
                self._held.setdefault(call_id, []).extend(told)
                self._let_go(now)
            return []
        self._ours[call_id] = now
        return [*self._held.pop(call_id, []), *told]

    def know(self, call_id: str, now: datetime) -> None:
        """A call that was found when we came back."""
        self._ours[call_id] = now

    def _begins(self, said: Mapping[str, str]) -> bool:
        if said.get("Event") == "QueueCallerJoin":
            return True
        return said.get("Event") == "Newchannel" and is_from_outside(said, self._trunks)

    def _let_go(self, now: datetime) -> None:
        while sum(map(len, self._held.values())) > HELD:
            del self._held[next(iter(self._held))]
        for call_id in [one for one, seen in self._ours.items() if now - seen > KEPT]:
            del self._ours[call_id]


def is_from_outside(said: Mapping[str, str], trunks: tuple[str, ...]) -> bool:
    """Whether this is a caller's channel on one of the trunks, by the beginning of its name."""
    is_callers = said.get("Uniqueid") == said.get("Linkedid") and not said.get("Uniqueid", "").startswith(OUTGOING)
    return is_callers and said.get("Channel", "").startswith(trunks)


def translate(said: Mapping[str, str], call_id: str, at: datetime) -> list[Told]:
    """Our events in one of theirs. Asterisk numbers no events: a channel has each of them once."""
    name, channel = said.get("Event", ""), said.get("Uniqueid", "")
    is_callers = channel == call_id
    if name in _BEGINS and is_callers and not _is_local(said.get("Channel")):
        number, called = caller(said.get("CallerIDNum")), said.get("Exten")
        is_queue = name == "QueueCallerJoin"
        queue = said.get("Queue") if is_queue else None
        return [
            event("call.queued", call_id, name, at, caller=number, called=None if is_queue else called, queue=queue)
        ]
    if name == "QueueCallerAbandon":
        return [event("call.abandoned", call_id, name, at, queue=said.get("Queue"), cause="abandoned")]
    if name == "Hangup" and is_callers:
        return [event("call.ended", call_id, name, at, cause=said.get("Cause-txt"))]
    if name == "BridgeEnter" and not is_callers and not _is_local(said.get("Channel")):
        return [event("call.answered", call_id, f"{name} {channel}", at, agent=_phone(said.get("Channel")))]
    if name == "VarSet" and is_callers and said.get("Variable") == "MIXMONITOR_FILENAME":
        # Set when it begins, and nothing names the file again: said at once, for we keep nothing, fetched at the end.
        return [event("recording.ready", call_id, name, at, recording_ref=said.get("Value"))]
    if name == "VarSet" and is_callers and said.get("Variable") == CAUSE:
        return [event("call.queued", call_id, f"{name} {CAUSE}", at, cause=said.get("Value"))]
    return _of_an_agent(said, call_id, at)


def _of_an_agent(said: Mapping[str, str], call_id: str, at: datetime) -> list[Told]:
    name, theirs = said.get("Event", ""), said.get("DestChannel")
    kind = {
        "DialBegin": "agent.offered",
        "AgentRingNoAnswer": "agent.missed",
        "AgentConnect": "call.answered",
    }.get(name)
    if name == "DialEnd":
        kind = "call.answered" if said.get("DialStatus") == "ANSWER" else "agent.missed"
    if kind is None or theirs is None or _is_local(theirs):
        return []
    # `AgentCalled` is left out: the queue dials, too, and every ringing counts once.
    key = f"{name} {said.get('DestUniqueid') or theirs}"
    return [event(kind, call_id, key, at, agent=_phone(theirs), queue=said.get("Queue"))]


def open_calls(listed: Sequence[Mapping[str, str]], trunks: tuple[str, ...], now: datetime) -> list[OpenCall]:
    """From the events of `CoreShowChannels`: one call for each caller's channel."""
    found = []
    for said in listed:
        call_id = said.get("Linkedid") or said.get("Uniqueid")
        if call_id and said.get("Uniqueid") == call_id and not _is_local(said.get("Channel")):
            since, number = now - _lasted(said.get("Duration", "")), caller(said.get("CallerIDNum"))
            found.append(OpenCall(call_id, number, None, since, is_from_outside(said, trunks)))
    return found


def _lasted(text: str) -> timedelta:
    parts = text.split(":")
    if len(parts) != 3 or not all(part.isdecimal() and len(part) < 5 for part in parts):
        return timedelta(0)
    hours, minutes, seconds = map(int, parts)
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def _at(said: Mapping[str, str], now: datetime) -> datetime:
    """The exchange's own time where `timestampevents` is on."""
    try:
        return of_seconds(float(said["Timestamp"]))
    except (KeyError, ValueError):
        return now


def _is_local(channel: str | None) -> bool:
    return (channel or "").startswith("Local/")


def _phone(channel: str | None) -> str | None:
    """`PJSIP/8001-0000001a` is agent 8001."""
    found = _PHONE.match(channel or "")
    return found["name"] if found else channel


def originate(dial: Dial, context: str) -> dict[str, str]:
    """The fields of the action that rings an operator and then dials for them in `context`."""
    return {
        "ActionID": f"{DIAL}{dial.id}", "ChannelId": f"{OUTGOING}{dial.id}", "Channel": f"PJSIP/{dial.extension}",
        "Context": context, "Exten": dial.number, "Priority": "1", "Timeout": "30000", "Async": "true",
    }  # fmt: skip


def outcome(said: Mapping[str, str]) -> Outcome | None:
    """What became of an action of ours: refused at once, or told by an event later."""
    dial_id = said.get("ActionID", "").removeprefix(DIAL)
    if dial_id == said.get("ActionID"):
        return None
    if said.get("Event") == "OriginateResponse":
        return Outcome(dial_id, None if said.get("Response") == "Success" else f"reason_{said.get('Reason', '')}")
    return Outcome(dial_id, said.get("Message", "refused")) if said.get("Response") == "Error" else None
