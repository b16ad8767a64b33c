"""A follow-up's form asks only those for a rating who were reached, and them always; the queues go on by themselves."""

from __future__ import annotations

from playwright.async_api import expect

from tests.faces.axe import violations
from tests.faces.conftest import Visiting


async def test_only_who_was_reached_is_asked_and_then_a_rating_is_due(book: str, visiting: Visiting) -> None:
    page = await (await visiting()).new_page()
    await page.goto(f"{book}/story/console/followup")
    score = page.locator("[name=score][value='5']")
    await page.check("[name=outcome][value=reached]")
    await expect(score).to_be_visible()
    await page.keyboard.press("Control+Enter")
    assert await page.locator("[name=score]:invalid").count() == 6, (
        "nothing is sent without a rating or why there is none"
    )
    await score.check()
    assert await violations(page) == []
    await page.check("[name=outcome][value=no_answer]")
    await expect(score).to_be_hidden()
    async with page.expect_request("**/attempts") as sent:
        await page.keyboard.press("Control+Enter")
    said = (await sent.value).post_data or ""
    assert "outcome=no_answer" in said
    assert "score" not in said, "a rating touched by mistake is not sent"


async def test_the_queues_are_asked_for_again(book: str, visiting: Visiting) -> None:
    page = await (await visiting()).new_page()
    for story, address in (("queues", "/console/queues"), ("queue", "/console/queues/followups")):
        await page.clock.install()
        await page.goto(f"{book}/story/console/{story}")
        async with page.expect_request(lambda asked, address=address: asked.url.endswith(address)):  # type: ignore[misc]
            await page.clock.run_for(31_000)
