"""WeChat's door: verify, store, answer; the worker does the rest.

WeChat gives a push up after five seconds and sends it twice more, possibly at once. Copies meet on the unique
key of the stored contact, and that also takes the sting out of a replayed push: nothing happens a second time. The
answer does not wait for a database that is slow or away (`porch`), and nothing is acknowledged that is not on disk.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import PlainTextResponse

from app.channels.porch import Porch
from app.channels.schemas import WechatAccountBody, WechatAccountView
from app.channels.wechat import accounts, crypto, messages
from app.core import clock
from app.core.http import CallerDep, DatabaseDep, Router, TxDep, allow
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
@allow("channels.wechat", keyed=False, own_transaction=True)
async def receive_push(request: Request, database: DatabaseDep, account: str) -> PlainTextResponse:
    keys = await accounts.keys_of(database, account)
    push, message = _verified(keys, request.scope["query_string"], await request.body())
    arrival = Arrival("wechat", account, push.external_id, push.kind, message, push.sender, push.words)
    porch: Porch = request.app.state.porch
    await porch.take(arrival, contacts.PROCESS)
    return PlainTextResponse("success")


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


@router.put(
    "/v1/wechat-accounts/{account}", response_model=WechatAccountView, summary="Add an account or change its keys"
)
@allow("keys.manage")
async def put_account(tx: TxDep, caller: CallerDep, account: str, body: WechatAccountBody) -> WechatAccountView:
    await accounts.put_account(tx, caller, account, appid=body.appid, token=body.token, aes_key=body.aes_key)
    return WechatAccountView(account=account, appid=body.appid, active=True)
