"""Alarms: seen on any page of the console within a second, and seen to without a script."""

from __future__ import annotations

import re
import time
from typing import Any
from uuid import UUID, uuid4

import httpx
from playwright.async_api import expect

from tests.faces.conftest import Site, Visiting, sign_in
from tests.world.intake import signed_post


async def press(site: Site, number: int) -> None:
    """An elder of the demo world presses the button."""
    given = site.credentials["devices"][0]
    said: dict[str, Any] = {"device_id": f"8600000{number:08d}", "type": "sos", "msg_id": str(uuid4())}
    async with httpx.AsyncClient(base_url=site.url) as client:
        key = (given["app_key"], given["secret"])
        answer = await signed_post(client, key, f"/channels/devices/{given['vendor']}", said)
    assert answer.status_code in {200, 202}, answer.text


async def newest(site: Site) -> UUID:
    async with site.database.transaction() as tx:
        return UUID(str(await tx.fetchval("SELECT id FROM incident ORDER BY id DESC LIMIT 1")))


async def test_an_alarm_is_on_the_desk_within_a_second_and_cannot_be_overlooked(site: Site, visiting: Visiting) -> None:
    context = await visiting()
    await sign_in(context, site, "operator")
    page = await context.new_page()
    async with page.expect_response(re.compile("incidents/strip")):
        await page.goto(f"{site.url}/console")
    await expect(page.locator("#sound")).to_contain_text("告警声未开")
    await page.mouse.click(700, 500)
    await expect(page.locator("#sound")).to_contain_text("告警声已开")
    before = await page.locator(".alarm").count()
    began = time.perf_counter()
    await press(site, 1)
    alarm = page.locator('.alarm[data-status="open"]').first
    await expect(page.locator(".alarm")).to_have_count(before + 1, timeout=5000)
    took = time.perf_counter() - began
    assert took < 1.0, f"{took:.2f} s"
    await expect(alarm).to_contain_text("紧急呼叫")
    await expect(page).to_have_title(re.compile("起告警未处置"), timeout=3000)
    await expect(page.locator("#alarm-said")).to_contain_text("新告警")
    first = await alarm.locator(".alarm-clock").inner_text()
    await expect(alarm.locator(".alarm-clock")).not_to_have_text(first, timeout=3000)
    async with site.database.transaction() as tx:
        await tx.run("UPDATE incident SET status = 'acknowledged' WHERE id = $1", await newest(site))


async def test_an_incident_is_seen_to_without_a_script(site: Site, visiting: Visiting) -> None:
    await press(site, 2)
    context = await visiting(java_script_enabled=False)
    await sign_in(context, site, "operator")
    page = await context.new_page()
    await page.goto(f"{site.url}/console/incidents/{await newest(site)}")
    await page.click("text=查看电话和住址")
    await expect(page.locator("a[href^='tel:+86']").first).to_be_visible()
    await page.click("text=接警：由我处置")
    await expect(page.locator(".incident-head")).to_contain_text("已接警")
    await page.fill("[name=whom]", "120")
    await page.click("text=登记 >> nth=-1")
    await expect(page.locator(".incident-know")).to_contain_text("120")
    await page.click("text=下紧急工单")
    await expect(page.locator(".incident-know")).to_contain_text("已派人")
    await page.check("[name=finding][value=false_alarm]")
    await page.select_option("[name=code]", "pressed_by_mistake")
    await page.click("text=保存")
    await expect(page.locator(".incident-head")).to_contain_text("误触")
    await page.fill("textarea[name=note]", "老人误触，一切正常")
    await page.click("button:has-text('办结')")
    await expect(page.locator(".incident-head")).to_contain_text("已办结")
    async with site.database.transaction() as tx:
        revealed = await tx.fetchval("SELECT count(*) FROM audit_entry WHERE reason = 'incident'")
    assert revealed == 1
