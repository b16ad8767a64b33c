"""From a broken day to what the dispatcher reads, without a database."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.rounds import disruptions, making, repairs
from app.rounds.facts import FIXED, LEAD, SECOND, Day, DayCaregiver, DayOrder, DayProvider, Held, Taken
from app.routing import repair
from app.routing.frontier import Frontier, Repair
from app.routing.problem import Plan
from app.routing.promises import as_told
from tests.rounds.days import seconds

HOME = (102.19, 38.52)
LONG = ((seconds(8), seconds(18)),)


def held(who: str, hour: float, role: str = LEAD) -> Held:
    return Held(who, role, seconds(hour), seconds(hour) - 600, seconds(hour + 1))


def order(name: str, *whose: Held, opens: float = 8, closes: float = 17, hands: int = 1) -> DayOrder:
    return DayOrder(
        id=name, version=1, status="assigned" if whose else "placed", item="clean_home", certificate=None, hands=hands,
        urgency="normal", division="620302001001", place=HOME, minutes=55, opens=seconds(opens), closes=seconds(closes),
        gender_wish=None, held=whose, provider="p" if whose else None,
    )  # fmt: skip


def caregiver(name: str, **more: Any) -> DayCaregiver:
    usual = {"provider": "p", "sex": "female", "home": HOME, "mode": "ebike", "certificates": frozenset()}
    return DayCaregiver(**{"id": name, "shifts": LONG, **usual, **more})


ILL, WELL = caregiver("ill", away=((0, seconds(24)),)), caregiver("well")


def day(*orders: DayOrder, caregivers: tuple[DayCaregiver, ...] = (ILL, WELL)) -> Day:
    company = DayProvider(id="p", areas=frozenset({"620302"}), items=frozenset({"clean_home"}))
    return Day(now=0, orders=orders, caregivers=caregivers, providers=(company,), pace={})


def mended(broken: Day, emergency: str | None = None) -> tuple[making.Made, Frontier]:
    made = making.make(broken)
    plan = as_told(made.problem, made.warm)
    needed = repairs.vacancies(made, plan, broken.orders, emergency)
    return made, repair.frontier(made.problem, plan, needed, disruptions.NOTHING_BEGUN, budget_cpu_s=0.1)


def test_a_visit_that_lost_its_caregiver_is_saved_and_nobody_else_is_moved() -> None:
    broken = day(order("lost", held("ill", 9)), order("stands", held("well", 11)))
    made, found = mended(broken)
    assert [(one["order_id"], one["role"], one["has_room"]) for one in repairs.lost(found, {"pinned"})] == [
        ("lost", LEAD, 1)
    ]
    (one,) = repairs.choices(made, found, broken.orders)  # nothing is better than the one that disturbs nobody
    assert (one["level"], one["rescued"], one["moved"], one["dropped"]) == ("pinned", 1, 0, 0)
    assert {change["order_id"] for change in one["changes"]} == {"lost"}


def test_who_waits_for_somebody_is_not_lost_unless_it_is_the_emergency() -> None:
    broken = day(order("waits"), order("urgent"))
    made = making.make(broken)
    assert repairs.vacancies(made, made.warm, broken.orders, None).tasks == ()
    assert repairs.vacancies(made, made.warm, broken.orders, "urgent").tasks == ("urgent/lead",)


def test_of_two_who_came_together_both_places_are_free_at_the_time_that_was_told() -> None:
    third = caregiver("third")
    pair = order("pair", held("ill", 14), held("well", 14, SECOND), hands=2)
    broken = day(pair, caregivers=(ILL, WELL, third))
    made, found = mended(broken)
    assert {one["role"] for one in repairs.lost(found, {"pinned"})} == {LEAD, SECOND}
    (one,) = repairs.choices(made, found, broken.orders)
    assert {stop[2] for row in one["plan"]["rounds"] for stop in row[4]} == {seconds(14)}
    assert one["rescued"] == 1


def test_what_is_booked_elsewhere_is_not_given_up_for_any_repair() -> None:
    """Two emergencies weigh more than the one visit of another scope that is in the way of both."""
    booked = replace(WELL, taken=(Taken("other", seconds(9), seconds(10), HOME),))
    urgent = {"urgency": "emergency", "tags": frozenset({"incapacitated"})}
    first = replace(order("first", held("ill", 8.5), opens=8.5, closes=8.5), **urgent)
    second = replace(order("second", held("ill", 9.75), opens=9.75, closes=9.75), **urgent)
    broken = day(first, second, caregivers=(ILL, booked))
    made, found = mended(broken)
    assert any(name.startswith(FIXED) for one in found.repairs for name in one.dropped)
    (one,) = repairs.choices(made, found, broken.orders)
    assert (one["rescued"], one["unserved"]) == (0, 2)
    lost = repairs.lost(found, {one["level"]})
    assert [(visit["saved_by"], visit["no_gap"]) for visit in lost] == [([], 1)] * 2


def test_a_day_that_begins_with_what_is_booked_elsewhere_keeps_it() -> None:
    """The way there is in the booking already."""
    far = (102.25, 38.52)
    early = replace(WELL, shifts=((seconds(9), seconds(18)),), taken=(Taken("other", seconds(8), seconds(9.5), far),))
    broken = day(order("lost", held("ill", 8.25), opens=8, closes=10), caregivers=(ILL, early))
    made, found = mended(broken)
    assert not any(name.startswith(FIXED) for name in found.stands.unserved)
    (one,) = repairs.choices(made, found, broken.orders)
    assert [stop[0].startswith(FIXED) for row in one["plan"]["rounds"] for stop in row[4]] == [True, False]


def test_nobody_is_left_to_come() -> None:
    broken = day(order("lost", held("ill", 10)), order("pair", held("ill", 14), hands=2), caregivers=(ILL,))
    made, found = mended(broken, "pair")
    assert all(one["rescued"] == 0 for one in repairs.choices(made, found, broken.orders))
    assert {(one["has_room"], one["not_allowed"]) for one in repairs.lost(found, ())} == {(0, 0)}


def test_what_is_in_the_way_of_two_is_not_paid_for_by_the_whole_day() -> None:
    """Away from half past one: two visits after that are lost, and three of the morning are nobody's business."""
    leaves = replace(WELL, id="leaves", away=((seconds(13.5), seconds(24)),))
    morning = [replace(order(f"m{n}", held("leaves", 8.5 + 1.2 * n), closes=12.5), provider=None) for n in range(3)]
    evening = [order(f"e{n}", held("leaves", 14 + 1.2 * n), opens=14, closes=16) for n in range(2)]
    made, found = mended(broken := day(*morning, *evening, caregivers=(leaves, WELL)))
    assert {one["order_id"] for one in repairs.lost(found, ())} == {"e0", "e1"}
    (one,) = repairs.choices(made, found, broken.orders)
    assert (one["rescued"], {change["order_id"] for change in one["changes"]}) == (2, {"e0", "e1"})


