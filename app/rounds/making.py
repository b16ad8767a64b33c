"""A day becomes a problem: who may go where, when, with whom. Pure.

Every work rule of dispatch is here in the words of `routing`: certificates are skills; the provider's items, areas and
standing, and who has accepted, say who is meant (`only`); the elder's wish and blocked pairs say who is not (`never`);
being known or wished for is a preference. A visit that takes two is two tasks with one begin, by one provider's
people; one that has to follow another is linked to it, a meal to the insulin before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from app.core.geo import distance_m
from app.regions.divisions import lineage
from app.rounds.facts import LEAD, SECOND, Day, DayCaregiver, DayOrder, DayProvider, Place, Rules, Taken, task_of
from app.rounds.succession import WINDOW_OVER, successions, windows_after
from app.routing.problem import (
    Break,
    Caregiver,
    Link,
    Matrix,
    Objective,
    Plan,
    Problem,
    Round,
    Stop,
    Task,
    Window,
)
from app.routing.travel import DAY, Coefficients, Line, Pace, matrix

MINUTE = 60
FIXED = "fixed/"
"""How tasks begin that stand for what is booked already, and are not to be moved."""

WINDOW_EMPTY = "impossible_window"
NO_PAIR = "no_provider_with_two"


@dataclass(frozen=True, slots=True)
class Made:
    """The problem of a day; the plan that stands now (as far as it can be told); orders left aside, and why."""

    problem: Problem
    warm: Plan
    aside: Mapping[str, str]
    places: tuple[Place, ...]
    modes: tuple[str, ...]


@dataclass(slots=True)
class _Places:
    """Positions of places in the matrices, each once."""

    known: dict[Place, int] = field(default_factory=dict)

    def at(self, place: Place) -> int:
        return self.known.setdefault(place, len(self.known))


def make(day: Day) -> Made:
    """The problem that `day` poses. Orders that cannot be in any plan are left aside with a reason."""
    places, modes = _Places(), sorted({one.mode for one in day.caregivers}) or ["ebike"]
    able = _able(day)
    aside: dict[str, str] = {}
    tasks: list[Task] = []
    links: list[Link] = []
    found = {order.id: windows_of(order, day.now, day.rules) for order in day.orders}
    for order in day.orders:
        windows = windows_after(order, day.orders, found)
        if isinstance(windows, str):
            aside[order.id] = windows
            continue
        only = able.who(order)
        if order.hands > 1 and only is None:
            aside[order.id] = NO_PAIR
            continue
        tasks += _tasks(order, windows, only or frozenset(), able, places.at(order.place), day.rules)
        if order.hands > 1:
            links.append(Link(task_of(order.id), task_of(order.id, SECOND)))
    planned = {order.id for order in day.orders} - set(aside)
    caregivers: list[Caregiver] = []
    for one in day.caregivers:
        busy = [*one.taken, *_kept(day.orders, aside, one)]
        made, fixed = _caregiver(one, busy, day, places, modes)
        if made is not None:
            caregivers.append(made)
            tasks += fixed
    links += successions(day.orders, planned, tasks, caregivers)
    travel = tuple(matrices(list(places.known), modes, day.pace))
    problem = Problem(tuple(caregivers), tuple(tasks), travel, tuple(links), Objective(unserved=day.rules.unserved))
    return Made(problem, _warm(problem, day.orders, planned), aside, tuple(places.known), tuple(modes))


def windows_of(order: DayOrder, now: int, rules: Rules) -> tuple[Window, ...] | str:
    """When it may begin, whole minutes; why not at all, where there is no time left. The time it has now is one."""
    opens = _up(max(order.opens, now))
    last = order.closes if order.closes is not None else max(order.opens, now) + rules.open_end
    spans = [(opens, last), *((_up(max(first, now)), until) for first, until in order.also)]
    windows = [Window(first, until // MINUTE * MINUTE) for first, until in _united(s for s in spans if s[0] <= s[1])]
    for at in sorted({held.starts for held in order.held}):
        if at >= now and not any(window.opens <= at <= window.closes for window in windows):
            windows.append(Window(at, at))
    if windows:
        return tuple(sorted(windows, key=lambda window: window.opens))
    return WINDOW_EMPTY if order.closes is not None and order.closes < order.opens else WINDOW_OVER


def matrices(places: list[Place], modes: Iterable[str], pace: Mapping[str, Line]) -> Iterable[Matrix]:
    """Seconds by mode in whole minutes, rounded up: nobody is told to be there at 9:13:27."""
    for mode in modes:
        line = pace.get(mode)
        coefficients: Coefficients = {(mode, DAY): Pace(line, line)} if line is not None else {}
        seconds = matrix(places, mode, DAY, coefficients)
        yield np.asarray(-(-seconds // MINUTE) * MINUTE, dtype=np.int64)


class _Able:
    """Who may come to an order at all, certificates and wishes aside; equal answers are one set."""

    def __init__(self, caregivers: Iterable[DayCaregiver], providers: Iterable[DayProvider]) -> None:
        self.caregivers = tuple(caregivers)
        self.providers = {one.id: one for one in providers}
        self.team: dict[str, frozenset[str]] = {}
        for one in self.caregivers:
            self.team[one.provider] = self.team.get(one.provider, frozenset()) | {one.id}
        self.men_and_women = {
            wish: frozenset(one.id for one in self.caregivers if one.sex != wish) for wish in ("female", "male")
        }
        self._sets: dict[frozenset[str], frozenset[str]] = {}

    def never(self, order: DayOrder) -> frozenset[str]:
        """Those whom the elder does not want, or who shall not meet the elder."""
        unwanted = self.men_and_women[order.gender_wish] if order.gender_wish else frozenset()
        return unwanted | order.blocked

    def who(self, order: DayOrder) -> frozenset[str] | None:
        """Caregivers of the providers that may come; where two come together of one provider, None if none has two."""
        may = self._providers(order)
        if order.hands == 1:
            return self._team(may)
        pairs = {name: able for name in may if len(able := self._fit(order, name)) >= order.hands}
        if not pairs:
            return None
        nearest = min(pairs, key=lambda name: (name != order.asked, self._far(order, pairs[name]), name))
        return self.team[nearest]

    def _providers(self, order: DayOrder) -> list[str]:
        if order.provider is not None:
            return [order.provider]
        around = lineage(order.division)
        return [
            one.id
            for one in self.providers.values()
            if (one.open or one.id == order.asked)
            and one.id not in order.refused
            and order.item in one.items
            and not one.areas.isdisjoint(around)
        ]

    def _team(self, providers: Iterable[str]) -> frozenset[str]:
        key = frozenset(providers)
        if key not in self._sets:
            self._sets[key] = frozenset().union(*(self.team.get(name, frozenset()) for name in key))
        return self._sets[key]

    def _fit(self, order: DayOrder, provider: str) -> list[DayCaregiver]:
        never = self.never(order)
        return [
            one
            for one in self.caregivers
            if one.provider == provider
            and one.id not in never
            and (order.certificate is None or order.certificate in one.certificates)
        ]

    @staticmethod
    def _far(order: DayOrder, able: Iterable[DayCaregiver]) -> float:
        """How far the two nearest live, together; far for unknown places."""
        return sum(sorted(_metres(one.home, order.place) for one in able)[:2])


def _able(day: Day) -> _Able:
    return _Able(day.caregivers, day.providers)


def _metres(one: Place, other: Place) -> float:
    if one[0] is None or one[1] is None or other[0] is None or other[1] is None:
        return 1e6
    return distance_m(one[0], one[1], other[0], other[1])


def _tasks(
    order: DayOrder, windows: tuple[Window, ...], only: frozenset[str], able: _Able, place: int, rules: Rules
) -> list[Task]:
    known = _preference(order, only, able, rules)
    return [
        Task(
            id=task_of(order.id, role),
            place=place,
            duration=order.minutes * MINUTE + rules.turnaround,
            windows=windows,
            skills=frozenset({order.certificate}) if order.certificate else frozenset(),
            priority=priority_of(order, rules),
            only=only,
            never=able.never(order),
            preference=known,
        )
        for role in (LEAD, SECOND)[: order.hands]
    ]


def _preference(order: DayOrder, only: frozenset[str], able: _Able, rules: Rules) -> dict[str, int]:
    """Seconds of travel by caregiver, negative for those the elder knows or wishes for."""
    found = {name: -min(rules.known_most, visits * rules.known_visit) for name, visits in order.known.items()}
    for name in able.team.get(order.wished_provider or "", frozenset()):
        found[name] = found.get(name, 0) - rules.wished_provider
    if order.wished_caregiver is not None:
        found[order.wished_caregiver] = found.get(order.wished_caregiver, 0) - rules.wished_caregiver
    return {name: seconds for name, seconds in sorted(found.items()) if name in only}


def priority_of(order: DayOrder, rules: Rules) -> int:
    """1 to 99: urgency, what was promised, and the elder's circumstances. 100 is kept for what is not to be moved."""
    points = rules.priority.get(order.urgency, 1) + sum(rules.tags.get(tag, 0) for tag in order.tags)
    return max(1, min(99, points + (rules.promised if order.provider is not None else 0)))


