"""What goes in and out of the elders' doors. Everything that goes out is masked, except a reveal."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from app.core.geo import Location
from app.core.text import Body, Line, Note, View, Word

Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(2199, 12, 31))]
DivisionCode = Annotated[str, Field(pattern=r"^([0-9]{6}|[0-9]{9}|[0-9]{12})$")]
Sex = Literal["male", "female", "unknown"]
Wish = Literal["male", "female"]
Status = Literal["active", "moved", "deceased"]
Relation = Literal[
    "self", "spouse", "child", "grandchild", "sibling", "relative", "neighbour", "community", "guardian", "other"
]
Tag = Literal[
    "extreme_poverty", "urban_three_no", "five_guarantees", "low_income", "low_income_edge", "living_alone",
    "empty_nest", "left_behind", "childless", "incapacitated", "semi_incapacitated", "dementia", "severely_disabled",
    "bereaved_single_child", "entitled_group", "advanced_age",
]  # fmt: skip
RevealField = Literal["name", "birth_date", "phones", "id_number", "address", "health_note", "family"]


class PhoneBody(Body):
    number: Word
    relation: Relation = "self"
    owner: Word | None = None


class TagBody(Body):
    tag: Tag
    valid_from: Day
    valid_to: Day | None = None
    source: Word

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"tag": "living_alone", "valid_from": "2026-01-01", "source": "龙集里社区"}]},
    )


class TagEnd(Body):
    last_day: Day

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"last_day": "2026-06-30"}]})


class FamilyBody(Body):
    """`approved`: the elder has agreed that this person sees the elder's orders."""

    name: Word
    relation: Relation
    phone: Word
    approved: bool = False

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"name": "曾小芳", "relation": "child", "phone": "13800000001", "approved": True}]
        },
    )


class ElderBody(Body):
    """A new elder. Only name and division are needed; a caller in trouble knows little by heart."""

    name: Word
    division_code: DivisionCode
    phones: Annotated[list[PhoneBody], Field(max_length=10, default_factory=list)]
    address: Line | None = None
    location: Location | None = None
    id_number: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    sex: Sex | None = None
    birth_date: date | None = None
    health_note: Note | None = None
    gender_wish: Wish | None = None
    dialect: Word | None = None
    tags: Annotated[list[TagBody], Field(max_length=30, default_factory=list)]
    family: Annotated[list[FamilyBody], Field(max_length=20, default_factory=list)]

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "曾德明",
                    "division_code": "620302001001",
                    "phones": [{"number": "0935-8210001"}],
                    "address": "龙集里小区 3 号楼 2 单元 401",
                    "location": {"lng": 102.19, "lat": 38.52, "crs": "gcj02"},
                    "id_number": "62030219400101001X",
                    "tags": [{"tag": "living_alone", "valid_from": "2026-01-01", "source": "龙集里社区"}],
                }
            ]
        },
    )


class ElderChange(Body):
    """Only what is named changes; null clears. `phones` replaces the whole list."""

    name: Word | None = None
    division_code: DivisionCode | None = None
    phones: Annotated[list[PhoneBody], Field(max_length=10)] | None = None
    address: Line | None = None
    location: Location | None = None
    id_number: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    sex: Sex | None = None
    birth_date: date | None = None
    health_note: Note | None = None
    gender_wish: Wish | None = None
    dialect: Word | None = None
    status: Status | None = None

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"address": "龙集里小区 5 号楼 1 单元 102", "gender_wish": "female"}]},
    )


class RevealBody(Body):
    fields: Annotated[list[RevealField], Field(min_length=1, max_length=7)]
    reason: Line

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"fields": ["phones", "address"], "reason": "上门前电话确认"}]},
    )


class PhoneView(View):
    phone: str
    relation: str
    owner: str | None = None


class TagView(View):
    """`today` is what the circumstance is called now; older names were merged."""

    tag: str
    name: str
    today: str
    valid_from: date
    valid_to: date | None = None
    source: str


class FamilyView(View):
    id: UUID
    name: str
    relation: str
    phone: str
    approved_at: datetime | None = None


class ElderView(View):
    id: UUID
    name: str
    sex: str
    age: int | None = None
    division_code: str
    status: str
    phones: list[PhoneView]
    id_number: str | None = None
    address_on_file: bool
    health_note_on_file: bool
    lng: float | None = None
    lat: float | None = None
    gender_wish: str | None = None
    dialect: str | None = None
    tags: list[TagView]
    family: list[FamilyView]
    version: int
    created_at: datetime
    updated_at: datetime


class RegisteredView(View):
    """`warnings` are codes: id_number_check_digit, id_number_birth_date, id_number_shape, id_number_upgraded,
    birth_date_differs, sex_differs, possible_duplicate."""

    elder: ElderView
    warnings: list[str]
    possible_duplicates: list[UUID]


class HouseholdView(View):
    """Elders who share a phone with this one, within the caller's divisions."""

    items: list[ElderView]


class CreatedView(View):
    id: UUID


class RevealedView(View):
    """Plain values of the fields that were asked for; the others are absent."""

    name: str | None = None
    birth_date: date | None = None
    phones: list[str] | None = None
    id_number: str | None = None
    address: str | None = None
    health_note: str | None = None
    family: list[FamilyView] | None = None
