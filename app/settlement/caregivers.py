"""What a caregiver may know of her own work: visits, minutes, what they were settled at, and how she was rated.

What she is paid is between her and her company; the city settles with companies.
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

from pydantic import ConfigDict

from app.core import clock
from app.core.db import Tx
from app.core.http import Caller
from app.core.text import View
from app.providers import service as providers
from app.settlement import queries_caregiver

MONTHS = 6


class WorkedMonth(View):
    """`price_fen` is the price of all visits; `settled_fen` what `settled` of them came to in statements."""

    period: str
    visits: int
    minutes: int
    verified: int
    in_review: int
    price_fen: int
    settled: int
    settled_fen: int
    ratings: list[int]


class Earnings(View):
    """`score` is her record as matching sees it: the mean of her ratings, drawn towards the middle while they are few.

    None before the first rating.
    """

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "months": [
                        {
                            "period": "2026-03", "visits": 61, "minutes": 5490, "verified": 58, "in_review": 3,
                            "price_fen": 366000, "settled": 40, "settled_fen": 240000, "ratings": [5, 4, 5],
                        }
                    ],
                    "score": 4.62,
                    "ratings": 37,
                    "completed": 214,
                }
            ]
        },
    )  # fmt: skip

    months: list[WorkedMonth]
    score: float | None = None
    ratings: int
    completed: int


async def earnings(tx: Tx, caller: Caller) -> Earnings:
    """The caller's last months and her record."""
    caregiver_id, today = UUID(caller.id), clock.today()
    first = date(today.year - (today.month < MONTHS), (today.month - MONTHS) % 12 + 1, 1)
    rows = await queries_caregiver.months(tx, caregiver_id, first)
    record = await providers.record_of(tx, caregiver_id)
    return Earnings(
        months=[WorkedMonth(**{**dict(row), "ratings": row["ratings"] or []}) for row in rows],
        score=record.score, ratings=record.ratings, completed=record.completed,
    )  # fmt: skip
