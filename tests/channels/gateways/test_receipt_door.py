"""The receipts' door: unsigned, doubled, out of order, or simply nonsense; and it answers what the company wants."""

from __future__ import annotations

import asyncio
import itertools
import json
from contextlib import suppress
from typing import Any
from uuid import UUID

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.channels.gateways import reports
from app.core import clock
from app.core.db import Database
from app.core.errors import Invalid
from app.messaging.tasks import Delivery
from tests.channels.gateways import stands_in
from tests.messaging.test_delivery import NOON, PHONE, Gateway, deliver, fate, queued
from tests.world.accounts import staff_headers

SECRET = {"aliyun": "a" * 40, "tencent": "t" * 40}
OK = {"aliyun": {"code": 0, "msg": "接收成功"}, "tencent": {"result": 0, "errmsg": "OK"}}
BODIES: dict[str, dict[str, Any]] = {
    "aliyun": {"vendor": "aliyun", "key_id": "id", "key": "k", "sign_name": "金昌", "receipt_secret": SECRET["aliyun"]},
    "tencent": {
        "vendor": "tencent", "key_id": "id", "key": "k", "sign_name": "金昌", "app_id": "14",
        "receipt_secret": SECRET["tencent"],
    },
}  # fmt: skip
JOBS = itertools.count(50_000)


def path(vendor: str, secret: str | None = None) -> str:
    return f"/channels/sms/{vendor}/{secret or SECRET[vendor]}"


def aliyun(name: str, delivered: bool, **more: Any) -> dict[str, Any]:
    """help.aliyun.com/document_detail/101867.html"""
    return {
        "phone_number": PHONE.removeprefix("+86"), "send_time": "2017-01-01 00:00:00",
        "report_time": "2017-01-01 00:00:00", "success": delivered, "err_code": "DELIVERED" if delivered else "UNDELIV",
        "err_msg": "用户接收成功", "sms_size": "1", "biz_id": name, "out_id": "67890",
    } | more  # fmt: skip


def tencent(name: str, delivered: bool, **more: Any) -> dict[str, Any]:
    """cloud.tencent.com/document/product/382/5807"""
    return {
        "user_receive_time": "2015-10-17 08:03:04", "nationcode": "86", "mobile": PHONE.removeprefix("+86"),
        "report_status": "SUCCESS" if delivered else "FAIL", "errmsg": "DELIVRD" if delivered else "MK:0001",
        "description": "用户短信送达成功", "sid": name,
    } | more  # fmt: skip


FORMS = {"aliyun": aliyun, "tencent": tencent}


@pytest.fixture
async def gateways(doors: httpx.AsyncClient, clean_database: Database) -> httpx.AsyncClient:
    for vendor, body in BODIES.items():
        headers = await staff_headers(clean_database, roles=("administrator",))
        assert (await doors.put(f"/v1/message-gateways/{vendor}-1", json=body, headers=headers)).status_code == 200
    return doors


async def sent(database: Database, vendor: str, name: str | None) -> UUID:
    """A message the gateway took under this name, or whose answer was lost."""
    with clock.hold(NOON):
        message_id = await queued(database)
        gateway = Gateway(lambda _: TimeoutError() if name is None else f"{vendor}-1:{name}")
        await deliver(database, Delivery(database, {"sms": gateway}), message_id, next(JOBS))
    return message_id


@pytest.mark.parametrize("vendor", sorted(FORMS))
async def test_receipts_in_any_order_and_number_give_one_fate(
    gateways: httpx.AsyncClient, clean_database: Database, vendor: str
) -> None:
    form = FORMS[vendor]
    told = [form("n^0", False), form("n^0", True), form("n^0", False)]
    for number, order in enumerate(itertools.permutations(told)):
        name = f"{number}^0"
        message_id = await sent(clean_database, vendor, name)
        renamed = [one | {"biz_id": name, "sid": name} for one in order]
        pushes = [renamed[:1], renamed[1:], renamed[::-1]]
        answers = await asyncio.gather(*(gateways.post(path(vendor), json=push) for push in pushes))
        assert [(answer.status_code, answer.json()) for answer in answers] == [(200, OK[vendor])] * 3
        assert (await fate(clean_database, message_id))[:2] == ("delivered", None)


@pytest.mark.parametrize("vendor", sorted(FORMS))
async def test_a_receipt_may_be_faster_than_the_answer(
    gateways: httpx.AsyncClient, clean_database: Database, vendor: str
) -> None:
    await gateways.post(path(vendor), json=[FORMS[vendor]("early^0", False)])
    message_id = await sent(clean_database, vendor, "early^0")
    code = {"aliyun": "UNDELIV", "tencent": "MK:0001"}[vendor]
    assert (await fate(clean_database, message_id))[:2] == ("failed", code)


