"""Lists: `limit`, an opaque `cursor`, `next_cursor`; no totals. Ids are time-ordered, so a page follows an id."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from app.core.errors import Invalid
from app.core.text import View

T = TypeVar("T")

Limit = Annotated[int, Query(ge=1, le=200, description="How many at most")]
CursorParam = Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before")]


class Page(View, Generic[T]):
    items: list[T]
    next_cursor: str | None = None


def encode_cursor(*parts: Any) -> str:
    return base64.urlsafe_b64encode("|".join(str(part) for part in parts).encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> list[str]:
    """Raises Invalid for anything `encode_cursor` did not make."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode().split("|")
    except ValueError as broken:
        raise Invalid("cursor_malformed", "use next_cursor as it was given", field="cursor") from broken


def after_id(cursor: str | None) -> UUID | None:
    """The id a page follows; None for the first page."""
    if cursor is None:
        return None
    try:
        return UUID(decode_cursor(cursor)[0])
    except ValueError as broken:
        raise Invalid("cursor_malformed", "use next_cursor as it was given", field="cursor") from broken


def page_of(items: Sequence[BaseModel], ids: Sequence[UUID], limit: int) -> dict[str, Any]:
    """Cut `limit` + 1 fetched rows into a page; the extra row only tells that there is more."""
    more = len(ids) > limit
    return {"items": list(items[:limit]), "next_cursor": encode_cursor(ids[limit - 1]) if more else None}
