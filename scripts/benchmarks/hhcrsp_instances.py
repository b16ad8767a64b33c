"""The instances of Mankowska, Meisel and Bierwirth (2014), as files say it and as a problem of ours."""

from __future__ import annotations

import json
import lzma
import re
from pathlib import Path
from typing import Any

import numpy as np

from app.routing.problem import Caregiver, Link, Objective, Plan, Problem, Task, Window

THOUSANDTHS = 1000
"""Distances have three decimals; a problem counts whole units."""

FAR = 1 << 40


def read(folder: Path) -> dict[str, Any]:
    """Instances by short name, `10_1` to `300_5`."""
    with lzma.open(folder / "mankowska_instances.json.xz", "rt") as file:
        return {short(name): instance for name, instance in json.load(file).items()}


def best_known(folder: Path) -> dict[str, float]:
    found = json.loads((folder / "mankowska_bks.json").read_text())
    return {short(name): values["cost"] for name, values in found.items()}


def published(folder: Path) -> dict[str, Any]:
    """The solutions that come with the instances, by short name."""
    with lzma.open(folder / "mankowska_solutions.json.xz", "rt") as file:
        return {short(name): solution for name, solution in json.load(file).items()}


def short(name: str) -> str:
    found = re.search(r"HCSRP_(\d+_\d+)", name)
    assert found, name
    return found[1]


def problem_of(instance: dict[str, Any]) -> Problem:
    """Patients who need two services become two linked tasks at one place."""
    tasks, links = [], []
    for place, patient in enumerate(instance["patients"], start=1):
        opens, closes = patient["time_window"]
        services = patient["required_caregivers"]
        for which, service in enumerate(services):
            tasks.append(
                Task(
                    id=f"{patient['id']}/{which}",
                    place=place,
                    duration=_units(service["duration"]),
                    windows=(Window(_units(opens), _units(closes)),),
                    skills=frozenset({service["service"]}),
                )
            )
        if len(services) == 2:
            least, most = patient["synchronization"].get("distance", (0, 0))
            links.append(Link(tasks[-2].id, tasks[-1].id, _units(least), _units(most)))
    return Problem(
        caregivers=tuple(
            Caregiver(one["id"], 0, 0, 0, FAR, frozenset(one["abilities"])) for one in instance["caregivers"]
        ),
        tasks=tuple(tasks),
        travel=(np.array([[_units(way) for way in row] for row in instance["distances"]], np.int64),),
        links=tuple(links),
        objective=Objective(travel=1 / 3, unserved=1e9, lateness=1 / 3, worst_lateness=1 / 3),
        soft_windows=True,
    )


def routes_of(instance: dict[str, Any], plan: Plan) -> list[dict[str, Any]]:
    """A plan in the form of the published solutions: service by patient and caregiver, times in the file's units."""
    patients = {patient["id"]: patient for patient in instance["patients"]}
    routes = []
    for one in plan.rounds:
        stops = []
        for stop in one.stops:
            name, which = stop.task.split("/")
            service = patients[name]["required_caregivers"][int(which)]["service"]
            start, end = stop.starts / THOUSANDTHS, stop.ends / THOUSANDTHS
            stops.append({"patient": name, "service": service, "arrival_time": start, "departure_time": end})
        routes.append({"caregiver_id": one.caregiver, "locations": stops})
    return routes


def _units(number: float) -> int:
    return round(number * THOUSANDTHS)
