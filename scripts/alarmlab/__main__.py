"""`scripts/alarm_storm`: alarms over MQTT and HTTP, doubled, shuffled, with clocks that are wrong and codes nobody
knows, while broker, gateway, web and worker are killed. Every one has to be in exactly one incident, and the ladder
has to be climbed in time."""

from __future__ import annotations

import argparse
import asyncio
import logging
import shutil
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import httpx
from benchmarks.town import Service

from alarmlab import broker, city, storm
from alarmlab.audit import Findings, audit
from alarmlab.broker import Broker, Missing
from alarmlab.killing import Killer, Watcher
from alarmlab.parts import Laboratory
from alarmlab.senders import Senders
from alarmlab.storm import Device
from app.core import log
from app.core.db import Database

NAME = "alarmlab"
AT_ONCE = 16
"""Devices that send at the same time."""
CLIMBED_S = 30.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/alarm_storm", description=__doc__)
    parser.add_argument("--alarms", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=1, help="of killing: broker; gateway and worker; web; all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--within-s", type=float, default=1.0, help="of its deadline, or of the worker's return")
    options = parser.parse_args()
    try:
        broker.program()
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 3
    log.configure("ERROR")
    logging.getLogger("mqtt").setLevel(logging.CRITICAL)  # a broker that is killed is what this is about
    return asyncio.run(_run(options))


async def _run(options: argparse.Namespace) -> int:
    home = Path(tempfile.mkdtemp(prefix="nuanxian-alarmlab-"))
    devices = storm.make(options.alarms, options.seed)
    asyncio.get_running_loop().set_exception_handler(_unless_the_broker_died)
    service = Service(home, 1)
    laboratory = Laboratory(home, service, NAME, Broker(home / "broker", [one.name for one in devices if one.by_mqtt]))
    kept = False
    try:
        await service.create(NAME)
        database = service.database(NAME)
        keys = await city.build(database, devices)
        laboratory.use(keys)
        for part in ("broker", "web", "worker", "gateway"):
            laboratory.start(part)
        await laboratory.ready()
        kept = await _storm(options, laboratory, database, devices, keys)
        await database.close()
    finally:
        laboratory.close()
        service.stop()
        if kept:
            shutil.rmtree(home, ignore_errors=True)
        else:
            print(f"the laboratory's logs are in {home}")
    return 0 if kept else 1


async def _storm(
    options: argparse.Namespace, laboratory: Laboratory, database: Database, devices: list[Device], keys: city.Keys
) -> bool:
    killer, watcher = Killer(laboratory, database, options.seed, options.rounds), Watcher(database)
    watching = asyncio.create_task(watcher.work())
    await asyncio.sleep(2)  # the gateway's first session has to be there before devices trust the broker with anything
    room, began = asyncio.Semaphore(AT_ONCE), time.monotonic()
    async with httpx.AsyncClient(base_url=laboratory.url, trust_env=False, timeout=10) as client:
        senders = Senders(laboratory.broker, client, keys.maker)
        everything = sum(len(device.sends) for device in devices)
        killing = asyncio.create_task(killer.work(lambda: senders.taken / everything))

        async def one(device: Device) -> None:
            async with room:
                await senders.send(device)

        await asyncio.gather(*(one(device) for device in devices))
    took = time.monotonic() - began
    await killing
    for _ in range(int(CLIMBED_S)):
        if not (left := await watcher.look()):
            break
        await asyncio.sleep(1)
    watching.cancel()
    found = await audit(database, devices)
    print(f"  {options.alarms} alarms of {len(devices)} devices taken in {took:.0f} s; {killer.kills} kills; "
          + ", ".join(f"{count} {what}" for what, count in sorted(senders.counts.items())))  # fmt: skip
    return _judge(options, laboratory, found, watcher, killer, left)


def _judge(
    options: argparse.Namespace, laboratory: Laboratory, found: Findings, watcher: Watcher, killer: Killer, left: int
) -> bool:
    print(f"  {found.incidents} incidents of {found.subjects} elders and devices; {found.missing} alarms missing, "
          f"{found.astray} astray; of {found.trusted} that only the broker acknowledged before it was killed, "
          f"{found.trusted_away} missing")  # fmt: skip
    there, missed = watcher.late(killer.away)
    for what, late in (("on time", there), ("after the worker's return", missed)):
        if late:
            print(f"  {len(late)} steps {what}: p50 {_s(late[len(late) // 2])}, longest {_s(late[-1])}")
    failures = laboratory.failures()
    kept = (
        found.missing == found.astray == left == failures == 0
        and found.incidents == found.subjects
        and found.counted
        and bool(there and missed)
        and max(there[-1], missed[-1]) <= timedelta(seconds=options.within_s)
    )
    print("  kept" if kept else f"  NOT KEPT ({left} steps open, {failures} failures of ours)")
    return kept


def _unless_the_broker_died(loop: asyncio.AbstractEventLoop, said: dict[str, Any]) -> None:
    """The client leaves the news of a broken connection lying about, once for every reader it had."""
    if not isinstance(said.get("exception"), aiomqtt.MqttError | OSError):
        loop.default_exception_handler(said)


def _s(span: timedelta) -> str:
    return f"{span.total_seconds():.2f} s"


if __name__ == "__main__":
    sys.exit(main())
