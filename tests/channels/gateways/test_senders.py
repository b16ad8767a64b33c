"""The companies' protocols, against stand-ins behind real sockets: signatures, forms, and every fate of a message."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest

from app.channels.gateways import exchange
from app.channels.gateways.aliyun import Aliyun
from app.channels.gateways.consequences import ALIYUN, JPUSH, TENCENT, Consequence, NobodyKnows
from app.channels.gateways.jpush import JPush
from app.channels.gateways.letters import Letter
from app.channels.gateways.signing_aliyun import canonical_query, signed_headers
from app.channels.gateways.signing_tencent import authorization
from app.channels.gateways.tencent import Tencent
from app.messaging.sender import Message, NotSent, Refused, Sender
from tests.channels.gateways import stands_in
from tests.channels.gateways.stands_in import Asked, Behaviour, StandIn, says, standing_in

KEY_ID, KEY = "an-id", "a-secret/+="
LETTERS = {"completed": Letter("SMS_1", ("item", "at", "link_token"))}
MESSAGE = Message(
    id=UUID("0197b5a2-6c1e-7d35-9f10-3a5b8e2c4d61"), template_code="completed", channel="sms", language="zh-CN",
    address="+8613800000001", text="助浴服务已完成",
    params={"item": "助浴 & 理发~*", "at": "11月24日9:00", "minutes": "60", "link": "https://nuanxian.test/f/tok-en_1"},
)  # fmt: skip

READ_S = 2.0
"""Well below how long a slow company takes, well above how long a busy machine needs for a quick one."""

Made = Callable[[str], Sender]


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with exchange.client() as client:
        client.timeout = httpx.Timeout(5, read=READ_S)
        yield client


@pytest.fixture
def make(http: httpx.AsyncClient) -> dict[str, Made]:
    return {
        "aliyun": lambda url: Aliyun(http, url, KEY_ID, KEY, "金昌12349", LETTERS),
        "tencent": lambda url: Tencent(http, url, KEY_ID, KEY, "1400006666", "金昌12349", "ap-guangzhou", LETTERS),
        "jpush": lambda url: JPush(http, url, KEY_ID, KEY),
    }


def with_cids(behave: Behaviour) -> Behaviour:
    """JPush gives cids whatever happens to pushes."""

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await (says(stands_in.JPUSH_CIDS) if asked.path == "/v3/push/cid" else behave)(asked, writer)

    return answer


async def fate(made: Made, vendor: str, behave: Behaviour) -> tuple[Any, StandIn]:
    """What comes of one message: the company's name for it, or the type of what was raised and its code."""
    async with standing_in(with_cids(behave) if vendor == "jpush" else behave) as company:
        try:
            return await made(company.url).send(MESSAGE), company
        except Refused as refusal:
            return ("refused", refusal.code), company
        except NotSent as pause:
            return ("not_sent", pause.code, pause.of_channel), company
        except Exception as failure:
            return ("unknown", type(failure)), company


