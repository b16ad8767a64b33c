"""Solvers in processes of their own: none stops the event loop, and one that dies takes nobody along.

Every job is a new process with limits on CPU and memory, forked from a `nursery` that has everything loaded and shares
nothing with this process. What is large is packed and unpacked in threads; the event loop only moves bytes.
"""

from __future__ import annotations

import asyncio
import atexit
import math
import os
import pickle
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Literal

from app.routing import nursery
from app.routing.disruption import Disruption
from app.routing.frontier import Frontier
from app.routing.nursery import HEAD, Task
from app.routing.problem import Pin, Plan, Problem, Solution, Unsolvable
from app.routing.validation import cost, violations

Reason = Literal["died", "out_of_memory", "out_of_time", "nonsense"]
OnProgress = Callable[[str, float, float], Awaitable[None]]
"""(step, best cost so far, share of the budget spent, 0 to 1)"""

SOLVER = "app.routing.solving:solve"
MENDER = "app.routing.repair:frontier"
MEMORY_BYTES = 2 << 30
"""What a job may take on top of what the libraries have mapped."""
GRACE_CPU_S = 15.0
"""Granted beside the budget: what is in hand may be finished."""
WALL_PER_CPU = 6.0
"""How much slower than its CPU time a solver may be on a busy machine before it counts as stuck."""
START_WALL_S = 300.0
"""Patience with a nursery that loads, or on a machine that never did, compiles."""


