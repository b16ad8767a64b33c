"""The desk's stream: one reader of the feed per process, any number of operators.

The reader polls the feed while somebody listens and keeps the newest entries in memory. A listener who comes
back with an older position catches up from the database first, so a broken connection loses nothing.

Where an order has changed, the reader adds the order's line on the board: read once, and written out once, for however
many boards are open.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from app.core import log
from app.core.db import Database, Tx
from app.core.json import dumps, loads
from app.jobs import feed
from app.jobs.feed import Position
from app.orders import board
from app.regions.divisions import covers_any

AUDIENCE = "desk"
ORDER_CHANGED = "order.changed"
INTERVAL_S = 0.1
HEARTBEAT_S = 10.0
KEPT = 1000
PAGE = 200
_NEVER = Position(2**63, 0)
_DIVISION = board.FIELDS.index("division")


@dataclass(frozen=True)
class Entry:
    position: Position
    type: str
    data: dict[str, Any]

    @classmethod
    def of(cls, row: Any, line: board.Line | None = None) -> Entry:
        data: dict[str, Any] = loads(row["facts"]) if row["facts"] else {}
        data |= {"type": row["type"], "occurred_at": row["occurred_at"].isoformat()}
        if row["order_id"] is not None:
            data["order_id"] = str(row["order_id"])
        if line is not None:
            data |= {"division": line[_DIVISION], "line": line}
        return cls(Position(row["txid"], row["id"]), row["type"], data)

    def concerns(self, divisions: tuple[str, ...], agent: str | None) -> bool:
        """Within the operator's divisions; a call that rings at another desk is not theirs."""
        division = self.data.get("division")
        if isinstance(division, str) and not covers_any(divisions, division):
            return False
        return not (agent and self.type == "agent.offered" and self.data.get("agent") not in {None, agent})

    @cached_property
    def text(self) -> bytes:
        """As server-sent events have it."""
        head = f"id: {self.position.txid}-{self.position.id}\nevent: {self.type}\n"
        return f"{head}data: {dumps(self.data)}\n\n".encode()


class DeskFeed:
    """Everything after `_since` up to `_position` is in `_recent`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._recent: deque[Entry] = deque()
        self._since = self._position = Position()
        self._news = asyncio.Event()
        self.listeners = 0
        self._reader: asyncio.Task[None] | None = None

    async def start(self, after: Position | None) -> Position:
        """Where a listener begins who has seen everything up to `after`; None means from now on: what is read after
        this is not older."""
        async with self._database.transaction() as tx:
            now = Position(await feed.fence(tx), 0)
        return now if after is None else min(after, now)

    async def follow(self, position: Position, seconds: float) -> AsyncGenerator[list[Entry]]:
        """Entries after `position` for so many seconds, as they come; none now and then as a heartbeat."""
        until = time.monotonic() + seconds
        self.listeners += 1
        try:
            if self._reader is None or self._reader.done():
                self._since = _NEVER  # until the reader knows where it begins, listeners read for themselves
                self._recent.clear()
                self._reader = asyncio.create_task(self._read())
            while (left := until - time.monotonic()) > 0:
                news = self._news
                entries = await self._after(position)
                if entries:
                    yield entries
                    position = entries[-1].position
                    continue
                try:
                    await asyncio.wait_for(news.wait(), min(left, HEARTBEAT_S))
                except TimeoutError:
                    yield []
        finally:
            self.listeners -= 1

    async def _after(self, position: Position) -> list[Entry]:
        if position < self._since:
            return await self._page(position)
        new: list[Entry] = []
        for entry in reversed(self._recent):  # whoever keeps up lacks but the last few
            if entry.position <= position:
                break
            new.append(entry)
        return new[::-1]

    async def _page(self, position: Position) -> list[Entry]:
        async with self._database.transaction() as tx:
            return await _told(tx, await feed.read(tx, AUDIENCE, position, PAGE))

    async def _read(self) -> None:
        while self.listeners:
            try:
                if self._since == _NEVER:
                    self._since = self._position = await self.start(None)
                    self._wake()  # what became readable meanwhile lies behind the beginning
                entries = await self._page(self._position)
            except Exception as away:
                log.get("desk").warning("desk_feed_failed", error=type(away).__name__)
                await asyncio.sleep(1)
                continue
            if entries:
                self._keep(entries)
            await asyncio.sleep(INTERVAL_S if len(entries) < PAGE // 2 else 0)

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


async def _told(tx: Tx, rows: Sequence[Any]) -> list[Entry]:
    """Rows of the feed as listeners get them. Of several changes of one order the last is told, with its line."""
    last: dict[UUID, int] = {row["order_id"]: row["id"] for row in rows if row["type"] == ORDER_CHANGED}
    lines = await board.lines_of(tx, list(last))
    return [
        Entry.of(row, lines.get(row["order_id"]) if row["type"] == ORDER_CHANGED else None)
        for row in rows
        if row["type"] != ORDER_CHANGED or last[row["order_id"]] == row["id"]
    ]
