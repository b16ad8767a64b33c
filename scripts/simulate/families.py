"""Relatives: sign in with a one-time code, ask for help, follow the link of an order and rate it.

Codes and links leave the service as messages; the demo world writes those to a file of its data directory, which
stands for the family's telephone. Without that file families only come through the other doors.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from scripts.simulate.doors import Doors, Refused
from scripts.simulate.notebook import Notebook

LINK = re.compile(r"/f/([A-Za-z0-9_-]{16,})")
CODE = re.compile(r"验证码(\d{6})")
PATIENCE = 40


@dataclass(slots=True)
class Family:
    """A signed-in relative."""

    doors: Doors
    elder_id: str
    token: str

    async def post(self, path: str, body: Any) -> Any:
        answer = await self.doors.send("POST", path, body=body, headers={"Authorization": f"Bearer {self.token}"})
        return answer.json()


@dataclass(slots=True)
class Families:
    """Everybody with a telephone in the demo world's outbox."""

    doors: Doors
    outbox: Path | None
    known: list[dict[str, str]]
    book: Notebook
    _read: int = 0
    _links: list[str] = field(default_factory=list)
    _codes: dict[str, str] = field(default_factory=dict)
    _signed_in: dict[str, Family] = field(default_factory=dict)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def somebody(self, draw: Random) -> Family | None:
        """A relative with a session; None when no code ever arrives."""
        if self.outbox is None or not self.known:
            return None
        async with self._turn:
            if len(self._signed_in) >= 6:
                return draw.choice(list(self._signed_in.values()))
            chosen = draw.choice(self.known)
            return self._signed_in.get(chosen["phone"]) or await self._sign_in(chosen)

    async def rate(self, draw: Random) -> int:
        """Follow links that came since the last time; some families rate. Returns how many did."""
        self._look()
        links, self._links, rated = self._links, [], 0
        for token in links:
            if draw.random() > 0.35:
                continue
            try:
                page = (await self.doors.send("GET", f"/v1/family/orders/{token}")).json()
                self.book.note("family looked at an order")
                if not page["may_rate"]:
                    continue
                score = draw.choices((5, 4, 3, 2, 1), (60, 24, 10, 4, 2))[0]
                await self.doors.send("POST", f"/v1/family/orders/{token}/rating", body={"score": score, "tags": []})
                rated += 1
            except Refused as refused:
                if refused.status >= 500:
                    raise
        self.book.acts["family rated"] += rated
        return rated

    async def _sign_in(self, chosen: dict[str, str]) -> Family | None:
        phone = chosen["phone"]
        self._codes.pop(phone, None)
        await self.doors.send("POST", "/v1/family/sessions/codes", body={"phone": phone}, keyed=False)
        for _ in range(PATIENCE):
            await asyncio.sleep(0.25)
            self._look()
            if phone in self._codes:
                break
        else:
            return None
        body = {"phone": phone, "code": self._codes[phone]}
        try:
            opened = (await self.doors.send("POST", "/v1/family/sessions", body=body, keyed=False)).json()
        except Refused:
            return None  # the code took longer to arrive than it was good for
        self.book.note("family signed in")
        self._signed_in[phone] = Family(self.doors, chosen["elder_id"], opened["token"])
        return self._signed_in[phone]

    def _look(self) -> None:
        """Read what has arrived since the last look."""
        if self.outbox is None or not self.outbox.exists():
            return
        with self.outbox.open(encoding="utf-8") as file:
            file.seek(self._read)
            for line in file:
                if not line.endswith("\n"):
                    break
                self._read += len(line.encode())
                message = json.loads(line)
                if found := LINK.search(message["text"]):
                    if message["template"] in {"completed", "not_done"}:
                        self._links.append(found.group(1))
                elif found := CODE.search(message["text"]):
                    self._codes[message["address"]] = found.group(1)
