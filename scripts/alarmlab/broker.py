"""Mosquitto from Debian's package: on loopback, persistent, every device with a password and topics of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

PACKAGE = "mosquitto"
SUBSCRIBER = "nuanxian"
CONFIGURATION = """listener {port} 127.0.0.1
allow_anonymous false
password_file {home}/passwords
acl_file {home}/access
persistence true
persistence_location {home}/
autosave_on_changes true
autosave_interval 1
max_queued_messages 0
max_inflight_messages 50
log_dest stderr
log_type error
log_type warning
"""
ACCESS = f"""user {SUBSCRIBER}
topic read sos/up/#
topic write sos/down/#

pattern write sos/up/%u/#
pattern read sos/down/%u/#
"""


class Missing(Exception):
    """Mosquitto is not installed; says how to get it."""


def program(name: str = "mosquitto") -> str:
    """Raises Missing."""
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if found is None:
        raise Missing(f"{name} not found. On Debian: apt-get install --no-install-recommends {PACKAGE}")
    return found


class Broker:
    """One Mosquitto in `home`; its devices' passwords are their names backwards."""

    def __init__(self, home: Path, devices: list[str]) -> None:
        self.home = home
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        home.mkdir(parents=True, exist_ok=True)
        # Started by root it becomes another user, who can read nothing here.
        as_is = "user root\n" if os.geteuid() == 0 else ""
        (home / "broker.conf").write_text(as_is + CONFIGURATION.format(port=self.port, home=home))
        (home / "access").write_text(ACCESS)
        (home / "passwords").write_text("".join(f"{name}:{password(name)}\n" for name in [SUBSCRIBER, *devices]))
        for private in ("access", "passwords"):
            (home / private).chmod(0o600)
        subprocess.run([program("mosquitto_passwd"), "-U", str(home / "passwords")], check=True)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it listens. Raises RuntimeError."""
        with (self.home / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(
                [program(), "-c", str(self.home / "broker.conf")], stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError(f"the broker did not start; see {self.home}/broker.log")

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """SIGKILL is the power cut."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(10)
            self._process = None


def password(name: str) -> str:
    return name[::-1]
