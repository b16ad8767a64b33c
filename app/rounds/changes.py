"""What a plan changes in the day as it stands. Pure.

keep       the same people at the same time; only their ways may be others
assign     a provider has accepted: other people of its own, or another time
offer      nobody has accepted: an offer to the provider whose caregiver the plan names
take_back  in nobody's round: whoever has it loses it, and it waits for another provider
wait       in nobody's round, and nobody is held for it; offers to grab stay open
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.rounds.facts import FIXED, LEAD, SECOND, DayOrder, order_of
from app.routing.problem import Plan, Problem, Stop

KEEP, ASSIGN, OFFER, TAKE_BACK, WAIT = "keep", "assign", "offer", "take_back", "wait"


@dataclass(frozen=True, slots=True)
class Coming:
    """One caregiver's part: leaves for the door so that the way is driven just in time."""

    caregiver: str
    leaves: int


@dataclass(frozen=True, slots=True)
class Change:
    """One order's part of the plan. `team` has the lead first; empty where nobody comes."""

    order: str
    how: str
    starts: int = 0
    until: int = 0
    team: tuple[Coming, ...] = ()
    moved: int = 0
    """Seconds by which the begin moves; 0 where there was none."""
    others: bool = False
    """Whether somebody else comes than was held or named."""

    @property
    def disturbs(self) -> bool:
        return self.how == TAKE_BACK or bool(self.moved) or self.others


def changes(problem: Problem, plan: Plan, orders: Iterable[DayOrder]) -> list[Change]:
    """What becomes of every order, in the order given."""
    coming = _coming(problem, plan)
    return [_change(order, coming.get(order.id, {})) for order in orders]


def _coming(problem: Problem, plan: Plan) -> Mapping[str, Mapping[str, tuple[Coming, Stop]]]:
    """By order and role, who leaves when for which stop."""
    caregivers = {one.id: one for one in problem.caregivers}
    places = {one.id: one.place for one in problem.tasks}
    found: dict[str, dict[str, tuple[Coming, Stop]]] = {}
    for one in plan.rounds:
        matrix, here = problem.travel[caregivers[one.caregiver].profile], caregivers[one.caregiver].start
        for stop in one.stops:
            way, here = int(matrix[here, places[stop.task]]), places[stop.task]
            if not stop.task.startswith(FIXED):
                order, role = order_of(stop.task)
                found.setdefault(order, {})[role] = (Coming(one.caregiver, stop.starts - way), stop)
    return found


def _change(order: DayOrder, parts: Mapping[str, tuple[Coming, Stop]]) -> Change:
    if len(parts) != order.hands:
        return Change(order.id, TAKE_BACK if order.held else WAIT)
    team = tuple(parts[role][0] for role in (LEAD, SECOND)[: order.hands])
    stop = parts[LEAD][1]
    before = {held.role: held for held in order.held}
    people = {held.caregiver for held in order.held}
    same_people = people == {one.caregiver for one in team}
    if same_people and team[0].caregiver != before[LEAD].caregiver:
        team = team[::-1]  # who of the two leads is no reason to change anything
    begin = {held.starts for held in order.held}
    if same_people and begin == {stop.starts} and order.status != "placed":
        return Change(order.id, KEEP, stop.starts, stop.ends, team)
    how = ASSIGN if order.provider is not None else OFFER
    moved = stop.starts - min(begin) if begin else 0
    return Change(order.id, how, stop.starts, stop.ends, team, moved, bool(people) and not same_people)


def told(found: Sequence[Change]) -> dict[str, int]:
    """How many orders each way."""
    counts = dict.fromkeys((KEEP, ASSIGN, OFFER, TAKE_BACK, WAIT), 0)
    for one in found:
        counts[one.how] += 1
    return counts
