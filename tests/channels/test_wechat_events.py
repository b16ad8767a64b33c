"""What events of WeChat lead to, and what its users are answered in the same breath."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.accounts import links
from app.accounts.tokens import hash_of
from app.channels.wechat import crypto, events, messages, replies
from app.channels.wechat.crypto import Keys
from app.core import clock
from app.core.db import Database
from app.core.geo import wgs84_to_gcj02
from app.core.http import SYSTEM
from app.elders import cards
from app.intake import contacts
from tests.channels.test_wechat_door import work_off
from tests.channels.wechat_stub import Stub, wechat_stub
from tests.world.accounts import staff_token
from tests.world.intake import AES_KEY, make_wechat_account, wechat_push

PATH = "/channels/wechat/jinchang"
PHONE = "+8613800000009"


@pytest.fixture
async def account(clean_database: Database) -> Keys:
    async with clean_database.transaction() as tx:
        return await make_wechat_account(tx)


def event(name: str, key: str = "", inside: str = "", created: int = 1, openid: str = "oElder1") -> bytes:
    return (
        f"<xml><ToUserName>gh_1</ToUserName><FromUserName>{openid}</FromUserName><CreateTime>{created}</CreateTime>"
        f"<MsgType>event</MsgType><Event>{name}</Event><EventKey>{key}</EventKey>{inside}</xml>"
    ).encode()


def said(kind: str, inside: str) -> bytes:
    return (
        "<xml><ToUserName>gh_1</ToUserName><FromUserName>oElder1</FromUserName><CreateTime>1</CreateTime>"
        f"<MsgType>{kind}</MsgType>{inside}<MsgId>{random.randrange(10**9)}</MsgId></xml>"
    ).encode()


class Person:
    """Somebody with WeChat in hand: what they send comes through the door, and the worker works it off."""

    def __init__(self, doors: httpx.AsyncClient, shared: Keys, database: Database) -> None:
        self._doors, self._shared, self._database = doors, shared, database

    async def __call__(self, message: bytes) -> str | None:
        query, body = wechat_push(self._shared, message)
        answer = await self._doors.post(PATH, params=query, content=body)
        assert answer.status_code == 200, answer.text
        await work_off(self._database)
        return None if answer.text == "success" else self._opened(answer.text)

    def _opened(self, answer: str) -> str:
        """As WeChat would: signature, ciphertext, and a text to whom it came from."""
        outside = ElementTree.fromstring(answer)  # noqa: S314 (our own answer)
        sealed, nonce = outside.findtext("Encrypt") or "", outside.findtext("Nonce") or ""
        sign = crypto.signature(self._shared.token, outside.findtext("TimeStamp") or "", nonce, sealed)
        assert outside.findtext("MsgSignature") == sign
        inside = ElementTree.fromstring(crypto.decrypt(self._shared, sealed))  # noqa: S314 (our own answer)
        assert (inside.findtext("ToUserName"), inside.findtext("FromUserName")) == ("oElder1", "gh_1")
        return inside.findtext("Content") or ""


@pytest.fixture
def person(doors: httpx.AsyncClient, account: Keys, clean_database: Database, town: Any) -> Person:
    return Person(doors, account, clean_database)


async def rows(database: Database, sql: str) -> list[Any]:
    async with database.transaction() as tx:
        return await tx.fetch(sql)


async def notes(database: Database) -> list[str]:
    async with database.transaction() as tx:
        found = await tx.fetch("SELECT id, note FROM care_request ORDER BY id")
        return [tx.vault.open("care_request.note", row["id"], row["note"]) for row in found]


async def test_whoever_follows_is_welcomed_and_the_newest_event_counts(person: Person, database: Database) -> None:
    assert await person(event("subscribe", created=10)) == replies.spoken(replies.WELCOME)
    assert await person(event("unsubscribe", created=30)) is None
    assert await person(event("subscribe", created=20)) == replies.spoken(replies.WELCOME), "late, out of order"
    (row,) = await rows(database, "SELECT following FROM wechat_follower")
    assert row["following"] is False
    assert await person(event("subscribe", created=40)) == replies.spoken(replies.WELCOME)
    (row,) = await rows(database, "SELECT following FROM wechat_follower")
    assert row["following"] is True


async def test_keys_of_the_menu_answer_and_one_asks_for_a_call(person: Person, database: Database) -> None:
    assert await person(event("CLICK", "help")) == replies.spoken(replies.KEYS["help"].reply)
    assert await notes(database) == []
    for second in (1, 2, 3):
        assert await person(event("CLICK", "call_me", created=second)) == replies.spoken(replies.KEYS["call_me"].reply)
    assert await notes(database) == [replies.KEYS["call_me"].asks], "three taps are one wish"
    assert await person(event("CLICK", "unknown")) is None
    assert await person(event("VIEW", "https://nuanxian.test/")) is None
    assert await person(event("LOCATION", inside="<Latitude>38.5</Latitude>")) is None
    assert len(await notes(database)) == 1


async def test_the_number_in_replies_is_dialled_from_anywhere(person: Person) -> None:
    """A daughter who lives elsewhere would reach her own city by the short number."""
    assert await person(event("CLICK", "contact")) == "请拨打093512349。"
    for words in (replies.WELCOME, replies.CARD, *(one.reply for one in replies.KEYS.values())):
        assert "12349" not in replies.spoken(words).replace("093512349", "").replace("12349居家养老服务热线", "")


async def test_after_the_pause_a_tap_is_a_new_wish(person: Person, database: Database) -> None:
    with clock.hold(clock.now() - timedelta(hours=1)):
        await person(event("CLICK", "call_me", created=1))
    await person(event("CLICK", "call_me", created=2))
    assert len(await notes(database)) == 2


def test_every_key_of_the_menu_has_a_meaning_and_every_meaning_a_key() -> None:
    menu = replies.menu("https://nuanxian.test")
    buttons = [one for top in menu["button"] for one in top.get("sub_button", [top])]
    assert {one["key"] for one in buttons if one["type"] == "click"} == replies.KEYS.keys()
    assert all(one["url"].startswith("https://nuanxian.test/") for one in buttons if one["type"] == "view")
    assert len(menu["button"]) <= 3
    assert all(len(top["name"]) <= 5 for top in menu["button"]), "WeChat shows no more"


async def card(database: Database, elder: UUID) -> str:
    async with database.transaction() as tx:
        return replies.CARD_SCENE + await links.issue(tx, events.CARD, elder, timedelta(days=1))


async def test_a_strangers_scan_of_the_card_asks_for_the_elder_and_binds_nobody(
    person: Person, database: Database, town: Any
) -> None:
    scene = await card(database, town.elder)
    assert len(scene) <= 64, "WeChat's limit"
    assert await person(event("SCAN", scene)) == replies.spoken(replies.CARD)
    assert await person(event("subscribe", f"qrscene_{scene}", created=2)) == replies.spoken(replies.CARD)
    (row,) = await rows(database, "SELECT elder_id, channel, status FROM care_request")
    assert tuple(row) == (town.elder, "wechat", "new")
    assert await rows(database, "SELECT 1 FROM family_member WHERE approved_at IS NULL") == []
    assert len(await rows(database, "SELECT 1 FROM wechat_follower WHERE following")) == 1


async def test_the_scan_of_somebody_known_waits_for_the_elders_approval(
    person: Person, database: Database, town: Any
) -> None:
    async with database.transaction() as tx:
        await contacts.bind_sender(tx, "wechat", "jinchang", "oElder1", PHONE)
    scene = await card(database, town.elder)
    for second in (1, 2):
        await person(event("SCAN", scene, created=second))
    (member,) = await rows(database, "SELECT elder_id, relation, approved_at FROM family_member")
    assert tuple(member) == (town.elder, "other", None)


@pytest.mark.parametrize("scene", ["card:", "card:never-issued", "qrscene_x", "x" * 500])
async def test_other_scenes_lead_nowhere(scene: str, person: Person, database: Database) -> None:
    await person(event("SCAN", scene))
    assert await notes(database) == []


async def test_consents_are_counted_and_a_refusal_in_the_settings_ends_them(person: Person, database: Database) -> None:
    one = "<List><TemplateId>{}</TemplateId><SubscribeStatusString>{}</SubscribeStatusString></List>"
    asked = "<SubscribeMsgPopupEvent>{}</SubscribeMsgPopupEvent>"
    both = asked.format(one.format("A", "accept") + one.format("B", "reject"))
    for second in (1, 2):
        await person(event("subscribe_msg_popup_event", inside=both, created=second))
    await person(event("subscribe_msg_popup_event", inside=asked.format(one.format("A", "reject")), created=3))
    found = await rows(database, "SELECT template_id, left_over FROM wechat_consent")
    assert [tuple(row) for row in found] == [("A", 2)]
    changed = f"<SubscribeMsgChangeEvent>{one.format('A', 'reject')}</SubscribeMsgChangeEvent>"
    await person(event("subscribe_msg_change_event", inside=changed, created=4))
    (row,) = await rows(database, "SELECT left_over FROM wechat_consent")
    assert row["left_over"] == 0


async def test_a_place_is_kept_in_wgs84(person: Person, database: Database) -> None:
    lng, lat = wgs84_to_gcj02(102.188, 38.514)
    inside = f"<Location_X>{lat:.7f}</Location_X><Location_Y>{lng:.7f}</Location_Y><Label>金川区</Label>"
    await person(said("location", inside))
    assert await notes(database) == ["位置：金川区 102.188000,38.514000 (wgs84)"]


@pytest.mark.parametrize("place", ["nan", "inf", "91", "x", ""])
async def test_a_place_that_is_none_is_left_out(place: str, person: Person, database: Database) -> None:
    inside = f"<Location_X>{place}</Location_X><Location_Y>102</Location_Y><Label>金川区</Label>"
    await person(said("location", inside))
    assert await notes(database) == ["金川区"]


async def test_a_voice_is_its_words_or_its_name_at_wechats(person: Person, database: Database) -> None:
    await person(said("voice", "<MediaId>m1</MediaId><Recognition>我要助餐</Recognition>"))
    await person(said("voice", "<MediaId>m2</MediaId><Recognition></Recognition>"))
    first, second = await notes(database)
    assert first == "我要助餐"
    assert "m2" in second


@given(
    name=st.sampled_from([*events.ACTIONS, "CLICK", "nothing"]),
    key=st.text(max_size=40),
    created=st.text(alphabet="0123456789-.e٣", max_size=14),
    inside=st.text(max_size=40),
)
def test_whatever_an_event_says_it_has_an_answer_or_none(name: str, key: str, created: str, inside: str) -> None:
    root = ElementTree.Element("xml")
    for tag, text in (("MsgType", "event"), ("Event", name), ("EventKey", key), ("CreateTime", created)):
        ElementTree.SubElement(root, tag).text = "".join(c for c in text if c.isprintable())
    ElementTree.SubElement(root, "Odd").text = "".join(c for c in inside if c.isprintable())
    push = messages.read(ElementTree.tostring(root))
    words = replies.reply_to(push)
    if words is not None:
        ElementTree.fromstring(replies.reply_message(push, words, 1))  # noqa: S314 (our own answer)


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    async with wechat_stub() as stub:
        yield stub


@pytest.fixture
async def desk(settings: Any, clean_database: Database, stub: Stub) -> AsyncIterator[httpx.AsyncClient]:
    """An administrator who is a supervisor as well, before the whole application with WeChat's servers on loopback."""
    from app.main import create_app

    token = await staff_token(clean_database, roles=("administrator", "operator"))
    app = create_app(settings.model_copy(update={"wechat_url": stub.url}), clean_database)
    headers = {"Authorization": f"Bearer {token}"}
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="https://nuanxian.test", headers=headers) as desk:
        yield desk
    await app.state.wechat.close()


