"""The family's pages: one order behind a link, and what somebody sees who has signed in."""

from __future__ import annotations

import asyncio
import statistics
import string
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from playwright.async_api import Page, Request

from app.accounts import links
from app.followup.service import FAMILY_LINK
from app.web.family import link_pages
from tests.faces.conftest import Site, Visiting
from tests.faces.test_frame import HTML
from tests.world.visits import Assigned, make_assigned_order, make_visit

SLOW_3G = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
"""What browsers' own tools call slow 3G: 400 kbit/s each way, 400 ms from question to answer."""


@dataclass(frozen=True)
class Linked:
    """An order with its family's link."""

    made: Assigned
    token: str
    path: str


@pytest.fixture(scope="module")
async def finished(site: Site) -> Linked:
    return await linked(site, make_visit)


async def linked(site: Site, make: Any, **overrides: Any) -> Linked:
    async with site.database.transaction() as tx:
        who = await tx.fetchrow("SELECT id, provider_id FROM caregiver ORDER BY id LIMIT 1")
        made = await make(tx, provider_id=who["provider_id"], caregiver_id=who["id"], **overrides)
        token = await links.issue(tx, FAMILY_LINK, made.order_id, timedelta(days=30))
        await tx.fetchval(
            "INSERT INTO consent (id, elder_id, purpose, granted_to, channel, granted_at, granted_by) "
            "VALUES (gen_random_uuid(), $1, 'family_page', 'family', 'phone', now(), 'staff:test') RETURNING id",
            made.elder_id,
        )
    return Linked(made, token, f"/f/{token}")


async def number_of(site: Site, order_id: UUID) -> str:
    async with site.database.transaction() as tx:
        return str(await tx.fetchval("SELECT number FROM care_order WHERE id = $1", order_id))


async def weighed(page: Page) -> list[int]:
    """Bytes over the wire of everything loaded from now on, headers and all."""
    session = await page.context.new_cdp_session(page)
    sizes: list[int] = []
    await session.send("Network.enable")
    await session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    session.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
    return sizes


async def test_a_full_load_is_light_and_paints_within_a_second_on_a_slow_line(
    site: Site, finished: Linked, visiting: Visiting
) -> None:
    page = await (await visiting(width=360)).new_page()
    sizes = await weighed(page)
    session = await page.context.new_cdp_session(page)
    await session.send("Network.enable")
    await session.send("Network.emulateNetworkConditions", SLOW_3G)
    painted = []
    for _ in range(3):
        await page.goto(site.url + finished.path, wait_until="networkidle" if not painted else "load")
        await page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")
        painted.append(await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
        if len(painted) == 1:
            weight = sum(sizes)
    print(f"bytes over the wire {weight}, first paint {[round(one) for one in painted]} ms")
    assert weight <= 100_000
    assert min(painted) <= 1000  # the machine may hiccup; the line is the same each time
    assert min(painted) >= SLOW_3G["latency"], "the line was not slow"


async def test_the_whole_page_works_without_javascript(site: Site, visiting: Visiting) -> None:
    order = await linked(site, make_visit)
    page = await (await visiting(width=360, java_script_enabled=False)).new_page()
    await page.goto(site.url + order.path)
    assert "服务已结束" in await page.inner_text("main")
    assert await page.locator(".line li.done").count() == 4
    await page.locator(".stars label").nth(3).click()
    await page.get_by_text("准时").click()
    await page.fill("textarea", "阿姨做事很仔细")
    await page.get_by_role("button", name="提交评价").click()
    assert page.url == f"{site.url}{order.path}#rate"
    assert "满意" in await page.inner_text("#rate")
    async with site.database.transaction() as tx:
        row = await tx.fetchrow("SELECT score, tags, counts FROM rating WHERE order_id = $1", order.made.order_id)
    assert (row["score"], row["tags"], row["counts"]) == (4, ["准时"], True)


async def test_rating_with_the_keyboard_alone(site: Site, visiting: Visiting) -> None:
    order = await linked(site, make_visit)
    page = await (await visiting(width=360)).new_page()
    await page.goto(site.url + order.path)
    reached = []
    for _ in range(12):
        await page.keyboard.press("Tab")
        reached.append(await page.evaluate("document.activeElement.name || document.activeElement.tagName"))
        if reached[-1] == "score":
            break
    assert reached[-1] == "score", reached
    await page.keyboard.press("Space")
    for _ in range(4):
        await page.keyboard.press("ArrowRight")
    ring = "getComputedStyle(document.activeElement.closest('label')).outlineStyle"
    assert await page.evaluate(ring) == "solid", "the focus is seen"
    while await page.evaluate("document.activeElement.tagName") != "BUTTON":
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".stars-given")
    assert "很满意" in await page.inner_text("#rate")


async def test_an_open_page_hears_of_what_happens(site: Site, visiting: Visiting) -> None:
    order = await linked(site, make_assigned_order)
    page = await (await visiting(width=360)).new_page()
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    page.on("request", note)
    await page.goto(site.url + order.path)
    assert await page.locator(".line li.done").count() == 1
    async with site.database.transaction() as tx:
        await order.made.report(tx, order.made.event("arrived", 5))
    await page.wait_for_selector(".line li.now:has-text('已到达')", timeout=15_000)
    assert "已到达" in await page.inner_text("#said")
    assert all(url.startswith(site.url) for url in asked)
    async with site.database.transaction() as tx:
        await order.made.report(tx, order.made.event("checked_in", 10), order.made.event("checked_out", 90))
    await page.wait_for_selector("#rate form", timeout=15_000)


