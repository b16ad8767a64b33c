"""`scripts/bench race`: hostile operations from many clients, and an audit after every slice.

Assign, accept, refuse, expire, cancel, move a caregiver, dispatch again, report late; one caregiver and two, one offer
and several to grab. After every slice the tables are asked whether anybody is in two places, any order is lost or
stuck, any offer was won twice. The control does the same without the constraint, and has to be caught. Both beside each
other, slice by slice, say what the constraint costs.

With `--resume DIR` everything is kept there, and a run that was ended goes on with its next slice.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import shutil
import statistics
import tempfile
import time
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from app.core import clock
from app.matching import availability
from app.serving import migrations, postgres
from benchmarks import cpu, race_audit, race_city, race_naive
from benchmarks.race_clients import Tally
from benchmarks.race_fleet import Fleet, database_of

LOOK_EVERY_S = 0.2
"""How often somebody looks for overlaps while the clients are at work: most would be gone by the end of a slice."""
FULL_AUDIT = 20
"""Every so many slices all orders are looked at, not only those that something has happened to."""


@dataclass
class State:
    """How far a race has come. `breaches` by name, over all slices; `doubles` are offers that two have won."""

    operations: int = 0
    slices: int = 0
    seconds: float = 0.0
    client_cpu_s: float = 0.0
    server_cpu_s: float = 0.0
    tried_again: int = 0
    doubles: int = 0
    done: dict[str, int] = field(default_factory=dict)
    refused: int = 0
    breaches: dict[str, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Operations per second, audits left out."""
        return self.operations / self.seconds if self.seconds else 0.0

    @property
    def cpu_s(self) -> float:
        return self.client_cpu_s + self.server_cpu_s

    @property
    def clean(self) -> bool:
        return not self.breaches and not self.doubles

    def add(self, tally: Tally, operations: int, seconds: float, server_cpu_s: float, breaches: dict[str, int]) -> None:
        self.operations += operations
        self.slices += 1
        self.seconds += seconds
        self.client_cpu_s += tally.cpu_s
        self.server_cpu_s += server_cpu_s
        self.tried_again += tally.tried_again
        self.doubles += tally.doubles
        self.refused += tally.refused.total()
        for verb, count in tally.done.items():
            self.done[verb] = self.done.get(verb, 0) + count
        for name, count in breaches.items():
            self.breaches[name] = max(self.breaches.get(name, 0), count)


class Race:
    """One database with its fleet; `slice` is a number of operations followed by an audit."""

    def __init__(
        self,
        dsn: str,
        state: State,
        *,
        processes: int,
        clients: int,
        seed: int,
        naive: bool = False,
        server_pid: int | None = None,
    ) -> None:
        self.state, self._server_pid = state, server_pid
        self._ready = self._prepared = False
        self._auditor = database_of(dsn, 2)
        self._seen: set[tuple[UUID, UUID]] = set()
        # Whoever goes on does not repeat the chances of the slices before.
        seed = seed * 100_000 + state.slices
        self._fleet = Fleet(dsn, processes=processes, clients=clients, seed=seed, naive=naive)

    async def slice(self, operations: int) -> dict[str, int]:
        """The breaches found after so many more operations, by name."""
        if not self._ready:
            await self._fleet.ready()
            self._ready = True
        day = self.state.slices
        await self._prepare(day)
        busy, began = self._server_cpu(), time.perf_counter()
        since = race_city.FIRST_DAY + timedelta(days=day)
        over = asyncio.Event()
        watching = asyncio.create_task(self._watch(since, over))
        try:
            tally = await self._fleet.run(operations, day)
        finally:
            over.set()
            await watching
        seconds, busy = time.perf_counter() - began, self._server_cpu() - busy
        breaches = await race_audit.audit(self._auditor, race_audit.EVER if day % FULL_AUDIT == 0 else since)
        if self._seen:
            breaches[race_audit.OVERLAP] = len(self._seen)
        self.state.add(tally, operations, seconds, busy, breaches)
        return breaches

    async def _prepare(self, day: int) -> None:
        """What the worker's sweep would have done by then: the days of matching are ready."""
        with clock.hold(race_city.FIRST_DAY + timedelta(days=day)):
            for _ in range(1 if self._prepared else availability.AHEAD.days + 1):
                async with self._auditor.transaction() as tx:
                    await availability.keep_ready(tx)
        self._prepared = True

    async def _watch(self, since: datetime, over: asyncio.Event) -> None:
        while not over.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), LOOK_EVERY_S)
            async with self._auditor.statements() as tx:
                self._seen |= await race_audit.overlaps(tx, since)

    async def last(self) -> dict[str, int]:
        """The breaches in all there is."""
        breaches = await race_audit.audit(self._auditor)
        self.state.breaches |= breaches
        return breaches

    def _server_cpu(self) -> float:
        return cpu.of_tree(self._server_pid) if self._server_pid is not None else 0.0

    async def close(self) -> None:
        self._fleet.stop()
        await self._auditor.close()


async def prepare(dsn: str, *, naive: bool = False) -> None:
    """The city, in a migrated database; without its guard for the naive way."""
    database = database_of(dsn, 2)
    await race_city.build(database)
    if naive:
        await race_naive.unguard(database)
    await database.close()


async def run(options: argparse.Namespace) -> int:
    """0 when every audit was clean, the control was caught, and the constraint costs no more than allowed."""
    home = Path(options.resume) if options.resume else Path(tempfile.mkdtemp(prefix="nuanxian-race-"))
    home.mkdir(parents=True, exist_ok=True)
    server = postgres.start(home / "postgres", durable=False, bound=True)
    try:
        clean = await _endure(server, home / "race.json", options)
        fair = await _compare(server, options) if options.compare else True
        return 0 if clean and fair else 1
    finally:
        server.stop()
        if not options.resume:
            shutil.rmtree(home, ignore_errors=True)


