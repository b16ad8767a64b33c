"""Which rows a caller sees. Out of scope is answered like "not there", so that nobody learns what exists."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_

from app.core.errors import NotFound
from app.core.http import Caller
from app.regions.divisions import covers_any, scope_ranges


def sees(caller: Caller, division_code: str) -> bool:
    """Is a row of this division within the caller's divisions? Only staff and the system have divisions."""
    if caller.kind == "system":
        return True
    return caller.kind == "staff" and covers_any(caller.divisions, division_code)


def see(caller: Caller, division_code: str) -> None:
    """Raises NotFound when the row is out of scope."""
    if not sees(caller, division_code):
        raise NotFound()


def within(column: Any, caller: Caller) -> ColumnElement[bool]:
    """The same question for SQLAlchemy Core: a condition on a `division_code` column that an index serves."""
    held = {"system": ("000000",), "staff": caller.divisions}.get(caller.kind, ())
    ranges = scope_ranges(held)
    return or_(false(), *(and_(column >= low, column < high) for low, high in ranges))
