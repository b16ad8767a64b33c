"""What an operator does about somebody on the desk besides an order: be connected, take a complaint about a visit."""

from __future__ import annotations

import httpx
from playwright.async_api import expect

from tests.faces.axe import violations
from tests.faces.conftest import Site, Visiting, sign_in
from tests.world.accounts import make_app_key
from tests.world.intake import signed_post


async def test_the_exchange_calls_whom_a_task_is_about(site: Site, visiting: Visiting) -> None:
    async with site.database.transaction() as tx:
        elder_id = await tx.fetchval("SELECT elder_id FROM elder_phone LIMIT 1")
        exchange = await make_app_key(tx, kind="telephony", name="pbx")
    context = await visiting()
    await sign_in(context, site, "operator")
    page = await context.new_page()
    await page.goto(f"{site.url}/console?elder={elder_id}")
    await page.keyboard.press("Alt+H")
    await expect(page.locator("#said")).to_contain_text("请先在右上角填好您的分机")
    await page.fill("#presence [name=extension]", "8001")
    await page.select_option("#presence [name=state]", "ready")
    await page.click("#presence button")
    await expect(page.locator("#presence")).to_have_attribute("data-agent", "8001")
    async with httpx.AsyncClient(base_url=site.url) as pbx:
        for result, words in (("failed", "没有接通"), ("started", "已振铃")):
            await page.keyboard.press("Alt+H")
            await expect(page.locator(".dial [role=status]")).to_contain_text("请拿起分机 8001")
            (taken,) = (await signed_post(pbx, exchange, "/channels/phone/dials/taken", {"wait": 5})).json()["dials"]
            assert (taken["extension"], taken["number"][:3]) == ("8001", "+86")
            await signed_post(pbx, exchange, f"/channels/phone/dials/{taken['id']}/outcome", {"result": result})
            await expect(page.locator(".dial [role=status]")).to_contain_text(words)
    assert await violations(page) == []


async def test_a_complaint_says_which_order_it_is_about(site: Site, visiting: Visiting) -> None:
    async with site.database.transaction() as tx:
        order = await tx.fetchrow("SELECT id, elder_id FROM care_order WHERE status = 'completed' LIMIT 1")
    context = await visiting()
    await sign_in(context, site, "operator")
    page = await context.new_page()
    await page.goto(f"{site.url}/console?elder={order['elder_id']}")
    about = page.locator(f"[name=order_id][value='{order['id']}']")
    await expect(about).not_to_be_visible()
    await page.keyboard.press("Alt+C")
    await about.check()
    assert await violations(page) == []
    await page.keyboard.press("Alt+N")
    await page.keyboard.type("约好九点，十点半才到")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#placed")).to_contain_text("已登记")
    async with site.database.transaction() as tx:
        found = await tx.fetch("SELECT order_id FROM complaint WHERE elder_id = $1", order["elder_id"])
    assert order["id"] in [row["order_id"] for row in found]


async def test_a_refusal_names_its_field_and_leads_there(site: Site, visiting: Visiting) -> None:
    context = await visiting()
    await sign_in(context, site, "operator")
    page = await context.new_page()
    await page.goto(f"{site.url}/console")
    await page.keyboard.press("Alt+M")
    form = page.locator("#elder-form")
    await form.locator("[name=name]").fill("周小满")
    await page.keyboard.press("Tab")
    await page.keyboard.type("ljl")
    await page.keyboard.press("Enter")
    phone = form.locator("[name=phone]")
    await phone.fill("没有电话")
    await page.keyboard.press("Enter")
    await expect(page.locator("#refusal strong")).to_have_text("电话")
    await expect(phone).to_have_attribute("aria-invalid", "true")
    await expect(phone).to_be_focused()
    assert await violations(page) == []
    await page.keyboard.press("Backspace")
    await expect(phone).not_to_have_attribute("aria-invalid", "true")
    await expect(form.locator("[name=name]")).to_have_value("周小满")