def keyed(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


async def test_an_account_gets_its_menu_templates_and_cards(
    desk: httpx.AsyncClient, stub: Stub, clean_database: Database, town: Any
) -> None:
    body = {"appid": "wx1", "token": "t", "aes_key": AES_KEY}
    account = "/v1/wechat-accounts/jinchang"
    assert (await desk.put(account, json=body, headers=keyed("a"))).status_code == 200
    silent = await desk.put(f"{account}/menu")
    assert (silent.status_code, silent.json()["code"]) == (409, "wechat_secret_missing")
    answer = await desk.put(account, json=body | {"secret": "app-secret"}, headers=keyed("b"))
    assert answer.json() == {"account": "jinchang", "appid": "wx1", "kind": "official", "active": True}
    assert (await desk.put(account, json=body, headers=keyed("c"))).status_code == 200, "the secret stays"

    assert (await desk.put(f"{account}/menu")).status_code == 204
    (asked,) = stub.to("/cgi-bin/menu/create")
    assert asked.body == replies.menu("https://nuanxian.test")
    assert asked.query == {"access_token": "token-1"}
    stub.answers = [{"errcode": 40018, "errmsg": "invalid button name size"}]
    refused = await desk.put(f"{account}/menu")
    assert (refused.status_code, refused.json()["code"], refused.json()["errcode"]) == (409, "wechat_refused", 40018)

    template = {"template_id": "T1", "way": "template"}
    kept = await desk.put(f"{account}/templates/completed", json=template, headers=keyed("d"))
    assert kept.status_code == 200, kept.text
    assert (await desk.put(f"{account}/templates/nothing", json=template, headers=keyed("e"))).status_code == 404
    elsewhere = "/v1/wechat-accounts/elsewhere"
    assert (await desk.put(f"{elsewhere}/templates/completed", json=template, headers=keyed("f"))).status_code == 404
    assert (await desk.put(f"{elsewhere}/menu")).status_code == 404

    stub.answers = [{"ticket": "x", "url": "http://weixin.qq.com/q/abc"}]
    made = await desk.post(f"/v1/elders/{town.elder}/wechat-cards", json={"account": "jinchang"}, headers=keyed("g"))
    assert (made.status_code, made.json()["url"]) == (201, "http://weixin.qq.com/q/abc")
    (asked,) = stub.to("/cgi-bin/qrcode/create")
    assert asked.body["action_name"] == "QR_LIMIT_STR_SCENE"
    token = replies.card_token("scan", asked.body["action_info"]["scene"]["scene_str"])
    assert token is not None
    async with clean_database.transaction() as tx:
        assert await links.resolve(tx, token, events.CARD) == town.elder


async def test_a_new_card_voids_the_one_before_and_one_that_was_not_made_does_not(
    desk: httpx.AsyncClient, stub: Stub, person: Person, clean_database: Database, town: Any
) -> None:
    body = {"appid": "wx1", "token": "spamtest", "aes_key": AES_KEY, "secret": "s"}
    await desk.put("/v1/wechat-accounts/jinchang", json=body, headers=keyed("a"))
    door, scenes = f"/v1/elders/{town.elder}/wechat-cards", []
    for number in range(3):
        stub.answers = [{"ticket": "x", "url": "http://weixin.qq.com/q/abc"} if number < 2 else b"<html>"]
        made = await desk.post(door, json={"account": "jinchang"}, headers=keyed(f"k{number}"))
        assert made.status_code == (201 if number < 2 else 503)
        scenes.append(stub.to("/cgi-bin/qrcode/create")[-1].body["action_info"]["scene"]["scene_str"])
    leads = []
    for scene in scenes:
        token = replies.card_token("scan", scene)
        async with clean_database.transaction() as tx:
            found = await tx.fetchval(
                "SELECT subject_id FROM signed_link WHERE token_hash = $1 AND revoked_at IS NULL", hash_of(token or "")
            )
            leads.append(found)
    assert leads == [None, town.elder, None]


@pytest.mark.parametrize("replaced", [True, False])
async def test_with_the_elders_card_goes_the_code_of_wechat_but_whoever_scans_it_is_still_heard(
    person: Person, database: Database, town: Any, replaced: bool
) -> None:
    async with database.transaction() as tx:
        card_id = await cards.issue(tx, SYSTEM, town.elder)
    scene = await card(database, town.elder)
    async with database.transaction() as tx:
        if replaced:
            await cards.issue(tx, SYSTEM, town.elder)
        else:
            await cards.revoke(tx, SYSTEM, town.elder, card_id)
    await person(event("SCAN", scene))
    (row,) = await rows(database, "SELECT elder_id, status FROM care_request")
    assert tuple(row) == (None, "new")
    assert await notes(database) == [events.VOID_CARD]


async def test_a_card_that_wechat_did_not_make_leads_nowhere(
    desk: httpx.AsyncClient, stub: Stub, clean_database: Database, town: Any
) -> None:
    body = {"appid": "wx1", "token": "t", "aes_key": AES_KEY, "secret": "s"}
    await desk.put("/v1/wechat-accounts/jinchang", json=body, headers=keyed("a"))
    stub.answers = [b"<html>"]
    made = await desk.post(f"/v1/elders/{town.elder}/wechat-cards", json={"account": "jinchang"}, headers=keyed("b"))
    assert (made.status_code, made.json()["code"]) == (503, "wechat_unreachable")
    assert await rows(clean_database, "SELECT 1 FROM signed_link") == []


async def test_three_copies_of_an_event_at_once_are_one(
    doors: httpx.AsyncClient, account: Keys, clean_database: Database
) -> None:
    query, body = wechat_push(account, event("CLICK", "call_me"))
    answers = await asyncio.gather(*(doors.post(PATH, params=query, content=body) for _ in range(3)))
    assert {answer.status_code for answer in answers} == {200}
    (row,) = await rows(clean_database, "SELECT count(*) AS jobs FROM pgqueuer")
    assert row["jobs"] == 1
    assert len(await rows(clean_database, "SELECT 1 FROM inbound_contact")) == 1
