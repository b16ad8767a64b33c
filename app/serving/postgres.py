"""A real PostgreSQL as part of the service: started when needed, shared by who asks, never reachable
from the network.

Safe under `kill -9` of anything at any time: every server process holds a lock it cannot forget to
release, so "is it still running" is answered by the kernel and not by a process id in a file.
"""

from __future__ import annotations

import fcntl
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from app.serving import cluster
from app.serving.binaries import Binaries, find
from app.serving.failures import DatabaseServerFailure
from app.serving.postgres_settings import PRODUCT_SETTINGS, THROWAWAY_SETTINGS
from app.serving.privileges import Identity, die_with_parent, server_identity

_START_SECONDS = 120.0  # crash recovery on a slow disk
_STOP_SECONDS = 20.0
_TICK = 0.02

_children: list[subprocess.Popen[bytes]] = []  # kept for as long as they live: somebody must reap them


class Server:
    """A running server. `started_here` tells whether this process started it or joined it."""

    def __init__(self, home: Path, binaries: Binaries, sockets: Path, *, started_here: bool) -> None:
        self.home, self.started_here = home, started_here
        self._binaries, self._sockets = binaries, sockets

    @property
    def major(self) -> int:
        """Major version of the server."""
        return self._binaries.major

    def dsn(self, database: str = "postgres", *, user: str = cluster.ROLE) -> str:
        """`postgresql://` address over the Unix socket. The default role owns data but is no superuser."""
        return f"postgresql://{user}@/{database}?host={quote(str(self._sockets))}&port={cluster.PORT}"

    def is_running(self) -> bool:
        """Whether the server takes connections."""
        _reap()
        return cluster.answers(self._sockets)

    def databases(self) -> set[str]:
        """Names of all databases."""
        return set(self._sql("SELECT datname FROM pg_database").split())

    def create_database(self, name: str, template: str | None = None) -> None:
        """Create `name`, as a copy of `template` when given; a database already there stays as it is."""
        _check_name(name)
        clause = ""
        if template is not None:
            _check_name(template)
            clause = f" TEMPLATE {template} STRATEGY file_copy"
        with _exclusive(self.home):
            if name not in self.databases():
                self._sql(f"CREATE DATABASE {name} OWNER {cluster.ROLE}{clause}")

    def drop_database(self, name: str) -> None:
        """Drop `name` together with the connections to it; nothing happens when it is not there."""
        _check_name(name)
        self._sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def stop(self) -> None:
        """End the server: sessions are rolled back, data are safe. Nothing happens when it is not running."""
        with _exclusive(self.home):
            for attempt in (signal.SIGINT, signal.SIGQUIT):
                if self._end(attempt):
                    return
        raise DatabaseServerFailure(f"The database server in {self.home} does not stop.")

    def _end(self, attempt: signal.Signals) -> bool:
        deadline = time.monotonic() + _STOP_SECONDS
        signalled = False
        while time.monotonic() < deadline:
            _reap()
            if (lock := _try_running_lock(self.home)) is not None:
                os.close(lock)
                return True
            noted = cluster.read_postmaster(self.home)
            if noted is not None and not signalled:
                with suppress(ProcessLookupError):
                    os.kill(noted.pid, attempt)
                signalled = True
            time.sleep(_TICK)
        return False

    def _sql(self, statement: str) -> str:
        command = [
            self._binaries.program("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1",
            "-d", self.dsn(user=cluster.SUPERUSER), "-c", statement,
        ]  # fmt: skip
        done = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise cluster.failure("The database server refused a statement", self.home, done.stderr)
        return done.stdout


def start(
    data_dir: Path, *, durable: bool = True, settings: Mapping[str, str] | None = None, bound: bool = False
) -> Server:
    """Start the server whose files are in `data_dir`, creating them first if need be; join a running one.

    Any number of processes may call this at once and share one server. `durable=False` trades safety
    for speed and is for tests. `settings` override the product's. `bound=True` ends the server when the
    calling *thread* dies, however it dies; call it from the main thread.
    Raises DatabaseServerFailure with a sentence for the operator.
    """
    home = data_dir.absolute()
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _exclusive(home):
            return _start(home, durable, dict(settings or {}), bound)
    except OSError as error:
        raise cluster.failure("The database server cannot be started", home, str(error)) from error


def _start(home: Path, durable: bool, settings: dict[str, str], bound: bool) -> Server:
    major = cluster.data_major(home)
    binaries = find(major)
    lock = _join_or_lock(home)
    if isinstance(lock, cluster.Postmaster):
        return Server(home, binaries, lock.socket_directory, started_here=False)
    try:
        identity = server_identity()
        identity.own(home)
        if major is None:
            cluster.create(home, binaries, identity, _environment(), durable)
        identity.own(home / "data")
        sockets = cluster.socket_directory(home, identity)
        cluster.remove_stale(home, sockets)
        wanted = (PRODUCT_SETTINGS if durable else THROWAWAY_SETTINGS) | settings
        process = _launch(home, binaries, identity, sockets, wanted, bound, lock)
    finally:
        os.close(lock)  # the server has its own copy now
    _await_ready(home, process)
    return Server(home, binaries, sockets, started_here=True)


def _launch(
    home: Path,
    binaries: Binaries,
    identity: Identity,
    sockets: Path,
    settings: dict[str, str],
    bound: bool,
    lock: int,
) -> subprocess.Popen[bytes]:
    logs = home / "log"
    logs.mkdir(mode=0o700, exist_ok=True)
    identity.own(logs)
    places = {
        "listen_addresses": "",
        "port": str(cluster.PORT),
        "unix_socket_directories": str(sockets),
        "unix_socket_permissions": "0700",
        "log_directory": str(logs),
    }
    command = [binaries.program("postgres"), "-D", str(home / "data")]
    for name, value in (settings | places).items():
        command += ["-c", f"{name}={value}"]
    parent = os.getpid()

    def before_exec() -> None:
        identity.assume()
        if bound:  # after the change of identity, which would clear it
            die_with_parent(signal.SIGINT, parent)

    with open(logs / "startup.log", "wb") as said:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd=home, env=_environment(),
            preexec_fn=before_exec, pass_fds=(lock,), start_new_session=True,
        )  # fmt: skip
    _children.append(process)
    return process


