"""Every rule of the validator, each by a valid plan with that one thing broken."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.routing.possibility import bound
from app.routing.problem import Break, Caregiver, Link, Objective, Pin, Plan, Problem, Stop, Task, Unsolvable, Window
from app.routing.validation import RULES, check, cost, reasons, violations
from tests.routing.small_day import ANN, BEN, PLAN, PROBLEM, round_of, stop_at


def rules(plan: Plan, problem: Problem = PROBLEM, pins: tuple[Pin, ...] = ()) -> set[str]:
    return {found.rule for found in violations(problem, plan, pins)}


def swapped(task: str, **changes: object) -> Problem:
    """The problem with one task changed."""
    return replace(
        PROBLEM,
        tasks=tuple(replace(one, **changes) if one.id == task else one for one in PROBLEM.tasks),  # type: ignore[arg-type]
    )


def test_the_plan_by_hand_is_valid() -> None:
    check(PROBLEM)
    assert violations(PROBLEM, PLAN) == ()


GARDENING = Stop("gardening", 650, 650, 650)
NOT_THERE = replace(BEN, caregiver="zoe")
BROKEN = {
    "unknown task": (Plan(PLAN.rounds, ("cleaning", "gardening")), {"unknown"}),
    "unknown task in a round": (round_of(PLAN, "ben", stops=(*BEN.stops, GARDENING)), {"unknown"}),
    "unknown caregiver": (Plan((ANN, NOT_THERE), ("cleaning",)), {"unknown"}),
    "task doubled": (Plan(PLAN.rounds, ("cleaning", "shopping")), {"doubled"}),
    "two rounds of one": (
        Plan((ANN, replace(BEN, stops=BEN.stops[:1], back=560), replace(BEN, stops=BEN.stops[1:])), ("cleaning",)),
        {"doubled"},
    ),
    "task missing": (Plan(PLAN.rounds, ()), {"missing"}),
    "round without stops": (Plan((ANN, BEN, replace(BEN, caregiver="eve", stops=())), ("cleaning",)), {"empty"}),
    "before the window": (stop_at(PLAN, "shopping", arrives=479, starts=479, ends=539), {"window", "travel"}),
    "between two windows": (stop_at(PLAN, "insulin", starts=521, ends=536), {"window", "travel", "link"}),
    "after the window": (stop_at(PLAN, "lift", starts=661, ends=691), {"window", "travel", "link"}),
    "end is not start and duration": (stop_at(PLAN, "shopping", ends=559), {"duration"}),
    "arrives faster than the way": (stop_at(PLAN, "dressing", arrives=534), {"travel"}),
    "starts before arriving": (stop_at(PLAN, "dressing", arrives=571), {"travel"}),
    "back faster than the way": (round_of(PLAN, "ben", back=659), {"travel"}),
    "back without time for the break": (round_of(PLAN, "ann", back=709, breaks=(690,)), {"break", "travel"}),
    "leaves before the shift": (round_of(PLAN, "ben", leaves=479), {"shift"}),
    "back after the shift": (round_of(PLAN, "ben", back=841), {"shift"}),
    "break left out": (round_of(PLAN, "ann", breaks=()), {"break"}),
    "break taken twice": (round_of(PLAN, "ann", breaks=(690, 725)), {"break"}),
    "break before its window": (round_of(PLAN, "ann", breaks=(655,)), {"break"}),
    "break after its window": (round_of(PLAN, "ann", breaks=(751,)), {"break"}),
    "break over arriving": (round_of(PLAN, "ann", back=700), {"break", "travel"}),
    "links too near": (stop_at(PLAN, "dressing", starts=569, ends=589), {"link"}),
    "links too far": (stop_at(stop_at(PLAN, "lift", starts=621, ends=651), "second"), {"link", "travel"}),
    "one of two alone": (
        Plan((replace(ANN, stops=ANN.stops[:2]), BEN), ("cleaning", "second")),
        {"link_alone"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plan_is_refused(name: str) -> None:
    plan, expected = BROKEN[name]
    assert rules(plan) == expected


def test_a_caregiver_who_may_not() -> None:
    assert rules(PLAN, swapped("shopping", skills=frozenset({"nurse"}))) == {"skill"}
    assert rules(PLAN, swapped("shopping", only=frozenset({"ann"}))) == {"only"}
    assert rules(PLAN, swapped("shopping", never=frozenset({"ben"}))) == {"never"}


def test_both_halves_of_a_visit_with_one_caregiver() -> None:
    problem = replace(PROBLEM, links=(Link("insulin", "dressing", 60, 60, different_caregivers=True),))
    assert rules(PLAN, problem) == {"link_caregiver"}


def test_a_break_in_the_middle_of_work() -> None:
    problem = replace(
        PROBLEM, caregivers=(replace(PROBLEM.caregivers[0], breaks=(Break(630, 640, 30),)), *PROBLEM.caregivers[1:])
    )
    assert rules(round_of(PLAN, "ann", breaks=(630,)), problem) == {"break"}


def test_two_breaks_at_a_time() -> None:
    both = (Break(690, 750, 30), Break(690, 750, 20))
    problem = replace(PROBLEM, caregivers=(replace(PROBLEM.caregivers[0], breaks=both), *PROBLEM.caregivers[1:]))
    assert rules(round_of(PLAN, "ann", breaks=(690, 700), back=740), problem) == {"break"}
    assert rules(round_of(PLAN, "ann", breaks=(690, 720), back=740), problem) == set()


def test_a_break_on_the_way_takes_its_time() -> None:
    resting = replace(PROBLEM.caregivers[0], breaks=(Break(590, 595, 20),))
    problem = replace(PROBLEM, caregivers=(resting, *PROBLEM.caregivers[1:]))
    early = round_of(PLAN, "ann", breaks=(590,))
    assert rules(early, problem) == {"break", "travel"}
    assert rules(stop_at(early, "second", arrives=620), problem) == set()


def test_pins() -> None:
    assert rules(PLAN, pins=(Pin("shopping", "ben"), Pin("lift", "ben", 620), Pin("cleaning", "eve"))) == set()
    assert rules(PLAN, pins=(Pin("shopping", "ann"),)) == {"pin"}
    assert rules(PLAN, pins=(Pin("lift", "ben", 621),)) == {"pin"}


def test_soft_windows_allow_lateness_but_nothing_else() -> None:
    soft = replace(PROBLEM, soft_windows=True)
    assert rules(PLAN, soft) == {"unserved"}
    late = round_of(stop_at(PLAN, "lift", starts=670, ends=700), "ben", back=710)
    late = round_of(stop_at(late, "second", starts=670, ends=700), "ann", back=760, breaks=(700,))
    assert rules(late, soft) == {"unserved"}
    assert cost(soft, late).lateness == 20
    assert cost(soft, late).worst_lateness == 10
    assert rules(late) == {"window"}
    assert cost(PROBLEM, late).lateness == 0
    assert "window" in rules(stop_at(PLAN, "insulin", arrives=499, starts=499, ends=514), soft)
    assert "window" in rules(stop_at(PLAN, "insulin", starts=600, ends=615), soft)


def test_every_rule_has_a_broken_plan() -> None:
    tested = {"skill", "only", "never", "link_caregiver", "pin", "unserved"}
    assert set().union(tested, *(expected for _, expected in BROKEN.values())) == set(RULES)


def test_cost() -> None:
    found = cost(PROBLEM, PLAN)
    assert (found.travel, found.unserved, found.unserved_weight) == (10 + 10 + 10 + 30 + 10 + 10, 1, 2)
    assert found.preference == -5
    assert found.total == 80 + 200 - 5
    weighted = replace(PROBLEM, objective=Objective(travel=2.0, unserved=10.0, preference=3.0))
    assert cost(weighted, PLAN).total == 160 + 20 - 15


def test_bound_is_below_the_plan_and_counts_the_impossible() -> None:
    assert 0 < bound(replace(PROBLEM, tasks=PROBLEM.tasks[:2])) <= cost(PROBLEM, PLAN).total
    impossible = swapped("cleaning", skills=frozenset({"surgeon"}))
    assert bound(impossible) == bound(replace(PROBLEM, tasks=PROBLEM.tasks[:-1])) + 200


def test_reasons() -> None:
    assert reasons(PROBLEM, PLAN) == {"cleaning": "no_room"}
    assert reasons(swapped("cleaning", skills=frozenset({"surgeon"})), PLAN) == {"cleaning": "no_skill"}
    assert reasons(swapped("cleaning", duration=121, only=frozenset({"eve"})), PLAN) == {
        "cleaning": "no_window_in_any_shift"
    }
    nobody = Plan((), tuple(task.id for task in PROBLEM.tasks))
    found = reasons(swapped("second", skills=frozenset({"surgeon"})), nobody)
    assert (found["second"], found["lift"], found["insulin"]) == ("no_skill", "no_skill", "no_room")


def task(**changes: object) -> Task:
    return replace(PROBLEM.tasks[0], **changes)  # type: ignore[arg-type]


def caregiver(**changes: object) -> Caregiver:
    return replace(PROBLEM.caregivers[0], **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tasks": (task(windows=(Window(10, 9),)),)}, "closes before it opens"),
        ({"tasks": (task(windows=()),)}, "no window"),
        ({"tasks": (task(windows=(Window(5, 9), Window(8, 10))),)}, "overlap"),
        ({"tasks": (task(place=5),)}, "unknown place"),
        ({"tasks": (task(priority=0),)}, "cannot be"),
        ({"tasks": (task(), task())}, "twice"),
        ({"caregivers": (caregiver(end=-1),)}, "unknown place"),
        ({"caregivers": (caregiver(profile=1),)}, "profile"),
        ({"caregivers": (caregiver(shift_closes=1),)}, "shift"),
        ({"caregivers": (caregiver(breaks=(Break(830, 900, 30),)),)}, "break"),
        ({"caregivers": (caregiver(), caregiver())}, "twice"),
        ({"links": (Link("insulin", "gardening"),)}, "unknown task gardening"),
        ({"links": (Link("insulin", "dressing", 2, 1),)}, "cannot be kept"),
        ({"travel": (PROBLEM.travel[0], PROBLEM.travel[0][:3, :3])}, "of one size"),
        ({"travel": (PROBLEM.travel[0] - 10,)}, "less than no time"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(Unsolvable, match=said):
        check(replace(PROBLEM, **{"links": (), **changes}))  # type: ignore[arg-type]
