"""The page of one order: ten seconds to think better of it, who else looks at it, its evidence, and no script."""

from __future__ import annotations

import asyncio
import time
from base64 import b64decode
from itertools import count
from typing import Any
from uuid import uuid4

import httpx
from playwright.async_api import Page, expect

from app.core import clock
from app.core.http import Caller
from app.visits.journal import Kind, Method
from app.visits.schemas import ProviderEvent
from app.visits.service import record
from tests.faces.axe import violations
from tests.faces.conftest import Site, Visiting, keep_session, sign_in
from tests.world.accounts import signed_headers, staff_token
from tests.world.intake import signed_post

PHOTO = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
"""One pixel."""
_orders = count()


async def a_placed_order(site: Site) -> Any:
    async with site.database.transaction() as tx:
        rows = await tx.fetch(
            """SELECT * FROM care_order WHERE status IN ('placed', 'dispatched', 'accepted', 'assigned')
            AND flags = '{}' ORDER BY id"""
        )
    return rows[next(_orders) % len(rows)]


async def opened(site: Site, visiting: Visiting, order: Any, **options: Any) -> Page:
    context = await visiting(**options)
    await sign_in(context, site, "operator")
    page = await context.new_page()
    await page.goto(f"{site.url}/console/orders/{order['id']}")
    return page


async def flags_of(site: Site, order: Any) -> list[str]:
    async with site.database.transaction() as tx:
        row = await tx.fetchrow("SELECT flags FROM care_order WHERE id = $1", order["id"])
    assert row is not None
    return list(row["flags"])


async def suspend(page: Page) -> None:
    form = page.locator("form[action$='/suspension']")
    await form.locator("xpath=..").locator("summary").click()
    await form.locator("[name=reason]").fill("老人住院，暂缓")
    await form.locator("button").click()


async def test_ten_seconds_to_think_better_of_it(site: Site, visiting: Visiting) -> None:
    order = await a_placed_order(site)
    page = await opened(site, visiting, order)
    await page.clock.install()
    await suspend(page)
    await page.wait_for_selector("#undo button")
    await page.clock.run_for(8_000)
    await page.keyboard.press("Alt+Backspace")
    await page.clock.run_for(60_000)
    assert await flags_of(site, order) == []
    await page.locator("form[action$='/suspension'] button").click()
    await page.wait_for_selector("#undo button")
    await page.clock.run_for(8_000)
    assert await flags_of(site, order) == []
    async with page.expect_navigation():
        await page.clock.run_for(3_000)
    assert await flags_of(site, order) == ["suspended"]
    async with site.database.transaction() as tx:
        told = await tx.fetchval(
            "SELECT count(*) FROM order_history WHERE order_id = $1 AND reason = '老人住院，暂缓'", order["id"]
        )
    assert told == 1


async def test_leaving_the_page_within_the_ten_seconds_does_it(site: Site, visiting: Visiting) -> None:
    order = await a_placed_order(site)
    page = await opened(site, visiting, order)
    await suspend(page)
    await page.wait_for_selector("#undo button")
    assert await violations(page) == []
    await page.goto(f"{site.url}/console")
    for _ in range(50):
        if await flags_of(site, order):
            break
        await asyncio.sleep(0.1)
    assert await flags_of(site, order) == ["suspended"]
    await page.wait_for_selector("#left[data-done=true]", state="attached")  # it has asked what became of it
    assert await page.inner_text("#left") == ""
    async with site.database.transaction() as tx:
        sql = "SELECT count(*) FROM order_history WHERE order_id = $1 AND reason = '老人住院，暂缓'"
        assert await tx.fetchval(sql, order["id"]) == 1


async def test_what_was_refused_after_leaving_is_told_on_the_next_page(site: Site, visiting: Visiting) -> None:
    order = await a_placed_order(site)
    page = await opened(site, visiting, order)
    await suspend(page)
    await page.wait_for_selector("#undo button")
    async with site.database.transaction() as tx:
        await tx.run("UPDATE care_order SET version = version + 1 WHERE id = $1", order["id"])
    await page.goto(f"{site.url}/console/board")
    await expect(page.locator("#left")).to_contain_text("没有成功")
    assert await violations(page) == []
    assert await flags_of(site, order) == []
    await page.locator("#left a").click()
    await page.wait_for_url(f"**/console/orders/{order['id']}")


