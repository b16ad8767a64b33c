"""Problems and plans as JSON, and back. Pure.

A problem keeps its places and the pace of each mode instead of its matrices: they are made again, the same, when it is
read. Sets of caregivers that many tasks share are kept once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from app.core.json import canonical
from app.rounds.facts import FIXED, order_of
from app.rounds.making import Made, matrices
from app.routing import validation
from app.routing.problem import (
    Break,
    Caregiver,
    Cost,
    Link,
    Objective,
    Plan,
    Problem,
    Round,
    Stop,
    Task,
    Violation,
    Window,
)
from app.routing.travel import Line

FORM = 1


class _Sets:
    def __init__(self) -> None:
        self.number: dict[frozenset[str], int] = {}

    def of(self, names: frozenset[str]) -> int:
        return self.number.setdefault(names, len(self.number))


def problem_to(made: Made, pace: Mapping[str, Line]) -> dict[str, Any]:
    """The form of the column `round_plan.problem`."""
    sets, problem = _Sets(), made.problem
    tasks = [
        [t.id, t.place, t.duration, [[w.opens, w.closes] for w in t.windows], sorted(t.skills), t.priority,
         None if t.only is None else sets.of(t.only), sets.of(t.never), dict(sorted(t.preference.items()))]
        for t in problem.tasks
    ]  # fmt: skip
    caregivers = [
        [c.id, c.start, c.end, c.shift_opens, c.shift_closes, sorted(c.skills),
         [[b.opens, b.closes, b.duration] for b in c.breaks], c.profile]
        for c in problem.caregivers
    ]  # fmt: skip
    objective = problem.objective
    return {
        "form": FORM, "places": made.places, "modes": made.modes, "pace": {
            mode: [pace[mode].fixed, pace[mode].per_km] for mode in made.modes if mode in pace
        },
        "caregivers": caregivers, "tasks": tasks, "sets": [sorted(one) for one in sets.number],
        "links": [[k.first, k.second, k.least, k.most, k.different_caregivers] for k in problem.links],
        "objective": [objective.travel, objective.unserved, objective.preference],
    }  # fmt: skip


def problem_from(kept: Mapping[str, Any]) -> Problem:
    """The problem again, matrices included."""
    sets = [frozenset(one) for one in kept["sets"]]
    pace = {mode: Line(*line) for mode, line in kept["pace"].items()}
    travel, unserved, preference = kept["objective"]
    return Problem(
        caregivers=tuple(
            Caregiver(name, start, end, opens, closes, frozenset(skills), tuple(Break(*b) for b in breaks), profile)
            for name, start, end, opens, closes, skills, breaks, profile in kept["caregivers"]
        ),
        tasks=tuple(
            Task(name, place, duration, tuple(Window(*w) for w in windows), frozenset(skills), priority,
                 None if only is None else sets[only], sets[never], preferred)
            for name, place, duration, windows, skills, priority, only, never, preferred in kept["tasks"]
        ),
        travel=tuple(matrices([(lng, lat) for lng, lat in kept["places"]], kept["modes"], pace)),
        links=tuple(Link(*link) for link in kept["links"]),
        objective=Objective(travel=travel, unserved=unserved, preference=preference),
    )  # fmt: skip


def digest(value: Any) -> str:
    """The hash of a value's one byte form."""
    return hashlib.sha256(canonical(value)).hexdigest()


def fingerprint(versions: Iterable[tuple[str, int]]) -> str:
    """What a plan was made of: its orders, each in its version."""
    return digest(sorted(versions))


def plan_to(plan: Plan) -> dict[str, Any]:
    """The form of the column `round_plan.plan`."""
    return {
        "rounds": [
            [r.caregiver, r.leaves, r.back, list(r.breaks), [[s.task, s.arrives, s.starts, s.ends] for s in r.stops]]
            for r in plan.rounds
        ],
        "unserved": list(plan.unserved),
    }


def plan_from(kept: Mapping[str, Any]) -> Plan:
    return Plan(
        tuple(
            Round(caregiver, tuple(Stop(*stop) for stop in stops), leaves, back, tuple(breaks))
            for caregiver, leaves, back, breaks, stops in kept["rounds"]
        ),
        tuple(kept["unserved"]),
    )


def cost_to(cost: Cost) -> dict[str, Any]:
    return {
        "travel": cost.travel, "unserved": cost.unserved, "unserved_weight": cost.unserved_weight,
        "preference": cost.preference, "total": cost.total,
    }  # fmt: skip


def violations_to(violations: Iterable[Violation]) -> list[dict[str, str]]:
    return [{"rule": one.rule, "detail": one.detail} for one in violations]


def reasons(problem: Problem, plan: Plan) -> dict[str, str]:
    """Why an order is in nobody's round, by order: of two tasks the graver reason, which routing gives both."""
    found = validation.reasons(problem, plan)
    return {order_of(name)[0]: why for name, why in found.items() if not name.startswith(FIXED)}