@pytest.mark.parametrize(
    "changed",
    [{"taken": (Taken("long", seconds(8), seconds(11.5), HOME),)}, {"away": ((seconds(10), seconds(11.5)),)}],
    ids=["takes longer", "away for an hour"],
)
def test_a_visit_its_caregiver_cannot_keep_is_lost_and_kept_by_somebody_else(changed: dict[str, Any]) -> None:
    """At the time that was told, though the window is open all day."""
    hers = caregiver("hers", **changed)
    broken = replace(day(order("x", held("hers", 10.5)), caregivers=(hers, WELL)), now=seconds(9))
    made, found = mended(broken)
    assert [one["order_id"] for one in repairs.lost(found, ())] == ["x"]
    (one,) = repairs.choices(made, found, broken.orders)
    ((who, begin),) = [(row[0], stop[2]) for row in one["plan"]["rounds"] for stop in row[4] if stop[0] == "x/lead"]
    assert (who, begin) == ("well", seconds(10.5))


def test_offers_to_grab_stay_open() -> None:
    grab = replace(order("grab"), status="dispatched")
    made, found = mended(broken := day(grab, order("lost", held("ill", 14))))
    (one,) = repairs.choices(made, found, broken.orders)
    assert {change["order_id"] for change in one["changes"]} == {"lost"}


