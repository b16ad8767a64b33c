"""WeChat Pay's door: what it believes, what becomes of it, and what it answers."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core import clock
from app.core.errors import Unavailable
from app.core.http import SYSTEM
from app.orders import service as orders
from app.selfpay.receiving import RAW, RESOURCE
from tests.selfpay import peer
from tests.selfpay.conftest import Bench
from tests.world.accounts import staff_headers

OPENID = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"


async def prepared(bench: Bench) -> str:
    """Our number of a payment that waits for its money."""
    assert (await bench.prepare()).status_code == 200
    return str((await bench.payment())["out_trade_no"])


def fail(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_a_notice_pays_the_order_and_is_kept_with_its_proof(bench: Bench) -> None:
    number = await prepared(bench)
    said = peer.transaction(number, bench.copay_fen)
    body = peer.notice(said)
    answer = await bench.notify(body, serial=peer.PUBLIC_KEY_ID)
    assert (answer.status_code, answer.json()["code"]) == (200, "SUCCESS")
    row, (kept,) = await bench.payment(), await bench.notices()
    assert (row["status"], row["transaction_id"], row["needs_review"]) == ("paid", said["transaction_id"], None)
    assert (
        row["paid_at"].isoformat() == clock.now().fromisoformat(said["success_time"]).astimezone(clock.UTC).isoformat()
    )
    assert (kept["payment_id"], kept["problem"]) == (row["id"], None)
    place = f"{kept['merchant']}:{kept['notice_id']}"
    async with bench.database.transaction() as tx:
        assert OPENID in tx.vault.open(RESOURCE, place, kept["resource"])
        lines = tx.vault.open(RAW, place, kept["raw"]).encode("latin-1").split(b"\n", 4)
    serial, timestamp, nonce, signature, raw = lines
    assert (serial.decode(), raw) == (peer.PUBLIC_KEY_ID, body)
    assert peer.holds("platform", signature.decode(), timestamp + b"\n" + nonce + b"\n" + raw + b"\n")
    assert all(OPENID.encode() not in bytes(kept[name]) for name in ("raw", "resource"))


@pytest.mark.parametrize("late_s", [-301, 301])
async def test_a_notice_of_another_time_is_refused(bench: Bench, late_s: int) -> None:
    body = peer.notice(peer.transaction(await prepared(bench), bench.copay_fen))
    answer = await bench.notify(body, at=int(clock.now().timestamp()) + late_s)
    assert fail(answer) == (401, "FAIL")
    assert (await bench.payment())["status"] == "prepared"
    assert await bench.notices() == []


async def test_what_is_not_proved_is_refused_and_nobody_is_asked(bench: Bench) -> None:
    """Unknown serial numbers above all: nothing is fetched because somebody invented one."""
    body = peer.notice(peer.transaction(await prepared(bench), bench.copay_fen))
    asked = len(bench.pay.asked)
    good = peer.proof(body)
    path = f"/channels/wechatpay/{peer.NAME}"
    refused = [
        good | {"Wechatpay-Serial": "ABCDEF0123456789"},
        good | {"Wechatpay-Serial": "not hex at all; ../../"},
        good | {"Wechatpay-Signature": "WECHATPAY/SIGNTEST/" + good["Wechatpay-Signature"]},
        good | {"Wechatpay-Timestamp": "soon"},
        good | {"Wechatpay-Signature-Type": "WECHATPAY2-SM2-WITH-SM3"},
        peer.proof(body, by="other"),
        *({name: value for name, value in good.items() if name != left} for left in list(good)[:4]),
    ]
    for headers in refused:
        assert fail(await bench.client.post(path, content=body, headers=headers)) == (401, "FAIL")
    twice = [*good.items(), ("Wechatpay-Nonce", "another")]
    assert fail(await bench.client.post(path, content=body, headers=twice)) == (401, "FAIL")
    nobody = await bench.client.post("/channels/wechatpay/nobody", content=body, headers=good)
    assert fail(nobody) == (404, "FAIL")
    assert len(bench.pay.asked) == asked
    assert await bench.notices() == []
    assert (await bench.client.post(path, content=body, headers=good)).status_code == 200, "the control"


async def test_a_resource_under_another_key_is_refused(bench: Bench) -> None:
    said = peer.transaction(await prepared(bench), bench.copay_fen)
    assert fail(await bench.notify(peer.notice(said, api_key="x" * 32))) == (401, "FAIL")
    assert await bench.notices() == []


@pytest.mark.parametrize("other", [{"mchid": "1900000110"}, {"appid": "wx0000000000000002"}])
async def test_money_of_another_merchant_is_not_ours(bench: Bench, other: dict[str, str]) -> None:
    said = peer.transaction(await prepared(bench), bench.copay_fen, **other)
    assert fail(await bench.notify(peer.notice(said))) == (400, "FAIL")
    assert (await bench.payment())["status"] == "prepared"
    assert await bench.notices() == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"amount": {"total": 1, "currency": "CNY"}}, "amount_differs"),
        ({"amount": None}, "amount_differs"),
        ({"amount": {"total": "same", "currency": "USD"}}, "amount_differs"),
        ({"transaction_id": ""}, "transaction_missing"),
    ],
)
async def test_money_that_does_not_fit_is_kept_for_a_person(bench: Bench, change: dict[str, Any], problem: str) -> None:
    number = await prepared(bench)
    if change.get("amount") and change["amount"]["total"] == "same":
        change = {"amount": change["amount"] | {"total": bench.copay_fen}}
    assert (await bench.notify(peer.notice(peer.transaction(number, bench.copay_fen, **change)))).status_code == 200
    row, (kept,) = await bench.payment(), await bench.notices()
    assert (row["status"], row["needs_review"], row["transaction_id"]) == ("prepared", "notice_differs", None)
    assert (kept["payment_id"], kept["problem"]) == (row["id"], problem)


async def test_money_for_a_payment_we_do_not_know_is_kept_for_a_person(bench: Bench) -> None:
    assert (await bench.notify(peer.notice(peer.transaction("0" * 32, 100)))).status_code == 200
    (kept,) = await bench.notices()
    assert (kept["payment_id"], kept["problem"]) == (None, "payment_unknown")
    headers = await staff_headers(bench.database, ("settlement_clerk",))
    (shown,) = (await bench.client.get("/v1/payment-notices/problems", headers=headers)).json()
    assert (shown["notice_id"], shown["problem"]) == (kept["notice_id"], "payment_unknown")
    elsewhere = await staff_headers(bench.database, ("settlement_clerk",), ("620400",))
    assert (await bench.client.get("/v1/payment-notices/problems", headers=elsewhere)).json() == []


async def test_an_event_that_is_no_payment_changes_nothing(bench: Bench) -> None:
    number = await prepared(bench)
    said = peer.transaction(number, bench.copay_fen)
    assert (await bench.notify(peer.notice(said, event="REFUND.SUCCESS"))).status_code == 200
    not_paid = peer.transaction(number, bench.copay_fen, trade_state="NOTPAY")
    assert (await bench.notify(peer.notice(not_paid))).status_code == 200
    assert [kept["problem"] for kept in await bench.notices()] == ["event_unexpected"] * 2
    assert (await bench.payment())["status"] == "prepared"


async def test_a_notice_repeated_and_at_once_pays_once(bench: Bench) -> None:
    """The same notice, and others of the same transaction, fifty at a time."""
    said = peer.transaction(await prepared(bench), bench.copay_fen)
    bodies = [peer.notice(said) for _ in range(5)]
    answers = await asyncio.gather(*(bench.notify(body) for body in bodies * 10))
    assert {answer.status_code for answer in answers} == {200}
    assert (await bench.payment())["status"] == "paid"
    assert [kept["problem"] for kept in await bench.notices()] == [None] * 5


async def test_a_second_transaction_of_a_paid_payment_is_kept_for_a_person(bench: Bench) -> None:
    number = await prepared(bench)
    first, second = (peer.transaction(number, bench.copay_fen) for _ in range(2))
    for said in (first, second):
        assert (await bench.notify(peer.notice(said))).status_code == 200
    row = await bench.payment()
    assert (row["status"], row["transaction_id"]) == ("paid", first["transaction_id"])
    assert row["needs_review"] == "notice_differs"
    assert [kept["problem"] for kept in await bench.notices()] == [None, "transaction_differs"]


async def test_money_for_a_cancelled_order_is_kept_and_flagged(bench: Bench) -> None:
    number = await prepared(bench)
    async with bench.database.transaction() as tx:
        await orders.cancel(tx, SYSTEM, bench.order_id, "elder_in_hospital", "family")
    assert (await bench.notify(peer.notice(peer.transaction(number, bench.copay_fen)))).status_code == 200
    row = await bench.payment()
    assert (row["status"], row["needs_review"]) == ("paid", "order_cancelled")


async def test_an_order_cancelled_after_it_was_paid_is_flagged(bench: Bench) -> None:
    number = await prepared(bench)
    await bench.notify(peer.notice(peer.transaction(number, bench.copay_fen)))
    async with bench.database.transaction() as tx:
        await orders.cancel(tx, SYSTEM, bench.order_id, "elder_in_hospital", "family")
    row = await bench.payment()
    assert (row["status"], row["needs_review"]) == ("paid", "order_cancelled")


async def test_money_for_another_copay_than_now_is_flagged(bench: Bench) -> None:
    number = await prepared(bench)
    async with bench.database.transaction() as tx:
        await tx.run("UPDATE care_order SET copay_fen = copay_fen - 1 WHERE id = $1", bench.order_id)
    await bench.notify(peer.notice(peer.transaction(number, bench.copay_fen)))
    row = await bench.payment()
    assert (row["status"], row["needs_review"]) == ("paid", "amount_changed")


async def test_without_the_database_wechat_is_told_to_come_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    body = peer.notice(peer.transaction(await prepared(bench), bench.copay_fen))
    await bench.notify(peer.notice(peer.transaction("0" * 32, 1)))  # the keys are known from now on

    async def away() -> None:
        raise Unavailable("database_unavailable")

    with monkeypatch.context() as patched:
        patched.setattr(bench.database, "connection", away)
        assert fail(await bench.notify(body)) == (503, "FAIL")
    assert (await bench.notify(body)).status_code == 200
    assert (await bench.payment())["status"] == "paid"


WORDS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=40), st.just([]), st.just({}),
    st.sampled_from(["CNY", "SUCCESS", "REFUND", "2026-11-22T18:00:00+08:00", "0001-01-01T00:00:00+08:00", "\x00"]),
)  # fmt: skip
INSIDE = ("mchid", "appid", "out_trade_no", "transaction_id", "trade_state", "success_time", "amount", "payer")


async def test_whatever_is_rightly_signed_and_sealed_is_never_our_failure(bench: Bench) -> None:
    number, sent = await prepared(bench), list[bytes]()

    @settings(max_examples=120, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        inside=st.one_of(
            st.dictionaries(st.sampled_from(INSIDE), WORDS, max_size=4).map(
                lambda changes: (
                    orjson.dumps(
                        peer.transaction(number, 1) | changes, default=str, option=orjson.OPT_PASSTHROUGH_DATETIME
                    )
                    if not any(isinstance(one, int) and abs(one) >= 2**63 for one in changes.values())
                    else b"{}"
                )
            ),
            st.dictionaries(st.sampled_from(("total", "currency")), WORDS, max_size=2).map(
                lambda amount: (
                    peer.transaction(number, 1) | {"amount": {"total": 1} | amount}
                    if not any(isinstance(one, int) and abs(one) >= 2**63 for one in amount.values())
                    else b"{}"
                )
            ),
            st.binary(max_size=60),
        ),
        outside=st.dictionaries(st.sampled_from(("id", "event_type", "resource", "summary")), WORDS, max_size=1),
    )
    def collect(inside: Any, outside: dict[str, Any]) -> None:
        if not any(isinstance(one, int) and abs(one) >= 2**63 for one in outside.values()):
            sent.append(peer.notice(inside, **outside))

    await asyncio.to_thread(collect)
    sent += [b"", b"[]", b"{}", b"[" * 100_000, b'{"id":' * 2000, b"\xff\xfe", peer.notice(b"[" * 5000)]
    for body in sent:
        answer = await bench.notify(body)
        assert answer.status_code in {200, 400, 401}, (body, answer.text)
        assert answer.json()["code"] == ("SUCCESS" if answer.status_code == 200 else "FAIL")
    assert (await bench.payment())["transaction_id"] is None, "nothing of this was a payment of the right amount"
