"""The portal: read by everybody, without signing in, without a script, in large type."""

from __future__ import annotations

import httpx

from tests.faces.axe import violations
from tests.faces.conftest import Site, Visiting
from tests.faces.test_frame import HTML

PAGES = ("/portal", "/portal/services", "/portal/policies", "/portal/results")


async def test_large_type_needs_no_script_and_stays(site: Site, visiting: Visiting) -> None:
    page = await (await visiting(width=360, java_script_enabled=False)).new_page()
    await page.goto(f"{site.url}/portal/services?division=620302")
    await page.get_by_role("link", name="大字版").click()
    assert page.url == f"{site.url}/portal/services?division=620302", "back where they were"
    for path in PAGES:
        await page.goto(site.url + path)
        assert await page.get_attribute("html", "data-size") == "large"
    await page.get_by_role("link", name="标准字号").click()
    assert await page.get_attribute("html", "data-size") is None


async def test_large_type_is_large_and_fits(site: Site, visiting: Visiting) -> None:
    context = await visiting(width=360)
    page = await context.new_page()
    await page.goto(f"{site.url}/portal")
    size = "parseFloat(getComputedStyle(document.querySelector('.steps li')).fontSize)"
    normal = await page.evaluate(size)
    await page.get_by_role("link", name="大字版").click()
    await page.wait_for_selector("html[data-size=large] .steps li")
    assert await page.evaluate(size) >= 1.25 * normal
    for path in PAGES:
        await page.goto(site.url + path)
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360, path
        assert await violations(page) == [], path


async def test_what_is_shown_is_what_the_rooms_say(site: Site) -> None:
    async with httpx.AsyncClient(base_url=site.url, headers=HTML) as client:
        items = (await client.get("/v1/service-items?division=620302")).json()["items"]
        services = (await client.get("/portal/services?division=620302")).text
        policies = (await client.get("/portal/policies")).text
        found = (await client.get("/portal/policies?q=高龄钱")).text
        nothing = (await client.get("/portal/policies?q=zzzzzz")).text
        results = (await client.get("/portal/results")).text
    assert len(items) > 20
    for item in items:
        assert item["name"] in services
        if item["price"] and item["price"]["price_fen"]:
            assert f"¥{item['price']['price_fen'] / 100:,.2f}" in services
    assert "高龄津贴" in policies
    assert "示例条目，非正式政策" in policies
    assert "高龄津贴" in found
    assert "12349" in nothing
    assert "满意率" in results


async def test_nobody_is_asked_who_they_are(site: Site) -> None:
    async with httpx.AsyncClient(base_url=site.url, headers=HTML) as client:
        for path in (
            *PAGES,
            "/portal/services?division=110105",
            "/portal/services?division=",
            "/portal/policies?topic=x",
        ):
            answer = await client.get(path)
            assert answer.status_code == 200, path
            assert "set-cookie" not in answer.headers
        assert (await client.get("/portal/services?division=x")).status_code == 422
        away = await client.get("/portal/size?to=large&back=//evil.example")
        assert (away.status_code, away.headers["location"]) == (303, "/portal")
        assert "samesite=lax" in away.headers["set-cookie"].lower()


async def test_the_portal_by_keyboard(site: Site, visiting: Visiting) -> None:
    page = await (await visiting()).new_page()
    await page.goto(f"{site.url}/portal/policies")
    await page.keyboard.press("Tab")
    assert await page.inner_text(":focus") == "跳到正文"
    seen = []
    for _ in range(12):
        await page.keyboard.press("Tab")
        seen.append(await page.evaluate("(document.activeElement.name || document.activeElement.innerText).trim()"))
    assert seen[1:8] == ["拨打 12349", "大字版", "深色 / 浅色", "首页", "服务与价格", "政策解答", "服务结果"]
    assert "q" in seen
