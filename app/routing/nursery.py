"""The process solvers are born in: has loaded everything once, has no event loop and no threads, and forks per job.

Started by `workers.py` as `python -m app.routing.nursery FD`; over that socket it is handed one connection per job and
ends with it. For each job it forks a keeper, which forks the solver, waits for it and says last how it ended. On a
connection go frames of a kind, a length and a payload.
"""

from __future__ import annotations

import importlib
import os
import pickle
import resource
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SINGLE_THREADED = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
"""Set before numpy is loaded: a thread that is lost in a fork never gives its lock back."""

BORN, PROGRESS, SOLVED, UNSOLVABLE, FAILED, ENDED = b"B", b"P", b"S", b"U", b"F", b"E"
"""Payloads: the pid; (step, best, share); a Solution; what is wrong; (reason, detail); the status it ended with."""

HEAD = struct.Struct("!cI")
NICENESS = 10
TOLD_EVERY_S = 0.2
HANDED = b"+"


@dataclass(frozen=True, slots=True)
class Task:
    """A call to be made apart: `function` is "module:name", called with `arguments` and `progress`."""

    function: str
    arguments: dict[str, Any]
    cpu_s: int
    memory_bytes: int


def frame(kind: bytes, what: object) -> bytes:
    payload = pickle.dumps(what, pickle.HIGHEST_PROTOCOL)
    return HEAD.pack(kind, len(payload)) + payload


def main(control: socket.socket) -> None:
    """Until the control socket closes, which it does when its owner ends in whatever way."""
    from app.routing.solving import prepare

    prepare()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # keepers are nobody's to wait for
    while True:
        said, handed, _, _ = socket.recv_fds(control, 1, 1)
        if not said:
            return
        if os.fork() == 0:
            control.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _keep(socket.socket(fileno=handed[0]))
        os.close(handed[0])


def _keep(connection: socket.socket) -> None:
    """The keeper: says how the solver ended, whatever that was."""
    pid = os.fork()
    if pid == 0:
        _work(connection)
    _, status = os.waitpid(pid, 0)
    try:
        connection.sendall(frame(ENDED, status))
    finally:
        os._exit(0)


def _work(connection: socket.socket) -> None:
    """The solver: one job, then the end."""
    status = 1
    try:
        connection.sendall(frame(BORN, os.getpid()))
        with connection.makefile("rb") as sent:
            task = pickle.loads(sent.read(HEAD.unpack(sent.read(HEAD.size))[1]))  # noqa: S301 - from our own parent
        _limit(task)
        connection.sendall(_answer(task, connection))
        status = 0
    finally:
        os._exit(status)


def _limit(task: Task) -> None:
    """Memory is counted from here on: what the libraries have mapped is not the job's."""
    os.nice(NICENESS)
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + task.memory_bytes,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (task.cpu_s, task.cpu_s + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _answer(task: Task, connection: socket.socket) -> bytes:
    from app.routing.problem import Unsolvable

    module, _, name = task.function.partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
        return frame(SOLVED, function(**task.arguments, progress=_teller(connection)))
    except MemoryError as error:
        return frame(FAILED, ("out_of_memory", str(error)))
    except Unsolvable as error:
        return frame(UNSOLVABLE, str(error))
    except Exception as error:
        return frame(FAILED, ("died", f"{type(error).__name__}: {error}"))


def _teller(connection: socket.socket) -> Callable[[str, float, float], None]:
    """Progress, not more often than anybody reads it."""
    last = ("", 0.0)

    def tell(step: str, best: float, share: float) -> None:
        nonlocal last
        now = time.monotonic()
        if step != last[0] or now - last[1] >= TOLD_EVERY_S:
            last = (step, now)
            connection.sendall(frame(PROGRESS, (step, best, share)))

    return tell


if __name__ == "__main__":
    os.environ.update(SINGLE_THREADED)
    # The classes in a frame are those of the module by its name, not of `__main__`.
    importlib.import_module("app.routing.nursery").main(socket.socket(fileno=int(sys.argv[1])))
