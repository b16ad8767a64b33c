"""The board: live, filtered, saved, by keyboard; and the plain one."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

import pytest
from playwright.async_api import Page, expect

from app.core import clock
from app.core.http import SYSTEM
from app.orders import flags
from app.orders import service as orders
from app.orders.lifecycle import SUSPENDED
from tests.faces.conftest import Site, Visiting, sign_in

ROW = ".board-row:not([hidden])"


@pytest.fixture
async def board(site: Site, visiting: Visiting) -> Page:
    """The board of an operator, with its lines read."""
    context = await visiting()
    await sign_in(context, site, "operator")
    page = await context.new_page()
    answer = await page.goto(f"{site.url}/console/board")
    assert answer is not None
    assert answer.status == 200, await page.inner_text("main")
    await page.wait_for_selector(ROW, timeout=10_000)
    return page


async def one_that_waits(site: Site) -> tuple[UUID, str]:
    async with site.database.transaction() as tx:
        row = await tx.fetchrow("SELECT id, number FROM care_order WHERE status = 'placed' AND flags = '{}' LIMIT 1")
    assert row is not None
    return UUID(str(row["id"])), row["number"]


async def test_a_change_appears_by_itself(board: Page, site: Site) -> None:
    order_id, number = await one_that_waits(site)
    await board.fill("[name=q]", number)
    row = board.locator(f'{ROW}[data-order="{order_id}"]')
    await expect(row).to_have_count(1)
    await expect(row).not_to_contain_text("暂缓中")
    async with site.database.transaction() as tx:
        await flags.suspend(tx, SYSTEM, order_id, "核实地址")
    await expect(row).to_contain_text("暂缓中", timeout=2000)
    async with site.database.transaction() as tx:
        await flags.drop(tx, order_id, SUSPENDED, SYSTEM.actor)
        await orders.cancel(tx, SYSTEM, order_id, "elder_request", "elder")
    await expect(row).to_have_count(0, timeout=2000)


async def test_late_turns_red_and_says_so(board: Page, site: Site) -> None:
    order_id, number = await one_that_waits(site)
    async with site.database.transaction() as tx:
        due = clock.now() + timedelta(seconds=4)
        await tx.run("UPDATE order_deadline SET due_at = $2 WHERE order_id = $1 AND met_at IS NULL", order_id, due)
        await flags.suspend(tx, SYSTEM, order_id, "核实地址")
    await board.fill("[name=q]", number)
    row = board.locator(f'{ROW}[data-order="{order_id}"]')
    await expect(row).to_have_class(re.compile("board-soon"), timeout=2000)
    await expect(row).to_contain_text("还剩")
    await expect(row).to_have_class(re.compile("board-late"), timeout=8000)
    await expect(row).to_contain_text("▲ 超时")


async def test_filters_are_in_the_address_and_a_view_keeps_them(board: Page, site: Site) -> None:
    await board.check("[name=status][value=completed]")
    await board.select_option("[name=sort]", "number")
    await expect(board.locator(ROW).first).to_contain_text("已完成")
    assert board.url.endswith("?status=completed&sort=number")
    await board.fill(".board-save [name=name]", "等回访")
    await board.click(".board-save button")
    await expect(board.locator(".board-view", has_text="等回访")).to_have_count(1)
    await board.goto(f"{site.url}/console/board")
    await board.click("text=等回访")
    await board.wait_for_selector(ROW)
    assert await board.is_checked("[name=status][value=completed]")
    assert set(await board.eval_on_selector_all(ROW, "rows => rows.map(r => r.dataset.status)")) == {"completed"}
    await expect(board.locator('.board-view a[aria-current="true"]')).to_have_text("等回访")
    await board.reload()
    await board.wait_for_selector(ROW)
    assert await board.input_value("[name=sort]") == "number"
    await board.click(".board-remove")
    await expect(board.locator(".board-view")).to_have_count(0)
    assert board.url.endswith("?status=completed&sort=number")


async def test_by_keyboard(board: Page) -> None:
    await board.keyboard.press("/")
    await board.keyboard.type("助")
    await board.keyboard.press("Escape")
    await board.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert await board.evaluate("document.activeElement.id") == "board"
    await board.keyboard.press("ArrowDown")
    await board.keyboard.press("ArrowDown")
    chosen = board.locator('.board-row[aria-selected="true"]')
    await expect(chosen).to_have_attribute("aria-rowindex", "3")
    assert await board.get_attribute("#board", "aria-activedescendant") == await chosen.get_attribute("id")
    order_id = await chosen.get_attribute("data-order")
    await board.keyboard.press("End")
    await board.keyboard.press("Home")
    await board.keyboard.press("ArrowDown")
    async with board.expect_request(re.compile(f"/console/orders/{order_id}")):
        await board.keyboard.press("Enter")


async def test_without_a_script_it_is_a_table_in_pages(site: Site, visiting: Visiting) -> None:
    context = await visiting(java_script_enabled=False)
    await sign_in(context, site, "operator")
    page = await context.new_page()
    await page.goto(f"{site.url}/console/board")
    assert await page.locator("tbody tr").count() == 50
    first = await page.locator("tbody tr a").first.get_attribute("href")
    await page.click("[rel=next]")
    assert await page.locator("tbody tr a").first.get_attribute("href") != first
    await page.check("[name=status][value=assigned]")
    await page.check("[name=late]")
    await page.click("#apply")
    assert "status=assigned" in page.url
    for row in await page.locator("tbody tr").all():
        assert "已指定人员" in await row.inner_text()
        assert "超时" in await row.inner_text()
    await page.fill("[name=name]", "没有脚本")
    await page.click(".board-save button")
    await expect(page.locator(".board-view", has_text="没有脚本")).to_have_count(1)


async def test_what_makes_no_sense_in_an_address_is_left_out(board: Page, site: Site) -> None:
    await board.goto(
        f"{site.url}/console/board?status=nonsense&division=1&provider=x&sort=y&page=99999999999999&late=2"
    )
    await board.wait_for_selector(ROW)
