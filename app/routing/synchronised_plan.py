"""Plans into rounds of the search, and back."""

from __future__ import annotations

from app.routing.problem import Plan, Problem, Round, Stop
from app.routing.synchronised_day import BREAKS, FORBIDDEN, JOB, LASTING, MATE, A, B, Day, span
from app.routing.synchronised_missing import displace, place
from app.routing.synchronised_state import CARER, DONE, NEXT, PREV, SEAT, START, TAKEN, State, arc
from app.routing.synchronised_timing import back, rested


def load(problem: Problem, day: Day, state: State, plan: Plan) -> None:
    """The rounds of a plan, as far as they keep the hard rules under our timing; what does not is left out."""
    tasks = {task.id: at for at, task in enumerate(problem.tasks)}
    carers = {one.id: at for at, one in enumerate(problem.caregivers)}
    where = {}
    for one in plan.rounds:
        for stop in one.stops:
            where[tasks[stop.task]] = (carers[one.caregiver], stop.starts)
    jobs = {int(day.task[task, JOB]) for task in where}

    def moment(job: int) -> float:
        halves = [int(day.job[job, half]) for half in (A, B)]
        starts = [where[half][1] for half in halves if half in where]
        return sum(starts) / len(starts)

    for job in sorted(jobs, key=lambda job: (moment(job), job)):
        halves = [int(half) for half in day.job[job, [A, B]] if half >= 0]
        if not all(half in where and day.likes[half, where[half][0]] < FORBIDDEN for half in halves):
            continue
        ends = [int(state.node[len(day.task) + where[half][0], PREV]) for half in halves]
        if len(set(ends)) == len(ends):
            place(day, state, job, ends[0], ends[-1])
    for job in jobs:
        mate = day.job[job, MATE]
        if mate >= 0 and state.work[job, SEAT] < 0 <= state.work[mate, SEAT]:
            displace(day, state, job)


def plan_of(problem: Problem, day: Day, state: State) -> Plan:
    """The rounds as they are, with the times of arriving and resting."""
    rounds = []
    for carer in range(len(problem.caregivers)):
        if state.node[len(day.task) + carer, NEXT] < len(day.task):
            rounds.append(_round(problem, day, state, carer))
    unserved = [task.id for at, task in enumerate(problem.tasks) if state.node[at, CARER] < 0]
    return Plan(rounds=tuple(rounds), unserved=tuple(unserved))


def _round(problem: Problem, day: Day, state: State, carer: int) -> Round:
    node, head = state.node, len(day.task) + carer
    stops: list[Stop] = []
    rests: list[int] = []
    before, at = head, int(node[head, NEXT])
    while at != head:
        arrives = _on_the_way(day, state, carer, before, at, int(node[at, TAKEN]), rests)
        stops.append(Stop(problem.tasks[at].id, arrives, int(node[at, START]), int(node[at, DONE])))
        before, at = at, int(node[at, NEXT])
    _on_the_way(day, state, carer, before, head, int(day.carer[carer, BREAKS]), rests)
    caregiver = problem.caregivers[carer]
    in_time = sorted(range(len(rests)), key=lambda which: span(caregiver.breaks[which]))
    return Round(
        caregiver=caregiver.id,
        stops=tuple(stops),
        leaves=int(node[head, DONE]),
        back=int(back(day, state, carer)),
        breaks=tuple(begins for _, begins in sorted(zip(in_time, rests, strict=True))),
    )


def _on_the_way(day: Day, state: State, carer: int, before: int, to: int, until: int, rests: list[int]) -> int:
    """When the caregiver arrives; the rests between the two nodes are added to `rests`."""
    at, way = int(state.node[before, DONE]), int(arc(day, carer, before, to))
    arrives = -1
    for which in range(int(state.node[before, TAKEN]), until):
        end, left = rested(day, carer, which, at, way)
        if left == 0 and arrives < 0:
            arrives = at + way
        rests.append(int(end - day.span[len(day.task) + carer, which, LASTING]))
        at, way = int(end), int(left)
    return arrives if arrives >= 0 else at + way
