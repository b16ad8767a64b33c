"""What a problem allows before anyone plans: can it be right at all, who may do what, what is out of reach. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from app.routing.problem import Caregiver, Pin, Plan, Problem, Task, Unsolvable, Window

MUST = 10_000
"""The priority of a task that a solver is not to leave out."""


def check(problem: Problem) -> None:
    """Raises `Unsolvable` for what no day can contain. A task that nobody can do is not that: see `reasons`."""
    caregivers = [one.id for one in problem.caregivers]
    tasks = [one.id for one in problem.tasks]
    for what, ids in (("caregiver", caregivers), ("task", tasks)):
        if twice := [name for name, count in Counter(ids).items() if count > 1]:
            raise Unsolvable(f"{what} {twice[0]} is there twice")
    places = _places(problem)
    for caregiver in problem.caregivers:
        _check_caregiver(caregiver, len(problem.travel), places)
    for task in problem.tasks:
        _check_task(task, places)
    known = set(tasks)
    for link in problem.links:
        for name in (link.first, link.second):
            if name not in known:
                raise Unsolvable(f"a link names the unknown task {name}")
        if link.least > link.most or link.first == link.second:
            raise Unsolvable(f"the link of {link.first} and {link.second} cannot be kept")


def allowed(task: Task, caregiver: Caregiver) -> bool:
    """Whether the caregiver may do the task at all, times aside."""
    return (
        task.skills <= caregiver.skills
        and caregiver.id not in task.never
        and (task.only is None or caregiver.id in task.only)
    )


def marks(problem: Problem) -> tuple[list[frozenset[int]], list[frozenset[int]]]:
    """`allowed` in the one word all solvers know: small numbers a task asks for and a caregiver has, by position.

    One mark per skill, one per distinct set of named caregivers, one per distinct set of refused ones.
    """
    tests: dict[tuple[str, object], int] = {}
    asked: list[frozenset[int]] = []
    for task in problem.tasks:
        own: list[tuple[str, object]] = [("skill", skill) for skill in sorted(task.skills)]
        own += [("only", task.only)] if task.only is not None else []
        own += [("never", task.never)] if task.never else []
        asked.append(frozenset(tests.setdefault(test, len(tests)) for test in own))

    def passes(caregiver: Caregiver, rule: str, what: object) -> bool:
        if rule == "skill":
            return what in caregiver.skills
        return (caregiver.id in what) == (rule == "only")  # type: ignore[operator]

    return asked, [
        frozenset(mark for (rule, what), mark in tests.items() if passes(caregiver, rule, what))
        for caregiver in problem.caregivers
    ]


def pinned(problem: Problem, pins: Sequence[Pin]) -> Problem:
    """The same day in which each pinned task asks for its caregiver (and its time), so that every solver keeps pins."""
    by_task = {pin.task: pin for pin in pins}

    def kept(task: Task) -> Task:
        if (pin := by_task.get(task.id)) is None:
            return task
        windows = task.windows if pin.starts is None else (Window(pin.starts, pin.starts),)
        return replace(task, only=frozenset({pin.caregiver}), windows=windows)

    return replace(problem, tasks=tuple(map(kept, problem.tasks))) if pins else problem


def linked(problem: Problem) -> frozenset[str]:
    """The tasks that are linked to others."""
    return frozenset(name for link in problem.links for name in (link.first, link.second))


def frozen(problem: Problem, plan: Plan) -> Problem:
    """The same day with linked tasks fixed where `plan` has them, or gone where it leaves them out: no links remain."""
    if not problem.links:
        return problem
    tied = linked(problem)
    served = [(one.caregiver, stop) for one in plan.rounds for stop in one.stops if stop.task in tied]
    pins = [Pin(stop.task, caregiver, stop.starts) for caregiver, stop in served]
    gone = tied - {pin.task for pin in pins}
    kept = [replace(task, priority=MUST) if task.id in tied else task for task in problem.tasks if task.id not in gone]
    return pinned(replace(problem, tasks=tuple(kept), links=()), pins)


def reasons(problem: Problem, plan: Plan) -> Mapping[str, str]:
    """Why each unserved task is one: `no_skill` (nobody may do it), `no_window_in_any_shift` (nobody who may could
    do it even with the day to themselves), `no_room` (in this plan). A linked task has its partner's if that is worse.
    """
    tasks = {one.id: one for one in problem.tasks}
    own = {name: _reason(problem, tasks[name]) for name in plan.unserved}
    found = dict(own)
    for link in problem.links:
        for name, other in ((link.first, link.second), (link.second, link.first)):
            if found.get(name) == "no_room":
                found[name] = own.get(other, "no_room")
    return found


def bound(problem: Problem) -> float:
    """A cost that no plan can beat: every task costs its shortest way in with the dearest saving of preference,
    or being left out, whichever is less. Cheap and true, not tight.
    """
    weights = problem.objective
    places = Counter(one.place for one in problem.tasks)
    places.update({one.start: 1 for one in problem.caregivers})
    origins = sorted(places)
    total = 0.0
    for task in problem.tasks:
        others = [place for place in origins if place != task.place]
        nearest = min((int(m[others, task.place].min()) for m in problem.travel if others), default=0)
        served = weights.travel * nearest if places[task.place] == 1 else 0.0
        served += weights.preference * min(0, *task.preference.values(), 0)
        left_out = weights.unserved * task.priority
        possible = problem.soft_windows or _reason(problem, task) == "no_room"
        total += min(served, left_out) if possible else left_out
    return total


def _reason(problem: Problem, task: Task) -> str:
    able = [caregiver for caregiver in problem.caregivers if allowed(task, caregiver)]
    if not able:
        return "no_skill"
    return "no_room" if any(_fits(problem, task, caregiver) for caregiver in able) else "no_window_in_any_shift"


def _fits(problem: Problem, task: Task, caregiver: Caregiver) -> bool:
    """With nothing else to do that day, breaks aside."""
    matrix = problem.travel[caregiver.profile]
    arrives = caregiver.shift_opens + int(matrix[caregiver.start, task.place])
    latest = caregiver.shift_closes - int(matrix[task.place, caregiver.end]) - task.duration
    return any(max(arrives, window.opens) <= min(latest, window.closes) for window in task.windows)


def _places(problem: Problem) -> int:
    sides = {side for matrix in problem.travel for side in matrix.shape}
    if len(sides) != 1 or any(matrix.ndim != 2 for matrix in problem.travel):
        raise Unsolvable("the travel matrices are not square and of one size")
    if any((matrix < 0).any() for matrix in problem.travel):
        raise Unsolvable("a way takes less than no time")
    return int(sides.pop())


def _check_caregiver(caregiver: Caregiver, profiles: int, places: int) -> None:
    if not (0 <= caregiver.start < places and 0 <= caregiver.end < places):
        raise Unsolvable(f"caregiver {caregiver.id} starts or ends at an unknown place")
    if not 0 <= caregiver.profile < profiles:
        raise Unsolvable(f"caregiver {caregiver.id} travels by an unknown profile")
    if caregiver.shift_closes < caregiver.shift_opens:
        raise Unsolvable(f"the shift of caregiver {caregiver.id} closes before it opens")
    for rest in caregiver.breaks:
        earliest = max(rest.opens, caregiver.shift_opens)
        if rest.duration < 0 or min(rest.closes, caregiver.shift_closes - rest.duration) < earliest:
            raise Unsolvable(f"a break of caregiver {caregiver.id} has no place in the shift")


def _check_task(task: Task, places: int) -> None:
    if not 0 <= task.place < places:
        raise Unsolvable(f"task {task.id} is at an unknown place")
    if task.duration < 0 or not 1 <= task.priority <= 100:
        raise Unsolvable(f"task {task.id} has a duration or a priority that cannot be")
    if not task.windows:
        raise Unsolvable(f"task {task.id} has no window")
    previous: Window | None = None
    for window in task.windows:
        if window.closes < window.opens:
            raise Unsolvable(f"a window of task {task.id} closes before it opens")
        if previous and window.opens <= previous.closes:
            raise Unsolvable(f"the windows of task {task.id} overlap or are out of order")
        previous = window
