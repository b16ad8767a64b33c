"""The whole service on one machine, through the deaths it must outlive. One service serves all tests here."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.serving import cluster

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.chaos, pytest.mark.xdist_group("service")]


@dataclass
class Running:
    """A service started by these tests."""

    process: subprocess.Popen[str]
    data_dir: Path
    port: int

    def ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def child(self, name: str) -> int:
        """Process id of the child that runs `app.cli <name>`, 0 when there is none."""
        for pid in _children_of(self.process.pid):
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if b"app.cli" in command and command[command.index(b"app.cli") + 1] == name.encode():
                return pid
        return 0

    def postmaster(self) -> int:
        noted = cluster.read_postmaster(self.data_dir / "postgres")
        return noted.pid if noted else 0


def _children_of(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if k != "DATABASE_URL" and not k.startswith("NUANXIAN_")}


def _command(data_dir: Path, port: int) -> list[str]:
    options = ["--data-dir", str(data_dir), "--port", str(port), "--no-demo"]
    return [sys.executable, "-m", "app.cli", "serve", *options]


def _start(data_dir: Path, port: int = 0) -> Running:
    process = subprocess.Popen(
        _command(data_dir, port),
        cwd=ROOT,
        env=_environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    said = []
    assert process.stdout is not None
    for line in process.stdout:
        said.append(line)
        if found := re.search(r"is running: http://127\.0\.0\.1:(\d+)", line):
            return Running(process, data_dir, int(found[1]))
    process.communicate()
    raise AssertionError("the service did not start:\n" + "".join(said))


def _wait(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.05)


def _gone(pid: int) -> bool:
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = _start(tmp_path_factory.mktemp("service") / "var")
    yield running
    if running.process.poll() is None:
        running.process.terminate()
        running.process.communicate(timeout=20)


def test_it_is_ready_when_it_says_so(service: Running) -> None:
    assert service.ready()
    assert service.child("web")
    assert service.child("worker")


def test_a_second_one_on_the_same_data_is_refused(service: Running) -> None:
    second = subprocess.run(_command(service.data_dir, 0), cwd=ROOT, env=_environment(), text=True, capture_output=True)
    assert second.returncode == 1
    assert f"already runs on {service.data_dir} (process {service.process.pid})" in second.stderr


def test_a_second_one_on_the_same_port_is_refused(service: Running, tmp_path: Path) -> None:
    command = _command(tmp_path, service.port)
    second = subprocess.run(command, cwd=ROOT, env=_environment(), text=True, capture_output=True)
    assert second.returncode == 1
    assert f"Port {service.port} on 127.0.0.1 is already taken by process" in second.stderr


@pytest.mark.parametrize("name", ["web", "worker"])
def test_a_killed_child_is_replaced(service: Running, name: str) -> None:
    first = service.child(name)
    os.kill(first, signal.SIGKILL)
    _wait(lambda: service.child(name) not in {0, first} and service.ready())


def test_a_killed_database_comes_back(service: Running) -> None:
    first = service.postmaster()
    os.kill(first, signal.SIGKILL)
    _wait(lambda: service.postmaster() not in {0, first} and service.ready())


def test_nothing_outlives_a_killed_supervisor_and_the_next_one_takes_over(service: Running) -> None:
    family = [service.child("web"), service.child("worker"), service.postmaster()]
    service.process.kill()
    service.process.communicate()
    again = _start(service.data_dir, service.port)
    assert all(_gone(pid) for pid in family)
    assert again.ready()
    service.process = again.process


def test_it_stops_within_seconds_and_leaves_nothing(service: Running) -> None:
    family = [service.child("web"), service.child("worker"), service.postmaster()]
    began = time.monotonic()
    service.process.terminate()
    said, _ = service.process.communicate(timeout=20)
    assert time.monotonic() - began < 15
    assert service.process.returncode == 0
    assert "Stopped." in said
    assert all(_gone(pid) for pid in family)
