"""What it takes to mend a day: every level of the frontier, what it saves, whom it disturbs, what it costs."""

from __future__ import annotations

import time
from dataclasses import replace

from app.routing import repair
from app.routing.disruption import Disruption, Illness, Overrun, Vacancies
from app.routing.frontier import Frontier
from app.routing.problem import Plan, Problem, Task, Window
from app.routing.validation import violations

HOUR = 3600
MORNING, NOON = 6 * HOUR, 12 * HOUR
HIGH = 5
"""Priorities that must be saved, or it must be shown that nobody can."""


def show(day: Problem, plan: Plan, seed: int) -> None:
    """Four disruptions of one plan; the frontier of each in this process, and its CPU time as a whole."""
    longest = max(plan.rounds, key=lambda one: len(one.stops))
    going_on = next(stop for one in plan.rounds for stop in one.stops if stop.starts <= NOON < stop.ends)
    with_emergency = _with_emergency(day)
    cases: list[tuple[str, Problem, Disruption, int]] = [
        (f"the longest round ({len(longest.stops)} visits) is ill in the morning", day,
         Illness(longest.caregiver, MORNING), MORNING),
        ("the same at noon", day, Illness(longest.caregiver, NOON), NOON),
        ("an emergency at noon, within the hour", with_emergency, Vacancies(("emergency",)), NOON),
        ("a visit at noon takes an hour longer", day, Overrun(going_on.task, HOUR), NOON),
    ]  # fmt: skip
    for name, problem, disruption, now in cases:
        before = plan if problem is day else replace(plan, unserved=(*plan.unserved, "emergency"))
        assert violations(problem, before) == ()
        began = time.process_time()
        found = repair.frontier(problem, before, disruption, now, seed=seed)
        _table(name, problem, found, time.process_time() - began)


def _with_emergency(day: Problem) -> Problem:
    """A nurse is needed at the first elder's within the hour."""
    urgent = Task("emergency", day.tasks[0].place, 1800, (Window(NOON, NOON + HOUR),), frozenset({"nursing"}), 50)
    return replace(day, tasks=(*day.tasks, urgent))


def _table(name: str, day: Problem, found: Frontier, cpu_s: float) -> None:
    priority = {task.id: task.priority for task in day.tasks}

    def weight(names: tuple[str, ...]) -> str:
        return f"{len(names)} ({sum(priority[one] for one in names)})"

    print(f"\n{name}: {weight(found.lost)} lost, {found.others} others; the frontier in {cpu_s:.2f} CPU s")
    print("  level       saved  handed  moved  dropped  disturbed  told  objective h  CPU s")
    for one in found.repairs:
        assert violations(one.problem, one.plan) == ()
        share = 100 * one.disturbed / max(1, found.others)
        print(
            f"  {one.level:8}{weight(one.saved):>9}{len(one.handed_over):8}{len(one.moved):7}{weight(one.dropped):>9}"
            f"{share:9.1f} %{len(one.told):6}{one.cost.total / HOUR:13.1f}{one.cpu_s:7.2f}"
        )
    high = [name for name in found.lost if priority[name] >= HIGH]
    kind = [one.level for one in found.repairs if one.disturbed <= found.others / 100 and set(high) <= set(one.saved)]
    if kind:
        print(f"  all {len(high)} of high priority saved with at most 1 % of the others disturbed: {', '.join(kind)}")
    for name in found.lost:
        if not any(name in one.saved for one in found.repairs):
            counts = ", ".join(f"{count} {why}" for why, count in found.room[name].items() if count)
            print(f"  {name} (priority {priority[name]}) saved by none: {counts}")