async def test_no_mutation_of_a_token_shows_anything(site: Site, finished: Linked) -> None:
    number = await number_of(site, finished.made.order_id)
    token, alphabet = finished.token, string.ascii_letters + string.digits + "-_"
    changed = {token[:i] + (alphabet[(alphabet.index(c) + 1) % 64]) + token[i + 1 :] for i, c in enumerate(token)}
    changed |= {token[:i] + token[i].swapcase() + token[i + 1 :] for i in range(len(token)) if token[i].isalpha()}
    changed |= {token[:i] for i in range(1, len(token))} | {token[i:] for i in range(1, len(token))}
    changed |= (
        {token + c for c in alphabet} | {c + token for c in "-_0A"} | {token[:20] + "/" + token[20:], token + "/"}
    )
    changed |= {token[::-1], token.upper(), "%20" + token, token + "%20", token + "%2F", "x" * 4000, "龘" * 20}
    async with httpx.AsyncClient(base_url=site.url, headers=HTML) as client:
        assert number in (await client.get(finished.path)).text
        unknown = await client.get(f"/f/{'A' * 43}")
        limit = asyncio.Semaphore(4)

        async def seen(one: str) -> tuple[int, str]:
            async with limit:
                answer = await client.get(f"/f/{one}")
                return answer.status_code, answer.text

        answers = await asyncio.gather(*map(seen, sorted(changed)))
    assert len(changed) > 200
    assert set(answers) == {(404, unknown.text)}, "every one of them the same page"
    assert number not in unknown.text


async def test_expired_revoked_and_unknown_links_look_alike_and_take_as_long(site: Site) -> None:
    gone = [await linked(site, make_visit) for _ in range(2)]
    async with site.database.transaction() as tx:
        await links.revoke(tx, FAMILY_LINK, gone[0].made.order_id)
        await tx.run(
            "UPDATE signed_link SET expires_at = now() - interval '1 minute' WHERE subject_id = $1",
            gone[1].made.order_id,
        )
    tokens = {"revoked": gone[0].token, "expired": gone[1].token, "unknown": "A" * 43, "short": "A"}
    times: dict[str, list[float]] = {name: [] for name in tokens}
    pages = set()
    async with httpx.AsyncClient(base_url=site.url, headers=HTML) as client:
        for _ in range(30):
            for name, token in tokens.items():
                began = time.perf_counter()
                answer = await client.get(f"/f/{token}")
                times[name].append(time.perf_counter() - began)
                pages.add((answer.status_code, answer.text))
    assert len(pages) == 1
    middle = {name: statistics.median(found) * 1000 for name, found in times.items()}
    print("median ms", {name: round(one, 2) for name, one in middle.items()})
    assert max(middle.values()) < 2 * min(middle.values()) + 2


async def test_a_link_shows_its_own_order_and_no_other(site: Site, finished: Linked) -> None:
    other = await linked(site, make_visit)
    async with httpx.AsyncClient(base_url=site.url, headers=HTML) as client:
        text = (await client.get(other.path)).text
        answer = await client.get(finished.path)
    assert await number_of(site, other.made.order_id) in text
    assert await number_of(site, finished.made.order_id) not in text
    assert str(other.made.elder_id) not in text
    assert answer.headers["cache-control"] == "no-store"
    assert "'unsafe-inline'" not in answer.headers["content-security-policy"]


async def test_a_link_holds_so_many_streams_and_a_closed_one_makes_room(site: Site) -> None:
    order, other = await linked(site, make_assigned_order), await linked(site, make_assigned_order)
    async with AsyncExitStack() as open_pages:
        client = await open_pages.enter_async_context(
            httpx.AsyncClient(base_url=site.url, timeout=20, limits=httpx.Limits(max_connections=30))
        )

        async def opened(path: str, pages: AsyncExitStack = open_pages) -> httpx.Response:
            return await pages.enter_async_context(client.stream("GET", f"{path}/stream?after=5"))

        first = AsyncExitStack()
        answers = [await opened(order.path, first)]
        answers += [await opened(order.path) for _ in range(link_pages.MOST_OF_A_LINK - 1)]
        assert {answer.status_code for answer in answers} == {200}
        refused = await opened(order.path)
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) > 0
        assert (await opened(other.path)).status_code == 200
        await first.aclose()
        async with asyncio.timeout(5):
            while (await opened(order.path)).status_code == 429:  # noqa: ASYNC110 (only asking tells)
                await asyncio.sleep(0.1)


@pytest.mark.parametrize("last", ["9" * 5000, "x", "-1", "٣", "9" * 11])
async def test_a_last_id_that_is_none_is_passed_over(site: Site, last: str) -> None:
    order = await linked(site, make_assigned_order)
    headers = {"Last-Event-ID": last.encode()}
    async with (
        httpx.AsyncClient(base_url=site.url, timeout=20) as client,
        client.stream("GET", f"{order.path}/stream?after=5", headers=headers) as answer,
    ):
        assert answer.status_code == 200


async def test_a_stream_says_only_that_there_is_something_new(site: Site) -> None:
    order = await linked(site, make_assigned_order)
    async with httpx.AsyncClient(base_url=site.url, timeout=20) as client:
        assert (await client.get(f"/f/{'A' * 43}/stream")).status_code == 404
        heard: list[str] = []
        async with client.stream("GET", f"{order.path}/stream?after=5") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            async for line in answer.aiter_lines():
                heard.append(line)
                if line.startswith("retry"):
                    async with site.database.transaction() as tx:
                        await order.made.report(tx, order.made.event("departed", 1))
                if line.startswith("data"):
                    break
    assert heard[-1] == "data: 6"
    assert str(order.made.order_id) not in "".join(heard)
