"""The queues: counted by age, settled without a script, and new ones appear by themselves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Page, expect

from app.core import clock
from app.core.http import SYSTEM
from app.followup import complaints
from app.followup.complaints import Grievance
from app.intake import service as intake
from app.intake.requests import Channel, Kind
from app.intake.service import NewRequest
from tests.faces.conftest import Site, Visiting, sign_in


@pytest.fixture
async def page(site: Site, visiting: Visiting) -> Page:
    """An operator's, without scripts."""
    context = await visiting(java_script_enabled=False)
    await sign_in(context, site, "operator")
    return await context.new_page()


async def one(site: Site, sql: str, *args: Any) -> Any:
    async with site.database.transaction() as tx:
        return await tx.fetchrow(sql, *args)


async def test_a_followup_is_called_and_rated(page: Page, site: Site) -> None:
    found = await one(site, "SELECT id, order_id FROM followup WHERE status = 'due' LIMIT 1")
    async with site.database.transaction() as tx:  # whoever took the order does not ask how it went
        await tx.run("UPDATE care_order SET placed_by = 'staff:other', flags = '{}' WHERE id = $1", found["order_id"])
        await tx.run("UPDATE care_request SET taken_by = 'staff:other' WHERE order_id = $1", found["order_id"])
    await page.goto(f"{site.url}/console/queues/followups/{found['id']}")
    await page.click("text=查看电话")
    await expect(page.locator("a[href^='tel:']").first).to_be_visible()
    await page.check("[name=outcome][value=reached]")
    await page.check("[name=score][value='5']")
    await page.check("[name=solved][value=true]")
    await page.fill("[name=note]", "老人很满意")
    await page.click("button:has-text('保存')")
    assert page.url == f"{site.url}/console/queues"
    row = await one(site, "SELECT status, outcome, solved FROM followup WHERE id = $1", found["id"])
    assert tuple(row.values()) == ("closed", "reached", True)


async def test_what_cannot_be_is_refused_in_words(page: Page, site: Site) -> None:
    found = await one(site, "SELECT id FROM followup WHERE status = 'due' LIMIT 1")
    await page.goto(f"{site.url}/console/queues/followups/{found['id']}")
    if await page.locator("[name=outcome]").count():
        await page.check("[name=outcome][value=no_answer]")
        await page.check("[name=score][value='5']")
        await page.click("button:has-text('保存')")
        await expect(page.locator("h1")).to_contain_text("填得不对")


async def test_a_complaint_is_answered_and_then_decided_by_a_supervisor(site: Site, visiting: Visiting) -> None:
    order = await one(site, "SELECT id, elder_id, division_code FROM care_order WHERE status = 'completed' LIMIT 1")
    async with site.database.transaction() as tx:
        given = Grievance(
            source="desk", reason_code="late_arrival", urgency="normal", elder_id=order["elder_id"],
            division_code=order["division_code"], detail="约好九点，十点半才到",
        )  # fmt: skip
        complaint_id = await complaints.open_(tx, SYSTEM.actor, given)
    address = f"{site.url}/console/queues/complaints/{complaint_id}"
    context = await visiting(java_script_enabled=False)
    await sign_in(context, site, "operator")
    page = await context.new_page()
    await page.goto(address)
    await expect(page.locator("[name=measures]")).to_have_count(0)
    await page.fill("[name=text]", "已向您致歉")
    await page.click("button:has-text('提交')")
    context = await visiting(java_script_enabled=False)
    await sign_in(context, site, "supervisor")
    page = await context.new_page()
    await page.goto(address)
    await expect(page.locator("main")).to_contain_text("已向您致歉")
    await page.check("[name=upheld][value=partly]")
    await page.fill("[name=measures]", "企业已道歉")
    await page.click("button:has-text('处理决定')")
    await page.goto(address)
    await expect(page.locator("main")).to_contain_text("已办结")


async def test_a_request_is_confirmed_or_answered(page: Page, site: Site) -> None:
    elder = await one(site, "SELECT id FROM elder WHERE status = 'active' LIMIT 1")
    async with site.database.transaction() as tx:
        wish = NewRequest(channel=Channel.APP, kind=Kind.SERVICE, elder_id=elder["id"], note="想请人打扫")
        request = await intake.take_request(tx, SYSTEM, wish)
        asked = await intake.take_request(tx, SYSTEM, NewRequest(channel=Channel.APP, kind=Kind.CONSULTATION))
    await page.goto(f"{site.url}/console/queues/requests/{request.id}")
    await page.select_option("[name=item_code]", "clean_home")
    await page.click("button:has-text('确认下单')")
    row = await one(site, "SELECT status, order_id FROM care_request WHERE id = $1", request.id)
    assert row["status"] == "confirmed"
    assert str(row["order_id"]) in page.url
    await page.goto(f"{site.url}/console/queues/requests/{asked.id}")
    await page.fill("[name=text]", "带身份证到街道办理")
    await page.click("button:has-text('答复办结')")
    assert (await one(site, "SELECT status FROM care_request WHERE id = $1", asked.id))["status"] == "answered"


async def test_a_caller_who_did_not_reach_us_appears_and_is_called_back(site: Site, visiting: Visiting) -> None:
    from app.calls import callbacks
    from app.core.ids import new_id

    context = await visiting()
    await sign_in(context, site, "operator")
    page = await context.new_page()
    async with page.expect_response("**/console/incidents/strip"):
        await page.goto(f"{site.url}/console/queues")
    section = page.locator("section[aria-labelledby=queue-callbacks]")
    before = int(await section.locator(".queue-count").inner_text())
    async with site.database.transaction() as tx:
        await callbacks.call_for_message(tx, new_id(), "+8613900001234", "请转告张阿姨", urgent=True)
    await expect(section.locator(".queue-count")).to_have_text(str(before + 1), timeout=5000)
    task = await one(site, "SELECT id FROM callback_task WHERE status = 'due' ORDER BY id DESC LIMIT 1")
    await page.goto(f"{site.url}/console/queues/callbacks/{task['id']}")
    await page.click("text=查看电话")
    await expect(page.locator("main")).to_contain_text("请转告张阿姨")
    await page.check("[name=result][value=no_answer]")
    await page.click("button:has-text('保存')")
    await page.wait_for_url(f"{site.url}/console/queues")
    row = await one(site, "SELECT status, due_at FROM callback_task WHERE id = $1", task["id"])
    assert row["status"] == "due"
    assert row["due_at"] > clock.now() + timedelta(minutes=25)


async def test_every_queue_has_its_page(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/console/queues")
    for name in ("requests", "orders", "callbacks", "followups", "complaints", "transfers"):
        await expect(page.locator(f"#queue-{name}")).to_be_visible()
        answer = await page.goto(f"{site.url}/console/queues/{name}")
        assert answer is not None
        assert answer.status == 200
        await page.goto(f"{site.url}/console/queues")
    answer = await page.goto(f"{site.url}/console/queues/nothing")
    assert answer is not None
    assert answer.status == 404
