"""`scripts/sip_lab`: real SIP calls to 12349. Every one has to pop the right elder on the agent's screen in time; those
that are given up, or find nobody, have to end in the right record and a call-back."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
from benchmarks.town import Service

from app.channels.bridge.door import Door
from app.core.db import Database
from siplab import parts, world
from siplab.edge import Edge
from siplab.screen import Screen

NAME, SETTLED_S = "siplab", 30.0
CALLS = """SELECT c.id, c.call_id, c.outcome, c.cause, c.state, t.reason, t.status
FROM call c LEFT JOIN callback_task t ON t.call_id = c.id ORDER BY c.first_at"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/sip_lab", description=__doc__)
    parser.add_argument("--calls", type=int, default=100, help="answered calls; a tenth as many of each other kind")
    parser.add_argument("--within-ms", type=float, default=300.0, help="from the INVITE to the screen, p95")
    options = parser.parse_args()
    try:
        parts.find()
    except parts.Missing as missing:
        print(missing, file=sys.stderr)
        return 3
    return asyncio.run(_run(options))


async def _run(options: argparse.Namespace) -> int:
    home = Path(tempfile.mkdtemp(prefix="nuanxian-siplab-"))
    service, laboratory = Service(home, 1), parts.Laboratory(home)
    kept = False
    try:
        await service.create(NAME)
        database = service.database(NAME)
        city = await world.build(database, options.calls)
        await service.start(NAME)
        await laboratory.open()
        kept = await _calls(options, f"http://127.0.0.1:{service.port}", laboratory, city, database)
        await database.close()
    finally:
        laboratory.close()
        service.stop()
        if kept:
            shutil.rmtree(home, ignore_errors=True)
        else:
            print(f"the laboratory's logs are in {home}")
    return 0 if kept else 1


async def _calls(
    options: argparse.Namespace, url: str, laboratory: parts.Laboratory, city: world.World, database: Database
) -> bool:
    numbers, few = list(city.elders), max(1, options.calls // 10)
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=10) as client:
        door = Door(client, city.key, "kamailio", "lab")
        edge, screen = Edge(laboratory.event_port, door), Screen(url, city.operator, "8001")
        work = [asyncio.create_task(one) for one in (door.work(), edge.work(), screen.watch())]
        try:
            await asyncio.wait_for(screen.listening.wait(), 10)
            phone = await laboratory.agent("8001", answers=True)
            await laboratory.callers("calling", numbers)
            await laboratory.leaves(phone)
            phone = await laboratory.agent("8001", answers=False)
            await laboratory.callers("giving_up", numbers[:few])
            await laboratory.leaves(phone)
            await laboratory.callers("nobody_there", numbers[:few])
            calls = await _settled(database, options.calls + 2 * few)
        finally:
            for one in work:
                one.cancel()
            for failed in [
                one for one in await asyncio.gather(*work, return_exceptions=True) if isinstance(one, Exception)
            ]:
                raise failed
    return _judge(options, few, calls, edge, screen, city)


async def _settled(database: Database, expected: int) -> list[Any]:
    """All calls, when all have come to an end, or as they are after half a minute."""
    calls: list[Any] = []
    for _ in range(int(SETTLED_S / 0.2)):
        async with database.transaction() as tx:
            calls = await tx.fetch(CALLS)
        if len(calls) == expected and all(call["outcome"] for call in calls):
            break
        await asyncio.sleep(0.2)
    return calls


def _judge(
    options: argparse.Namespace, few: int, calls: list[Any], edge: Edge, screen: Screen, city: world.World
) -> bool:
    numbers = list(city.elders)
    ended = Counter((call["outcome"], call["cause"], call["reason"], call["status"]) for call in calls)
    for (outcome, cause, reason, status), count in ended.most_common():
        print(f"  {count:4} {outcome} ({cause}), call-back: {f'{reason}, {status}' if reason else 'none'}")
    waited, right = [], 0
    for number, call in zip(numbers, calls, strict=False):
        at, elders = screen.popped.get(str(call["id"]), (None, []))
        right += elders == [str(city.elders[number])]
        if at is not None:
            waited.append((at - edge.invited_at[call["call_id"]]).total_seconds() * 1000)
    waited.sort()
    p50, p95 = (waited[int(len(waited) * part)] if waited else float("nan") for part in (0.5, 0.95))
    print(f"  {right} of {options.calls} popped the right elder; from the INVITE to the screen p50 {p50:.0f} ms, "
          f"p95 {p95:.0f} ms, longest {waited[-1] if waited else float('nan'):.0f} ms")  # fmt: skip
    answered = sum(call["outcome"] == "answered" and call["reason"] is None for call in calls)
    lost = Counter(call["cause"] for call in calls if (call["outcome"], call["status"]) == ("abandoned", "due"))
    kept = (
        answered == options.calls == right
        and p95 <= options.within_ms
        and lost == {"caller_cancel": few, "no_agent": few}
    )
    print("  kept" if kept else "  NOT KEPT")
    return kept


if __name__ == "__main__":
    sys.exit(main())
