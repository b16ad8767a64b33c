"""What FreeSWITCH's events mean, with its queue module `mod_callcenter`. Pure; every event stands for itself.

A call is known by the caller's leg (`CC-Member-Session-UUID`, that channel's `Unique-ID`), not by the queue's member
id, which changes when the call is queued again. The exchange itself picks up that leg before anybody speaks, so its
`CHANNEL_ANSWER` is no answer; that of a phone rung for it is. The caller's hang-up also says whether an agent had
answered, which helps when the events before it were lost.

Not every call reaches a queue: it comes after hours, ends in the welcome, finds no agent. A leg that came in to one of
our numbers is ours all the same, and its hang-up tells of it. The dialplan says that it is after hours with
`<action application="set" data="nuanxian_cause=after_hours"/>`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.channels.bridge.dialling import Dial, Outcome
from app.channels.bridge.told import OpenCall, Told, caller, event, of_seconds
from app.core.json import loads

_QUEUE = {
    "member-queue-start": "call.queued",
    "agent-offering": "agent.offered",
    "bridge-agent-fail": "agent.missed",
    "bridge-agent-start": "call.answered",
}

HUNG_UP = "BREAK_OUT"
"""Why somebody left a queue by themselves; after a timeout the dialplan goes on with them."""


def translate(said: Mapping[str, Any], numbers: frozenset[str]) -> list[Told]:
    """Our events in one of theirs; none for what concerns no call of ours. Never raises for what it does not know.

    `numbers` are ours, as the dialplan sees them: what came in to one of them needs no queue to be a call.
    """
    said = {name: value for name, value in said.items() if isinstance(value, str)}
    at = _time(said.get("Event-Date-Timestamp"), 1_000_000)
    if at is None:
        return []
    name = said.get("Event-Name")
    if name == "CUSTOM" and said.get("Event-Subclass") == "callcenter::info":
        return _of_the_queue(said, at)
    if name == "CUSTOM" and said.get("Event-Subclass") == "vm::maintenance":
        return _voicemail(said, at)
    if name == "CHANNEL_ANSWER":
        return _picked_up(said, at, numbers)
    if not said.get("Unique-ID") or not (_is_queued(said) or _came_in(said, numbers)):
        return []
    if name == "CHANNEL_HANGUP_COMPLETE":
        return _hung_up(said, at)
    if name == "RECORD_STOP":
        return [event("recording.ready", said["Unique-ID"], _id(said), at, recording_ref=said.get("Record-File-Path"))]
    return []


def _of_the_queue(said: Mapping[str, str], at: datetime) -> list[Told]:
    call_id, action = said.get("CC-Member-Session-UUID"), said.get("CC-Action", "")
    if not call_id:
        return []
    facts = {
        "caller": caller(said.get("CC-Member-CID-Number")),
        "called": said.get("Caller-Destination-Number") if action == "member-queue-start" else None,
        "queue": _name(said.get("CC-Queue")),
        "agent": _name(said.get("CC-Agent")),
    }
    if action in _QUEUE:
        return [event(_QUEUE[action], call_id, _id(said), at, **facts)]
    if action == "member-queue-end" and said.get("CC-Cause") == "Cancel" and said.get("CC-Cancel-Reason") == HUNG_UP:
        return [event("call.abandoned", call_id, _id(said), at, cause=said.get("CC-Cancel-Reason"), **facts)]
    return []  # any other end of a queue is not the call's: it goes on with an agent, or in another queue


def _is_queued(said: Mapping[str, str]) -> bool:
    return said.get("variable_cc_side") == "member"


def _came_in(said: Mapping[str, str], numbers: frozenset[str]) -> bool:
    """Whether this is a caller's leg to one of our numbers: where it stands in the dialplan, or what was dialled."""
    # A dialplan that sends the call on (an announcement, a menu) changes the first; the others stay as they came.
    called = {said.get(name) for name in ("Caller-Destination-Number", "variable_sip_req_user", "variable_sip_to_user")}
    is_agents = said.get("variable_cc_side") == "agent"
    return said.get("Call-Direction") == "inbound" and not is_agents and not numbers.isdisjoint(called)