async def _endure(server: postgres.Server, file: Path, options: argparse.Namespace) -> bool:
    """The race proper, from where it stands to `--operations`."""
    state = kept(file)
    if state is None:
        await _create(server, "race", naive=False)
        _keep(file, state := State())
    race = Race(server.dsn("race"), state, server_pid=_pid(server), **_fleet(options))
    try:
        while state.operations < options.operations:
            breaches = await race.slice(min(options.slice, options.operations - state.operations))
            _keep(file, state)
            print(_progress(state, options.operations, breaches), flush=True)
        await race.last()
        _keep(file, state)
    finally:
        await race.close()
    print(_report(state))
    return state.clean


async def _compare(server: postgres.Server, options: argparse.Namespace) -> bool:
    """Ours and the naive way in turns on fresh databases; the control is the naive way's audit."""
    races = {}
    for name in ("guarded", "naive"):
        server.drop_database(name)
        await _create(server, name, naive=name == "naive")
        races[name] = Race(server.dsn(name), State(), server_pid=_pid(server), naive=name == "naive", **_fleet(options))
    ratios: list[float] = []
    cheaper: list[float] = []
    try:
        for turn in range(options.compare + 1):
            rates, costs = {}, {}
            for name in races if turn % 2 else reversed(races):
                state = races[name].state
                before = state.seconds, state.cpu_s
                await races[name].slice(options.compare_slice)
                rates[name] = options.compare_slice / (state.seconds - before[0])
                costs[name] = (state.cpu_s - before[1]) / options.compare_slice
            if turn:  # the first turn fills caches
                ratios.append(rates["guarded"] / rates["naive"])
                cheaper.append(costs["naive"] / costs["guarded"])
                print(
                    f"turn {turn}: ours {rates['guarded']:.0f}/s at {1000 * costs['guarded']:.2f} ms of CPU, "
                    f"naive {rates['naive']:.0f}/s at {1000 * costs['naive']:.2f} ms",
                    flush=True,
                )
    finally:
        for race in races.values():
            await race.close()
    ratio, overlaps = statistics.median(ratios), races["naive"].state.breaches.get(race_audit.OVERLAP, 0)
    print(
        f"ours beside read-then-insert without the constraint: throughput {ratio:.2f}, work per CPU second "
        f"{statistics.median(cheaper):.2f} (medians of {len(ratios)} turns; at least {options.floor})"
    )
    print(
        f"control: {overlaps} overlapping bookings without the constraint, {races['guarded'].state.breaches or 0} with"
    )
    return ratio >= options.floor and overlaps > 0 and races["guarded"].state.clean


async def _create(server: postgres.Server, name: str, *, naive: bool) -> None:
    server.create_database(name)
    await migrations.aupgrade(server.dsn(name))
    await prepare(server.dsn(name), naive=naive)


def _pid(server: postgres.Server) -> int:
    return int((server.home / "data" / "postmaster.pid").read_text().split("\n")[0])


def _fleet(options: argparse.Namespace) -> dict[str, Any]:
    return {"processes": options.processes, "clients": options.clients, "seed": options.seed}


def kept(file: Path) -> State | None:
    return State(**json.loads(file.read_text())) if file.exists() else None


def _keep(file: Path, state: State) -> None:
    """Whole or not at all: a slice that is not in the file is run again."""
    fresh = file.with_suffix(".fresh")
    fresh.write_text(json.dumps(asdict(state)))
    fresh.replace(file)


def _progress(state: State, wanted: int, breaches: dict[str, int]) -> str:
    left = (wanted - state.operations) / state.rate if state.rate else 0
    said = ", ".join(f"{count} × {name}" for name, count in breaches.items()) or "clean"
    return (
        f"{state.operations:>9,} of {wanted:,} operations · {state.rate:.0f}/s · {left / 60:.1f} min left · "
        f"slice {state.slices}: {said}"
    )


def _report(state: State) -> str:
    verbs = ", ".join(f"{verb} {count:,}" for verb, count in sorted(state.done.items(), key=lambda one: -one[1]))
    found = ", ".join(f"{count} × {name}" for name, count in state.breaches.items()) or "none"
    return (
        f"{state.operations:,} operations in {state.seconds:.0f} s ({state.rate:.0f}/s), {state.slices} audits\n"
        f"CPU per operation: {1000 * state.client_cpu_s / state.operations:.2f} ms clients, "
        f"{1000 * state.server_cpu_s / state.operations:.2f} ms server\n"
        f"carried out: {verbs}; refused: {state.refused:,}; repeated after a deadlock: {state.tried_again:,}\n"
        f"offers won twice: {state.doubles}; breaches: {found}"
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--operations", type=int, default=20_000, help="the nightly form is 1000000")
    parser.add_argument("--clients", type=int, default=32, help="at once, over all processes")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--slice", type=int, default=5_000, help="operations between two audits")
    parser.add_argument("--resume", metavar="DIR", help="keep everything there, and go on with what is there")
    parser.add_argument(
        "--compare", type=int, default=5, metavar="TURNS", help="turns beside the naive way; 0 for none"
    )
    parser.add_argument("--compare-slice", type=int, default=2_000, help="operations of one turn")
    parser.add_argument("--floor", type=float, default=0.85, help="throughput that must be kept beside the naive way")
    parser.add_argument("--seed", type=int, default=1)
