"""Whether a plan may be shown, and what it costs. Pure; knows no solver and believes none.

`violations` walks every round again from the problem alone: of the plan it takes only who does what when, and derives
what must be true. A plan without violations can be driven as it stands. The words of `RULES` are stable.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence

from app.routing.possibility import check, reasons
from app.routing.problem import Caregiver, Cost, Link, Pin, Plan, Problem, Round, Stop, Task, Violation

__all__ = ["RULES", "check", "cost", "reasons", "violations"]

RULES = {
    "unknown": "a task or a caregiver that the problem does not have",
    "doubled": "a task more than once, or two rounds of one caregiver",
    "missing": "a task neither in a round nor among the unserved",
    "unserved": "a task left out where all must be served",
    "empty": "a round without a stop",
    "skill": "a caregiver without a skill the task asks for",
    "only": "a caregiver outside those the task names",
    "never": "a caregiver the task refuses",
    "window": "a start outside the windows",
    "duration": "a stop whose end is not its start and the task's duration",
    "travel": "less time between two stops than the way (and the breaks on it) takes",
    "shift": "leaving before the shift opens, or back after it closes",
    "break": "a break left out, outside its window, or during work or on the doorstep",
    "link": "two linked starts too near or too far",
    "link_caregiver": "two linked tasks by one caregiver who must be two",
    "link_alone": "one of two linked tasks served without the other",
    "pin": "a pinned task not with its caregiver, or not at its time",
}


def violations(problem: Problem, plan: Plan, pins: Sequence[Pin] = ()) -> tuple[Violation, ...]:
    """Everything `plan` does that it must not, in the order of the rounds; empty for a plan that may be shown.

    Pins are kept if their task is served at all; leaving a pinned task out is a matter of cost.
    """
    return tuple(Violation(rule, detail) for rule, detail in _Walk(problem, plan).all(pins))


def cost(problem: Problem, plan: Plan) -> Cost:
    """Recomputed from the problem's matrices. Defined for plans that name known tasks; validity is not asked."""
    caregivers = {one.id: one for one in problem.caregivers}
    tasks = {one.id: one for one in problem.tasks}
    travel = lateness = worst = preference = 0
    for one in plan.rounds:
        caregiver = caregivers[one.caregiver]
        matrix = problem.travel[caregiver.profile]
        way = [caregiver.start, *(tasks[stop.task].place for stop in one.stops), caregiver.end]
        travel += sum(int(matrix[here, there]) for here, there in itertools.pairwise(way))
        for stop in one.stops:
            task = tasks[stop.task]
            late = max(0, stop.starts - task.windows[-1].closes) if problem.soft_windows else 0
            lateness += late
            worst = max(worst, late)
            preference += task.preference.get(one.caregiver, 0)
    weight = sum(tasks[name].priority for name in plan.unserved)
    weights = problem.objective
    total = (
        weights.travel * travel
        + weights.unserved * weight
        + weights.lateness * lateness
        + weights.worst_lateness * worst
        + weights.preference * preference
    )
    return Cost(travel, weight, len(plan.unserved), lateness, worst, preference, total)


