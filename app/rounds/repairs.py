"""A broken day as `routing` sees it, and its repairs as the dispatcher does. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from app.rounds import storing
from app.rounds.changes import ASSIGN, OFFER, TAKE_BACK, changes
from app.rounds.facts import FIXED, LEAD, MINUTE, SECOND, DayOrder, order_of, task_of
from app.rounds.making import Made
from app.routing import validation
from app.routing.disruption import Vacancies
from app.routing.frontier import Frontier, Repair
from app.routing.problem import Cost, Plan


def vacancies(made: Made, plan: Plan, orders: Iterable[DayOrder], emergency: str | None) -> Vacancies:
    """What needs somebody: visits that cannot be kept nearly as told, with the time that was told, the emergency, and
    what the ones that stand are linked to. Orders that nobody has yet wait for the next plan, or for who grabs them.
    """
    served = {stop.task for one in plan.rounds for stop in one.stops}
    linked = {name for link in made.problem.links for name in (link.first, link.second)
              if served & {link.first, link.second}}  # fmt: skip
    told: dict[str, int] = {}
    urgent: list[str] = []
    for order in orders:
        missing = {task_of(order.id, role) for role in (LEAD, SECOND)[: order.hands]} - served
        if order.id in made.aside or not missing:
            continue
        if order.held:
            told |= dict.fromkeys(sorted(missing), min(held.starts for held in order.held))
        elif order.id == emergency or missing & linked:
            urgent += sorted(missing)
    return Vacancies((*told, *urgent), told)


def choices(made: Made, found: Frontier, orders: Iterable[DayOrder]) -> list[dict[str, Any]]:
    """Repairs to choose from, the quietest first; none that is no better than a quieter one, nor against the rules, nor
    without room for what is booked elsewhere.
    """
    valid = [
        one
        for one in found.repairs
        if not validation.violations(made.problem, one.plan) and not any(name.startswith(FIXED) for name in one.dropped)
    ]
    then = validation.cost(made.problem, found.stands)
    best = then.total
    planned = [order for order in orders if order.id not in made.aside]
    kept: list[dict[str, Any]] = []
    for one in sorted(valid, key=lambda repair: (repair.disturbed, repair.cost.total)):
        if one.cost.total < best or not kept:
            best = one.cost.total
            kept.append(_choice(made, then, one, planned))
    return kept


def lost(found: Frontier, shown: Collection[str]) -> list[dict[str, Any]]:
    """Visits that lost somebody, the dearest first: which of the levels `shown` save them, and how many caregivers
    could come as the day stands or why they cannot.
    """
    return [
        {
            "order_id": order_of(name)[0], "role": order_of(name)[1], **found.room[name],
            "saved_by": [one.level for one in found.repairs if name in one.saved and one.level in shown],
        }
        for name in found.lost
    ]  # fmt: skip


def _choice(made: Made, then: Cost, one: Repair, planned: Iterable[DayOrder]) -> dict[str, Any]:
    """`then` is what the day costs if nobody does anything, `planned` its orders without those left aside."""
    cost = validation.cost(made.problem, one.plan)
    every = changes(made.problem, one.plan, planned)
    changed = [change for change in every if change.how in (ASSIGN, OFFER, TAKE_BACK)]
    return {
        "level": one.level, "plan": storing.plan_to(one.plan), "cost": storing.cost_to(cost),
        "before": storing.cost_to(then), "saved": then.total - cost.total,
        "rescued": _orders(one.saved), "handed_over": _orders(one.handed_over), "moved": _orders(one.moved),
        "dropped": _orders(one.dropped), "unserved": cost.unserved, "visits": len(changed),
        "caregivers": _whose_day_changes(made.warm, one.plan),
        "changes": [
            {"order_id": c.order, "how": c.how, "others": c.others, "minutes": c.moved // MINUTE} for c in changed
        ],
    }  # fmt: skip


def _orders(tasks: Iterable[str]) -> int:
    return len({order_of(name)[0] for name in tasks if not name.startswith(FIXED)})


def _whose_day_changes(before: Plan, after: Plan) -> list[str]:
    """Caregivers who gain or lose a visit, or have one at another time."""

    def visits(plan: Plan) -> dict[str, list[tuple[str, int]]]:
        return {one.caregiver: [(stop.task, stop.starts) for stop in one.stops] for one in plan.rounds}

    then, now = visits(before), visits(after)
    return sorted(name for name in then.keys() | now.keys() if then.get(name) != now.get(name))