def _reap() -> None:
    """A dead child must not stay a zombie."""
    _children[:] = [child for child in _children if child.poll() is None]


def _await_ready(home: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            said = (home / "log" / "startup.log").read_text(errors="replace")
            raise cluster.failure("The database server did not start", home, said)
        noted = cluster.read_postmaster(home)
        if noted is not None and noted.pid == process.pid and noted.status == "ready":
            return
        time.sleep(_TICK)
    process.send_signal(signal.SIGINT)
    raise DatabaseServerFailure(f"The database server in {home} was not ready within {_START_SECONDS:.0f} s.")


def _join_or_lock(home: Path) -> cluster.Postmaster | int:
    """The server that runs on these data, or the lock that proves there is none."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if (lock := _try_running_lock(home)) is not None:
            return lock
        noted = cluster.read_postmaster(home)
        if noted is not None and noted.status == "ready" and cluster.answers(noted.socket_directory):
            return noted
        time.sleep(_TICK)  # starting, stopping, or the last processes of a killed server
    raise DatabaseServerFailure(
        f"Processes of an earlier database server still hold {home} but do not answer; end them."
    )


def _try_running_lock(home: Path) -> int | None:
    handle = os.open(home / "running.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


@contextmanager
def _exclusive(home: Path) -> Iterator[None]:
    with open(home / "start.lock", "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _environment() -> dict[str, str]:
    """The caller's environment without settings of other PostgreSQL clients, in English for our messages."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C"}


def _check_name(name: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
        raise ValueError(f"not a plain database name: {name!r}")
