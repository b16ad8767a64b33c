"""Days drawn at random, for properties: small, crowded, with whatever the problem can have."""

from __future__ import annotations

import numpy as np

from app.routing.problem import Break, Caregiver, Objective, Problem, Task, Window


def random_day(seed: int, caregivers: int = 5, tasks: int = 30, *, breaks: bool = True) -> Problem:
    """Two ways of travelling, skills, several windows, named and refused caregivers, preferences, breaks."""
    dice = np.random.default_rng(seed)
    points = dice.uniform(0, 3000, (caregivers + tasks, 2))
    way = np.hypot(*(points[:, None, axis] - points[None, :, axis] for axis in (0, 1)))
    names = [f"c{number}" for number in range(caregivers)]
    return Problem(
        tuple(_caregiver(dice, name, number, breaks) for number, name in enumerate(names)),
        tuple(_task(dice, number, caregivers + number, names) for number in range(tasks)),
        (way.astype(np.int64), (way * 1.7).astype(np.int64)),
        objective=Objective(unserved=5000),
    )


def _caregiver(dice: np.random.Generator, name: str, place: int, breaks: bool) -> Caregiver:
    opens = int(dice.integers(0, 10_000))
    rests = [Break(opens + 8000, opens + 12_000, 1800), Break(opens + 15_000, opens + 18_000, 900)]
    skills = frozenset(skill for skill in "abc" if dice.random() < 0.6)
    count = int(dice.integers(0, 3)) if breaks else 0
    return Caregiver(name, place, 0, opens, opens + 28_800, skills, tuple(rests[:count]), int(dice.integers(0, 2)))


def _task(dice: np.random.Generator, number: int, place: int, names: list[str]) -> Task:
    opens = int(dice.integers(0, 20_000))
    windows = [Window(opens, opens + int(dice.integers(600, 5000)))]
    if dice.random() < 0.3:
        windows.append(Window(opens + 8000, opens + 10_000))
    some = frozenset(str(name) for name in dice.choice(names, 3))
    draw = dice.random()
    return Task(
        f"t{number}", place, int(dice.integers(600, 4000)), tuple(windows),
        frozenset(skill for skill in "abc" if dice.random() < 0.2),
        int(dice.choice([1, 2, 10])),
        only=some if draw < 0.1 else None,
        never=some if draw > 0.9 else frozenset(),
        preference={str(dice.choice(names)): int(dice.integers(-900, 300))} if dice.random() < 0.3 else {},
    )  # fmt: skip
