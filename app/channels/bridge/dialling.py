"""Click-to-call: takes from the service what operators want to be connected with, and lets the exchange ring.

A request is taken only while the exchange is there, and rung once: whatever the service does not hear of it stays
without an outcome, and the operator dials again.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from app.channels.bridge.told import SHORT
from app.channels.signed_door import SignedDoor
from app.core import log

TAKEN, OUTCOME = "/channels/phone/dials/taken", "/channels/phone/dials/{}/outcome"
WAIT_S, AWAY_S = 5, 0.5
_EXTENSION, _NUMBER = re.compile(r"[0-9A-Za-z_-]{1,20}"), re.compile(r"\+[1-9][0-9]{5,14}")


@dataclass(frozen=True, slots=True)
class Dial:
    """Ring `extension`; when it is picked up, connect it with `number`, as it is dialled in this country."""

    id: str
    extension: str
    number: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """`cause` is None when it rings."""

    id: str
    cause: str | None


class Ringing(Protocol):
    async def dial(self, dial: Dial) -> None:
        """Raises ConnectionError when the exchange is gone."""
        ...


def dial_of(said: dict[str, Any]) -> Dial:
    """Raises ValueError for what is neither extension nor number: it would become a command."""
    number = str(said["number"])
    if not _EXTENSION.fullmatch(str(said["extension"])) or not _NUMBER.fullmatch(number):
        raise ValueError("no extension, or no number")
    return Dial(str(said["id"]), str(said["extension"]), domestic(number))


def domestic(e164: str) -> str:
    """As it is dialled from a Chinese exchange: mobile numbers as they are, fixed lines with their zero."""
    if not e164.startswith("+86"):
        return "00" + e164[1:]
    national = e164[3:]
    return national if len(national) == 11 and national.startswith("1") else "0" + national


class Dialler:
    """`exchange` is set while one is connected. `work` runs until it is cancelled."""

    def __init__(self, client: httpx.AsyncClient, key: tuple[str, str]) -> None:
        self._client, self._key = client, key
        self._taking = SignedDoor(client, key, TAKEN)
        self._telling: set[asyncio.Task[httpx.Response]] = set()
        self.exchange: Ringing | None = None

    async def work(self) -> None:
        while True:
            exchange = self.exchange
            if exchange is None:
                await asyncio.sleep(AWAY_S)
                continue
            answer = await self._taking.until_answered({"wait": WAIT_S})
            for said in answer.json()["dials"] if answer.is_success else []:
                await self._ring(exchange, said)

    def settled(self, outcome: Outcome) -> None:
        """What the exchange made of a request; told to the service until it has heard."""
        body = {"result": "started"} if outcome.cause is None else {"result": "failed", "cause": outcome.cause[:SHORT]}
        door = SignedDoor(self._client, self._key, OUTCOME.format(outcome.id))
        task = asyncio.ensure_future(door.until_answered(body))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _ring(self, exchange: Ringing, said: dict[str, Any]) -> None:
        try:
            await exchange.dial(dial_of(said))
        except (ValueError, ConnectionError) as failed:
            log.get("bridge").warning("not_dialled", error=type(failed).__name__)
            self.settled(Outcome(str(said["id"]), "exchange_away"))
