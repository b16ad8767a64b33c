"""The operator's desk as an operator uses it: a call rings, hands stay on the keyboard, and nothing typed is lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from playwright.async_api import BrowserContext, ConsoleMessage, Page

from app.core import clock
from app.elders import seals
from app.web.words import words_of
from tests.faces.axe import violations
from tests.faces.conftest import Site, Visiting, sign_in
from tests.world.intake import signed_post

EXTENSION = "8001"
UNKNOWN = "13899990001"
_calls = count(1)


@dataclass
class Hands:
    """An operator's hands: they know the keyboard alone, and count what they press."""

    page: Page
    pressed: list[str] = field(default_factory=list)

    async def press(self, *keys: str) -> None:
        for key in keys:
            self.pressed.append(key)
            await self.page.keyboard.press(key)

    async def type(self, text: str) -> None:
        await self.press(*text)


async def ring(site: Site, number: str) -> str:
    """A real call comes in and rings at the desk; the exchange's name of it."""
    call = f"ring-{next(_calls)}-{uuid4().hex[:6]}"
    await tell(site, call, "call.queued", seq=1, caller=number, called="12349", queue="seniors")
    await tell(site, call, "agent.offered", seq=2, agent=EXTENSION)
    return call


async def tell(site: Site, call: str, type: str, *, seq: int, **more: str) -> None:
    """One event of a call, signed as the exchange's bridge signs it."""
    at = (clock.now() + timedelta(milliseconds=seq)).isoformat()
    said = {"source": "freeswitch", "source_instance": "faces", "call_id": call, "type": type, "at": at, "seq": seq}
    key = site.credentials["telephony"]
    async with httpx.AsyncClient(base_url=site.url) as bridge:
        answer = await signed_post(bridge, (key["app_key"], key["secret"]), "/channels/phone/events", said | more)
    assert answer.status_code == 200, answer.text


async def known_caller(site: Site) -> tuple[UUID, str]:
    """An elder of the town whose number is nobody else's; with services behind them."""
    async with site.database.transaction() as tx:
        rows = await tx.fetch(
            """SELECT p.id, p.elder_id, p.phone FROM elder_phone p JOIN elder e ON e.id = p.elder_id
            WHERE e.division_code LIKE '620302%' AND (SELECT count(*) FROM elder_phone q
              WHERE q.phone_index = p.phone_index) = 1
            AND EXISTS (SELECT 1 FROM care_order o WHERE o.elder_id = e.id AND o.status = 'closed'
              AND o.item_code = 'clean_home')
            AND NOT EXISTS (SELECT 1 FROM care_order o WHERE o.elder_id = e.id AND o.status NOT IN
              ('closed', 'cancelled')) ORDER BY p.id LIMIT 20"""
        )
        row = rows[next(_elders) % len(rows)]
        return row["elder_id"], tx.vault.open(seals.PHONE, row["id"], row["phone"])


_elders = count()


async def orders_of(site: Site, elder_id: UUID) -> list[Any]:
    async with site.database.transaction() as tx:
        return list(await tx.fetch("SELECT * FROM care_order WHERE elder_id = $1 ORDER BY id DESC", elder_id))


async def be_there(site: Site, context: BrowserContext) -> None:
    """The operator sits down at the telephone."""
    cookies = {one["name"]: one["value"] for one in await context.cookies(site.url.replace("http:", "https:"))}
    token = next(iter(cookies.values()))
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid4())}
    async with httpx.AsyncClient(base_url=site.url, headers=headers) as client:
        body = {"extension": EXTENSION, "state": "ready", "take_over": True}
        assert (await client.put("/v1/desk/presence", json=body)).status_code == 200


