"""Every page in every state: accessible, within its width, without a complaint.

Each is shown once, narrow or wide, light or dark, in turn; with `--every-width` at three widths in both themes, and
pictures are kept.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page

from app.web import stories
from tests.faces.axe import violations
from tests.faces.conftest import shot

SHORT = ((360, "light"), (1440, "dark"), (1440, "light"), (360, "dark"))
LONG = tuple((width, theme) for theme in ("light", "dark") for width in (360, 768, 1440))
NAMES = [name for name, _ in stories.every()]


def test_every_template_has_a_story() -> None:
    assert stories.untold() == set()


@pytest.fixture(scope="module")
async def reader(browser: Browser) -> AsyncIterator[Page]:
    """One page for all stories: what one leaves behind would show in the next."""
    context = await browser.new_context(locale="zh-CN", timezone_id="Asia/Shanghai")
    yield await context.new_page()
    await context.close()


@pytest.mark.parametrize("name", NAMES)
async def test_a_story(reader: Page, book: str, name: str, long_form: bool) -> None:
    complaints: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(message.text)

    reader.on("console", heard)
    reader.on("pageerror", lambda error: complaints.append(str(error)))
    try:
        for width, theme in LONG if long_form else [SHORT[NAMES.index(name) % len(SHORT)]]:
            await reader.set_viewport_size({"width": width, "height": 900})
            await reader.emulate_media(color_scheme="dark" if theme == "dark" else "light")
            await reader.goto(f"{book}/story/{name}", wait_until="load")
            if long_form:
                await reader.screenshot(path=shot(f"{name.replace('/', '-')}-{width}-{theme}"), full_page=True)
            wide = await reader.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{wide} px wide on a screen of {width}"
            assert await violations(reader) == []
    finally:
        reader.remove_listener("console", heard)
    assert complaints == []
