"""The edge's events on their way to the service: netstrings of JSON in, signed events out by the bridge's own door."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from app.channels.bridge import told
from app.channels.bridge.door import Door
from app.core.json import loads


class Edge:
    """Reads until it is cancelled. `invited_at` is when the caller's INVITE came in, by call."""

    def __init__(self, port: int, door: Door) -> None:
        self._port, self._door = port, door
        self.invited_at: dict[str, datetime] = {}

    async def work(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            while True:
                length = await reader.readuntil(b":")
                said = loads(await reader.readexactly(int(length[:-1])))
                await reader.readexactly(1)
                self._tell(said)
        finally:
            writer.close()

    def _tell(self, said: dict[str, Any]) -> None:
        kind, call_id = said["type"], said["call_id"]
        at = datetime.fromtimestamp(said["s"] + said["us"] / 1e6, UTC)
        if kind == "call.queued":
            self.invited_at[call_id] = at
        facts = {name: said[name] for name in ("agent", "cause") if said[name]}
        caller = told.caller(said["caller"])
        event = told.event(kind, call_id, f"{at.timestamp():.6f} {said['agent']}", at, caller=caller, **facts)
        self._door.put([event | ({"called": "12349"} if kind == "call.queued" else {})])
