"""What dispatch asks and answers."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import ConfigDict

from app.core.text import Body, Line, Note, Word

_CAREGIVER = "0193a8c0-0000-7000-8000-000000000001"


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
