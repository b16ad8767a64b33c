"""What goes in and out of the catalogue's doors."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from app.core.text import Body, Line, View

Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(2199, 12, 31))]
DivisionCode = Annotated[str, Field(pattern=r"^([0-9]{6}|[0-9]{9}|[0-9]{12})$")]
Category = Literal["daily_living", "basic_care", "health", "visiting", "comfort", "errands", "adaptation"]
Kind = Literal["home_visit", "delivery", "consultation"]


class PriceView(View):
    """`per_minutes` null: per visit. `source` says which decision set the price; demo figures say so."""

    price_fen: int
    per_minutes: int | None = None
    division_code: str
    source: str


class ServiceItemView(View):
    code: str
    name: str
    category: str
    category_name: str
    unit: str
    standard_minutes: int
    min_minutes: int
    rounding_minutes: int
    max_minutes: int
    certificate: str | None = None
    tier: str
    tier_name: str
    kind: str
    description: str
    active: bool
    caregivers: int
    price: PriceView | None = None


class ServiceItemList(View):
    """`division` and `day` are those the prices are for."""

    division: str
    day: date
    items: list[ServiceItemView]


class NewPrice(Body):
    """A price from `valid_from` on. `per_minutes` null: per visit."""

    division_code: DivisionCode
    price_fen: Annotated[int, Field(ge=0, le=100_000_000)]
    per_minutes: Annotated[int, Field(ge=1, le=1440)] | None = None
    valid_from: Day
    source: Line

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "division_code": "620302",
                    "price_fen": 3800,
                    "per_minutes": 60,
                    "valid_from": "2027-01-01",
                    "source": "金川区民政局价格公告",
                }
            ]
        },
    )


class PriceSet(View):
    id: UUID
