"""Solvers that go wrong in every way a solver can; named by `module:function` and run in the child."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any

import numpy as np

from app.routing.problem import Plan, Problem, Round, Solution, Stop, Unsolvable
from app.routing.validation import cost


def _solution(problem: Problem, plan: Plan) -> Solution:
    return Solution(plan, cost(problem, plan), 0.0, (), (("none", 0.0, 0.0),))


def nobody(problem: Problem, *_: Any, progress: Any, **__: Any) -> Solution:
    """Honest and lazy: leaves everything out, prints where it must not, and says how it goes."""
    print("solver chatter on standard output")
    progress("begun", 1.0, 0.5)
    return _solution(problem, Plan((), tuple(task.id for task in problem.tasks)))


def killed(*_: Any, **__: Any) -> Solution:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def hungry(*_: Any, **__: Any) -> Solution:
    kept = []
    while True:
        kept.append(np.ones(8 << 20, np.int64))


def endless(*_: Any, **__: Any) -> Solution:
    while True:
        time.process_time()


def asleep(*_: Any, **__: Any) -> Solution:
    time.sleep(600)
    raise AssertionError


def raises(*_: Any, **__: Any) -> Solution:
    raise KeyError("p17")


def impossible(*_: Any, **__: Any) -> Solution:
    raise Unsolvable("task p17: the window closes before it opens")


def wrong_plan(problem: Problem, *_: Any, **__: Any) -> Solution:
    """Says that all is well: everything by the first caregiver, at midnight, in no time."""
    stops = tuple(Stop(task.id, 0, 0, 0) for task in problem.tasks)
    return _solution(problem, Plan((Round(problem.caregivers[0].id, stops, 0, 0),), ()))


def not_a_plan(*_: Any, **__: Any) -> Any:
    return {"routes": []}


def garbage(*_: Any, **__: Any) -> Solution:
    """Finds the pipe and writes noise into it."""
    for descriptor in range(3, 20):
        try:
            os.write(descriptor, b"s\x00\x00\x00\x05hello")
        except OSError:
            continue
    sys.exit(0)