@pytest.fixture
async def desk(site: Site, visiting: Visiting) -> AsyncIterator[Page]:
    """The desk, open before an operator at extension 8001; nothing on it may complain."""
    context = await visiting()
    await sign_in(context, site, "operator")
    await be_there(site, context)
    page = await context.new_page()
    complaints: list[str] = []
    overtaken = ("htmx:afterRequest", "htmx:sendAbort")  # a question that a newer one has made needless

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(overtaken):
            complaints.append(message.text)

    page.on("console", heard)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(f"{site.url}/console")
    await page.wait_for_selector("html[data-ready]")
    await asyncio.sleep(0.3)  # the stream is open
    yield page
    assert complaints == []


async def test_a_known_caller_from_ring_to_order_with_few_keys(site: Site, desk: Page) -> None:
    elder_id, number = await known_caller(site)
    before, hands, started = len(await orders_of(site, elder_id)), Hands(desk), time.monotonic()
    await ring(site, number)
    await desk.wait_for_selector(f"#person [data-elder-id='{elder_id}']")
    await hands.type("jjbj")
    await hands.press("Enter", "Alt+U", "Alt+N")
    await desk.keyboard.type("窗户也擦一擦")  # free text is not counted
    await desk.wait_for_selector("#quote tfoot")
    await hands.press("Control+Enter")
    await desk.wait_for_selector("[data-placed]")
    took = time.monotonic() - started
    placed = await orders_of(site, elder_id)
    assert len(placed) == before + 1
    assert placed[0]["item_code"] == "clean_home"
    async with site.database.transaction() as tx:
        request = await tx.fetchrow("SELECT call_id FROM care_request WHERE order_id = $1", placed[0]["id"])
    assert request is not None
    assert request["call_id"] is not None
    assert len(hands.pressed) <= 15, hands.pressed
    assert took <= 10, f"{took:.1f} s"
    await desk.wait_for_selector("#candidates .candidates, #candidates .notice-line")
    assert await violations(desk) == []


async def test_a_new_caller_and_a_new_elder_without_a_mouse(site: Site, desk: Page) -> None:
    hands, started = Hands(desk), time.monotonic()
    await ring(site, UNKNOWN)
    await desk.wait_for_selector("#call .call-card")
    await hands.press("Alt+M")
    assert await desk.evaluate("document.activeElement.name") == "name", "ready before the next key"
    await desk.keyboard.type("𠮷田春梅")
    await hands.press("Tab")
    # A busy browser tells of the opening only now; nobody is led back to the name by it.
    await desk.evaluate("document.getElementById('new-elder').dispatchEvent(new Event('toggle'))")
    await hands.type("ljl")
    await hands.press("Enter", "Tab")
    await desk.keyboard.type("龙集里小区 3 号楼 2 单元 401")
    await hands.press("Enter")
    await desk.wait_for_selector("#person [data-elder-id]")
    await hands.type("jjbj")
    await hands.press("Enter", "Control+Enter")
    await desk.wait_for_selector("[data-placed]")
    took = time.monotonic() - started
    async with site.database.transaction() as tx:
        elder = await tx.fetchrow("SELECT id FROM elder WHERE name = $1", "𠮷田春梅")
        assert elder is not None, await tx.fetch("SELECT name FROM elder ORDER BY id DESC LIMIT 1")
        phone = await tx.fetchrow("SELECT id, phone FROM elder_phone WHERE elder_id = $1", elder["id"])
        assert phone is not None
        assert tx.vault.open(seals.PHONE, phone["id"], phone["phone"]) == f"+86{UNKNOWN}"
    assert len(await orders_of(site, elder["id"])) == 1
    assert took <= 45, f"{took:.1f} s"


async def test_again_repeats_an_order(site: Site, desk: Page) -> None:
    elder_id, number = await known_caller(site)
    call = await ring(site, number)
    await desk.wait_for_selector(f"#person [data-elder-id='{elder_id}'] [data-again]")
    await tell(site, call, "call.answered", seq=3, agent=EXTENSION)
    await desk.wait_for_selector("#call-line.talking")
    await desk.keyboard.press("Alt+Q")
    await desk.wait_for_selector("#candidates .candidates .parts, #candidates .notice-line")
    item = await desk.get_attribute("[data-again]", "data-item")
    assert await desk.input_value("#request [name=item_code]") == item
    assert await desk.input_value("#request [name=minutes]") == await desk.get_attribute("[data-again]", "data-minutes")
    await desk.keyboard.press("Control+Enter")
    await desk.wait_for_selector("[data-placed]")
    assert (await orders_of(site, elder_id))[0]["item_code"] == item


