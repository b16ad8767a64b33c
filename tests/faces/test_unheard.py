"""A desk whose stream says nothing: a proxy may hold it back, and a session ends. Alarms are seen all the same."""

from __future__ import annotations

import re

from playwright.async_api import BrowserContext, Route, expect

from tests.faces.conftest import Site, Visiting, keep_session, sign_in
from tests.faces.test_incidents import newest, press

ROW = ".board-row:not([hidden])"


async def without_stream(context: BrowserContext) -> None:
    async def held_back(_: Route) -> None:
        """Never answered, as by a proxy that waits for the end of what has none."""

    await context.route("**/v1/desk/stream*", held_back)


async def test_alarms_and_the_board_are_shown_without_the_stream(site: Site, visiting: Visiting) -> None:
    await press(site, 5)
    context = await visiting()
    await sign_in(context, site, "operator")
    await without_stream(context)
    page = await context.new_page()
    await page.goto(f"{site.url}/console/board")
    await page.wait_for_selector(ROW)
    await expect(page.locator(f'.alarm[data-incident="{await newest(site)}"]')).to_be_visible()
    await expect(page.locator("#link")).to_contain_text("实时连接中断")
    link = page.locator(".alarm a").first
    await link.focus()
    await page.evaluate("htmx.trigger('#alarms', 'desk:incident')")
    async with page.expect_response(re.compile("incidents/strip")):
        await page.evaluate("document.dispatchEvent(new CustomEvent('desk:unheard'))")
    await expect(link).to_be_focused()
    assert "every" in str(await page.get_attribute("#alarms", "hx-trigger")), "asked even if no script tells it to"


async def test_a_desk_whose_session_ended_leads_to_the_sign_in_page(site: Site, visiting: Visiting) -> None:
    context = await visiting()
    await sign_in(context, site, "operator")
    page = await context.new_page()
    await page.route("**/v1/desk/stream*", lambda route: route.fulfill(status=401))
    await page.goto(f"{site.url}/console")
    await page.wait_for_selector("html[data-ready]")
    await keep_session(context, site, "nobody's")
    await page.wait_for_url(re.compile(r"/sign-in\?next="), timeout=12_000)
