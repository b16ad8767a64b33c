"""One city's service on one machine: database, schema, demo world, web and worker, until told to stop."""

from __future__ import annotations

import fcntl
import http.client
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.core.config import Settings
from app.serving import databases, demo_accounts, postgres
from app.serving.environment import environment_of
from app.serving.failures import DatabaseServerFailure, ServingFailure
from app.serving.listening import bind, listen
from app.serving.supervisor import Child, end_all

_READY_SECONDS = 90.0
_HOPELESS_STARTS = 3
_TICK = 0.2


def serve(settings: Settings) -> int:
    """Run until SIGINT or SIGTERM; returns the exit code. Raises ServingFailure when it cannot begin."""
    databases.refuse_embedded_in_production(settings)
    with _alone(settings.data_dir):
        listener = bind(settings.host, settings.port)
        settings = settings.model_copy(update={"port": listener.getsockname()[1]})
        with listener:
            return _Service(settings, listener).run()


def say(sentence: str) -> None:
    """One line for whoever watches the terminal or the container's log."""
    with suppress(OSError):  # the terminal may be gone; the service goes on
        print(sentence, flush=True)


class _Service:
    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self._settings, self._listener = settings, listener
        self._server: postgres.Server | None = None
        self._children: list[Child] = []
        self._stopping = threading.Event()

    def run(self) -> int:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # as under nohup
                signal.signal(number, lambda *_: self._stopping.set())
        try:
            self._open_database()
            self._prepare()
            if not self._stopping.is_set():
                listen(self._listener)
                self._start_children()
                self._await_ready()
                self._announce()
            self._tend()
        finally:
            end_all(self._children)
            if self._server is not None and self._server.started_here:
                self._server.stop()
        say("Stopped.")
        return 0

    def _open_database(self) -> None:
        if self._settings.database_url is None:
            say("Starting the database ...")
            self._server = databases.embedded(self._settings, bound=True)
            dsn = self._server.dsn(databases.DATABASE)
            self._settings = self._settings.model_copy(update={"database_url": dsn})
        else:
            production = self._settings.environment == "production"
            databases.check(self._settings.database_url, production=production)

    def _prepare(self) -> None:
        """Schema and demo world, in a process of its own so that a stop need not wait for it."""
        say("Bringing the schema up to date ...")
        step = self._child("prepare", "prepare")
        step.log = None
        self._children.append(step)
        step.start()
        while step.process is not None and (code := step.process.poll()) is None:
            if self._stopping.wait(_TICK):
                return
        self._children.remove(step)
        if code:
            raise ServingFailure("The database could not be prepared; the reason stands above.")

    def _start_children(self) -> None:
        handle = self._listener.fileno()
        for number in range(1, self._settings.web_processes + 1):
            web = self._child("web" if number == 1 else f"web-{number}", "web", "--fd", str(handle))
            web.pass_fds = (handle,)
            self._children.append(web)
        self._children.append(self._child("worker", "worker"))
        for child in self._children:
            child.start()

    def _child(self, name: str, *arguments: str) -> Child:
        quiet = self._settings.environment == "development"
        log = self._settings.data_dir / "log" / f"{name}.log" if quiet else None
        return Child(name, arguments, environment_of(self._settings), log)

    def _await_ready(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        answer = "no answer"
        while not self._stopping.is_set() and (answer := _readiness(self._settings)) != "200":
            self._mind()
            hopeless = [child for child in self._children if child.starts >= _HOPELESS_STARTS]
            if hopeless or time.monotonic() > deadline:
                broken = hopeless[0] if hopeless else self._children[0]
                raise ServingFailure(
                    f"The service did not become ready (/readyz: {answer}).\n"
                    f"{broken.name} said last:\n{broken.last_words()}"
                )
            self._stopping.wait(_TICK)

    def _announce(self) -> None:
        if self._stopping.is_set():
            return
        local = self._settings.model_copy(update={"host": _reachable(self._settings.host)})
        say(f"\n暖线 Nuanxian 已启动 is running: {local.public_url}")
        say(f"  接口 API {local.public_url}/docs")
        if self._settings.environment == "development":
            say(f"  日志 logs {self._settings.data_dir / 'log'}")
        for line in demo_accounts.lines(self._settings.data_dir):
            say(line)
        say("按 Ctrl-C 停止。 Ctrl-C stops.")

    def _tend(self) -> None:
        while not self._stopping.wait(_TICK):
            self._mind()

    def _mind(self) -> None:
        if self._server is not None and not self._server.is_running():
            say("The database server is gone; starting it again.")
            try:
                self._server = databases.embedded(self._settings, bound=True)
            except DatabaseServerFailure as failure:
                say(str(failure))
                self._stopping.wait(2)
        for child in self._children:
            child.tend(say)


@contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    """Hold the data directory: two services on one would fight over keys, logs and the database."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = open(data_dir / "serve.lock", "a+")  # noqa: SIM115 - closed below
    except OSError as error:
        raise ServingFailure(f"The data directory {data_dir} cannot be used: {error.strerror}.") from None
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            raise ServingFailure(
                f"A service already runs on {data_dir} (process {handle.read().strip() or 'unknown'}). "
                "Stop it, or give this one another --data-dir and --port."
            ) from None
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        yield


def _readiness(settings: Settings) -> str:
    """Status of /readyz as text, or why there is none."""
    connection = http.client.HTTPConnection(_reachable(settings.host), settings.port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return str(connection.getresponse().status)
    except OSError as error:
        return type(error).__name__
    except http.client.HTTPException as error:
        return type(error).__name__
    finally:
        connection.close()


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104


def complain(sentence: str) -> None:
    """An error line for the operator."""
    print(f"nuanxian: {sentence}", file=sys.stderr, flush=True)
