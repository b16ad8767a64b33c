"""The processes of the laboratory: each can be killed by itself and started again."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
from benchmarks.town import MASTER_KEY, Service

from alarmlab.broker import SUBSCRIBER, Broker, password
from alarmlab.city import Keys

READY_S = 180.0


class Laboratory:
    """Web, worker, gateway and broker over the database server of `service`; everything ends with `close`."""

    def __init__(self, home: Path, service: Service, name: str, broker: Broker) -> None:
        self.home, self.broker = home, broker
        self.url = f"http://127.0.0.1:{service.port}"
        kept = {k: v for k, v in os.environ.items() if not k.startswith("NUANXIAN_") and k != "DATABASE_URL"}
        self._environment = kept | {
            "DATABASE_URL": service.server.dsn(name), "NUANXIAN_DATA_DIR": str(home), "NUANXIAN_DEMO": "false",
            "NUANXIAN_MASTER_KEY": MASTER_KEY, "NUANXIAN_LOG_LEVEL": "WARNING", "NUANXIAN_POOL_SIZE": "10",
        }  # fmt: skip
        port = str(service.port)
        self._commands = {
            "web": ["web", "--port", port],
            "worker": ["worker"],
            "gateway": ["devices", "--service", self.url, "--mqtt-host", "127.0.0.1", "--mqtt-port", str(broker.port)],
        }
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def use(self, keys: Keys) -> None:
        self._environment |= {
            "NUANXIAN_DEVICES_APP_KEY": keys.gateway[0], "NUANXIAN_DEVICES_SECRET": keys.gateway[1],
            "NUANXIAN_MQTT_USERNAME": SUBSCRIBER, "NUANXIAN_MQTT_PASSWORD": password(SUBSCRIBER),
        }  # fmt: skip

    def start(self, name: str) -> None:
        if name == "broker":
            self.broker.start()
            return
        with (self.home / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", "app.cli", *self._commands[name]],
                env=self._environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            )  # fmt: skip

    def kill(self, name: str) -> None:
        """At once, wherever it stands."""
        if name == "broker":
            self.broker.end(signal.SIGKILL)
            return
        process = self._running.pop(name)
        process.kill()
        process.wait()

    async def ready(self) -> None:
        """Until the web process answers. Raises RuntimeError."""
        until = time.monotonic() + READY_S
        async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
            while time.monotonic() < until:
                try:
                    if (await client.get(f"{self.url}/healthz")).status_code == 200:
                        return
                except httpx.HTTPError:
                    pass
                await asyncio.sleep(0.1)
        raise RuntimeError(f"the service did not become ready; see {self.home}")

    def close(self) -> None:
        for name in list(self._running):
            self.kill(name)
        self.broker.end(signal.SIGKILL)

    def failures(self) -> int:
        """Answers that only a mistake of ours gives, by what the gateway and the web process logged."""
        web, gateway = ((self.home / f"{name}.log").read_text(errors="replace") for name in ("web", "gateway"))
        return web.count("Traceback") + gateway.count('"why": "500"') + gateway.count("alarm_refused")
