"""Choosing a caregiver, in the two stages dispatchers know. Pure.

1. Work rules: pass or fail. `RULES` lists them in the order they are applied; the SQL of matching names the first
   one a caregiver fails, which gives the funnel ("31 in area → 12 with certificate → 4 free").
2. Service objectives: 0 to 100 points each, multiplied by published weights and added up. The weights are rows
   with versions; nothing here is hidden. Every objective is a straight line between its worst and its best value, so
   the database can sort by the very same figures.

Ties are broken by a hash of a seed and the caregiver, so that a repeated match gives the same answer and nobody is
favoured by the alphabet. The seed is kept with the decision.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

RULES = (
    ("certificate", "缺少当日有效的证书"),
    ("gender_wish", "不符合性别意愿"),
    ("provider_suspended", "加盟企业已暂停"),
    ("provider_excluded", "已拒单或超时"),
    ("item_not_offered", "不提供该项目"),
    ("provider_full", "企业已达限额"),
    ("caregiver_inactive", "服务人员停用"),
    ("off_shift", "不在班次内"),
    ("absent", "请假"),
    ("busy", "该时段已有预约"),
    ("blocked_pair", "双方已屏蔽"),
    ("too_far", "路程超过上限"),
)


@dataclass(frozen=True, slots=True)
class Objective:
    """One service objective: what is measured (a field of `Candidate`), and which values earn 0 and 100 points."""

    label: str
    measure: str
    worst: float
    best: float

    def points(self, value: float) -> float:
        """0 at `worst` or beyond, 100 at `best` or beyond, in between in proportion."""
        return 100.0 * min(1.0, max(0.0, (value - self.worst) / (self.best - self.worst)))


OBJECTIVES = {
    "travel": Objective("路程", "travel_minutes", 45, 0),
    "continuity": Objective("熟悉程度", "visits", 0, 5),
    "slack": Objective("前后余量", "slack_minutes", 0, 45),
    "fairness": Objective("工时均衡", "ahead_minutes", 600, -600),
    "rating": Objective("评价", "rating", 1, 5),
    "share": Objective("合同份额", "share_gap", 10, -10),
    "just_enough": Objective("技能匹配", "spare", 2, 0),
    "preference": Objective("老人偏好", "wishes", 0, 1),
}
"""The objectives in the order they are kept; a new one goes to the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A caregiver who passed every work rule, with what the objectives look at."""

    caregiver_id: UUID
    provider_id: UUID
    caregiver_name: str
    provider_name: str
    travel_minutes: int
    """One way."""
    visits: int = 0
    """To this elder before."""
    slack_minutes: int = 0
    """Free before the way begins or after the turnaround, whichever is less; two hours are looked at."""
    ahead_minutes: int = 0
    """Booked in the week of the visit, less what the middle one of the provider's team has."""
    rating: float = 4.5
    """1 to 5, already shrunk towards the prior."""
    share_gap: float = 0.0
    """The provider's part of the district's orders this month less its part by contract, in percentage points."""
    spare: int = 0
    """Specialist certificates this order does not need."""
    wishes: float = 1.0
    """The part of the elder's soft wishes that is met; 1 when there are none."""

    def measured(self) -> dict[str, float]:
        """What every objective looks at, by objective."""
        return {name: getattr(self, objective.measure) for name, objective in OBJECTIVES.items()}


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
    return {name: (OBJECTIVES[name].points(value), value) for name, value in candidate.measured().items()}


def rank(candidates: Iterable[Candidate], weights: Mapping[str, int], seed: str) -> list[Ranked]:
    """Best first. `weights` maps objectives to whole numbers; `seed` breaks ties and is kept with the decision."""
    ranked = [_scored(candidate, weights) for candidate in candidates]
    return sorted(ranked, key=lambda r: (-r.score, lot(seed, r.candidate.caregiver_id)))


def lot(seed: str, caregiver_id: UUID) -> bytes:
    """Where a caregiver stands among equals."""
    return hashlib.sha256(f"{seed}|{caregiver_id}".encode()).digest()


def funnel(first_failures: Mapping[str, int], label: str = "服务区域内") -> list[dict[str, object]]:
    """How many remain after each rule: `[{rule, label, refused, remaining}]`, beginning with everybody in the area.

    `first_failures` counts caregivers by the first rule they fail; "" counts those who fail none. `label` names the
    area that was looked at.
    """
    remaining = sum(first_failures.values())
    steps: list[dict[str, object]] = [{"rule": "in_area", "label": label, "refused": 0, "remaining": remaining}]
    for rule, words in RULES:
        refused = first_failures.get(rule, 0)
        remaining -= refused
        if refused:
            steps.append({"rule": rule, "label": words, "refused": refused, "remaining": remaining})
    return steps


def best_possible(weights: Mapping[str, int], travel_minutes: float, most: Mapping[str, float]) -> float:
    """The most that anybody this far away or farther can score; `most` are points that some objectives cannot exceed
    for any of them."""
    limits = {"travel": OBJECTIVES["travel"].points(travel_minutes), **most}
    return sum(weight * limits.get(name, 100.0) for name, weight in weights.items()) / 100


def _scored(candidate: Candidate, weights: Mapping[str, int]) -> Ranked:
    total = sum(round(earned, 2) * weights.get(name, 0) for name, (earned, _) in points(candidate).items())
    return Ranked(candidate, round(total / 100, 3), weights)