def test_aliyuns_worked_example() -> None:
    """help.aliyun.com/zh/sdk/product-overview/v3-request-structure-and-signature, 签名示例 with fixed values."""
    query = canonical_query(
        {"RegionId": "cn-shanghai", "ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"}
    )
    headers = signed_headers(
        "YourAccessKeyId", "YourAccessKeySecret", host="ecs.cn-shanghai.aliyuncs.com", action="RunInstances",
        version="2014-05-26", query=query, body=b"", at=datetime(2023, 10, 26, 10, 22, 32, tzinfo=UTC),
        nonce="3156853299f313e23d1673dc12e1703d",
    )  # fmt: skip
    assert headers["authorization"] == (
        "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;"
        "x-acs-signature-nonce;x-acs-version,Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


def test_tencents_worked_example() -> None:
    """cloud.tencent.com/document/api/213/30654 (签名方法 v3) as of 2019, with its example key."""
    body = rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'
    headers = {"content-type": "application/json; charset=utf-8", "host": "cvm.tencentcloudapi.com"}
    assert authorization(
        "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE", service="cvm", headers=headers,
        body=body, at=datetime.fromtimestamp(1551113065, tz=UTC),
    ) == (
        "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2019-02-25/cvm/tc3_request, "
        "SignedHeaders=content-type;host, Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"
    )  # fmt: skip


async def test_what_reaches_aliyun(make: dict[str, Made]) -> None:
    name, company = await fate(make["aliyun"], "aliyun", says(stands_in.ALIYUN_OK))
    (asked,) = company.asked
    assert name == "900619746936498440^0"
    assert (asked.method, asked.path, asked.body) == ("POST", "/", b"")
    assert stands_in.aliyun_signature_holds(asked, KEY_ID, KEY)
    assert not stands_in.aliyun_signature_holds(asked, KEY_ID, KEY + "x")
    assert (asked.headers["x-acs-action"], asked.headers["x-acs-version"]) == ("SendSms", "2017-05-25")
    sent = asked.parameters
    assert orjson.loads(sent.pop("TemplateParam")) == {
        "item": "助浴 & 理发~*", "at": "11月24日9:00", "link_token": "tok-en_1"
    }  # fmt: skip
    assert sent == {
        "PhoneNumbers": "13800000001", "SignName": "金昌12349", "TemplateCode": "SMS_1", "OutId": str(MESSAGE.id),
    }  # fmt: skip
    asked.query = asked.query.replace("13800000001", "13800000002")
    assert not stands_in.aliyun_signature_holds(asked, KEY_ID, KEY), "the check would catch another number"


async def test_what_reaches_tencent(make: dict[str, Made]) -> None:
    name, company = await fate(make["tencent"], "tencent", says(stands_in.TENCENT_OK))
    (asked,) = company.asked
    assert name == "5000:1045710669157053657849499619"
    assert stands_in.tencent_signature_holds(asked, KEY_ID, KEY)
    assert not stands_in.tencent_signature_holds(asked, KEY_ID, KEY + "x")
    facts = {name: asked.headers[name] for name in ("x-tc-action", "x-tc-version", "x-tc-region")}
    assert facts == {"x-tc-action": "SendSms", "x-tc-version": "2021-01-11", "x-tc-region": "ap-guangzhou"}
    assert orjson.loads(asked.body) == {
        "PhoneNumberSet": ["+8613800000001"], "SmsSdkAppId": "1400006666", "SignName": "金昌12349",
        "TemplateId": "SMS_1", "TemplateParamSet": ["助浴 & 理发~*", "11月24日9:00", "tok-en_1"],
        "SessionContext": str(MESSAGE.id),
    }  # fmt: skip
    asked.body += b" "
    assert not stands_in.tencent_signature_holds(asked, KEY_ID, KEY), "the check would catch another body"


async def test_what_reaches_jpush_and_a_lost_answer_is_asked_for_with_the_same_cid(make: dict[str, Made]) -> None:
    name, company = await fate(make["jpush"], "jpush", says(stands_in.JPUSH_OK))
    assert name == "1828256757"
    assert [(asked.method, asked.path, asked.query) for asked in company.asked] == [
        ("GET", "/v3/push/cid", "count=1"),
        ("POST", "/v3/push", ""),
    ]
    assert all(stands_in.basic_holds(asked, KEY_ID, KEY) for asked in company.asked)
    sent = orjson.loads(company.asked[1].body)
    assert sent["audience"] == {"registration_id": [MESSAGE.address]}
    assert sent["notification"]["android"]["alert"] == MESSAGE.text

    calls = iter((stands_in.resets, says(stands_in.JPUSH_OK)))

    async def first_lost(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await next(calls)(asked, writer)

    name, company = await fate(make["jpush"], "jpush", first_lost)
    assert name == "1828256757"
    cids = [orjson.loads(asked.body)["cid"] for asked in company.asked if asked.method == "POST"]
    assert cids == stands_in.JPUSH_CIDS["cidlist"] * 2


ERRORS: dict[str, Callable[[Any], Any]] = {
    "aliyun": stands_in.aliyun_error,
    "tencent": stands_in.tencent_status,
    "jpush": lambda code: stands_in.jpush_error(int(code)),
}
TABLES = {"aliyun": ALIYUN, "tencent": TENCENT, "jpush": JPUSH}


@pytest.mark.parametrize("vendor", sorted(TABLES))
async def test_every_documented_code_has_its_consequence(make: dict[str, Made], vendor: str) -> None:
    for code, consequence in TABLES[vendor].items():
        found, _ = await fate(make[vendor], vendor, says(ERRORS[vendor](code)))
        expected = ("refused", code) if consequence is Consequence.NEVER else ("not_sent", code, consequence != "later")
        assert found == expected
    found, _ = await fate(make["tencent"], "tencent", says(stands_in.tencent_error("AuthFailure.SignatureFailure")))
    assert found == ("not_sent", "AuthFailure.SignatureFailure", True)


@pytest.mark.parametrize("vendor", sorted(TABLES))
@pytest.mark.parametrize(
    "behave",
    [
        stands_in.slowly, stands_in.resets, stands_in.half, says(b"<html>502</html>", "502 Bad Gateway"), says(b""),
        says(b"\xff\x00"), says([]), says({}), says({"Code": "OK"}), says({"Code": None}), says({"Response": []}),
        says({"Response": {"SendStatusSet": []}}), says({"Response": {"SendStatusSet": [{"Code": "Ok"}]}}),
        says({"Response": {"SendStatusSet": [{"Code": "Ok", "SerialNo": ""}] * 2}}), says({"msg_id": None}),
        says({"Code": "isp.SYSTEM_ERROR"}), says(stands_in.tencent_error("InternalError.Timeout")),
        says(stands_in.tencent_status("InternalError.OtherError")), says(stands_in.jpush_error(1000)),
        says({"Code": "isv.SOMETHING_NEW"}), says(b"{" + b" " * 100_000 + b"}"), says({}, "302 Found"),
    ],
)  # fmt: skip
async def test_what_says_nothing_is_unknown(make: dict[str, Made], vendor: str, behave: Behaviour) -> None:
    """Never sent again blindly, never taken for sent."""
    found, company = await fate(make[vendor], vendor, behave)
    assert found[0] == "unknown", found
    posts = [asked for asked in company.asked if asked.method == "POST"]
    assert len({asked.body for asked in posts}) == 1
    assert len(posts) == 1 or vendor == "jpush", "only with a cid may the same thing be asked twice"


@pytest.mark.parametrize("vendor", sorted(TABLES))
async def test_what_cannot_have_been_read_may_be_sent_again(make: dict[str, Made], vendor: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        with pytest.raises(NotSent, match="no_connection"):
            await make[vendor](f"http://127.0.0.1:{taken.getsockname()[1]}").send(MESSAGE)
    found, _ = await fate(make[vendor], vendor, says({}, "429 Too Many Requests"))
    assert found == ("not_sent", "http_429", True)


@pytest.mark.parametrize("vendor", ["aliyun", "tencent"])
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"address": "+869358212349"}, "not_a_mobile"), ({"address": "+8612349"}, "not_a_mobile"),
        ({"address": "oFamily"}, "not_a_number"), ({"template_code": "arrived"}, "template_not_mapped"),
        ({"params": {"item": "助浴"}}, "value_missing"),
    ],
)  # fmt: skip
async def test_what_cannot_be_sent_is_refused_before_anybody_is_asked(
    make: dict[str, Made], vendor: str, change: dict[str, Any], code: str
) -> None:
    async with standing_in(says({})) as company:
        facts = {name: getattr(MESSAGE, name) for name in Message.__slots__} | change
        with pytest.raises(Refused, match=code):
            await make[vendor](company.url).send(Message(**facts))
    assert company.asked == []


async def test_a_number_abroad_keeps_its_country(make: dict[str, Made]) -> None:
    facts = {name: getattr(MESSAGE, name) for name in Message.__slots__} | {"address": "+85251234567"}
    async with standing_in(says(stands_in.ALIYUN_OK)) as company:
        await make["aliyun"](company.url).send(Message(**facts))
    assert company.asked[0].parameters["PhoneNumbers"] == "85251234567"


def test_unknown_answers_carry_no_words_of_the_company() -> None:
    assert str(NobodyKnows()) == ""
