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

import httpx
import pytest

from tests.chaos import books, oracle
from tests.chaos.books import Books, Told
from tests.chaos.conftest import Running
from tests.chaos.load import Crowd
from tests.chaos.proxies import lost_answer
from tests.chaos.town import ITEM
from tests.chaos.victim import KINDS, Victim

KILLS = int(os.environ.get("NUANXIAN_KILLS", "30"))
CLIENTS = int(os.environ.get("NUANXIAN_CHAOS_CLIENTS", "8"))
SEED = int(os.environ.get("NUANXIAN_CHAOS_SEED") or secrets.randbelow(10**6))
IMPATIENT_ROUNDS = 8
AT_ONCE = 0.2
"""Share of kills that follow the one before without waiting until the service has recovered."""

pytestmark = [pytest.mark.chaos, pytest.mark.xdist_group("chaos"), pytest.mark.timeout(600)]


async def stored(service: Victim) -> Books:
    async with service.database() as database, database.transaction() as tx:
        await tx.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return await books.read(tx)


async def readable(service: Victim, entries: set[int]) -> None:
    """Wait until nothing older than these entries of the feed is under way any more."""
    behind = "SELECT 1 FROM feed_entry WHERE id = ANY($1) AND txid >= pg_snapshot_xmin(pg_current_snapshot()) LIMIT 1"

    async def passed() -> bool:
        async with service.database() as database, database.transaction() as tx:
            return await tx.fetchval(behind, list(entries)) is None

    await service.until(passed)


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


def said(told: Told, found: Books, killed: list[str], gaps: list[float], began: float) -> str:
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


@pytest.mark.parametrize("kind", ["web", "everything"])
async def test_killed_between_commit_and_answer(running: Running, kind: str) -> None:
    """The answer is on its way when the service dies. Asked again under the same key it gives that very answer."""
    service, key = running.service, f"k{secrets.token_hex(8)}"
    wish = {"elder_id": str(running.town.elders[0]), "item_code": ITEM, "caller": {"name": key}}
    headers = {"Authorization": f"Bearer {running.town.desk}", "Idempotency-Key": key}
    async with (
        lost_answer(service.port, lambda: service.kill(kind, random.Random(0))) as line,
        httpx.AsyncClient(timeout=60, trust_env=False) as desk,
    ):
        with pytest.raises((httpx.NetworkError, httpx.RemoteProtocolError)):
            await desk.post(f"{line.url}/v1/orders", json=wish, headers=headers)
        await service.until(service.ready)
        again = await desk.post(f"{service.url}/v1/orders", json=wish, headers=headers)
        other = await desk.post(f"{service.url}/v1/orders", json=wish | {"minutes": 20}, headers=headers)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    assert again.content == line.answer
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    found = [row["id"] for row in (await stored(service)).orders if row["requester_name"] == key]
    assert found == [again.json()["id"]]


async def kill_all(running: Running, crowd: Crowd, chance: random.Random, kinds: list[str]) -> list[float]:
    """Kill one after the other; returns how long each time the first answer took, in seconds."""
    service, gaps = running.service, []
    for kind in kinds:
        await service.kill(kind, chance)
        at = time.monotonic()
        if chance.random() < AT_ONCE:
            continue
        await service.until(service.ready)
        await busy(crowd, service, chance.randrange(1, 40))
        gaps.append(next(ack for ack in crowd.told.acks if ack > at) - at)
    await service.until(service.ready)
    return gaps


async def test_nothing_acknowledged_is_lost(running: Running, capsys: pytest.CaptureFixture[str]) -> None:
    chance, service = random.Random(SEED), running.service
    killed = schedule(chance, KILLS)
    async with Crowd(service.url, running.town, chance, desks=CLIENTS) as crowd:
        crowd.told.attempted |= {row["requester_name"] for row in (await stored(service)).orders}
        before = len(crowd.told.attempted)
        await crowd.begin()
        await busy(crowd, service, 20)
        began = time.monotonic()
        gaps = await kill_all(running, crowd, chance, killed)
        await crowd.come_to_rest()
        crowd.told.owed = {row["id"] for row in (await stored(service)).feed}
        await readable(service, crowd.told.owed)
        await crowd.read_the_rest()
    repeated, found = await crowd.again(20), await stored(service)
    with capsys.disabled():
        print(said(crowd.told, found, killed, gaps, began))
    if wrong := oracle.breaches(found, crowd.told):
        pytest.fail("\n".join([f"seed {SEED}: {len(wrong)} breaches", *wrong[:40], service.last_words()]))
    assert repeated == min(20, len(crowd.told.answers))
    # Not a word about a calm day: there was something to lose, and the kills hit it.
    assert len(crowd.told.attempted) - before > KILLS
    assert sum(crowd.told.lost.values()) > KILLS / 2
    assert crowd.told.ended


async def test_the_oracle_sees_what_an_impatient_commit_loses(
    running: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    """The control: acknowledged before the log is on disk. The same kills, and orders are gone."""
    service, chance = running.service, random.Random(SEED)
    missing: list[str] = []
    promised, rounds = Told(), 0
    await set_commit(service, "off")
    async with Crowd(service.url, running.town, chance, desks=CLIENTS) as crowd:
        await crowd.begin()
        while not missing and rounds < IMPATIENT_ROUNDS:
            rounds += 1
            await busy(crowd, service, 15)
            await service.kill("database", chance)
            promised = Told(attempted=set(crowd.told.attempted), placed=dict(crowd.told.placed))
            await service.until(service.ready)
            missing = [one for one in oracle.breaches(await stored(service), promised) if one.startswith("lost: order")]
    await set_commit(service, "on")
    with capsys.disabled():
        print(f"\ncontrol: {len(promised.placed)} acknowledged, {len(missing)} lost after {rounds} kills")
    assert missing, "the control lost nothing: the oracle has not been seen to fail"


async def set_commit(service: Victim, setting: str) -> None:
    """Whether commits wait for the disk, for every connection from now on."""
    async with service.database() as database, database.transaction() as tx:
        await tx.run("SET LOCAL synchronous_commit = on")
        await tx.run(f"ALTER DATABASE nuanxian SET synchronous_commit = {setting}")
    await service.kill("everything", random.Random(0))
