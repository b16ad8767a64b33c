"""kill -9 of any part of the running service, at any moment: nothing that was acknowledged is lost.

`NUANXIAN_KILLS` says how often, `NUANXIAN_CHAOS_CLIENTS` how many desks place orders meanwhile, and
`NUANXIAN_CHAOS_SEED` repeats the order in which things are killed (not what the machine makes of it).
"""

from __future__ import annotations

import os
import random
import secrets
import statistics
import time

import pytest

from tests.chaos import books, oracle, town
from tests.chaos.books import Books, Told
from tests.chaos.load import Crowd
from tests.chaos.victim import KINDS, Victim, victim

KILLS = int(os.environ.get("NUANXIAN_KILLS", "30"))
CLIENTS = int(os.environ.get("NUANXIAN_CHAOS_CLIENTS", "8"))
SEED = int(os.environ.get("NUANXIAN_CHAOS_SEED") or secrets.randbelow(10**6))
FORGETFUL_ROUNDS = 8
AT_ONCE = 0.2
"""Share of kills that follow the one before without waiting until the service has recovered."""

pytestmark = [pytest.mark.chaos, pytest.mark.xdist_group("chaos")]


async def stored(service: Victim) -> Books:
    async with service.database() as database, database.transaction() as tx:
        await tx.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return await books.read(tx)


async def busy(crowd: Crowd, service: Victim, acks: int) -> None:
    """Wait until the service has answered `acks` more operations."""
    wanted = len(crowd.told.acks) + acks

    async def answered() -> bool:
        crowd.complain()
        return len(crowd.told.acks) >= wanted

    await service.until(answered)


def schedule(chance: random.Random, kills: int) -> list[str]:
    """Every kind equally often, in a random order."""
    kinds = [KINDS[number % len(KINDS)] for number in range(kills)]
    chance.shuffle(kinds)
    return kinds


def say(told: Told, found: Books, killed: list[str], gaps: list[float], began: float) -> str:
    took, load = time.monotonic() - began, " ".join(f"{one:.1f}" for one in os.getloadavg())
    kinds = ", ".join(f"{killed.count(kind)} {kind}" for kind in KINDS)
    return (
        f"\nseed {SEED}: {len(killed)} kills ({kinds}) in {took:.0f} s, machine load {load}\n"
        f"  orders: {len(told.attempted)} attempted, {len(told.placed)} acknowledged, {len(found.orders)} stored\n"
        f"  all operations: {len(told.acks)} answered, {told.replayed} of them by the first answer again; "
        f"without an answer: {dict(told.lost)}\n"
        f"  first answer after a kill: median {statistics.median(gaps):.1f} s, worst {max(gaps):.1f} s\n"
        f"  {len(found.offers)} offers, {len(told.events)} visit events, {len(told.rated)} ratings, {len(told.issued)} "
        f"statements issued, {len(found.transfers)} transfers, {len(found.feed)} feed entries"
    )


@pytest.mark.timeout(600)
async def test_nothing_acknowledged_is_lost(capsys: pytest.CaptureFixture[str]) -> None:
    chance = random.Random(SEED)
    async with victim() as service:
        await service.start()
        async with service.database() as database:
            crowd = Crowd(service.url, await town.build(database), chance, desks=CLIENTS)
        await crowd.begin()
        await busy(crowd, service, 20)
        killed, gaps, killing = schedule(chance, KILLS), [], time.monotonic()
        for kind in killed:
            await service.kill(kind, chance)
            at = time.monotonic()
            if chance.random() < AT_ONCE:
                continue
            await service.until(service.ready)
            await busy(crowd, service, chance.randrange(1, 40))
            gaps.append(next(ack for ack in crowd.told.acks if ack > at) - at)
        await service.until(service.ready)
        await crowd.finish()
        repeated, found = await crowd.again(20), await stored(service)
        with capsys.disabled():
            print(say(crowd.told, found, killed, gaps, killing))
        if wrong := oracle.breaches(found, crowd.told):
            pytest.fail("\n".join([f"{len(wrong)} breaches", *wrong[:40], service.last_words()]))
        assert repeated == min(20, len(crowd.told.answers))
    # Not a word about a calm day: there was something to lose, and a kill hit it.
    assert len(crowd.told.placed) > 2 * KILLS
    assert sum(crowd.told.lost.values()) > KILLS / 2
    assert crowd.told.ended
    assert crowd.told.cancelled
