"""SQL of what is published: a part and a whole for each month."""

from __future__ import annotations

from datetime import date, datetime

from app.core.db import Tx

_MONTH = "date_trunc('month', {at} AT TIME ZONE 'Asia/Shanghai')::date AS month"
RATINGS = f"""SELECT {_MONTH.format(at="at")}, count(*) FILTER (WHERE score >= 4) AS part, count(*) AS whole
FROM rating WHERE counts AND at >= $1 AND at < $2 GROUP BY 1"""
VISITS = f"""SELECT {_MONTH.format(at="o.completed_at")}, count(*) FILTER (WHERE d.met_at <= d.due_at) AS part,
  count(*) AS whole
FROM care_order o JOIN order_deadline d ON d.order_id = o.id AND d.name = 'arrive'
WHERE o.completed_at >= $1 AND o.completed_at < $2 AND o.outcome <> 'not_done' GROUP BY 1"""
COMPLAINTS = f"""SELECT {_MONTH.format(at="opened_at")}, count(*) FILTER (WHERE status = 'decided') AS part,
  count(*) AS whole
FROM complaint WHERE opened_at >= $1 AND opened_at < $2 GROUP BY 1"""

Counted = dict[date, tuple[int, int]]


async def ratings(tx: Tx, begin: datetime, end: datetime) -> Counted:
    return await _counted(tx, RATINGS, begin, end)


async def visits(tx: Tx, begin: datetime, end: datetime) -> Counted:
    return await _counted(tx, VISITS, begin, end)


async def complaints(tx: Tx, begin: datetime, end: datetime) -> Counted:
    return await _counted(tx, COMPLAINTS, begin, end)


COUNTS = (ratings, visits, complaints)


async def _counted(tx: Tx, sql: str, begin: datetime, end: datetime) -> Counted:
    return {row["month"]: (row["part"], row["whole"]) for row in await tx.fetch(sql, begin, end)}
