"""Processes full of clients on one database, and what they came to together."""

from __future__ import annotations

import asyncio
import multiprocessing
import traceback
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

from app.core.crypto import Vault
from app.core.db import Database
from app.wiring import bus
from benchmarks import race_city, race_naive
from benchmarks.race_clients import Clients, Tally

KEY = bytes(32)
"""Nothing in a race is secret."""

_SPAWN = multiprocessing.get_context("spawn")


class Fleet:
    """`processes` with `clients` in all. Naive ones book by reading first."""

    def __init__(self, dsn: str, *, processes: int, clients: int, seed: int, naive: bool = False) -> None:
        self._members: list[tuple[Any, Connection]] = []
        for number in range(processes):
            ours, theirs = _SPAWN.Pipe()
            arguments = (theirs, dsn, clients // processes, seed * 1000 + number, naive)
            process = _SPAWN.Process(target=_work, args=arguments, daemon=True)
            process.start()
            theirs.close()
            self._members.append((process, ours))

    async def ready(self) -> None:
        """Until everybody has come up."""
        for _, pipe in self._members:
            await asyncio.to_thread(pipe.recv)

    async def run(self, operations: int, day: int) -> Tally:
        """All operations of one slice; raises RuntimeError with what went wrong in a process."""
        share, rest = divmod(operations, len(self._members))
        for number, (_, pipe) in enumerate(self._members):
            pipe.send((share + (number < rest), day))
        return merged([await self._answer(pipe) for _, pipe in self._members])

    async def _answer(self, pipe: Connection) -> Tally:
        answer = await asyncio.to_thread(pipe.recv)
        if isinstance(answer, str):
            raise RuntimeError(f"a client failed:\n{answer}")
        assert isinstance(answer, Tally)
        return answer

    def stop(self) -> None:
        for process, pipe in self._members:
            pipe.close()
            process.join(10)
            if process.is_alive():
                process.kill()
                process.join()


def database_of(dsn: str, connections: int) -> Database:
    """With everybody listening as in the product."""
    return Database(dsn, vault=Vault({1: KEY}), bus=bus(), pool_size=connections)


def merged(tallies: Sequence[Tally]) -> Tally:
    """The sum. One decision may have been accepted in two processes, and that is one too many."""
    total = Tally()
    for one in tallies:
        total.done += one.done
        total.refused += one.refused
        total.tried_again += one.tried_again
        total.cpu_s += one.cpu_s
        total.won += one.won
    return total


def _work(pipe: Connection, dsn: str, clients: int, seed: int, naive: bool) -> None:
    """One process: a slice per message until the pipe closes."""
    if naive:
        race_naive.read_then_insert()
    asyncio.run(_serve(pipe, dsn, clients, seed))


async def _serve(pipe: Connection, dsn: str, clients: int, seed: int) -> None:
    database = database_of(dsn, clients)
    people = Clients(database, await race_city.load(database), seed)
    pipe.send("ready")
    try:
        while True:
            operations, day = pipe.recv()
            try:
                pipe.send(await people.run(operations, clients, day))
            except Exception:
                pipe.send(traceback.format_exc())
    except (EOFError, OSError):
        pass
    finally:
        await database.close()
