"""A city's day of home care, made up from a seed: 100 caregivers, 800 visits, more work than fits.

E-bikes at 18 km/h over 1.35 times the straight line; caregivers start and end at home. Shifts add up to about 770
hours, visits to about 570. The variant `breaks` gives full shifts a meal; `doubles` also makes some visits take two
caregivers at once and gives most elders a caregiver they know.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.routing.problem import Break, Caregiver, Link, Problem, Task, Window

HOUR = 3600
SKILLS = {"cleaning": 0.8, "bathing": 0.5, "meals": 0.7, "rehabilitation": 0.25, "nursing": 0.2, "escort": 0.6}
DEMAND = {"cleaning": 0.3, "bathing": 0.2, "meals": 0.2, "rehabilitation": 0.08, "nursing": 0.07, "escort": 0.15}
DURATIONS = {30: 0.5, 45: 0.25, 60: 0.2, 90: 0.05}
PRIORITIES = {1: 0.8, 2: 0.12, 5: 0.06, 20: 0.02}
WIDTHS = {0.5: 0.25, 1: 0.3, 2: 0.3, 4: 0.15}
METRES_PER_S = 18 / 3.6 / 1.35
VARIANTS = ("plain", "breaks", "doubles")


def city_day(variant: str = "plain", *, caregivers: int = 100, visits: int = 800, seed: int = 1) -> Problem:
    """The same day for the same arguments. The city's size follows the number of caregivers."""
    dice = np.random.default_rng([seed, caregivers, visits])
    places = _places(dice, caregivers, visits)
    apart = np.hypot(*(places[:, None, axis] - places[None, :, axis] for axis in (0, 1)))
    travel = np.ceil(apart / METRES_PER_S).astype(np.int64)
    day = Problem(
        tuple(_caregiver(dice, number) for number in range(caregivers)),
        tuple(_task(dice, number, caregivers + number) for number in range(visits)),
        (travel,),
    )
    if variant == "plain":
        return day
    day = replace(day, caregivers=tuple(map(_with_meal, day.caregivers)))
    return _with_doubles(dice, day) if variant == "doubles" else day


def _places(dice: np.random.Generator, caregivers: int, visits: int) -> np.ndarray:
    """Metres: quarters of different density, homes a little more spread than elders."""
    side = 2100.0 * np.sqrt(caregivers)
    quarters = dice.uniform(0.1 * side, 0.9 * side, (12, 2))
    sizes = dice.dirichlet(np.full(12, 2.0))
    centres = quarters[dice.choice(12, caregivers + visits, p=sizes)]
    spread = np.where(np.arange(caregivers + visits) < caregivers, 0.14, 0.1)[:, None] * side
    return np.clip(centres + dice.normal(0, 1, centres.shape) * spread, 0, side)


def _caregiver(dice: np.random.Generator, number: int) -> Caregiver:
    half = dice.random() < 0.1
    opens = round((7 + dice.integers(0, 7) if not half else dice.choice([8, 13, 16])) * HOUR)
    skills = {skill for skill, share in SKILLS.items() if dice.random() < share} or {"cleaning"}
    skills.add("woman" if dice.random() < 0.75 else "man")
    return Caregiver(f"c{number:03}", number, number, opens, opens + (4 if half else 8) * HOUR, frozenset(skills))


def _task(dice: np.random.Generator, number: int, place: int) -> Task:
    skill = _drawn(dice, DEMAND)
    skills = {skill}
    if skill == "bathing" and dice.random() < 0.5:
        skills.add("woman" if dice.random() < 0.65 else "man")
    width = round(_drawn(dice, WIDTHS) * HOUR)
    opens = round(dice.uniform(7.5 * HOUR, 20 * HOUR - width) / 900) * 900
    return Task(
        f"v{number:03}",
        place,
        _drawn(dice, DURATIONS) * 60,
        (Window(opens, opens + width),),
        frozenset(skills),
        _drawn(dice, PRIORITIES),
    )


def _drawn(dice: np.random.Generator, shares: dict) -> object:
    return list(shares)[dice.choice(len(shares), p=list(shares.values()))]


def _with_meal(caregiver: Caregiver) -> Caregiver:
    """Half an hour, begun in the middle three hours of a full shift."""
    if caregiver.shift_closes - caregiver.shift_opens < 6 * HOUR:
        return caregiver
    opens = caregiver.shift_opens + round(2.5 * HOUR)
    return replace(caregiver, breaks=(Break(opens, opens + 3 * HOUR, HOUR // 2),))


def _with_doubles(dice: np.random.Generator, day: Problem) -> Problem:
    """Every sixteenth visit takes a second pair of hands; two elders of three have a caregiver they know."""
    able = [[c.id for c in day.caregivers if task.skills <= c.skills] for task in day.tasks]
    known = [
        replace(task, preference={str(dice.choice(names)): -600}) if names and dice.random() < 2 / 3 else task
        for task, names in zip(day.tasks, able, strict=True)
    ]
    second = [replace(task, id=f"{task.id}b", preference={}) for task in known[::16]]
    links = tuple(Link(task.id[:-1], task.id) for task in second)
    return replace(day, tasks=(*known, *second), links=links)
