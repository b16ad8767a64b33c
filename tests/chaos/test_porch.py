"""WeChat's messages while PostgreSQL stands still, and the web process that took them is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from app.channels.wechat.crypto import Keys
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
