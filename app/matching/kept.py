"""A ranking as a decision keeps it, as people see it, and the same ranking again. Pure.

What is kept is what the objectives looked at, not the points: so a decision can be explained and replayed with the
weights of then, or asked what others would have chosen. One list per candidate, best first, because a decision is
written for every order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from app.matching.rules import OBJECTIVES, Candidate, Ranked, rank

FORM = 2


def keep(ranked: Sequence[Ranked], seed: str, radius_km: float | None, max_travel_minutes: int) -> dict[str, Any]:
    """The form of the column `decision.ranked`."""
    return {
        "form": FORM,
        "seed": seed,
        "radius_km": None if radius_km is None else round(radius_km, 2),
        "max_travel_minutes": max_travel_minutes,
        "objectives": list(OBJECTIVES),
        "rows": [[r.candidate.caregiver_id, r.candidate.provider_id, *r.candidate.measured().values()] for r in ranked],
    }


def explained(ranked: Iterable[Ranked], limit: int = 10) -> list[dict[str, Any]]:
    """The first `limit` with their part scores."""
    return [
        {
            "caregiver_id": str(r.candidate.caregiver_id),
            "caregiver": r.candidate.caregiver_name,
            "provider_id": str(r.candidate.provider_id),
            "provider": r.candidate.provider_name,
            "score": r.score,
            "travel_minutes": r.candidate.travel_minutes,
            "parts": [{"name": p.name, "points": p.points, "weight": p.weight, "value": p.value} for p in r.parts],
        }
        for r in list(ranked)[:limit]
    ]


def candidates(kept: Mapping[str, Any], names: Mapping[UUID, tuple[str, str]]) -> list[Candidate]:
    """Who was ranked, in the order kept; `names` are of caregivers and their providers, as they are called now."""
    found = []
    for caregiver, provider, *values in kept["rows"]:
        caregiver_id = UUID(caregiver)
        measured = {
            OBJECTIVES[name].measure: value
            for name, value in zip(kept["objectives"], values, strict=True)
            if name in OBJECTIVES
        }
        name, company = names.get(caregiver_id, ("", ""))
        found.append(
            Candidate(
                caregiver_id=caregiver_id, provider_id=UUID(provider), caregiver_name=name, provider_name=company,
                **measured,
            )
        )  # fmt: skip
    return found


def is_ranking(kept: Any) -> bool:
    """Whether somebody was left to be ranked; a decision that found nobody keeps an empty list."""
    return isinstance(kept, Mapping) and bool(kept["rows"])


def caregiver_ids(kept: Any) -> list[UUID]:
    """Whom a kept ranking names, best first."""
    return [UUID(row[0]) for row in kept["rows"]] if is_ranking(kept) else []


def again(kept: Mapping[str, Any], weights: Mapping[str, int], names: Mapping[UUID, tuple[str, str]]) -> list[Ranked]:
    """The ranking made again from what was kept."""
    return rank(candidates(kept, names), weights, kept["seed"])
