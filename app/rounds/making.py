"""A day becomes a problem: who may go where, when, with whom. Pure.

Every work rule of matching is here in the words of `routing`: certificates are skills; the provider's items, areas and
standing, and who has accepted, say who is meant (`only`); the elder's wish and blocked pairs say who is not (`never`);
being known or wished for is a preference. A visit that takes two is two tasks with one begin, by one provider's
people; one that has to follow another is linked to it, a meal to the insulin before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from app.rounds.eligibility import Eligible
from app.rounds.facts import FIXED, LEAD, MINUTE, SECOND, Day, DayCaregiver, DayOrder, Place, Rules, Taken, task_of
from app.rounds.shifts import shift_of, united, whole_minute
from app.rounds.succession import WINDOW_OVER, successions, windows_after
from app.routing.problem import (
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
    able = Eligible(day.caregivers, day.providers)
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
        made, fixed = shift_of(one, busy, day, places.at, modes.index(one.mode))
        if made is not None:
            caregivers.append(made)
            tasks += fixed
    links += successions(day.orders, planned, tasks, caregivers)
    travel = tuple(matrices(list(places.known), modes, day.pace))
    problem = Problem(tuple(caregivers), tuple(tasks), travel, tuple(links), Objective(unserved=day.rules.unserved))
    return Made(problem, _warm(problem, day.orders, planned), aside, tuple(places.known), tuple(modes))


def windows_of(order: DayOrder, now: int, rules: Rules) -> tuple[Window, ...] | str:
    """When it may begin, whole minutes; why not at all, where there is no time left. The time it has now is one."""
    opens = whole_minute(max(order.opens, now))
    last = order.closes if order.closes is not None else max(order.opens, now) + rules.open_end
    spans = [(opens, last), *((whole_minute(max(first, now)), until) for first, until in order.also)]
    windows = [Window(first, until // MINUTE * MINUTE) for first, until in united(s for s in spans if s[0] <= s[1])]
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


def _tasks(
    order: DayOrder, windows: tuple[Window, ...], only: frozenset[str], able: Eligible, place: int, rules: Rules
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


def _preference(order: DayOrder, only: frozenset[str], able: Eligible, rules: Rules) -> dict[str, int]:
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
