"""Children that are kept alive: started again with growing pauses, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from app.serving.privileges import die_with_parent

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_STEADY_SECONDS = 60.0  # a child that lived this long starts with a short pause again
_GRACE_SECONDS = 8.0
_LOG_LIMIT = 20 * 2**20


@dataclass
class Child:
    """One process to keep alive. `log` is its output's file; None passes the output through."""

    name: str
    arguments: Sequence[str]
    environment: dict[str, str]
    log: Path | None = None
    pass_fds: Sequence[int] = ()
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    _pause: float = field(default=_FIRST_PAUSE, repr=False)
    _started: float = field(default=0.0, repr=False)
    _due: float = field(default=0.0, repr=False)

    def start(self) -> None:
        """Start the process: `python -m app.cli <arguments>`."""
        parent = os.getpid()
        output = _opened(self.log) if self.log else None
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", *self.arguments],
                env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                pass_fds=self.pass_fds,
                start_new_session=True,  # Ctrl-C is the supervisor's to hear
                preexec_fn=lambda: die_with_parent(signal.SIGKILL, parent),
            )  # fmt: skip
        finally:
            if output:
                output.close()
        self.starts += 1
        self._started = time.monotonic()

    def tend(self, say: Callable[[str], None]) -> None:
        """Notice an end and, when its pause is over, start again."""
        now = time.monotonic()
        if self.process is not None:
            code = self.process.poll()
            if code is None:
                return
            if now - self._started > _STEADY_SECONDS:
                self._pause = _FIRST_PAUSE
            say(f"{self.name} ended ({_ending(code)}); it starts again in {self._pause:g} s")
            self.process, self._due = None, now + self._pause
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)
        if now >= self._due:
            self.start()

    def last_words(self, lines: int = 15) -> str:
        """The end of the log, empty when the output is passed through."""
        if self.log is None or not self.log.exists():
            return ""
        with open(self.log, "rb") as log:
            log.seek(max(0, self.log.stat().st_size - 16384))
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])


def end_all(children: Sequence[Child], grace: float = _GRACE_SECONDS) -> None:
    """Ask all to end, wait for them together, then insist."""
    alive = [child.process for child in children if child.process is not None]
    for process in alive:
        process.terminate()
    deadline = time.monotonic() + grace
    for process in alive:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for child in children:
        child.process = None


def _opened(log: Path) -> BinaryIO:
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
    return open(log, "ab")


def _ending(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
