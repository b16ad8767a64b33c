"""What axe-core (Deque's accessibility rules) finds on a page."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Page

from app.web.static_files import FOLDERS

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


async def violations(page: Page) -> list[str]:
    """Each as "rule: where"; empty when all is well. Loaded past the content security policy, which stays as it is."""
    source = (FOLDERS["vendor"] / "axe.min.js").read_text(encoding="utf-8")
    found: Any = await page.evaluate(
        "async ([source, tags]) => { if (!window.axe) (0, eval)(source);"
        " return (await axe.run(document, {runOnly: tags})).violations"
        ".map(v => v.nodes.map(n => `${v.id}: ${n.target.join(' ')}  ${n.failureSummary}`)).flat() }",
        [source, TAGS],
    )
    return list(found)