async def test_choosing_by_hand_waits_ten_seconds_too(site: Site, visiting: Visiting) -> None:
    async with site.database.transaction() as tx:
        order = await tx.fetchrow("SELECT id FROM care_order WHERE status = 'dispatched' AND flags = '{}' ORDER BY id")
    assert order is not None
    page = await opened(site, visiting, order)
    await page.goto(f"{site.url}/console/orders/{order['id']}/assignment")
    await page.clock.install()
    await page.fill("[name=reason]", "家属指定")
    await page.keyboard.press("Control+Enter")
    await page.wait_for_selector("#undo button")
    assert await by_hand(site, order) == 0
    async with page.expect_navigation():
        await page.clock.run_for(11_000)
    assert await by_hand(site, order) == 1


async def by_hand(site: Site, order: Any) -> int:
    async with site.database.transaction() as tx:
        sql = "SELECT count(*) FROM decision WHERE order_id = $1 AND mode = 'manual'"
        return int(await tx.fetchval(sql, order["id"]))


async def test_two_operators_at_one_order_see_each_other(site: Site, visiting: Visiting) -> None:
    order = await a_placed_order(site)
    mine = await opened(site, visiting, order)
    assert (await mine.inner_text("#viewers")).strip() == ""
    other = await visiting()
    await keep_session(other, site, await staff_token(site.database))
    theirs = await other.new_page()
    await theirs.goto(f"{site.url}/console/orders/{order['id']}")
    started = time.monotonic()
    await mine.wait_for_selector("#viewers:has-text('王敏')", timeout=5000)
    assert time.monotonic() - started < 2.5
    await theirs.wait_for_selector("#viewers:has-text('王桂兰')")
    await theirs.close()
    await mine.wait_for_selector("#viewers:not(:has-text('王敏'))", timeout=5000, state="attached")


async def test_what_others_do_appears_but_not_under_ones_hands(site: Site, visiting: Visiting) -> None:
    order = await a_placed_order(site)
    mine = await opened(site, visiting, order)
    flag = mine.locator(".order-head .pill.bad")
    await expect(flag).to_have_count(0)
    async with httpx.AsyncClient(base_url=site.url) as desk:
        headers = {"Authorization": f"Bearer {await staff_token(site.database)}"}

        async def do(what: str) -> None:
            key = {"Idempotency-Key": uuid4().hex}
            body = {"reason": "老人住院"}
            answer = await desk.post(f"/v1/orders/{order['id']}/{what}", json=body, headers=headers | key)
            assert answer.status_code < 300, answer.text

        await do("suspension")
        await expect(flag).to_have_text("暂缓中")
        await mine.locator("form[action$='/resumption']").locator("xpath=..").locator("summary").click()
        await mine.locator("form[action$='/resumption'] [name=reason]").fill("已出院")
        await do("resumption")
    await expect(mine.locator("#changed")).to_contain_text("有了新的变化")
    await expect(mine.locator("form[action$='/resumption'] [name=reason]")).to_have_value("已出院")
    assert await violations(mine) == []
    await mine.locator("#changed button").click()
    await expect(flag).to_have_count(0)
    await expect(mine.locator("#changed")).to_be_empty()


async def test_a_photo_of_the_visit_is_shown_on_the_orders_page(site: Site, visiting: Visiting) -> None:
    async with site.database.transaction() as tx:
        order = await tx.fetchrow(
            "SELECT id, provider_id, caregiver_id FROM care_order WHERE status = 'in_service' ORDER BY id LIMIT 1"
        )
    assert order is not None
    firm = next(one for one in site.credentials["providers"] if one["provider_id"] == str(order["provider_id"]))
    key, path = (firm["app_key"], firm["secret"]), "/v1/provider/uploads"
    async with httpx.AsyncClient(base_url=site.url) as app:
        more = {"Content-Type": "image/png", "Idempotency-Key": uuid4().hex}
        headers = signed_headers(*key, "POST", path, PHOTO) | more
        kept = await app.post(path, content=PHOTO, headers=headers)
        assert kept.status_code == 201, kept.text
        said = {
            "event_id": uuid4().hex, "type": "evidence_added", "order_id": str(order["id"]), "method": "manual",
            "occurred_at": clock.now().isoformat(), "caregiver_id": str(order["caregiver_id"]),
            "evidence": [kept.json()["upload_id"]], "reason_code": "signature", "note": "由女儿代签",
        }  # fmt: skip
        told = await signed_post(app, key, "/v1/provider/events", {"events": [said]})
        assert told.json()["results"][0]["result"] == "applied", told.text
    page = await opened(site, visiting, order)
    await expect(page.locator(".story")).to_contain_text("由女儿代签")
    await expect(page.locator("#evidence-files")).to_contain_text("签名 1")
    assert await page.locator(".photos img").count() == 0
    assert await openings(site) == 0  # nothing is looked at by opening the order
    await page.click("#evidence-files a")
    await page.wait_for_function("() => document.querySelector('.photos img')?.naturalWidth === 1")
    await expect(page.locator(".photos figcaption")).to_have_text("签名 1")
    assert await openings(site) == 1
    assert await violations(page) == []
    await page.wait_for_selector("[data-sketch] .leaflet-interactive, [data-sketch] path", state="attached")