class SolverFailed(Exception):
    """The solver gave no plan that may be used. `reason` is a stable word, `detail` is for the log."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


async def solve_apart(
    problem: Problem,
    budget_cpu_s: float,
    warm: Plan | None = None,
    pins: Sequence[Pin] = (),
    *,
    seed: int = 1,
    only: tuple[str, ...] | None = None,
    memory_bytes: int = MEMORY_BYTES,
    on_progress: OnProgress | None = None,
    solver: str = SOLVER,
) -> Solution:
    """`solving.solve` (or another of its signature) in a process of its own. Cancelling the caller ends the process.

    Raises Unsolvable as `solve` does, and SolverFailed when the process died, broke a limit, or handed in a plan that
    the validator refuses.
    """
    arguments = {"problem": problem, "budget_cpu_s": budget_cpu_s, "warm": warm, "pins": tuple(pins), "seed": seed}
    task = Task(solver, {**arguments, "only": only}, math.ceil(budget_cpu_s + GRACE_CPU_S), memory_bytes)
    answer = await call_apart(task, on_progress)
    return await asyncio.to_thread(_believed, problem, tuple(pins), answer)


async def mend_apart(
    problem: Problem,
    plan: Plan,
    disruption: Disruption,
    now: int,
    *,
    budget_cpu_s: float = 0.5,
    seed: int = 1,
    memory_bytes: int = MEMORY_BYTES,
) -> Frontier:
    """`repair.frontier` in a process of its own; every repair is walked by the validator on this side again."""
    arguments = {"problem": problem, "plan": plan, "disruption": disruption, "now": now, "seed": seed}
    task = Task(
        MENDER, {**arguments, "budget_cpu_s": budget_cpu_s}, math.ceil(budget_cpu_s + GRACE_CPU_S), memory_bytes
    )
    return await asyncio.to_thread(_walked, await call_apart(task))


async def call_apart(task: Task, on_progress: OnProgress | None = None) -> bytes:
    """The pickled answer of a task done in a process of its own; limits and errors as with `solve_apart`."""
    packed = await asyncio.to_thread(nursery.frame, b"T", task)
    reader, writer = await asyncio.open_unix_connection(sock=await asyncio.to_thread(_NURSERY.connection))
    pid = 0
    try:
        async with asyncio.timeout(START_WALL_S):
            pid = _loaded((await _frame(reader))[1])
        writer.write(packed)
        async with asyncio.timeout(WALL_PER_CPU * task.cpu_s):
            return await _answer(reader, on_progress)
    except TimeoutError:
        raise SolverFailed("out_of_time", "no answer while anybody would wait") from None
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        raise SolverFailed("died", "and so did its keeper") from error
    finally:
        if pid:
            await asyncio.shield(_gone(pid, reader))
        writer.close()


async def _answer(reader: asyncio.StreamReader, on_progress: OnProgress | None) -> bytes:
    """Hear the progress, return the answer or raise what became of it."""
    while True:
        kind, payload = await _frame(reader)
        if kind == nursery.SOLVED:
            return payload
        said = _loaded(payload)
        if kind == nursery.PROGRESS:
            if on_progress is not None:
                await on_progress(*said)
        elif kind == nursery.UNSOLVABLE:
            raise Unsolvable(said)
        elif kind == nursery.FAILED:
            raise SolverFailed(*said)
        elif kind == nursery.ENDED:
            raise _ended(said)
        else:
            raise SolverFailed("nonsense", f"a frame of kind {kind!r}")


async def prepare() -> None:
    """Has the nursery load everything, so that the first job does not wait for it."""
    await asyncio.to_thread(_NURSERY.ready)


class _Nursery:
    """The one of this process: started when first needed, again if it is gone, and ended with its control socket."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.control: socket.socket | None = None

    def ready(self) -> socket.socket:
        if self.process is None or self.process.poll() is not None or self.control is None:
            self.stop()
            self.control, theirs = socket.socketpair()
            with theirs:
                self.process = subprocess.Popen(  # noqa: S603 - our own module
                    [sys.executable, "-m", nursery.__name__, str(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                    start_new_session=True,
                )
        return self.control

    def connection(self) -> socket.socket:
        """To a solver that is about to be born."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self.ready(), [nursery.HANDED], [theirs.fileno()])
            except OSError:  # it ended between two jobs
                self.stop()
                socket.send_fds(self.ready(), [nursery.HANDED], [theirs.fileno()])
        ours.setblocking(False)
        return ours

    def stop(self) -> None:
        if self.control:
            self.control.close()
        if self.process:
            self.process.kill()
            self.process.wait()
        self.control = self.process = None


_NURSERY = _Nursery()
atexit.register(_NURSERY.stop)


async def _frame(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    kind, length = HEAD.unpack(await reader.readexactly(HEAD.size))
    return kind, await reader.readexactly(length)


async def _gone(pid: int, reader: asyncio.StreamReader) -> None:
    """Ends a solver, done or not, and waits until its keeper has seen it."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while await reader.read(1 << 16):
            pass


def _ended(status: int) -> SolverFailed:
    """Of a solver that ended without a word."""
    if os.WIFSIGNALED(status):
        stopped = signal.Signals(os.WTERMSIG(status))
        return SolverFailed("out_of_time" if stopped is signal.SIGXCPU else "died", f"ended by {stopped.name}")
    return SolverFailed("died", f"exit status {os.WEXITSTATUS(status)}")


def _believed(problem: Problem, pins: tuple[Pin, ...], answer: bytes) -> Solution:
    """The other process's solution, if the validator on this side has nothing against it."""
    found = _loaded(answer)
    if not isinstance(found, Solution):
        raise SolverFailed("nonsense", f"a {type(found).__name__} instead of a solution")
    if wrong := violations(problem, found.plan, pins):
        raise SolverFailed("nonsense", f"{wrong[0].rule} {wrong[0].detail}, and {len(wrong) - 1} more")
    if found.cost != cost(problem, found.plan):
        raise SolverFailed("nonsense", "a cost that is not the plan's")
    return found


def _walked(answer: bytes) -> Frontier:
    found = _loaded(answer)
    if not isinstance(found, Frontier):
        raise SolverFailed("nonsense", f"a {type(found).__name__} instead of repairs")
    for one in found.repairs:
        if wrong := violations(one.problem, one.plan):
            raise SolverFailed("nonsense", f"{one.level}: {wrong[0].rule} {wrong[0].detail}")
    return found


def _loaded(payload: bytes) -> Any:
    try:
        return pickle.loads(payload)  # noqa: S301 - from a process of our own
    except Exception as failure:
        raise SolverFailed("nonsense", f"an answer that cannot be read: {failure!r}") from failure
