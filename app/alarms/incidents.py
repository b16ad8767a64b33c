"""An incident: its states, how bad it is, and the ladder that is climbed while nobody has seen to it. Pure.

The ladder counts from the first receipt by our own clock, and pressing again does not set it back: whoever presses
ten times must not wait ten times as long. A device's clock decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Status(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    VERIFIED = "verified"
    CLOSED = "closed"


class Severity(StrEnum):
    CRITICAL = "critical"
    SERIOUS = "serious"


class Step(StrEnum):
    OPERATOR = "operator"
    FAMILY = "family"
    HELPER = "helper"
    """The nearest caregivers and stations on duty."""
    AUTHORITY = "authority"
    """An operator has to call 120, 110 or 119, and to log it."""


class Finding(StrEnum):
    """What checking showed."""

    REAL = "real"
    FALSE_ALARM = "false_alarm"


MOVES: dict[Status, frozenset[Status]] = {
    Status.OPEN: frozenset({Status.ACKNOWLEDGED, Status.VERIFIED}),
    Status.ACKNOWLEDGED: frozenset({Status.VERIFIED}),
    Status.VERIFIED: frozenset({Status.CLOSED}),
    Status.CLOSED: frozenset(),
}
"""Nothing is closed that nobody has verified."""

CLIMBING = frozenset({Status.OPEN, Status.ACKNOWLEDGED})
"""While an incident is in one of these, another report puts the ladder up again. Taking it on stops no step but the
call to the operators, for whoever took it on may be kept from it."""

FALSE_ALARM_CODES = {
    "pressed_by_mistake": "误触", "testing": "测试", "device_fault": "设备故障", "cooking_or_steam": "做饭或水汽",
    "withdrawn": "老人自行解除", "other": "其他",
}  # fmt: skip

CRITICAL = frozenset({"sos", "fall", "smoke", "gas", "fire", "health", "pull_cord", "phone"})
"""The rest, known or not, is serious: somebody has to look."""


def severity(kind: str) -> Severity:
    return Severity.CRITICAL if kind in CRITICAL else Severity.SERIOUS


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of a ladder, so many seconds after the first receipt."""

    step: Step
    after_s: int


def ladder(rungs: Iterable[Rung], first_at: datetime) -> list[tuple[Step, datetime]]:
    """When each step is due, in the order of time; of a step that is named twice the earlier counts."""
    due: dict[Step, datetime] = {}
    for rung in sorted(rungs, key=lambda one: (one.after_s, one.step)):
        due.setdefault(rung.step, first_at + timedelta(seconds=rung.after_s))
    return list(due.items())


def over(status: Status, finding: Finding | None) -> bool:
    """Nobody needs help any more: only then does the ladder stop. What was verified as real is the very case it is
    there for."""
    return status is Status.CLOSED or finding is Finding.FALSE_ALARM


def may(now: Status, to: Status) -> bool:
    return to in MOVES[now]