async def openings(site: Site) -> int:
    async with site.database.transaction() as tx:
        return int(await tx.fetchval("SELECT count(*) FROM audit_entry WHERE action = 'visits.open_evidence'"))


async def test_a_hazard_stands_above_everything_else(site: Site, visiting: Visiting) -> None:
    async with site.database.transaction() as tx:
        order = await tx.fetchrow("SELECT * FROM care_order WHERE status = 'in_service' ORDER BY id DESC LIMIT 1")
        assert order is not None
        told = ProviderEvent(
            event_id=uuid4().hex, type=Kind.HAZARD_REPORTED, order_id=order["id"], occurred_at=clock.now(),
            caregiver_id=order["caregiver_id"], method=Method.GPS, evidence=[], reason_code="neglect",
            note="已三天无人做饭",
        )  # fmt: skip
        caller = Caller(kind="provider", id="key", name="app", provider_id=order["provider_id"])
        assert [one.result for one in await record(tx, caller, [told])] == ["applied"]
    page = await opened(site, visiting, order)
    await expect(page.locator("[data-hazard]")).to_contain_text("疑似无人照看")
    await expect(page.locator("[data-hazard]")).to_contain_text("已三天无人做饭")
    await page.goto(f"{site.url}/console/queues")
    await expect(page.locator("main")).to_contain_text("已三天无人做饭")


async def test_an_auditor_reads_and_does_nothing(site: Site, visiting: Visiting) -> None:
    order = await a_placed_order(site)
    context = await visiting()
    await sign_in(context, site, "auditor")
    page = await context.new_page()
    answer = await page.goto(f"{site.url}/console/orders/{order['id']}")
    assert answer is not None
    assert answer.status == 200
    assert await page.locator("main form[method=post]").count() == 0
    assert await page.locator("#viewers").count() == 0


async def test_plain_values_are_shown_for_a_reason_that_is_kept(site: Site, visiting: Visiting) -> None:
    order = await a_placed_order(site)
    page = await opened(site, visiting, order)
    form = page.locator("form[action$='/reveals']")
    await form.locator("xpath=..").locator("summary").click()
    await form.locator("[name=reason]").fill("回电核对门牌")
    await form.locator("button").click()
    await page.wait_for_selector(".revealed dd")
    async with site.database.transaction() as tx:
        kept = await tx.fetchval("SELECT count(*) FROM audit_entry WHERE reason = '回电核对门牌'")
    assert kept == 1


async def test_a_visit_slip_is_printed_for_a_reason_that_is_kept(site: Site, visiting: Visiting) -> None:
    order = await a_placed_order(site)
    page = await opened(site, visiting, order, java_script_enabled=False)
    form = page.locator("form[action$='/slip']")
    await form.locator("xpath=../summary").click()
    await form.locator("[name=reason]").fill("企业要纸质单")
    await form.locator("button").click()
    async with site.database.transaction() as tx:
        name = await tx.fetchval("SELECT name FROM elder WHERE id = $1", order["elder_id"])
        kept = await tx.fetchval("SELECT count(*) FROM audit_entry WHERE reason = '企业要纸质单'")
    assert kept == 1
    await expect(page.locator(".slip .facts")).to_contain_text(name)
    await page.emulate_media(media="print")
    await expect(page.locator("[data-print]")).not_to_be_visible()


async def test_without_a_script_an_order_can_be_worked_on(site: Site, visiting: Visiting) -> None:
    order = await a_placed_order(site)
    page = await opened(site, visiting, order, java_script_enabled=False)
    await suspend(page)
    await page.wait_for_url(f"{site.url}/console/orders/{order['id']}")
    assert await flags_of(site, order) == ["suspended"]
