"""The synchronised search: two at once, one after another and lateness, by the rules the validator knows."""

from __future__ import annotations

import math
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from app.routing import machine_code, synchronised
from app.routing.possibility import allowed, linked
from app.routing.problem import Link, Pin, Plan, Problem
from app.routing.synchronised_annealing import anneal
from app.routing.timetable import orders_of
from app.routing.validation import cost, violations
from tests.routing.days import random_day
from tests.routing.small_day import PROBLEM

pytestmark = pytest.mark.timeout(600)  # the first run on a machine compiles
SEEDS = range(6)


def linked_day(seed: int) -> Problem:
    """Two caregivers at once, a visit after another by anybody, and one by somebody else."""
    links = (
        Link("t0", "t1"),
        Link("t2", "t3", 600, 9000),
        Link("t4", "t5", 0, 12_000, different_caregivers=False),
        Link("t6", "t7", 1800, 20_000),
    )
    return replace(random_day(seed, tasks=24), links=links)


@pytest.mark.parametrize("seed", SEEDS)
def test_links_windows_skills_breaks_and_shifts_are_kept(seed: int) -> None:
    day = linked_day(seed)
    plan = synchronised.search(day, budget_cpu_s=60, seed=seed, moves=30_000)
    assert violations(day, plan) == ()
    assert len(plan.unserved) < len(day.tasks) / 2
    served = set().union(*orders_of(plan).values())
    assert all((link.first in served) == (link.second in served) for link in day.links)


@pytest.mark.parametrize("seed", SEEDS)
def test_soft_windows_serve_everybody_whom_somebody_may_serve(seed: int) -> None:
    day = linked_day(seed)
    long = tuple(replace(one, shift_opens=0, shift_closes=200_000, breaks=()) for one in day.caregivers)
    day = replace(day, caregivers=long, soft_windows=True)
    plan = synchronised.search(day, budget_cpu_s=60, seed=seed, moves=20_000)
    possible = {task.id for task in day.tasks if any(allowed(task, one) for one in day.caregivers)}
    assert {found.detail.removeprefix("task ") for found in violations(day, plan)} == set(plan.unserved)
    assert set(plan.unserved).isdisjoint(possible - linked(day))


@pytest.mark.parametrize("seed", range(1, 25))
def test_a_task_whose_mate_stood_before_it_is_replaced(seed: int) -> None:
    """`dressing` follows `insulin`, by one caregiver mostly: both leave the round when either does."""
    assert violations(PROBLEM, synchronised.search(PROBLEM, budget_cpu_s=60, seed=seed, moves=30_000)) == ()


def test_the_same_seed_and_moves_give_the_same_plan() -> None:
    day = linked_day(1)
    one, same = (synchronised.search(day, budget_cpu_s=60, seed=3, moves=20_000) for _ in range(2))
    assert one == same
    others = [synchronised.search(day, budget_cpu_s=60, seed=seed, moves=300) for seed in range(8)]
    assert any(other != others[0] for other in others)


def test_a_warm_plan_is_never_made_worse_and_pins_hold() -> None:
    day = linked_day(2)
    warm = synchronised.search(day, budget_cpu_s=60, seed=1, moves=30_000)
    for moves in (1, 500, 20_000):
        again = synchronised.search(day, budget_cpu_s=60, seed=2, warm=warm, moves=moves)
        assert cost(day, again).total <= cost(day, warm).total
    orders = orders_of(warm)
    who = next(name for name, tasks in orders.items() if len(tasks) > 1)
    pins = [Pin(task, who) for task in orders[who]]
    free = synchronised.search(day, budget_cpu_s=60, seed=4, moves=20_000, pins=pins)
    assert violations(day, free, pins) == ()


def test_what_is_counted_while_searching_is_what_the_validator_counts() -> None:
    day, told = linked_day(3), list[float]()
    plan = synchronised.search(day, budget_cpu_s=60, seed=5, moves=30_000, progress=lambda _, best: told.append(best))
    assert math.isclose(told[-1], cost(day, plan).total)


def test_a_clock_in_coarse_ticks_makes_no_slice_endless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under a limit of CPU time the kernel counts a process's time in ticks; a slice may then seem to take none."""
    true_time = time.process_time
    synchronised.search(PROBLEM, budget_cpu_s=60, seed=1, moves=10)
    monkeypatch.setattr(synchronised.time, "process_time", lambda: math.floor(true_time() / 0.05) * 0.05)
    began = true_time()
    plan = synchronised.search(PROBLEM, budget_cpu_s=1, seed=1)
    assert true_time() - began < 2.5
    assert violations(PROBLEM, plan) == ()


def test_machine_code_is_kept_by_the_state_of_all_its_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine_code.state() in anneal._cache.cache_path  # type: ignore[attr-defined]
    was = machine_code.state()
    shutil.copytree(machine_code.HERE, tmp_path / "routing", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(machine_code, "HERE", tmp_path / "routing")
    assert machine_code.state() == was
    callee = tmp_path / "routing" / "synchronised_ruin.py"
    callee.write_text(callee.read_text() + "\n")
    assert machine_code.state() != was


def test_nothing_to_do_is_a_plan() -> None:
    assert synchronised.search(replace(PROBLEM, tasks=(), links=()), budget_cpu_s=1, seed=1) == Plan((), ())
