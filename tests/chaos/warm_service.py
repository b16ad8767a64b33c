"""The whole service without the cost of its imports: `python -m tests.chaos.warm_service LOG <serve options>`.

A cold start spends seconds importing, which is all a harness that kills every other second would ever do. This
process imports everything once and forks: the supervisor is the product's own, it runs the product's own commands,
and only the step from `Popen` to `app.cli.main` is short-cut. A pause between restarts that grows with every death
is capped, because nobody's service is killed thirty times in two minutes.

Every line on stdin starts the service, once the one before is dead. Said on stdout: `warm`, `started PID`, `ended
CODE`.
"""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import IO, NoReturn

from app import cli, main
from app.serving import supervisor
from app.serving.privileges import die_with_parent

HEAVY = (
    *(f"app.{room}.router" for room in main.ROOMS_WITH_DOORS), "app.worker", "app.seeds.base", "app.seeds.demo",
    "alembic.command", "uvicorn.loops.auto", "uvicorn.protocols.http.auto", "uvicorn.protocols.websockets.auto",
    "uvicorn.lifespan.on",
)  # fmt: skip
LONGEST_PAUSE = 0.5


class Forked:
    """What the supervisor gets instead of a `Popen`: a fork of this process that runs the same command."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        env: dict[str, str],
        stdin: int,
        stdout: IO[bytes] | None,
        stderr: IO[bytes] | None,
        pass_fds: Sequence[int],
        start_new_session: bool,
        preexec_fn: Callable[[], None],
    ) -> None:
        program, command = list(arguments[:3]), list(arguments[3:])
        assert program == [sys.executable, "-m", "app.cli"], program
        assert (stdin, stdout, start_new_session) == (subprocess.DEVNULL, stderr, True)
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            try:
                preexec_fn()
                os.setsid()
                _settle_in(command[0], env, stdout.fileno() if stdout else 1, pass_fds)
            except BaseException:
                os._exit(4)
            _run(command)

    def poll(self) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        deadline = time.monotonic() + (3600 if timeout is None else timeout)
        while (code := self.poll()) is None:
            if time.monotonic() >= deadline:
                raise subprocess.TimeoutExpired("app.cli", timeout or 0)
            time.sleep(0.01)
        return code

    def terminate(self) -> None:
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


def _settle_in(name: str, env: dict[str, str], output: int, pass_fds: Sequence[int]) -> None:
    """What exec would have done: other output, no inherited descriptors or handlers, its own environment."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    kept = {0, 1, 2, *pass_fds}
    for descriptor in [int(entry) for entry in os.listdir("/proc/self/fd")]:
        if descriptor not in kept:
            with suppress(OSError):
                os.close(descriptor)
    os.environ.clear()
    os.environ.update(env)
    Path("/proc/self/comm").write_text(name)


def _run(command: list[str]) -> NoReturn:
    code = 5
    try:
        code = cli.main(command)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _start(log: str, options: list[str]) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        die_with_parent(signal.SIGKILL, parent)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        _settle_in("serve", dict(os.environ), output, ())
        _run(["serve", *options])
    return pid


def serve_on_demand(log: str, options: list[str]) -> None:
    for module in HEAVY:
        importlib.import_module(module)
    forking = SimpleNamespace(Popen=Forked, DEVNULL=subprocess.DEVNULL, TimeoutExpired=subprocess.TimeoutExpired)
    vars(supervisor).update(subprocess=forking, _LONGEST_PAUSE=LONGEST_PAUSE)
    print("warm", flush=True)
    for _ in sys.stdin:
        pid = _start(log, options)
        print(f"started {pid}", flush=True)
        _, status = os.waitpid(pid, 0)
        print(f"ended {os.waitstatus_to_exitcode(status)}", flush=True)


if __name__ == "__main__":
    serve_on_demand(sys.argv[1], sys.argv[2:])
