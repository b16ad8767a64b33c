"""Paper is white: whatever theme the screen has, what is printed is dark on light."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.faces.conftest import Visiting

PAGES = (
    "family/order-left", "family/elder", "family/own-order", "family/calendar", "family/card", "portal/services",
    "portal/results", "caregiver/earnings", "cockpit/statement", "console/slip",
)  # fmt: skip
FAINT = """() => {
  const light = (colour) => {
    const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number);
    const onWhite = (v) => (v * a + 255 * (1 - a)) / 255;
    const part = (v) => onWhite(v) <= .04045 ? onWhite(v) / 12.92 : ((onWhite(v) + .055) / 1.055) ** 2.4;
    return .2126 * part(r) + .7152 * part(g) + .0722 * part(b);
  };
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const one = node.parentElement, style = getComputedStyle(one);
    if (!node.data.trim() || !one.checkVisibility({ visibilityProperty: true })) continue;
    if (one.matches('script, style, .skip, option')) continue;
    if (1.05 / (light(style.color) + .05) < 4.5) found.push(style.color + ' ' + node.data.trim().slice(0, 20));
  }
  for (const one of document.querySelectorAll('html, body, .card, table, td')) {
    if (light(getComputedStyle(one).backgroundColor) < .8) found.push(one.tagName + ' on dark');
  }
  return found;
}"""
"""Texts with less than 4.5:1 on white paper, and dark grounds."""


@pytest.mark.parametrize("story", PAGES)
async def test_every_theme_prints_dark_on_white(visiting: Visiting, book: str, story: str) -> None:
    page = await (await visiting(dark=True)).new_page()
    await page.goto(f"{book}/story/{story}")
    assert await page.evaluate(FAINT) != [], "the screen is dark, or this test sees nothing"
    await page.emulate_media(media="print", color_scheme="dark")
    await page.wait_for_function(f"() => !({FAINT})().length", timeout=5000)


async def test_the_theme_is_back_after_printing(visiting: Visiting, book: str) -> None:
    page = await (await visiting()).new_page()
    await page.goto(f"{book}/story/portal/home")
    root = page.locator("html")
    await expect(root).to_have_attribute("data-bs-theme", "light")
    await page.locator("[data-theme-switch]").click()
    await expect(root).to_have_attribute("data-bs-theme", "dark")
    await page.emulate_media(media="print")
    await expect(root).to_have_attribute("data-bs-theme", "light")
    await page.emulate_media(media="screen")
    await expect(root).to_have_attribute("data-bs-theme", "dark")
    await page.reload()
    await expect(root).to_have_attribute("data-bs-theme", "dark")
