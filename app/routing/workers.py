"""Solvers in processes of their own, with limits: what they do to themselves they do to nobody else.

A solver may hold the interpreter's lock for seconds, eat all memory or die in machine code. So it runs in a child
that limits its own memory and CPU, is killed when its asker goes away, and whose plan is walked by the validator here,
on the asker's side. The parent's event loop only waits for a pipe.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import resource
import signal
import struct
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from app.routing.problem import Pin, Plan, Problem, Solution, Unsolvable
from app.routing.validation import violations

Reason = Literal["died", "out_of_memory", "out_of_time", "nonsense"]
OnProgress = Callable[[str, float, float], Awaitable[None]]
"""(step, best cost so far, share of the budget spent, 0 to 1)"""

ROOT = Path(__file__).resolve().parents[2]
SOLVER = "app.routing.solving:solve"
MEMORY_BYTES = 4 << 30
"""Address space; a solver with its libraries maps about one GiB before it begins."""
START_CPU_S = 60.0
"""Granted beside the budget: libraries are loaded, and compiled on a machine that never did."""
WALL_PER_CPU = 6.0
"""How much slower than its CPU time a solver may be on a busy machine before it counts as stuck."""
NICENESS = 10
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")

_FRAME = struct.Struct(">cI")
_PROGRESS, _SOLVED, _UNSOLVABLE, _MEMORY, _FAILED = b"p", b"s", b"u", b"m", b"f"
_STDERR_KEPT = 2000


class SolverFailed(Exception):
    """The solver gave no plan that may be used. `reason` is a stable word, `detail` is for the log."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class _Work:
    """What the child is told; everything in it can be pickled."""

    solver: str
    problem: Problem
    budget_cpu_s: float
    warm: Plan | None
    pins: tuple[Pin, ...]
    seed: int
    only: tuple[str, ...] | None
    memory_bytes: int
    cpu_limit_s: int


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
    """`solving.solve` in a child process. Cancelling the caller kills the child.

    Raises Unsolvable as `solve` does, and SolverFailed when the child died, broke a limit, or handed in a plan that
    the validator refuses.
    """
    granted_s = budget_cpu_s + START_CPU_S
    work = _Work(
        solver, problem, budget_cpu_s, warm, tuple(pins), seed, only, memory_bytes, cpu_limit_s=int(granted_s) + 1
    )
    # Large objects are taken apart and put together beside the loop, which must go on answering.
    told = await asyncio.to_thread(pickle.dumps, work, pickle.HIGHEST_PROTOCOL)
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        cwd=ROOT, env={**os.environ, **ONE_THREAD}, start_new_session=True,
    )  # fmt: skip
    try:
        async with asyncio.timeout(WALL_PER_CPU * granted_s):
            solution = await _converse(child, told, on_progress)
    except TimeoutError:
        raise SolverFailed("out_of_time", f"no answer within {WALL_PER_CPU * granted_s:.0f} s") from None
    finally:
        with suppress(ProcessLookupError):
            child.kill()
        await asyncio.shield(child.wait())
    wrong = await asyncio.to_thread(violations, problem, solution.plan, pins)
    if wrong:
        raise SolverFailed("nonsense", "; ".join(f"{one.rule}: {one.detail}" for one in wrong[:5]))
    return solution


async def _converse(child: asyncio.subprocess.Process, told: bytes, on_progress: OnProgress | None) -> Solution:
    """Tell the child its work, hear its progress, return its answer or raise what became of it."""
    assert child.stdin is not None  # noqa: S101 (all three are pipes)
    assert child.stdout is not None  # noqa: S101
    assert child.stderr is not None  # noqa: S101
    complaints = asyncio.create_task(_tail(child.stderr))
    try:
        with suppress(BrokenPipeError, ConnectionResetError):
            child.stdin.write(told)
            await child.stdin.drain()
            child.stdin.close()
        while True:
            try:
                kind, size = _FRAME.unpack(await child.stdout.readexactly(_FRAME.size))
                said = await child.stdout.readexactly(size)
            except asyncio.IncompleteReadError:
                raise _death(await child.wait(), await complaints) from None
            content = await asyncio.to_thread(_understood, kind, said)
            if kind == _SOLVED:
                assert isinstance(content, Solution)  # noqa: S101 (looked at in _understood)
                return content
            if on_progress is not None:
                await on_progress(*content)
    finally:
        complaints.cancel()


def _understood(kind: bytes, said: bytes) -> Any:
    """What a frame says. Raises what it reports, and SolverFailed for a frame that says nothing known."""
    try:
        content = pickle.loads(said)  # noqa: S301 (our own child, over a private pipe)
    except Exception as failure:
        raise SolverFailed("nonsense", f"an answer that cannot be read: {failure!r}") from failure
    if kind == _UNSOLVABLE:
        raise Unsolvable(content)
    if kind == _MEMORY:
        raise SolverFailed("out_of_memory", content)
    if kind == _FAILED:
        raise SolverFailed("died", content)
    if kind == _SOLVED and not isinstance(content, Solution):
        raise SolverFailed("nonsense", f"a {type(content).__name__} instead of a solution")
    return content


def _death(status: int, complaints: str) -> SolverFailed:
    """Why a child ended without an answer."""
    if status == -signal.SIGXCPU:
        return SolverFailed("out_of_time", "the CPU limit was reached")
    if "bad_alloc" in complaints or "MemoryError" in complaints or "allocate memory" in complaints:
        return SolverFailed("out_of_memory", complaints)
    return SolverFailed("died", f"ended with status {status}: {complaints}")


async def _tail(stream: asyncio.StreamReader) -> str:
    """The last a child complained of, so that a full pipe never holds it up."""
    kept = b""
    while block := await stream.read(4096):
        kept = (kept + block)[-_STDERR_KEPT:]
    return kept.decode(errors="replace").strip()


def _main() -> None:
    """The child: limits first, then the solver, whose own prints must not get between the frames."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)

    def say(kind: bytes, content: object) -> None:
        body = pickle.dumps(content, pickle.HIGHEST_PROTOCOL)
        answers.write(_FRAME.pack(kind, len(body)))
        answers.write(body)

    work: _Work = pickle.load(sys.stdin.buffer)  # noqa: S301 (from our own parent)
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_CPU, (work.cpu_limit_s, work.cpu_limit_s + 5))
    resource.setrlimit(resource.RLIMIT_AS, (work.memory_bytes, work.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        module, name = work.solver.split(":")
        solution = getattr(import_module(module), name)(
            work.problem, work.budget_cpu_s, work.warm, work.pins, seed=work.seed, only=work.only,
            progress=lambda *step: say(_PROGRESS, step),
        )  # fmt: skip
    except Unsolvable as impossible:
        say(_UNSOLVABLE, str(impossible))
    except MemoryError as failure:
        say(_MEMORY, repr(failure))
    except Exception as failure:  # the parent has to know, whatever it was
        say(_FAILED, repr(failure))
    else:
        say(_SOLVED, solution)


if __name__ == "__main__":
    # Frames are unpickled under the module's own name, not __main__.
    import_module("app.routing.workers")._main()
