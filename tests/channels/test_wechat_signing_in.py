"""Families who are known by WeChat: bound openids, states that lead once, and nothing of WeChat's for anybody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from app.accounts import codes, guard
from app.channels.wechat import accounts, states
from app.core import clock
from app.core.db import Database
from app.core.http import SYSTEM
from app.elders import registration
from app.elders.facts import NewFamilyMember
from app.intake import contacts
from app.main import create_app
from tests.channels.wechat_stub import Stub, wechat_stub
from tests.conftest import vault
from tests.world.intake import AES_KEY

PHONE, OPENID = "+8613800000007", "oDaughter"
NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
BEGIN, BACK = "/v1/family/wechat/jinchang/authorization", "/v1/family/wechat/jinchang/session"
MINI = "/v1/family/wechat/mini"


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    async with wechat_stub() as stub:
        stub.answers = [{"openid": OPENID, "session_key": "never-to-leave", "access_token": "nor-this"}]
        yield stub


@pytest.fixture
async def app(settings: Any, clean_database: Database, stub: Stub, town: Any) -> AsyncIterator[FastAPI]:
    async with clean_database.transaction() as tx:
        for account, kind in (("jinchang", "official"), ("mini", "mini_program")):
            await accounts.put_account(
                tx, SYSTEM, account, appid=f"wx-{account}", token="t", aes_key=AES_KEY, kind=kind, secret="app-secret"
            )
        member = NewFamilyMember("王芳", "child", PHONE, approved=True)
        await registration.add_family(tx, town.elder, member)
    app = create_app(settings.model_copy(update={"wechat_url": stub.url}), clean_database)
    yield app
    await app.state.wechat.close()


def browser_of(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="https://nuanxian.test")


@pytest.fixture
async def browser(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with browser_of(app) as browser:
        yield browser


async def bound(database: Database, account: str) -> None:
    async with database.transaction() as tx:
        await contacts.bind_sender(tx, "wechat", account, OPENID, PHONE)


async def begun(browser: httpx.AsyncClient) -> str:
    """Go to WeChat's page; the state that comes back from there."""
    answer = await browser.get(BEGIN)
    assert answer.status_code == 303
    where = urlsplit(answer.headers["location"])
    asked = {name: values[0] for name, values in parse_qs(where.query).items()}
    assert (where.netloc, where.path, where.fragment) == (
        "open.weixin.qq.com", "/connect/oauth2/authorize", "wechat_redirect",
    )  # fmt: skip
    assert asked == {
        "appid": "wx-jinchang", "redirect_uri": f"https://nuanxian.test{BACK}", "response_type": "code",
        "scope": "snsapi_base", "state": asked["state"],
    }  # fmt: skip
    cookie = answer.headers["set-cookie"]
    assert all(word in cookie for word in ("__Host-", "HttpOnly", "Secure", "SameSite=lax", "Path=/"))
    return asked["state"]


async def test_a_page_in_wechat_signs_in_whoever_has_bound_it(
    browser: httpx.AsyncClient, stub: Stub, clean_database: Database, town: Any
) -> None:
    await bound(clean_database, "jinchang")
    state = await begun(browser)
    assert len(state) <= 128
    assert state.isalnum()
    answer = await browser.get(BACK, params={"code": "c0de", "state": state})
    assert (answer.status_code, answer.headers["location"]) == (303, "https://nuanxian.test/")
    (asked,) = stub.asked
    assert (asked.method, asked.path) == ("GET", "/sns/oauth2/access_token")
    assert asked.query == {
        "appid": "wx-jinchang", "secret": "app-secret", "code": "c0de", "grant_type": "authorization_code",
    }  # fmt: skip
    assert guard.COOKIE in browser.cookies
    elders = await browser.get("/v1/family/elders")
    assert [UUID(one["id"]) for one in elders.json()] == [town.elder], "the cookie is the session of phone and code"
    assert "never-to-leave" not in str(answer.headers) + answer.text


