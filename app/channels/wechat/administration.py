"""Doors for whoever looks after the accounts: keys, templates, the menu; and the elder's card with its QR code."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Request

from app.accounts import audit, links, scope
from app.channels.schemas import (
    ElderCardBody,
    ElderCardView,
    WechatAccountBody,
    WechatAccountView,
    WechatTemplateBody,
    WechatTemplateView,
)
from app.channels.wechat import accounts, replies, tokens
from app.channels.wechat.api import Failed, NotReached, Unknown
from app.channels.wechat.events import CARD
from app.core import clock
from app.core.db import Database
from app.core.errors import Conflict, NotFound, Unavailable
from app.core.http import CallerDep, DatabaseDep, Router, TxDep, allow
from app.elders import service as elders
from app.messaging import templates

router = Router(tags=["wechat"])

CARD_VALID = timedelta(days=3650)
Account = Annotated[str, Path(max_length=80)]


@router.put(
    "/v1/wechat-accounts/{account}", response_model=WechatAccountView, summary="Add an account or change its keys"
)
@allow("keys.manage")
async def put_account(tx: TxDep, caller: CallerDep, account: Account, body: WechatAccountBody) -> WechatAccountView:
    await accounts.put_account(
        tx, caller, account, appid=body.appid, token=body.token, aes_key=body.aes_key, kind=body.kind,
        secret=body.secret,
    )  # fmt: skip
    return WechatAccountView(account=account, appid=body.appid, kind=body.kind, active=True)


@router.put(
    "/v1/wechat-accounts/{account}/templates/{code}",
    response_model=WechatTemplateView,
    summary="Which of WeChat's templates carries one of our messages",
)
@allow("keys.manage")
async def put_template(
    tx: TxDep, caller: CallerDep, account: Account, code: str, body: WechatTemplateBody
) -> WechatTemplateView:
    if (code, "wechat", "zh-CN") not in templates.shipped():
        raise NotFound("template_not_found", "there is no message of this code for WeChat")
    await accounts.put_template(tx, caller, account, code, template_id=body.template_id, way=body.way, page=body.page)
    return WechatTemplateView(account=account, code=code, **body.model_dump())


@router.put("/v1/wechat-accounts/{account}/menu", status_code=204, summary="Give WeChat the account's menu")
@allow("keys.manage", keyed=False, own_transaction=True)
async def publish_menu(request: Request, database: DatabaseDep, caller: CallerDep, account: Account) -> None:
    menu = replies.menu(request.app.state.settings.public_url)
    await _told(request, database, account, "/cgi-bin/menu/create", menu)
    async with database.transaction() as tx:
        await audit.record(tx, caller, "wechat_account.menu", "wechat_account", account)


@router.post(
    "/v1/elders/{elder_id}/wechat-cards",
    response_model=ElderCardView,
    status_code=201,
    summary="A QR code for the elder's card: whoever scans it asks for this elder; the one before is void",
)
@allow("elders.write")
async def make_card(
    request: Request, tx: TxDep, database: DatabaseDep, caller: CallerDep, elder_id: UUID, body: ElderCardBody
) -> ElderCardView:
    scope.see(caller, (await elders.elder(tx, elder_id)).division_code)
    await tx.one_at_a_time(CARD, str(elder_id))
    await links.revoke(tx, CARD, elder_id)
    token = await links.issue(tx, CARD, elder_id, CARD_VALID)
    scene = {"scene": {"scene_str": replies.CARD_SCENE + token}}
    asked = {"action_name": "QR_LIMIT_STR_SCENE", "action_info": scene}
    answer = await _told(request, database, body.account, "/cgi-bin/qrcode/create", asked)
    await audit.record(tx, caller, "elder_card.issue", "elder", elder_id)
    return ElderCardView(url=str(answer.get("url", ""))[:500], expires_at=clock.now() + CARD_VALID)


async def _told(request: Request, database: Database, account: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    try:
        return await tokens.post(database, request.app.state.wechat, account, path, body)
    except Failed as refusal:
        raise Conflict("wechat_refused", f"WeChat says {refusal.code}", errcode=refusal.code) from None
    except (NotReached, Unknown):
        raise Unavailable("wechat_unreachable", "WeChat does not answer") from None
