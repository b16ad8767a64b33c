"""One event as the service's door takes it (`channels.schemas.PhoneEvent`). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Told = dict[str, Any]
SHORT, LONG = 40, 200
"""Characters the door takes of a name (of a queue, of an agent), and of a reference."""
WITHHELD = frozenset({"", "anonymous", "unknown", "<unknown>", "restricted", "private", "unavailable", "0000000000"})


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call the exchange says is there now."""

    call_id: str
    caller: str | None
    called: str | None
    since: datetime
    waits_for_us: bool
    """Whether it came to one of our numbers: only such a call is told as new."""


def event(kind: str, call_id: str, event_id: str, at: datetime, **facts: str | None) -> Told:
    """An event of a call; what is not known is left out, what is too long is cut."""
    told: Told = {"type": kind, "call_id": call_id[:LONG], "event_id": event_id[-LONG:], "at": at.isoformat()}
    for name, value in facts.items():
        if value and value.strip():
            told[name] = value.strip()[
                : SHORT if name in {"queue", "agent"} else 80 if name != "recording_ref" else 500
            ]
    return told


def caller(number: str | None) -> str | None:
    """What the exchange shows of a caller; None when it was withheld."""
    return None if number is None or number.strip().lower() in WITHHELD else number


def restored(at: datetime, calls: list[OpenCall], *, is_first: bool = False) -> list[Told]:
    """After a gap: which calls there are, and those we may not have heard of. `is_first`: we do not know of any before,
    since we have just been started."""
    unheard = [
        event("call.queued", call.call_id, "found", call.since, caller=call.caller, called=call.called)
        for call in calls
        if call.waits_for_us
    ]
    open_calls = [call.call_id[:LONG] for call in calls]
    cause = {"cause": "started"} if is_first else {}
    return [*unheard, {"type": "source.restored", "at": at.isoformat(), "open_calls": open_calls} | cause]


def lost(at: datetime) -> Told:
    """We do not hear the exchange any more."""
    return {"type": "source.lost", "at": at.isoformat()}


def of_seconds(seconds: float) -> datetime:
    """Raises ValueError for what is no time."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError) as wrong:
        raise ValueError(str(wrong)) from None
