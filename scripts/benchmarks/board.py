"""The live board in a real browser: how late a change is seen, how long a frame takes, and whether memory stays.

A change counts from its commit to the moment the row in the page carries its version. Half of the changes are to rows
that can be seen, the others anywhere among all of them.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import tempfile
from pathlib import Path
from typing import Any

from playwright.async_api import Page, async_playwright

from app import wiring
from app.accounts.guard import COOKIE
from benchmarks.board_town import Changer, fill, p95, spread
from benchmarks.town import Service, build

SEEN = 12
"""Rows at the top that are surely on the screen."""
LATE_S, FRAME_MS, GROWTH = 0.5, 100.0, 1.25
WATCH = """() => {
  window.seen = []; window.frames = []; window.long = [];
  const epoch = () => performance.timeOrigin + performance.now();
  const note = (row) => window.seen.push([row.dataset.order, Number(row.dataset.version), epoch() / 1000]);
  new MutationObserver((all) => { for (const one of all) note(one.target); })
    .observe(document.querySelector(".board-body"), {subtree: true, attributeFilter: ["data-version"]});
  new PerformanceObserver((all) => { for (const one of all.getEntries()) window.long.push(one.duration); })
    .observe({type: "long-animation-frame"});
  let last = performance.now();
  const frame = () => { const now = performance.now(); window.frames.push(now - last); last = now;
    requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
}"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--orders", type=int, default=5000, help="open orders on the board")
    parser.add_argument("--rate", type=float, default=20.0, help="changes a second")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--late-ms", type=float, default=1000 * LATE_S, help="p95 from commit to sight")
    parser.add_argument("--frame-ms", type=float, default=FRAME_MS, help="the longest frame")


async def run(options: argparse.Namespace) -> int:
    home = Path(tempfile.mkdtemp(prefix="nuanxian-bench-"))
    service = Service(home, 1)
    try:
        await service.create("board")
        database = service.database("board", wiring.bus())
        town = await build(database)
        ids = await fill(database, options.orders)
        await service.start("board")
        changer = Changer(database, ids[:SEEN] * (len(ids) // SEEN) + ids, options.rate, random.Random(1))
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=_chromium(), args=["--no-sandbox"])
            page = await _board(await browser.new_context(viewport={"width": 1440, "height": 900}), service, town.staff)
            found = await _measured(page, changer, options.seconds)
            await browser.close()
        await database.close()
        return _print(found, options)
    finally:
        service.stop()
        shutil.rmtree(home, ignore_errors=True)


def _chromium() -> str | None:
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


async def _board(context: Any, service: Service, token: str) -> Page:
    """The board with all of its lines read; prints how long that took."""
    url = f"http://127.0.0.1:{service.port}"
    cookie = {"name": COOKIE, "value": token, "url": url.replace("http:", "https:"), "secure": True, "httpOnly": True}
    await context.add_cookies([cookie])
    page: Page = await context.new_page()
    await page.goto(f"{url}/console/board")
    await page.wait_for_selector(".board-row:not([hidden])")
    took = await page.evaluate("performance.now()")
    sizes = "performance.getEntriesByType('resource').filter(r => r.name.endsWith('/lines')).at(-1)"
    bytes_, wait = await page.evaluate(f"(r => [r.encodedBodySize, r.duration])({sizes})")
    print(f"first sight of the lines after {took:.0f} ms; {bytes_ / 1e3:.0f} kB of lines in {wait:.0f} ms", flush=True)
    return page


async def _measured(page: Page, changer: Changer, seconds: float) -> dict[str, Any]:
    await page.evaluate(WATCH)
    session = await page.context.new_cdp_session(page)
    before = await _heap(session)
    await changer.run(seconds)
    await page.wait_for_timeout(1500)
    seen, frames, long_ = await page.evaluate("[window.seen, window.frames, window.long]")
    first: dict[tuple[str, int], float] = {}
    for order, version, at in seen:
        first.setdefault((order, version), at)
    committed = changer.committed
    delays = [at - committed[one] for one, at in first.items() if one in committed]
    return {
        "delays": delays, "frames": frames, "long": long_, "before": before, "after": await _heap(session),
        "changes": len(committed),
    }  # fmt: skip


async def _heap(session: Any) -> float:
    """Megabytes in use after a collection."""
    await session.send("HeapProfiler.collectGarbage")
    return float((await session.send("Runtime.getHeapUsage"))["usedSize"]) / 1e6


def _print(found: dict[str, Any], options: argparse.Namespace) -> int:
    frames = sorted(found["frames"])
    print(f"{found['changes']} changes in {options.seconds:g} s to {options.orders} open orders")
    print(f"from commit to sight: {spread(found['delays'])}")
    over = sum(one > options.frame_ms for one in frames)
    print(
        f"frames: {len(frames)}, p99 {frames[int(len(frames) * 0.99)]:.0f} ms, longest {frames[-1]:.0f} ms, {over} over"
    )
    print(f"long frames (over 50 ms of work): {len(found['long'])}, longest {max(found['long'], default=0):.0f} ms")
    print(f"heap: {found['before']:.1f} MB before, {found['after']:.1f} MB after")
    steady = found["after"] < GROWTH * found["before"]
    kept = p95(found["delays"]) <= options.late_ms / 1000 and frames[-1] <= options.frame_ms and steady
    print("kept" if kept else "NOT KEPT")
    return 0 if kept else 1
