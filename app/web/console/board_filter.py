"""What a board shows, as its address says it. Pure.

An address is passed on, kept as a saved view and typed by hand: what makes no sense in it is left out, not refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from app.orders.board import SORTS
from app.orders.lifecycle import TERMINAL, Status, Urgency
from app.regions.divisions import is_code

STATUSES = tuple(status.value for status in Status if status not in TERMINAL)
URGENCIES = tuple(urgency.value for urgency in Urgency)
LONGEST_TEXT = 80
PAGES = 1000


@dataclass(frozen=True, slots=True)
class Filter:
    """`sort` is a name of `board.SORTS`; `page` begins with 1 and counts only where a board is shown in pages."""

    status: tuple[str, ...] = ()
    urgency: str = ""
    division: str = ""
    provider: str = ""
    late: bool = False
    q: str = ""
    sort: str = "due"
    page: int = 1

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Filter:
        """Out of the pairs of an address."""
        given: dict[str, list[str]] = {}
        for name, value in pairs:
            given.setdefault(name, []).append(value.strip())
        last = {name: values[-1] for name, values in given.items()}
        page = last.get("page", "")
        return cls(
            status=tuple(one for one in STATUSES if one in given.get("status", [])),
            urgency=_one_of(last.get("urgency"), URGENCIES),
            division=last.get("division", "") if is_code(last.get("division", "")) else "",
            provider=_uuid(last.get("provider", "")),
            late=last.get("late") == "1",
            q=last.get("q", "")[:LONGEST_TEXT],
            sort=_one_of(last.get("sort"), SORTS) or "due",
            page=min(PAGES, int(page)) if page.isascii() and page.isdigit() and int(page[:9]) > 0 else 1,
        )

    @classmethod
    def read(cls, query: str) -> Filter:
        """Out of what stands behind an address's question mark."""
        return cls.of(parse_qsl(query[:4000]))

    def query(self) -> str:
        """As an address has it; empty where nothing is chosen."""
        pairs: list[tuple[str, str | int]] = [("status", one) for one in self.status]
        pairs += [(name, getattr(self, name)) for name in ("urgency", "division", "provider") if getattr(self, name)]
        pairs += [("late", "1")] if self.late else []
        pairs += [("q", self.q)] if self.q else []
        pairs += [("sort", self.sort)] if self.sort != "due" else []
        pairs += [("page", self.page)] if self.page != 1 else []
        return urlencode(pairs)

    def on_page(self, page: int) -> Filter:
        return replace(self, page=page)


def _one_of(value: str | None, known: Iterable[str]) -> str:
    return value if value is not None and value in known else ""


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""
