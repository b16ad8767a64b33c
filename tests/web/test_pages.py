"""The front page, the description and the health checks, as a browser and a supervisor ask for them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
import pytest

from app.core import clock
from app.core.config import Settings
from app.core.db import Database
from app.main import create_app
from app.web.description import examples_of
from tests.conftest import vault


async def test_the_front_page_says_what_this_is_and_how_it_is(api: httpx.AsyncClient) -> None:
    page = (await api.get("/")).text
    assert "12349" in page
    assert "/docs" in page
    assert "degraded" in page, "no worker runs in this test"
    assert "演示账号" not in page


async def test_a_demo_shows_its_accounts(settings: Settings, clean_database: Database, tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    staff = [{"username": "zuoxi1", "password": "<b>secret</b>", "role": "operator"}]
    (tmp_path / "demo" / "credentials.json").write_text(json.dumps({"staff": staff}))
    app = create_app(settings.model_copy(update={"demo": True}), clean_database)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://x") as client:
        page = (await client.get("/")).text
    assert "zuoxi1" in page
    assert "&lt;b&gt;secret" in page


@pytest.mark.parametrize("path", ["/", "/docs", "/sign-in", "/c/unknown"])
async def test_pages_ask_nobody_else_for_anything(api: httpx.AsyncClient, path: str) -> None:
    answer = await api.get(path)
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", answer.text)
    assert not re.search(r"<script(?![^>]*(?:src=|application/json))", answer.text), "no script is written into a page"
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert (await api.get("/static/frame/frame.css")).status_code == 200


async def test_the_description_names_every_operation(api: httpx.AsyncClient) -> None:
    document = (await api.get("/openapi.json")).json()
    page = (await api.get("/docs")).text
    for path in document["paths"]:
        assert f"<code>{path}</code>" in page


async def test_every_operation_declares_its_failures_and_shows_its_body(api: httpx.AsyncClient) -> None:
    document = (await api.get("/openapi.json")).json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if path in {"/healthz", "/readyz"}:
                continue
            assert "422" in operation["responses"], (method, path)
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content is not None:
                assert examples_of(document, content["schema"]), (method, path)


async def test_ready_means_database_and_schema(api: httpx.AsyncClient, clean_database: Database) -> None:
    state = (await api.get("/readyz")).json()
    assert state["checks"]["database"] == state["checks"]["migrations"] == "ok"
    assert state["status"] == "degraded"
    async with clean_database.transaction() as tx:
        now = clock.now()
        await tx.run("INSERT INTO periodic_task (name, next_at, last_started_at) VALUES ('x', $1, $1)", now)
    assert (await api.get("/readyz")).json()["status"] == "ready"


async def test_alive_without_a_database_but_not_ready(settings: Settings) -> None:
    away = Database("postgresql://nobody@127.0.0.1:9/none", vault=vault())
    app = create_app(settings, away)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://x") as client:
        assert (await client.get("/healthz")).json() == {"status": "alive"}
        assert (await client.get("/readyz")).status_code == 503
        assert "不可用" in (await client.get("/")).text
        refused = await client.get("/v1/service-items")
        assert (refused.status_code, refused.json()["code"]) == (503, "database_unavailable")
        assert refused.headers["retry-after"]
    await away.close()
