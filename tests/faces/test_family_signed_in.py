"""Relatives sign in with their telephone: what they see, ask for, decide and print; and what they never see."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
from playwright.async_api import BrowserContext, Page

from app.accounts import codes, queries_records, tokens
from app.core import clock
from app.core.http import SYSTEM
from app.elders import cards, registration
from app.elders.facts import NewFamilyMember
from tests.faces.axe import violations
from tests.faces.conftest import Site, Visiting, keep_session
from tests.faces.test_frame import HTML
from tests.world.visits import make_assigned_order, make_visit

PHONE = "13800000001"
CODE = "246810"


@dataclass(frozen=True)
class Family:
    """A guardian of one elder of the demo world, who has an order to come and one that is over; and a session."""

    elder: UUID
    coming: UUID
    over: UUID
    other_elder: UUID
    other_order: UUID
    token: str

    @property
    def home(self) -> str:
        return f"/family/elders/{self.elder}"


@pytest.fixture(scope="module")
async def family(site: Site) -> Family:
    async with site.database.transaction() as tx:
        mine, theirs = [row["id"] for row in await tx.fetch("SELECT id FROM elder ORDER BY id LIMIT 2")]
        member = NewFamilyMember(name="曾丽", relation="guardian", phone=PHONE, approved=True)
        await registration.add_family(tx, mine, member)
        who = await tx.fetchrow("SELECT id, provider_id FROM caregiver ORDER BY id LIMIT 1")
        hands: dict[str, Any] = {"provider_id": who["provider_id"], "caregiver_id": who["id"]}
        coming = await make_assigned_order(tx, elder_id=mine, **hands)
        over = await make_visit(tx, elder_id=mine, **hands)
        other = await make_visit(tx, elder_id=theirs, **hands)
        await cards.issue(tx, SYSTEM, mine)
        token = await session(tx)
    return Family(mine, coming.order_id, over.order_id, theirs, other.order_id, token)


async def session(tx: Any) -> str:
    token, now = tokens.new_token(tokens.FAMILY), clock.now()
    index = codes.phone_index(tx.vault, "+86" + PHONE)
    await queries_records.open_family(tx, tokens.hash_of(token), index, now, now + codes.FAMILY_SESSION)
    return token


async def signed_in(site: Site, family: Family, context: BrowserContext) -> Page:
    await keep_session(context, site, family.token)
    return await context.new_page()


async def test_signing_in_by_code_without_javascript(
    site: Site, family: Family, visiting: Visiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codes.secrets, "randbelow", lambda _: int(CODE))
    page = await (await visiting(width=360, java_script_enabled=False)).new_page()
    await page.goto(f"{site.url}{family.home}")
    assert page.url.startswith(f"{site.url}/family/sign-in?next=")
    await page.fill("#phone", "12")
    await page.get_by_role("button", name="获取验证码").click()
    assert await page.get_attribute("#phone", "aria-invalid") == "true"
    await page.fill("#phone", PHONE)
    await page.get_by_role("button", name="获取验证码").click()
    await page.fill("#code", "000000")
    await page.get_by_role("button", name="登录", exact=True).click()
    assert await page.is_visible("#wrong")
    await page.fill("#code", CODE)
    await page.get_by_role("button", name="登录", exact=True).click()
    assert page.url == f"{site.url}{family.home}", "back to where they wanted to be"
    assert PHONE not in page.url
    await page.get_by_role("button", name="退出").click()
    assert page.url == f"{site.url}/family/sign-in"
    await page.goto(f"{site.url}/family")
    assert "/family/sign-in" in page.url


async def test_every_page_of_theirs_is_accessible_and_fits(site: Site, family: Family, visiting: Visiting) -> None:
    page = await signed_in(site, family, await visiting(width=360))
    paths = ("/family", family.home, f"{family.home}/orders/{family.over}", f"{family.home}/request")
    for path in (*paths, f"{family.home}/consents", f"{family.home}/card", "/family/messages"):
        answer = await page.goto(site.url + path)
        assert answer is not None
        assert answer.status == 200, path
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360, path
        assert await violations(page) == [], path


async def test_asking_for_a_service_with_its_price(site: Site, family: Family, visiting: Visiting) -> None:
    page = await signed_in(site, family, await visiting(width=360, java_script_enabled=False))
    await page.goto(f"{site.url}{family.home}/request")
    await page.select_option("#item_code", "clean_home")
    await page.get_by_text("下午 12–6 点").click()
    await page.fill("#note", "有𠮷先生在家开门")
    await page.get_by_role("button", name="看价格").click()
    assert "您家需付" in await page.inner_text("main")
    await page.get_by_role("button", name="返回修改").click()
    assert await page.is_checked("input[value=afternoon]"), "what was filled in is still there"
    await page.get_by_role("button", name="看价格").click()
    async with site.database.transaction() as tx:
        before = [row["id"] for row in await tx.fetch("SELECT id FROM care_request")]
    await page.get_by_role("button", name="同意价格并提交").click()
    assert page.url.startswith(site.url + family.home)
    async with site.database.transaction() as tx:
        (made,) = await tx.fetch("SELECT * FROM care_request WHERE id <> ALL($1::uuid[])", before)
    assert (made["elder_id"], made["channel"], made["item_code"]) == (family.elder, "web", "clean_home")
    assert "已提交" in await page.inner_text("main")


async def test_a_day_that_is_over_is_said_on_the_form(site: Site, family: Family) -> None:
    async with client(site, family) as http:
        form = {"item_code": "clean_home", "day": "2020-01-01", "part": "morning", "note": "少盐"}
        answer = await http.post(f"{family.home}/request/quote", data=form)
    assert answer.status_code == 422
    assert "这个时间已经过去了" in answer.text
    assert "少盐" in answer.text, "what was typed stays"


@pytest.mark.parametrize(
    "form",
    [
        {"day": "9999-12-31"}, {"day": "x"}, {"part": "night"}, {"minutes": "0"}, {"item_code": "nothing_like_it"},
        {"note": "x" * 5000}, {"unknown": "1"}, {"item_code": "clean_home", "minutes": "1439"},
    ],
)  # fmt: skip
async def test_a_form_that_cannot_be_meant_is_refused(site: Site, family: Family, form: dict[str, str]) -> None:
    async with client(site, family) as http:
        assert (await http.post(f"{family.home}/request/quote", data=form)).status_code == 422
        asked = await http.post(f"{family.home}/request", data=form | {"once": str(form)[:80]})
    assert asked.status_code in {303, 404, 422}, "never a failure of ours"


async def test_a_price_that_changed_is_refused(site: Site, family: Family) -> None:
    async with client(site, family) as http:
        form = {"item_code": "clean_home", "price_fen": "1", "copay_fen": "1", "once": "a-key-of-one-form"}
        answer = await http.post(f"{family.home}/request", data=form)
    assert answer.status_code == 409
    assert "价格刚刚有变化" in answer.text


async def test_a_guardian_decides_and_others_are_told_why_not(site: Site, family: Family, visiting: Visiting) -> None:
    page = await signed_in(site, family, await visiting(java_script_enabled=False))
    await page.goto(f"{site.url}{family.home}/consents")
    notices = page.locator("li", has_text="短信告知家属")
    await notices.get_by_role("button").click()
    assert "未同意" in await notices.inner_text()
    await notices.get_by_role("button").click()
    assert "已同意" in await notices.inner_text()


async def test_rating_and_who_looked(site: Site, family: Family, visiting: Visiting) -> None:
    page = await signed_in(site, family, await visiting(java_script_enabled=False))
    await page.goto(f"{site.url}{family.home}/orders/{family.over}")
    assert "还没有人打开过" in await page.inner_text("main")
    await page.locator(".stars label").nth(4).click()
    await page.get_by_role("button", name="提交评价").click()
    assert "很满意" in await page.inner_text("#rate")


async def test_nothing_of_anybody_elses(site: Site, family: Family) -> None:
    theirs, mine = f"/family/elders/{family.other_elder}", family.home
    async with client(site, family) as http:
        for path in ("", "/request", "/consents", "/card", "/card.svg", f"/orders/{family.other_order}"):
            assert (await http.get(theirs + path)).status_code == 404, path
        assert (await http.get(f"{mine}/orders/{family.other_order}")).status_code == 404
        for path, form in (
            ("/calendar", {}), ("/calendar/closing", {}), ("/consents", {"purpose": "family_page"}),
            (f"/orders/{family.other_order}/rating", {"score": "1"}), ("/request", {"item_code": "clean_home"}),
            ("/request/quote", {"item_code": "clean_home"}),
        ):  # fmt: skip
            answer = await http.post(theirs + path, data=form | {"once": f"key-{path}"})
            assert answer.status_code == 404, path
    async with httpx.AsyncClient(base_url=site.url, headers=HTML) as nobody:
        for path in ("/family", mine, "/family/messages", f"{mine}/card.svg"):
            assert (await nobody.get(path)).headers["location"].startswith("/family/sign-in")
    async with client(site, family, origin="https://evil.example") as http:
        answer = await http.post(f"{mine}/calendar", data={"once": "k"})
        assert answer.status_code == 303, "another site's form is nobody's"
        assert "/family/sign-in" in answer.headers["location"]


async def test_a_calendar_can_be_subscribed_to_and_taken_back(site: Site, family: Family) -> None:
    async with client(site, family) as http:
        page = (await http.post(f"{family.home}/calendar", data={"once": "calendar-1"})).text
        found = re.search(r'value="[^"]*(/family/calendar/[^"]+\.ics)"', page)
        assert found is not None
        async with httpx.AsyncClient(base_url=site.url) as program:
            answer = await program.get(found[1])
            assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
            assert f"UID:order-{family.coming}@" in answer.text.replace("\r\n ", "")
            assert str(family.other_order) not in answer.text
            assert (await program.get(found[1].replace("/calendar/", "/calendar/x"))).status_code == 404
            assert (await program.get(f"/f/{found[1].split('/')[-1][:-4]}")).status_code == 404, "no link to an order"
            await http.post(f"{family.home}/calendar/closing", data={"once": "calendar-2"})
            assert (await program.get(found[1])).status_code == 404


async def test_the_card_prints_at_the_size_of_a_card(site: Site, family: Family, visiting: Visiting) -> None:
    page = await signed_in(site, family, await visiting())
    await page.goto(f"{site.url}{family.home}/card")
    await page.emulate_media(media="print")
    box = await page.locator(".elder-card img").bounding_box()
    assert box is not None
    assert (round(box["width"]), round(box["height"])) == (324, 204)  # 85.6 × 54 mm at 96 dots an inch
    assert await page.evaluate("document.querySelector('.elder-card img').naturalWidth") > 0
    assert not await page.locator("nav.places").is_visible()


async def test_home_by_keyboard(site: Site, family: Family, visiting: Visiting) -> None:
    page = await signed_in(site, family, await visiting(width=360))
    await page.goto(f"{site.url}/family")
    seen = []
    for _ in range(9):
        await page.keyboard.press("Tab")
        seen.append((await page.evaluate("document.activeElement.innerText")).strip().split("\n")[0])
        assert await page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid", seen[-1]
    assert seen[0] == "跳到正文"
    assert seen[2:7] == ["拨打 12349", "我家的老人", "收到的消息", "服务与价格", "退出"]


def client(site: Site, family: Family, origin: str | None = None) -> httpx.AsyncClient:
    headers = HTML | {"Origin": origin or site.url, "Cookie": f"__Host-nuanxian={family.token}"}
    return httpx.AsyncClient(base_url=site.url, headers=headers)
