"""When the centre may call, and when it tries again. Pure.

Nobody is called in the quiet hours, in which nobody is sent a message either. After a call without an answer the
next one falls into another part of the day, since whoever is out in the morning may be in at night.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from enum import StrEnum

from app.core.clock import SHANGHAI
from app.messaging.quiet_hours import next_open

PARTS = (time(9, 0), time(14, 0), time(18, 30))
"""When we try in the morning, the afternoon and the evening."""
PART_ENDS = (time(12, 0), time(17, 30))


class Answer(StrEnum):
    REACHED = "reached"
    NO_ANSWER = "no_answer"
    REFUSED = "refused"
    WRONG_NUMBER = "wrong_number"


FINAL = frozenset({Answer.REACHED, Answer.REFUSED})


def is_quiet(at: datetime) -> bool:
    """Is `at` inside the quiet hours of `messaging`?"""
    return next_open(at) != at


def part_of(at: datetime) -> int:
    """0 morning, 1 afternoon, 2 evening."""
    local = at.astimezone(SHANGHAI).time()
    return sum(local >= end for end in PART_ENDS)


def next_call(after: datetime) -> datetime:
    """When to try again after an unanswered call at `after`: the beginning of the next part of the day."""
    part = part_of(after) + 1
    day = after.astimezone(SHANGHAI).date() + timedelta(days=part // len(PARTS))
    return datetime.combine(day, PARTS[part % len(PARTS)], SHANGHAI).astimezone(after.tzinfo)


def outcome_after(answer: Answer, attempts: int, max_attempts: int) -> str | None:
    """What closes the follow-up after attempt number `attempts`; None while it stays open."""
    if answer in FINAL:
        return answer.value
    return "unreachable" if attempts >= max_attempts else None
