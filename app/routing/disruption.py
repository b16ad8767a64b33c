"""A day that breaks in the middle: what has happened stays, what is left becomes a problem of its own. Pure.

A visit that has started, or to which somebody is on the way, is not touched. Everybody goes on from where they are
free next. Linked visits stay at their times; a lost one keeps to its partner's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from app.routing.possibility import MUST
from app.routing.problem import Break, Caregiver, Plan, Problem, Round, Stop, Task, Window, narrowed
from app.routing.promises import apart, possible, timed_as_told
from app.routing.timetable import starts_of, timed, visits_of


@dataclass(frozen=True, slots=True)
class Illness:
    """From `since` on this caregiver is not there; visits that would end later are lost."""

    caregiver: str
    since: int


@dataclass(frozen=True, slots=True)
class Vacancies:
    """Visits that need somebody: the problem has them, the plan leaves them out. An emergency is one; `told` has the
    starts of those that somebody was to come to.
    """

    tasks: tuple[str, ...]
    told: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Overrun:
    """A visit that takes `longer` than planned, in the problem's units."""

    task: str
    longer: int


NOBODY = ""

Disruption = Illness | Vacancies | Overrun


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one caregiver stands: `done` stays as it is, `later` is the caregiver from then on with the breaks still to
    come, `rested` when the others began (None: still to come), `to_do` what else was planned.
    """

    whole: Caregiver
    later: Caregiver
    done: tuple[Stop, ...]
    rested: tuple[int | None, ...]
    to_do: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Broken:
    """`problem` is the day as it has become, `told` when its visits were to begin, `rest` what may still be arranged:
    tasks that are lost or yet to come, by whoever is there. `orders` is who still does what, `lost` who needs somebody,
    the dearest first.
    """

    problem: Problem
    plan: Plan
    told: Mapping[str, int]
    rest: Problem
    standing: Mapping[str, Standing]
    orders: Mapping[str, tuple[str, ...]]
    lost: tuple[str, ...]


def broken(problem: Problem, plan: Plan, disruption: Disruption, now: int) -> Broken:
    """The day after a disruption that is heard of at `now`. The plan is valid until then."""
    tasks = {one.id: one for one in problem.tasks}
    if isinstance(disruption, Overrun):
        slow = tasks[disruption.task]
        tasks[slow.id] = replace(slow, duration=slow.duration + disruption.longer)
    rounds = {one.caregiver: one for one in plan.rounds}
    since = {disruption.caregiver: disruption.since} if isinstance(disruption, Illness) else {}
    standing = {
        one.id: _standing(problem, tasks, one, rounds.get(one.id), now, since.get(one.id)) for one in problem.caregivers
    }
    there = [one for name, one in standing.items() if name not in since]
    told = visits_of(plan.rounds)
    fixed = tasks | _bound(problem, told, ())
    orders = {
        one.later.id: possible(problem.travel[one.later.profile], one.later, [fixed[name] for name in one.to_do])
        for one in there
    }
    kept = {name for names in orders.values() for name in names}
    planned = [name for one in standing.values() for name in one.to_do]
    lost = [name for name in planned if name not in kept]
    if isinstance(disruption, Vacancies):
        lost += disruption.tasks
        told |= {name: (NOBODY, starts) for name, starts in disruption.told.items()}
    day = replace(problem, caregivers=tuple(one.whole for one in standing.values()), tasks=tuple(tasks.values()))
    bound = _bound(day, told, lost)
    rest = tuple(bound.get(name, task) for name, task in tasks.items() if name in kept or name in lost)
    return Broken(
        day,
        plan,
        {name: starts for name, (_, starts) in told.items()},
        replace(day, caregivers=tuple(one.later for one in there), tasks=rest, links=()),
        standing,
        orders,
        tuple(sorted(lost, key=lambda name: -tasks[name].priority)),
    )


def repaired(day: Broken, orders: Mapping[str, Sequence[str]]) -> tuple[Problem, Plan]:
    """The whole day if the rest of it goes by `orders`, and the problem it answers. Of two linked visits of which only
    one finds somebody, the other is left out, too; if it has happened, the link is no more. Two at the wrong times are
    both left out.
    """
    served = {name for names in orders.values() for name in names}
    happened = {stop.task for one in day.standing.values() for stop in one.done}
    links, dropped = [], set[str]()
    for link in day.problem.links:
        pair = {link.first, link.second}
        if len(pair & (served | happened)) != 1:
            links.append(link)
        elif pair & served:
            links.append(link)
            dropped |= pair
    tasks = {one.id: one for one in day.rest.tasks}
    old = {one.caregiver: one for one in day.plan.rounds}
    linked = {name for link in links for name in (link.first, link.second)}  # these keep to each other's times
    rounds, yielding = [], set(day.lost) - linked
    for name, one in day.standing.items():
        way = tuple(task for task in orders.get(name, ()) if task not in dropped)
        was, matrix = old.get(name), day.rest.travel[one.later.profile]
        if was and way == one.to_do and was.stops[: len(one.done)] == one.done:
            rounds.append(was)
        elif way and (later := timed_as_told(matrix, one.later, [tasks[task] for task in way], day.told, yielding)):
            rounds.append(_joined(one, was, later))
        elif was and one.done:
            rounds.append(_joined(one, was, _home(day.problem, one)))
    starts = starts_of(rounds)
    if too_far := {name for link in links if apart(link, starts) for name in (link.first, link.second)} & served:
        return repaired(day, {name: [task for task in way if task not in too_far] for name, way in orders.items()})
    unserved = tuple(task.id for task in day.problem.tasks if task.id not in starts)
    return replace(day.problem, links=tuple(links)), Plan(tuple(rounds), unserved)


def _standing(
    problem: Problem, tasks: Mapping[str, Task], caregiver: Caregiver, was: Round | None, now: int, ill: int | None
) -> Standing:
    matrix = problem.travel[caregiver.profile]
    place, free, done = caregiver.start, was.leaves if was else caregiver.shift_opens, list[Stop]()
    for stop in was.stops if was else ():
        way = int(matrix[place, tasks[stop.task].place])
        departs = stop.arrives - way if done else free
        if not (stop.starts <= now or (departs <= now if ill is None else stop.ends <= ill)):
            break
        done.append(replace(stop, ends=stop.starts + tasks[stop.task].duration))
        place, free = tasks[stop.task].place, done[-1].ends
    free = max(free, now) if done else max(caregiver.shift_opens, now)
    planned = was.breaks if was else tuple(rest.opens for rest in caregiver.breaks)
    over = [at <= now and (was is not None or at + rest.duration <= now) for at, rest in _pairs(planned, caregiver)]
    free = max(
        [free, *(at + rest.duration for (at, rest), had in zip(_pairs(planned, caregiver), over, strict=True) if had)]
    )
    pending = [replace(rest, closes=max(rest.closes, free)) for rest in caregiver.breaks]
    later = tuple(rest for rest, had in zip(pending, over, strict=True) if not had)
    closes = free + int(matrix[place, caregiver.end]) + sum(rest.duration for rest in later)
    closes = max(caregiver.shift_closes, closes) if done else caregiver.shift_closes
    return Standing(
        replace(caregiver, shift_closes=closes, breaks=tuple(pending)),
        replace(caregiver, start=place, shift_opens=free, shift_closes=closes, breaks=later),
        tuple(done),
        tuple(at if had else None for at, had in zip(planned, over, strict=True)),
        tuple(stop.task for stop in was.stops[len(done) :]) if was else (),
    )


def _pairs(planned: Sequence[int], caregiver: Caregiver) -> list[tuple[int, Break]]:
    return list(zip(planned, caregiver.breaks, strict=True))


def _bound(day: Problem, served: Mapping[str, tuple[str, int]], lost: Sequence[str]) -> dict[str, Task]:
    """Linked tasks with the times their links leave them; all else is free within its windows. `served` says by whom
    and when, as it was told.
    """
    tasks = {one.id: one for one in day.tasks}
    bound: dict[str, Task] = {}
    for link in day.links:
        for name, other, least, most in (
            (link.first, link.second, -link.most, -link.least),
            (link.second, link.first, link.least, link.most),
        ):
            task = bound.get(name, tasks[name])
            if name in served and name not in lost and (other in served or other in lost):
                who, starts = served[name]
                bound[name] = replace(task, windows=(Window(starts, starts),), only=frozenset({who}), priority=MUST)
            elif name in served and other in served and other in lost:
                starts = served[name][1]
                bound[name] = replace(task, windows=(Window(starts, starts),))
            elif name in lost and other in served and other not in lost:
                with_whom, at = served[other]
                never = task.never | {with_whom} if link.different_caregivers else task.never
                bound[name] = replace(task, windows=narrowed(task.windows, at + least, at + most), never=never)
    return bound


def _home(problem: Problem, one: Standing) -> Round:
    """From the last visit straight home, with the breaks that are left."""
    nothing = Task("", one.later.start, 0, (Window(one.later.shift_opens, one.later.shift_opens),))
    found = timed(problem.travel[one.later.profile], one.later, [nothing])
    assert found is not None  # noqa: S101 - the shift was stretched for it
    return replace(found, stops=())


def _joined(one: Standing, was: Round | None, later: Round) -> Round:
    coming = iter(later.breaks)
    breaks = tuple(next(coming) if at is None else at for at in one.rested)
    leaves = was.leaves if was and one.done else later.leaves
    return Round(one.whole.id, (*one.done, *later.stops), leaves, later.back, breaks)
