"""Families who are known by WeChat: a page in WeChat and a mini-program end in the session that phone and code give.

WeChat vouches for an openid, never for a phone. So the openid has to be bound first: by the words said in the chat
(`intake.families`), or here, by somebody who has signed in by phone.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Cookie, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from app.accounts import codes
from app.accounts.codes import PhoneSession
from app.accounts.guard import COOKIE
from app.accounts.schemas import PhoneSessionView
from app.channels.schemas import WechatCodeBody
from app.channels.wechat import accounts, queries, states
from app.channels.wechat.api import BUSY, Failed, NotReached, Unknown, WeChatApi
from app.core import clock
from app.core.db import Database
from app.core.errors import Conflict, Unauthorized, Unavailable
from app.core.http import CallerDep, DatabaseDep, Router, TxDep, allow
from app.core.ids import new_secret
from app.intake import contacts, families

router = Router(tags=["family"])

AUTHORIZE = "https://open.weixin.qq.com/connect/oauth2/authorize"
BROWSER = "__Host-nuanxian-wechat"
Account = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,80}$")]
Given = Annotated[str, Query(max_length=200)]


@router.get(
    "/v1/family/wechat/{account}/authorization",
    status_code=303,
    response_class=RedirectResponse,
    summary="To WeChat's sign-in page, and back to us",
)
@allow("family.sign_in", own_transaction=True)
async def begin(request: Request, database: DatabaseDep, account: Account) -> RedirectResponse:
    keys = await accounts.keys_of(database, account)
    browser = new_secret()
    asked = {
        "appid": keys.appid,
        "redirect_uri": f"{request.app.state.settings.public_url}/v1/family/wechat/{account}/session",
        "response_type": "code",
        "scope": "snsapi_base",
        "state": states.issue(database.vault, account, browser, clock.now()),
    }
    answer = RedirectResponse(f"{AUTHORIZE}?{urlencode(asked)}#wechat_redirect", 303)
    _set(answer, BROWSER, browser, int(states.LIVES.total_seconds()))
    return answer


@router.get(
    "/v1/family/wechat/{account}/session",
    status_code=303,
    response_class=RedirectResponse,
    summary="Where WeChat's sign-in page leads: signed in, if this WeChat is bound to a phone",
)
@allow("family.sign_in", own_transaction=True)
async def come_back(
    request: Request,
    database: DatabaseDep,
    account: Account,
    code: Given = "",
    state: Given = "",
    browser: Annotated[str, Cookie(alias=BROWSER)] = "",
) -> RedirectResponse:
    await _use_state(database, account, state, browser)
    session = await _session(request, database, account, code, "official")
    answer = RedirectResponse(f"{request.app.state.settings.public_url}/", 303)
    _set(answer, COOKIE, session.token, int(codes.FAMILY_SESSION.total_seconds()))
    answer.delete_cookie(BROWSER, secure=True, httponly=True)
    return answer


@router.post(
    "/v1/family/wechat/{account}/sessions",
    status_code=201,
    response_model=PhoneSessionView,
    summary="Sign in from a mini-program, if this WeChat is bound to a phone",
)
@allow("family.sign_in", keyed=False, own_transaction=True)
async def open_session(
    request: Request, response: Response, database: DatabaseDep, account: Account, body: WechatCodeBody
) -> Any:
    response.headers["Cache-Control"] = "no-store"
    return await _session(request, database, account, body.code, "mini_program")


@router.put(
    "/v1/family/wechat/{account}/binding",
    status_code=204,
    summary="This WeChat, in the mini-program, is mine: I have signed in by phone",
)
@allow("family.requests", keyed=False)
async def bind(
    request: Request, tx: TxDep, database: DatabaseDep, caller: CallerDep, account: Account, body: WechatCodeBody
) -> None:
    phone = await families.phone_of(tx, caller)
    openid = await _openid(request, database, account, body.code, "mini_program")
    await contacts.bind_sender(tx, "wechat", account, openid, phone)


async def _use_state(database: Database, account: str, state: str, browser: str) -> None:
    ends, now = states.expiry(database.vault, state, account, browser), clock.now()
    if ends is None or ends < now.timestamp():
        raise _refused()
    async with database.transaction() as tx:
        await queries.forget_states(tx, now)
        if not await queries.use_state(tx, states.used(state), datetime.fromtimestamp(ends, UTC)):
            raise _refused()


async def _session(request: Request, database: Database, account: str, code: str, kind: str) -> PhoneSession:
    """Raises Unauthorized for a code that WeChat does not know, Conflict for an openid that nobody has bound."""
    openid = await _openid(request, database, account, code, kind)
    async with database.transaction() as tx:
        phone = await contacts.phone_of_sender(tx, "wechat", account, contacts.sender_index(tx, openid))
        if phone is None:
            raise Conflict("wechat_not_bound", "sign in by phone once, and bind this WeChat")
        return await codes.family_session(tx, codes.phone_index(tx.vault, phone))


async def _openid(request: Request, database: Database, account: str, code: str, kind: str) -> str:
    api: WeChatApi = request.app.state.wechat
    async with database.transaction() as tx:
        known = await accounts.credentials(tx, account)
    if known.kind != kind:
        raise Conflict("wechat_account_of_another_kind", f"this account is no {kind}")
    if not code:
        raise _refused()
    ask = api.openid_by_mini_program if kind == "mini_program" else api.openid_by_page
    try:
        return await ask(known.appid, known.secret, code)
    except Failed as failure:
        if failure.code in BUSY:
            raise _silent() from None
        raise _refused() from None
    except (NotReached, Unknown):
        raise _silent() from None


def _set(answer: Response, name: str, value: str, seconds: int) -> None:
    answer.set_cookie(name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="lax")


def _refused() -> Unauthorized:
    return Unauthorized("wechat_sign_in_failed", "begin again: this way was used, is too old, or is not yours")


def _silent() -> Unavailable:
    return Unavailable("wechat_unreachable", "WeChat does not answer")
