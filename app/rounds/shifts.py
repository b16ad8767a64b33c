"""A caregiver's working day as a solver sees it: one shift, the rests in it, and what is fixed already. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import pairwise

from app.rounds.facts import FIXED, MINUTE, Day, DayCaregiver, Place, Rules, Taken
from app.routing.problem import Break, Caregiver, Task, Window


def shift_of(
    one: DayCaregiver, busy: list[Taken], day: Day, at: Callable[[Place], int], profile: int
) -> tuple[Caregiver | None, list[Task]]:
    """A caregiver with one shift from the first hour to the last, rests where there is none, and what is fixed.

    What has begun by `now` ends first, and the day goes on from where it was.
    """
    rules, start, opens = day.rules, one.home, day.now
    begun = [taken for taken in busy if taken.from_ < day.now]
    if begun:
        last = max(begun, key=lambda taken: taken.until)
        start, opens = last.place, max(day.now, last.until)
    ahead = sorted((taken for taken in busy if taken.from_ >= opens), key=lambda taken: taken.from_)
    spans = _cut(united([*one.shifts, *((taken.from_, taken.until) for taken in ahead)]), one.away)
    spans = [
        (whole_minute(max(since, opens)), till // MINUTE * MINUTE) for since, till in spans if till - MINUTE > opens
    ]
    spans = [(since, till) for since, till in spans if since < till]
    if not spans:
        return None, []
    if ahead and ahead[0].from_ <= spans[0][0]:
        start = ahead[0].place  # the way from home is in what is booked
    gaps = [Break(till, till, since - till) for (_, till), (since, _) in pairwise(spans)]
    fixed = [
        Task(
            id=f"{FIXED}{taken.order}/{one.id}", place=at(taken.place), duration=taken.until - taken.from_,
            windows=(Window(taken.from_, taken.from_),), priority=100, only=frozenset({one.id}),
        )
        for taken in ahead
    ]  # fmt: skip
    made = Caregiver(
        id=one.id, start=at(start), end=at(one.home), shift_opens=spans[0][0], shift_closes=spans[-1][1],
        skills=one.certificates, breaks=(*gaps, *_lunch(spans, gaps, rules)), profile=profile,
    )  # fmt: skip
    return made, fixed


def prolonged(day: Day, order: str, by: int) -> Day:
    """The day with a visit that goes on so many seconds longer than booked, or than now: the database does not know.

    Everything else that a disruption is about is known already: an absence, an order.
    """

    def later(taken: Taken) -> Taken:
        return replace(taken, until=max(taken.until, day.now) + by) if taken.order == order else taken

    people = tuple(replace(one, taken=tuple(map(later, one.taken))) for one in day.caregivers)
    return replace(day, caregivers=people)


def _lunch(spans: list[tuple[int, int]], gaps: list[Break], rules: Rules) -> list[Break]:
    """A rest for whoever works long and through noon. A gap long enough around noon is one already."""
    since, till = spans[0][0], spans[-1][1]
    opens, closes = max(rules.lunch_opens, since), min(rules.lunch_closes, till - rules.lunch)
    if till - since < rules.lunch_from_shift or closes < opens:
        return []
    if any(gap.duration >= rules.lunch and gap.opens < closes + rules.lunch and gap.opens + gap.duration > opens
           for gap in gaps):  # fmt: skip
        return []
    return [Break(opens, closes, rules.lunch)]


def united(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    made: list[tuple[int, int]] = []
    for since, till in sorted(spans):
        if made and since <= made[-1][1]:
            made[-1] = (made[-1][0], max(made[-1][1], till))
        else:
            made.append((since, till))
    return made


def _cut(spans: list[tuple[int, int]], away: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    for gone, back in away:
        spans = [
            part
            for since, till in spans
            for part in ((since, min(till, gone)), (max(since, back), till))
            if part[0] < part[1]
        ]
    return spans


def whole_minute(at: int) -> int:
    return -(-at // MINUTE) * MINUTE
