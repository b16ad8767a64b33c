"""Which visits a repair may touch: from nobody's but the broken ones to everybody's. Pure.

A level frees the rounds of so many caregivers who are near what broke; everybody else's visits stay with them (their
times may move). Levels are tried from the one that disturbs nobody to the whole day, and each that is no better than a
quieter one is left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from app.rounds.changes import ASSIGN, OFFER, TAKE_BACK, Change
from app.routing.problem import Caregiver, Pin, Plan, Problem, Stop

LEVELS: tuple[tuple[str, int | None], ...] = (("pinned", 0), ("6", 6), ("12", 12), ("24", 24), ("full", None))
"""How many neighbours' rounds are open; None for all."""


@dataclass(frozen=True, slots=True)
class Repair:
    """One choice: the plan, what it costs, and whom it disturbs."""

    level: str
    plan: Plan
    total: float
    changes: tuple[Change, ...]

    @property
    def disturbed(self) -> tuple[Change, ...]:
        return tuple(one for one in self.changes if one.how in (ASSIGN, OFFER, TAKE_BACK))


def levels(problem: Problem, plan: Plan) -> list[tuple[str, tuple[Pin, ...]]]:
    """The levels that differ for this day, each with what is pinned: nothing in the last."""
    near = nearest(problem, plan)
    found: list[tuple[str, tuple[Pin, ...]]] = []
    for name, count in LEVELS:
        if count is not None and count >= len(near):
            continue  # the whole day is not larger
        free = set(near if count is None else near[:count])
        found.append((name, pins(plan, free)))
    return found


def pins(plan: Plan, free: set[str]) -> tuple[Pin, ...]:
    """Every visit stays with its caregiver, but those of the caregivers `free`."""
    return tuple(
        Pin(stop.task, one.caregiver) for one in plan.rounds if one.caregiver not in free for stop in one.stops
    )


def nearest(problem: Problem, plan: Plan) -> list[str]:
    """Caregivers by how near they come to a visit that nobody comes to: seconds from home or from one of their visits.

    Those who may do one of these visits at all come first.
    """
    tasks = {one.id: one for one in problem.tasks}
    broken = [tasks[name] for name in plan.unserved]
    stops = {one.caregiver: [tasks[stop.task].place for stop in one.stops] for one in plan.rounds}

    def far(number: int) -> tuple[bool, int, str]:
        who = problem.caregivers[number]
        matrix = problem.travel[who.profile]
        places = [who.start, *stops.get(who.id, ())]
        able = [task for task in broken if task.skills <= who.skills and (task.only is None or who.id in task.only)]
        reach = min((int(matrix[here, task.place]) for task in able or broken for here in places), default=0)
        return not able, reach, who.id

    return [problem.caregivers[number].id for number in sorted(range(len(problem.caregivers)), key=far)]


def frontier(found: Iterable[Repair]) -> list[Repair]:
    """Repairs of which none is both dearer and no quieter than another, the quietest first."""
    kept: list[Repair] = []
    for one in sorted(found, key=lambda repair: (len(repair.disturbed), repair.total)):
        if not kept or one.total < kept[-1].total:
            kept.append(one)
    return kept


def rescued(before: Plan, after: Plan) -> int:
    """How many tasks have somebody again."""
    return len(set(before.unserved) - set(after.unserved))


def people(before: Plan, after: Plan) -> list[str]:
    """Whose day is another one: they gain, lose or shift a visit."""

    def visits(plan: Plan) -> dict[str, list[tuple[str, int]]]:
        return {one.caregiver: [(stop.task, stop.starts) for stop in one.stops] for one in plan.rounds}

    then, now = visits(before), visits(after)
    return sorted(name for name in then.keys() | now.keys() if then.get(name) != now.get(name))


def standing(problem: Problem, plan: Plan) -> Plan:
    """`plan` without the visits that cannot be kept any more: somebody is away then, or not there in time.

    Of two who come together, neither can be kept without the other.
    """
    who = {one.id: one for one in problem.caregivers}
    place = {one.id: one.place for one in problem.tasks}
    lost = set(plan.unserved)
    for one in plan.rounds:
        caregiver = who[one.caregiver]
        lost |= {stop.task for stop in one.stops if not _possible(problem, caregiver, stop, place[stop.task])}
    for link in problem.links:
        if lost & {link.first, link.second}:
            lost |= {link.first, link.second}
    rounds = (replace(one, stops=tuple(stop for stop in one.stops if stop.task not in lost)) for one in plan.rounds)
    return Plan(tuple(one for one in rounds if one.stops), tuple(sorted(lost)))


def _possible(problem: Problem, caregiver: Caregiver, stop: Stop, place: int) -> bool:
    soonest = caregiver.shift_opens + int(problem.travel[caregiver.profile][caregiver.start, place])
    away = ((rest.opens, rest.opens + rest.duration) for rest in caregiver.breaks if rest.opens == rest.closes)
    return (
        soonest <= stop.starts
        and stop.ends <= caregiver.shift_closes
        and not any(since < stop.ends and stop.starts < till for since, till in away)
    )
