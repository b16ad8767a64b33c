"""What a caregiver shows of a visit: after its end, as the second of two, told back truly; and a card's code read."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from app.core import clock
from tests.faces import test_caregiver as day
from tests.faces.axe import violations
from tests.faces.line import png
from tests.faces.test_caregiver import FAST, Telephone, Town, at, offline, press, sign_in, uploaded

morning, town, telephone = day.morning, day.town, day.telephone
PICTURE: Any = {"name": "p.png", "mimeType": "image/png", "buffer": png(400, 300)}


async def serve(page: Page, until: int = 4) -> None:
    """The steps at the first door, up to the fourth."""
    names = ("出发", "到达", "签到，开始服务", "签退，结束服务")
    for minutes, name in zip((0, 15, 20, 110), names[:until], strict=False):
        await press(page, at(8) + timedelta(minutes=minutes), name)


async def photograph(card: Locator) -> None:
    details = card.locator("[data-part=photo]")
    if await details.get_attribute("open") is None:
        await details.locator("summary").click()
    await card.locator("[data-photo]").set_input_files(PICTURE)


async def no_signature(page: Page, card: Locator) -> None:
    await card.locator("[data-part=signature] summary").click()
    await card.locator("[data-unsigned]").select_option("impaired")
    await card.get_by_role("button", name="不签名").click()
    await expect(page.locator("#notices")).to_contain_text("不签名及原因")


async def test_what_was_shown_is_told_truly_also_after_it_has_gone(town: Town, telephone: Telephone) -> None:
    page = await telephone()
    await sign_in(page, town)
    await offline(page, town)
    await serve(page, 3)
    card = page.locator(".visit.now")
    for count in (1, 2):
        await photograph(card)
        await expect(card.locator("[data-slot=photos]")).to_have_text(f" · 已存 {count} 张")
    await no_signature(page, card)
    await expect(card.locator("[data-slot=signed]")).to_have_text(" · 已注明不签名")
    with clock.hold(at(9, 30)):
        await page.clock.set_fixed_time(at(9, 30) + FAST)
        town.connect()
        await page.context.set_offline(False)
        await uploaded(page)
        await expect(card.locator("[data-slot=photos]")).to_have_text(" · 已存 2 张")
        await expect(card.locator("[data-slot=signed]")).to_have_text(" · 已注明不签名")
        await page.reload()
        await expect(card.locator("[data-slot=photos]")).to_have_text(" · 已存 2 张")
        await photograph(card)
        await expect(card.locator("[data-slot=photos]")).to_have_text(" · 已存 3 张")
        await uploaded(page)
        await expect(card.locator("[data-slot=photos]")).to_have_text(" · 已存 3 张")
    assert len(await town.rows("SELECT 1 FROM upload")) == 3


async def test_what_was_forgotten_is_added_after_check_out(town: Town, telephone: Telephone) -> None:
    page = await telephone()
    await sign_in(page, town)
    await offline(page, town)
    await serve(page)
    await expect(page.locator("#notices")).to_contain_text("还要补照片、签名或报告隐患")
    with clock.hold(at(10, 30)):
        await page.clock.set_fixed_time(at(10, 30) + FAST)
        town.connect()
        await page.context.set_offline(False)
        await uploaded(page)
        await expect(page.locator(f'.visit[data-order="{town.orders[0]}"]')).to_have_count(0)
        await page.locator("#all summary").click()
        await page.get_by_role("button", name="补照片、签名或隐患").focus()
        await page.keyboard.press("Enter")
        card = page.locator(f'.visit[data-order="{town.orders[0]}"]')
        await expect(card.locator("[data-part=photo] summary")).to_be_focused()
        for hidden in ("[data-go]", "[data-part=ways]", "[data-part=failure]", "[data-part=points]"):
            await expect(card.locator(hidden)).to_be_hidden()
        await expect(page.locator(".visit.now")).to_have_count(1)
        assert await page.locator(".visit").count() <= 3
        await photograph(card)
        await expect(card.locator("[data-slot=photos]")).to_have_text(" · 已存 1 张")
        await card.locator("[data-part=hazard] summary").click()
        await card.get_by_role("button", name="报告隐患").click()
        await expect(page.locator("#notices")).to_contain_text("已记录：隐患")
        await uploaded(page)
        await expect(card.locator("[data-slot=photos]")).to_have_text(" · 已存 1 张")
        assert await violations(page) == []
        await expect(page.locator("#notices .notice:not([data-passing])")).to_have_count(0)
    (visit,) = await town.rows("SELECT status, verification, hazards, cardinality(evidence) AS files FROM visit")
    assert tuple(visit) == ("ended", "verified", ["gas"], 1)


async def test_a_second_caregiver_has_something_to_do(town: Town, telephone: Telephone) -> None:
    async with town.database.transaction() as tx:
        lead = await day.World().caregiver(tx, await tx.fetchval("SELECT id FROM provider"))
        await tx.run(
            "UPDATE care_order SET caregiver_id = $2, second_caregiver_id = $3 WHERE id = $1",
            town.orders[0], lead, town.caregiver_id,
        )  # fmt: skip
    page = await telephone()
    await sign_in(page, town)
    card = page.locator(f'.visit[data-order="{town.orders[0]}"]')
    await expect(card).to_contain_text("您是第二位服务人员")
    await photograph(card)
    await expect(card.locator("[data-slot=photos]")).to_have_text(" · 已存 1 张")
    await uploaded(page)
    await expect(card.locator("[data-slot=photos]")).to_have_text(" · 已存 1 张")
    await expect(card.locator("[data-go]")).to_be_hidden()
    (event,) = await town.rows("SELECT type, result, cardinality(evidence) AS files FROM visit_event")
    assert tuple(event) == ("evidence_added", "applied", 1)
    (visit,) = await town.rows("SELECT status, cardinality(evidence) AS files FROM visit")
    assert tuple(visit) == ("expected", 1)


RECOGNISER = """self.BarcodeDetector = class {
  static getSupportedFormats() { return Promise.resolve(%s); }
  detect() { return %s; }
};"""
NOTHING_BEHIND_IT = RECOGNISER % ("[]", "Promise.reject(new Error('no service'))")
FAILS = RECOGNISER % ("['qr_code']", "Promise.reject(new Error('no service'))")
READS = RECOGNISER % ("['ean_13', 'qr_code']", "Promise.resolve([{ rawValue: 'https://x.example/c/nobody' }])")


@pytest.mark.parametrize(("recogniser", "offered"), [(NOTHING_BEHIND_IT, False), (FAILS, True), (READS, True)])
async def test_a_cards_code_is_asked_for_where_it_can_be_read(
    town: Town, telephone: Telephone, recogniser: str, offered: bool
) -> None:
    page = await telephone()
    await page.add_init_script(recogniser)
    await sign_in(page, town)
    await serve(page, 2)
    ways = page.locator(".visit.now [data-part=ways]")
    await ways.locator("summary").click()
    await expect(ways.locator("[data-way=otp]")).to_be_visible()
    await expect(ways.locator("[data-way=qr]")).to_be_visible(visible=offered)
    if not offered:
        return
    await page.locator(".visit.now [data-card]").set_input_files(PICTURE)
    if recogniser == FAILS:
        await expect(page.locator("#notices")).to_contain_text("认不了二维码，请换一种方式")
        await expect(ways.locator("[data-way=qr]")).to_be_hidden()
    else:
        await expect(page.locator(".visit.now [data-go]")).to_have_text("签退，结束服务")
        await uploaded(page)
        (event,) = await town.rows("SELECT method, proved FROM visit_event WHERE type = 'checked_in'")
        assert tuple(event) == ("qr", False)


async def test_the_way_there_opens_on_every_telephone_and_names_nobody(town: Town, telephone: Telephone) -> None:
    page = await telephone()
    await sign_in(page, town)
    card = page.locator(".visit").first
    way = card.get_by_role("link", name="导航")
    href = await way.get_attribute("href") or ""
    assert re.fullmatch(r"https://uri\.amap\.com/marker\?position=102\.\d+,38\.\d+&coordinate=wgs84&callnative=1", href)
    assert (await way.get_attribute("target"), await way.get_attribute("rel")) == ("_blank", "noreferrer noopener")
    other = await card.get_by_role("link", name="其他地图").get_attribute("href") or ""
    assert re.fullmatch(r"geo:38\.\d+,102\.\d+", other)
    await expect(card.locator("[data-slot=where]")).not_to_be_empty()
