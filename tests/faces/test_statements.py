"""Settlement statements on the screen and on paper."""

from __future__ import annotations

from playwright.async_api import expect

from app.web.wording import yuan
from tests.faces.axe import violations
from tests.faces.conftest import Site, Visiting, shot, sign_in


async def test_a_statement_is_found_read_and_printed(site: Site, visiting: Visiting) -> None:
    async with site.database.transaction() as tx:
        row = await tx.fetchrow("SELECT * FROM statement WHERE status <> 'void' ORDER BY lines DESC LIMIT 1")
    context = await visiting()
    await sign_in(context, site, "auditor")
    page = await context.new_page()
    await page.goto(f"{site.url}/cockpit/statements?month={row['period']}")
    assert await violations(page) == []
    await page.get_by_role("link", name=row["number"]).click()
    await expect(page.locator("h1")).to_contain_text(row["number"])
    assert await page.locator("tbody tr").count() == row["lines"]
    await expect(page.locator(".sums")).to_contain_text(yuan(row["due_fen"]))
    assert await violations(page) == []
    await page.emulate_media(media="print")
    await expect(page.locator(".signatures")).to_be_visible()
    await expect(page.locator("[data-print]")).not_to_be_visible()
    await page.screenshot(path=shot("statement-on-paper"), full_page=True)


async def test_an_administrator_sees_no_money(site: Site, visiting: Visiting) -> None:
    context = await visiting()
    await sign_in(context, site, "administrator")
    page = await context.new_page()
    await page.goto(f"{site.url}/cockpit")
    assert await page.locator("a[href^='/cockpit/statements']").count() == 0
    answer = await page.goto(f"{site.url}/cockpit/statements")
    assert answer is not None
    assert answer.status == 403