def _picked_up(said: Mapping[str, str], at: datetime, numbers: frozenset[str]) -> list[Told]:
    """A phone that was rung for a caller outside any queue; a queue says itself who answers.

    Nothing else tells it: legs are connected for a carrier's ringing tone already.
    """
    is_rung = said.get("Call-Direction") == "outbound" and said.get("Other-Type") == "originator"
    call_id = said.get("Other-Leg-Unique-ID")
    if not is_rung or not call_id or "variable_cc_side" in said:
        return []
    if said.get("Other-Leg-Direction") != "inbound" or said.get("Other-Leg-Destination-Number") not in numbers:
        return []
    return [event("call.answered", call_id, _id(said), at, agent=said.get("variable_dialed_user"))]


def _hung_up(said: Mapping[str, str], at: datetime) -> list[Told]:
    call_id, number = said["Unique-ID"], caller(said.get("Caller-Caller-ID-Number"))
    cause = said.get("variable_nuanxian_cause") or said.get("Hangup-Cause")
    queue = _name(said.get("variable_cc_queue"))
    told = [event("call.ended", call_id, _id(said), at, caller=number, queue=queue, cause=cause)]
    if not _is_queued(said):  # nothing told its beginning
        began = _time(said.get("Caller-Channel-Created-Time"), 1_000_000)
        called = said.get("variable_sip_req_user") or said.get("Caller-Destination-Number")
        told.append(event("call.queued", call_id, "by hang-up", min(at, began or at), caller=number, called=called))
    answered = _time(said.get("variable_cc_queue_answered_epoch"))
    if said.get("variable_cc_agent_bridged") == "true" and answered is not None:
        # Whole seconds, and of the moment the queue noticed: later than the event it stands in for.
        agent = _name(said.get("variable_cc_agent"))
        told.append(event("call.answered", call_id, "by hang-up", min(at, answered), agent=agent))
    return told


def _voicemail(said: Mapping[str, str], at: datetime) -> list[Told]:
    call_id = said.get("VM-UUID") or said.get("Unique-ID")
    if said.get("VM-Action") != "leave-message" or not call_id:
        return []
    number, ref = caller(said.get("VM-Caller-ID-Number")), said.get("VM-File-Path")
    return [event("voicemail.left", call_id, _id(said), at, caller=number, recording_ref=ref)]


def open_calls(answer: str, numbers: frozenset[str]) -> list[OpenCall]:
    """From `show channels as json`: the callers' legs. Raises ValueError for another answer."""
    said = loads(answer)
    rows = said.get("rows", []) if isinstance(said, dict) else None
    if not isinstance(rows, list):
        raise ValueError("no list of channels")
    found = []
    for row in rows:
        if isinstance(row, dict) and row.get("direction") == "inbound" and isinstance(row.get("uuid"), str):
            called, since = str(row.get("dest", "")), _time(str(row.get("created_epoch", "")))
            waits = called in numbers and since is not None
            found.append(
                OpenCall(row["uuid"], caller(str(row.get("cid_num", ""))), called, since or of_seconds(0), waits)
            )
    return found


def _time(text: str | None, parts: int = 1) -> datetime | None:
    """Of Unix time, `parts` to the second; None for what is none."""
    try:
        return of_seconds(int(text or "") / parts)
    except (ValueError, OverflowError):
        return None


def _id(said: Mapping[str, str]) -> str:
    """Counted anew when the exchange is started, so its own id belongs to it."""
    return f"{said.get('Core-UUID', '')}:{said.get('Event-Sequence', '')}"


def _name(full: str | None) -> str | None:
    """`8001@default` is agent 8001."""
    return full.partition("@")[0] if full else None


def originate(dial: Dial, through: str) -> bytes:
    """The command that rings an operator and then connects them; its outcome comes as an event under the same id.

    `through`: the way out of the exchange, with `{number}` ("sofia/gateway/out/{number}").
    """
    line = through.format(number=dial.number)
    options = "ignore_early_media=true,originate_timeout=30"
    return f"bgapi originate {{{options}}}user/{dial.extension} &bridge({line})\nJob-UUID: {dial.id}\n\n".encode()


def outcome(said: Mapping[str, Any]) -> Outcome | None:
    """What became of a command of ours, if the event tells it."""
    if said.get("Event-Name") != "BACKGROUND_JOB" or not isinstance(said.get("Job-UUID"), str):
        return None
    answer = str(said.get("_body", "")).strip()
    return Outcome(
        said["Job-UUID"], None if answer.startswith("+OK") else answer.removeprefix("-ERR").strip() or "failed"
    )
