"""A service of the simulation's own: another data directory, another port, and a clock that runs fast.

Between two phases the service is stopped and started with its clock set ahead; a night passes in seconds, and
what was acknowledged before has to be there afterwards.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import httpx

READY_S = 180
STARTING_S = 8
"""The clock shows the chosen hour when the service has probably come up."""


class OwnService:
    """Lives in a temporary directory and goes with it."""

    def __init__(self, keep: bool) -> None:
        self.data_dir = Path(tempfile.mkdtemp(prefix="nuanxian-day-"))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.base_url = f"http://127.0.0.1:{self.port}"
        self._keep = keep
        self._process: subprocess.Popen[bytes] | None = None

    def prepare(self, at: datetime) -> None:
        """Schema and demo world, as of `at`. Raises RuntimeError with what the service said."""
        done = subprocess.run(
            [*self._command("prepare")], env=self._environment(at, 1.0), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"the demo world could not be prepared:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")

    def start(self, at: datetime, rate: float) -> None:
        """Run from `at` on; returns when the service is ready."""
        with open(self.data_dir / "serve.out", "ab") as output:
            self._process = subprocess.Popen(
                self._command("serve"), env=self._environment(at, rate), stdout=output, stderr=output,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        until = time.monotonic() + READY_S
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise RuntimeError(f"the service ended:\n{self._said()}")
            try:
                if httpx.get(f"{self.base_url}/readyz", timeout=2).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.2)
        raise RuntimeError(f"the service did not become ready:\n{self._said()}")

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def remove(self) -> None:
        """Stop and take the directory away, unless it is wanted for a look."""
        self.stop()
        if not self._keep:
            shutil.rmtree(self.data_dir, ignore_errors=True)

    def _command(self, name: str) -> list[str]:
        options = ["--port", str(self.port), "--data-dir", str(self.data_dir)]
        return [sys.executable, "-m", "app.cli", name, *options]

    def _environment(self, at: datetime, rate: float) -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("NUANXIAN_") and k != "DATABASE_URL"}
        return inherited | {
            "NUANXIAN_CLOCK_EPOCH": at.isoformat(),
            "NUANXIAN_CLOCK_RATE": str(rate),
            "NUANXIAN_CLOCK_STARTED": str(time.time() + STARTING_S),
            "NUANXIAN_DEMO": "true",
        }

    def _said(self) -> str:
        return (self.data_dir / "serve.out").read_text(errors="replace")[-4000:]
