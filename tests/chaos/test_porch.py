"""WeChat's messages and devices' alarms while PostgreSQL stands still, and the web process that took them is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from app.channels.vendors import makers
from app.channels.wechat.crypto import Keys
from app.core import clock
from app.core.http import SYSTEM
from tests.chaos.conftest import Running
from tests.chaos.victim import Victim, _children
from tests.world.intake import make_wechat_account, wechat_push, wechat_text

PATH = "/channels/wechat/standing"
COUNTS = """SELECT (SELECT count(*) FROM inbound_contact WHERE account = 'standing') AS contacts,
  (SELECT count(*) FROM inbound_contact WHERE account = 'standing' AND processed_at IS NOT NULL) AS processed,
  (SELECT count(*) FROM care_request r JOIN inbound_contact c ON c.id = r.contact_id
    WHERE c.account = 'standing') AS requests"""


async def test_a_message_taken_while_the_database_stands_still_outlives_the_web_process(running: Running) -> None:
    service = running.service
    async with service.database() as database, database.transaction() as tx:
        shared = await make_wechat_account(tx, "standing")
    async with httpx.AsyncClient(base_url=service.url) as caller:
        await _known(caller, shared)
        query, body = wechat_push(shared, wechat_text("我要助餐", 1))
        stopped_at = time.monotonic()
        with standing_still(service):
            began = time.monotonic()
            answers = await asyncio.gather(*(caller.post(PATH, params=query, content=body) for _ in range(3)))
            took = time.monotonic() - began
            os.kill(service.child("web"), signal.SIGKILL)
            files = list((service.home / "porch").iterdir())
            await asyncio.sleep(max(0.0, 3 - (time.monotonic() - stopped_at)))
        assert {(a.status_code, a.text) for a in answers} == {(200, "success")}
        assert took < 1, took
        assert len(files) == 1
    await service.until(service.ready)

    async def carried_in() -> bool:
        async with service.database() as database, database.transaction() as tx:
            return tuple(await tx.fetchrow(COUNTS)) == (2, 2, 2)  # type: ignore[arg-type]

    await service.until(carried_in)
    assert not list((service.home / "porch").iterdir())
    await asyncio.sleep(1)
    assert await carried_in(), "and not twice"


PUSH, TOKEN = "/channels/devices/standing/push", "a-long-secret-0001"
INCIDENTS = """SELECT count(*) AS incidents, min(i.first_at) AS first_at, max(i.last_at) AS last_at,
  (SELECT count(*) FROM inbound_contact WHERE account = 'standing' AND channel = 'device') AS contacts
FROM incident i WHERE subject LIKE 'device:standing:%'"""


async def test_an_alarm_taken_while_the_database_stands_still_outlives_the_web_process(running: Running) -> None:
    service = running.service
    async with service.database() as database, database.transaction() as tx:
        await makers.put_maker(tx, SYSTEM, "standing", "action", "wgs84", TOKEN)
    said, proved = {"imei": "77", "Action": 7, "Id": 1}, {"X-Push-Token": TOKEN}
    async with httpx.AsyncClient(base_url=service.url, timeout=30) as caller:
        for _ in range(40):  # until the web process knows the maker; a heartbeat is no alarm
            alive = await caller.post(PUSH, json={"imei": "77", "Action": "heartbeat"}, headers=proved)
            if alive.status_code == 200:
                break
            await asyncio.sleep(0.5)
        with standing_still(service):
            before, began = clock.now(), time.monotonic()
            answers = await asyncio.gather(*(caller.post(PUSH, json=said, headers=proved) for _ in range(3)))
            took, came = time.monotonic() - began, clock.now()
            os.kill(service.child("web"), signal.SIGKILL)
            files = list((service.home / "porch").iterdir())
        assert {answer.status_code for answer in answers} == {200}
        assert took < 4, took
        assert len(files) == 1
    await service.until(service.ready)

    async def raised() -> bool:
        async with service.database() as database, database.transaction() as tx:
            row = await tx.fetchrow(INCIDENTS)
            return (row["incidents"], row["contacts"]) == (1, 1) and before <= row["first_at"] <= row["last_at"] <= came

    await service.until(raised)
    assert not list((service.home / "porch").iterdir())
    await asyncio.sleep(1)
    assert await raised(), "and not twice"


async def _known(caller: httpx.AsyncClient, shared: Keys) -> None:
    """A first message, so that the process knows the account."""
    query, body = wechat_push(shared, wechat_text("你好", 0))
    for _ in range(40):
        if (answer := await caller.post(PATH, params=query, content=body)).status_code == 200:
            return
        await asyncio.sleep(0.5)
    raise AssertionError(answer.text)


@contextmanager
def standing_still(service: Victim) -> Iterator[None]:
    """Every process of the database stopped where it is: it hears everything and answers nothing."""
    server = service.postmaster()
    family = [server, *_children(server)]
    try:
        for pid in family:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in family:
            os.kill(pid, signal.SIGCONT)
