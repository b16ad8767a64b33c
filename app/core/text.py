"""What text we can store: every character people have in their names, but no NUL and no half characters."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import unquote_to_bytes

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints

from app.core.errors import Invalid

# Escapes one after the other, a surrogate pair as one: an escaped backslash before "u0000" is no escape of NUL.
_ESCAPES = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u(0000|[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def refuse_unstorable(body: bytes, query: bytes, content_type: str) -> None:
    """Raise Invalid for NUL characters and lone surrogates, which PostgreSQL's text cannot hold.

    A rare character outside the basic plane (𠮷) is welcome, written directly or as an escaped pair.
    """
    if b"%" in query and b"\x00" in unquote_to_bytes(query):
        raise Invalid("text_not_storable", "the query contains a NUL character")
    if "json" not in content_type or not body:
        return
    if b"\x00" in body or (b"\\u" in body and any(found[1] for found in _ESCAPES.finditer(body))):
        raise Invalid("text_not_storable", "the body contains NUL or half of a character (a lone surrogate)")


Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
"""A name, code or other short text."""

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
"""One line: an address, a reason."""

Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000)]
"""Free text."""


_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def _storable(at: datetime) -> datetime:
    if not _EARLIEST <= at <= _LATEST:
        raise ValueError("between the years 2000 and 2100")
    return at


Instant = Annotated[AwareDatetime, AfterValidator(_storable)]
"""A time with its offset."""


class Body(BaseModel):
    """Base of everything a request may contain: unknown fields are refused, not ignored."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class View(BaseModel):
    """Base of everything we answer."""

    model_config = ConfigDict(from_attributes=True)


COMPOUND_SURNAMES = frozenset({
    "欧阳", "司马", "上官", "诸葛", "夏侯", "东方", "皇甫", "公孙", "慕容",
    "令狐", "宇文", "司徒", "司空", "万俟", "澹台", "呼延", "南宫", "端木",
    "轩辕", "赫连", "拓跋", "独孤", "钟离", "长孙", "单于", "尉迟",
})  # fmt: skip
"""Surnames of two characters."""
_DOT = re.compile("[·•・]")


def masked_name(name: str) -> str:
    """张三丰 → 张**, 欧阳修 → 欧阳**, 艾孜买提·吐尔逊 → 艾孜买提**.

    What the person is addressed by stays: a surname, or the part before the dot of a name that has none. The stars are
    always two: how long a name is tells whose it is.
    """
    if not name:
        return ""
    first, *more = _DOT.split(name, maxsplit=1)
    if more and first:
        return f"{first}**"
    return f"{name[:2] if len(name) > 2 and name[:2] in COMPOUND_SURNAMES else name[:1]}**"


def masked_phone(e164: str) -> str:
    """+8613893512345 → 138****2345; landlines keep their last four digits too."""
    local = e164.removeprefix("+86")
    return f"{local[:3]}****{local[-4:]}" if len(local) >= 8 else "*" * len(local)


def masked_id_number(number: str) -> str:
    """62030219400101001X → 620302********001X."""
    return number[:6] + "*" * max(0, len(number) - 10) + number[-4:] if len(number) >= 10 else "*" * len(number)
