"""WeChat's door by numbers: messages of another implementation, changed posts, a database that does not answer."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path

import asyncpg
import httpx
import pytest

from app.channels.porch import Porch
from app.channels.wechat import accounts, messages
from app.channels.wechat.crypto import Keys
from app.core import clock
from app.core.db import Database
from app.core.errors import Unavailable
from app.intake import contacts
from app.intake.contacts import Arrival
from tests.channels import wechat_mutations
from tests.channels.wechat_peer import Post, WeChat
from tests.intake.doors import client_of, small_app
from tests.world.intake import AES_KEY, make_wechat_account, wechat_push, wechat_text

PATH = "/channels/wechat/jinchang"
COUNTS = """SELECT (SELECT count(*) FROM inbound_contact) AS contacts,
  (SELECT count(*) FROM pgqueuer WHERE entrypoint = 'intake.process_contact') AS jobs"""


@pytest.fixture
async def account(clean_database: Database) -> Keys:
    async with clean_database.transaction() as tx:
        return await make_wechat_account(tx)


async def counts(database: Database) -> tuple[int, int]:
    async with database.transaction() as tx:
        return tuple(await tx.fetchrow(COUNTS))  # type: ignore[arg-type]


async def test_two_thousand_messages_of_another_implementation_are_stored_as_they_were_sent(
    doors: httpx.AsyncClient, account: Keys, clean_database: Database
) -> None:
    chance, wechat = random.Random(12349), WeChat(account.token, AES_KEY, account.appid)
    sent: dict[bytes, Post] = {}
    for number in range(2000):
        openid = f"oElder{number % 97}"
        message = wechat_mutations.message(number, openid, chance) + b" " * chance.randrange(33)
        nonce, filling = str(chance.randrange(10**9)), chance.randbytes(16)
        now = int(clock.now().timestamp())
        sent[message] = wechat.post(message, timestamp=now, nonce=nonce, random=filling, openid=openid)
    gate = asyncio.Semaphore(8)

    async def deliver(post: Post) -> str:
        async with gate:
            return (await doors.post(f"{PATH}?{post.query}", content=post.body)).text

    assert set(await asyncio.gather(*map(deliver, sent.values()))) == {"success"}
    async with clean_database.transaction() as tx:
        rows = await tx.fetch("SELECT id, kind, raw, sender, words FROM inbound_contact")
        opened = {tx.vault.open("inbound_contact.raw", row["id"], row["raw"]).encode("latin-1"): row for row in rows}
        assert opened.keys() == sent.keys()
        for message, row in opened.items():
            push = messages.read(message)
            assert row["kind"] == push.kind
            assert tx.vault.open("inbound_contact.sender", row["id"], row["sender"]) == push.sender
            words = tx.vault.open("inbound_contact.words", row["id"], row["words"]) if row["words"] else None
            assert words == push.words


async def test_every_changed_byte_is_refused_before_anybody_asks_the_database() -> None:
    """A sample; `scripts/mutate_wechat --posts 1000` is the whole."""
    found = await wechat_mutations.run(count=3, values=1, seed=random.SystemRandom().randrange(10**9))
    assert found.clean, found


async def test_the_mutations_would_find_a_door_that_believes_the_envelope(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "check_outside", lambda *_: None)
    found = await wechat_mutations.run(count=1, values=1, seed=7)
    assert not found.clean
    assert found.asked > 0
    assert found.others[0][0] == 200


async def test_with_the_database_paused_for_three_seconds_the_answer_takes_less_than_one(
    account: Keys, clean_database: Database, tmp_path: Path
) -> None:
    """And the message is there afterwards, once; the keys, looked up long ago, are known meanwhile."""
    app = small_app(clean_database, tmp_path / "porch")
    query, body = wechat_push(account, wechat_text("我要助餐", 42))
    await accounts.keys_of(clean_database, "jinchang")
    clean_database.cache._values[accounts.CACHED] = (0.0, clean_database.cache._values[accounts.CACHED][1])
    async with client_of(app) as doors:
        paused = asyncio.create_task(hold(clean_database, 3.0))
        await asyncio.sleep(0.2)
        began = time.monotonic()
        answers = await asyncio.gather(*(doors.post(PATH, params=query, content=body) for _ in range(3)))
        took = time.monotonic() - began
        kept = lying(tmp_path / "porch")
        await paused
    porch: Porch = app.state.porch
    await asyncio.gather(*porch._late)
    assert {(a.status_code, a.text) for a in answers} == {(200, "success")}
    assert took < 1, took
    assert len(kept) == 1, "three copies are one file"
    await porch.carry_in()
    assert await counts(clean_database) == (1, 1)
    assert not lying(tmp_path / "porch")


async def hold(database: Database, seconds: float) -> None:
    """Let nobody read or write contacts or WeChat accounts for a while."""
    connection = await asyncpg.connect(database.dsn)
    async with connection.transaction():
        await connection.execute("LOCK TABLE inbound_contact, wechat_account IN ACCESS EXCLUSIVE MODE")
        await asyncio.sleep(seconds)
    await connection.close()


def lying(porch: Path) -> list[Path]:
    """What lies on the porch, oldest first."""
    return sorted(porch.iterdir(), key=lambda file: file.stat().st_mtime_ns)


def arrival(external_id: str, words: str = "我要助餐") -> Arrival:
    return Arrival("wechat", "jinchang", external_id, "text", b"\xff<xml/>", "oElder1", words)


class Away(Database):
    """A database that is down until `back`."""

    down = True

    async def connection(self):  # type: ignore[no-untyped-def]
        if self.down:
            raise Unavailable("database_unavailable")
        return await super().connection()


@pytest.fixture
def away(clean_database: Database) -> Away:
    return Away(clean_database.dsn, vault=clean_database.vault, pool_size=2)


async def test_what_came_during_an_outage_is_carried_in_with_the_time_it_came(
    away: Away, clean_database: Database, tmp_path: Path
) -> None:
    porch = Porch(away, tmp_path)
    for number in (1, 2, 1):
        await porch.take(arrival(f"msg:{number}"), contacts.PROCESS)
    came = clock.now()
    files = lying(tmp_path)
    assert len(files) == 2
    assert all("助餐".encode() not in file.read_bytes() and file.stat().st_mode & 0o077 == 0 for file in files)
    with pytest.raises(Unavailable):
        await porch.carry_in()
    assert len(lying(tmp_path)) == 2
    away.down = False
    assert await porch.carry_in() == 2
    await away.close()
    async with clean_database.transaction() as tx:
        rows = await tx.fetch("SELECT id, raw, words, received_at FROM inbound_contact")
        assert {tx.vault.open("inbound_contact.words", row["id"], row["words"]) for row in rows} == {"我要助餐"}
        raw = tx.vault.open("inbound_contact.raw", rows[0]["id"], rows[0]["raw"]).encode("latin-1")
        assert raw == b"\xff<xml/>"
        assert max(row["received_at"] for row in rows) <= came
    assert await counts(clean_database) == (2, 2)


async def test_a_copy_that_the_database_has_already_is_carried_in_without_effect(
    away: Away, clean_database: Database, tmp_path: Path
) -> None:
    """As after a kill between the commit and the removal of the file."""
    async with clean_database.transaction() as tx:
        await contacts.receive(tx, arrival("msg:1"), job=contacts.PROCESS)
    await Porch(away, tmp_path).take(arrival("msg:1"), contacts.PROCESS)
    (copied,) = lying(tmp_path)
    kept = copied.read_bytes()
    assert await Porch(clean_database, tmp_path).carry_in() == 1
    copied.write_bytes(kept)
    both = await asyncio.gather(Porch(clean_database, tmp_path).carry_in(), Porch(clean_database, tmp_path).carry_in())
    assert sum(both) >= 1
    assert await counts(clean_database) == (1, 1)


async def test_a_file_that_cannot_be_read_is_put_aside_and_holds_up_no_other(
    away: Away, clean_database: Database, tmp_path: Path
) -> None:
    porch = Porch(away, tmp_path)
    for number in (1, 2):
        await porch.take(arrival(f"msg:{number}"), contacts.PROCESS)
    first, _ = lying(tmp_path)
    first.write_bytes(first.read_bytes()[:-1])
    assert await Porch(clean_database, tmp_path).carry_in() == 1
    assert await counts(clean_database) == (1, 1)
    assert [file.name for file in lying(tmp_path)] == [f"{first.name}.unreadable"]


async def test_without_database_and_disk_nothing_is_acknowledged(away: Away, tmp_path: Path) -> None:
    (tmp_path / "porch").write_text("a file where the directory should be")
    with pytest.raises(Unavailable):
        await Porch(away, tmp_path / "porch").take(arrival("msg:1"), contacts.PROCESS)


async def test_the_porch_is_emptied_without_being_asked(away: Away, clean_database: Database, tmp_path: Path) -> None:
    porch = Porch(away, tmp_path)
    running = asyncio.create_task(porch.run())
    await porch.take(arrival("msg:1"), contacts.PROCESS)
    away.down = False
    for _ in range(100):
        await asyncio.sleep(0.05)
        if not lying(tmp_path):
            break
    running.cancel()
    assert await counts(clean_database) == (1, 1)
    await away.close()
