"""One incident's page: what others do appears, not under one's hands; it has keys; and its elder is found out."""

from __future__ import annotations

import re
from typing import Any

from playwright.async_api import Page, expect

from app.alarms import service
from app.alarms.service import Alarm
from tests.faces.axe import violations
from tests.faces.conftest import Site, Visiting, sign_in
from tests.faces.test_incidents import newest, press
from tests.faces.test_order_page import staff_token


async def opened(site: Site, visiting: Visiting, address: str) -> Page:
    context = await visiting()
    await sign_in(context, site, "operator")
    page = await context.new_page()
    async with page.expect_response("**/console/incidents/strip"):  # from here on it hears what happens
        await page.goto(f"{site.url}/console/incidents{address}")
    return page


async def do(site: Site, incident: object, what: str, body: dict[str, Any]) -> None:
    from uuid import uuid4

    import httpx

    headers = {"Authorization": f"Bearer {await staff_token(site.database)}", "Idempotency-Key": uuid4().hex}
    async with httpx.AsyncClient(base_url=site.url, headers=headers) as desk:
        answer = await desk.post(f"/v1/incidents/{incident}/{what}", json=body)
    assert answer.status_code == 200, answer.text


async def test_what_others_do_appears_and_what_is_filled_in_stays(site: Site, visiting: Visiting) -> None:
    await press(site, 11)
    incident = await newest(site)
    page = await opened(site, visiting, f"/{incident}")
    every = await opened(site, visiting, "")
    await page.keyboard.press("Alt+3")
    await page.keyboard.type("社区王主任")
    await do(site, incident, "calls", {"whom": "119"})
    await expect(page.locator("#incident-know")).to_contain_text("119")
    await do(site, incident, "acknowledgement", {})
    await expect(page.locator(".incident-head")).to_contain_text("已接警")
    await expect(every.locator(f'tr:has([id="one-{incident}"])')).to_contain_text("已接警")
    await expect(page.locator("#changed")).to_contain_text("有了新的变化")
    await expect(page.locator("[name=whom]")).to_have_value("社区王主任")
    assert await violations(page) == []
    async with page.expect_navigation():  # with everything that hears the next key
        await page.keyboard.press("Control+Enter")
    await expect(page.locator("#incident-know")).to_contain_text("社区王主任")
    await expect(page.locator("form[action$='/acknowledgement']")).to_have_count(0)
    await page.keyboard.press("Alt+H")
    await expect(page.locator("#said")).to_contain_text("分机")  # nobody sits at a telephone here
    await do(site, incident, "verification", {"finding": "false_alarm", "code": "testing"})
    await expect(page.locator("form[action$='/closure']")).to_be_visible()


async def test_whom_an_incident_is_about_is_found_out(site: Site, visiting: Visiting) -> None:
    async with site.database.transaction() as tx:
        unknown = Alarm(source="faces:1", kind="sos", channel="device", care_request_id=None, elder_id=None, device="x")
        incident = await service.raise_alarm(tx, unknown)
        row = await tx.fetchrow("SELECT id, name FROM elder WHERE division_code LIKE '620302%' ORDER BY id LIMIT 1")
    assert row is not None
    page = await opened(site, visiting, f"/{incident}")
    await expect(page.locator("main")).to_contain_text("先查明是哪位老人")
    await page.keyboard.press("Alt+6")
    await page.wait_for_url("**/elder")
    await expect(page.locator("[autofocus]")).to_be_focused()
    await page.keyboard.type(row["name"])
    await page.keyboard.press("Enter")
    await expect(page.locator(".people li").first).to_contain_text(re.compile("社区|村|居委会"))
    assert await violations(page) == []
    await page.click(f"button[value='{row['id']}']")
    await page.wait_for_url(f"**/console/incidents/{incident}")
    await expect(page.locator("#incident-know")).to_contain_text("查明老人身份")
    await expect(page.locator("form[action$='/help'] button")).to_be_visible()