async def test_a_state_leads_once_in_one_browser_for_ten_minutes(
    app: FastAPI, browser: httpx.AsyncClient, stub: Stub, clean_database: Database
) -> None:
    await bound(clean_database, "jinchang")
    state = await begun(browser)
    elsewhere = "/v1/family/wechat/mini/session"
    async with browser_of(app) as stranger:
        await begun(stranger)
        assert (await stranger.get(BACK, params={"code": "c", "state": state})).status_code == 401, "another browser"
    async with browser_of(app) as nobody:
        assert (await nobody.get(BACK, params={"code": "c", "state": state})).status_code == 401, "no cookie"
    for wrong in (state[:-1], state[:-1] + ("0" if state[-1] != "0" else "1"), "", "x" * 64):
        assert (await browser.get(BACK, params={"code": "c", "state": wrong})).status_code == 401
    assert (await browser.get(elsewhere, params={"code": "c", "state": state})).status_code == 401, "another account"
    with clock.hold(clock.now() + timedelta(minutes=11)):
        assert (await browser.get(BACK, params={"code": "c", "state": state})).status_code == 401, "too old"
    assert stub.asked == [], "nobody was asked for any of them"
    kept = dict(browser.cookies)
    assert (await browser.get(BACK, params={"code": "c", "state": state})).status_code == 303
    browser.cookies.update(kept)
    again = await browser.get(BACK, params={"code": "c", "state": state})
    assert (again.status_code, again.json()["code"]) == (401, "wechat_sign_in_failed")
    assert len(stub.asked) == 1


async def test_a_mini_program_signs_in_and_keeps_its_session_key_to_itself(
    browser: httpx.AsyncClient, stub: Stub, clean_database: Database, town: Any
) -> None:
    await bound(clean_database, "mini")
    answer = await browser.post(f"{MINI}/sessions", json={"code": "c0de"})
    assert answer.status_code == 201
    assert set(answer.json()) == {"token", "expires_at"}
    (asked,) = stub.asked
    assert (asked.path, asked.query["js_code"]) == ("/sns/jscode2session", "c0de")
    headers = {"Authorization": f"Bearer {answer.json()['token']}"}
    elders = await browser.get("/v1/family/elders", headers=headers)
    assert [UUID(one["id"]) for one in elders.json()] == [town.elder]


async def test_an_unbound_wechat_is_bound_after_signing_in_by_phone(
    browser: httpx.AsyncClient, stub: Stub, clean_database: Database
) -> None:
    answer = await browser.post(f"{MINI}/sessions", json={"code": "c0de"})
    assert (answer.status_code, answer.json()["code"]) == (409, "wechat_not_bound")
    assert (await browser.put(f"{MINI}/binding", json={"code": "c0de"})).status_code == 401
    async with clean_database.transaction() as tx:
        signed_in = await codes.family_session(tx, codes.phone_index(tx.vault, PHONE))
    headers = {"Authorization": f"Bearer {signed_in.token}"}
    assert (await browser.put(f"{MINI}/binding", json={"code": "c0de"}, headers=headers)).status_code == 204
    assert (await browser.post(f"{MINI}/sessions", json={"code": "c0de"})).status_code == 201


async def test_accounts_are_what_they_are(browser: httpx.AsyncClient, stub: Stub) -> None:
    official = await browser.post("/v1/family/wechat/jinchang/sessions", json={"code": "c"})
    assert (official.status_code, official.json()["code"]) == (409, "wechat_account_of_another_kind")
    assert (await browser.post("/v1/family/wechat/nobody/sessions", json={"code": "c"})).status_code == 404
    assert (await browser.get("/v1/family/wechat/nobody/authorization")).status_code == 404
    assert stub.asked == []


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"errcode": 40029, "errmsg": "invalid code"}, 401), ({"errcode": "40163"}, 401), ({"errcode": -1}, 503),
        ({"errcode": 45011}, 503), (b"", 503), ({}, 503), ({"openid": 7}, 503), ({"openid": ""}, 503),
    ],
)  # fmt: skip
async def test_what_wechat_says_to_a_code(answer: Any, status: int, browser: httpx.AsyncClient, stub: Stub) -> None:
    stub.answers = [answer]
    assert (await browser.post(f"{MINI}/sessions", json={"code": "c"})).status_code == status


@given(state=st.one_of(st.text(max_size=70), st.text(alphabet="0123456789abcdef", min_size=64, max_size=64)))
def test_no_guessed_state_is_ours(state: str) -> None:
    assert states.expiry(vault(), state, "jinchang", "browser") is None


@given(at=st.integers(0, 63), account=st.text(max_size=10), secret=st.text(max_size=10))
def test_a_state_is_whole_or_none(at: int, account: str, secret: str) -> None:
    state = states.issue(vault(), "jinchang", "browser", NOW)
    assert states.expiry(vault(), state, "jinchang", "browser") == (NOW + states.LIVES).timestamp()
    changed = state[:at] + ("0" if state[at] != "0" else "1") + state[at + 1 :]
    assert states.expiry(vault(), changed, "jinchang", "browser") is None
    assert states.expiry(vault(), state, account, "browser") is None
    assert states.expiry(vault(), state, "jinchang", secret) is None
