"""The desk's stream: one reader of the feed per process, any number of operators.

The reader polls the feed while somebody listens and keeps the newest entries in memory. A listener who comes
back with an older position catches up from the database first, so a broken connection loses nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

from app.core import log
from app.core.db import Database
from app.core.json import dumps, loads
from app.jobs import feed
from app.jobs.feed import Position
from app.regions.divisions import covers_any

AUDIENCE = "desk"
INTERVAL_S = 0.1
HEARTBEAT_S = 10.0
KEPT = 1000
PAGE = 200
_NEVER = Position(2**63, 0)


@dataclass(frozen=True, slots=True)
class Entry:
    position: Position
    type: str
    data: dict[str, Any]

    @classmethod
    def of(cls, row: Any) -> Entry:
        data: dict[str, Any] = loads(row["facts"]) if row["facts"] else {}
        data |= {"type": row["type"], "occurred_at": row["occurred_at"].isoformat()}
        if row["order_id"] is not None:
            data["order_id"] = str(row["order_id"])
        return cls(Position(row["txid"], row["id"]), row["type"], data)

    def concerns(self, divisions: tuple[str, ...], agent: str | None) -> bool:
        """Within the operator's divisions; a call that rings at another desk is not theirs."""
        division = self.data.get("division")
        if isinstance(division, str) and not covers_any(divisions, division):
            return False
        return not (agent and self.type == "agent.offered" and self.data.get("agent") not in {None, agent})

    def text(self) -> str:
        """As server-sent events have it."""
        return f"id: {self.position.txid}-{self.position.id}\nevent: {self.type}\ndata: {dumps(self.data)}\n\n"


class DeskFeed:
    """Everything after `_since` up to `_position` is in `_recent`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._recent: deque[Entry] = deque()
        self._since = self._position = Position()
        self._news = asyncio.Event()
        self._listeners = 0
        self._reader: asyncio.Task[None] | None = None

    async def follow(self, after: Position | None, seconds: float) -> AsyncGenerator[Entry | None]:
        """Entries after `after` (None: from now on) for so many seconds; None now and then as a heartbeat."""
        until = time.monotonic() + seconds
        self._listeners += 1
        try:
            if self._reader is None or self._reader.done():
                self._since = _NEVER  # until the reader knows where it begins, listeners read for themselves
                self._recent.clear()
                self._reader = asyncio.create_task(self._read())
            position = await self._starting(after)
            while (left := until - time.monotonic()) > 0:
                news = self._news
                entries = await self._after(position)
                for entry in entries:
                    yield entry
                    position = entry.position
                if not entries:
                    try:
                        await asyncio.wait_for(news.wait(), min(left, HEARTBEAT_S))
                    except TimeoutError:
                        yield None
        finally:
            self._listeners -= 1

    async def _after(self, position: Position) -> list[Entry]:
        if position >= self._since:
            return [entry for entry in self._recent if entry.position > position]
        async with self._database.transaction() as tx:
            rows = await feed.read(tx, AUDIENCE, position, PAGE)
        return [Entry.of(row) for row in rows]

    async def _starting(self, after: Position | None) -> Position:
        async with self._database.transaction() as tx:
            now = Position(await feed.fence(tx), 0)
        return now if after is None else min(after, now)

    async def _read(self) -> None:
        while self._listeners:
            try:
                if self._since == _NEVER:
                    self._since = self._position = await self._starting(None)
                    self._wake()  # what became readable meanwhile lies behind the beginning
                async with self._database.transaction() as tx:
                    rows = await feed.read(tx, AUDIENCE, self._position, PAGE)
            except Exception as away:
                log.get("desk").warning("desk_feed_failed", error=type(away).__name__)
                await asyncio.sleep(1)
                continue
            if rows:
                self._keep([Entry.of(row) for row in rows])
            await asyncio.sleep(INTERVAL_S if len(rows) < PAGE else 0)

    def _keep(self, entries: list[Entry]) -> None:
        self._recent.extend(entries)
        self._position = entries[-1].position
        while len(self._recent) > KEPT:
            self._since = self._recent.popleft().position
        self._wake()

    def _wake(self) -> None:
        # A fresh event for the next wait; whoever holds the old one is woken.
        news, self._news = self._news, asyncio.Event()
        news.set()
