"""The rules of the Mankowska instances, from the file's own numbers: knows nothing of the product's problem or plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

CLOSE = 1e-3
"""Times are given to three decimals."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Distance, total and largest tardiness, in the file's units, and every rule that was broken."""

    distance: float
    tardiness: float
    worst: float
    breaches: tuple[str, ...]

    @property
    def cost(self) -> float:
        return (self.distance + self.tardiness + self.worst) / 3


def verdict(instance: dict[str, Any], routes: list[dict[str, Any]]) -> Verdict:
    """Walks every route; a start is the `arrival_time` given for it."""
    patients = {patient["id"]: patient for patient in instance["patients"]}
    row = {patient["id"]: at for at, patient in enumerate(instance["patients"], start=1)}
    abilities = {one["id"]: set(one["abilities"]) for one in instance["caregivers"]}
    breaches: list[str] = []
    starts: dict[tuple[str, str], tuple[float, str]] = {}
    distance = 0.0
    if len({route["caregiver_id"] for route in routes}) < len(routes):
        breaches.append("a caregiver has two routes")
    for route in routes:
        carer, here, free = route["caregiver_id"], 0, 0.0
        for stop in route.get("locations", ()):
            name, service, start = stop["patient"], stop["service"], stop["arrival_time"]
            there = row[name]
            needed = {one["service"]: one["duration"] for one in patients[name]["required_caregivers"]}
            if service not in needed or (name, service) in starts:
                breaches.append(f"{name} {service} is not asked for, or served twice")
                continue
            if service not in abilities[carer]:
                breaches.append(f"{carer} cannot do {service} at {name}")
            way = instance["distances"][here][there]
            if start < free + way - CLOSE:
                breaches.append(f"{carer} starts at {name} at {start}, and cannot be there before {free + way}")
            if start < patients[name]["time_window"][0] - CLOSE:
                breaches.append(f"{carer} starts at {name} at {start}, before the window")
            starts[name, service] = (start, carer)
            distance += way
            here, free = there, start + needed[service]
        distance += instance["distances"][here][0]
    late = []
    for name, patient in patients.items():
        breaches += _served(patient, starts)
        for one in patient["required_caregivers"]:
            start, _ = starts.get((name, one["service"]), (0.0, ""))
            late.append(max(0.0, start - patient["time_window"][1]))
    return Verdict(distance, sum(late), max(late), tuple(breaches))


def _served(patient: dict[str, Any], starts: dict[tuple[str, str], tuple[float, str]]) -> list[str]:
    name = patient["id"]
    found = [starts.get((name, one["service"])) for one in patient["required_caregivers"]]
    if None in found:
        return [f"{name} is not served"]
    if len(found) < 2:
        return []
    (first, one), (second, other) = found  # type: ignore[misc]
    least, most = patient["synchronization"].get("distance", (0, 0))
    breaches = [f"{name} has both halves from {one}"] if one == other else []
    if not least - CLOSE <= second - first <= most + CLOSE:
        breaches.append(f"{name} is served at {first} and {second}, not {least} to {most} apart")
    return breaches
