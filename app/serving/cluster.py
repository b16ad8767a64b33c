"""The files of one embedded PostgreSQL: creating them, checking them, reading what the server says.

<home>/data           the database cluster (PGDATA)
<home>/data.new       a cluster being created; renamed to `data` when complete
<home>/socket         the Unix socket, or a directory under the system's temporary one when that
                      path would be too long
<home>/log            server log, one file per weekday; startup.log until the log is open
<home>/start.lock     held while somebody starts or stops the server
<home>/running.lock   held by every process of the server as long as it lives
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from app.serving.binaries import Binaries
from app.serving.failures import DatabaseServerFailure
from app.serving.privileges import Identity

PORT = 5432  # only part of the socket's name: the server does not listen on the network
SUPERUSER = "postgres"
ROLE = "nuanxian"
_LONGEST_SOCKET_DIRECTORY = 84  # sun_path holds 107 bytes; "/.s.PGSQL.5432.lock" needs 19
_CREATE_ROLE = f"CREATE ROLE {ROLE} LOGIN CREATEDB;\n"


@dataclass(frozen=True)
class Postmaster:
    """What the server wrote into postmaster.pid."""

    pid: int
    socket_directory: Path
    status: str


def data_major(home: Path) -> int | None:
    """Major version that wrote the data, None when there are none. Raises DatabaseServerFailure."""
    data = home / "data"
    try:
        return int((data / "PG_VERSION").read_text())
    except FileNotFoundError:
        if data.exists() and any(data.iterdir()):
            raise DatabaseServerFailure(
                f"{data} is not empty and not a PostgreSQL data directory; it is left as it is. "
                "Choose another data directory."
            ) from None
        return None
    except PermissionError:
        owner = data.lstat().st_uid if os.access(home, os.X_OK) else home.lstat().st_uid
        raise DatabaseServerFailure(
            f"{data} belongs to the user with id {owner}; this process runs as {os.geteuid()}. "
            "Run as that user or choose another data directory."
        ) from None
    except ValueError:
        raise DatabaseServerFailure(f"{data / 'PG_VERSION'} does not name a PostgreSQL version.") from None


def create(home: Path, binaries: Binaries, identity: Identity, environment: dict[str, str], durable: bool) -> None:
    """Make a new cluster with the role of the application; all of it or nothing is there afterwards."""
    fresh = home / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)  # left by a creation that was killed
    fresh.mkdir(mode=0o700)
    identity.own(fresh)
    provider = ["--locale-provider=builtin"] if binaries.major >= 17 else []
    initdb = [
        binaries.program("initdb"), "-D", str(fresh), "-U", SUPERUSER, "--encoding=UTF8", *provider,
        "--locale=C.UTF-8", "--data-checksums", "--auth-local=trust", "--auth-host=reject",
        "--no-instructions", *([] if durable else ["--no-sync"]),
    ]  # fmt: skip
    single = [binaries.program("postgres"), "--single", "-D", str(fresh), "postgres"]
    for command, typed in ((initdb, ""), (single, _CREATE_ROLE)):
        done = subprocess.run(
            command, input=typed, preexec_fn=identity.assume, env=environment, cwd=home,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            shutil.rmtree(fresh, ignore_errors=True)
            raise failure("PostgreSQL could not create its data directory", home, done.stdout + done.stderr)
    with suppress(FileNotFoundError):
        (home / "data").rmdir()
    fresh.rename(home / "data")
    _sync_directory(home)


def socket_directory(home: Path, identity: Identity) -> Path:
    """A private directory whose path is short enough for a socket, and that can hold one."""
    near = home / "socket"
    if len(os.fsencode(near)) <= _LONGEST_SOCKET_DIRECTORY:
        near.mkdir(mode=0o700, exist_ok=True)
        identity.own(near)
        if _holds_sockets(near):
            return near
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    far = Path(tempfile.gettempdir()) / f"nuanxian-{os.geteuid()}-{digest}"
    far.mkdir(mode=0o700, exist_ok=True)
    if far.is_symlink() or far.lstat().st_uid not in {os.geteuid(), identity.uid} or far.lstat().st_mode & 0o077:
        raise DatabaseServerFailure(f"{far} belongs to somebody else; remove it or choose another data directory.")
    identity.own(far)
    return far


def remove_stale(home: Path, sockets: Path) -> None:
    """Forget a server that is known to be dead: a reused process id would keep a new one from starting."""
    for path in (home / "data" / "postmaster.pid", *sockets.glob(f".s.PGSQL.{PORT}*")):
        path.unlink(missing_ok=True)


def read_postmaster(home: Path) -> Postmaster | None:
    """The server's own note, None when it is not there or not complete yet."""
    try:
        lines = (home / "data" / "postmaster.pid").read_text().splitlines()
    except OSError:
        return None
    if len(lines) < 8 or not lines[0].strip().isdigit():
        return None
    return Postmaster(int(lines[0]), Path(lines[4]), lines[7].strip())


def answers(directory: Path) -> bool:
    """Whether somebody listens on the socket in `directory`."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(5)
        try:
            probe.connect(str(directory / f".s.PGSQL.{PORT}"))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except OSError:  # a full backlog is a sign of life
            return True
    return True


def failure(what: str, home: Path, said: str) -> DatabaseServerFailure:
    """A sentence from what the server said; its last lines are added when the cause is not known."""
    if "No space left on device" in said or "Disk quota exceeded" in said:
        free = shutil.disk_usage(home).free // 2**20
        return DatabaseServerFailure(
            f"{what}: no space left. {free} MB are free at {home}; 300 MB are needed at least."
        )
    if "Cannot allocate memory" in said:
        return DatabaseServerFailure(f"{what}: not enough memory; 512 MB must be free.")
    if "Permission denied" in said or "Operation not permitted" in said:
        what = f"{what} (check who owns {home})"
    tail = "\n  ".join(said.strip().splitlines()[-6:]) or "it said nothing"
    return DatabaseServerFailure(f"{what}:\n  {tail}")


def _holds_sockets(directory: Path) -> bool:
    trial = directory / f".trial.{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.bind(str(trial))
        except OSError:  # some network and shared file systems have no sockets
            return False
        finally:
            trial.unlink(missing_ok=True)
    return True


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
