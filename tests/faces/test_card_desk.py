"""The elder's card at the desk: issued, printed at its size, void when it is lost; each is written down."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Page, expect

from tests.faces.axe import violations
from tests.faces.conftest import Site, Visiting, sign_in


async def elder_without_card(site: Site) -> Any:
    async with site.database.transaction() as tx:
        return await tx.fetchval(
            """SELECT id FROM elder WHERE status = 'active' AND id NOT IN (SELECT elder_id FROM elder_card)
            ORDER BY id DESC LIMIT 1"""
        )


async def kept(site: Site, elder_id: Any, action: str) -> int:
    async with site.database.transaction() as tx:
        sql = "SELECT count(*) FROM audit_entry WHERE action = $1 AND object_id = $2"
        return int(await tx.fetchval(sql, action, str(elder_id)))


async def opened(site: Site, visiting: Visiting, role: str, **options: Any) -> Page:
    context = await visiting(**options)
    await sign_in(context, site, role)
    return await context.new_page()


async def test_a_card_is_issued_printed_and_made_void(site: Site, visiting: Visiting) -> None:
    elder_id = await elder_without_card(site)
    page = await opened(site, visiting, "operator", java_script_enabled=False)
    await page.goto(f"{site.url}/console?elder={elder_id}")
    link = page.locator(f"#person a[href='/console/elders/{elder_id}/card']")
    await expect(link).to_be_visible()
    await page.goto(f"{site.url}/console/elders/{elder_id}/card")
    await page.locator("main form button").click()
    await expect(page.locator(".notice-line")).to_contain_text("卡号")
    assert await kept(site, elder_id, "elders.issue_card") == 1
    assert await kept(site, elder_id, "elders.print_card") == 0
    await page.locator("a[href$='?shown=1']").click()
    await page.emulate_media(media="print")
    box = await page.locator(".elder-card img").bounding_box()
    assert box is not None
    assert (round(box["width"]), round(box["height"])) == (324, 204)  # 85.6 × 54 mm at 96 dots an inch
    await expect(page.locator("summary")).not_to_be_visible()
    assert await kept(site, elder_id, "elders.print_card") == 1
    await page.emulate_media(media="screen")
    await page.locator("summary").click()
    await page.locator("form[action$='/revocation'] button").click()
    await expect(page.locator(".notice-line")).to_contain_text("还没有关爱卡")
    assert await kept(site, elder_id, "elders.revoke_card") == 1


async def test_a_station_sees_that_there_is_no_card_and_issues_none(site: Site, visiting: Visiting) -> None:
    async with site.database.transaction() as tx:
        elder_id = await tx.fetchval("SELECT id FROM elder WHERE division_code LIKE '620321101%' ORDER BY id LIMIT 1")
    page = await opened(site, visiting, "station")
    await page.goto(f"{site.url}/console/elders/{elder_id}/card?shown=1")
    await expect(page.locator(".notice-line")).to_contain_text("还没有关爱卡")
    assert await page.locator("main form, .elder-card").count() == 0
    assert await violations(page) == []
    answer = await page.goto(f"{site.url}/console/elders/{elder_id}/card.svg")
    assert answer is not None
    assert answer.status == 403
