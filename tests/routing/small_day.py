"""A day small enough to plan by hand: places on a line, 10 minutes apart, times in minutes.

Ann starts at place 0 and rests at noon; Ben starts at place 4. `lift` and `second` are two pairs of hands at one
bedside; `dressing` follows `insulin` after 60 to 120 minutes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.routing.problem import (
    Break,
    Caregiver,
    Link,
    Objective,
    Plan,
    Problem,
    Round,
    Stop,
    Task,
    Window,
)

LINE = np.abs(np.arange(5)[:, None] - np.arange(5)[None, :]).astype(np.int64) * 10

PROBLEM = Problem(
    caregivers=(
        Caregiver("ann", 0, 0, 480, 840, frozenset({"nurse", "bath"}), (Break(690, 750, 30),)),
        Caregiver("ben", 4, 4, 480, 840, frozenset({"bath"})),
        Caregiver("eve", 2, 2, 480, 600),
    ),
    tasks=(
        Task("insulin", 1, 15, (Window(500, 520), Window(700, 720)), frozenset({"nurse"}), priority=50),
        Task("dressing", 2, 20, (Window(540, 660),), frozenset({"nurse"}), preference={"ann": -5}),
        Task("lift", 3, 30, (Window(600, 660),), frozenset({"bath"}), only=frozenset({"ann", "ben"})),
        Task("second", 3, 30, (Window(600, 660),), never=frozenset({"eve"})),
        Task("shopping", 4, 60, (Window(480, 780),), priority=3),
        Task("cleaning", 2, 120, (Window(480, 780),), priority=2),
    ),
    travel=(LINE,),
    links=(
        Link("insulin", "dressing", 60, 120, different_caregivers=False),
        Link("lift", "second"),
    ),
    objective=Objective(travel=1.0, unserved=100.0),
)

ANN = Round(
    "ann",
    (
        Stop("insulin", 510, 510, 525),
        Stop("dressing", 535, 570, 590),
        Stop("second", 600, 620, 650),
    ),
    leaves=500,
    back=720,
    breaks=(690,),
)
BEN = Round("ben", (Stop("shopping", 500, 500, 560), Stop("lift", 570, 620, 650)), leaves=500, back=660)
PLAN = Plan((ANN, BEN), ("cleaning",))


def stop_at(plan: Plan, task: str, **changes: object) -> Plan:
    """The plan with one stop changed."""
    return Plan(
        tuple(
            replace(
                one,
                stops=tuple(replace(s, **changes) if s.task == task else s for s in one.stops),  # type: ignore[arg-type]
            )
            for one in plan.rounds
        ),
        plan.unserved,
    )


def round_of(plan: Plan, caregiver: str, **changes: object) -> Plan:
    """The plan with one round changed."""
    return Plan(
        tuple(replace(one, **changes) if one.caregiver == caregiver else one for one in plan.rounds),  # type: ignore[arg-type]
        plan.unserved,
    )
