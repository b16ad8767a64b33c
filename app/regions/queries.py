"""SQL of divisions and calendar days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, and_, false, or_, select
from sqlalchemy.dialects.postgresql import insert

from app.core.db import Tx
from app.regions.divisions import scope_ranges
from app.regions.models import CalendarDay, Division


async def add_divisions(tx: Tx, rows: list[dict[str, Any]]) -> None:
    """Parents first. A code that is already there stays as it is."""
    await tx.execute(insert(Division).on_conflict_do_nothing(), rows)


async def add_days(tx: Tx, rows: list[dict[str, Any]]) -> None:
    """A day that somebody has already decided stays as it is."""
    await tx.execute(insert(CalendarDay).on_conflict_do_nothing(), rows)


async def put_day(tx: Tx, row: dict[str, Any]) -> None:
    statement = insert(CalendarDay).values(**row)
    changed = {name: statement.excluded[name] for name in ("is_workday", "name", "source")}
    await tx.execute(statement.on_conflict_do_update(index_elements=["day"], set_=changed))


async def days(tx: Tx, first: date, last: date) -> Sequence[Row[Any]]:
    statement = select(CalendarDay.day, CalendarDay.is_workday, CalendarDay.name, CalendarDay.source)
    return await tx.all(statement.where(CalendarDay.day.between(first, last)).order_by(CalendarDay.day))


async def has_year(tx: Tx, year: int) -> bool:
    known = CalendarDay.day.between(date(year, 1, 1), date(year, 12, 31))
    return await tx.scalar(select(CalendarDay.day).where(known).limit(1)) is not None


async def division(tx: Tx, code: str) -> Row[Any] | None:
    return await tx.first(select(*Division.__table__.c).where(Division.code == code))


async def divisions(
    tx: Tx,
    *,
    scopes: Sequence[str],
    kind: str | None,
    parent: str | None,
    on: date,
    after: str,
    limit: int,
) -> Sequence[Row[Any]]:
    """Divisions inside `scopes` that stand on the day `on`, by code, behind the code `after`."""
    code = Division.code
    inside = [and_(code >= low, code < high) for low, high in scope_ranges(scopes)]
    statement = (
        select(*Division.__table__.c)
        .where(or_(false(), *inside), code > after, Division.valid_from <= on)
        .where(or_(Division.valid_to.is_(None), Division.valid_to > on))
        .order_by(code)
        .limit(limit)
    )
    if kind is not None:
        statement = statement.where(Division.kind == kind)
    if parent is not None:
        statement = statement.where(Division.parent_code == parent)
    return await tx.all(statement)
