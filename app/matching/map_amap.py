"""高德 (AMap) as a road map: distance measurement `v3/distance`, at most 100 origins to one destination.

It drives with the traffic of the moment (type 1) and walks up to five kilometres (type 3); coordinates are
"lng,lat" in GCJ-02. It does not cycle: for an electric bicycle the length of the road is asked and ridden at its own
pace. Every infocode that the vendor documents has its consequence in `CONSEQUENCES`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import httpx
import orjson

from app.core import clock, log
from app.core.geo import distance_m, wgs84_to_gcj02
from app.matching.maps import NoAnswer, Point
from app.routing.travel import MODES

MOST_ORIGINS = 100
WALKABLE_M = 5000.0
MOST_BYTES = 256 * 1024
TIMEOUT = httpx.Timeout(3.0)

TYPES = {"car": "1", "ebike": "1", "walk": "3"}
"""The vendor's `type` by our mode; a bus it does not know here."""

# The library writes every address it asks into the log, and the key stands in ours.
logging.getLogger("httpx").setLevel(logging.WARNING)


class Consequence(StrEnum):
    """What an answer other than a good one means for the next question."""

    SOON = "soon"
    """Too many at once, or a moment's trouble: rest for seconds, twice as long each time."""
    MINUTE = "minute"
    """Shut out for a minute."""
    TOMORROW = "tomorrow"
    """The day's allowance is spent; it comes back at midnight."""
    GIVE_UP = "give_up"
    """Key, rights or account are wrong: a person has to do something. Looked at again every hour."""
    NOT_THIS = "not_this"
    """There is no answer to this question; others may be asked."""


CONSEQUENCES = {
    **dict.fromkeys((10001, 10002, 10005, 10006, 10007, 10008, 10009, 10010, 10011, 10012, 10013), Consequence.GIVE_UP),
    **dict.fromkeys((10026, 10041, 40002), Consequence.GIVE_UP),
    **dict.fromkeys((10003, 10029, 10044, 10045, 40000, 40003), Consequence.TOMORROW),
    10004: Consequence.MINUTE,
    **dict.fromkeys((10014, 10015, 10016, 10017, 10019, 10020, 10021, 20003), Consequence.SOON),
    **dict.fromkeys((20000, 20001, 20002, 20011, 20012, 20800, 20801, 20802, 20803), Consequence.NOT_THIS),
}
"""By the vendor's documented infocode; 3xxxx is trouble of its engine, anything unknown likewise."""

FIRST_REST = timedelta(seconds=2)
LONGEST_REST = timedelta(minutes=10)
LOOK_AGAIN = timedelta(hours=1)


@dataclass(slots=True)
class Breaker:
    """When not to ask. After a rest one question goes ahead alone; if it is answered, all may."""

    rests_until: datetime | None = None
    rest: timedelta = FIRST_REST
    probing: bool = False

    def may_ask(self, now: datetime) -> bool:
        if self.rests_until is None:
            return True
        if now < self.rests_until or self.probing:
            return False
        self.probing = True
        return True

    def went_well(self) -> None:
        self.rests_until, self.rest, self.probing = None, FIRST_REST, False

    def went_wrong(self, what: Consequence, now: datetime) -> None:
        self.probing = False
        if what is Consequence.SOON:
            self.rests_until = now + self.rest
            self.rest = min(self.rest * 2, LONGEST_REST)
        elif what is Consequence.MINUTE:
            self.rests_until = now + timedelta(minutes=1)
        elif what is Consequence.TOMORROW:
            self.rests_until = clock.day_bounds(clock.service_day(now))[1]
        elif what is Consequence.GIVE_UP:
            self.rests_until = now + LOOK_AGAIN

    def let_go(self) -> None:
        """The question was broken off: that says nothing."""
        self.probing = False


