"""Divisions and calendar days as they are sent."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import ConfigDict

from app.core.text import Body, Line, View, Word

Kind = Literal["city", "district", "street", "community", "village"]


class DivisionView(View):
    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "code": "620302001",
                    "name": "滨河路街道",
                    "kind": "street",
                    "parent_code": "620302",
                    "lng": 102.2,
                    "lat": 38.52,
                    "urban": True,
                }
            ]
        },
    )

    code: str
    name: str
    kind: Kind
    parent_code: str | None
    lng: float | None
    lat: float | None
    urban: bool


class DivisionPage(View):
    items: list[DivisionView]
    next_cursor: str | None = None


class CalendarDayView(View):
    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [{"day": "2026-02-14", "is_workday": True, "name": "春节调休上班", "source": "国务院办公厅"}]
        },
    )

    day: date
    is_workday: bool
    name: str
    source: str


class CalendarView(View):
    items: list[CalendarDayView]


class DecideDay(Body):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"is_workday": False, "name": "春节", "source": "国务院办公厅通知"}]},
    )

    is_workday: bool
    name: Word
    source: Line
