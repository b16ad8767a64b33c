"""WeChat's door: verify, store, answer; the worker does the rest.

WeChat gives a push up after five seconds and sends it twice more, possibly at once. Copies meet on the unique
key of the stored contact, and that also takes the sting out of a replayed push: nothing happens a second time. The
answer does not wait for a database that is slow or away (`porch`), and nothing is acknowledged that is not on disk.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import PlainTextResponse, Response

from app.channels.porch import Porch
from app.channels.wechat import accounts, crypto, events, messages, replies
from app.core import clock
from app.core.http import DatabaseDep, Router, allow
from app.core.ids import new_secret
from app.intake import contacts
from app.intake.contacts import Arrival
from app.intake.schemas_views import PROBLEM

router = Router(tags=["wechat"])

Signed = Annotated[str, Query()]
FORGED: dict[int | str, dict[str, Any]] = {401: {"description": "The push could not be verified", **PROBLEM}}
ENVELOPE = {
    "requestBody": {
        "required": True,
        "content": {
            "text/xml": {
                "schema": {"type": "string"},
                "example": "<xml><ToUserName>gh_1</ToUserName><Encrypt>jn1L23DB+6ELqJ+6…</Encrypt></xml>",
            }
        },
    },
    "parameters": [
        {"name": name, "in": "query", "required": required, "schema": {"type": "string"}}
        for name, required in (
            ("msg_signature", True), ("timestamp", True), ("nonce", True), ("encrypt_type", True),
            ("signature", False), ("openid", False),
        )
    ],
}  # fmt: skip


@router.get(
    "/channels/wechat/{account}",
    response_class=PlainTextResponse,
    responses=FORGED,
    summary="WeChat's check that this address is ours",
)
@allow("channels.wechat", own_transaction=True)
async def check_url(
    database: DatabaseDep,
    account: str,
    signature: Signed = "",
    timestamp: Signed = "",
    nonce: Signed = "",
    echostr: Signed = "",
) -> PlainTextResponse:
    keys = await accounts.keys_of(database, account)
    crypto.check_signature(keys, signature, timestamp, nonce, now=clock.now())
    return PlainTextResponse(echostr)


@router.post(
    "/channels/wechat/{account}",
    response_class=PlainTextResponse,
    responses=FORGED,
    summary="A message or an event, in safe mode",
    openapi_extra=ENVELOPE,
)
@allow("channels.wechat", keyed=False, own_transaction=True, raw=True)
async def receive_push(request: Request, database: DatabaseDep, account: str) -> Response:
    keys = await accounts.keys_of(database, account)
    push, message = _verified(keys, request.scope["query_string"], await request.body())
    arrival = Arrival("wechat", account, push.external_id, push.kind, message, push.sender, push.words)
    porch: Porch = request.app.state.porch
    await porch.take(arrival, events.PROCESS if push.kind == "event" else contacts.PROCESS)
    words = replies.reply_to(push)
    if words is None:
        return PlainTextResponse("success")
    return _protected(keys, replies.reply_message(push, words, int(clock.now().timestamp())))


def _verified(keys: crypto.Keys, query: bytes, body: bytes) -> tuple[messages.Push, bytes]:
    """What a push says, and its bytes. Raises WeChatAuthError."""
    given = messages.parameters(query)
    outside = messages.envelope(body)
    timestamp, nonce, now = given.get("timestamp", ""), given.get("nonce", ""), clock.now()
    crypto.check_signature(keys, given.get("msg_signature", ""), timestamp, nonce, outside.sealed, now=now)
    if "signature" in given:
        crypto.check_signature(keys, given["signature"], timestamp, nonce, now=now)
    message = crypto.decrypt(keys, outside.sealed)
    push = messages.read(message)
    messages.check_outside(push, outside, given.get("openid"))
    return push, message


def _protected(keys: crypto.Keys, message: bytes) -> Response:
    """An answer in safe mode."""
    sealed, timestamp, nonce = crypto.encrypt(keys, message), str(int(clock.now().timestamp())), new_secret(8)
    sign = crypto.signature(keys.token, timestamp, nonce, sealed)
    envelope = (
        f"<xml><Encrypt><![CDATA[{sealed}]]></Encrypt><MsgSignature><![CDATA[{sign}]]></MsgSignature>"
        f"<TimeStamp>{timestamp}</TimeStamp><Nonce><![CDATA[{nonce}]]></Nonce></xml>"
    )
    return Response(envelope, media_type="text/xml")
