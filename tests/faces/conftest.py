"""A real Chromium, and the service on a real port over a city with people in it.

Without Chromium (Debian: `apt-get install chromium fonts-noto-cjk`) these tests are skipped.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from playwright.async_api import Browser, BrowserContext, async_playwright, expect
from starlette.types import ASGIApp

from app.accounts.guard import COOKIE
from app.core.config import Settings
from app.core.db import Database
from app.main import create_app
from app.seeds import demo
from app.shedding import Gate
from app.web import storybook
from tests.conftest import MASTER_KEY, TestServer, vault, wired_bus

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip
expect.set_options(timeout=20_000)  # a busy machine is no fault of a page; what has to be fast is measured by itself
ROOT = Path(__file__).resolve().parents[2]
SHOTS = ROOT / "var" / "faces"
"""Where screenshots of a run lie afterwards."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("faces"))  # one browser, beside whatever else is tested


@dataclass(frozen=True)
class Site:
    """The service as a browser meets it."""

    url: str
    database: Database
    settings: Settings
    credentials: dict[str, Any]

    def staff(self, role: str) -> dict[str, Any]:
        """Name and password of somebody with this role."""
        return next(one for one in self.credentials["staff"] if role in one["role"])


class Served:
    """An application on a port of its own, in this loop."""

    def __init__(self, app: ASGIApp) -> None:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_level="warning", access_log=False, ws="none", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._server.install_signal_handlers = lambda: None  # type: ignore[attr-defined,unused-ignore]
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    async def __aenter__(self) -> Served:
        self._running = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        while not self._server.started:  # noqa: ASYNC110
            await asyncio.sleep(0.02)  # uvicorn has no event for it
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.should_exit = True
        await self._running


@pytest.fixture(scope="session")
async def demo_template(
    server: TestServer, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """A database with the demo world in it, to be copied; and everybody's credentials."""
    name = f"nuanxian_demo_{secrets.token_hex(4)}"
    dsn = await server.clone(name, template)
    home = tmp_path_factory.mktemp("demo")
    database = Database(dsn, vault=vault(), bus=wired_bus(), pool_size=4)
    await demo.load(database, _settings(dsn, home))
    await database.close()
    yield name, json.loads((home / "demo" / "credentials.json").read_text(encoding="utf-8"))
    await server.drop(name)


@pytest.fixture(scope="module")
async def site(
    server: TestServer, demo_template: tuple[str, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    """The service over a city of its own for each module of tests."""
    source, credentials = demo_template
    name = f"nuanxian_site_{secrets.token_hex(4)}"
    dsn = await server.clone(name, source)
    settings = _settings(dsn, tmp_path_factory.mktemp("site"))
    database = Database(dsn, vault=vault(), bus=wired_bus(), pool_size=10)
    app = create_app(settings, database)
    app.state.gate = Gate(database, sheds=False)  # a browser beside it makes it late, and is not what is tested
    async with Served(app) as served:
        yield Site(served.url, database, settings, credentials)
    await database.close()
    await server.drop(name)


@pytest.fixture(scope="session")
async def book() -> AsyncIterator[str]:
    """The address of the storybook."""
    async with Served(storybook.create()) as served:
        yield served.url


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        await started.close()


Visiting = Callable[..., Awaitable[BrowserContext]]


@pytest.fixture
async def visiting(browser: Browser) -> AsyncIterator[Visiting]:
    """`await visiting(width=…, dark=…, **options)`: a fresh browser profile, closed after the test."""
    opened: list[BrowserContext] = []

    async def visit(*, width: int = 1440, height: int = 900, dark: bool = False, **options: Any) -> BrowserContext:
        context = await browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            **options,
        )
        opened.append(context)
        return context

    yield visit
    for context in opened:
        await context.close()


async def sign_in(context: BrowserContext, site: Site, role: str) -> None:
    """Give the profile the session of somebody with this role, as the sign-in page would."""
    who = site.staff(role)
    async with httpx.AsyncClient(base_url=site.url) as client:
        answer = await client.post("/v1/sessions", json={"username": who["username"], "password": who["password"]})
    await keep_session(context, site, answer.json()["token"])


async def keep_session(context: BrowserContext, site: Site, token: str) -> None:
    """Any session's token as the browser's cookie."""
    await context.add_cookies(
        [{"name": COOKIE, "value": token, "url": site.url.replace("http:", "https:"), "secure": True, "httpOnly": True}]
    )


@pytest.fixture(scope="session")
def long_form(request: pytest.FixtureRequest) -> bool:
    """Look at everything at every width and in both themes, and keep the pictures."""
    return bool(request.config.getoption("--every-width"))


def shot(name: str) -> str:
    """Where a screenshot goes."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    return str(SHOTS / f"{name}.png")


def _settings(dsn: str, home: Path) -> Settings:
    return Settings(environment="development", database_url=dsn, data_dir=home, demo=True, master_key=MASTER_KEY)