def test_a_visit_that_stands_is_given_what_it_has_to_follow() -> None:
    insulin = order("insulin", opens=8, closes=10)
    meal = replace(order("meal", held("well", 11)), follows=("insulin", 1800, 3 * 3600))
    made, found = mended(broken := day(insulin, meal, order("lost", held("ill", 14))))
    (one,) = repairs.choices(made, found, broken.orders)
    assert (one["rescued"], one["dropped"]) == (2, 0)
    assert {change["order_id"] for change in one["changes"]} == {"insulin", "lost"}


def test_who_is_ill_is_all_that_is_lost_of_two_that_follow_each_other() -> None:
    insulin = order("insulin", held("well", 9), opens=8, closes=10)
    meal = replace(order("meal", held("ill", 10.5)), follows=("insulin", 3600, 7200))
    made, found = mended(broken := day(insulin, meal))
    assert [one["order_id"] for one in repairs.lost(found, ())] == ["meal"]
    (one,) = repairs.choices(made, found, broken.orders)
    assert {stop[0]: stop[2] for row in one["plan"]["rounds"] for stop in row[4]} == {
        "insulin/lead": seconds(9), "meal/lead": seconds(10.5),
    }  # fmt: skip


def test_half_of_two_that_cannot_be_saved_takes_nobodys_place() -> None:
    ill2 = replace(ILL, id="ill2")
    pair = order("pair", held("ill", 14), held("well", 14, SECOND), hands=2)
    pair = replace(pair, tags=frozenset({"dementia"}), opens=seconds(14), closes=seconds(14))
    single = order("single", held("ill2", 14), opens=14, closes=14)
    made, found = mended(broken := day(pair, single, caregivers=(ILL, ill2, WELL)))
    (one,) = repairs.choices(made, found, broken.orders)
    assert (one["rescued"], {row[0] for row in one["plan"]["rounds"]}) == (1, {"well"})
    assert {lost["order_id"]: lost["saved_by"] for lost in repairs.lost(found, {"pinned"})} == {
        "pair": [], "single": ["pinned"],
    }  # fmt: skip


def test_who_should_have_begun_and_has_not_is_late_and_takes_the_other_one_along() -> None:
    """At ten past nine a visit by two that was told for nine is still to come: both come at the first time they can."""
    pair = order("pair", held("ill", 9), held("well", 9, SECOND), hands=2)
    late = replace(day(pair, caregivers=(replace(ILL, away=()), WELL)), now=seconds(9) + 600)
    made, found = mended(late)
    (one,) = repairs.choices(made, found, late.orders)
    starts = {stop[2] for row in one["plan"]["rounds"] for stop in row[4]}
    assert len(starts) == 1
    assert seconds(9) + 600 <= min(starts) < seconds(10)
    assert one["unserved"] == 0


def test_the_quietest_comes_first_and_nothing_dearer_louder_or_against_the_rules_comes_at_all() -> None:
    broken = day(order("lost", held("ill", 9)), order("stands", held("well", 11)), order("pair", hands=2))
    made, found = mended(broken)
    good = found.repairs[0]
    late = replace(good.plan.rounds[0].stops[-1], starts=seconds(20), arrives=seconds(20), ends=seconds(20) + 3600)
    wrong = replace(good.plan, rounds=(replace(good.plan.rounds[0], stops=(late,)), *good.plan.rounds[1:]))
    cost = good.cost

    def choice(level: str, total: float, plan: Plan = good.plan, **visits: tuple[str, ...]) -> Repair:
        return replace(good, level=level, plan=plan, cost=replace(cost, total=total), **visits)

    found = replace(found, repairs=(
        choice("full", 10, handed_over=("stands/lead",), moved=("pair/lead", "pair/second"), dropped=("lost/lead",)),
        choice("24", 1, wrong),
        choice("12", 60, moved=("stands/lead",)),
        choice("pinned", 50),
    ))  # fmt: skip
    quiet, loud = repairs.choices(made, found, broken.orders)
    assert (quiet["level"], loud["level"]) == ("pinned", "full")
    assert [(one["handed_over"], one["moved"], one["dropped"]) for one in (quiet, loud)] == [(0, 0, 0), (1, 1, 1)]


def test_an_order_that_is_left_aside_is_not_lost() -> None:
    over = order("over", held("ill", 9), opens=9, closes=9)
    broken = replace(day(over), now=seconds(12))
    made = making.make(broken)
    assert "over" in made.aside
    assert repairs.vacancies(made, as_told(made.problem, made.warm), broken.orders, "over").tasks == ()
