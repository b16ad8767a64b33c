"""A company behind a real socket: records what reaches it, checks the signature in its own way, answers as told.

The documented answers, word for word where they are fixed:
- SendSms of Aliyun: help.aliyun.com/zh/sms/developer-reference/api-dysmsapi-2017-05-25-sendsms
- SendSms of Tencent and its errors: cloud.tencent.com/document/api/382/55981, cloud.tencent.com/document/api/382/52075
- receipts: help.aliyun.com/document_detail/101867.html, cloud.tencent.com/document/product/382/5807
- JPush: docs.jiguang.cn/jpush/server/push/rest_api_v3_push, docs.jiguang.cn/jpush/server/push/rest_api_v3_push_advanced
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import orjson

ALIYUN_OK = {
    "Message": "OK", "RequestId": "F655A8D5-B967-440B-8683-DAD6FF8DE990", "Code": "OK",
    "BizId": "900619746936498440^0",
}  # fmt: skip
TENCENT_OK = {
    "Response": {
        "SendStatusSet": [
            {
                "SerialNo": "5000:1045710669157053657849499619", "PhoneNumber": "+8618511122233", "Fee": 1,
                "SessionContext": "test", "Code": "Ok", "Message": "send success", "IsoCode": "CN",
            }
        ],
        "RequestId": "a0aabda6-cf91-4f3e-a81f-9198114a2279",
    }
}  # fmt: skip
JPUSH_OK = {"sendno": "18", "msg_id": "1828256757"}
JPUSH_CIDS = {"cidlist": ["8103a4c628a0b98994ec1949-128eeb45-471c-49f3-b442-a05b20c9ed56"]}


def aliyun_error(code: str) -> dict[str, Any]:
    return {"Message": "words of the company", "RequestId": "873043ac-bcda-44db-9052-2e204c6ed20f", "Code": code}


def tencent_error(code: str) -> dict[str, Any]:
    return {
        "Response": {"Error": {"Code": code, "Message": "words"}, "RequestId": "ed93f3cb-f35e-473f-b9f3-0d451b8b79c6"}
    }


def tencent_status(code: str) -> dict[str, Any]:
    return {"Response": {"SendStatusSet": [{"SerialNo": "", "Code": code, "Message": "words"}], "RequestId": "r"}}


def jpush_error(code: int) -> dict[str, Any]:
    return {"error": {"code": code, "message": "words of the company"}}


@dataclass
class Asked:
    """One request as it came over the wire."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def parameters(self) -> dict[str, str]:
        return dict(parse_qsl(self.query, keep_blank_values=True))


Behaviour = Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]


async def send(writer: asyncio.StreamWriter, body: bytes, status: str = "200 OK") -> None:
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
    writer.write(f"{head}connection: close\r\n\r\n".encode() + body)
    await writer.drain()


def says(content: Any, status: str = "200 OK") -> Behaviour:
    async def answer(_asked: Asked, writer: asyncio.StreamWriter) -> None:
        await send(writer, content if isinstance(content, bytes) else orjson.dumps(content), status)

    return answer


async def slowly(_asked: Asked, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(20)


async def resets(_asked: Asked, writer: asyncio.StreamWriter) -> None:
    """The request was read; whether it was obeyed nobody will ever know."""
    writer.transport.abort()


async def half(_asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b'HTTP/1.1 200 OK\r\ncontent-length: 200\r\n\r\n{"Code"')
    await writer.drain()


@dataclass
class StandIn:
    behave: Behaviour
    port: int = 0
    asked: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)
            }
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            method, target, _ = first.split(" ")
            path, _, query = target.partition("?")
            self.asked.append(Asked(method, path, query, headers, body))
            await self.behave(self.asked[-1], writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def standing_in(behave: Behaviour) -> AsyncIterator[StandIn]:
    stand_in = StandIn(behave=behave)
    server = await asyncio.start_server(stand_in.serve, "127.0.0.1", 0)
    stand_in.port = server.sockets[0].getsockname()[1]
    async with server:
        yield stand_in


def aliyun_signature_holds(asked: Asked, key_id: str, key: str) -> bool:
    """From the raw request alone, as the company's page tells it step by step."""
    scheme, _, rest = asked.headers["authorization"].partition(" ")
    given = dict(part.split("=", 1) for part in rest.split(","))
    names = given["SignedHeaders"].split(";")
    must = {"host", *(name for name in asked.headers if name.startswith("x-acs-"))}
    query = "&".join(sorted(asked.query.split("&")))
    wanted = "\n".join(
        [
            asked.method, asked.path, query, *(f"{name}:{asked.headers[name]}" for name in names), "",
            ";".join(names), hashlib.sha256(asked.body).hexdigest(),
        ]
    )  # fmt: skip
    string = "ACS3-HMAC-SHA256\n" + hashlib.sha256(wanted.encode()).hexdigest()
    return (
        scheme == "ACS3-HMAC-SHA256"
        and given["Credential"] == key_id
        and names == sorted(must)
        and asked.query == query
        and asked.headers["x-acs-content-sha256"] == hashlib.sha256(asked.body).hexdigest()
        and datetime.strptime(asked.headers["x-acs-date"], "%Y-%m-%dT%H:%M:%SZ") is not None
        and given["Signature"] == hmac.new(key.encode(), string.encode(), "sha256").hexdigest()
    )


def tencent_signature_holds(asked: Asked, key_id: str, key: str) -> bool:
    scheme, credential, signed, signature = asked.headers["authorization"].replace(",", "").split(" ")
    names = signed.removeprefix("SignedHeaders=")
    _, day, service, ending = credential.removeprefix("Credential=").rsplit("/", 3)
    stamp = asked.headers["x-tc-timestamp"]
    lines = "".join(f"{name}:{asked.headers[name].lower()}\n" for name in names.split(";"))
    request = f"{asked.method}\n{asked.path}\n{asked.query}\n{lines}\n{names}\n{hashlib.sha256(asked.body).hexdigest()}"
    string = f"{scheme}\n{stamp}\n{day}/{service}/{ending}\n{hashlib.sha256(request.encode()).hexdigest()}"
    step = hmac.digest(("TC3" + key).encode(), day.encode(), "sha256")
    step = hmac.digest(hmac.digest(step, service.encode(), "sha256"), ending.encode(), "sha256")
    return (
        scheme == "TC3-HMAC-SHA256"
        and credential == f"Credential={key_id}/{day}/sms/tc3_request"
        and {"content-type", "host"} <= set(names.split(";"))
        and day == datetime.fromtimestamp(int(stamp), tz=UTC).strftime("%Y-%m-%d")
        and signature == f"Signature={hmac.digest(step, string.encode(), 'sha256').hex()}"
    )


def basic_holds(asked: Asked, key_id: str, key: str) -> bool:
    return asked.headers["authorization"] == "Basic " + base64.b64encode(f"{key_id}:{key}".encode()).decode()
