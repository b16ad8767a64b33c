"""What we say through WeChat: one token for all, consents that are used once, and what each refusal means."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.channels.wechat import accounts, api, events, fields, queries, sender, tokens
from app.channels.wechat.api import Failed, NotReached, Unknown, WeChatApi
from app.channels.wechat.sender import WeChatSender
from app.core import clock
from app.core.db import Database
from app.core.http import SYSTEM
from app.core.ids import new_id
from app.intake import contacts
from app.messaging import service as messaging
from app.messaging.sender import Message, NotSent, Refused
from app.messaging.tasks import Delivery
from app.messaging.ways import Way
from tests.channels.wechat_stub import Stub, wechat_stub
from tests.world.intake import AES_KEY

ACCOUNT, OPENID = "jinchang", "oElder1"
WORDS = "thing1=助餐\ntime2=11月24日9:00\nthing3=金川养老张师傅\npage=https://nuanxian.test/f/abc"
PARAMS = {
    "item": "助餐", "wanted": "11月24日9:00", "provider": "金川养老", "caregiver": "张师傅", "link": "https://x/",
}  # fmt: skip
ROWS = "SELECT channel, status, failure, stands_in_for FROM outgoing_message ORDER BY created_at, id"
SEND = "/cgi-bin/message/template/send"
MINI = "/cgi-bin/message/subscribe/send"


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    async with wechat_stub() as stub:
        yield stub


@pytest.fixture
async def wechat(stub: Stub, clean_database: Database) -> AsyncIterator[WeChatApi]:
    async with clean_database.transaction() as tx:
        await accounts.put_account(
            tx, SYSTEM, ACCOUNT, appid="wx1", token="t", aes_key=AES_KEY, secret="app-secret"
        )  # fmt: skip
        for code, way in (("caregiver_named", "template"), ("completed", "mini_program"), ("not_done", "subscription")):
            await accounts.put_template(tx, SYSTEM, ACCOUNT, code, template_id=f"T-{code}", way=way, page="pages/index")
    wechat = WeChatApi(stub.url)
    yield wechat
    await wechat.close()


def message(code: str = "caregiver_named", text: str = WORDS, address: str = f"{ACCOUNT}/{OPENID}") -> Message:
    return Message(new_id(), code, "wechat", "zh-CN", address, text)


async def consented(database: Database, code: str, times: int = 1) -> None:
    async with database.transaction() as tx:
        for _ in range(times):
            index = contacts.sender_index(tx, OPENID)
            await queries.consent(tx, ACCOUNT, index, f"T-{code}", clock.now())


async def left_over(database: Database, code: str) -> int | None:
    async with database.transaction() as tx:
        found = await tx.fetchval("SELECT left_over FROM wechat_consent WHERE template_id = $1", f"T-{code}")
        return None if found is None else int(found)


async def test_two_workers_and_ten_messages_ask_for_one_token(
    wechat: WeChatApi, stub: Stub, clean_database: Database
) -> None:
    stub.late_s = 0.1
    other = Database(clean_database.dsn, vault=clean_database.vault, pool_size=5)
    both = [WeChatSender(clean_database, wechat), WeChatSender(other, wechat)]
    sent = await asyncio.gather(*(both[number % 2].send(message()) for number in range(10)))
    await other.close()
    assert len(sent) == 10
    assert len(stub.to("/cgi-bin/stable_token")) == 1
    (asked,) = stub.to("/cgi-bin/stable_token")
    assert asked.method == "POST"
    assert asked.body == {
        "grant_type": "client_credential", "appid": "wx1", "secret": "app-secret", "force_refresh": False,
    }  # fmt: skip
    assert {one.query["access_token"] for one in stub.to(SEND)} == {"token-1"}
    async with clean_database.transaction() as tx:
        row = await tx.fetchrow("SELECT token FROM wechat_token")
        assert b"token-1" not in bytes(row["token"])


async def test_a_token_is_renewed_before_it_ends(wechat: WeChatApi, stub: Stub, clean_database: Database) -> None:
    now = clock.now()
    for minutes, asked in ((0, 1), (114, 1), (116, 2)):
        with clock.hold(now + timedelta(minutes=minutes)):
            await tokens.token(clean_database, wechat, ACCOUNT)
        assert len(stub.asked) == asked
    assert not any(one.body["force_refresh"] for one in stub.asked)


async def test_another_secret_means_another_token(wechat: WeChatApi, stub: Stub, clean_database: Database) -> None:
    await tokens.token(clean_database, wechat, ACCOUNT)
    async with clean_database.transaction() as tx:
        await accounts.put_account(tx, SYSTEM, ACCOUNT, appid="wx2", token="t", aes_key=AES_KEY, secret="another")
    await tokens.token(clean_database, wechat, ACCOUNT)
    assert [(one.body["appid"], one.body["secret"]) for one in stub.asked] == [
        ("wx1", "app-secret"), ("wx2", "another"),
    ]  # fmt: skip


@pytest.mark.parametrize("worn", [40001, 42001, "40014"])
async def test_a_worn_token_is_renewed_once_by_force(
    worn: Any, wechat: WeChatApi, stub: Stub, clean_database: Database
) -> None:
    with clock.hold(clock.now() - timedelta(minutes=1)):
        await tokens.token(clean_database, wechat, ACCOUNT)
    stub.answers = [{"errcode": worn, "errmsg": "invalid credential"}, {"errcode": 0, "msgid": 7}]
    assert await WeChatSender(clean_database, wechat).send(message()) == f"{ACCOUNT}:7"
    assert [one.body["force_refresh"] for one in stub.to("/cgi-bin/stable_token")] == [False, True]
    assert [one.query["access_token"] for one in stub.to(SEND)] == ["token-1", "token-2"]


async def test_many_who_find_the_token_worn_renew_it_once(
    wechat: WeChatApi, stub: Stub, clean_database: Database
) -> None:
    with clock.hold(clock.now() - timedelta(minutes=1)):
        first = await tokens.token(clean_database, wechat, ACCOUNT)
    renewed = await asyncio.gather(*(tokens.token(clean_database, wechat, ACCOUNT, worn=first) for _ in range(5)))
    assert set(renewed) == {"token-2"}
    assert len(stub.asked) == 2
    with pytest.raises(NotReached):
        await tokens.token(clean_database, wechat, ACCOUNT, worn="token-2")


async def test_what_is_sent_is_what_wechat_documents(wechat: WeChatApi, stub: Stub, clean_database: Database) -> None:
    await WeChatSender(clean_database, wechat).send(message())
    (asked,) = stub.to(SEND)
    assert asked.body == {
        "touser": OPENID,
        "template_id": "T-caregiver_named",
        "url": "https://nuanxian.test/f/abc",
        "data": {
            "thing1": {"value": "助餐"}, "time2": {"value": "11月24日9:00"}, "thing3": {"value": "金川养老张师傅"},
        },
    }  # fmt: skip
    await consented(clean_database, "completed")
    await WeChatSender(clean_database, wechat).send(message("completed"))
    (asked,) = stub.to(MINI)
    assert asked.body["page"] == "pages/index"
    assert "url" not in asked.body


async def test_a_consent_is_good_for_one_message(wechat: WeChatApi, stub: Stub, clean_database: Database) -> None:
    by_wechat = WeChatSender(clean_database, wechat)
    await consented(clean_database, "completed", 2)
    sent = await asyncio.gather(*(by_wechat.send(message("completed")) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(one, Refused) and one.code == "no_consent" for one in sent) == 3
    assert len(stub.to(MINI)) == 2
    assert await left_over(clean_database, "completed") == 0


CASES = [
    ({"errcode": 43101}, Refused, "43101", 0),
    ({"errcode": "43101"}, Refused, "43101", 0),
    ({"errcode": 40003}, Refused, "40003", 2),
    ({"errcode": 40037}, Refused, "40037", 2),
    ({"errcode": 47003}, Refused, "47003", 2),
    ({"errcode": -1}, NotSent, "-1", 2),
    ({"errcode": 45009}, NotSent, "45009", 2),
    ({"errcode": 40001}, NotSent, "token_just_renewed", 2),
    (b"not json", Unknown, "not_understood", 1),
    ([], Unknown, "not_understood", 1),
    ({"errcode": {}}, Unknown, "not_understood", 1),
]


@pytest.mark.parametrize(("answer", "kind", "code", "left"), CASES)
async def test_every_answer_has_its_consequence(
    answer: Any, kind: type[Exception], code: str, left: int, wechat: WeChatApi, stub: Stub, clean_database: Database
) -> None:
    """Refused is for good, NotSent is tried again, and after anything else nobody knows; the consent comes back only
    where certainly nothing was sent, and goes for good where it is not wanted."""
    await consented(clean_database, "completed", 2)
    stub.answers = [answer]
    with pytest.raises(kind) as caught:
        await WeChatSender(clean_database, wechat).send(message("completed"))
    assert str(caught.value) == code
    assert await left_over(clean_database, "completed") == left


@pytest.mark.parametrize("answer", [b"", {"expires_in": 1}, {"access_token": "", "expires_in": 7200}, {"errcode": -1}])
async def test_without_a_token_nothing_was_sent(
    answer: Any, wechat: WeChatApi, stub: Stub, clean_database: Database
) -> None:
    stub.token_answer = answer
    await consented(clean_database, "completed")
    with pytest.raises(NotSent):
        await WeChatSender(clean_database, wechat).send(message("completed"))
    assert await left_over(clean_database, "completed") == 1


async def test_a_line_that_is_dead_before_and_one_that_dies_afterwards(
    wechat: WeChatApi, stub: Stub, clean_database: Database
) -> None:
    await tokens.token(clean_database, wechat, ACCOUNT)
    stub.dead = True
    with pytest.raises(Unknown):
        await WeChatSender(clean_database, wechat).send(message())
    nobody = WeChatApi("http://127.0.0.1:9")
    with pytest.raises(NotSent, match="no_connection"):
        await WeChatSender(clean_database, nobody).send(message())
    await nobody.close()


async def test_without_template_or_with_other_words_nothing_is_asked(
    wechat: WeChatApi, stub: Stub, clean_database: Database
) -> None:
    for odd, code in ((message("arrived"), "no_template"), (message(text="您好"), "fields_malformed")):
        with pytest.raises(Refused) as caught:
            await WeChatSender(clean_database, wechat).send(odd)
        assert caught.value.code == code
    assert stub.asked == []


async def test_a_message_is_queued_sent_and_its_receipt_noted(
    wechat: WeChatApi, stub: Stub, clean_database: Database, town: Any
) -> None:
    """From `messaging.send` with the address of a proven phone to TEMPLATESENDJOBFINISH."""
    async with clean_database.transaction() as tx:
        assert await sender.address_of(tx, "+8613800000001", "caregiver_named") is None
        await contacts.bind_sender(tx, "wechat", ACCOUNT, OPENID, "+8613800000001")
        assert await sender.address_of(tx, "+8613800000001", "completed") is None, "no consent yet"
        address = await sender.address_of(tx, "+8613800000001", "caregiver_named")
        assert address == f"{ACCOUNT}/{OPENID}"
        message_id = await messaging.send(
            tx, template="caregiver_named", recipient_kind="family", recipient_id=None, address=address, params=PARAMS,
            dedupe_key="one", channel="wechat", urgent=True,
        )  # fmt: skip
    delivery = Delivery(clean_database, {"wechat": WeChatSender(clean_database, wechat)})
    stub.answers = [{"errcode": 0, "msgid": 200163836}]
    async with clean_database.transaction() as tx:
        await delivery.deliver(tx, {"message_id": str(message_id)})
    assert await status(clean_database) == ("sent", f"{ACCOUNT}:200163836", None)
    finished = "<MsgID>200163836</MsgID><Status>failed:user block</Status>"
    await heard(clean_database, "TEMPLATESENDJOBFINISH", finished)
    assert await status(clean_database) == ("failed", f"{ACCOUNT}:200163836", "user_block")


async def test_a_receipt_that_comes_before_the_answer_counts(
    wechat: WeChatApi, stub: Stub, clean_database: Database
) -> None:
    stub.answers = [{"errcode": 0, "msgid": 1}]
    await heard(clean_database, "TEMPLATESENDJOBFINISH", "<MsgID>1</MsgID><Status>success</Status>")
    await deliver(clean_database, wechat, await told(clean_database, "+8613800000001"))
    assert await status(clean_database) == ("delivered", f"{ACCOUNT}:1", None)


async def test_whoever_wants_no_more_by_wechat_is_told_by_text_once(
    wechat: WeChatApi, stub: Stub, clean_database: Database
) -> None:
    """43101: the relative has refused this template; the text message takes its place, however often it is tried."""
    stub.answers = [{"errcode": 43101, "errmsg": "user refuse to accept the msg"}]
    message_id = await told(clean_database, "+8613800000001")
    for _ in range(3):
        await deliver(clean_database, wechat, message_id)
    async with clean_database.transaction() as tx:
        rows = await tx.fetch(ROWS)
    assert [(row["channel"], row["status"]) for row in rows] == [("wechat", "failed"), ("sms", "queued")]
    assert (rows[0]["failure"], rows[1]["stands_in_for"]) == ("43101", message_id)


async def told(database: Database, phone: str) -> UUID:
    """A message queued for the owner of `phone`, who has proved it in WeChat: as `notices` does it."""
    async with database.transaction() as tx:
        await contacts.bind_sender(tx, "wechat", ACCOUNT, OPENID, phone)
        openid = await sender.address_of(tx, phone, "caregiver_named")
        assert openid is not None
        made = await messaging.send(
            tx, template="caregiver_named", recipient_kind="family", recipient_id=None, address=phone, params=PARAMS,
            dedupe_key="one", urgent=True, also=[Way("wechat", openid)],
        )  # fmt: skip
    assert made is not None
    return made


async def deliver(database: Database, wechat: WeChatApi, message_id: UUID) -> None:
    delivery = Delivery(database, {"wechat": WeChatSender(database, wechat)})
    async with database.transaction() as tx:
        await delivery.deliver(tx, {"message_id": str(message_id)})


async def heard(database: Database, event: str, inside: str, *, again: bool = False) -> None:
    raw = (
        f"<xml><ToUserName>gh_1</ToUserName><FromUserName>{OPENID}</FromUserName><CreateTime>1</CreateTime>"
        f"<MsgType>event</MsgType><Event>{event}</Event>{inside}</xml>"
    ).encode()
    async with database.transaction() as tx:
        arrival = contacts.Arrival("wechat", ACCOUNT, "event:1", "event", raw, OPENID)
        receipt = await contacts.receive(tx, arrival)
        assert receipt.fresh is not again
    async with database.transaction() as tx:
        await events.process_event(tx, {"contact_id": str(receipt.contact_id)})


async def status(database: Database) -> tuple[Any, ...]:
    async with database.transaction() as tx:
        return tuple(await tx.fetchrow("SELECT status, external_id, failure FROM outgoing_message"))


def test_fields_are_cut_to_what_their_kind_holds() -> None:
    found, page = fields.fields_of(f"thing1={'饭' * 21}\nthing2={'饭' * 20}\nphrase3=已安排好啦了\nthing4=\n\npage=p")
    assert {name: one["value"] for name, one in found.items()} == {
        "thing1": "饭" * 19 + "…", "thing2": "饭" * 20, "phrase3": "已安排好…", "thing4": "无",
    }  # fmt: skip
    assert page == "p"


@given(kind=st.sampled_from([*fields.LONGEST, "time", "nothing"]), value=st.text(max_size=60))
def test_whatever_the_value_it_fits_and_is_not_empty(kind: str, value: str) -> None:
    fitted = fields.fitting(kind, value)
    assert fitted
    assert len(fitted.encode("utf-16-le", "surrogatepass")) // 2 <= fields.LONGEST.get(kind, 10**6)


@given(text=st.text(max_size=200))
def test_wording_is_fields_or_a_value_error(text: str) -> None:
    try:
        fields.fields_of(text)
    except ValueError:
        return


@given(content=st.one_of(st.binary(max_size=200), st.text(alphabet='{}[]":errcod0189.e-', max_size=60).map(str.encode)))
def test_whatever_wechat_answers_it_is_understood_or_one_of_two_errors(content: bytes) -> None:
    try:
        assert isinstance(api._understood(content), dict)
    except (Failed, Unknown):
        return
