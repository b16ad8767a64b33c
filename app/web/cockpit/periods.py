"""Which days a page is about, where, and whose."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.core import clock
from app.insight.service import Question


@dataclass(frozen=True, slots=True)
class Chosen:
    """Days `first` to `last`, both included, as a person chooses them; and where, and whose."""

    first: date
    last: date
    division: str | None = None
    provider_id: UUID | None = None

    @property
    def question(self) -> Question:
        return Question(self.first, self.last + ONE_DAY, self.division, self.provider_id)

    def query(self, **changes: object) -> str:
        """The same choice as the query of an address, with changes; None leaves something out."""
        values: dict[str, object] = {"first": self.first, "last": self.last} | self._where()
        return urlencode({name: str(value) for name, value in (values | changes).items() if value is not None})

    def door_values(self) -> dict[str, str]:
        """For the interface's doors, whose periods end with the day after the last."""
        values: dict[str, object] = {"from": self.first, "to": self.last + ONE_DAY} | self._where()
        return {name: str(value) for name, value in values.items() if value is not None}

    def _where(self) -> dict[str, object]:
        return {"division": self.division, "provider_id": self.provider_id}


class Filters(BaseModel):
    """The form on top of a page. What was left empty is absent; without days it is the last seven:
    in the morning a day has no shares yet."""

    model_config = ConfigDict(extra="ignore")

    first: date | None = None
    last: date | None = None
    division: str | None = Field(default=None, pattern=r"^[0-9]{6}([0-9]{3}){0,2}$")
    provider_id: UUID | None = None

    @model_validator(mode="before")
    @classmethod
    def _empty_is_absent(cls, given: Any) -> Any:
        return {name: value for name, value in given.items() if value != ""} if isinstance(given, dict) else given

    def chosen(self) -> Chosen:
        first, last = quick(clock.today())["week"]
        if self.first or self.last:
            last = self.last or self.first or last
            first = self.first or last
        return Chosen(first, last, self.division, self.provider_id)


FiltersDep = Annotated[Filters, Query()]


ONE_DAY = timedelta(days=1)


def quick(today: date) -> dict[str, tuple[date, date]]:
    """Usual periods by name, both days included."""
    month = today.replace(day=1)
    before = month - ONE_DAY
    yesterday = today - ONE_DAY
    return {
        "today": (today, today),
        "yesterday": (yesterday, yesterday),
        "week": (today - timedelta(days=6), today),
        "month": (today - timedelta(days=29), today),
        "this_month": (month, today),
        "last_month": (before.replace(day=1), before),
    }


def trend(last: date) -> tuple[date, date]:
    """The fourteen days up to a day."""
    return last - timedelta(days=13), last


def month_of(text: str) -> tuple[date, date]:
    """First and last day of a month "YYYY-MM". Raises ValueError."""
    year, month = (int(part) for part in text.split("-"))
    first = date(year, month, 1)
    return first, date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
