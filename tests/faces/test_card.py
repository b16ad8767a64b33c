"""The card in an elder's pocket, scanned by a stranger: help is asked for with a script and without one."""

from __future__ import annotations

from uuid import UUID, uuid4

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.faces.conftest import Site, Visiting


@pytest.fixture
async def card(site: Site) -> str:
    """The address of a new card, and of nobody's before."""
    who = site.staff("operator")
    async with httpx.AsyncClient(base_url=site.url) as client:
        body = {"username": who["username"], "password": who["password"]}
        token = (await client.post("/v1/sessions", json=body)).json()["token"]
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid4())}
        async with site.database.transaction() as tx:
            elder: UUID = await tx.fetchval("SELECT id FROM elder ORDER BY random() LIMIT 1")
        made = await client.post(f"/v1/elders/{elder}/cards", headers=headers)
    assert made.status_code == 201, made.text
    return f"{site.url}/c/{made.json()['url'].rpartition('/')[2]}"


async def cries(site: Site) -> int:
    async with site.database.transaction() as tx:
        return int(await tx.fetchval("SELECT count(*) FROM care_request WHERE taken_by LIKE 'card:%'"))


async def ask(page: Page, words: str) -> None:
    await page.get_by_label("不便打电话时").fill(words)
    await page.get_by_label("您的电话").fill("13812345678")
    await page.keyboard.press("Enter")


async def test_without_a_script_it_is_asked_and_said(site: Site, visiting: Visiting, card: str) -> None:
    before = await cries(site)
    page = await (await visiting(width=360, java_script_enabled=False)).new_page()
    await page.goto(card)
    await ask(page, "老人摔倒了")
    await expect(page.get_by_role("status").first).to_contain_text("已收到")
    assert page.url == card, "no word of it is in the address"
    assert await cries(site) == before + 1
    await page.reload()
    await expect(page.get_by_role("status").first).to_contain_text("已收到")
    assert await cries(site) == before + 1, "loaded again, not asked again"
    await ask(page, "老人喘不上气")
    await expect(page.get_by_role("status").first).to_contain_text("已收到")
    assert await cries(site) == before + 2


async def test_another_message_from_the_same_page_is_another_cry(site: Site, visiting: Visiting, card: str) -> None:
    before = await cries(site)
    context = await visiting(width=360)
    page = await context.new_page()
    await page.goto(card)
    await context.set_offline(True)
    await ask(page, "老人摔倒了")
    await expect(page.locator("#said")).to_contain_text("没有送达")
    await context.set_offline(False)
    for number, words in enumerate(("老人摔倒了", "老人喘不上气"), 1):
        async with page.expect_response(card) as answered:
            await ask(page, words)
        assert (await answered.value).status == 201
        await expect(page.locator("#said")).to_contain_text("已收到")
        assert await cries(site) == before + number


async def test_a_lost_answer_asks_once(site: Site, visiting: Visiting, card: str) -> None:
    before = await cries(site)
    page = await (await visiting(width=360)).new_page()
    await page.goto(card)

    async def tear(route) -> None:  # type: ignore[no-untyped-def]
        await route.fetch()
        await route.abort()

    await page.route(card, tear)
    await ask(page, "老人摔倒了")
    await expect(page.locator("#said")).to_contain_text("没有送达")
    await page.unroute(card)
    await ask(page, "老人摔倒了")
    await expect(page.locator("#said")).to_contain_text("已收到")
    assert await cries(site) == before + 1
