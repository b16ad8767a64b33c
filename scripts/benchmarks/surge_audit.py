"""Is everything there that the service said it has?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.core.db import Database

if TYPE_CHECKING:
    from benchmarks.surge_city import Promised

THERE: dict[str, str] = {
    "calls": "SELECT call_id FROM call",
    "given_up": """SELECT c.call_id FROM call c JOIN callback_task t ON t.call_id = c.id
        WHERE c.outcome = 'abandoned'""",
    "wechat": "SELECT external_id FROM inbound_contact WHERE channel = 'wechat'",
    "requests": "SELECT id::text FROM care_request",
    "orders": "SELECT id::text FROM care_order",
    "devices": "SELECT source FROM incident_alarm WHERE channel = 'device'",
}
"""Calls of people who gave up have to have a task to call them back; alarms have to be in an incident."""


@dataclass(frozen=True)
class Lost:
    """By kind: how many were promised, which are not there, which are there twice."""

    promised: dict[str, int]
    missing: dict[str, set[str]]
    twice: dict[str, set[str]]

    @property
    def any(self) -> bool:
        return any(self.missing.values()) or any(self.twice.values())

    def lines(self) -> list[str]:
        return [
            f"{kind:<9} {count:>6} promised, {len(self.missing[kind])} missing, {len(self.twice[kind])} twice"
            for kind, count in self.promised.items()
        ]


async def lost(database: Database, promised: Promised) -> Lost:
    missing, twice = {}, {}
    async with database.transaction() as tx:
        for kind, statement in THERE.items():
            rows: list[Any] = [row[0] for row in await tx.fetch(statement)]
            there = set(rows)
            missing[kind] = getattr(promised, kind) - there
            twice[kind] = {row for row in there if rows.count(row) > 1} if len(rows) > len(there) else set()
    return Lost({kind: len(getattr(promised, kind)) for kind in THERE}, missing, twice)
