"""Families and other apps: only their own elders, each thing once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from app.accounts import codes, queries_records, tokens
from app.core import clock
from app.core.db import Database, Tx
from app.core.errors import NotFound
from app.core.http import Caller
from app.core.ids import new_id
from app.elders import seals
from app.elders.facts import NewFamilyMember
from app.elders.models import FamilyMember
from app.intake import contacts, families, tasks
from app.intake.contacts import Arrival
from tests.world.accounts import make_app_key
from tests.world.elders import make_elder
from tests.world.intake import signed_post
from tests.world.orders import make_order

PHONE = "+8613812345678"


@pytest.fixture
async def daughter(clean_database: Database, elder: UUID) -> Sequence[Any]:
    """Her headers: bound to `elder` with consent, and to another elder without."""
    token, now = tokens.new_token(tokens.FAMILY), clock.now()
    async with clean_database.transaction() as tx:
        other = await make_elder(tx, name="解秀英")
        for elder_id, approved_at in ((elder, now), (other, None)):
            member_id = new_id()
            values = {
                "id": member_id, "elder_id": elder_id, "name": "曾丽", "relation": "child",
                "phone": seals.seal(tx.vault, seals.FAMILY_PHONE, member_id, PHONE),
                "phone_index": seals.family_phone_index(tx.vault, PHONE), "approved_at": approved_at,
            }  # fmt: skip
            await tx.execute(FamilyMember.__table__.insert().values(**values))
        index = codes.phone_index(tx.vault, PHONE)
        await queries_records.open_family(tx, tokens.hash_of(token), index, now, now + codes.FAMILY_SESSION)
    return (lambda: {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid4())}), elder, other


async def test_a_family_sees_only_elders_who_agreed(
    doors: httpx.AsyncClient, daughter: Any, clean_database: Database
) -> None:
    headers, elder, other = daughter
    async with clean_database.transaction() as tx:
        order = await make_order(tx, elder)
        await make_order(tx, other)
    listed = (await doors.get("/v1/family/elders", headers=headers())).json()
    assert listed == [{"id": str(elder), "name": "曾德明", "relation": "child"}]
    orders = (await doors.get(f"/v1/family/elders/{elder}/orders", headers=headers())).json()
    assert [item["id"] for item in orders["items"]] == [str(order.id)]
    assert (await doors.get(f"/v1/family/elders/{other}/orders", headers=headers())).status_code == 404
    quote = {"item_code": "clean_home", "starts_at": clock.now().isoformat()}
    allowed = await doors.post("/v1/quotes", json=quote | {"elder_id": str(elder)}, headers=headers())
    refused = await doors.post("/v1/quotes", json=quote | {"elder_id": str(other)}, headers=headers())
    assert (allowed.status_code, refused.status_code) == (200, 404)


async def test_a_family_asks_for_its_elder_only(
    doors: httpx.AsyncClient, daughter: Any, clean_database: Database
) -> None:
    headers, elder, other = daughter
    body = {"elder_id": str(elder), "item_code": "clean_home", "note": "周末"}
    made = await doors.post("/v1/family/care-requests", json=body, headers=headers())
    assert (made.status_code, made.json()["status"]) == (201, "new")
    no = await doors.post("/v1/family/care-requests", json=body | {"elder_id": str(other)}, headers=headers())
    assert no.status_code == 404
    async with clean_database.transaction() as tx:
        row = await tx.fetchrow("SELECT caller_name, relation, channel, taken_by FROM care_request")
    assert (row["caller_name"], row["relation"], row["channel"]) == ("曾丽", "child", "web")
    assert PHONE not in row["taken_by"]


async def test_a_family_complains_about_its_own_order_only(
    doors: httpx.AsyncClient, daughter: Any, clean_database: Database
) -> None:
    headers, elder, other = daughter
    async with clean_database.transaction() as tx:
        own, foreign = await make_order(tx, elder), await make_order(tx, other)
    body = {"elder_id": str(elder), "kind": "complaint", "note": "没擦窗"}
    no = await doors.post("/v1/family/care-requests", json=body | {"order_id": str(foreign.id)}, headers=headers())
    yes = await doors.post("/v1/family/care-requests", json=body | {"order_id": str(own.id)}, headers=headers())
    assert (no.status_code, no.json()["code"]) == (422, "order_of_another_elder")
    assert (yes.status_code, yes.json()["status"]) == (201, "escalated")


async def test_a_relative_becomes_known_in_wechat_by_saying_the_code(
    doors: httpx.AsyncClient, daughter: Any, clean_database: Database
) -> None:
    headers, _, _ = daughter
    made = (await doors.post("/v1/family/wechat-bindings", headers=headers())).json()

    async def say(words: str, number: int, openid: str = "oDaughter") -> None:
        arrival = Arrival("wechat", "jinchang", f"msg:{number}", "text", words.encode(), openid, words)
        async with clean_database.transaction() as tx:
            receipt = await contacts.receive(tx, arrival)
            await tasks.process_contact(tx, {"contact_id": str(receipt.contact_id)})

    await say(made["words"], 1)
    await say("妈妈想洗澡", 2)
    await say(made["words"], 3, "oThief")
    await say("给我也来一份", 4, "oThief")
    async with clean_database.transaction() as tx:
        rows = await tx.fetch("SELECT caller_name, relation FROM care_request ORDER BY id")
        assert await tx.fetchval("SELECT count(*) FROM sender_code") == 0
    # The used code is words like any others, so that an operator sees them.
    assert [tuple(row) for row in rows] == [("曾丽", "child"), (None, None), (None, None)]


async def test_a_late_code_binds_nobody(tx: Tx) -> None:
    caller = Caller(kind="family", id="x", name="家属", facts={"phone_index": codes.phone_index(tx.vault, PHONE)})
    with pytest.raises(NotFound):
        await families.binding_words(tx, caller)
    elder = await make_elder(tx, family=(NewFamilyMember("曾丽", "child", PHONE),))
    assert elder
    words, expires_at = await families.binding_words(tx, caller)
    with clock.hold(expires_at):
        assert not await families.bind_by_words(tx, "wechat", "jinchang", "o1", words)
    assert await families.bind_by_words(tx, "wechat", "jinchang", "o1", f" {words} ")


async def test_an_app_sends_the_same_request_many_times_at_once(
    doors: httpx.AsyncClient, clean_database: Database, town: Any
) -> None:
    async with clean_database.transaction() as tx:
        key = await make_app_key(tx, kind="app", name="金昌便民")
    body = {"external_id": "A-1", "elder": {"name": "李奶奶"}, "note": "做饭"}
    answers = await asyncio.gather(*(signed_post(doors, key, "/v1/app/care-requests", body) for _ in range(6)))
    assert {a.status_code for a in answers} == {201}
    assert len({a.json()["id"] for a in answers}) == 1
    other = await signed_post(doors, key, "/v1/app/care-requests", body | {"note": "打扫"})
    assert (other.status_code, other.json()["code"]) == (422, "external_id_reused")
    async with clean_database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM care_request") == 1
        assert await tx.fetchval("SELECT count(*) FROM inbound_contact") == 1
        second = await make_app_key(tx, kind="app", name="另一个应用")
    theirs = await signed_post(doors, second, "/v1/app/care-requests", body)
    assert theirs.json()["id"] != answers[0].json()["id"]


async def test_a_key_of_another_kind_does_not_open_the_app_door(
    doors: httpx.AsyncClient, clean_database: Database
) -> None:
    async with clean_database.transaction() as tx:
        key = await make_app_key(tx, kind="device", name="手环")
    answer = await signed_post(doors, key, "/v1/app/care-requests", {"external_id": "A-1"})
    assert answer.status_code == 403
