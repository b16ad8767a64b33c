"""Preparing a payment: on record before WeChat is asked, once for an order, and seen by those whom it concerns."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.accounts import codes, consent, links, queries_records, tokens
from app.core import clock
from app.core.http import SYSTEM
from app.followup.service import FAMILY_LINK
from app.orders import service as orders
from app.selfpay.family_page import due_fen
from tests.selfpay import peer
from tests.selfpay.conftest import Bench
from tests.world.accounts import staff_headers
from tests.world.orders import make_order

PHONE = "+8613800000001"
OPENID = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"


async def test_a_family_gets_a_code_to_scan(bench: Bench) -> None:
    answer = await bench.prepare()
    row = await bench.payment()
    assert answer.status_code == 200
    assert answer.json()["code_url"] == f"weixin://wxpay/{row['out_trade_no']}"
    assert answer.json()["amount_fen"] == row["amount_fen"] == bench.copay_fen
    (asked,) = bench.pay.to("/native")
    assert asked.fair, "signed for exactly this request"
    assert asked.body["amount"] == {"total": bench.copay_fen, "currency": "CNY"}
    assert asked.body["notify_url"] == f"https://nuanxian.test/channels/wechatpay/{peer.NAME}"
    assert asked.body["time_expire"].endswith("+08:00")
    assert (asked.body["mchid"], asked.body["appid"]) == (peer.MCHID, peer.APPID)


async def test_a_page_inside_wechat_is_signed_for_its_payer(bench: Bench) -> None:
    answer = (await bench.prepare(way="jsapi", openid=OPENID)).json()
    page = answer["page"]
    text = "".join(f"{page[name]}\n" for name in ("appId", "timeStamp", "nonceStr", "package")).encode()
    assert peer.holds("ours", page["paySign"], text)
    row = await bench.payment()
    assert page["package"] == f"prepay_id=wx{row['out_trade_no']}"
    assert bench.pay.to("/jsapi")[0].body["payer"] == {"openid": OPENID}
    assert OPENID.encode() not in row["payer"] + row["payer_index"]


@pytest.mark.parametrize("body", [{"way": "jsapi"}, {"way": "native", "openid": "o1"}, {"way": "cash"}])
async def test_a_way_that_cannot_be_meant_is_refused(bench: Bench, body: dict[str, str]) -> None:
    assert (await bench.prepare(**body)).status_code == 422
    assert await bench.payments() == []


async def test_asking_again_and_at_once_is_one_payment(bench: Bench) -> None:
    answers = await asyncio.gather(*(bench.prepare() for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len({one.body["out_trade_no"] for one in bench.pay.to("/native")}) == 1
    asked = len(bench.pay.asked)
    await bench.prepare()
    assert len(bench.pay.asked) == asked, "its code is known"


async def test_another_way_ends_the_payment_before(bench: Bench) -> None:
    await bench.prepare()
    assert (await bench.prepare(way="jsapi", openid=OPENID)).status_code == 200
    first, second = await bench.payments()
    assert (first["status"], second["status"]) == ("closed", "prepared")
    assert bench.pay.states[first["out_trade_no"]]["trade_state"] == "CLOSED"


async def test_another_way_finds_out_that_it_is_paid_already(bench: Bench) -> None:
    """The money came in, its notice did not: nobody pays a second time."""
    await bench.prepare()
    number = (await bench.payment())["out_trade_no"]
    bench.pay.states[number] = peer.transaction(number, bench.copay_fen)
    refused = await bench.prepare(way="jsapi", openid=OPENID)
    assert (refused.status_code, refused.json()["code"]) == (409, "order_paid")
    assert (await bench.payment())["status"] == "paid"


async def test_money_for_an_ended_payment_of_a_paid_order_is_surplus(bench: Bench) -> None:
    await bench.prepare()
    await bench.prepare(way="jsapi", openid=OPENID)
    first, second = await bench.payments()
    for row in (second, first):
        said = peer.transaction(row["out_trade_no"], bench.copay_fen)
        assert (await bench.notify(peer.notice(said))).status_code == 200
    first, second = await bench.payments()
    assert (second["status"], second["needs_review"]) == ("paid", None)
    assert (first["status"], first["needs_review"]) == ("surplus", "paid_twice")


async def test_a_notice_that_comes_before_the_answer_to_preparing_pays(bench: Bench) -> None:
    async def notify(target: str) -> None:
        if target.endswith("/native"):
            bench.pay.before_answer = None
            number = bench.pay.asked[-1].body["out_trade_no"]
            said = peer.transaction(number, bench.copay_fen)
            assert (await bench.notify(peer.notice(said))).status_code == 200

    bench.pay.before_answer = notify
    answer = await bench.prepare()
    assert (answer.status_code, answer.json()["code"]) == (409, "order_paid")
    row = await bench.payment()
    assert (row["status"], row["prepay"], row["needs_review"]) == ("paid", None, None)


@pytest.mark.parametrize("fault", ["reset", "500", "forged", "unsigned", "stale", "odd"])
async def test_an_answer_that_cannot_be_believed_is_none_and_the_same_is_asked_again(bench: Bench, fault: str) -> None:
    bench.pay.fault = fault
    refused = await bench.prepare()
    assert (refused.status_code, refused.json()["code"]) == (503, "wechatpay_unreachable")
    bench.pay.fault = ""
    assert (await bench.prepare()).status_code == 200
    first, *more = bench.pay.to("/native")
    assert more
    assert all(one.body == first.body for one in more), "to WeChat it is one payment"
    assert len(await bench.payments()) == 1


async def test_the_family_sees_what_is_left_to_pay(bench: Bench) -> None:
    async def shown() -> tuple[int, int, int]:
        order = (await bench.client.get(f"/v1/family/orders/{bench.token}")).json()
        return order["copay_fen"], order["paid_fen"], order["due_fen"]

    copay = bench.copay_fen
    assert await shown() == (copay, 0, copay)
    await bench.prepare()
    assert await shown() == (copay, 0, copay), "what is prepared is not paid"
    number = (await bench.payment())["out_trade_no"]
    assert (await bench.notify(peer.notice(peer.transaction(number, copay)))).status_code == 200
    assert await shown() == (copay, copay, 0)
    assert [due_fen(*given) for given in ((900, 0, "cancelled"), (900, 0, "not_done"), (900, 1000, "left"))] == [0] * 3


async def test_what_needs_no_money_is_refused_before_anybody_is_asked(bench: Bench) -> None:
    async with bench.database.transaction() as tx:
        elder = (await orders.get(tx, bench.order_id)).elder_id
        free = await make_order(tx, elder)
        await tx.run("UPDATE care_order SET copay_fen = 0 WHERE id = $1", free.id)
        token = await links.issue(tx, FAMILY_LINK, free.id, timedelta(days=1))
        await orders.cancel(tx, SYSTEM, bench.order_id, "elder_in_hospital", "family")
    nothing = await bench.client.post(f"/v1/family/orders/{token}/payments", json={"way": "native"})
    assert (nothing.status_code, nothing.json()["code"]) == (409, "nothing_to_pay")
    assert (await bench.prepare()).json()["code"] == "order_cancelled"
    unknown = await bench.client.post(f"/v1/family/orders/{'x' * 30}/payments", json={"way": "native"})
    assert unknown.status_code == 404
    assert bench.pay.asked == []


async def test_where_the_elder_withholds_the_costs_the_link_shows_and_takes_none(bench: Bench) -> None:
    async with bench.database.transaction() as tx:
        elder = (await orders.get(tx, bench.order_id)).elder_id
        await consent.grant(tx, SYSTEM, elder, "family_page.times", "family", "hotline")
    refused = await bench.prepare()
    assert (refused.status_code, refused.json()["code"]) == (403, "costs_withheld")
    assert (await bench.client.get(f"/v1/family/orders/{bench.token}/payments")).status_code == 403


async def test_who_signed_in_pays_for_the_own_elder_only(bench: Bench) -> None:
    token, now = tokens.new_token(tokens.FAMILY), clock.now()
    async with bench.database.transaction() as tx:
        elder = (await orders.get(tx, bench.order_id)).elder_id
        index = codes.phone_index(tx.vault, PHONE)
        await queries_records.open_family(tx, tokens.hash_of(token), index, now, now + codes.FAMILY_SESSION)
    headers = {"Authorization": f"Bearer {token}"}

    async def ask(elder_id: UUID, order_id: UUID, **more: Any) -> int:
        path = f"/v1/family/elders/{elder_id}/orders/{order_id}/payments"
        return (await bench.client.post(path, json={"way": "native"}, headers=headers | more)).status_code

    assert await ask(uuid4(), bench.order_id) == 404
    assert await ask(elder, uuid4()) == 404
    assert await ask(elder, bench.order_id, Authorization="") == 401
    assert await bench.payments() == []
    assert await ask(elder, bench.order_id) == 200


async def test_desk_and_family_see_what_was_paid_and_a_person_decides(bench: Bench) -> None:
    await bench.prepare()
    await bench.notify(peer.notice(peer.transaction((await bench.payment())["out_trade_no"], bench.copay_fen)))
    (own,) = (await bench.client.get(f"/v1/family/orders/{bench.token}/payments")).json()
    assert (own["status"], own["amount_fen"]) == ("paid", bench.copay_fen)
    desk = await staff_headers(bench.database)
    clerk = await staff_headers(bench.database, ("settlement_clerk",))
    (shown,) = (await bench.client.get(f"/v1/orders/{bench.order_id}/payments", headers=desk)).json()
    assert (shown["status"], shown["needs_review"]) == ("paid", None)
    path = f"/v1/payments/{shown['id']}/reviews"
    refund = {"outcome": "refunded", "reason": "订单取消，已退款"}
    early = await bench.client.post(path, json=refund | {"outcome": "kept"}, headers=clerk)
    assert (early.status_code, early.json()["code"]) == (409, "nothing_to_review")
    async with bench.database.transaction() as tx:
        await orders.cancel(tx, SYSTEM, bench.order_id, "elder_in_hospital", "family")
    listed = (await bench.client.get("/v1/payments/to-review", headers=desk)).json()["items"]
    assert [(one["id"], one["needs_review"]) for one in listed] == [(shown["id"], "order_cancelled")]
    elsewhere = await staff_headers(bench.database, ("settlement_clerk",), ("620400",))
    assert (await bench.client.get("/v1/payments/to-review", headers=elsewhere)).json()["items"] == []
    assert (await bench.client.get(f"/v1/orders/{bench.order_id}/payments", headers=elsewhere)).status_code == 404
    assert (await bench.client.post(path, json=refund, headers=elsewhere)).status_code == 404
    assert (await bench.client.post(path, json=refund, headers=desk)).status_code == 403
    clerk["Idempotency-Key"] = str(uuid4())
    done = await bench.client.post(path, json=refund, headers=clerk)
    assert (done.status_code, done.json()["status"]) == (201, "refund_noted")
    assert (await bench.client.get("/v1/payments/to-review", headers=desk)).json()["items"] == []
    clerk["Idempotency-Key"] = str(uuid4())
    assert (await bench.client.post(path, json=refund, headers=clerk)).status_code == 409
    another = peer.transaction((await bench.payment())["out_trade_no"], bench.copay_fen)
    assert (await bench.notify(peer.notice(another))).status_code == 200
    assert (await bench.payment())["status"] == "refund_noted"
    assert [kept["problem"] for kept in await bench.notices()] == [None, "transaction_differs"]


async def test_keys_are_put_on_record_sealed_and_bad_ones_refused(bench: Bench) -> None:
    headers = await staff_headers(bench.database, ("administrator",))
    good = {
        "division": "620302",
        "mchid": peer.MCHID,
        "appid": peer.APPID,
        "api_key": peer.API_KEY,
        "private_key": peer.private_pem("ours"),
        "private_serial": peer.OUR_SERIAL,
        "platform_keys": {peer.SERIAL: peer.public_pem("platform")},
    }

    async def put(name: str, **changes: Any) -> tuple[int, Any]:
        headers["Idempotency-Key"] = str(uuid4())
        answer = await bench.client.put(f"/v1/wechatpay-merchants/{name}", json=good | changes, headers=headers)
        return answer.status_code, answer.json().get("code")

    assert await put("jinchuan") == (200, None)
    assert await put("second") == (409, "division_has_merchant")
    assert await put("second", active=False) == (200, None)
    assert await put("jinchuan", private_key=peer.public_pem("ours")) == (422, "private_key_malformed")
    assert await put("jinchuan", platform_keys={peer.SERIAL: "no key"}) == (422, "platform_key_malformed")
    assert await put("jinchuan", api_key="short") == (422, "invalid")
    await bench.prepare()
    assert (await bench.payment())["merchant"] == "jinchuan", "the nearest merchant of the elder's division"
    assert await put("jinchuan", appid="wx0000000000000009") == (409, "merchant_has_payments")
    async with bench.database.transaction() as tx:
        row = await tx.fetchrow("SELECT * FROM wechatpay_merchant WHERE merchant = 'jinchuan'")
    assert b"PRIVATE KEY" not in row["private_key"]
    assert peer.API_KEY.encode() not in row["api_key"]
    desk = await staff_headers(bench.database)
    refused = await bench.client.put("/v1/wechatpay-merchants/jinchuan", json=good, headers=desk)
    assert refused.status_code == 403
