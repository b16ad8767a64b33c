"""`scripts/simulate_day`: the day, the nights between, the end of the month, the reckoning.

Without `--base-url` the simulation starts a service of its own, whose clock runs fast. Against a running service
it follows that service's clock: where an hour takes an hour, visits become short and supervisors have to judge
them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import httpx

from scripts.simulate import report
from scripts.simulate.audit import audit
from scripts.simulate.day import City
from scripts.simulate.doors import Doors
from scripts.simulate.own_service import OwnService
from scripts.simulate.pace import SHANGHAI, Pace

LAST_OF_THE_MONTH = datetime(2026, 6, 30, tzinfo=SHANGHAI)
"""A Tuesday."""
MORNINGS = (timedelta(days=1, hours=8), timedelta(days=5, hours=9))
"""The next day, and the day when whoever was not drawn for a call has been let pass."""
FASTEST = 300.0
"""A signature is good for 300 seconds of the service's clock: faster, and none would arrive in time."""


def main() -> int:
    options = _options()
    try:
        return asyncio.run(_own(options) if options.base_url is None else _given(options))
    except KeyboardInterrupt:
        return 130


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="simulate_day", description="A city's day through the public doors.")
    parser.add_argument("--orders", type=int, default=300, help="wishes for a service (300)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same wishes and characters")
    parser.add_argument("--minutes", type=float, default=8.0, help="how long the day takes in real minutes (8)")
    parser.add_argument("--hours", type=float, default=15.0, help="from 06:30, how much of the day is lived (15)")
    parser.add_argument("--mornings", type=int, choices=(1, 2), default=2, help="mornings after, with follow-ups (2)")
    parser.add_argument("--base-url", default=None, help="a running service, instead of one of our own")
    parser.add_argument("--data-dir", type=Path, default=Path("var"), help="where that service keeps its data (var)")
    parser.add_argument("--keep", action="store_true", help="leave the own service's data for a look")
    return parser.parse_args()


async def _own(options: argparse.Namespace) -> int:
    service = OwnService(options.keep)
    try:
        started = time.monotonic()
        _say(started, f"a city of its own is made in {service.data_dir}")
        service.prepare(LAST_OF_THE_MONTH + timedelta(hours=5))
        morning, length = LAST_OF_THE_MONTH + timedelta(hours=6, minutes=30), timedelta(hours=options.hours)
        city = await _city(options, service.base_url, service.data_dir)

        async def set_ahead(at: datetime, rate: float) -> None:
            await asyncio.to_thread(service.stop)
            await asyncio.to_thread(service.start, at, rate)
            _say(started, f"it is {at:%d %B, %H:%M}")
            city.doors.pace = await _pace(service.base_url, rate)

        rate = min(FASTEST, max(1.0, length.total_seconds() / (options.minutes * 60)))
        await set_ahead(morning, rate)
        _say(started, f"the day runs {city.doors.pace.rate:.0f} times as fast as the world's")
        await city.day(options.orders, morning + length)
        _say(started, "the day is over")
        calls_back = timedelta(minutes=10 + options.orders / 8)
        for after in MORNINGS[-options.mornings :]:
            await set_ahead(LAST_OF_THE_MONTH + after, rate)
            await city.morning_after(calls_back)
        return await _reckon(city, LAST_OF_THE_MONTH.strftime("%Y-%m"), early=False)
    finally:
        await asyncio.to_thread(service.remove)


async def _given(options: argparse.Namespace) -> int:
    city = await _city(options, options.base_url.rstrip("/"), options.data_dir)
    pace = city.doors.pace
    await city.day(options.orders, pace.now() + timedelta(minutes=options.minutes * pace.rate))
    await city.morning_after(timedelta(minutes=1) * pace.rate)
    return await _reckon(city, pace.local().strftime("%Y-%m"), early=True)


async def _city(options: argparse.Namespace, base_url: str, data_dir: Path) -> City:
    credentials = json.loads((data_dir / "demo" / "credentials.json").read_text(encoding="utf-8"))
    outbox = data_dir / "demo" / "outbox.jsonl"
    pace = await _pace(base_url) if options.base_url else Pace(0.0, LAST_OF_THE_MONTH, 1.0)
    return City(Doors(base_url, pace), credentials, outbox, random.Random(options.seed))


def _say(since: float, words: str) -> None:
    print(f"{time.monotonic() - since:6.0f} s  {words}", flush=True)


async def _pace(base_url: str, rate: float | None = None) -> Pace:
    async with httpx.AsyncClient(timeout=10) as http:
        return await Pace.of(http, base_url, rate)


async def _reckon(city: City, period: str, *, early: bool) -> int:
    facts = await city.close(period, early=early)
    breaches = audit(facts)
    print()
    for line in report.lines(facts, breaches, city.doors.tally):
        print(line)
    await city.doors.close()
    return 1 if any(breaches.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
