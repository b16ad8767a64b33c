"""The longest time an event loop that serves HTTP does nothing while a city's day is solved beside it."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable
from typing import Any

import httpx
import uvicorn

from app.routing import vroom, workers
from app.routing.problem import Problem

BEAT_S = 0.005
SOLVE_CPU_S = 10.0


async def show(day: Problem) -> None:
    """A small service in this process answers /healthz; the gaps are of its loop, the latencies of its answers."""
    server = uvicorn.Server(uvicorn.Config(_healthz, port=0, log_level="warning", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    await workers.prepare()
    await workers.solve_apart(day, 0.5, only=("insertion",))
    print(f"\n== the event loop while {len(day.caregivers)} x {len(day.tasks)} is solved for {SOLVE_CPU_S:g} CPU s")
    print(f"{'':34}{'wall s':>8}{'worst gap ms':>14}{'p99 gap ms':>12}{'own CPU ms':>12}{'worst answer ms':>17}")
    gc.collect()  # of what this process has loaded and a web process has not
    # One client, made before anything is measured: making one reads certificates for a tenth of a second.
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:
        await client.get("/healthz")
        await _measured("nothing to do", client, asyncio.sleep(5))
        await _measured("workers.solve_apart", client, workers.solve_apart(day, SOLVE_CPU_S))
        await _measured("VROOM in a thread (the wrong way)", client, asyncio.to_thread(vroom.solve, day, level=0))
    server.should_exit = True
    await serving


async def _measured(name: str, client: httpx.AsyncClient, work: Awaitable[Any]) -> None:
    """The gap is what a beat comes late by; own CPU is the part of it that the loop's thread itself was busy."""
    gaps: list[float] = []
    busy: list[float] = []
    answers: list[float] = []

    over = asyncio.Event()

    async def beat() -> None:
        while not over.is_set():
            before, cpu = time.perf_counter(), time.thread_time()
            await asyncio.sleep(BEAT_S)
            gaps.append(time.perf_counter() - before - BEAT_S)
            busy.append(time.thread_time() - cpu)

    async def ask() -> None:
        while not over.is_set():
            before = time.perf_counter()
            (await client.get("/healthz")).raise_for_status()
            answers.append(time.perf_counter() - before)
            await asyncio.sleep(0.02)

    beside = [asyncio.create_task(beat()), asyncio.create_task(ask())]
    began = time.perf_counter()
    await work
    wall = time.perf_counter() - began
    await asyncio.sleep(0.05)
    over.set()
    await asyncio.gather(*beside)
    gaps.sort()
    worst, p99, own, answer = (1000 * at for at in (gaps[-1], gaps[int(len(gaps) * 0.99)], max(busy), max(answers)))
    print(f"{name:34}{wall:8.1f}{worst:14.1f}{p99:12.1f}{own:12.1f}{answer:17.1f}", flush=True)


async def _healthz(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})