class Amap:
    """One client per process. `url` is the service's base, so that tests may stand in for it."""

    def __init__(self, key: str, url: str) -> None:
        self._key = key
        self._http = httpx.AsyncClient(
            base_url=url, timeout=TIMEOUT, limits=httpx.Limits(max_connections=4), follow_redirects=False
        )
        self.breaker = Breaker()

    def knows(self, mode: str) -> bool:
        return mode in TYPES

    async def close(self) -> None:
        await self._http.aclose()

    async def seconds(self, origins: Sequence[Point], destination: Point, mode: str) -> list[int | None]:
        """Door to door, the minutes before and after the road included. Raises NoAnswer."""
        found: list[int | None] = [None] * len(origins)
        near = [i for i, place in enumerate(origins) if mode != "walk" or distance_m(*place, *destination) < WALKABLE_M]
        for first in range(0, len(near), MOST_ORIGINS):
            group = near[first : first + MOST_ORIGINS]
            results = await self._asked([origins[i] for i in group], destination, TYPES[mode])
            for position, result in zip(group, results, strict=True):
                found[position] = _seconds(result, mode)
        return found

    async def _asked(self, origins: Sequence[Point], destination: Point, kind: str) -> list[dict[str, Any]]:
        if not self.breaker.may_ask(clock.now()):
            raise NoAnswer("resting")
        try:
            content = await self._fetched(origins, destination, kind)
            results = _results(content, len(origins))
        except _Wrong as wrong:
            self._note(wrong)
            raise NoAnswer(wrong.consequence.value) from None
        except BaseException:
            self.breaker.let_go()
            raise
        self.breaker.went_well()
        return results

    async def _fetched(self, origins: Sequence[Point], destination: Point, kind: str) -> Any:
        asked = {
            "key": self._key, "origins": "|".join(map(_gcj02, origins)), "destination": _gcj02(destination),
            "type": kind, "output": "JSON",
        }  # fmt: skip
        try:
            async with self._http.stream("GET", "/v3/distance", params=asked) as answer:
                if answer.status_code != httpx.codes.OK:
                    raise _Wrong(Consequence.SOON, f"http_{answer.status_code}")
                body = bytearray()
                async for piece in answer.aiter_bytes():
                    body += piece
                    if len(body) > MOST_BYTES:
                        raise _Wrong(Consequence.SOON, "too_long")
            return orjson.loads(body)
        except httpx.HTTPError as failure:
            raise _Wrong(Consequence.SOON, type(failure).__name__) from None
        except orjson.JSONDecodeError:
            raise _Wrong(Consequence.SOON, "not_json") from None

    def _note(self, wrong: _Wrong) -> None:
        """Neither the address nor the vendor's text: both may quote the key or a place."""
        self.breaker.went_wrong(wrong.consequence, clock.now())
        if wrong.consequence is Consequence.NOT_THIS:
            self.breaker.went_well()
            return
        told = log.get("matching")
        say = told.error if wrong.consequence is Consequence.GIVE_UP else told.warning
        until = self.breaker.rests_until
        say("map_rests", why=wrong.why, consequence=wrong.consequence.value, until=until and until.isoformat())


class _Wrong(Exception):
    def __init__(self, consequence: Consequence, why: str) -> None:
        super().__init__(why)
        self.consequence, self.why = consequence, why


def _results(content: Any, count: int) -> list[dict[str, Any]]:
    """The results in the order of the origins. Raises _Wrong for a refusal, or for what is no answer to us."""
    if not isinstance(content, dict):
        raise _Wrong(Consequence.SOON, "not_an_object")
    code = _whole(content.get("infocode"))
    if str(content.get("status")) != "1" or code != 10000:
        known = CONSEQUENCES.get(code or 0, Consequence.SOON)
        raise _Wrong(known, f"infocode_{code}")
    results = content.get("results")
    if not isinstance(results, list) or len(results) != count:
        raise _Wrong(Consequence.SOON, "wrong_count")
    by_origin = {_whole(one.get("origin_id")): one for one in results if isinstance(one, dict)}
    if set(by_origin) != set(range(1, count + 1)):
        raise _Wrong(Consequence.SOON, "wrong_origins")
    return [by_origin[i] for i in range(1, count + 1)]


def _seconds(result: dict[str, Any], mode: str) -> int | None:
    """None where the vendor found no way, or says what cannot be."""
    metres, seconds = _whole(result.get("distance")), _whole(result.get("duration"))
    if metres is None or seconds is None or metres < 0 or seconds <= 0 or seconds > 24 * 3600:
        return None
    if mode == "ebike":
        seconds = round(metres / 1000 / MODES[mode].km_per_hour * 3600)
    return seconds + round(MODES[mode].fixed_minutes * 60)


def _whole(value: Any) -> int | None:
    """The vendor writes numbers as text."""
    text = str(value)
    return int(text) if text.isascii() and text.removeprefix("-").isdigit() and len(text) < 10 else None


def _gcj02(place: Point) -> str:
    lng, lat = wgs84_to_gcj02(*place)
    return f"{lng:.6f},{lat:.6f}"