async def test_an_order_is_taken_back_while_it_is_before_ones_eyes(site: Site, desk: Page) -> None:
    elder_id, number = await known_caller(site)
    await ring(site, number)
    await desk.wait_for_selector(f"#person [data-elder-id='{elder_id}'] [data-again]")
    await desk.keyboard.press("Alt+Q")
    await desk.keyboard.press("Control+Enter")
    await desk.wait_for_selector("[data-placed] [data-take-back]")
    assert await violations(desk) == []
    number_of = await desk.inner_text("[data-placed]")
    await desk.keyboard.press("Alt+Backspace")
    await desk.wait_for_selector("[data-taken-back]")
    placed = next(one for one in await orders_of(site, elder_id) if one["number"] in number_of)
    assert placed["status"] == "cancelled"
    assert await violations(desk) == []


async def test_after_ten_seconds_an_order_is_cancelled_on_its_own_page_only(site: Site, desk: Page) -> None:
    elder_id, number = await known_caller(site)
    await ring(site, number)
    await desk.wait_for_selector(f"#person [data-elder-id='{elder_id}'] [data-again]")
    await desk.clock.install()
    await desk.keyboard.press("Alt+Q")
    await desk.keyboard.press("Control+Enter")
    await desk.wait_for_selector("[data-take-back]")
    await desk.clock.run_for(11_000)
    await desk.wait_for_selector("[data-placed]:not(:has([data-take-back]))")


async def test_a_call_takes_nothing_of_what_is_half_typed(site: Site, desk: Page) -> None:
    typed = "老人说的是方言，等女儿回电"
    elder_id, number = await known_caller(site)
    await desk.keyboard.press("Alt+N")
    await desk.keyboard.type(typed)
    await desk.keyboard.press("Alt+J")
    await ring(site, number)
    await desk.wait_for_selector("#ringing button")
    assert await desk.input_value("#request [name=note]") == typed, "still under the operator's hands"
    assert await violations(desk) == []
    await desk.keyboard.press("Alt+R")
    await desk.wait_for_selector(f"#person [data-elder-id='{elder_id}']")
    assert await desk.input_value("#request [name=note]") == "", "the call has a form of its own"
    await desk.keyboard.press("Alt+N")
    await desk.keyboard.type("来电说要洗衣")
    await desk.reload()
    await desk.wait_for_selector(f"#person [data-elder-id='{elder_id}']")
    assert await desk.input_value("#request [name=note]") == "来电说要洗衣"
    await desk.keyboard.press("Alt+K")
    await desk.wait_for_function("document.querySelector('#request [name=note]').value.includes('方言')")
    assert await desk.input_value("#request [name=note]") == typed
    assert await desk.is_checked("#request [name=urgency][value=urgent]")


async def test_keys_are_left_alone_while_an_input_method_composes(desk: Page) -> None:
    await desk.focus("#q")
    await desk.evaluate(
        "document.activeElement.dispatchEvent(new CompositionEvent('compositionstart', {bubbles: true}))"
    )
    await desk.keyboard.press("Alt+N")
    assert await desk.evaluate("document.activeElement.id") == "q"
    await desk.evaluate("document.activeElement.dispatchEvent(new CompositionEvent('compositionend', {bubbles: true}))")
    await desk.keyboard.press("Alt+N")
    assert await desk.evaluate("document.activeElement.name") == "note"


