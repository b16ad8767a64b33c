"""The programs of the laboratory, from Debian's packages: started on loopback, ended by their process ids."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import tempfile
import wave
from pathlib import Path

PACKAGES = "kamailio kamailio-extra-modules sip-tester baresip-core"
HERE = Path(__file__).parent
SILENCE_S = 2


class Missing(Exception):
    """A program is not installed; says how to get it."""


def find() -> None:
    """Raises Missing."""
    absent = [name for name in ("kamailio", "sipp", "baresip") if _program(name) is None]
    if absent:
        raise Missing(f"{', '.join(absent)} not found. On Debian: apt-get install --no-install-recommends {PACKAGES}")


def _program(name: str) -> str | None:
    return shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")


def _directory_of(module: str) -> Path:
    """Where Debian keeps it: depends on the machine's architecture. Raises Missing."""
    found = next(Path("/usr/lib").glob(f"**/{module}"), None)
    if found is None:
        raise Missing(f"{module} not found. On Debian: apt-get install --no-install-recommends {PACKAGES}")
    return found.parent


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Laboratory:
    """Kamailio, and whatever is started beside it; `close` ends all of it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.sip_port, self.event_port = free_port(socket.SOCK_DGRAM), free_port()
        self._running: list[subprocess.Popen[bytes]] = []

    def _start(self, name: str, *arguments: str, directory: Path | None = None) -> subprocess.Popen[bytes]:
        directory = directory or self.home
        with (directory / f"{name}.log").open("ab") as log:
            started = subprocess.Popen(
                [_program(name) or name, *arguments],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=directory,
            )
        self._running.append(started)
        return started

    async def open(self) -> None:
        """Start the edge and wait until it tells its events to whoever connects. Raises RuntimeError."""
        said, modules = (HERE / "kamailio.cfg").read_text(), _directory_of("kamailio/modules/evapi.so")
        for name, value in {"SIP_PORT": self.sip_port, "EVENT_PORT": self.event_port, "MODULES": f"{modules}/"}.items():
            said = said.replace(f"@{name}@", str(value))
        (self.home / "kamailio.cfg").write_text(said)
        self._start("kamailio", "-f", str(self.home / "kamailio.cfg"), "-DD", "-E", "-Y", str(self.home))
        await self._listening(self.event_port)

    async def _listening(self, port: int) -> None:
        for _ in range(100):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                return
        raise RuntimeError(f"the edge did not start; see {self.home}/kamailio.log")

    async def agent(self, name: str, *, answers: bool) -> subprocess.Popen[bytes]:
        """An agent's phone that is registered; answers at once, or rings. Raises RuntimeError."""
        home = Path(tempfile.mkdtemp(prefix=f"agent-{name}-", dir=self.home))
        with wave.open(str(home / "silence.wav"), "wb") as silence:
            silence.setnchannels(1)
            silence.setsampwidth(2)
            silence.setframerate(8000)
            silence.writeframes(b"\0\0" * 8000 * SILENCE_S)
        mode = "auto" if answers else "manual"
        (home / "accounts").write_text(
            f"<sip:{name}@127.0.0.1:{self.sip_port};transport=udp>;auth_pass=none;answermode={mode};regint=60\n"
        )
        module = _directory_of("baresip/modules/aufile.so")
        (home / "config").write_text(
            f"sip_listen 127.0.0.1:{free_port(socket.SOCK_DGRAM)}\nmodule_path {module}\n"
            f"audio_source aufile,{home}/silence.wav\naudio_player aufile,{home}/heard.wav\ncall_max_calls 4\n"
            "module g711.so\nmodule aufile.so\nmodule_app account.so\nmodule_app menu.so\n"
        )
        log = home / "baresip.log"
        phone = self._start("baresip", "-4", "-f", str(home), directory=home)
        for _ in range(100):
            if b"200 OK" in log.read_bytes() and phone.poll() is None:
                return phone
            await asyncio.sleep(0.1)
        raise RuntimeError(f"agent {name} did not register; see {log}")

    async def leaves(self, phone: subprocess.Popen[bytes]) -> None:
        """The agent signs off."""
        phone.terminate()
        await asyncio.to_thread(phone.wait, 10)
        self._running.remove(phone)
        await asyncio.sleep(0.5)

    async def callers(self, scenario: str, numbers: list[str], *, rate: float = 2.0) -> None:
        """One call from each number, one after the other. Raises RuntimeError when one did not go as written."""
        listed = self.home / f"{scenario}.csv"
        listed.write_text("SEQUENTIAL\n" + "".join(f"{number};\n" for number in numbers))
        port = free_port(socket.SOCK_DGRAM)
        sipp = self._start(
            "sipp", f"127.0.0.1:{self.sip_port}", "-sf", str(HERE / f"{scenario}.xml"), "-inf", str(listed),
            "-i", "127.0.0.1", "-p", str(port), "-mi", "127.0.0.1", "-mp", str(free_port(socket.SOCK_DGRAM)),
            "-m", str(len(numbers)), "-l", "1", "-r", str(rate), "-nostdin", "-timeout", "300", "-trace_err",
            "-default_behaviors", "all,-abortunexp",  # on two cores a 180 may come after its 200
        )  # fmt: skip
        code = await asyncio.to_thread(sipp.wait)
        self._running.remove(sipp)
        if code != 0:
            raise RuntimeError(f"a call of “{scenario}” did not go as written ({code}); see {self.home}/sipp.log")

    def close(self) -> None:
        for one in reversed(self._running):
            one.terminate()
            try:
                one.wait(5)
            except subprocess.TimeoutExpired:
                one.kill()
                one.wait()
        self._running.clear()
