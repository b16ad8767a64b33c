"""Solomon's instances by the DIMACS convention, as a problem of ours, and their rules from the files' own numbers."""

from __future__ import annotations

import json
import math
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.routing.problem import Caregiver, Objective, Plan, Problem, Task, Window

TENTHS = 10
"""Distances are cut off after one decimal; a problem counts whole units."""


@dataclass(frozen=True, slots=True)
class Solomon:
    """Customers are rows (x, y, demand, ready, due, service); row 0 is the depot."""

    name: str
    vehicles: int
    capacity: int
    customers: tuple[tuple[int, ...], ...]

    def distance(self, here: int, there: int) -> int:
        """In tenths."""
        (x, y, *_), (u, v, *_) = self.customers[here], self.customers[there]
        return math.floor(math.hypot(x - u, y - v) * TENTHS)


def read(folder: Path) -> dict[str, Solomon]:
    """All instances, by name in order."""
    found = {}
    with tarfile.open(folder / "solomon.tar.xz") as archive:
        for member in archive:
            content = archive.extractfile(member)
            if member.name.endswith(".txt") and content is not None:
                one = _parsed(content.read().decode())
                found[one.name] = one
    return dict(sorted(found.items()))


def best_known(folder: Path) -> dict[str, float]:
    return {name: cost for name, (cost, _) in json.loads((folder / "bks.json").read_text()).items()}


def _parsed(text: str) -> Solomon:
    rows = [line.split() for line in text.splitlines() if line.strip()]
    numbers = [[int(word) for word in row] for row in rows if all(word.lstrip("-").isdigit() for word in row)]
    (vehicles, capacity), customers = numbers[0], numbers[1:]
    return Solomon(rows[0][0], vehicles, capacity, tuple(tuple(row[1:]) for row in customers))


def problem_of(instance: Solomon) -> Problem:
    """A caregiver for each vehicle. Loads are left out: home care has none, and neither has our problem."""
    depot, *customers = instance.customers
    count = len(instance.customers)
    return Problem(
        caregivers=tuple(
            Caregiver(f"v{number}", 0, 0, depot[3] * TENTHS, depot[4] * TENTHS) for number in range(instance.vehicles)
        ),
        tasks=tuple(
            Task(f"c{place}", place, service * TENTHS, (Window(ready * TENTHS, due * TENTHS),))
            for place, (_, _, _, ready, due, service) in enumerate(customers, start=1)
        ),
        travel=(np.array([[instance.distance(x, y) for y in range(count)] for x in range(count)], np.int64),),
        objective=Objective(unserved=100_000),
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """Distance in the file's units; what was broken; and how many routes carry more than a vehicle holds."""

    distance: float
    breaches: tuple[str, ...]
    overloaded: int


def verdict(instance: Solomon, routes: list[list[int]]) -> Verdict:
    """Walks every route, always as early as may be."""
    breaches, distance, overloaded = [], 0, 0
    visited = sorted(customer for route in routes for customer in route)
    if visited != list(range(1, len(instance.customers))):
        breaches.append("not every customer exactly once")
    if len(routes) > instance.vehicles:
        breaches.append(f"{len(routes)} vehicles")
    for route in routes:
        here, free = 0, instance.customers[0][3] * TENTHS
        for customer in [*route, 0]:
            way = instance.distance(here, customer)
            _, _, _, ready, due, service = instance.customers[customer]
            start = max(free + way, ready * TENTHS)
            if start > due * TENTHS:
                breaches.append(f"{customer} at {start}, due {due}")
            distance += way
            here, free = customer, start + service * TENTHS
        overloaded += sum(instance.customers[customer][2] for customer in route) > instance.capacity
    return Verdict(distance / TENTHS, tuple(breaches), overloaded)


def routes_of(plan: Plan) -> list[list[int]]:
    return [[int(stop.task[1:]) for stop in one.stops] for one in plan.rounds]


def published(folder: Path) -> dict[str, list[list[int]]]:
    """The routes of the solutions that come with the instances."""
    found = {}
    with tarfile.open(folder / "solomon.tar.xz") as archive:
        for member in archive:
            content = archive.extractfile(member)
            if member.name.endswith(".sol") and content is not None:
                lines = [line for line in content.read().decode().splitlines() if line.startswith("Route")]
                name = Path(member.name).stem
                found[name] = [[int(word) for word in line.split(":")[1].split()] for line in lines]
    return found
