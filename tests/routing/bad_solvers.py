"""Solvers that do what solvers must not, of `solving.solve`'s signature."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import replace

from app.routing.problem import Plan, Problem, Solution, Unsolvable
from app.routing.validation import cost
from tests.routing.small_day import PLAN, stop_at


def _solution(problem: Problem, plan: Plan) -> Solution:
    return Solution(plan, cost(problem, plan), 0.0, (), ())


def good(problem: Problem, **_: object) -> Solution:
    return _solution(problem, PLAN)


def killed(**_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leaves(**_: object) -> None:
    os._exit(7)


def raises(**_: object) -> None:
    raise ZeroDivisionError("somewhere")


def hungry(**_: object) -> None:
    held = []
    while True:
        held.append(bytearray(1 << 24))


def endless(**_: object) -> None:
    while True:
        pass


def asleep(progress: object, **_: object) -> None:
    progress("asleep", float(os.getpid()), 0.0)  # type: ignore[operator]
    time.sleep(600)


def breaks_a_rule(problem: Problem, **_: object) -> Solution:
    return _solution(problem, stop_at(PLAN, "shopping", starts=470))


def flatters_itself(problem: Problem, **_: object) -> Solution:
    found = _solution(problem, PLAN)
    return replace(found, cost=replace(found.cost, total=0.0))


def chatters(**_: object) -> str:
    return "done"


def impossible(**_: object) -> None:
    raise Unsolvable("task p17: the window closes before it opens")


def noise(**_: object) -> None:
    """Finds the connection and writes into it."""
    for descriptor in range(3, 40):
        with suppress(OSError):
            os.write(descriptor, b"P\x00\x00\x00\x05hello")
    os._exit(0)


def prints(problem: Problem, **_: object) -> Solution:
    print("solver chatter on standard output", flush=True)
    return _solution(problem, PLAN)
