"""WeChat's door: nothing unverified is stored, copies are one contact and one request."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.channels.wechat import crypto, events
from app.channels.wechat.crypto import Keys
from app.core import clock
from app.core.db import Database
from app.core.json import loads
from app.intake import contacts, tasks
from tests.world.intake import make_wechat_account, wechat_push, wechat_text

PATH = "/channels/wechat/jinchang"


@pytest.fixture
async def account(clean_database: Database) -> Keys:
    async with clean_database.transaction() as tx:
        return await make_wechat_account(tx)


async def stored(database: Database) -> int:
    async with database.transaction() as tx:
        return int(await tx.fetchval("SELECT count(*) FROM inbound_contact"))


async def work_off(database: Database) -> None:
    """What the worker does with the queued jobs, and once more, as a redelivery would."""
    works = {contacts.PROCESS: tasks.process_contact, events.PROCESS: events.process_event}
    async with database.transaction() as tx:
        jobs = await tx.fetch("SELECT entrypoint, payload FROM pgqueuer WHERE entrypoint = ANY($1)", list(works))
    for job in [*jobs, *jobs]:
        async with database.transaction() as tx:
            await works[job["entrypoint"]](tx, loads(bytes(job["payload"])))


async def test_the_url_check_echoes(doors: httpx.AsyncClient, account: Keys) -> None:
    timestamp = str(int(clock.now().timestamp()))
    right = {"timestamp": timestamp, "nonce": "n", "signature": crypto.signature("spamtest", timestamp, "n")}
    answer = await doors.get(PATH, params=right | {"echostr": "shr5ch"})
    assert (answer.status_code, answer.text) == (200, "shr5ch")
    assert answer.headers["content-type"].startswith("text/plain")
    wrong = await doors.get(PATH, params=right | {"signature": "0" * 40, "echostr": "shr5ch"})
    assert wrong.status_code == 401


async def test_a_text_is_stored_answered_at_once_and_becomes_one_request(
    doors: httpx.AsyncClient, account: Keys, clean_database: Database, town: Any
) -> None:
    query, body = wechat_push(account, wechat_text("我要助餐𠮷", 42))
    began = time.monotonic()
    answers = await asyncio.gather(*(doors.post(PATH, params=query, content=body) for _ in range(3)))
    assert time.monotonic() - began < 1
    assert {(a.status_code, a.text) for a in answers} == {(200, "success")}
    again, body_again = wechat_push(account, wechat_text("我要助餐𠮷", 42))
    assert (await doors.post(PATH, params=again, content=body_again)).text == "success"
    assert await stored(clean_database) == 1
    await work_off(clean_database)
    async with clean_database.transaction() as tx:
        (row,) = await tx.fetch("SELECT id, kind, status, channel, note, elder_id FROM care_request")
        contact = await tx.fetchrow("SELECT care_request_id, processed_at, raw FROM inbound_contact")
        note = tx.vault.open("care_request.note", row["id"], row["note"])
    assert (row["kind"], row["status"], row["channel"], row["elder_id"]) == ("service", "new", "wechat", None)
    assert note == "我要助餐𠮷"
    assert contact["care_request_id"] == row["id"]
    assert contact["processed_at"] is not None
    assert "助餐".encode() not in bytes(contact["raw"])


async def test_the_same_event_in_the_same_second_is_one_and_makes_no_request(
    doors: httpx.AsyncClient, account: Keys, clean_database: Database
) -> None:
    event = "<xml><ToUserName>gh_1</ToUserName><FromUserName>o1</FromUserName><CreateTime>1</CreateTime>"
    event += "<MsgType>event</MsgType><Event>CLICK</Event><EventKey>{}</EventKey></xml>"
    for key in ("meal", "meal", "bath"):
        query, body = wechat_push(account, event.format(key).encode())
        assert (await doors.post(PATH, params=query, content=body)).text == "success"
    assert await stored(clean_database) == 2
    await work_off(clean_database)
    async with clean_database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM care_request") == 0
        assert await tx.fetchval("SELECT count(*) FROM inbound_contact WHERE processed_at IS NULL") == 0


async def test_a_picture_is_not_lost(
    doors: httpx.AsyncClient, account: Keys, clean_database: Database, town: Any
) -> None:
    message = (
        b"<xml><ToUserName>gh_1</ToUserName><FromUserName>o1</FromUserName><CreateTime>1</CreateTime>"
        b"<MsgType>image</MsgType><MsgId>9</MsgId></xml>"
    )
    query, body = wechat_push(account, message)
    await doors.post(PATH, params=query, content=body)
    await work_off(clean_database)
    async with clean_database.transaction() as tx:
        (row,) = await tx.fetch("SELECT id, note FROM care_request")
        assert "图片" in tx.vault.open("care_request.note", row["id"], row["note"])


async def test_a_sender_who_proved_a_phone_is_known(
    doors: httpx.AsyncClient, account: Keys, clean_database: Database, town: Any
) -> None:
    async with clean_database.transaction() as tx:
        await contacts.bind_sender(tx, "wechat", "jinchang", "oElder1", "+8613812345678")
        await contacts.bind_sender(tx, "wechat", "jinchang", "oElder1", "+8613812345679")
    query, body = wechat_push(account, wechat_text("打扫", 1))
    await doors.post(PATH, params=query, content=body)
    await work_off(clean_database)
    async with clean_database.transaction() as tx:
        (row,) = await tx.fetch("SELECT id, caller_phone FROM care_request")
        assert tx.vault.open("care_request.caller_phone", row["id"], row["caller_phone"]) == "+8613812345679"


async def test_every_mutation_is_401_and_nothing_is_stored(
    doors: httpx.AsyncClient, account: Keys, clean_database: Database
) -> None:
    query, body = wechat_push(account, wechat_text("我要助餐", 7))
    start = body.index(b"CDATA[") + 6
    step = max(1, (len(body) - start) // 40)
    attempts: list[tuple[dict[str, str], bytes]] = [
        (query, body[:at] + bytes((body[at] ^ 1,)) + body[at + 1 :]) for at in range(start, body.index(b"]]>"), step)
    ]
    attempts += [(query | {name: query[name][:-1] + "~"}, body) for name in query]
    attempts += [({k: v for k, v in query.items() if k != name}, body) for name in query]
    attempts += [(query | {"nonce": query["nonce"] + "\0"}, body)]
    attempts += [(query, b""), (query, b"{}"), (query, b"\xff\xfe"), (query, body + b" " * 70_000)]
    stale, late_body = wechat_push(account, wechat_text("x", 8), clock.now() - timedelta(minutes=11))
    attempts.append((stale, late_body))
    for params, content in attempts:
        answer = await doors.post(PATH, params=params, content=content)
        assert (answer.status_code, answer.json()["code"]) == (401, "wechat_not_authentic")
        assert answer.json()["detail"] == "the push could not be verified"
    assert await stored(clean_database) == 0


async def test_an_unknown_account_is_404(doors: httpx.AsyncClient, account: Keys) -> None:
    query, body = wechat_push(account, wechat_text("x", 8))
    assert (await doors.post("/channels/wechat/elsewhere", params=query, content=body)).status_code == 404


async def test_new_keys_count_and_secrets_are_sealed(
    doors: httpx.AsyncClient, account: Keys, clean_database: Database
) -> None:
    query, body = wechat_push(account, wechat_text("x", 8))
    assert (await doors.post(PATH, params=query, content=body)).status_code == 200
    async with clean_database.transaction() as tx:
        row = await tx.fetchrow("SELECT token, aes_key FROM wechat_account")
        changed = await make_wechat_account(tx)
    assert b"spamtest" not in bytes(row["token"])
    clean_database.cache.clear()
    assert (await doors.post(PATH, params=query, content=body)).status_code == 401
    query, body = wechat_push(changed, wechat_text("x", 9))
    assert (await doors.post(PATH, params=query, content=body)).status_code == 200