async def test_our_own_number_finds_a_message_whose_answer_was_lost(
    gateways: httpx.AsyncClient, clean_database: Database
) -> None:
    message_id = await sent(clean_database, "aliyun", None)
    wrong = aliyun("x^0", True, out_id=str(message_id), phone_number="13800000009")
    await gateways.post(path("aliyun"), json=[wrong])
    assert (await fate(clean_database, message_id))[0] == "unknown", "not the number we wrote to"
    await gateways.post(path("aliyun"), json=[aliyun("x^0", True, out_id=str(message_id))])
    assert (await fate(clean_database, message_id))[0] == "delivered"


async def test_the_secret_in_the_address_is_the_proof(gateways: httpx.AsyncClient, clean_database: Database) -> None:
    message_id = await sent(clean_database, "aliyun", "s^0")
    push = [aliyun("s^0", True)]
    for vendor, secret in (
        ("aliyun", "b" * 40),
        ("aliyun", SECRET["tencent"]),
        ("tencent", SECRET["aliyun"]),
    ):
        answer = await gateways.post(path(vendor, secret), json=push)
        assert (answer.status_code, secret in answer.text) == (404, False)
    assert (await gateways.post("/channels/sms/other/x", json=push)).status_code == 422
    assert (await gateways.post(path("aliyun", "%00"), json=push)).status_code in {404, 422}
    async with clean_database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM message_receipt") == 0
        stored = await tx.fetch("SELECT * FROM message_gateway")
    assert all(
        SECRET["aliyun"].encode() not in bytes(value) for row in stored for value in row if isinstance(value, bytes)
    )
    # One company's names say nothing about another company's messages.
    await gateways.post(path("tencent"), json=[tencent("s^0", True)])
    assert (await fate(clean_database, message_id))[0] == "sent"


KNOWN = {
    "biz_id": ["n^0", "\u0000", "a" * 101], "sid": ["n^0", "𠮷"], "out_id": ["0197b5a2-6c1e-7d35-9f10-3a5b8e2c4d61"],
    "phone_number": ["13800000000", "+8613800000000"], "mobile": ["13800000000"], "nationcode": ["86", "+86", "٨٦"],
    "success": [True, False], "report_status": ["SUCCESS", "FAIL"], "err_code": ["DELIVERED"], "errmsg": ["DELIVRD"],
}  # fmt: skip
NEARLY = st.fixed_dictionaries(
    {},
    optional={
        name: st.one_of(
            st.none(),
            st.booleans(),
            st.integers(-(2**63), 2**63),
            st.text(max_size=120),
            *[st.just(one) for one in values],
        )
        for name, values in KNOWN.items()
    },
)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)


def _written(content: Any) -> bytes:
    """Also what no careful writer would write: halves of characters."""
    return json.dumps(content).encode()


PUSHES = st.one_of(
    st.binary(max_size=200),
    st.builds(_written, JSON),
    st.builds(_written, st.lists(NEARLY, max_size=5)),
)


@given(st.sampled_from(sorted(FORMS)), PUSHES)
@settings(max_examples=400, deadline=None)
def test_whatever_is_pushed_is_read_or_refused_as_invalid(vendor: str, body: bytes) -> None:
    with suppress(Invalid):
        assert all(one.phone.startswith("+") and 0 < len(one.name) <= 100 for one in reports.read(vendor, body))


async def test_nothing_that_is_pushed_is_a_500(gateways: httpx.AsyncClient, clean_database: Database) -> None:
    """The same through the whole door, down to the database: an unexpected exception would reach this test."""
    message_id = await sent(clean_database, "aliyun", "n^0")
    statuses: set[int] = set()

    @given(st.sampled_from(sorted(FORMS)), PUSHES, st.sampled_from(["application/json", "text/plain", ""]))
    @settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
    def collect(vendor: str, body: bytes, kind: str) -> None:
        pushes.append((vendor, body, kind))

    pushes: list[tuple[str, bytes, str]] = []
    collect()
    for vendor, body, kind in pushes:
        answer = await gateways.post(path(vendor), content=body, headers={"content-type": kind})
        statuses.add(answer.status_code)
        assert answer.status_code in {200, 422}, (body, answer.text)
        assert answer.status_code != 200 or answer.json() == OK[vendor]
    assert statuses == {200, 422}
    assert (await fate(clean_database, message_id))[0] in {"sent", "delivered", "failed"}


async def test_too_many_at_once_and_what_cannot_be_read(gateways: httpx.AsyncClient, clean_database: Database) -> None:
    message_id = await sent(clean_database, "aliyun", "n^0")
    answer = await gateways.post(path("aliyun"), json=[aliyun("n^0", True)] * (reports.MOST_REPORTS + 1))
    assert answer.status_code == 422
    mixed = [None, 7, {}, aliyun("n^0", True, success="yes"), aliyun("n^0", True)]
    assert (await gateways.post(path("aliyun"), json=mixed)).json() == OK["aliyun"]
    assert (await fate(clean_database, message_id))[0] == "delivered", "one bad report hides no good one"


def test_the_stand_in_and_the_product_agree_on_what_is_answered() -> None:
    assert {vendor: dict(answer) for vendor, answer in reports.ANSWERS.items()} == OK
    assert stands_in.ALIYUN_OK["Code"] == "OK"
