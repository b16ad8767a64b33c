"""What is asked and answered about who could come and why, now and then."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import ConfigDict

from app.core.text import Body, Line, View

_SOMEBODY = "0193a8c0-0000-7000-8000-000000000001"


class PartView(View):
    name: str
    points: float
    weight: int
    value: float


class CandidateView(View):
    caregiver_id: UUID
    caregiver: str
    provider_id: UUID
    provider: str
    score: float
    travel_minutes: int
    travel_source: Literal["estimate", "map"] = "estimate"
    parts: list[PartView]


class FunnelStep(View):
    rule: str
    label: str
    refused: int
    remaining: int


class RelaxationView(View):
    """What would have to be given up, in words, and for how many candidates."""

    relax: str
    label: str
    starts_at: datetime
    candidates: int


class CandidatesView(View):
    starts_at: datetime
    candidates: list[CandidateView]
    funnel: list[FunnelStep]
    relaxations: list[RelaxationView]


class DecisionView(View):
    id: UUID
    mode: str
    made_by: str
    reason: str | None = None
    weights_version: int | None = None
    starts_at: datetime
    funnel: list[FunnelStep]
    ranked: list[CandidateView]
    excluded: list[UUID]
    mode_version: int | None = None
    chosen_caregiver_id: UUID | None = None
    chosen_second_id: UUID | None = None
    chosen_provider_id: UUID | None = None
    made_at: datetime


class ReplayView(View):
    """A decision's ranking made again. `same_ranking`: everybody stands where they stood then."""

    decision_id: UUID
    order_id: UUID
    made_at: datetime
    starts_at: datetime
    weights_version_then: int | None = None
    weights_version: int | None = None
    weights: dict[str, int]
    seed: str
    radius_km: float | None = None
    chosen_caregiver_id: UUID | None = None
    first_caregiver_id: UUID
    same_ranking: bool
    ranked: list[CandidateView]


class BlockedPairBody(Body):
    elder_id: UUID
    caregiver_id: UUID
    reason: Line

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"elder_id": _SOMEBODY, "caregiver_id": _SOMEBODY, "reason": "老人要求"}]},
    )


class BlockedPairView(View):
    elder_id: UUID
    caregiver_id: UUID
