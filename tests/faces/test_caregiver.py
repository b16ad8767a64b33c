"""A caregiver's day on her telephone, in a real browser: without a net, through a restart, over a line that breaks."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from playwright.async_api import BrowserContext, Page, async_playwright, expect

from app.core import clock
from app.core.clock import SHANGHAI
from app.core.config import Settings
from app.core.db import Database
from app.core.json import loads
from app.main import create_app
from app.shedding import Gate
from app.web.static_files import FOLDERS
from tests.conftest import MASTER_KEY, TestServer, vault, wired_bus
from tests.faces.apart import Apart
from tests.faces.axe import violations
from tests.faces.conftest import CHROMIUM, FLAGS, Served, Site, Visiting, keep_session
from tests.faces.line import Line, png
from tests.world import World

DAY = datetime(2026, 11, 20, tzinfo=SHANGHAI)
PHONE = "+8610099000077"
FAST = timedelta(seconds=137)
"""So much is the telephone's clock ahead."""
STEPS = ("departed", "arrived", "checked_in", "checked_out")
LOOKS_AT_STORE = """async () => {
  const done = (asked) => new Promise((resolve) => { asked.onsuccess = () => resolve(asked.result); });
  const db = await done(indexedDB.open('nuanxian-caregiver'));
  const files = await done(db.transaction('files').objectStore('files').getAll());
  db.close();
  const hex = (digest) => Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
  const hash = async (blob) => hex(await crypto.subtle.digest('SHA-256', await blob.arrayBuffer()));
  return Promise.all(files.map(async (file) => [await hash(file.blob), file.blob.type, file.blob.size]));
}"""
"""Hash, type and size of every file on its way."""


TOO_NEW = (
    r"\?\.[^0-9]|\?\?|\|\|=|&&=|\.replaceAll\(|[\w\])]\.at\(|\.flat\(|\.replaceChildren\(|^await |import\b.*\bfrom\b"
)
"""What the WebViews of five years ago (Chrome 79 for WeChat's) do not know."""


def at(hour: int, minute: int = 0, second: int = 0) -> datetime:
    return DAY + timedelta(hours=hour, minutes=minute, seconds=second)


@dataclass
class Town:
    """A service that can be stopped and started behind one line, and one caregiver's orders in it."""

    line: Line
    dsn: str
    home: Path
    caregiver_id: UUID = field(default_factory=lambda: UUID(int=0))
    orders: list[UUID] = field(default_factory=list)

    async def start(self) -> None:
        self.database = Database(self.dsn, vault=vault(), bus=wired_bus(), pool_size=6)
        settings = Settings(environment="development", database_url=self.dsn, data_dir=self.home, master_key=MASTER_KEY)
        app = create_app(settings, self.database)
        app.state.gate = Gate(self.database, sheds=False)  # a slow machine is not what is tested here
        self._served = Served(app)
        await self._served.__aenter__()
        self.connect()

    def connect(self, url: str | None = None) -> None:
        self.line.port = int((url or self._served.url).rsplit(":", 1)[1])

    async def stop(self) -> None:
        self.line.down()
        await self._served.__aexit__()

    async def rows(self, sql: str, *values: Any) -> list[Any]:
        async with self.database.transaction() as tx:
            return await tx.fetch(sql, *values)

    async def code(self) -> str:
        async with self.database.transaction() as tx:
            row = await tx.fetchrow("SELECT id, params FROM outgoing_message ORDER BY id DESC LIMIT 1")
            assert row is not None
            return str(loads(tx.vault.open("outgoing_message.params", row["id"], row["params"]))["code"])


@pytest.fixture(autouse=True)
def morning() -> Iterator[None]:
    with clock.hold(at(7, 30)):
        yield


@pytest.fixture
async def town(server: TestServer, template: str, tmp_path: Path) -> AsyncIterator[Town]:
    name = f"nuanxian_phone_{secrets.token_hex(4)}"
    dsn = await server.clone(name, template)
    async with Line() as line:
        made = Town(line, dsn, tmp_path)
        await made.start()
        world = World()
        async with made.database.transaction() as tx:
            provider = await world.provider(tx)
            made.caregiver_id = await world.caregiver(tx, provider, phone=PHONE, name="王秀兰")
            for number in range(6):
                order = await world.booked_order(
                    tx, provider_id=provider, caregiver_id=made.caregiver_id, assigned_at=at(0, 10),
                    hours=(8 * 60 + 100 * number - 10) / 60,
                )  # fmt: skip
                made.orders.append(order.order_id)
        yield made
        await made.stop()
    await server.drop(name)


Telephone = Callable[..., Awaitable[Page]]


