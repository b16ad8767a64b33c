"""Indicators as they are sent."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import ConfigDict

from app.core.text import View


class DefinitionView(View):
    """What an indicator means. `part` and `whole` say in words what is counted."""

    code: str
    name: str
    group: str
    about: str
    unit: Literal["count", "share", "minutes", "fen"]
    good: Literal["up", "down", "neither"]
    part: str
    whole: str | None
    source: str
    listed: bool
    """Whether `/v1/indicators/{code}/orders` lists what is behind it."""


class DefinitionsView(View):
    items: list[DefinitionView]


class IndicatorFigureView(View):
    """`value` is a share between 0 and 1, a count, minutes or fen; `low` and `high` are Wilson's 95 % interval of a
    share. Where `enough` is false there are too few cases to judge."""

    code: str
    part: int
    whole: int
    value: float | None
    low: float | None
    high: float | None
    enough: bool


class GroupView(View):
    key: str
    """A provider's id, a division's code or a day; empty for what has none yet."""
    name: str
    figures: list[IndicatorFigureView]


class IndicatorsView(View):
    model_config = ConfigDict(from_attributes=True, populate_by_name=True)

    first_day: date
    end_day: date
    """The day after the last one."""
    division: str | None
    provider_id: UUID | None
    figures: list[IndicatorFigureView]
    by: Literal["provider", "division", "day"] | None
    groups: list[GroupView]


class IndicatorOrderView(View):
    """One order of an indicator's whole; `counted` is whether it is in the part."""

    id: UUID
    number: str
    status: str
    outcome: str | None
    division_code: str
    provider_id: UUID | None
    wanted_from: datetime
    counted: bool


class KeptDayView(View):
    """A day at whose end figures were kept."""

    as_of: date
    first_day: date
    taken_at: datetime


class KeptDaysView(View):
    items: list[KeptDayView]