class _Walk:
    """One look at one plan; every method yields (rule, detail)."""

    def __init__(self, problem: Problem, plan: Plan) -> None:
        self.problem = problem
        self.plan = plan
        self.caregivers = {one.id: one for one in problem.caregivers}
        self.tasks = {one.id: one for one in problem.tasks}
        self.served = {stop.task: (one.caregiver, stop) for one in plan.rounds for stop in one.stops}

    def all(self, pins: Sequence[Pin]) -> Iterator[tuple[str, str]]:
        yield from self.counted()
        for one in self.plan.rounds:
            if (caregiver := self.caregivers.get(one.caregiver)) is None:
                yield "unknown", f"caregiver {one.caregiver}"
            elif not one.stops:
                yield "empty", f"round of {one.caregiver}"
            else:
                for stop in one.stops:
                    if task := self.tasks.get(stop.task):
                        yield from self.permitted(caregiver, task)
                        yield from self.punctual(task, stop)
                yield from self.passable(caregiver, one)
        for link in self.problem.links:
            yield from self.linked(link)
        for pin in pins:
            yield from self.pinned(pin)

    def counted(self) -> Iterator[tuple[str, str]]:
        """Every task of the problem exactly once, and no other."""
        seen = Counter(stop.task for one in self.plan.rounds for stop in one.stops)
        seen.update(self.plan.unserved)
        for name, count in seen.items():
            if name not in self.tasks:
                yield "unknown", f"task {name}"
            elif count > 1:
                yield "doubled", f"task {name}"
        for name in self.tasks:
            if name not in seen:
                yield "missing", f"task {name}"
        for name, count in Counter(one.caregiver for one in self.plan.rounds).items():
            if count > 1:
                yield "doubled", f"rounds of {name}"
        if self.problem.soft_windows:
            yield from (("unserved", f"task {name}") for name in self.plan.unserved)

    def permitted(self, caregiver: Caregiver, task: Task) -> Iterator[tuple[str, str]]:
        who = f"{task.id} with {caregiver.id}"
        if lacking := task.skills - caregiver.skills:
            yield "skill", f"{who} lacks {', '.join(sorted(lacking))}"
        if task.only is not None and caregiver.id not in task.only:
            yield "only", who
        if caregiver.id in task.never:
            yield "never", who

    def punctual(self, task: Task, stop: Stop) -> Iterator[tuple[str, str]]:
        late = self.problem.soft_windows and stop.starts > task.windows[-1].closes
        if not late and not any(window.opens <= stop.starts <= window.closes for window in task.windows):
            yield "window", f"{task.id} at {stop.starts}"
        if stop.ends != stop.starts + task.duration:
            yield "duration", f"{task.id} from {stop.starts} to {stop.ends}"

    def passable(self, caregiver: Caregiver, one: Round) -> Iterator[tuple[str, str]]:
        """The way from stop to stop with the breaks on it, from leaving to being back."""
        if one.leaves < caregiver.shift_opens or one.back > caregiver.shift_closes:
            yield "shift", f"{caregiver.id} from {one.leaves} to {one.back}"
        yield from _breaks(caregiver, one)
        rests = sorted((at, at + rest.duration) for at, rest in zip(one.breaks, caregiver.breaks, strict=False))
        matrix = self.problem.travel[caregiver.profile]
        place, free = caregiver.start, one.leaves
        stops = [(stop.task, self.tasks[stop.task].place, stop.arrives, stop.starts, stop.ends)
                 for stop in one.stops if stop.task in self.tasks]  # fmt: skip
        for name, there, arrives, starts, ends in [*stops, ("the end", caregiver.end, one.back, one.back, one.back)]:
            resting = sum(till - since for since, till in rests if free <= since < arrives)
            waiting = sum(till - since for since, till in rests if arrives <= since < starts)
            if arrives < free + int(matrix[place, there]) + resting or starts < arrives + waiting:
                yield "travel", f"{caregiver.id} to {name} at {arrives}"
            place, free = there, ends

    def linked(self, link: Link) -> Iterator[tuple[str, str]]:
        who = f"{link.first} and {link.second}"
        first, second = self.served.get(link.first), self.served.get(link.second)
        if first is None or second is None:
            if first is not second:
                yield "link_alone", who
            return
        if not link.least <= second[1].starts - first[1].starts <= link.most:
            yield "link", f"{who}: {first[1].starts} and {second[1].starts}"
        if link.different_caregivers and first[0] == second[0]:
            yield "link_caregiver", f"{who} with {first[0]}"

    def pinned(self, pin: Pin) -> Iterator[tuple[str, str]]:
        caregiver, stop = self.served.get(pin.task, (None, None))
        if stop and (caregiver != pin.caregiver or pin.starts not in (None, stop.starts)):
            yield "pin", f"{pin.task} with {caregiver} at {stop.starts}"


def _breaks(caregiver: Caregiver, one: Round) -> Iterator[tuple[str, str]]:
    """Each once, in its window; no two at a time; not during work, nor begun on the way and ended on the doorstep."""
    if len(one.breaks) != len(caregiver.breaks):
        yield "break", f"{caregiver.id} takes {len(one.breaks)} of {len(caregiver.breaks)}"
    taken = [(at, at + rest.duration, rest) for at, rest in zip(one.breaks, caregiver.breaks, strict=False)]
    for at, till, rest in taken:
        if not rest.opens <= at <= rest.closes:
            yield "break", f"{caregiver.id} at {at}"
        moments = [one.leaves, *(stop.arrives for stop in one.stops), one.back]
        if any(at < moment < till for moment in moments):
            yield "break", f"{caregiver.id} at {at} leaves or arrives in the middle of it"
        if any(at < stop.ends and stop.starts < till for stop in one.stops):
            yield "break", f"{caregiver.id} at {at} works in the middle of it"
    spans = sorted((at, till) for at, till, _ in taken)
    for (_, till), (at, _) in itertools.pairwise(spans):
        if at < till:
            yield "break", f"{caregiver.id} at {at} takes two at a time"
