"""The cockpit in a browser: the same numbers on the page, at the doors and in SQL of its own, and the way down by
keyboard to one visit's evidence."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.async_api import Page

from app.core import clock
from app.core.dsn import asyncpg_dsn
from app.core.http import Caller
from app.insight import service
from app.insight.indicators import BY_CODE
from app.insight.service import Question
from tests.faces.axe import violations
from tests.faces.conftest import Site, Visiting, sign_in

FIRST, LAST = clock.today() - timedelta(days=40), clock.today() + timedelta(days=1)
PERIOD = {"from": FIRST.isoformat(), "to": (LAST + timedelta(days=1)).isoformat()}
QUERY = f"first={FIRST}&last={LAST}"
CITY = Caller(kind="staff", id="t", name="t", roles=frozenset({"supervisor"}), divisions=("620300",))

OWN_SQL = {
    "orders": ("SELECT count(*) AS part, count(*) AS whole FROM o"),
    "done": "SELECT count(*) FILTER (WHERE outcome = 'done') AS part, count(*) AS whole FROM o "
    "WHERE completed_at IS NOT NULL",
    "verified_share": "SELECT count(*) FILTER (WHERE v.verification = 'verified') AS part, count(*) AS whole "
    "FROM o JOIN visit v ON v.order_id = o.id WHERE o.completed_at IS NOT NULL AND o.outcome <> 'not_done'",
    "manual_share": "SELECT count(*) FILTER (WHERE manual) AS part, count(*) AS whole FROM visit v JOIN o "
    "ON o.id = v.order_id WHERE coalesce(v.ended_at, v.failed_at) IS NOT NULL",
    "satisfied": "SELECT count(*) FILTER (WHERE score > 3) AS part, count(*) AS whole FROM rating r "
    "JOIN o ON o.id = r.order_id WHERE r.counts",
    "refused": "SELECT count(DISTINCT order_id) FILTER (WHERE f.status = 'refused') AS part, "
    "count(DISTINCT order_id) AS whole FROM offer f JOIN o ON o.id = f.order_id",
    "accept_on_time": "SELECT count(*) FILTER (WHERE met_at <= due_at) AS part, count(*) AS whole "
    "FROM order_deadline d JOIN o ON o.id = d.order_id WHERE name = 'accept' AND o.status <> 'cancelled' "
    "AND (met_at IS NOT NULL OR due_at <= $3)",
    "paid_government": "SELECT coalesce(sum((p ->> 'payable_fen')::bigint), 0) AS part, 0 AS whole "
    "FROM statement_line l JOIN o ON o.id = l.order_id, jsonb_array_elements(l.parts) p "
    "WHERE p ->> 'payer' = 'government' AND l.kind = 'service' AND NOT l.void",
    "requests": "SELECT count(*) AS part, 0 AS whole FROM care_request WHERE status <> 'merged' "
    "AND created_at >= $1 AND created_at < $2",
}  # fmt: skip


@pytest.fixture
async def supervisor(site: Site) -> Any:
    who = site.staff("supervisor")
    async with httpx.AsyncClient(base_url=site.url) as client:
        answer = await client.post("/v1/sessions", json={"username": who["username"], "password": who["password"]})
        client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        yield client


@pytest.fixture
async def desk(site: Site, visiting: Visiting) -> Any:
    context = await visiting()
    await sign_in(context, site, "supervisor")
    return await context.new_page()


async def figures(client: httpx.AsyncClient, **more: str) -> dict[str, Any]:
    answer = await client.get("/v1/indicators", params=PERIOD | more)
    assert answer.status_code == 200, answer.text
    return {one["code"]: one for one in answer.json()["figures"]}


async def test_the_doors_count_what_other_sql_counts(site: Site, supervisor: httpx.AsyncClient) -> None:
    found = await figures(supervisor)
    connection = await asyncpg.connect(asyncpg_dsn(site.database.dsn))
    begin, end = clock.day_bounds(FIRST)[0], clock.day_bounds(LAST)[1]
    try:
        for code, sql in OWN_SQL.items():
            own = await connection.fetchrow(
                f"WITH o AS (SELECT * FROM care_order WHERE wanted_from >= $1 AND wanted_from < $2) "
                f"SELECT * FROM ({sql}) x WHERE $1::timestamptz < $2::timestamptz AND $3::timestamptz IS NOT NULL",
                begin, end, clock.now(),
            )  # fmt: skip
            assert own is not None
            assert (found[code]["part"], found[code]["whole"]) == (own["part"], own["whole"]), code
    finally:
        await connection.close()
    assert found["orders"]["part"] > 100
    assert found["satisfied"]["whole"] > 20


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(begin=st.integers(0, 38), length=st.integers(1, 20), division=st.sampled_from([None, "620302", "620321"]))
async def test_parts_of_the_city_add_up_to_it(site: Site, begin: int, length: int, division: str | None) -> None:
    first = FIRST + timedelta(days=begin)
    asked = Question(first, first + timedelta(days=length), division)
    async with site.database.transaction() as tx:
        report = await service.report(tx, CITY, asked, ("provider", "division", "day"))
    for by, groups in report.groups.items():
        for whole in report.figures:
            own = [one for group in groups for one in group.figures if one.indicator is whole.indicator]
            if own:
                assert sum(one.part for one in own) == whole.part, (by, whole.indicator.code)
                assert sum(one.whole for one in own) == whole.whole, (by, whole.indicator.code)
    assert (
        {one.indicator.code for one in report.groups["provider"][0].figures} >= {"orders", "paid_family"}
        if (report.groups["provider"])
        else True
    )


@pytest.mark.parametrize("division", [None, "620321"])
async def test_a_list_is_what_was_counted(site: Site, division: str | None) -> None:
    async with site.database.transaction() as tx:
        for provider_id in (
            None,
            await tx.fetchval("SELECT provider_id FROM care_order WHERE status = 'closed' LIMIT 1"),
        ):
            asked = Question(FIRST, LAST + timedelta(days=1), division, provider_id)
            report = await service.report(tx, CITY, asked)
            for one in report.figures:
                if not one.indicator.listed:
                    continue
                rows = await service.listing(tx, CITY, asked, one.indicator.code, counted=None, before=None, limit=5000)
                part = [row for row in rows if row["counted"]]
                if one.indicator.unit != "minutes":
                    assert (len(part), len(rows)) == (one.part, one.whole), one.indicator.code
                else:
                    assert len(rows) == one.whole
                only = await service.listing(tx, CITY, asked, one.indicator.code, counted=True, before=None, limit=5000)
                assert [row["id"] for row in only] == [row["id"] for row in part]


async def test_the_page_shows_the_doors_numbers(site: Site, desk: Page, supervisor: httpx.AsyncClient) -> None:
    found = await figures(supervisor)
    await desk.goto(f"{site.url}/cockpit?{QUERY}")
    shown = dict(
        await desk.eval_on_selector_all(
            "ol.funnel li",
            "rows => rows.map(row => [row.querySelector('.funnel-name').textContent.trim(),"
            " +row.querySelector('.funnel-count').textContent])",
        )
    )
    assert shown == {one.name: found[code]["part"] for code, one in BY_CODE.items() if one.funnel}
    text = await desk.inner_text("ul.headline")
    for code in ("arrive_on_time", "verified_share", "satisfied"):
        one = found[code]
        assert f"{one['value'] * 100:.1f}%" in text
        assert f"{one['part']} / {one['whole']}" in text
        assert f"{one['low'] * 100:.1f}%–{one['high'] * 100:.1f}%" in text
    assert await violations(desk) == []


async def _tab_to(page: Page, selector: str, most: int = 400) -> None:
    """With the Tab key alone, from where the focus is."""
    for _ in range(most):
        await page.keyboard.press("Tab")
        if await page.evaluate("s => document.activeElement?.matches(s)", selector):
            return
    raise AssertionError(f"{selector} is not reached by keyboard")


async def test_down_to_a_visits_evidence_by_keyboard(site: Site, desk: Page) -> None:
    await desk.goto(f"{site.url}/cockpit?{QUERY}")
    await _tab_to(desk, 'a[href^="/cockpit/indicators/verified_share"]')
    await desk.keyboard.press("Enter")
    await desk.wait_for_url(re.compile(r"/cockpit/indicators/verified_share\?"))
    await _tab_to(desk, 'a[href^="/cockpit/orders/"]')
    number = await desk.evaluate("document.activeElement.textContent")
    await desk.keyboard.press("Enter")
    await desk.wait_for_url(re.compile(r"/cockpit/orders/"))
    assert number in await desk.inner_text("h1")
    events = await desk.inner_text("#events + div")
    assert "签到" in events
    assert "米" in events
    assert await violations(desk) == []


async def test_it_all_works_without_a_script(site: Site, visiting: Visiting) -> None:
    context = await visiting(java_script_enabled=False)
    await sign_in(context, site, "auditor")
    page = await context.new_page()
    await page.goto(f"{site.url}/cockpit")
    await page.fill("[name=first]", FIRST.isoformat())
    await page.fill("[name=last]", LAST.isoformat())
    await page.select_option("[name=division]", "620302")
    await page.click("form.filters button")
    assert "620302" in page.url
    assert "金川区" in await page.inner_text("h1")
    await page.click("details summary")
    assert await page.locator("details tbody tr").count() == 14
    for way in ("/cockpit/map", "/cockpit/definitions", "/cockpit/report", "/cockpit/wall"):
        answer = await page.goto(f"{site.url}{way}")
        assert answer is not None
        assert answer.status == 200, way
    await page.goto(f"{site.url}/cockpit/map?last={clock.today()}")
    assert await page.locator(".places li").count() > 0


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (3840, 2160)])
async def test_the_wall_fits_its_screen(site: Site, visiting: Visiting, width: int, height: int) -> None:
    context = await visiting(width=width, height=height)
    await sign_in(context, site, "supervisor")
    page = await context.new_page()
    await page.goto(f"{site.url}/cockpit/wall")
    size = await page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert size == [width, height]
    smallest = await page.evaluate(
        "Math.min(...[...document.querySelectorAll('main *')].filter(e => !e.childElementCount && e.textContent.trim()"
        " && e.getBoundingClientRect().width > 2).map(e => parseFloat(getComputedStyle(e).fontSize)))"
    )
    assert smallest >= height / 60


async def test_the_map_draws_outlines_and_places(site: Site, desk: Page) -> None:
    await desk.goto(f"{site.url}/cockpit/map?last={clock.today()}")
    await desk.wait_for_selector(".leaflet-interactive")
    assert await desk.locator("path.leaflet-interactive").count() == 2
    buttons = desk.locator("[data-place]:visible")
    assert await buttons.count() > 0
    await buttons.first.focus()
    await desk.keyboard.press("Enter")
    await desk.wait_for_selector(".leaflet-tooltip")
    assert await violations(desk) == []


async def test_opening_a_file_is_written_down(site: Site, desk: Page) -> None:
    async with site.database.transaction() as tx:
        order_id = await tx.fetchval("SELECT order_id FROM visit WHERE cardinality(evidence) > 0 LIMIT 1")
        if order_id is None:
            order_id, provider_id = await tx.fetchrow(
                "SELECT order_id, provider_id FROM visit WHERE status = 'ended' LIMIT 1"
            )  # type: ignore[misc]
            from app.visits import uploads

            app = Caller(kind="provider", id="p", name="p", provider_id=provider_id)
            kept = await uploads.keep(tx, app, b"\x89PNG\r\n\x1a\n" + bytes(64), site.settings.data_dir)
            await tx.run("UPDATE visit SET evidence = ARRAY[$1::uuid] WHERE order_id = $2", kept.upload_id, order_id)
    await desk.goto(f"{site.url}/cockpit/orders/{order_id}")
    address = await desk.get_attribute(".files a", "href")
    before = await _opened(site)
    answer = await desk.context.request.get(f"{site.url}{address}")
    assert answer.status == 200
    assert "sandbox" in answer.headers["content-security-policy"]
    assert await _opened(site) == before + 1


async def _opened(site: Site) -> int:
    async with site.database.transaction() as tx:
        return int(await tx.fetchval("SELECT count(*) FROM audit_entry WHERE action = 'visits.open_evidence'"))


async def test_who_may_not_look_is_turned_away(site: Site, visiting: Visiting) -> None:
    context = await visiting()
    await sign_in(context, site, "operator")
    page = await context.new_page()
    answer = await page.goto(f"{site.url}/cockpit")
    assert answer is not None
    assert answer.status == 403
