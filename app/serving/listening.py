"""The port of the service: taken once by the supervisor, so that it stays ours while children come and go."""

from __future__ import annotations

import errno
import os
import socket
import time
from pathlib import Path

from app.serving.failures import ServingFailure

_LISTEN_STATE = "0A"
_PATIENCE_SECONDS = 1.5  # the children of a supervisor just killed need a moment to die


def bind(host: str, port: int) -> socket.socket:
    """A bound socket that does not listen yet: until then callers are refused, not left waiting.

    `port` 0 takes a free one. Raises ServingFailure with the process that holds the port, where that can
    be seen.
    """
    if not 0 <= port <= 65535:  # the system's resolver would take it modulo 65536
        raise ServingFailure(f"There is no port {port}; choose one between 1 and 65535.")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except socket.gaierror:
        raise ServingFailure(f"{host!r} is not an address of this machine; set --host.") from None
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            return listener
        except OSError as error:
            listener.close()
            if error.errno == errno.EADDRINUSE and time.monotonic() < deadline:
                time.sleep(0.1)
                continue
            raise _explain(error, host, port) from None


def listen(listener: socket.socket) -> None:
    """Begin to take connections. Raises ServingFailure when somebody else did so first."""
    try:
        listener.listen(2048)
    except OSError as error:
        host, port = listener.getsockname()[:2]
        raise _explain(error, host, port) from None


def holder(port: int) -> str | None:
    """`1234 (name)` of the process that listens on `port`; None where the system does not tell."""
    inodes = _listening_inodes(port)
    for links in Path("/proc").glob("[0-9]*/fd"):
        try:
            if any(os.readlink(link) in inodes for link in links.iterdir()):
                return f"{links.parent.name} ({(links.parent / 'comm').read_text().strip()})"
        except OSError:  # somebody else's process, or one that just ended
            continue
    return None


def _listening_inodes(port: int) -> set[str]:
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            rows = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            columns = row.split()
            if columns[3] == _LISTEN_STATE and int(columns[1].rsplit(":", 1)[1], 16) == port:
                found.add(f"socket:[{columns[9]}]")
    return found


def _explain(error: OSError, host: str, port: int) -> ServingFailure:
    if error.errno == errno.EADDRINUSE:
        who = holder(port)
        by = f" by process {who}" if who else ""
        return ServingFailure(f"Port {port} on {host} is already taken{by}. Choose another one with --port.")
    if error.errno == errno.EACCES:
        return ServingFailure(f"Port {port} is reserved for root. Choose one above 1023 with --port.")
    if error.errno == errno.EADDRNOTAVAIL:
        return ServingFailure(f"{host} is not an address of this machine; set --host.")
    return ServingFailure(f"Port {port} on {host} cannot be used: {error.strerror}.")
