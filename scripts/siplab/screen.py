"""The operator's screen: one listener of the desk's stream that notes what popped up, and when."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from app.core.json import loads


@dataclass
class Screen:
    """What the operator at extension `agent` saw: by our call id, when and with whom."""

    base_url: str
    token: str
    agent: str
    popped: dict[str, tuple[datetime, list[str]]] = field(default_factory=dict)
    listening: asyncio.Event = field(default_factory=asyncio.Event)

    async def watch(self) -> None:
        """Until cancelled; comes back with its last id as a browser does."""
        last: str | None = None
        async with httpx.AsyncClient(base_url=self.base_url, trust_env=False, timeout=60) as client:
            while True:
                headers = {"Authorization": f"Bearer {self.token}"} | ({"Last-Event-ID": last} if last else {})
                async with client.stream(
                    "GET", "/v1/desk/stream", params={"agent": self.agent}, headers=headers
                ) as said:
                    said.raise_for_status()
                    async for line in said.aiter_lines():
                        self.listening.set()
                        if line.startswith("id: "):
                            last = line[4:]
                        elif line.startswith("data: "):
                            self._show(loads(line[6:]))

    def _show(self, data: dict[str, Any]) -> None:
        if data["type"] == "agent.offered":
            self.popped.setdefault(data["call"], (datetime.now(UTC), data["elders"]))
