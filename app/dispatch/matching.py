"""Choosing a caregiver, in the two stages dispatchers know. Pure.

1. Work rules: pass or fail. `RULES` lists them in the order they are applied; the SQL in `queries.py` names the
   first one a caregiver fails, which gives the funnel ("31 in area → 12 with certificate → 4 free").
2. Service objectives: 0 to 100 points each, multiplied by published weights and added up. The weights are rows
   with versions; nothing here is hidden.

Ties are broken by a hash of the order and the caregiver, so that a repeated match gives the same answer and
nobody is favoured by the alphabet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

RULES = (
    ("provider_suspended", "加盟企业已暂停"),
    ("provider_excluded", "已拒单或超时"),
    ("item_not_offered", "不提供该项目"),
    ("provider_full", "企业已达限额"),
    ("caregiver_inactive", "服务人员停用"),
    ("certificate", "缺少当日有效的证书"),
    ("gender_wish", "不符合性别意愿"),
    ("blocked_pair", "双方已屏蔽"),
    ("off_shift", "不在班次内"),
    ("absent", "请假"),
    ("busy", "该时段已有预约"),
)

OBJECTIVES = ("travel", "continuity", "fairness", "rating")

WORST_TRAVEL_MINUTES = 45
FULL_CONTINUITY_VISITS = 5
FULL_WEEK_MINUTES = 40 * 60


@dataclass(frozen=True, slots=True)
class Candidate:
    """A caregiver who passed every work rule, with what the objectives look at.

    `travel_minutes` one way; `visits` to this elder before; `week_minutes` booked in the week of the visit;
    `rating` already shrunk towards the prior, 1 to 5.
    """

    caregiver_id: UUID
    provider_id: UUID
    caregiver_name: str
    provider_name: str
    travel_minutes: int
    visits: int
    week_minutes: int
    rating: float


@dataclass(frozen=True, slots=True)
class Part:
    """One objective's share of a score: `points` × `weight` / 100; `value` is what was measured."""

    name: str
    points: float
    weight: int
    value: float


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with its score, which is the sum of its parts to three decimals."""

    candidate: Candidate
    score: float
    weights: Mapping[str, int]

    @property
    def parts(self) -> tuple[Part, ...]:
        """What the score is made of. Many are ranked, few are explained."""
        return tuple(
            Part(name, round(earned, 2), self.weights.get(name, 0), round(value, 2))
            for name, (earned, value) in points(self.candidate).items()
        )


def points(candidate: Candidate) -> dict[str, tuple[float, float]]:
    """Each objective's `(points 0..100, measured value)`."""
    return {
        "travel": (_falling(candidate.travel_minutes, WORST_TRAVEL_MINUTES), candidate.travel_minutes),
        "continuity": (min(candidate.visits, FULL_CONTINUITY_VISITS) * 100 / FULL_CONTINUITY_VISITS, candidate.visits),
        "fairness": (_falling(candidate.week_minutes, FULL_WEEK_MINUTES), candidate.week_minutes),
        "rating": ((candidate.rating - 1) * 25, candidate.rating),
    }


def rank(candidates: Iterable[Candidate], weights: Mapping[str, int], seed: str) -> list[Ranked]:
    """Best first. `weights` maps objectives to whole numbers; `seed` breaks ties and is kept with the decision."""
    ranked = [_scored(candidate, weights) for candidate in candidates]
    return sorted(ranked, key=lambda r: (-r.score, _lot(seed, r.candidate.caregiver_id)))


def funnel(first_failures: Mapping[str, int]) -> list[dict[str, object]]:
    """How many remain after each rule: `[{rule, label, refused, remaining}]`, beginning with everybody in the area.

    `first_failures` counts caregivers by the first rule they fail; "" counts those who fail none.
    """
    remaining = sum(first_failures.values())
    steps: list[dict[str, object]] = [{"rule": "in_area", "label": "服务区域内", "refused": 0, "remaining": remaining}]
    for rule, label in RULES:
        refused = first_failures.get(rule, 0)
        remaining -= refused
        if refused:
            steps.append({"rule": rule, "label": label, "refused": refused, "remaining": remaining})
    return steps


def _scored(candidate: Candidate, weights: Mapping[str, int]) -> Ranked:
    total = sum(round(earned, 2) * weights.get(name, 0) for name, (earned, _) in points(candidate).items())
    return Ranked(candidate, round(total / 100, 3), weights)


def _falling(value: float, worst: float) -> float:
    return max(0.0, 100.0 * (1 - value / worst))


def _lot(seed: str, caregiver_id: UUID) -> bytes:
    return hashlib.sha256(f"{seed}|{caregiver_id}".encode()).digest()
