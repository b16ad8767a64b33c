"""What was refused after its ten seconds is explained in the server's words, and an ended session is no success."""

from __future__ import annotations

from typing import Any

from playwright.async_api import expect

from tests.faces.conftest import Site, Visiting, keep_session
from tests.faces.test_order_page import by_hand, opened


async def dispatched(site: Site) -> Any:
    async with site.database.transaction() as tx:
        row = await tx.fetchrow("SELECT id FROM care_order WHERE status = 'dispatched' AND flags = '{}' ORDER BY id")
    assert row is not None
    return row


async def test_a_refusal_is_told_in_the_servers_words(site: Site, visiting: Visiting) -> None:
    order = await dispatched(site)
    page = await opened(site, visiting, order)
    await page.goto(f"{site.url}/console/orders/{order['id']}/assignment")
    await page.clock.install()
    await page.fill("[name=reason]", "家属指定")
    async with site.database.transaction() as tx:
        await tx.run("UPDATE care_order SET flags = '{suspended}' WHERE id = $1", order["id"])
    await page.keyboard.press("Control+Enter")
    await page.wait_for_selector("#undo button")
    await page.clock.run_for(11_000)
    await expect(page.locator("#undo")).to_contain_text("这一单被暂缓或有异常")
    async with site.database.transaction() as tx:
        await tx.run("UPDATE care_order SET flags = '{}' WHERE id = $1", order["id"])


async def test_an_ended_session_is_said_and_what_was_filled_in_stays(site: Site, visiting: Visiting) -> None:
    order = await dispatched(site)
    page = await opened(site, visiting, order)
    await page.goto(f"{site.url}/console/orders/{order['id']}/assignment")
    await page.clock.install()
    await page.fill("[name=reason]", "家属指定")
    await keep_session(page.context, site, "nobody's")
    await page.keyboard.press("Control+Enter")
    await page.wait_for_selector("#undo button")
    await page.clock.run_for(11_000)
    await expect(page.locator("#undo")).to_contain_text("登录已过期")
    await expect(page.locator("[name=reason]")).to_have_value("家属指定")
    assert await by_hand(site, order) == 0
