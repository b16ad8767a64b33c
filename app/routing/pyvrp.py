"""PyVRP as a solver of rounds: takes a plan and shortens its ways. No breaks, no links, no preferences.

It knows no skills either. A price on forbidden ways leaks: it pays the price and hands in a caregiver who may not.
Instead every mark (`possibility.marks`) is a load: who lacks it has no room for it. A plan that breaks this is
infeasible to PyVRP itself and never its best.
"""

from __future__ import annotations

import time
from typing import Any

import pyvrp

from app.routing.possibility import marks
from app.routing.problem import Plan, Problem, Stop
from app.routing.timetable import plan_of


def expresses(problem: Problem) -> bool:
    """Whether the problem keeps its meaning here. Preferences are lost but do no harm."""
    return (
        not problem.links
        and not problem.soft_windows
        and not any(caregiver.breaks for caregiver in problem.caregivers)
        and problem.objective.travel > 0
    )


def solve(problem: Problem, warm: Plan, *, budget_cpu_s: float, seed: int, required: bool = True) -> Plan:
    """The best plan found from `warm` on. `required` keeps all its tasks; without, they are weighed against travel."""
    until = time.process_time() + budget_cpu_s
    day = _Day(problem, warm, required)
    found = pyvrp.solve(
        day.data,
        stop=lambda _: time.process_time() >= until,
        seed=seed,
        collect_stats=False,
        initial_solution=day.start,
    )
    return day.plan(found.best) if found.is_feasible() else warm


class _Day:
    """The problem in PyVRP's words. A task with several windows is a group of clients of which one is visited."""

    def __init__(self, problem: Problem, warm: Plan, required: bool) -> None:
        self.problem = problem
        asked, has = marks(problem)
        count = len(frozenset().union(*asked, *has))
        served = {stop.task for one in warm.rounds for stop in one.stops}
        clients: list[pyvrp.Client] = []
        groups: list[pyvrp.ClientGroup] = []
        self.tasks: list[str] = []
        self.client_at: dict[tuple[str, int], int] = {}
        for number, task in enumerate(problem.tasks):
            must = required and task.id in served
            group = None
            if len(task.windows) > 1:
                group = len(groups)
                own = range(len(clients), len(clients) + len(task.windows))
                groups.append(pyvrp.ClientGroup(list(own), required=must))
            load = [int(mark in asked[number]) for mark in range(count)]
            prize = round(task.priority * problem.objective.unserved / problem.objective.travel)
            for which, window in enumerate(task.windows):
                self.client_at[task.id, which] = len(clients)
                self.tasks.append(task.id)
                clients.append(
                    pyvrp.Client(
                        task.place, load, [], task.duration, window.opens, window.closes,
                        prize=prize, required=must and group is None, group=group,
                    )
                )  # fmt: skip
        depots = [pyvrp.Depot(place) for one in problem.caregivers for place in (one.start, one.end)]
        room = len(problem.tasks)
        vehicles = [
            pyvrp.VehicleType(
                1,
                [room if mark in has[number] else 0 for mark in range(count)],
                2 * number,
                2 * number + 1,
                tw_early=one.shift_opens,
                tw_late=one.shift_closes,
                profile=one.profile,
            )
            for number, one in enumerate(problem.caregivers)
        ]
        places = [pyvrp.Location(0, 0) for _ in range(len(problem.travel[0]))]
        matrices: list[Any] = list(problem.travel)
        self.data = pyvrp.ProblemData(places, clients, depots, vehicles, matrices, matrices, groups)
        self.start = pyvrp.Solution(self.data, self._routes(warm))

    def _routes(self, warm: Plan) -> list[pyvrp.Route]:
        windows = {task.id: task.windows for task in self.problem.tasks}
        number = {one.id: at for at, one in enumerate(self.problem.caregivers)}

        def client(stop: Stop) -> int:
            which = next(at for at, one in enumerate(windows[stop.task]) if one.opens <= stop.starts <= one.closes)
            return self.client_at[stop.task, which]

        return [
            pyvrp.Route(self.data, [client(stop) for stop in one.stops], number[one.caregiver]) for one in warm.rounds
        ]

    def plan(self, best: pyvrp.Solution) -> Plan:
        return plan_of(
            self.problem,
            {
                self.problem.caregivers[route.vehicle_type()].id: [self.tasks[a.idx] for a in route if a.is_client()]
                for route in best.routes()
            },
        )