@pytest.fixture
async def telephone(town: Town, tmp_path: Path) -> AsyncIterator[Telephone]:
    """`await telephone()`: the same telephone, started (anew); what it has kept is on disk."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    running: list[BrowserContext] = []
    async with async_playwright() as playwright:

        async def start(**options: Any) -> Page:
            while running:
                await running.pop().close()
            context = await playwright.chromium.launch_persistent_context(
                str(tmp_path / "telephone"), executable_path=CHROMIUM, args=FLAGS, locale="zh-CN",
                timezone_id="Asia/Shanghai", viewport={"width": 360, "height": 740}, permissions=["geolocation"],
                geolocation={"longitude": 102.1901, "latitude": 38.5201, "accuracy": 15}, **options,
            )  # fmt: skip
            running.append(context)
            context.set_default_timeout(30_000)
            page = context.pages[0]
            await page.clock.set_fixed_time(at(7, 30) + FAST)
            return page

        yield start
        while running:
            await running.pop().close()


async def sign_in(page: Page, town: Town) -> None:
    await page.goto(f"{town.line.url}/caregiver")
    await page.fill("[name=phone]", PHONE)
    await page.get_by_role("button", name="获取验证码").click()
    await page.wait_for_selector("#sent")
    await page.fill("[name=code]", await town.code())
    await page.wait_for_function("document.querySelector('[name=device_key]').value.length === 87")
    await page.get_by_role("button", name="登录", exact=True).click()
    await page.wait_for_url(f"{town.line.url}/caregiver")
    await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    await uploaded(page)


async def uploaded(page: Page) -> None:
    await expect(page.locator("[data-sync-words]")).to_contain_text("全部已上传")
    await expect(page.locator("[data-sync-words]")).not_to_contain_text("正在")


async def offline(page: Page, town: Town) -> None:
    town.line.down()
    await page.context.set_offline(True)


async def press(page: Page, when: datetime, name: str) -> None:
    await page.clock.set_fixed_time(when + FAST)
    before = await page.locator("[data-sync-words]").inner_text()
    await page.get_by_role("button", name=name).first.click()
    await expect(page.locator("[data-sync-words]")).not_to_have_text(before)
    await expect(page.locator("[data-go][aria-busy]")).to_have_count(0)  # the bar may have changed for its own reasons


async def a_visit(page: Page, number: int, picture: bytes) -> list[tuple[str, datetime]]:
    """Six steps at one door; what happened when."""
    begin = at(8) + timedelta(minutes=100 * number, seconds=number)
    times = [
        begin + timedelta(minutes=minutes, seconds=seconds) for minutes, seconds in ((0, 0), (12, 7), (15, 31), (78, 9))
    ]
    for when, name in zip(times[:3], ("出发", "到达", "签到，开始服务"), strict=True):
        await press(page, when, name)
    photo_at = begin + timedelta(minutes=30)
    await page.clock.set_fixed_time(photo_at + FAST)
    card = page.locator(".visit.now")
    await card.locator("[data-part=photo] summary").click()
    await card.locator("[data-photo]").set_input_files({"name": "p.png", "mimeType": "image/png", "buffer": picture})
    await expect(card.locator("[data-part=photo] summary")).to_contain_text("已存 1 张")
    happened = [*zip(STEPS[:3], times[:3], strict=True), ("evidence_added", photo_at)]
    if number == 1:
        happened.append(("evidence_added", await sign(page, begin + timedelta(minutes=70))))
    await press(page, times[3], "签退，结束服务")
    return [*happened, ("checked_out", times[3])]


async def sign(page: Page, when: datetime) -> datetime:
    await page.clock.set_fixed_time(when + FAST)
    card = page.locator(".visit.now")
    await card.locator("[data-part=signature] summary").click()
    pad = card.locator("[data-pad]")
    await pad.scroll_into_view_if_needed()
    box = await pad.bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + 30, box["y"] + 60)
    await page.mouse.down()
    await page.mouse.move(box["x"] + 150, box["y"] + 100, steps=5)
    await page.mouse.up()
    await card.get_by_role("button", name="保存签名").click()
    await expect(card.locator("[data-part=signature] summary")).to_contain_text("签名已保存")
    return when


@pytest.mark.parametrize("killed", [False, True], ids=["quiet", "service-killed"])
async def test_a_day_without_a_net(town: Town, telephone: Telephone, killed: bool) -> None:
    page, picture = await telephone(), png(1700, 900)
    await sign_in(page, town)
    await offline(page, town)
    happened: list[tuple[UUID, str, datetime]] = []
    for number in range(6):
        if number == 3:
            page = await telephone(offline=True)
            await page.goto(f"{town.line.url}/caregiver")
            await expect(page.locator("[data-title]")).to_have_text("今天 6 项，还有 3 项")
        assert await page.locator(".visit").count() <= 3
        happened += [(town.orders[number], *one) for one in await a_visit(page, number, picture)]
    await expect(page.locator("[data-sync-words]")).to_contain_text(f"离线 · {len(happened)} 条待上传 · 上次同步 07:30")
    kept = await page.evaluate(LOOKS_AT_STORE)
    assert {kind for _, kind, _ in kept} == {"image/jpeg", "image/png"}
    assert all(size <= 300 * 1024 for _, _, size in kept)
    with clock.hold(at(19)):
        await page.clock.set_fixed_time(at(19) + FAST)
        if killed:
            await over_a_broken_line(page, town)
        else:
            town.connect()
            await page.context.set_offline(False)
        await uploaded(page)
    await everything_once(town, happened, {digest for digest, _, _ in kept})
    await page.reload()
    await expect(page.locator("[data-title]")).to_have_text("今天 6 项，都结束了")


async def over_a_broken_line(page: Page, town: Town) -> None:
    """Answers get lost, and the service is killed, twice, while it is being told: with SIGKILL, in a process of its
    own."""
    service = Apart(town.dsn, town.home, at(19))
    town.connect(await service.start())
    first, kills = town.line.posts, [3, 7]
    town.line.breaks = ["/v1/caregiver/uploads", "/v1/caregiver/uploads", "/v1/caregiver/events"]
    await page.context.set_offline(False)
    for _ in range(2000):
        words = await page.locator("[data-sync-words]").inner_text()
        if not kills and "全部已上传" in words:
            break
        if kills and town.line.posts >= first + kills[0]:
            kills.pop(0)
            await service.kill()
            town.line.down()
            town.connect(await service.start())
        if "正在" not in words:
            await page.get_by_role("button", name="同步").click()
        await asyncio.sleep(0.01)
    await service.kill()
    town.line.down()
    town.connect()
    assert kills == [], "the service was never killed in the middle"
    assert town.line.breaks == []


async def everything_once(town: Town, happened: list[tuple[UUID, str, datetime]], digests: set[str]) -> None:
    events = await town.rows("SELECT * FROM visit_event ORDER BY device_seq")
    assert [(one["order_id"], one["type"], one["occurred_at"]) for one in events] == happened
    assert len({one["device_seq"] for one in events}) == len(events)
    assert {one["result"] for one in events} == {"applied"}
    times = {(order, kind): when for order, kind, when in happened if kind != "evidence_added"}
    for visit in await town.rows("SELECT * FROM visit"):
        told = [visit[name] for name in ("departed_at", "arrived_at", "began_at", "ended_at")]
        assert told == [times[visit["order_id"], kind] for kind in STEPS]
        assert (visit["status"], visit["verification"], visit["begin_place"]) == ("ended", "verified", "inside")
        assert visit["evidence"]
    statuses = await town.rows("SELECT status FROM care_order WHERE id = ANY($1::uuid[])", town.orders)
    assert [row["status"] for row in statuses] == ["completed"] * 6
    uploads = await town.rows("SELECT * FROM upload")
    assert len(uploads) == 7
    assert {bytes(one["sha256"]).hex() for one in uploads} == digests
    for one in uploads:
        content = (town.home / "uploads" / one["file_name"]).read_bytes()
        assert hashlib.sha256(content).digest() == bytes(one["sha256"])
        assert b"SECRETPLACE" not in content
        assert b"Exif" not in content
    named = {upload for one in events for upload in one["evidence"]}
    assert named == {one["id"] for one in uploads}


async def test_everything_about_a_visit_by_keyboard(town: Town, telephone: Telephone) -> None:
    page = await telephone()
    await sign_in(page, town)
    go = page.get_by_role("button", name="出发")
    for _ in range(12):
        await page.keyboard.press("Tab")
        if await go.evaluate("button => button === document.activeElement"):
            break
    assert await go.evaluate("button => button === document.activeElement"), "the big button is not a few tabs away"
    for name in ("到达", "签到，开始服务", "签退，结束服务"):
        await page.keyboard.press("Enter")
        await expect(page.locator("[data-go]").first).to_have_text(name)
    await uploaded(page)
    await page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    assert await violations(page) == []
    small = """() => Array.from(document.querySelectorAll('button, a, input, select, textarea, summary'))
      .filter(one => one.getClientRects().length && !one.closest('.skip, .file, .check'))
      .filter(one => one.getBoundingClientRect().height < 47.5).map(one => one.outerHTML)"""
    assert [one for one in await page.evaluate(small) if "skip" not in one] == []
    assert await page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") >= 18
    events = await town.rows("SELECT type, result FROM visit_event ORDER BY device_seq")
    assert [tuple(one) for one in events] == [(kind, "applied") for kind in STEPS[:3]]


async def test_taken_from_her_while_offline_and_signed_out(town: Town, telephone: Telephone) -> None:
    page = await telephone()
    await sign_in(page, town)
    first, colleague = town.orders[0], None
    async with town.database.transaction() as tx:
        colleague = await World().caregiver(tx, await tx.fetchval("SELECT id FROM provider"))
    await offline(page, town)
    await press(page, at(8), "出发")
    await page.get_by_text("服务做不了").first.click()
    await page.locator(".visit.now [data-failure]").select_option("elder_absent")
    await press(page, at(8, 20), "报告做不了")
    await expect(page.locator("[data-title]")).to_have_text("今天 6 项，还有 5 项")
    await town.rows("UPDATE care_order SET caregiver_id = $2 WHERE id = $1 RETURNING id", first, colleague)
    await page.get_by_role("button", name="退出").click()
    await expect(page.locator("#notices")).to_contain_text("还有 2 条没有上传")
    with clock.hold(at(9)):
        town.connect()
        await page.context.set_offline(False)
        await expect(page.locator("#notices")).to_contain_text("已收到，由中心核实")
        events = await town.rows("SELECT type, result, reason, occurred_at, reason_code FROM visit_event ORDER BY type")
        reason = ("needs_review", "caregiver_does_not_hold_the_order")
        assert [tuple(one) for one in events] == [
            ("departed", *reason, at(8), None), ("failed", *reason, at(8, 20), "elder_absent")
        ]  # fmt: skip
        status = await town.rows("SELECT status, caregiver_id FROM care_order WHERE id = $1", first)
        assert tuple(status[0]) == ("assigned", colleague)
        await no_thief_gets_in(page, town)
        await uploaded(page)
        await page.get_by_role("button", name="退出").click()
        await page.wait_for_url(f"{town.line.url}/caregiver/sign-in")
    databases = await page.evaluate("indexedDB.databases().then(all => all.map(one => one.name))")
    kept = await page.evaluate(
        "caches.keys().then(names => Promise.all(names.map(name => caches.open(name).then(one => one.keys()))))"
        ".then(all => all.flat().map(one => new URL(one.url).pathname))"
    )
    assert "nuanxian-caregiver" not in databases or await page.evaluate(LOOKS_AT_STORE) == []
    assert all(path == "/caregiver/shell" or path.startswith("/static/") for path in kept)
    assert await town.rows("SELECT 1 FROM caregiver_session") == []
    await offline(page, town)
    await page.goto(f"{town.line.url}/caregiver")
    await expect(page.locator("#notices")).to_contain_text("手机里还没有安排")
    assert await page.locator(".visit").count() == 0


async def no_thief_gets_in(page: Page, town: Town) -> None:
    """The cookie of this telephone, copied, lets nobody report."""
    cookies = {
        one["name"]: one["value"] for one in await page.context.cookies(town.line.url.replace("http:", "https:"))
    }
    async with httpx.AsyncClient(base_url=town.line.url, cookies=cookies, headers={"Origin": town.line.url}) as thief:
        body = {"events": [{"event_id": "x", "type": "departed", "order_id": str(town.orders[1]), "method": "gps",
                            "occurred_at": at(8).isoformat()}]}  # fmt: skip
        assert (await thief.get("/v1/caregiver/visits")).status_code == 200
        refused = await thief.post("/v1/caregiver/events", json=body)
    assert (refused.status_code, refused.json()["code"]) == (401, "device_signature_wrong")


async def test_without_scripts_it_is_a_list(town: Town, visiting: Visiting) -> None:
    async with town.database.transaction() as tx:
        phone = await World().phone(tx, town.caregiver_id)
    context = await visiting(width=360, java_script_enabled=False)
    await keep_session(context, Site(town.line.url, town.database, Settings(), {}), phone.token)
    page = await context.new_page()
    await page.goto(f"{town.line.url}/caregiver")
    assert await page.locator(".visit").count() == 6
    await expect(page.locator(".visit").first).to_contain_text("今天 08:00")
    await expect(page.locator("noscript")).to_be_visible()
    await page.get_by_role("link", name="收入与评价").click()
    await expect(page.locator("h1")).to_have_text("收入与评价")


@pytest.mark.parametrize("script", sorted(FOLDERS["caregiver"].glob("*.js")), ids=lambda file: file.name)
def test_scripts_are_written_for_old_telephones(script: Path) -> None:
    assert re.findall(TOO_NEW, script.read_text(encoding="utf-8"), re.M) == []


def test_what_is_too_new_would_be_found() -> None:
    for line in ("a?.b", "a ?? b", "a ||= b", "x.replaceAll(", "list.at(-1)", "await now()", "import a from 'b'"):
        assert re.search(TOO_NEW, line, re.M), line