def _caregiver(
    one: DayCaregiver, busy: list[Taken], day: Day, places: _Places, modes: list[str]
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
    spans = _cut(_united([*one.shifts, *((taken.from_, taken.until) for taken in ahead)]), one.away)
    spans = [(_up(max(since, opens)), till // MINUTE * MINUTE) for since, till in spans if till - MINUTE > opens]
    spans = [(since, till) for since, till in spans if since < till]
    if not spans:
        return None, []
    gaps = [Break(till, till, since - till) for (_, till), (since, _) in pairwise(spans)]
    fixed = [
        Task(
            id=f"{FIXED}{taken.order}/{one.id}", place=places.at(taken.place), duration=taken.until - taken.from_,
            windows=(Window(taken.from_, taken.from_),), priority=100, only=frozenset({one.id}),
        )
        for taken in ahead
    ]  # fmt: skip
    made = Caregiver(
        id=one.id, start=places.at(start), end=places.at(one.home), shift_opens=spans[0][0], shift_closes=spans[-1][1],
        skills=one.certificates, breaks=(*gaps, *_lunch(spans, gaps, rules)), profile=modes.index(one.mode),
    )  # fmt: skip
    return made, fixed


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


def _kept(orders: Iterable[DayOrder], aside: Mapping[str, str], one: DayCaregiver) -> list[Taken]:
    """Orders left aside keep the time they have."""
    return [
        Taken(order.id, held.from_, held.until, order.place)
        for order in orders
        if order.id in aside
        for held in order.held
        if held.caregiver == one.id
    ]


def _warm(problem: Problem, orders: Iterable[DayOrder], planned: set[str]) -> Plan:
    """The bookings as they stand, as a plan. Whoever does not work that day any more has no round."""
    work = {one.id: one for one in problem.tasks}
    there = {one.id for one in problem.caregivers}
    rounds: dict[str, list[Stop]] = {}
    for order in orders:
        held = [one for one in order.held if one.caregiver in there]
        if order.id not in planned or len(held) != order.hands:
            continue
        for one in held:
            name = task_of(order.id, one.role)
            rounds.setdefault(one.caregiver, []).append(
                Stop(name, one.starts, one.starts, one.starts + work[name].duration)
            )
    for task in problem.tasks:
        if task.id.startswith(FIXED):
            who, at = min(task.only or ()), task.windows[0].opens
            rounds.setdefault(who, []).append(Stop(task.id, at, at, at + task.duration))
    ordered = {who: tuple(sorted(stops, key=lambda stop: stop.starts)) for who, stops in sorted(rounds.items())}
    served = {stop.task for stops in ordered.values() for stop in stops}
    return Plan(
        tuple(Round(who, stops, stops[0].starts, stops[-1].ends) for who, stops in ordered.items()),
        tuple(task.id for task in problem.tasks if task.id not in served),
    )


def _united(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
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


def _up(at: int) -> int:
    return -(-at // MINUTE) * MINUTE
