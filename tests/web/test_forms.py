"""A form is a door like any other: its key is in a field, and what is asked for twice is done once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated
from urllib.parse import urlencode

import httpx
import pytest
from fastapi import FastAPI, Response
from fastapi import Form as InForm

from app import http_errors, middleware
from app.core.config import Settings
from app.core.db import Database
from app.core.errors import Conflict, Forbidden
from app.core.http import TxDep, allow
from app.web.pages import Form, Pages, see
from tests.core.small_app import OpenGate, OpenGuard

pages = Pages()
BROWSER = {"Accept": "text/html,*/*", "Content-Type": "application/x-www-form-urlencoded"}


class NoteForm(Form):
    text: str
    number: int | None = None


@pages.post("/page/notes")
@allow("notes.write")
async def write(tx: TxDep, form: Annotated[NoteForm, InForm()]) -> Response:
    if form.text == "taken":
        raise Conflict("taken", "somebody was first")
    if form.text == "secret":
        raise Forbidden("not_permitted", "no")
    await tx.run("INSERT INTO job_receipt VALUES ($1, now())", form.number or 0)
    return see("/page/notes/written")


@pytest.fixture
async def client(settings: Settings, clean_database: Database) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.state.settings, app.state.database = settings, clean_database
    app.state.guard, app.state.gate = OpenGuard(), OpenGate()
    app.include_router(pages)
    http_errors.install(app)
    middleware.install(app)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="https://small.test", headers=BROWSER) as client:
        yield client


async def send(client: httpx.AsyncClient, **fields: str) -> httpx.Response:
    return await client.post("/page/notes", content=urlencode(fields))


async def test_sent_twice_it_is_done_once(client: httpx.AsyncClient, clean_database: Database) -> None:
    first = await send(client, text="x", number="1", once="key-0001")
    again = await send(client, text="x", number="1", once="key-0001")
    assert (first.status_code, first.headers["location"]) == (303, "/page/notes/written")
    assert (again.status_code, again.headers["location"]) == (303, "/page/notes/written")
    assert again.headers["idempotency-replayed"] == "true"
    async with clean_database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM job_receipt") == 1


async def test_another_form_with_the_same_key_is_refused(client: httpx.AsyncClient) -> None:
    await send(client, text="x", number="1", once="key-0002")
    other = await send(client, text="x", number="2", once="key-0002")
    assert other.status_code == 422
    assert "idempotency_key_reused" not in other.text, "a page speaks to people"


async def test_without_a_key_nothing_is_done(client: httpx.AsyncClient) -> None:
    assert (await send(client, text="x", number="3")).status_code == 422


@pytest.mark.parametrize(("text", "status"), [("taken", 409), ("secret", 403)])
async def test_a_refusal_is_a_page_and_in_place_a_line(client: httpx.AsyncClient, text: str, status: int) -> None:
    page = await send(client, text=text, once="key-0003")
    assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert "<html" in page.text
    line = await client.post(
        "/page/notes", content=urlencode({"text": text, "once": "key-0004"}), headers={"HX-Request": "true"}
    )
    assert (line.status_code, line.headers["hx-retarget"]) == (status, "#said")
    assert "<html" not in line.text


async def test_empty_fields_are_not_filled_in_and_unknown_ones_refused(client: httpx.AsyncClient) -> None:
    assert (await send(client, text="x", number="", once="key-0005")).status_code == 303
    assert (await send(client, text="", number="7", once="key-0006")).status_code == 422
    assert (await send(client, text="x", role="administrator", once="key-0007")).status_code == 422


@pytest.mark.parametrize(
    "raw", [b"text=%00&once=key-0008", b"text=%ff%fe&once=key-0009", b"once=%E4%BD%A0&text=x", b"&&&="]
)
async def test_a_form_of_rubbish_is_no_failure_of_ours(client: httpx.AsyncClient, raw: bytes) -> None:
    answer = await client.post("/page/notes", content=raw)
    assert answer.status_code in {303, 422}
