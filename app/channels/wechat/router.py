"""WeChat's door: verify, store, answer "success"; the worker does the rest.

WeChat gives a push up after five seconds and sends it twice more, possibly at once. Copies meet on the unique
key of the stored contact, and that also takes the sting out of a replayed push: nothing happens a second time.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import PlainTextResponse

from app.channels.schemas import WechatAccountBody, WechatAccountView
from app.channels.wechat import accounts, crypto, messages
from app.channels.wechat.crypto import WeChatAuthError
from app.core import clock
from app.core.http import CallerDep, DatabaseDep, Router, TxDep, allow
from app.intake import contacts
from app.intake.contacts import Arrival
from app.intake.schemas_views import PROBLEM

router = Router(tags=["wechat"])

Signed = Annotated[str, Query(max_length=200)]
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
    }
}


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
async def receive_push(
    request: Request,
    database: DatabaseDep,
    account: str,
    msg_signature: Signed = "",
    timestamp: Signed = "",
    nonce: Signed = "",
    encrypt_type: Signed = "",
) -> PlainTextResponse:
    keys = await accounts.keys_of(database, account)
    if encrypt_type != "aes":
        raise WeChatAuthError
    sealed = messages.encrypted_part(await request.body())
    crypto.check_signature(keys, msg_signature, timestamp, nonce, sealed, now=clock.now())
    message = crypto.decrypt(keys, sealed)
    push = messages.read(message)
    arrival = Arrival("wechat", account, push.external_id, push.kind, message, push.sender, push.words)
    async with database.transaction() as tx:
        await contacts.receive(tx, arrival, process=True)
    return PlainTextResponse("success")


@router.put(
    "/v1/wechat-accounts/{account}", response_model=WechatAccountView, summary="Add an account or change its keys"
)
@allow("keys.manage")
async def put_account(tx: TxDep, caller: CallerDep, account: str, body: WechatAccountBody) -> WechatAccountView:
    await accounts.put_account(tx, caller, account, appid=body.appid, token=body.token, aes_key=body.aes_key)
    return WechatAccountView(account=account, appid=body.appid, active=True)
