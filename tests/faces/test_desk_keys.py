"""The desk's keys mean what is under one's hands: whoever was searched for, and the form one is in."""

from __future__ import annotations

from playwright.async_api import Page, Request, expect

from app.web.console.stories_desk import uuid
from tests.faces.conftest import Visiting


async def opened(book: str, visiting: Visiting, story: str) -> tuple[Page, list[Request]]:
    """A story, and what is asked or sent from it from now on, prices and streams aside."""
    page = await (await visiting()).new_page()
    await page.goto(f"{book}/story/console/{story}")
    await page.wait_for_selector("html[data-ready]")
    asked: list[Request] = []
    page.on("request", lambda one: asked.append(one))
    return page, asked


def of(asked: list[Request], start: str) -> list[str]:
    return [f"{one.method} {path}" for one in asked if (path := "/" + one.url.split("/", 3)[3]).startswith(start)]


async def test_a_digit_chooses_from_what_was_searched_not_from_the_callers_list(book: str, visiting: Visiting) -> None:
    page, asked = await opened(book, visiting, "desk-several-behind-found")
    await expect(page.locator("#call .people kbd").first).to_be_hidden()
    await expect(page.locator("#found .people kbd").first).to_be_visible()
    async with page.expect_request(f"**/console/elders/{uuid(900)}*"):
        await page.keyboard.press("Alt+1")
    await page.keyboard.press("Alt+3")  # there are two: the third of the other list is nobody's
    await page.keyboard.press("Alt+2")
    assert of(asked, "/console/elders/") == [f"GET /console/elders/{uuid(one)}?call={uuid(70)}" for one in (900, 910)]
    page, asked = await opened(book, visiting, "desk-several-behind")
    await expect(page.locator("#call .people kbd").first).to_be_visible()
    async with page.expect_request(f"**/console/elders/{uuid(901)}*"):
        await page.keyboard.press("Alt+1")


async def test_sending_is_of_the_form_one_is_in(book: str, visiting: Visiting) -> None:
    page, asked = await opened(book, visiting, "desk-known-caller")
    for field in ("#q", "#presence [name=extension]"):
        await page.focus(field)
        await page.keyboard.press("Control+Enter")
    await page.keyboard.press("Alt+M")
    await expect(page.locator("#elder-form [name=name]")).to_be_focused()
    await page.keyboard.press("Control+Enter")
    assert await page.locator("#elder-form [name=name]:invalid").count() == 1, "its own form was sent, and lacks a name"
    await page.keyboard.type("曾春梅")
    await page.keyboard.press("Tab")
    await page.keyboard.press("l")
    await page.keyboard.press("Enter")
    async with page.expect_request("**/console/elders"):
        await page.keyboard.press("Control+Enter")
    assert of(asked, "/console/orders") == of(asked, "/console/presence") == []
    await page.focus("#request [name=note]")
    async with page.expect_request("**/console/orders"):
        await page.keyboard.press("Control+Enter")


async def test_the_places_and_the_first_alarm_have_keys(book: str, visiting: Visiting) -> None:
    for key, address in (
        ("-", "/console"),
        ("=", "/console/board"),
        ("\\", "/console/queues"),
        ("`", "/console/incidents"),
    ):
        page, _ = await opened(book, visiting, "desk")
        async with page.expect_request(f"**{address}"):
            await page.keyboard.press(f"Alt+{key}")
    page = await (await visiting()).new_page()
    await page.goto(f"{book}/story/console/alarm-strip")
    async with page.expect_request("**/console/incidents/*"):
        await page.keyboard.press("Alt+'")
