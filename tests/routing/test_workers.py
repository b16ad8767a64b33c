"""Solvers in processes of their own: what goes wrong there is told here, and holds nobody up."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from app.routing import workers
from app.routing.problem import Solution, Unsolvable
from app.routing.workers import SolverFailed, solve_apart
from tests.routing.small_day import PROBLEM

BAD = "tests.routing.bad_solvers"


async def asked(name: str, **options: object) -> Solution:
    return await solve_apart(PROBLEM, 0.5, solver=f"{BAD}:{name}", **options)  # type: ignore[arg-type]


def children() -> set[int]:
    """Processes of ours that run a solver."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if b"app.routing.workers" in line:
                found.add(int(entry.name))
    return found


async def test_an_answer_comes_back_with_its_progress() -> None:
    heard: list[tuple[str, float, float]] = []

    async def on_progress(*step: object) -> None:
        heard.append(step)  # type: ignore[arg-type]

    solution = await asked("nobody", on_progress=on_progress)
    assert set(solution.plan.unserved) == {task.id for task in PROBLEM.tasks}
    assert heard == [("begun", 1.0, 0.5)]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("killed", "died"),
        ("raises", "died"),
        ("hungry", "out_of_memory"),
        ("wrong_plan", "nonsense"),
        ("not_a_plan", "nonsense"),
        ("garbage", "nonsense"),
    ],
)
async def test_a_bad_solver_is_told_by_its_reason(name: str, reason: str) -> None:
    with pytest.raises(SolverFailed) as failed:
        await asked(name)
    assert failed.value.reason == reason, failed.value.detail


async def test_an_endless_solver_meets_the_cpu_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "START_CPU_S", 1.0)
    monkeypatch.setattr(workers, "WALL_PER_CPU", 60.0)
    with pytest.raises(SolverFailed) as failed:
        await asked("endless")
    assert failed.value.reason == "out_of_time"
    assert "CPU" in failed.value.detail


async def test_a_sleeping_solver_meets_the_limit_of_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "START_CPU_S", 1.0)
    monkeypatch.setattr(workers, "WALL_PER_CPU", 2.0)
    began = time.monotonic()
    with pytest.raises(SolverFailed) as failed:
        await asked("asleep")
    assert failed.value.reason == "out_of_time"
    assert time.monotonic() - began < 30


async def test_an_impossible_problem_is_told_as_such() -> None:
    with pytest.raises(Unsolvable, match="p17"):
        await asked("impossible")


async def test_who_gives_up_waiting_leaves_no_solver_behind() -> None:
    before = children()
    task = asyncio.create_task(asked("asleep"))
    async with asyncio.timeout(30):
        while not children() - before:  # noqa: ASYNC110 (another process begins)
            await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert children() <= before
