"""Finding the right one of several who look alike: where they live is said, and that there are more."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.async_api import expect

from app.core.http import SYSTEM
from app.web.console import desk_views
from tests.faces.axe import violations
from tests.faces.conftest import Site, Visiting, sign_in


async def test_two_villages_of_one_name_are_told_apart(book: str, visiting: Visiting) -> None:
    page = await (await visiting()).new_page()
    await page.goto(f"{book}/story/console/desk")
    await page.wait_for_selector("html[data-ready]")
    await page.keyboard.press("Alt+M")
    await page.keyboard.press("Tab")
    await page.keyboard.type("xwc")
    rows = page.locator("#elder-form .pick-list li")
    await expect(rows).to_have_text(["双湾镇 西湾村", "宁远堡镇 西湾村"])
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.locator("#elder-form .pick input")).to_have_value("宁远堡镇 西湾村")
    assert await page.input_value("#elder-form [name=division_code]") == "620302101"


async def test_a_search_says_where_they_live_and_that_there_are_more(
    site: Site, visiting: Visiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_views, "FOUND", 2)
    async with site.database.transaction() as tx:
        row = await tx.fetchrow(
            """SELECT left(e.name, 1) AS name, min(d.name) AS place FROM elder e
            JOIN division d ON d.code = e.division_code
            GROUP BY 1 HAVING count(*) > 2 LIMIT 1"""
        )
    assert row is not None
    context = await visiting()
    await sign_in(context, site, "operator")
    page = await context.new_page()
    await page.goto(f"{site.url}/console")
    await page.wait_for_selector("html[data-ready]")
    await page.fill("#q", row["name"])
    await expect(page.locator("#found .people li")).to_have_count(2)
    await expect(page.locator("#found")).to_contain_text("还有更多没有列出")
    place = (await page.locator("#found .people .quiet").nth(1).inner_text()).strip()
    assert place.endswith(("社区", "村", "村委会", "居委会")), place
    await page.keyboard.press("Alt+1")
    await expect(page.locator("#person .person-card")).to_contain_text(place)
    assert await violations(page) == []


async def test_every_community_can_be_chosen_however_many_there_are(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_views, "PAGE", 7)
    async with site.database.transaction() as tx:
        shown = await desk_views.places(tx, replace(SYSTEM, divisions=("620300",)))
        kinds = list(desk_views.SMALLEST)
        there = await tx.fetchval("SELECT count(*) FROM division WHERE kind = ANY($1::text[])", kinds)
    assert len(shown) == there > 7
    assert all(one["group"] for one in shown)
