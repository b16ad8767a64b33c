"""What goes in and out of the doors of benefits."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from app.core.text import Body, View, Word

Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(2199, 12, 31))]
DivisionCode = Annotated[str, Field(pattern=r"^([0-9]{6}|[0-9]{9}|[0-9]{12})$")]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,40}$")]
Fen = Annotated[int, Field(ge=0, le=1_000_000_000)]


class SchemeBody(Body):
    """Government purchase: a share of the price (basis points) of these items. Both ends of the validity count."""

    code: Code
    name: Word
    division_code: DivisionCode
    share_bp: Annotated[int, Field(ge=1, le=10_000)]
    item_codes: Annotated[list[Code], Field(min_length=1, max_length=200)]
    requires_assessment: bool = True
    position: Annotated[int, Field(ge=0, le=1000)] = 1
    valid_from: Day
    valid_to: Day | None = None

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "code": "gov_home_care",
                    "name": "政府购买居家养老服务",
                    "division_code": "620300",
                    "share_bp": 8000,
                    "item_codes": ["clean_home", "bath_home"],
                    "valid_from": "2026-01-01",
                }
            ]
        },
    )


class SchemeView(View):
    id: UUID
    code: str
    name: str
    payer: str
    division_code: str
    share_bp: int
    item_codes: list[str]
    requires_assessment: bool
    position: int
    valid_from: date
    valid_to: date | None = None


class EntitlementBody(Body):
    """`assessed_until` null: not assessed yet, so nothing is paid where the scheme requires it."""

    scheme_code: Code
    monthly_quota_fen: Fen
    assessed_until: Day | None = None
    valid_from: Day
    valid_to: Day | None = None

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "scheme_code": "gov_home_care",
                    "monthly_quota_fen": 20000,
                    "assessed_until": "2027-06-30",
                    "valid_from": "2026-07-01",
                }
            ]
        },
    )


class EntitlementChange(Body):
    """Only what is named changes; a new quota holds from this month on."""

    monthly_quota_fen: Fen | None = None
    assessed_until: Day | None = None
    valid_to: Day | None = None

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"assessed_until": "2028-06-30"}]})


class EntitlementView(View):
    """The three amounts are those of `month`: `granted_fen` = reserved + consumed + left."""

    id: UUID
    scheme_id: UUID
    scheme_code: str
    scheme_name: str
    payer: str
    share_bp: int
    item_codes: list[str]
    requires_assessment: bool
    monthly_quota_fen: int
    assessed_until: date | None = None
    valid_from: date
    valid_to: date | None = None
    month: date
    granted_fen: int
    reserved_fen: int
    consumed_fen: int
    left_fen: int


class CreatedView(View):
    id: UUID