async def test_somebody_is_found_and_chosen_by_keys(site: Site, desk: Page) -> None:
    async with site.database.transaction() as tx:
        row = await tx.fetchrow(
            "SELECT name, name_pinyin FROM elder WHERE division_code LIKE '620302%' ORDER BY id LIMIT 1"
        )
    assert row is not None
    await desk.keyboard.press("Alt+S")
    await desk.keyboard.type(row["name"])
    await desk.wait_for_selector("#found [data-people] a")
    first = await desk.get_attribute("#found [data-people] a", "href")
    await desk.keyboard.press("ArrowDown")
    assert await desk.evaluate("document.activeElement.getAttribute('href')") == first
    await desk.keyboard.press("Enter")
    await desk.wait_for_selector("#person [data-elder-id]")
    assert await desk.input_value("#request [name=elder_id]") == await desk.get_attribute(
        "#person [data-elder-id]", "data-elder-id"
    )


async def test_a_question_is_answered_from_the_knowledge_base(site: Site, desk: Page) -> None:
    await desk.keyboard.press("Alt+X")
    await desk.keyboard.press("Alt+N")
    await desk.keyboard.type("高龄津贴")
    await desk.wait_for_selector("#articles li:first-child:has-text('高龄津贴')")
    await desk.keyboard.press("Alt+T")
    await desk.keyboard.press("Control+Enter")
    await desk.wait_for_selector("[data-taken]:has-text('已答复')")
    async with site.database.transaction() as tx:
        row = await tx.fetchrow("SELECT kind, status, article_id FROM care_request ORDER BY id DESC LIMIT 1")
    assert row is not None
    assert (row["kind"], row["status"], row["article_id"] is not None) == ("consultation", "answered", True)


async def test_the_table_of_keys_opens_and_closes(desk: Page) -> None:
    await desk.keyboard.press("?")
    assert await desk.is_visible("#keys")
    assert await violations(desk) == []
    await desk.keyboard.press("Escape")
    assert not await desk.is_visible("#keys")
    await desk.focus("#q")
    await desk.keyboard.type("?")
    assert not await desk.is_visible("#keys"), "in a field it is a character"
    await desk.keyboard.press("Alt+/")
    assert await desk.is_visible("#keys")


async def test_without_a_script_an_order_can_be_placed(site: Site, visiting: Visiting) -> None:
    elder_id, number = await known_caller(site)
    context = await visiting(java_script_enabled=False)
    await sign_in(context, site, "operator")
    page = await context.new_page()
    await page.goto(f"{site.url}/console")
    await page.fill("#q", number)
    await page.click(".desk-search button")
    await page.click(f"#found a[href*='{elder_id}']")
    await page.select_option("#request [name=item_code]", "clean_home")
    await page.click("#request .place.only-service")
    await page.wait_for_selector("[data-placed]")
    assert len([one for one in await orders_of(site, elder_id) if one["status"] not in {"closed", "cancelled"}]) == 1


async def test_tab_reaches_everything_and_shows_where_it_is(desk: Page) -> None:
    reachable = await desk.evaluate(
        """[...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')]
        .filter(e => e.checkVisibility({visibilityProperty: true}) && !e.disabled && e.tabIndex >= 0)
        .filter(e => e.type !== 'radio' || e.checked).length"""
    )
    await desk.evaluate("document.activeElement.blur()")
    seen: list[str] = []
    for _ in range(reachable + 5):
        await desk.keyboard.press("Tab")
        here = await desk.evaluate(
            """(() => { const e = document.activeElement; if (e === document.body) return null;
            const shown = e.type === 'radio' ? e.nextElementSibling : e; const s = getComputedStyle(shown);
            return [e.outerHTML.slice(0, 90), s.outlineStyle !== 'none' || s.boxShadow !== 'none']; })()"""
        )
        if here is None:
            break
        assert here[1], f"no visible focus: {here[0]}"
        seen.append(here[0])
    assert len(seen) >= reachable, (len(seen), reachable)


def test_no_two_actions_have_the_same_key() -> None:
    keys = [one["key"] for one in words_of("console")["keys"].plain().values() if isinstance(one, dict)]
    assert len(keys) == len(set(keys))
    assert all(key.startswith(("Alt+", "Ctrl+")) for key in keys), "a letter alone would be typed"
