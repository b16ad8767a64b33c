"""What dispatch asks and answers."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import ConfigDict

from app.core.text import Body, Line, Note, View, Word

_CAREGIVER = "0193a8c0-0000-7000-8000-000000000001"


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


class HandAssignment(Body):
    provider_id: UUID
    caregiver_id: UUID | None = None
    reason: Line

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"provider_id": _CAREGIVER, "reason": "家属指定该企业"}]},
    )


class Acceptance(Body):
    """Who comes; whoever is not named comes as suggested. A second only where two come together."""

    caregiver_id: UUID | None = None
    second_caregiver_id: UUID | None = None

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"caregiver_id": _CAREGIVER}]})


class Refusal(Body):
    reason_code: Word
    note: Note | None = None

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason_code": "no_capacity"}]})


class NamedCaregiver(Body):
    """The lead unless `role` says otherwise; naming one of two keeps the other."""

    caregiver_id: UUID
    role: Literal["lead", "second"] = "lead"
    reason: Line | None = None

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"caregiver_id": _CAREGIVER, "reason": "原服务人员请假"}]}
    )


class BlockedPairBody(Body):
    elder_id: UUID
    caregiver_id: UUID
    reason: Line

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"elder_id": _CAREGIVER, "caregiver_id": _CAREGIVER, "reason": "老人要求"}]},
    )


class BlockedPairView(View):
    elder_id: UUID
    caregiver_id: UUID
