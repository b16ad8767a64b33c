"""Solvers that die, loop, eat memory and lie; and an event loop that notices none of it."""

from __future__ import annotations

import asyncio
import os
import time

import pytest
from benchmarks.city_day import city_day

from app.routing import workers
from app.routing.problem import Problem, Solution, Unsolvable
from app.routing.workers import SolverFailed, solve_apart
from tests.routing.small_day import PLAN, PROBLEM

pytestmark = pytest.mark.timeout(600)  # the first run on a machine compiles

BAD = "tests.routing.bad_solvers:"


@pytest.fixture(autouse=True)
async def _nursery() -> None:
    await workers.prepare()


async def test_a_plan_comes_back_with_progress() -> None:
    told: list[tuple[str, float, float]] = []

    async def hear(step: str, best: float, share: float) -> None:
        told.append((step, best, share))

    found = await solve_apart(PROBLEM, 4, on_progress=hear)
    assert found.violations == ()
    assert found.cost.unserved < len(PROBLEM.tasks)
    assert {"synchronised", "insertion"} <= {step for step, _, _ in told}
    assert told[-1][1] == found.cost.total


@pytest.mark.parametrize("solver", ["good", "prints"])
async def test_any_solver_of_the_same_signature(solver: str) -> None:
    assert (await solve_apart(PROBLEM, 1, solver=BAD + solver)).plan == PLAN


@pytest.mark.parametrize(
    ("solver", "reason"),
    [
        ("killed", "died"),
        ("leaves", "died"),
        ("raises", "died"),
        ("nowhere", "died"),
        ("hungry", "out_of_memory"),
        ("endless", "out_of_time"),
        ("breaks_a_rule", "nonsense"),
        ("flatters_itself", "nonsense"),
        ("chatters", "nonsense"),
        ("noise", "nonsense"),
    ],
)
async def test_a_solver_that_fails(solver: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "GRACE_CPU_S", 1)
    with pytest.raises(SolverFailed) as failed:
        await solve_apart(PROBLEM, 0.1, solver=BAD + solver, memory_bytes=1 << 28)
    assert failed.value.reason == reason
    assert (await solve_apart(PROBLEM, 1, solver=BAD + "good")).plan == PLAN


async def test_what_cannot_be_solved_says_so() -> None:
    with pytest.raises(Unsolvable, match="p17"):
        await solve_apart(PROBLEM, 1, solver=BAD + "impossible")
    with pytest.raises(Unsolvable, match="twice"):
        await solve_apart(Problem(PROBLEM.caregivers, PROBLEM.tasks[:1] * 2, PROBLEM.travel), 1)


async def test_a_solver_that_sleeps_meets_the_limit_of_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "GRACE_CPU_S", 0.0)
    monkeypatch.setattr(workers, "WALL_PER_CPU", 1.0)
    with pytest.raises(SolverFailed) as failed:
        await solve_apart(PROBLEM, 1, solver=BAD + "asleep")
    assert failed.value.reason == "out_of_time"


async def asleep() -> tuple[asyncio.Task[Solution], int]:
    """A job that will not end by itself, and its process."""
    born: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def hear(_: str, pid: float, __: float) -> None:
        born.set_result(int(pid))

    job = asyncio.create_task(solve_apart(PROBLEM, 1, solver=BAD + "asleep", on_progress=hear))
    return job, await asyncio.wait_for(born, 60)


async def test_cancelling_ends_the_process() -> None:
    job, pid = await asleep()
    os.kill(pid, 0)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_nursery_that_is_gone_is_started_again() -> None:
    assert workers._NURSERY.process is not None
    workers._NURSERY.process.kill()
    await asyncio.to_thread(workers._NURSERY.process.wait)
    assert (await solve_apart(PROBLEM, 1, solver=BAD + "good")).plan == PLAN


async def test_a_solver_sees_nothing_of_the_parent() -> None:
    """Not its sockets, not its threads: it is no fork of the event loop."""
    ours, theirs = os.pipe()
    inode = os.fstat(theirs).st_ino
    job, pid = await asleep()
    held = {os.stat(f"/proc/{pid}/fd/{fd}").st_ino for fd in os.listdir(f"/proc/{pid}/fd")}
    threads = os.listdir(f"/proc/{pid}/task")
    job.cancel()
    await asyncio.gather(job, return_exceptions=True)
    os.close(ours)
    os.close(theirs)
    assert inode not in held
    assert len(threads) == 1


async def test_the_loop_keeps_beating() -> None:
    """A city's day goes over and comes back; no two beats of the loop are far apart by the loop's own CPU time."""
    problem = city_day("plain")
    worst, beating = 0.0, True

    async def beat() -> None:
        nonlocal worst
        while beating:
            before = time.thread_time()
            await asyncio.sleep(0.002)
            worst = max(worst, time.thread_time() - before)

    heart = asyncio.create_task(beat())
    found = await solve_apart(problem, 1.0, only=("insertion",))
    beating = False
    await heart
    assert found.cost.unserved < 400
    assert worst < 0.05
