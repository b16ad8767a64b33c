"""What a day is made of, as the database tells it: orders, caregivers, what is taken already. Pure.

Times are seconds after midnight of the service day in Shanghai; places are (lng, lat) in WGS-84, None if unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.routing.travel import Line

Place = tuple[float | None, float | None]
Span = tuple[int, int]

LEAD, SECOND = "lead", "second"
MINUTE = 60
FIXED = "fixed/"
"""How tasks begin that stand for what is booked already, and are not to be moved."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a city decides about its days; kept with every plan that was made by it. Seconds where nothing is said."""

    lunch_from_shift: int = 6 * 3600
    """Shifts of this length and more have a break."""
    lunch_opens: int = 11 * 3600
    lunch_closes: int = 13 * 3600 + 1800
    lunch: int = 1800
    turnaround: int = 300
    open_end: int = 3 * 3600 + 1800
    """How late an order may begin that is wanted from a time on, and names no end."""
    known_visit: int = 300
    """What each visit of the same caregiver before is worth, in seconds of travel; up to `known_most`."""
    known_most: int = 1500
    wished_caregiver: int = 1800
    wished_provider: int = 600
    """What it is worth that a recurring plan gets whom it wishes for."""
    unserved: float = 7200.0
    """Seconds of travel that one visit of priority 1 is worth."""
    priority: Mapping[str, int] = field(
        default_factory=lambda: {"emergency": 60, "urgent": 30, "appointment": 10, "normal": 8}
    )
    promised: int = 25
    """Added where a provider has accepted."""
    tags: Mapping[str, int] = field(
        default_factory=lambda: {
            "living_alone": 4, "incapacitated": 8, "semi_incapacitated": 4, "dementia": 6, "severely_disabled": 6,
            "extreme_poverty": 4, "advanced_age": 2,
        }
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Held:
    """An order's time with one caregiver as it stands now. `from_` and `until` are the whole booking, way included."""

    caregiver: str
    role: str
    starts: int
    from_: int
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOrder:
    """An order that may be planned. `closes` is the last begin, None where no end was named."""

    id: str
    version: int
    status: str
    item: str
    certificate: str | None
    hands: int
    urgency: str
    division: str
    place: Place
    minutes: int
    opens: int
    closes: int | None
    gender_wish: str | None
    tags: frozenset[str] = frozenset()
    provider: str | None = None
    """Who has accepted it; nobody else may come."""
    asked: str | None = None
    """Whose offer is open."""
    refused: frozenset[str] = frozenset()
    """Providers that had their chance."""
    blocked: frozenset[str] = frozenset()
    known: Mapping[str, int] = field(default_factory=dict)
    """Visits before, by caregiver."""
    held: tuple[Held, ...] = ()
    also: tuple[Span, ...] = ()
    """Other times it may begin, both ends included, where its recurring plan names several windows."""
    follows: tuple[str, int, int] | None = None
    """The order it comes after, and how long after that one's begin it begins: least and most."""
    between: Span | None = None
    """What a visit that is not planned any more leaves for its begin: it has to follow that one, or come before it."""
    wished_caregiver: str | None = None
    wished_provider: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCaregiver:
    """Somebody who works that day. `away` are absences; `taken` what is booked outside of the plan, with its place."""

    id: str
    provider: str
    sex: str
    home: Place
    mode: str
    certificates: frozenset[str]
    shifts: tuple[Span, ...]
    away: tuple[Span, ...] = ()
    taken: tuple[Taken, ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """Time that is not to be planned: another scope's visit, one that has begun, one that is suspended."""

    order: str
    from_: int
    until: int
    place: Place


@dataclass(frozen=True, slots=True)
class DayProvider:
    """`areas` are division codes, with everything below; `open` whether new orders may be offered to it."""

    id: str
    areas: frozenset[str]
    items: frozenset[str]
    open: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """Everything a problem is made from. `now` is 0 for a day to come; `pace` the way's line by mode."""

    now: int
    orders: tuple[DayOrder, ...]
    caregivers: tuple[DayCaregiver, ...]
    providers: tuple[DayProvider, ...]
    pace: Mapping[str, Line]
    rules: Rules = field(default_factory=Rules)


def task_of(order: str, role: str = LEAD) -> str:
    """The task of one pair of hands."""
    return f"{order}/{role}"


def order_of(task: str) -> tuple[str, str]:
    """The order and the role of a task of `task_of`."""
    order, _, role = task.rpartition("/")
    return order, role
