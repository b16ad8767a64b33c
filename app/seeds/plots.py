"""What happened to the orders of the past weeks: for each day a few plots, drawn, not lived yet. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from typing import TypeVar

from app.core.clock import SHANGHAI

T = TypeVar("T")

ENDINGS = {
    "done": 62,
    "done_late": 6,
    "done_after_refusal": 6,
    "done_after_silence": 4,
    "done_other_caregiver": 3,
    "done_dissatisfied": 4,
    "done_far_away": 3,
    "done_by_hand": 2,
    "nobody_home": 4,
    "cancelled": 6,
}
"""How orders of the past ended, in parts of a hundred."""

ITEMS = {
    "meal_delivery": 20, "clean_home": 18, "bath_home": 10, "personal_care": 9, "errand": 7, "companionship": 6,
    "nail_hair": 5, "medication_care": 5, "walk_escort": 4, "escort_medical": 4, "vital_signs": 4, "meal_home": 3,
    "laundry": 2, "visit_home": 2, "appliance_help": 1,
}  # fmt: skip

CHANNELS = {"hotline": 60, "app": 12, "wechat": 12, "web": 8, "station": 5, "transfer_12345": 3}
SCORES = {5: 62, 4: 26, 3: 12}


@dataclass(frozen=True, slots=True)
class Plot:
    """One order's course. `person` is an index into the elders; `delay` how late the caregiver comes, minutes."""

    placed_at: datetime
    wanted_from: datetime
    wanted_to: datetime
    person: int
    item: str
    channel: str
    ending: str
    delay: int
    score: int | None


def past(draw: Random, days: Sequence[date], each: Sequence[int], people: int) -> Iterator[Plot]:
    """`each[i]` plots on `days[i]`, in the order in which the calls came."""
    for day, count in zip(days, each, strict=True):
        yield from sorted((_plot(draw, day, people) for _ in range(count)), key=lambda plot: plot.placed_at)


def drawn(draw: Random, parts: dict[T, int]) -> T:
    """One of `parts`, as often as its share says."""
    return draw.choices(list(parts), list(parts.values()))[0]


def _plot(draw: Random, day: date, people: int) -> Plot:
    placed_at = datetime.combine(day, time(7, 30), SHANGHAI) + timedelta(minutes=draw.randrange(0, 7 * 60))
    wanted_from = placed_at + timedelta(minutes=draw.choice((60, 90, 120, 180)))
    ending = drawn(draw, ENDINGS)
    return Plot(
        placed_at=placed_at,
        wanted_from=wanted_from,
        wanted_to=wanted_from + timedelta(hours=5),
        person=draw.randrange(people),
        item=drawn(draw, ITEMS),
        channel=drawn(draw, CHANNELS),
        ending=ending,
        delay=draw.randrange(35, 90) if ending == "done_late" else draw.randrange(-6, 9),
        score=drawn(draw, SCORES) if draw.random() < 0.85 else None,
    )
