"""Signing in and out, and what a browser sees when something fails."""

from __future__ import annotations

import httpx
import pytest
from playwright.async_api import expect

from tests.faces.conftest import Site, Visiting, sign_in

HTML = {"Accept": "text/html"}


async def test_signing_in_with_the_keyboard_and_out_again(site: Site, visiting: Visiting) -> None:
    page = await (await visiting()).new_page()
    await page.goto(f"{site.url}/sign-in")
    who = site.staff("operator")
    await expect(page.locator("[name=username]")).to_be_focused()
    await page.keyboard.type(who["username"])
    await page.keyboard.press("Tab")
    await page.keyboard.type("wrong-password")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#refused")
    assert await page.input_value("[name=username]") == who["username"]
    await page.fill("[name=password]", who["password"])
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{site.url}/console")
    cookie = (await page.context.cookies())[0]
    assert (cookie["name"], cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (
        "__Host-nuanxian", True, True, "Lax",
    )  # fmt: skip


async def test_whoever_is_not_signed_in_is_asked_to(site: Site, visiting: Visiting) -> None:
    page = await (await visiting()).new_page()
    await page.goto(f"{site.url}/console")
    assert page.url == f"{site.url}/sign-in?next=/console"


@pytest.mark.parametrize("next_", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"])
async def test_signing_in_leads_nowhere_else(site: Site, next_: str) -> None:
    who = site.staff("operator")
    form = {"username": who["username"], "password": who["password"], "next": next_}
    async with httpx.AsyncClient(base_url=site.url, headers={"Origin": site.url}) as client:
        answer = await client.post("/sign-in", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console")


async def test_a_form_of_another_site_does_nothing(site: Site, visiting: Visiting) -> None:
    context = await visiting()
    await sign_in(context, site, "operator")
    cookies = {one["name"]: one["value"] for one in await context.cookies(site.url.replace("http:", "https:"))}
    async with httpx.AsyncClient(base_url=site.url, cookies=cookies) as client:
        answer = await client.post("/sign-out", headers={"Origin": "https://evil.example", **HTML})
        assert answer.status_code == 303
        assert "/sign-in" in answer.headers["location"]
        assert (await client.get("/v1/sessions/current")).status_code == 200


async def test_a_browser_gets_a_page_and_a_program_a_document(site: Site) -> None:
    async with httpx.AsyncClient(base_url=site.url) as client:
        page = await client.get("/nowhere", headers=HTML)
        assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert "<h1>" in page.text
        document = await client.get("/nowhere")
        assert document.json()["code"] == "not_found"
        assert (await client.get("/v1/nowhere", headers=HTML)).json()["code"] == "not_found"


async def test_files_are_kept_for_good_and_travel_packed(site: Site) -> None:
    from app.web.static_files import url_of

    async with httpx.AsyncClient(base_url=site.url) as client:
        answer = await client.get(url_of("vendor/htmx.min.js"))
        assert (answer.headers["content-encoding"], answer.status_code) == ("gzip", 200)
        assert "immutable" in answer.headers["cache-control"]
        assert "htmx" in answer.text
        plain = await client.get(url_of("frame/frame.css"))
        assert plain.headers["content-type"].startswith("text/css")
